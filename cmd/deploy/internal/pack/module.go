package pack

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoModule is returned outside of a Go module.
var ErrNoModule = errors.New("the app is packed from its sources: run this in a checkout of them")

// Module returns the folder of the Go module that the process works in.
func Module(ctx context.Context) (string, error) {
	said, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("ask the go command for the module: %w", err)
	}
	file := strings.TrimSpace(string(said))
	if filepath.Base(file) != "go.mod" {
		return "", ErrNoModule
	}
	return filepath.Dir(file), nil
}

// Commit returns what git calls the sources in a folder, with a mark if they were changed since.
func Commit(ctx context.Context, folder string) (string, error) {
	command := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty", "--abbrev=12")
	command.Dir = folder
	said, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("ask git for the version: %w; say it with -version", err)
	}
	return strings.TrimSpace(string(said)), nil
}
