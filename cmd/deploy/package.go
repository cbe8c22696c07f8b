package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/pack"
	"github.com/seed21523604/holdfast/functions/triggers"
)

// appFolder is the app's folder in its module.
const appFolder = "functions"

// packageApp makes the app's package and checks it, or checks one that is there.
func packageApp(ctx context.Context, args []string, std streams) error {
	flags := newFlags("package")
	out := flags.String("o", "", "")
	folder := flags.String("folder", "", "")
	old := flags.String("check", "", "")
	arch := flags.String("arch", pack.AMD64, "")
	version := flags.String("version", "", "")
	rest, err := parse(flags, args)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return &usageError{"package", fmt.Sprintf("package takes no %q", rest[0])}
	case *arch != pack.AMD64 && *arch != pack.ARM64:
		return &usageError{"package", fmt.Sprintf("there is no package for %s; the processors are %s and %s", *arch, pack.AMD64, pack.ARM64)}
	case *old != "":
		return checkPackage(std, *old, pack.Wanted{Arch: *arch, Version: *version, Functions: functionNames()})
	case *out == "" && *folder == "":
		return &usageError{"package", "say with -o which file to write, or with -folder which folder"}
	}
	s := pack.Source{App: appFolder, Arch: *arch, Version: *version}
	if s.Module, err = pack.Module(ctx); err != nil {
		return err
	}
	if s.Version == "" {
		if s.Version, err = pack.Commit(ctx, s.Module); err != nil {
			return err
		}
	}
	return makePackage(ctx, std, s, *out, *folder)
}

// makePackage makes a package as a file, a folder or both. What was found wrong is not left behind.
func makePackage(ctx context.Context, std streams, s pack.Source, out, folder string) error {
	files, err := pack.Collect(ctx, s)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := pack.Write(&archive, files); err != nil {
		return err
	}
	wanted := pack.Wanted{Arch: s.Arch, Version: s.Version, Functions: functionNames()}
	defects, err := pack.Check(bytes.NewReader(archive.Bytes()), int64(archive.Len()), wanted)
	if err != nil {
		return err
	}
	if len(defects) > 0 {
		return writeDefects(std, defects)
	}
	if folder != "" {
		if err := pack.Unpack(folder, files); err != nil {
			return err
		}
	}
	if out != "" {
		if err := os.WriteFile(out, archive.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write the package: %w", err)
		}
	}
	_, err = fmt.Fprintf(std.out, "%s: version %s for linux/%s, %d files, %.1f MB, checked\n",
		strings.Trim(out+" "+folder, " "), s.Version, s.Arch, len(files), float64(archive.Len())/1e6)
	return err
}

// checkPackage looks for what is wrong with a package that is there.
func checkPackage(std streams, path string, wanted pack.Wanted) error {
	file, err := os.Open(path)
	if err != nil {
		return &usageError{"package", err.Error()}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read the package: %w", err)
	}
	defects, err := pack.Check(file, info.Size(), wanted)
	if err != nil {
		return err
	}
	if len(defects) > 0 {
		return writeDefects(std, defects)
	}
	_, err = fmt.Fprintf(std.out, "%s: nothing is wrong with it\n", path)
	return err
}

// writeDefects shows what is wrong, and returns that as what the command found.
func writeDefects(std streams, defects []pack.Defect) error {
	for _, d := range defects {
		if _, err := fmt.Fprintln(std.out, d); err != nil {
			return fmt.Errorf("write what was found: %w", err)
		}
	}
	return &foundError{count(len(defects), "defect")}
}

// functionNames are those that a package must have.
func functionNames() (names []string) {
	for _, f := range triggers.Table() {
		names = append(names, f.Name)
	}
	return names
}
