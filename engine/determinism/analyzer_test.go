package determinism_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/seed21523604/holdfast/engine/determinism"
)

const (
	violations = "testdata/src/violations/violations.go"
	correct    = "testdata/src/correct/correct.go"
)

func TestEverySeededViolationIsFound(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), determinism.Analyzer, "violations")
	if n := count(t, violations, "// want `"); n < 60 {
		t.Errorf("%d violations, want 60 or more", n)
	}
}

func TestNothingIsFoundInCorrectOrchestrations(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), determinism.Analyzer, "correct")
	if n := count(t, correct, `ctx \*engine.Context`); n < 60 {
		t.Errorf("%d orchestrations, want 60 or more", n)
	}
}

func TestFixesPutTheEnginesAlternativeInPlace(t *testing.T) {
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), determinism.Analyzer, "fixes")
}

// The analyzer runs under go vet over the whole module, tests included, as a
// user's would.
func TestNothingIsFoundInOurOwnOrchestrations(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "determinism")
	run(t, "go", "build", "-o", tool, "github.com/seed21523604/holdfast/cmd/determinism")
	run(t, "go", "vet", "-vettool="+tool, "github.com/seed21523604/holdfast/...")
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func count(t *testing.T, file, pattern string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return len(regexp.MustCompile(pattern).FindAll(text, -1))
}
