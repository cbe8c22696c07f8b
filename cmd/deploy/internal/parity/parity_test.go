package parity_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/parity"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/terraform"
)

const bicepText = `
@description('How long.')
@minValue(1)
@maxValue(9)
param waitSeconds int = 5
@secure()
param apiKey string
@allowed(['a', 'b'])
param plan string = 'a'
param location string = resourceGroup().location

var roles = { reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7' }
var more = { B: 'x' }

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: 'a'
  resource blobs 'blobServices' = {
    name: 'default'
    resource one 'containers' = { name: 'one' }
  }
}
resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'n'
  properties: { subnets: [ { name: 'inside' } ] }
}
resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 's'
  resource settings 'config' = {
    name: 'appsettings'
    properties: union({ A: waitSeconds }, plan == 'a' ? more : {})
  }
}
resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.reader)
    principalId: apiKey
  }
}
output url string = site.id
`

const terraformText = `
variable "wait_seconds" {
  description = "How long."
  type        = number
  default     = 5
  validation {
    condition     = var.wait_seconds >= 1 && var.wait_seconds <= 9
    error_message = "1 to 9."
  }
}
variable "api_key" {
  type      = string
  sensitive = true
}
variable "plan" {
  type    = string
  default = "a"
  validation {
    condition     = contains(["b", "a"], var.plan)
    error_message = "a or b."
  }
}
variable "location" {
  type    = string
  default = null
}
locals {
  more = { B = "x" }
}
resource "azurerm_storage_account" "main" {
  name = "a"
}
resource "azurerm_storage_container" "one" {
  name = "one"
}
resource "azurerm_virtual_network" "main" {
  name = "n"
}
resource "azurerm_subnet" "inside" {
  name = "inside"
}
resource "azurerm_function_app_flex_consumption" "main" {
  count        = var.plan == "a" ? 1 : 0
  name         = "s"
  app_settings = merge({ A = tostring(var.wait_seconds) }, local.more)
}
resource "azurerm_linux_function_app" "main" {
  count        = var.plan == "a" ? 0 : 1
  name         = "s"
  app_settings = { A = tostring(var.wait_seconds) }
}
resource "azurerm_role_assignment" "reader" {
  scope                = azurerm_storage_account.main.id
  role_definition_name = "Reader"
  principal_id         = var.api_key
}
output "url" {
  value = azurerm_virtual_network.main.id
}
`

func differences(t *testing.T, bicepText, terraformText string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"main.bicep": bicepText, "main.tf": terraformText} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, err := bicep.Read(filepath.Join(folder, "main.bicep"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := terraform.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range parity.Compare(a, b) {
		if d.At.File == nil {
			t.Errorf("%s has no place", d.What)
		}
		found = append(found, d.What+": "+strings.ReplaceAll(d.Why, folder, "x"))
	}
	if len(found) != len(parity.Compare(b, a)) {
		t.Error("it matters which template comes first")
	}
	return strings.Join(found, "\n")
}

func TestTwinsThatSayTheSameHaveNoDifference(t *testing.T) {
	if got := differences(t, bicepText, terraformText); got != "" {
		t.Error(got)
	}
}

// TestEveryBreakOfParityIsFound changes one thing at a time in one of two templates that say the same.
func TestEveryBreakOfParityIsFound(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"param waitSeconds int = 5", "param waitSeconds int = 6", "parameter waitSeconds: default: 6, and 5 at"},
		{"param waitSeconds int = 5", "param waitSeconds string = '5'", "parameter waitSeconds: type: string, and int at"},
		{"@maxValue(9)", "@maxValue(10)", "parameter waitSeconds: greatest value: 10, and 9 at"},
		{"@minValue(1)\n", "", "parameter waitSeconds: least value: none, and 1 at"},
		{"How long.'", "How short.'", "parameter waitSeconds: description: How short., and How long. at"},
		{"@secure()\n", "", "parameter apiKey: secret: false, and true at"},
		{"@secure()\n", "@secure()\n@minLength(3)\n", "parameter apiKey: least length: 3, and none at"},
		{"['a', 'b']", "['a', 'c']", "parameter plan: allowed values: 'a' 'c', and 'a' 'b' at"},
		{"param plan string = 'a'", "param plan string", "parameter plan: default: none, and 'a' at"},
		{"param location", "param extra int = 1\nparam location", "parameter extra: x has no such parameter"},
		{"    resource one", "    resource two 'containers' = { name: 'two' }\n    resource one", "resource Microsoft.Storage/storageAccounts/blobServices/containers: x/main.bicep makes 2 of them, and x 1"},
		{"[ { name: 'inside' } ]", "[]", "resource Microsoft.Network/virtualNetworks/subnets: x/main.bicep makes 0 of them, and x 1"},
		{"acdd72a7-3385-48ef-bd42-f606fba81ae7", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "role Owner on Microsoft.Storage/storageAccounts: x doesn't give it\nrole Reader on Microsoft.Storage/storageAccounts: x/main.bicep doesn't give it"},
		{"scope: account", "scope: network", "role Reader on Microsoft.Network/virtualNetworks: x doesn't give it\nrole Reader on Microsoft.Storage/storageAccounts: x/main.bicep doesn't give it"},
		{"{ A: waitSeconds }", "{ A: waitSeconds, C: 1 }", "setting C: x doesn't set it"},
		{"{ B: 'x' }", "{}", "setting B: x/main.bicep doesn't set it"},
		{"output url", "output uri", "output uri: x has no such output"},
		{"output url", "@secure()\noutput url", "output url: it is secret in one template only"},
	} {
		changed := strings.Replace(bicepText, c.old, c.new, 1)
		if changed == bicepText {
			t.Fatalf("%q is not there", c.old)
		}
		if got := differences(t, changed, terraformText); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q for %q\n got %s\nwant %s", c.new, c.old, got, c.want)
		}
	}
}
