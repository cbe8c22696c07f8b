package main

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const workflows = "../../.github/workflows"

// TestTheWorkflowsAreClean runs actionlint over them, which is a module of its own, and without the linters that it
// finds on one machine and not on another.
func TestTheWorkflowsAreClean(t *testing.T) {
	args := []string{"tool", "actionlint", "-shellcheck=", "-pyflakes="}
	for _, path := range workflowFiles(t) {
		file, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	command := osexec.CommandContext(t.Context(), "go", args...)
	command.Dir = "../../.ci/actionlint"
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

var (
	use    = regexp.MustCompile(`uses: *(\S+)(.*)`)
	pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
)

// TestActionsArePinned holds every action to a commit with its version beside it, as a tag can be moved; every checkout to leaving no
// credentials; and every workflow to saying what it may do.
func TestActionsArePinned(t *testing.T) {
	for _, path := range workflowFiles(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all := use.FindAllStringSubmatch(string(text), -1)
		for _, m := range all {
			if !pinned.MatchString(m[1]) || !regexp.MustCompile(`^ # v\d+\.\d+\.\d+$`).MatchString(m[2]) {
				t.Errorf("%s: %s is not pinned to a commit with its version", path, m[0])
			}
		}
		if strings.Count(string(text), "actions/checkout@") != strings.Count(string(text), "persist-credentials: false") {
			t.Errorf("%s: a checkout leaves credentials", path)
		}
		if !regexp.MustCompile(`(?m)^permissions:( \{\}|\n  contents: read)$`).Match(text) {
			t.Errorf("%s: by default its jobs may do more than to read", path)
		}
		if strings.Contains(string(text), "pull_request_target") {
			t.Errorf("%s: pull_request_target runs foreign code with rights", path)
		}
	}
}

func workflowFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(workflows, "*.yml"))
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	return files
}
