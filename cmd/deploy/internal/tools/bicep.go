package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
)

// Bicep is the compiler.
type Bicep struct{ Path string }

// FindBicep looks for the compiler on PATH, where az installs it, and beside az.
func FindBicep() (*Bicep, error) {
	if path, ok := find("bicep"); ok {
		return &Bicep{path}, nil
	}
	for _, folder := range azFolders() {
		if path, ok := program(folder, "bicep"); ok {
			return &Bicep{path}, nil
		}
	}
	return nil, &MissingError{"Bicep compiler", "run az bicep install, or get it from https://github.com/Azure/bicep/releases and put it on PATH as bicep"}
}

// azFolders are where az keeps the compiler that it installs, and where az itself is.
func azFolders() []string {
	var folders []string
	if config := os.Getenv("AZURE_CONFIG_DIR"); config != "" {
		folders = append(folders, filepath.Join(config, "bin"))
	} else if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".azure", "bin"))
	}
	if az, ok := find("az"); ok {
		folders = append(folders, filepath.Dir(az))
	}
	return folders
}

var versionPattern = regexp.MustCompile(`\d+\.\d+\.\d+`)

// Version returns the compiler's version.
func (b *Bicep) Version(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, b.Path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", b.Path, err)
	}
	return versionPattern.FindString(string(out)), nil
}

// Compiled is what the compiler makes of a template, or of a parameter file and the template that it uses.
type Compiled struct {
	Template   map[string]any
	Parameters map[string]*armdeployments.DeploymentParameter // of a parameter file only
	Warnings   string                                         // what the compiler said beside it
}

// Compile compiles a .bicep or .bicepparam file. env is what the compiler finds in its environment beside this process's own,
// NAME=VALUE; secrets are replaced in what it says.
func (b *Bicep) Compile(ctx context.Context, file string, env, secrets []string) (*Compiled, error) {
	isParameters := strings.HasSuffix(file, ".bicepparam")
	verb := "build"
	if isParameters {
		verb = "build-params"
	}
	command := exec.CommandContext(ctx, b.Path, verb, file, "--stdout")
	command.Env = append(os.Environ(), env...)
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	err := command.Run()
	text := Masked(strings.TrimSpace(said.String()), secrets)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("compile %s: %w\n%s", file, err, text)
	}
	c := &Compiled{Warnings: text}
	if isParameters {
		err = c.readParameters(out.Bytes())
	} else {
		err = json.Unmarshal(out.Bytes(), &c.Template)
	}
	if err != nil {
		return nil, fmt.Errorf("read what the compiler made of %s: %w", file, err)
	}
	return c, nil
}

// readParameters reads what build-params writes: two documents as strings in a third.
func (c *Compiled) readParameters(text []byte) error {
	var both struct {
		Template   string `json:"templateJson"`
		Parameters string `json:"parametersJson"`
	}
	if err := json.Unmarshal(text, &both); err != nil {
		return err
	}
	var file struct {
		Parameters map[string]*armdeployments.DeploymentParameter `json:"parameters"`
	}
	if both.Template == "" || both.Parameters == "" {
		return errors.New("it has no template or no parameters; a parameter file needs a using with a local template")
	}
	if err := json.Unmarshal([]byte(both.Parameters), &file); err != nil {
		return fmt.Errorf("its parameters: %w", err)
	}
	c.Parameters = file.Parameters
	return json.Unmarshal([]byte(both.Template), &c.Template)
}
