package pack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// The processors that there are packages for, as Go calls them.
const (
	AMD64 = "amd64"
	ARM64 = "arm64"
)

// Source says what is packed.
type Source struct {
	// Module is the folder of the Go module, and App that of the program with host.json beside it, below Module.
	Module, App string
	// Arch is the processor, [AMD64] or [ARM64].
	Arch string
	// Version is what the program calls itself: letters, digits, and .-_+ between them.
	Version string
}

// File is one file of a package.
type File struct {
	// Name is its path from the root, with forward slashes.
	Name string
	// Mode is 0755 for the program and 0644 for all else.
	Mode fs.FileMode
	Data []byte
}

// errVersion is returned for a version that cannot be put into the program.
var errVersion = errors.New("the version is not made of letters, digits and . - _ + between them")

var version = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+-]{0,99}$`)

// Collect builds the program and returns it with the other files.
func Collect(ctx context.Context, s Source) ([]File, error) {
	switch {
	case s.Arch != AMD64 && s.Arch != ARM64:
		return nil, fmt.Errorf("the processor %q is neither %s nor %s", s.Arch, AMD64, ARM64)
	case !version.MatchString(s.Version):
		return nil, fmt.Errorf("%w: %q", errVersion, s.Version)
	}
	files, err := s.plainFiles()
	if err != nil {
		return nil, err
	}
	name, err := executable(files[0].Data)
	if err != nil {
		return nil, err
	}
	program, err := s.build(ctx)
	if err != nil {
		return nil, err
	}
	return append(files, File{name, 0o755, program}), nil
}

// hostFile is what makes a folder a Functions app.
const hostFile = "host.json"

// licenseFile goes with every copy.
const licenseFile = "LICENSE"

// plainFiles reads the files that are packed as they are, host.json first.
func (s Source) plainFiles() ([]File, error) {
	app := filepath.Join(s.Module, s.App)
	functions, err := filepath.Glob(filepath.Join(app, "*", "function.json"))
	if err != nil {
		return nil, err
	}
	paths := map[string]string{licenseFile: filepath.Join(s.Module, licenseFile)}
	names := []string{hostFile, licenseFile}
	paths[hostFile] = filepath.Join(app, hostFile)
	for _, path := range functions {
		name := filepath.Base(filepath.Dir(path)) + "/function.json"
		names, paths[name] = append(names, name), path
	}
	var files []File
	for _, name := range names {
		data, err := os.ReadFile(paths[name])
		if err != nil {
			return nil, fmt.Errorf("read what is packed: %w", err)
		}
		files = append(files, File{name, 0o644, data})
	}
	return files, nil
}

// hostJSON is what the package depends on in host.json.
type hostJSON struct {
	Version         string
	ExtensionBundle struct{ ID string }
	CustomHandler   struct {
		Description struct{ DefaultExecutablePath string }
	}
}

// executable returns the name of the program, as host.json has it.
func executable(text []byte) (string, error) {
	var of hostJSON
	if err := json.Unmarshal(text, &of); err != nil {
		return "", fmt.Errorf("read host.json: %w", err)
	}
	name := of.CustomHandler.Description.DefaultExecutablePath
	if name == "" || strings.ContainsAny(name, `/\%`) {
		return "", fmt.Errorf("host.json names the program %q, and not a file beside it", name)
	}
	return name, nil
}

// build builds the program. What the environment says of Go is left out, as it would be in the program.
func (s Source) build(ctx context.Context) ([]byte, error) {
	folder, err := os.MkdirTemp("", "holdfast-package")
	if err != nil {
		return nil, fmt.Errorf("build the program: %w", err)
	}
	defer os.RemoveAll(folder)
	to := filepath.Join(folder, "program")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
		"-ldflags", "-s -w -buildid= -X main.version="+s.Version, "-o", to, "./"+filepath.ToSlash(s.App))
	command.Dir = s.Module
	command.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+s.Arch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0")
	if said, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the program: %w\n%s", err, strings.TrimSpace(string(said)))
	}
	program, err := os.ReadFile(to)
	if err != nil {
		return nil, fmt.Errorf("build the program: %w", err)
	}
	return program, nil
}
