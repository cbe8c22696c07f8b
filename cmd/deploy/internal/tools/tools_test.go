package tools_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/tools"
)

// program writes a program that can be run and does nothing.
func program(t *testing.T, folder, name string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("programs have other names there")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheCompilerIsFoundWhereItMayBe(t *testing.T) {
	folder := t.TempDir()
	empty, config, home := filepath.Join(folder, "empty"), filepath.Join(folder, "config"), filepath.Join(folder, "home")
	t.Setenv("PATH", empty)
	t.Setenv("HOME", home)
	t.Setenv("AZURE_CONFIG_DIR", config)

	var missing *tools.MissingError
	if _, err := tools.FindBicep(); !errors.As(err, &missing) || !strings.Contains(err.Error(), "az bicep install") {
		t.Errorf("without a compiler: %v", err)
	}
	find := func(want string) {
		t.Helper()
		if b, err := tools.FindBicep(); err != nil || b.Path != want {
			t.Errorf("found %v, %v; want %s", b, err, want)
		}
	}
	az := filepath.Join(folder, "az")
	program(t, az, "az")
	t.Setenv("PATH", az)
	find(program(t, az, "bicep")) // beside az, and so on PATH
	if err := os.Remove(filepath.Join(az, "bicep")); err != nil {
		t.Fatal(err)
	}
	find(program(t, filepath.Join(config, "bin"), "bicep"))
	t.Setenv("AZURE_CONFIG_DIR", "")
	find(program(t, filepath.Join(home, ".azure", "bin"), "bicep"))
}

func TestTerraformOrOpenTofuIsFound(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", filepath.Join(folder, "bin"))
	t.Setenv(tools.TerraformVariable, "")
	var missing *tools.MissingError
	if _, err := tools.FindTerraform(folder, nil); !errors.As(err, &missing) {
		t.Errorf("without a program: %v", err)
	}
	program(t, filepath.Join(folder, "bin"), "tofu")
	if got, err := tools.FindTerraform(folder, nil); err != nil || got.Name() != "OpenTofu" {
		t.Errorf("found %v, %v", got, err)
	}
	program(t, filepath.Join(folder, "bin"), "terraform")
	if got, err := tools.FindTerraform(folder, nil); err != nil || got.Name() != "Terraform" {
		t.Errorf("found %v, %v", got, err)
	}
	t.Setenv(tools.TerraformVariable, "/somewhere/tofu")
	if got, err := tools.FindTerraform(folder, nil); err != nil || got.Path != "/somewhere/tofu" {
		t.Errorf("found %v, %v", got, err)
	}
}

func TestSecretsAreReplacedUnlessTheyAreTooShort(t *testing.T) {
	if got := tools.Masked("a hunter2 in the text, an a", []string{"hunter2", "a", ""}); got != "a *** in the text, an a" {
		t.Error(got)
	}
}
