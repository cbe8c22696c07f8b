package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the goldens anew")

// TestInspectShowsATemplate runs the command in testdata/inspect and compares all it says with a golden.
func TestInspectShowsATemplate(t *testing.T) {
	t.Chdir("testdata/inspect")
	for _, c := range []struct {
		golden string
		exit   int
		args   []string
	}{
		{"bicep.txt", exitOK, []string{"inspect", "bicep"}},
		{"bicep.json", exitOK, []string{"inspect", "bicep", "--json"}},
		{"bicepparam.txt", exitOK, []string{"inspect", "bicep/main.bicepparam"}},
		{"bicepparam.json", exitOK, []string{"inspect", "-json", "bicep/main.bicepparam"}},
		{"terraform.txt", exitOK, []string{"inspect", "terraform"}},
		{"terraform.json", exitOK, []string{"inspect", "terraform/main.tf", "--json"}},
		{"wrong.txt", exitInput, []string{"inspect", "wrong"}},
		{"terraform-wrong.txt", exitInput, []string{"inspect", "terraform-wrong"}},
		{"mixed.txt", exitInput, []string{"inspect", "mixed"}},
		{"several.txt", exitInput, []string{"inspect", "several"}},
		{"empty.txt", exitInput, []string{"inspect", "."}},
		{"nowhere.txt", exitInput, []string{"inspect", "nowhere"}},
		{"nofile.txt", exitInput, []string{"inspect", "bicep.txt"}},
		{"usage.txt", exitInput, []string{"inspect"}},
		{"flag.txt", exitInput, []string{"inspect", "bicep", "--jsn"}},
		{"command.txt", exitInput, []string{"insepct"}},
		{"help.txt", exitOK, nil},
	} {
		t.Run(c.golden, func(t *testing.T) {
			var out bytes.Buffer
			err := exec(context.Background(), c.args, strings.NewReader(""), &out, &out)
			report(&out, err)
			if got := exitCode(err); got != c.exit {
				t.Errorf("exit code %d, want %d", got, c.exit)
			}
			golden(t, c.golden, out.String())
		})
	}
}

func TestASecretInATemplateIsNotShown(t *testing.T) {
	t.Chdir("testdata/inspect")
	for _, args := range [][]string{
		{"inspect", "bicep/main.bicepparam"}, {"inspect", "bicep/main.bicepparam", "--json"},
		{"inspect", "terraform"}, {"inspect", "terraform", "--json"},
	} {
		var out bytes.Buffer
		if err := exec(context.Background(), args, strings.NewReader(""), &out, &out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "not to be shown") {
			t.Errorf("%v shows the default of a secure parameter, or its value", args)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was; if that is right, run the test with -update\n%s", name, got)
	}
}
