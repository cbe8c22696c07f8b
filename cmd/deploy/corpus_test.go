package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// The variables that name folders of public templates, separated as in PATH.
const (
	bicepCorpus     = "HOLDFAST_BICEP_CORPUS"
	terraformCorpus = "HOLDFAST_TERRAFORM_CORPUS"
)

// TestPublicTemplatesAreChecked checks other people's templates, lists how often each rule finds something, and fails if a check fails. With -v
// and HOLDFAST_FINDINGS=RULE it shows the findings of a rule, which is how the rates in docs/check.md were counted.
func TestPublicTemplatesAreChecked(t *testing.T) {
	paths := publicTemplates(t)
	counts, files := map[string]int{}, map[string]int{}
	seen := map[string]bool{} // a module is read with each template that uses it
	read, unread := 0, 0
	for _, path := range paths {
		tmpl, _ := load(path)
		if tmpl == nil {
			unread++
			continue
		}
		read++
		here := map[string]bool{}
		for _, f := range check.Run(tmpl) {
			here[f.Rule.ID] = true
			if place := f.Rule.ID + " " + f.At.String(); !seen[place] {
				seen[place] = true
				counts[f.Rule.ID]++
			} else {
				continue
			}
			if os.Getenv("HOLDFAST_FINDINGS") == f.Rule.ID {
				t.Logf("%s: %s\n%s", f.At, f.Message, strings.TrimRight(f.At.Excerpt(), "\n"))
			}
		}
		for id := range here {
			files[id]++
		}
	}
	t.Logf("%d templates, %d could not be read", read, unread)
	for _, id := range sortedNames(counts) {
		t.Logf("%-28s %5d places, in %4d templates", id, counts[id], files[id])
	}
}

// publicTemplates returns the Bicep files and the Terraform folders of the corpora, or skips the test.
func publicTemplates(t *testing.T) []string {
	t.Helper()
	if os.Getenv(bicepCorpus) == "" && os.Getenv(terraformCorpus) == "" {
		t.Skipf("set %s or %s to folders of templates, for example clones of github.com/Azure/bicep-registry-modules and of a provider's examples", bicepCorpus, terraformCorpus)
	}
	seen := map[string]bool{}
	for variable, language := range map[string]template.Language{bicepCorpus: template.Bicep, terraformCorpus: template.Terraform} {
		for _, folder := range filepath.SplitList(os.Getenv(variable)) {
			err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
				switch {
				case err != nil || d.IsDir():
				case language == template.Bicep && strings.HasSuffix(path, ".bicep"):
					seen[path] = true
				case language == template.Terraform && strings.HasSuffix(path, ".tf"):
					seen[filepath.Dir(path)] = true
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return sortedNames(seen)
}
