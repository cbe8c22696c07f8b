// Package tools runs the programs that the deploy command does not replace: the Bicep compiler, and Terraform or OpenTofu.
//
// Secrets reach them by their environment alone. They are on no command line, which every process on the machine can read,
// and in no file of ours. What the programs say is shown with every known secret replaced by ***, as a compiler may repeat a
// value that it doesn't like.
package tools

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// MissingError is returned for a program that isn't on this machine. Hint says how to get it.
type MissingError struct{ Name, Hint string }

func (e *MissingError) Error() string { return "there is no " + e.Name + " on this machine; " + e.Hint }

// find returns the first of some programs that is on PATH.
func find(names ...string) (string, bool) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// program returns a file that can be run, with the ending that Windows wants.
func program(folder, name string) (string, bool) {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(folder, name)
	info, err := os.Stat(path)
	return path, err == nil && !errors.Is(err, fs.ErrNotExist) && !info.IsDir()
}

// Masked replaces secrets in a text. Short ones are not replaced, as every text would be full of them.
func Masked(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) >= shortestSecret {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}

const shortestSecret = 6
