package flow_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/flow"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/terraform"
)

// read reads main.bicep, or else the folder as Terraform, of some files given as name and text in turn.
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
	if strings.HasSuffix(files[0], ".bicep") {
		tmpl, err = bicep.Read(files[0])
	} else {
		tmpl, err = terraform.Read(".")
	}
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// places lists the secrets of a value as path=secret.
func places(f *flow.Frame, e template.Expr) string {
	var out []string
	for _, p := range f.Places(e) {
		out = append(out, strings.Join(p.Path, ".")+"="+p.Secret.What)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

const bicepHead = `
@secure()
param key string
param plain string
param login { user: string
  @secure()
  password: string }
@secure()
param bag object
param on bool
var copy = key
var pair = { a: key, b: plain }
var list = [ plain, key ]
func wrap(text string, other string) string => '<${text}>'
resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = { name: 'a' }
resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = { name: 'v' }
resource made 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'n'
  properties: { value: key, contentType: plain }
}
`

// TestSecretsAreFollowedThroughBicep says of many expressions which secrets are in them, and in which part.
func TestSecretsAreFollowedThroughBicep(t *testing.T) {
	const key, list = "the secure parameter key", "the result of listKeys"
	for text, want := range map[string]string{
		`key`: "=" + key, `plain`: "", `'x-${key}'`: "=" + key, `copy`: "=" + key,
		`'${copy}${plain}'`: "=" + key, `toLower(base64(key))`: "=" + key, `uniqueString(key)`: "=" + key,
		`on ? key : plain`: "=" + key, `on ? plain : 'x'`: "", `key == 'x' ? 'a' : 'b'`: "", `empty(key) ? 1 : 2`: "",
		`length(key)`: "", `key ?? plain`: "=" + key, `!contains(key, 'x')`: "", `key!`: "=" + key,
		`pair`: "a=" + key, `pair.a`: "=" + key, `pair.b`: "", `pair['a']`: "=" + key, `pair[plain]`: "=" + key,
		`list`: "[]=" + key, `list[0]`: "=" + key, `first(list)`: "=" + key, `join(list, ',')`: "=" + key,
		`{ x: { y: [ key ] } }`: "x.y.[]=" + key, `{ ...pair, c: 1 }.a`: "=" + key, `{ ...pair, c: 1 }.c`: "", `[ ...list ]`: "[]=" + key,
		`union(pair, { c: 1 })`: "a=" + key, `union({ c: 1 }, pair).c`: "",
		`login`: "password=the secure parameter login.password", `login.user`: "", `login.password`: "=the secure parameter login.password",
		`bag.any.thing`: "=the secure parameter bag", `bag`: "=the secure parameter bag",
		`wrap(key, plain)`: "=" + key, `wrap(plain, key)`: "",
		`map(list, x => '${x}!')`: "[]=" + key, `map(list, x => 1)`: "", `map([ plain ], x => key)`: "[]=" + key,
		`filter(list, x => x != '')`: "[]=" + key, `reduce(list, '', (a, b) => '${a}${b}')`: "=" + key,
		`toObject(list, x => 'k', x => x).k`: "=" + key, `items(pair)[0].value`: "=" + key, `items(pair)[0].key`: "", `map(items(pair), i => i.key)`: "",
		`[for x in list: { v: x }]`: "[].v=" + key, `[for (x, i) in list: i]`: "", `[for x in [ plain ]: x]`: "",
		`account.listKeys().keys[0].value`: "=" + list, `listKeys(account.id, '2025-01-01').keys[0].value`: "=" + list, `vault.getSecret('n')`: "=what getSecret reads from a vault",
		`account.properties.primaryEndpoints.blob`: "", `made.properties.value`: "=" + key, `made.properties.secretUri`: "", `made.properties.contentType`: "", `made.id`: "",
		`{ '${key}': 1 }`: "=" + key, `any(key)`: "=" + key, `string(bag)`: "=the secure parameter bag", `json('{}')`: "",
	} {
		tmpl := read(t, "main.bicep", bicepHead+"output o object = "+text+"\n")
		if got := places(flow.Follow(tmpl)[0], tmpl.Outputs[0].Value); got != want {
			t.Errorf("%s holds %q, want %q", text, got, want)
		}
	}
}

const terraformHead = `
variable "key" {
  type      = string
  sensitive = true
}
variable "plain" {}
variable "on" {}
locals {
  copy = var.key
  pair = { a = var.key, b = var.plain }
  list = [var.plain, var.key]
}
resource "azurerm_storage_account" "a" {
  name = var.plain
}
resource "azurerm_application_insights" "i" {}
resource "azurerm_key_vault_secret" "wo" {
  value_wo = var.key
  name     = var.plain
}
resource "azurerm_key_vault_secret" "kept" {
  value = var.key
}
data "azurerm_key_vault_secret" "d" {}
resource "random_password" "p" {}
resource "random_pet" "r" {}
`

func TestSecretsAreFollowedThroughTerraform(t *testing.T) {
	const key = "the secure parameter key"
	for text, want := range map[string]string{
		`var.key`: "=" + key, `var.plain`: "", `"x-${local.copy}"`: "=" + key, `local.pair.b`: "", `local.pair`: "a=" + key,
		`nonsensitive(var.key)`: "=" + key, `sensitive(var.plain)`: "=what is marked sensitive", `sensitive(var.key)`: "=" + key,
		`sha256(var.key)`: "=" + key, `length(var.key)`: "", `can(regex("x", var.key))`: "", `var.key != "" ? 1 : 0`: "",
		`coalesce(var.plain, var.key)`: "=" + key, `try(local.pair.a, "")`: "=" + key, `lookup(local.pair, "a", "")`: "=" + key, `merge(local.pair, {})["b"]`: "",
		`[for x in local.list : upper(x)]`: "[]=" + key, `{ for k, v in local.pair : k => v }`: "[]=" + key, `{ for k, v in local.pair : k => k }`: "", `local.list[*]`: "=" + key,
		`[for o in [{ s = var.key, p = 1 }] : o.p]`: "", `[{ s = var.key, p = 1 }][*].p`: "", `[{ s = var.key, p = 1 }][*].s`: "=" + key, `values(local.pair)`: "[]=" + key,
		`zipmap(["a"], local.list)`: "[]=" + key, `jsonencode(local.pair)`: "=" + key, `templatefile("x", { a = var.key })`: "=" + key,
		`azurerm_storage_account.a.primary_access_key`: "=azurerm_storage_account.a.primary_access_key", `azurerm_storage_account.a.primary_blob_connection_string`: "=azurerm_storage_account.a.primary_blob_connection_string",
		`azurerm_storage_account.a.id`: "", `azurerm_storage_account.a.primary_blob_endpoint`: "", `azurerm_application_insights.i.connection_string`: "",
		`azurerm_key_vault_secret.wo.versionless_id`: "", `azurerm_key_vault_secret.wo.name`: "", `azurerm_key_vault_secret.kept.value`: "=" + key,
		`data.azurerm_key_vault_secret.d.value`: "=data.azurerm_key_vault_secret.d.value", `random_password.p.result`: "=random_password.p.result", `random_pet.r.id`: "",
	} {
		tmpl := read(t, "main.tf", terraformHead+"output \"o\" {\n  value = "+text+"\n}\n")
		if got := places(flow.Follow(tmpl)[0], tmpl.Outputs[0].Value); got != want {
			t.Errorf("%s holds %q, want %q", text, got, want)
		}
	}
}

// TestSecretsAreFollowedThroughModules goes into a module and out of it again, each use by itself.
func TestSecretsAreFollowedThroughModules(t *testing.T) {
	tmpl := read(t, "main.bicep", `
@secure()
param key string
module one 'm.bicep' = { params: { text: key } }
module two 'm.bicep' = { params: { text: 'x' } }
module each 'm.bicep' = [for i in range(0, 2): { params: { text: key } }]
output a string = one.outputs.copy
output b string = two.outputs.copy
output c string = each[0].outputs.copy
output d string = one.outputs.other
output e string = two.outputs.made
`, "m.bicep", `
param text string
var twice = '${text}${text}'
resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = { name: 'a' }
output copy string = twice
output other string = 'x'
@secure()
output made string = account.listKeys().keys[0].value
`)
	frames := flow.Follow(tmpl)
	if len(frames) != 4 || frames[1].Module.Name != "one" || frames[1].Outer != frames[0] {
		t.Fatalf("frames %v", frames)
	}
	want := map[string]string{"a": "=the secure parameter key", "c": "=the secure parameter key", "e": "=the result of listKeys"}
	for _, o := range tmpl.Outputs {
		if got := places(frames[0], o.Value); got != want[o.Name] {
			t.Errorf("%s holds %q, want %q", o.Name, got, want[o.Name])
		}
	}
	if got := places(frames[1], frames[1].Template.Variables[0].Value) + places(frames[2], frames[2].Template.Variables[0].Value); got != "=the secure parameter key" {
		t.Errorf("inside the uses: %q", got)
	}
	var way []string
	for _, s := range frames[0].Places(tmpl.Outputs[0].Value)[0].Secret.Way {
		way = append(way, s.At.String()+" "+s.What)
	}
	wantWay := []string{"main.bicep:3:7 the secure parameter key", "m.bicep:2:7 the parameter text of m.bicep", "m.bicep:3:5 the variable twice", "m.bicep:5:8 the output copy of m.bicep"}
	if !slices.Equal(way, wantWay) {
		t.Errorf("the way is %q", way)
	}
}

func TestTerraformModulesAreFollowed(t *testing.T) {
	tmpl := read(t, "main.tf", `
variable "key" {
  sensitive = true
}
module "one" {
  source = "./m"
  text   = var.key
}
module "each" {
  source   = "./m"
  for_each = { a = var.key }
  text     = each.value
}
output "a" {
  value = [module.one.copy]
}
output "b" {
  value = [for m in module.each : m.copy]
}
output "c" {
  value = module.each["a"].copy
}
`, "m/main.tf", `
variable "text" {}
output "copy" {
  value = "<${var.text}>"
}
`)
	f := flow.Follow(tmpl)[0]
	for i, want := range []string{"[]=the secure parameter key", "[]=the secure parameter key", "=the secure parameter key"} {
		if got := places(f, tmpl.Outputs[i].Value); got != want {
			t.Errorf("%s holds %q, want %q", tmpl.Outputs[i].Name, got, want)
		}
	}
}

func TestWhatLeadsToItselfComesToAnEnd(t *testing.T) {
	tmpl := read(t, "main.bicep", `
@secure()
param key string
var a = '${b}${key}'
var b = a
func f(x string) string => g(x)
func g(x string) string => f(x)
output o string = '${a}${f(key)}'
`)
	if got := places(flow.Follow(tmpl)[0], tmpl.Outputs[0].Value); got != "=the secure parameter key" {
		t.Errorf("holds %q", got)
	}
}
