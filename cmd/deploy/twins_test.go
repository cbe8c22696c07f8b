package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/parity"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

const (
	bicepTwin     = "../../infra/bicep"
	terraformTwin = "../../infra/terraform"
)

// twinsDiffer says what the twins may differ in, and why they have to.
var twinsDiffer = map[string]string{
	"parameter resource_group_name":                               "a Bicep template is deployed to a resource group, and Terraform has to be told of it",
	"parameter secrets_version":                                   "Terraform keeps no secrets and can't see that one has another value",
	"role Key Vault Secrets Officer on Microsoft.KeyVault/vaults": "Terraform writes secrets into the vault itself, Bicep through Resource Manager, which needs no right in the vault",
	"setting AzureWebJobsStorage":                                 "azurerm writes a connection string without a key into it, unless it is empty",
	"setting FUNCTIONS_EXTENSION_VERSION":                         "azurerm has an argument for it",
	"setting FUNCTIONS_WORKER_RUNTIME":                            "azurerm has an argument for it",
}

func twin(t testing.TB, path string) *template.Template {
	t.Helper()
	tmpl, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func TestTheTwinsDescribeTheSameSystem(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range parity.Compare(twin(t, bicepTwin), twin(t, terraformTwin)) {
		seen[d.What] = true
		if twinsDiffer[d.What] == "" {
			t.Errorf("%s: %s: %s", d.At, d.What, d.Why)
		}
	}
	for what := range twinsDiffer {
		if !seen[what] {
			t.Errorf("the twins don't differ in %s any more", what)
		}
	}
}

// TestNoSecretOfTheTwinsHasADefault holds for the parameters of every module as well.
func TestNoSecretOfTheTwinsHasADefault(t *testing.T) {
	for _, path := range []string{bicepTwin, terraformTwin} {
		secrets := 0
		for _, tmpl := range template.All(twin(t, path)) {
			for _, p := range tmpl.Parameters {
				if !p.HasSecret() {
					continue
				}
				secrets++
				if p.Default != nil {
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
