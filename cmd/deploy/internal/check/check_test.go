package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/terraform"
)

// read reads the first of some files, given as name and text in turn; one that is no Bicep as a folder of Terraform.
func read(t *testing.T, files ...string) *template.Template {
	t.Helper()
	t.Chdir(t.TempDir())
	for i := 0; i < len(files); i += 2 {
		if err := os.MkdirAll(filepath.Dir(files[i]), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[i], []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var tmpl *template.Template
	var err error
	if strings.HasSuffix(files[0], ".tf") {
		tmpl, err = terraform.Read(".")
	} else {
		tmpl, err = bicep.Read(files[0])
	}
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// found lists rules with their lines.
func found(findings []*check.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s:%d", f.Rule.ID, f.At.Begin().Line))
	}
	return out
}

// The template that secrets are leaked from: everything in it is as it should be.
const bicepBase = `
@secure()
param key string
@secure()
param bag object
param login { user: string
  @secure()
  password: string }
param plain string
param on bool
var copy = key
var further = 'x${copy}'
var pair = { secret: key, open: plain }
var list = [ plain, key ]
func wrap(text string) string => '<${text}>'
resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = { name: 'a' }
module inner 'inner.bicep' = { params: { given: key } }
`

const bicepInner = `
@secure()
param given string
@secure()
output back string = given
`

// bicepCarriers are ways in which an expression holds a secret.
var bicepCarriers = []string{
	"key", "'x${key}'", "copy", "further", "pair.secret", "pair['secret']", "union(pair, { a: 1 }).secret", "list[1]", "join(list, ',')",
	"wrap(key)", "on ? key : plain", "base64(toLower(key))", "bag.x", "string(bag)", "login.password", "account.listKeys().keys[0].value",
	"listKeys(account.id, '2025-01-01').keys[0].value", "inner.outputs.back", "first(map([ key ], x => '${x}!'))", "[for x in list: x][0]",
	"reduce(list, '', (a, b) => '${a}${b}')", "items(pair)[0].value", "{ ...pair }.secret", "key ?? plain", "uniqueString(key)",
}

// bicepHarmless are expressions that have to do with a secret and don't hold it.
var bicepHarmless = []string{
	"plain", "pair.open", "list == [] ? 'a' : 'b'", "string(length(key))", "empty(key) ? 'none' : 'some'", "key == 'x' ? 'a' : 'b'", "login.user",
	"wrap(plain)", "account.id", "'@Microsoft.KeyVault(SecretUri=https://v/secrets/key)'", "items(pair)[0].key", "first(map([ plain ], x => x))", "contains(key, 'x') ? 'a' : 'b'",
}

// bicepSinks are places where a secret must not get to, with the rule that says so. HERE is the secret.
var bicepSinks = [][2]string{
	{"secret-in-output", "output o string = HERE"},
	{"secret-in-output", "output o array = [ { a: HERE } ]"},
	{"secret-in-name", "resource r 'Microsoft.Web/serverfarms@2025-03-01' = {\n  name: HERE\n}"},
	{"secret-in-name", "module m 'inner.bicep' = {\n  name: HERE\n  params: { given: 'x' }\n}"},
	{"secret-in-tag", "resource r 'Microsoft.Web/serverfarms@2025-03-01' = {\n  name: 'a'\n  tags: { t: HERE }\n}"},
	{"secret-in-setting", "resource r 'Microsoft.Web/sites@2025-03-01' = {\n  name: 'a'\n  properties: { httpsOnly: true, siteConfig: { appSettings: [ { name: 'A', value: HERE } ] } }\n}"},
	{"secret-in-setting", "resource r 'Microsoft.Web/sites/config@2025-03-01' = {\n  name: 'x/appsettings'\n  properties: { A: HERE }\n}"},
	{"secret-in-setting", "resource r 'Microsoft.App/containerApps@2025-01-01' = {\n  name: 'a'\n  properties: { template: { containers: [ { env: [ { name: 'A', value: HERE } ] } ] } }\n}"},
	{"secret-in-command", "resource r 'Microsoft.Compute/virtualMachines/extensions@2024-07-01' = {\n  name: 'a'\n  properties: { settings: { commandToExecute: concat('run ', HERE) } }\n}"},
	{"secret-in-command", "resource r 'Microsoft.Resources/deploymentScripts@2023-08-01' = {\n  name: 'a'\n  kind: 'AzureCLI'\n  properties: { environmentVariables: [ { name: 'A', value: HERE } ] }\n}"},
	{"secret-in-property", "resource r 'Microsoft.Web/serverfarms@2025-03-01' = {\n  name: 'a'\n  properties: { freeText: HERE }\n}"},
	{"secret-to-open-parameter", "module m 'open.bicep' = { params: { text: HERE } }"},
	{"secret-in-nested-deployment", "resource r 'Microsoft.Resources/deployments@2024-03-01' = {\n  name: 'a'\n  properties: { mode: 'Incremental', template: { outputs: { a: { value: HERE } } } }\n}"},
}

// bicepRight are places where a secret belongs.
var bicepRight = []string{
	"@secure()\noutput o string = HERE",
	"resource r 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {\n  name: 'v/s'\n  properties: { value: HERE }\n}",
	"module m 'inner.bicep' = { params: { given: HERE } }",
	"resource r 'Microsoft.Compute/virtualMachines/extensions@2024-07-01' = {\n  name: 'a'\n  properties: { protectedSettings: { commandToExecute: HERE } }\n}",
	"resource r 'Microsoft.Resources/deploymentScripts@2023-08-01' = {\n  name: 'a'\n  kind: 'AzureCLI'\n  properties: { environmentVariables: [ { name: 'A', secureValue: HERE } ] }\n}",
	"resource r 'Microsoft.Sql/servers@2023-08-01' = {\n  name: 'a'\n  properties: { administratorLoginPassword: HERE }\n}",
	"resource r 'Microsoft.App/containerApps@2025-01-01' = {\n  name: 'a'\n  properties: { configuration: { secrets: [ { name: 'a', value: HERE } ] } }\n}",
	"resource r 'Microsoft.Resources/deployments@2024-03-01' = {\n  name: 'a'\n  properties: { mode: 'Incremental', expressionEvaluationOptions: { scope: 'inner' }, parameters: { a: { value: HERE } }, template: {} }\n}",
}

func readBicep(t *testing.T, text string) []*check.Finding {
	t.Helper()
	return check.Run(read(t, "main.bicep", bicepBase+text+"\n", "inner.bicep", bicepInner, "open.bicep", "param text string\nvar unused = text\n"))
}

// TestEverySeededLeakInBicepIsFound leaks a secret in each way to each place.
func TestEverySeededLeakInBicepIsFound(t *testing.T) {
	seeds := 0
	for _, sink := range bicepSinks {
		for _, carrier := range bicepCarriers {
			seeds++
			text := strings.ReplaceAll(sink[1], "HERE", carrier)
			if strings.Contains(carrier, "outputs.back") && strings.Contains(text, "module m") && sink[0] == "secret-in-name" {
				continue // a deployment's name can't depend on a module
			}
			findings := readBicep(t, text)
			if len(findings) != 1 || findings[0].Rule.ID != sink[0] || len(findings[0].Way) == 0 {
				t.Errorf("%s\n found %v, want %s once, with the way", text, found(findings), sink[0])
			}
		}
	}
	t.Logf("%d leaks", seeds)
}

func TestWhatIsNoLeakInBicepIsNotFound(t *testing.T) {
	for _, sink := range bicepSinks {
		for _, harmless := range bicepHarmless {
			if got := readBicep(t, strings.ReplaceAll(sink[1], "HERE", harmless)); len(got) > 0 {
				t.Errorf("%s\n found %v", strings.ReplaceAll(sink[1], "HERE", harmless), found(got))
			}
		}
	}
	for _, right := range bicepRight {
		for _, carrier := range bicepCarriers {
			if got := readBicep(t, strings.ReplaceAll(right, "HERE", carrier)); len(got) > 0 {
				t.Errorf("%s\n found %v", strings.ReplaceAll(right, "HERE", carrier), found(got))
			}
		}
	}
}

const terraformBase = `
variable "key" {
  type      = string
  sensitive = true
}
variable "plain" {
  type = string
}
variable "on" {
  type = bool
}
locals {
  copy    = var.key
  further = "x${local.copy}"
  pair    = { secret = var.key, open = var.plain }
  list    = [var.plain, var.key]
}
data "azurerm_storage_account" "a" {
  name = "a"
}
module "inner" {
  source = "./inner"
  given  = var.key
}
`

const terraformInner = "variable \"given\" {}\noutput \"back\" {\n  value = \"<${var.given}>\"\n}\n"

var terraformCarriers = []string{
	"var.key", `"x${var.key}"`, "local.copy", "local.further", "local.pair.secret", `local.pair["secret"]`, `merge(local.pair, { a = 1 })["secret"]`, "local.list[1]",
	`join(",", local.list)`, "var.on ? var.key : var.plain", "base64encode(lower(var.key))", "jsonencode(local.pair)", "data.azurerm_storage_account.a.primary_access_key",
	"module.inner.back", "[for x in local.list : x][0]", "{ for k, v in local.pair : k => v }[\"secret\"]", "one([var.key])", "coalesce(var.key, var.plain)",
	`templatefile("x", { a = var.key })`, "sha256(var.key)", `format("%s", var.key)`, `lookup(local.pair, "secret", "")`, "sensitive(var.plain)",
}

var terraformHarmless = []string{
	"var.plain", "local.pair.open", "tostring(length(var.key))", `var.key == "x" ? "a" : "b"`, "data.azurerm_storage_account.a.id", `"@Microsoft.KeyVault(SecretUri=https://v/secrets/key)"`,
	`can(regex("x", var.key)) ? "a" : "b"`, "[for k, v in local.pair : k][0]",
}

var terraformSinks = [][2]string{
	{"secret-in-output", "output \"o\" {\n  value = HERE\n}"},
	{"secret-in-state", "output \"o\" {\n  value     = HERE\n  sensitive = true\n}"},
	{"secret-in-name", "resource \"azurerm_service_plan\" \"p\" {\n  name = HERE\n}"},
	{"secret-in-tag", "resource \"azurerm_service_plan\" \"p\" {\n  tags = { t = HERE }\n}"},
	{"secret-in-setting", "resource \"azurerm_function_app_flex_consumption\" \"f\" {\n  https_only   = true\n  app_settings = { A = HERE }\n}"},
	{"secret-in-setting", "resource \"azurerm_container_app\" \"c\" {\n  template {\n    container {\n      env {\n        value = HERE\n      }\n    }\n  }\n}"},
	{"secret-in-command", "resource \"terraform_data\" \"t\" {\n  provisioner \"local-exec\" {\n    command = \"run ${HERE}\"\n  }\n}"},
	{"secret-in-command", "resource \"azurerm_virtual_machine_extension\" \"e\" {\n  settings = jsonencode({ a = HERE })\n}"},
	{"secret-in-state", "resource \"azurerm_key_vault_secret\" \"s\" {\n  value = HERE\n}"},
	{"secret-in-state", "resource \"azurerm_mssql_server\" \"s\" {\n  administrator_login_password = HERE\n}"},
	{"secret-in-state", "resource \"terraform_data\" \"t\" {\n  input = { a = HERE }\n}"},
}

var terraformRight = []string{
	"resource \"azurerm_key_vault_secret\" \"s\" {\n  value_wo = HERE\n}",
	"ephemeral \"azurerm_key_vault_secret\" \"s\" {\n  name = HERE\n}",
	"provider \"azurerm\" {\n  client_secret = HERE\n  features {}\n}",
	"module \"other\" {\n  source = \"./inner\"\n  given  = HERE\n}",
	"resource \"terraform_data\" \"t\" {\n  provisioner \"local-exec\" {\n    command     = \"run\"\n    environment = { KEY = HERE }\n  }\n}",
}

func readTerraform(t *testing.T, text string) []*check.Finding {
	t.Helper()
	return check.Run(read(t, "main.tf", terraformBase+text+"\n", "inner/main.tf", terraformInner))
}

func TestEverySeededLeakInTerraformIsFound(t *testing.T) {
	seeds := 0
	for _, sink := range terraformSinks {
		for _, carrier := range terraformCarriers {
			seeds++
			text := strings.ReplaceAll(sink[1], "HERE", carrier)
			findings := readTerraform(t, text)
			if len(findings) != 1 || findings[0].Rule.ID != sink[0] || len(findings[0].Way) == 0 {
				t.Errorf("%s\n found %v, want %s once, with the way", text, found(findings), sink[0])
			}
		}
	}
	t.Logf("%d leaks", seeds)
}

func TestWhatIsNoLeakInTerraformIsNotFound(t *testing.T) {
	for _, sink := range terraformSinks {
		for _, harmless := range terraformHarmless {
			if got := readTerraform(t, strings.ReplaceAll(sink[1], "HERE", harmless)); len(got) > 0 {
				t.Errorf("%s\n found %v", strings.ReplaceAll(sink[1], "HERE", harmless), found(got))
			}
		}
	}
	for _, right := range terraformRight {
		for _, carrier := range terraformCarriers {
			if got := readTerraform(t, strings.ReplaceAll(right, "HERE", carrier)); len(got) > 0 {
				t.Errorf("%s\n found %v", strings.ReplaceAll(right, "HERE", carrier), found(got))
			}
		}
	}
}

// TestEveryOtherRuleFindsItsFault plants faults that are no flow, each beside something alike that is right.
func TestEveryOtherRuleFindsItsFault(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  []string
	}{
		"defaults": {[]string{"main.bicep", "@secure()\nparam a string = 'x'\n@secure()\nparam b string = ''\n@secure()\nparam c string = newGuid()\n@secure()\nparam d object = { x: 1 }\n@secure()\nparam e object = {}\n@secure()\nparam f string = b\n"},
			[]string{"secret-has-default:2", "secret-has-default:8"}},
		"defaults in Terraform": {[]string{"main.tf", "variable \"a\" {\n  sensitive = true\n  default   = \"x\"\n}\nvariable \"b\" {\n  sensitive = true\n  default   = null\n}\n"}, []string{"secret-has-default:3"}},
		"names": {[]string{"main.bicep", "param adminPassword string\nparam dbPwd string\nparam clientSecret object\nparam storageAccountKey string\nparam secretName string\nparam passwordLength int\nparam keyVaultSecretUri string\nparam enablePasswordAuth string\nparam tokenCount int\n@allowed(['a'])\nparam secretKind string\n@secure()\nparam apiKey string\n"},
			[]string{"secret-not-marked:1", "secret-not-marked:2", "secret-not-marked:3", "secret-not-marked:4"}},
		"names in Terraform": {[]string{"main.tf", "variable \"admin_password\" {}\nvariable \"client_secret\" {\n  type = string\n}\nvariable \"secret_names\" {\n  type = list(string)\n}\nvariable \"api_key\" {\n  sensitive = true\n}\n"},
			[]string{"secret-not-marked:1", "secret-not-marked:2"}},
		"written out": {[]string{"main.bicep", "var a = 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=" + strings.Repeat("Ab1+", 21) + "Ab==;EndpointSuffix=x'\nvar b = 'https://a.blob.core.windows.net/c?sv=1&sig=" + strings.Repeat("aB3", 12) + "'\nvar c = '-----BEGIN RSA PRIVATE KEY-----'\nvar d = 'Server=x;Password=hunter2hunter2;'\nvar adminPassword = 'P@ssw0rd1234'\nvar e = { clientSecret: 'abc123!!', secretName: 'my-secret', password: 'some-secret-name', apiKey: '@Microsoft.KeyVault(x)', token: '' }\nvar f = 'SK" + strings.Repeat("0a", 16) + "'\n"},
			[]string{"secret-in-text:1", "secret-in-text:2", "secret-in-text:3", "secret-in-text:4", "secret-in-text:5", "secret-in-text:6", "secret-in-text:7"}},
		"written out in Terraform": {[]string{"main.tf", "resource \"azurerm_linux_virtual_machine\" \"v\" {\n  admin_password = \"P@ssw0rd1234!\"\n  admin_username = \"adminuser\"\n}\n"}, []string{"secret-in-text:2", "admin-name-fixed:3"}},
		"administrators":           {[]string{"main.bicep", "param admin string\nresource a 'Microsoft.Sql/servers@2023-08-01' = {\n  name: 'a'\n  properties: {\n    administratorLogin: 'boss'\n  }\n}\nresource b 'Microsoft.Sql/servers@2023-08-01' = {\n  name: 'b'\n  properties: {\n    administratorLogin: admin\n  }\n}\n"}, []string{"admin-name-fixed:5"}},
		"keys": {[]string{"main.bicep", "param off bool\nresource a 'Microsoft.Storage/storageAccounts@2025-01-01' = {\n  name: 'a'\n}\nresource b 'Microsoft.Storage/storageAccounts@2025-01-01' = {\n  name: 'b'\n  properties: {\n    allowSharedKeyAccess: true\n  }\n}\nresource c 'Microsoft.Storage/storageAccounts@2025-01-01' = {\n  name: 'c'\n  properties: {\n    allowSharedKeyAccess: off\n  }\n}\nresource d 'Microsoft.Insights/components@2020-02-02' = {\n  name: 'd'\n}\n"},
			[]string{"key-allowed:2", "key-allowed:8", "key-allowed:17"}},
		"keys in Terraform":      {[]string{"main.tf", "resource \"azurerm_storage_account\" \"a\" {}\nresource \"azurerm_storage_account\" \"b\" {\n  shared_access_key_enabled = false\n}\nresource \"azurerm_container_registry\" \"c\" {\n  admin_enabled = true\n}\n"}, []string{"key-allowed:1", "key-allowed:6"}},
		"vaults":                 {[]string{"main.bicep", "resource a 'Microsoft.KeyVault/vaults@2024-11-01' = {\n  name: 'a'\n  properties: {\n    enableRbacAuthorization: false\n    enableSoftDelete: false\n  }\n}\n"}, []string{"vault-unprotected:1", "vault-unprotected:4", "vault-unprotected:5"}},
		"vaults in Terraform":    {[]string{"main.tf", "resource \"azurerm_key_vault\" \"a\" {\n  rbac_authorization_enabled = false\n  purge_protection_enabled   = true\n}\n"}, []string{"vault-unprotected:2"}},
		"transport":              {[]string{"main.bicep", "resource a 'Microsoft.Web/sites@2025-03-01' = {\n  name: 'a'\n  properties: {\n    siteConfig: {\n      minTlsVersion: '1.0'\n      ftpsState: 'AllAllowed'\n    }\n  }\n}\nresource b 'Microsoft.Web/sites@2025-03-01' existing = { name: 'b' }\n"}, []string{"transport-open:1", "transport-open:5", "transport-open:6"}},
		"transport in Terraform": {[]string{"main.tf", "resource \"azurerm_linux_function_app\" \"a\" {\n  site_config {\n    minimum_tls_version = \"1.1\"\n  }\n}\n"}, []string{"transport-open:1", "transport-open:3"}},
		"time-outs": {[]string{"main.bicep", "param waitTimeout int\n@minValue(1)\nparam retryDelaySeconds int\n@minValue(1)\n@maxValue(9)\nparam goodTimeoutSeconds int\n@allowed([1, 2])\nparam leaseSeconds int\nparam dnsTtl int\nparam timeoutName string\nresource a 'Microsoft.Web/sites/config@2025-03-01' = {\n  name: 'x/appsettings'\n  properties: {\n    SmsTimeout: '300'\n    AzureFunctionsJobHost__functionTimeout: '00:10:00'\n    OtherTimeout: waitTimeout\n    PollInterval: 'PT5M'\n    RetryDelay: '5m'\n    TimeoutName: 'x'\n  }\n}\n"},
			[]string{"timeout-unbounded:1", "timeout-unbounded:3", "timeout-fixed:14", "timeout-fixed:15", "timeout-fixed:17", "timeout-fixed:18"}},
		"time-outs in Terraform": {[]string{"main.tf", "variable \"wait_timeout_seconds\" {\n  type = number\n}\nvariable \"good_timeout\" {\n  type = number\n  validation {\n    condition     = var.good_timeout >= 1 && var.good_timeout <= 5\n    error_message = \"1 to 5.\"\n  }\n}\nresource \"x_y\" \"z\" {\n  idle_timeout_in_minutes = 4\n  timeouts {\n    create = \"30m\"\n    timeout = 4\n  }\n}\n"},
			[]string{"timeout-unbounded:1", "timeout-fixed:12"}},
		"state": {[]string{"main.tf", "data \"azurerm_key_vault_secret\" \"a\" {\n  name = \"a\"\n}\nresource \"random_password\" \"b\" {\n  length = 9\n}\nephemeral \"random_password\" \"c\" {\n  length = 9\n}\n"}, []string{"secret-in-state:1", "secret-in-state:4"}},
		"marks": {[]string{"main.tf", "variable \"key\" {\n  sensitive = true\n}\nlocals {\n  a = nonsensitive(var.key)\n  b = nonsensitive(\"x\")\n}\n"}, []string{"secret-unmasked:5"}},
		"files": {[]string{"main.bicepparam", "using 'main.bicep'\nparam a = 'hunter2'\nparam b = readEnvironmentVariable('B')\nparam c = az.getSecret('s', 'g', 'v', 'n')\nparam d = { x: 'y' }\nparam e = 'open'\n", "main.bicep", "@secure()\nparam a string\n@secure()\nparam b string\nparam c string\n@secure()\nparam d object\nparam e string\n"},
			[]string{"secret-in-file:2", "secret-to-open-parameter:4", "secret-in-file:5"}},
		"files in Terraform": {[]string{"main.tf", "variable \"a\" {\n  sensitive = true\n}\nvariable \"b\" {}\n", "terraform.tfvars", "a = \"x\"\nb = \"y\"\n"}, []string{"secret-in-file:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := found(check.Run(read(t, c.files...))); !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestASecretThatIsWrittenOutIsNotRepeated(t *testing.T) {
	findings := check.Run(read(t, "main.bicep", "var adminPassword = 'hunter2!hunter'\n@secure()\nparam a string = 'hunter2!hunter'\n"))
	if len(findings) != 2 {
		t.Fatalf("found %v", found(findings))
	}
	for _, f := range findings {
		if !f.Private || strings.Contains(f.Message, "hunter") {
			t.Errorf("%s: private %t", f.Message, f.Private)
		}
	}
}

func TestAFindingIsAcceptedWithAReasonOnly(t *testing.T) {
	tmpl := read(t, "main.bicep", `@secure()
param key string
// deploy:accept secret-in-output because a test reads it
output a string = key
output b string = key // deploy:accept secret-in-output because of another test
// deploy:accept secret-in-output
output c string = key
// deploy:accept secret-in-name because there is none
output d string = 'x'
output e string = key /* deploy:accept secret-in-name because it is the wrong rule */
`)
	findings := check.Accept(check.Run(tmpl), template.Sources(tmpl))
	var got []string
	for i, name := range found(findings) {
		got = append(got, name+" "+findings[i].Accepted)
	}
	want := []string{"secret-in-output:4 a test reads it", "secret-in-output:5 of another test", "acceptance-without-reason:6 ", "secret-in-output:7 ",
		"acceptance-unused:8 ", "secret-in-output:10 ", "acceptance-unused:10 "}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestEveryRuleExplainsItself(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range check.Rules() {
		if seen[r.ID] || r.Title == "" || !strings.HasSuffix(r.Why, ".") || !strings.HasSuffix(r.Fix, ".") || r.Severity != check.Error && r.Severity != check.Warning {
			t.Errorf("rule %+v", r)
		}
		seen[r.ID] = true
	}
}
