package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/functions/settings"
)

const (
	bicepTwin     = "../../infra/bicep"
	terraformTwin = "../../infra/terraform"
)

func twin(t testing.TB, path string) *template.Template {
	t.Helper()
	tmpl, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// TestTheTwinsHaveNoFindings holds them to each other and to every rule. What they have to differ in says so where it
// stands.
func TestTheTwinsHaveNoFindings(t *testing.T) {
	findings, err := findingsOf([]*template.Template{twin(t, bicepTwin), twin(t, terraformTwin)}, true, "")
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for _, f := range findings {
		if f.Accepted == "" {
			t.Errorf("%s: %s (%s)", f.At, f.Message, f.Rule.ID)
		}
		accepted++
	}
	if accepted != 6 {
		t.Errorf("%d findings are accepted", accepted)
	}
}

// TestTheAppReadsItsSettings holds the code, and what the Functions host is told, to the table of settings.
func TestTheAppReadsItsSettings(t *testing.T) {
	findings, err := check.CheckApp("../../functions", known())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.At.Text() != settings.AzureWebJobsStorage__blobServiceUri { // read once payloads go to blobs
			t.Errorf("%s: %s (%s)", f.At, f.Message, f.Rule.ID)
		}
	}
}

// TestNoSecretOfTheTwinsHasADefault holds for the parameters of every module as well. Those that the app can do without are
// empty.
func TestNoSecretOfTheTwinsHasADefault(t *testing.T) {
	for _, path := range []string{bicepTwin, terraformTwin} {
		secrets := 0
		for _, tmpl := range template.All(twin(t, path)) {
			for _, p := range tmpl.Parameters {
				if !p.HasSecret() {
					continue
				}
				secrets++
				if text, known := template.StringOf(orEmpty(p.Default)); text != "" || !known {
					t.Errorf("%s: the secret %s has a default", p.At, p.Name)
				}
				if tmpl.Language == template.Terraform && !p.Ephemeral {
					t.Errorf("%s: the secret %s is not ephemeral, so it is kept in plan and state", p.At, p.Name)
				}
			}
		}
		if secrets < 2 {
			t.Errorf("%s has %d secrets", path, secrets)
		}
	}
}

func orEmpty(e template.Expr) template.Expr {
	if e == nil {
		return &template.Literal{Value: ""}
	}
	return e
}

func TestEveryParameterOfTheTwinsIsDescribedAndEveryNumberBounded(t *testing.T) {
	for _, path := range []string{bicepTwin, terraformTwin} {
		for _, p := range twin(t, path).Parameters {
			if p.Description == "" {
				t.Errorf("%s: %s is not described", p.At, p.Name)
			}
			isNumber := p.Base == template.Int || p.Base == template.Number
			if isNumber && p.Allowed == nil && (p.Min == nil || p.Max == nil) && p.Name != "secrets_version" {
				t.Errorf("%s: the number %s has no bounds", p.At, p.Name)
			}
		}
	}
}

// TestTheParameterFileSetsEveryParameter holds main.bicepparam to main.bicep; a region and tags may stay as they are.
func TestTheParameterFileSetsEveryParameter(t *testing.T) {
	tmpl := twin(t, filepath.Join(bicepTwin, "main.bicepparam"))
	given := map[string]bool{}
	for _, a := range tmpl.Files[0].Arguments {
		given[a.Name] = true
		if !strings.Contains(template.Format(a.Value, 200), "readEnvironmentVariable('HOLDFAST_") {
			t.Errorf("%s: %s doesn't come from the environment", a.At, a.Name)
		}
	}
	for _, p := range tmpl.Parameters {
		if !given[p.Name] && p.Name != "location" && p.Name != "tags" {
			t.Errorf("%s: %s is not set", p.At, p.Name)
		}
	}
}

func TestTheTerraformTwinIsFormatted(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(terraformTwin, "*.tf"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := hclwrite.Format(text); string(got) != string(text) {
			t.Errorf("%s is not formatted; run tofu fmt, or terraform fmt", path)
		}
	}
}
