package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// weight is what a program pays for being able to open a store.
type weight struct {
	Name          string   `json:"name"`
	Module        string   `json:"module,omitempty"`
	Version       string   `json:"version,omitempty"`
	BuildList     int      `json:"modules_in_build_list"`
	LinkedModules int      `json:"modules_compiled"`
	Packages      int      `json:"packages_compiled"`
	OwnPackages   int      `json:"packages_compiled_beyond_std"`
	BinaryMiB     float64  `json:"stripped_binary_mib"`
	Cgo           []string `json:"packages_using_cgo_when_on,omitempty"`
}

// weights lists the programs under weigh and the module each is for.
func weights() []weight {
	return []weight{
		{Name: "none"},
		{Name: "pebble", Module: "github.com/cockroachdb/pebble/v2"},
		{Name: "bbolt", Module: "go.etcd.io/bbolt"},
		{Name: "sqlite", Module: "modernc.org/sqlite"},
	}
}

// weighAll weighs every program, building in dir.
func weighAll(ctx context.Context, dir string) ([]weight, error) {
	list := weights()
	for i := range list {
		w := &list[i]
		for _, step := range []func(context.Context, string) error{w.compiled, w.cgo, w.build, w.required} {
			if err := step(ctx, dir); err != nil {
				return nil, fmt.Errorf("weigh %s: %w", w.Name, err)
			}
		}
	}
	return list, nil
}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	CgoFiles   []string
	Module     *struct {
		Path, Version string
		Main          bool
	}
}

// source is the package path of the program.
func (w *weight) source() string { return "./stores/weigh/" + w.Name }

// compiled counts packages and modules without cgo.
func (w *weight) compiled(ctx context.Context, _ string) error {
	pkgs, err := deps(ctx, "0", w.source())
	if err != nil {
		return err
	}
	w.Packages = len(pkgs)
	modules := map[string]bool{}
	for _, p := range pkgs {
		if p.Module == nil || p.Module.Main {
			continue
		}
		w.OwnPackages++
		modules[p.Module.Path] = true
		if p.Module.Path == w.Module {
			w.Version = p.Module.Version
		}
	}
	w.LinkedModules = len(modules)
	return nil
}

// cgo names the packages beyond the standard library which use cgo when it is
// switched on.
func (w *weight) cgo(ctx context.Context, _ string) error {
	pkgs, err := deps(ctx, "1", w.source())
	if err != nil {
		return err
	}
	for _, p := range pkgs {
		if p.Module != nil && len(p.CgoFiles) > 0 {
			w.Cgo = append(w.Cgo, p.ImportPath)
		}
	}
	return nil
}

// deps lists a program's packages with cgo off or on ("0" or "1").
func deps(ctx context.Context, cgo, source string) ([]pkg, error) {
	out, err := runGo(ctx, ".", []string{"CGO_ENABLED=" + cgo}, "list", "-deps", "-json=ImportPath,CgoFiles,Module", source)
	if err != nil {
		return nil, err
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("decode package list: %w", err)
		}
		pkgs = append(pkgs, p)
	}
}

// build builds the program stripped, without cgo, and takes its size.
func (w *weight) build(ctx context.Context, dir string) error {
	bin := filepath.Join(dir, "weigh-"+w.Name)
	_, err := runGo(ctx, ".", []string{"CGO_ENABLED=0"}, "build", "-trimpath", "-ldflags=-s -w", "-o", bin, w.source())
	if err != nil {
		return err
	}
	info, err := os.Stat(bin)
	if err != nil {
		return fmt.Errorf("size binary: %w", err)
	}
	w.BinaryMiB = float64(info.Size()) / (1 << 20)
	return os.Remove(bin)
}

// required counts the build list of a module which requires nothing but this
// store.
func (w *weight) required(ctx context.Context, dir string) error {
	if w.Module == "" {
		return nil
	}
	mod, err := w.scratchModule(dir)
	if err != nil {
		return err
	}
	out, err := runGo(ctx, mod, []string{"GOWORK=off"}, "list", "-mod=mod", "-m", "all")
	if err != nil {
		return err
	}
	w.BuildList = strings.Count(string(out), "\n") - 1 // less the module itself
	return os.RemoveAll(mod)
}

// scratchModule writes that module.
func (w *weight) scratchModule(dir string) (string, error) {
	mod, err := os.MkdirTemp(dir, "module-")
	if err != nil {
		return "", fmt.Errorf("create scratch module: %w", err)
	}
	text := fmt.Sprintf("module scratch\n\ngo 1.26.0\n\nrequire %s %s\n", w.Module, w.Version)
	if err := os.WriteFile(filepath.Join(mod, "go.mod"), []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write scratch module: %w", err)
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		return "", fmt.Errorf("read checksums: %w", err)
	}
	return mod, os.WriteFile(filepath.Join(mod, "go.sum"), sums, 0o600)
}

// runGo runs the go command in dir and returns its output.
func runGo(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run go %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}
