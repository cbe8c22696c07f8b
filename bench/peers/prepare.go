package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Where prepare puts the servers, below the cache folder.
const (
	temporalServer = "temporal/devserver"
	restateServer  = "restate/node_modules/@restatedev/restate-server-linux-x64/bin/restate-server"
)

// The modules that the servers come from.
const (
	temporalModule  = "github.com/temporalio/cli"
	temporalVersion = "v1.9.1"
	restatePackage  = "@restatedev/restate-server@1.7.12"
)

// devserver is the command that starts Temporal's development server with
// settings of our own. It is built inside Temporal's module, whose package for
// that is internal.
//
//go:embed devserver.txt
var devserver []byte

// prepare builds and installs the servers that are no Go packages.
func prepare(ctx context.Context, cache string) error {
	if err := prepareTemporal(ctx, filepath.Join(cache, "temporal")); err != nil {
		return fmt.Errorf("build Temporal's server: %w", err)
	}
	folder := filepath.Join(cache, "restate")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := command(ctx, folder, "npm", "install", "--no-audit", "--no-fund", "--prefix", ".", restatePackage); err != nil {
		return fmt.Errorf("install Restate's server: %w", err)
	}
	fmt.Println("the servers are in", cache)
	return nil
}

// prepareTemporal copies the module, as its own cannot be installed: it stands in
// for a part of itself that is not published. The server does without that part.
func prepareTemporal(ctx context.Context, folder string) error {
	download := exec.CommandContext(ctx, "go", "mod", "download", "-json", temporalModule+"@"+temporalVersion)
	out, err := download.Output()
	if err != nil {
		return err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	source := filepath.Join(folder, "source")
	if err := os.CopyFS(source, os.DirFS(module.Dir)); err != nil {
		return err
	}
	// The files of the module cache are read-only.
	if err := command(ctx, source, "chmod", "-R", "u+w", "."); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(source, "cmd")); err != nil {
		return err
	}
	main := filepath.Join(source, "cmd", "devserver", "main.go")
	if err := os.MkdirAll(filepath.Dir(main), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(main, devserver, 0o644); err != nil {
		return err
	}
	part := temporalModule + "/cliext"
	if err := command(ctx, source, "go", "mod", "edit", "-droprequire", part, "-dropreplace", part, "go.mod"); err != nil {
		return err
	}
	return command(ctx, source, "go", "build", "-mod=mod", "-o", filepath.Join(folder, "devserver"), "./cmd/devserver")
}

// command runs a program and shows what it says.
func command(ctx context.Context, folder, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Stdout, c.Stderr = folder, os.Stderr, os.Stderr
	return c.Run()
}
