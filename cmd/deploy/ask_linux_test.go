package main

import (
	"bufio"
	"context"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminals returns both ends of a terminal of its own.
func terminals(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// TestASecretIsNotShownWhileItIsTyped types one when the program waits for it: the terminal doesn't show it then, and does again after.
func TestASecretIsNotShownWhileItIsTyped(t *testing.T) {
	keyboard, terminal := terminals(t)
	folder := t.TempDir()
	template := "@secure()\n@minLength(8)\nparam apiKey string\n"
	if err := os.WriteFile(filepath.Join(folder, "main.bicep"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a program that shows what is typed takes so long
	defer cancel()
	command := osexec.CommandContext(ctx, "deploy", "preview", "main.bicep", "-s", "s", "-g", "rg")
	command.Dir, command.Stdin = folder, terminal
	command.Env = append(os.Environ(), "PATH="+filepath.Join(folder, "empty"), outputVariable+"="+filepath.Join(folder, "output.log"), "HOLDFAST_API_KEY=")
	said, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(said)
	asked, err := lines.ReadString(':')
	if err != nil || !strings.HasPrefix(asked, "apiKey (set HOLDFAST_API_KEY)") {
		t.Fatalf("asked %q, %v", asked, err)
	}
	for echoes(t, terminal) {
		if runtime.Gosched(); ctx.Err() != nil {
			t.Fatal("what is typed is shown")
		}
	}
	if _, err := keyboard.WriteString("a-" + canary + "-that-is-typed\n"); err != nil {
		t.Fatal(err)
	}
	rest, err := lines.ReadString(0)
	if !strings.Contains(rest, "there is no Bicep compiler") {
		t.Errorf("it goes on with %q, %v", rest, err)
	}
	_ = command.Wait() // there is no compiler, so it fails
	if !echoes(t, terminal) {
		t.Error("the terminal still hides what is typed")
	}
	// What the terminal showed can be read where it is typed.
	if _, err := terminal.WriteString("the end\n"); err != nil {
		t.Fatal(err)
	}
	shown, err := bufio.NewReader(keyboard).ReadString('d')
	if err != nil || strings.Contains(shown, canary) || !strings.HasSuffix(shown, "the end") {
		t.Errorf("the terminal showed %q, %v", shown, err)
	}
}
