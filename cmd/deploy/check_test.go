package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// TestCheckSaysWhatItFound runs the command in testdata/check and compares all it says with a golden.
func TestCheckSaysWhatItFound(t *testing.T) {
	t.Chdir("testdata/check")
	for _, c := range []struct {
		golden string
		exit   int
		args   []string
	}{
		{"bicep.txt", exitFound, []string{"check", "bicep"}},
		{"bicep.json", exitFound, []string{"check", "--json", "bicep"}},
		{"bicep.sarif", exitFound, []string{"check", "bicep", "--sarif"}},
		{"terraform.txt", exitFound, []string{"check", "terraform"}},
		{"both.txt", exitFound, []string{"check", "terraform", "good"}},
		{"twins.txt", exitFound, []string{"check", "--twins", "good", "terraform"}},
		{"good.txt", exitOK, []string{"check", "good"}},
		{"good.json", exitOK, []string{"check", "good", "--json"}},
		{"wrong.txt", exitInput, []string{"check", "../inspect/wrong"}},
		{"nowhere.txt", exitInput, []string{"check", "good", "nowhere"}},
		{"usage.txt", exitInput, []string{"check"}},
		{"one-twin.txt", exitInput, []string{"check", "--twins", "good"}},
		{"no-app.txt", exitFailure, []string{"check", "good", "--app", "nowhere"}},
		{"rules.txt", exitOK, []string{"check", "--rules"}},
	} {
		t.Run(c.golden, func(t *testing.T) {
			var out bytes.Buffer
			err := exec(context.Background(), c.args, strings.NewReader(""), &out, &out)
			report(&out, err)
			if got := exitCode(err); got != c.exit {
				t.Errorf("exit code %d, want %d", got, c.exit)
			}
			if strings.Contains(out.String(), "hunter2") {
				t.Error("a secret that is written out is shown")
			}
			golden(t, c.golden, out.String())
		})
	}
}

// TestSARIFIsAsCodeScanningWantsIt looks at what code scanning depends on.
func TestSARIFIsAsCodeScanningWantsIt(t *testing.T) {
	t.Chdir("testdata/check")
	var out bytes.Buffer
	_ = exec(context.Background(), []string{"check", "bicep", "--sarif"}, strings.NewReader(""), &out, &out)
	var log sarifLog
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	known := map[string]bool{}
	for _, r := range run.Tool.Driver.Rules {
		known[r.ID] = true
	}
	suppressed := 0
	for _, r := range run.Results {
		region := r.Locations[0].Physical.Region
		if !known[r.RuleID] || region.StartLine < 1 || region.StartColumn < 1 || region.EndLine < region.StartLine || strings.Contains(r.Locations[0].Physical.Artifact.URI, `\`) {
			t.Errorf("result %+v", r)
		}
		suppressed += len(r.Suppressions)
	}
	if log.Version != "2.1.0" || len(run.Results) != 5 || suppressed != 1 {
		t.Errorf("version %s, %d results, %d suppressed", log.Version, len(run.Results), suppressed)
	}
}

// TestTheRulesAreDocumented holds the table in docs/check.md to the rules.
func TestTheRulesAreDocumented(t *testing.T) {
	const name, begin, end = "../../docs/check.md", "<!-- rules -->\n", "<!-- /rules -->"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no table of rules", name)
	}
	table := "| rule | severity | what is found | like |\n|---|---|---|---|\n"
	for _, r := range check.Rules() {
		table += fmt.Sprintf("| `%s` | %s | %s | %s |\n", r.ID, r.Severity, r.Title, strings.Join(r.Like, ", "))
	}
	golden(t, name, before+begin+table+end+after)
}

func BenchmarkCheckTheTwins(b *testing.B) {
	for b.Loop() {
		if _, err := findingsOf([]*template.Template{twin(b, bicepTwin), twin(b, terraformTwin)}, true, ""); err != nil {
			b.Fatal(err)
		}
	}
}
