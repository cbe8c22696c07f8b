package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// What the README says about each scenario is typed into a shell, line by line.
func TestWhatTheREADMESaysWorksInAFolder(t *testing.T) {
	typeREADME(t, open(t, t.TempDir(), true))
}

func TestWhatTheREADMESaysWorksOnAzurite(t *testing.T) {
	typeREADME(t, open(t, t.TempDir(), true, inAzurite(emulator(t, azuritetest.Options{}))...))
}

// The scenarios that the README shows, by the headings of their parts.
var scenarios = []string{"`SmsVerify`", "`ExpenseApproval`", "`ReleaseGate`", "`ClaimReview`"}

// typeREADME types the commands of the README's scenarios and holds what they print to
// what stands below them.
func typeREADME(t *testing.T, s *site) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	sh := newShell(t)
	sh.run("APP=" + s.app.url)
	for _, name := range scenarios {
		_, rest, found := strings.Cut(string(text), "\n### "+name)
		_, rest, fenced := strings.Cut(rest, "```sh\n")
		block, _, closed := strings.Cut(rest, "```")
		if !found || !fenced || !closed {
			t.Fatalf("the README has no commands for %s", name)
		}
		sh.typeAll(block)
	}
}

// shell is a running bash.
type shell struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

func newShell(t *testing.T) *shell {
	t.Helper()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is missing: install it, or type the README's commands by hand", tool)
		}
	}
	command := exec.Command("bash", "--norc", "-o", "pipefail")
	command.Dir = t.TempDir()
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = command.Wait()
	})
	return &shell{t, in, bufio.NewReader(out)}
}

// run types a line, and returns what it prints and whether it ended well.
func (s *shell) run(line string) (printed string, ok bool) {
	s.t.Helper()
	const end = "=== end of command: "
	if _, err := io.WriteString(s.in, line+"\nprintf '\\n%s%s\\n' '"+end+"' \"$?\"\n"); err != nil {
		s.t.Fatal(err)
	}
	for {
		text, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		if code, found := strings.CutPrefix(text, end); found {
			return printed, strings.TrimSpace(code) == "0"
		}
		printed += text
	}
}

// typeAll types commands. A line with "# → " behind one says what it prints; one that
// only looks at something is typed until it does, and until it ends well, as people
// do.
func (s *shell) typeAll(block string) {
	s.t.Helper()
	lines := strings.Split(strings.TrimSpace(block), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		want := ""
		if i+1 < len(lines) {
			if after, says := strings.CutPrefix(lines[i+1], "# → "); says {
				want = after
			}
		}
		s.typeOne(line, want)
	}
}

// mostLooks is how often something is looked at that must come; seconds, or minutes
// on a machine that is so slow.
const mostLooks = 2000

func (s *shell) typeOne(line, want string) {
	s.t.Helper()
	looks := !strings.Contains(line, " -d ") && !strings.Contains(line, "-X POST")
	for tries := 1; ; tries++ {
		printed, ok := s.run(line)
		if ok && strings.Contains(printed, want) {
			return
		}
		if !looks || tries == mostLooks {
			s.t.Fatalf("%s\nprinted %s\nwant %q", line, printed, want)
		}
	}
}
