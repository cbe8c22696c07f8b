package terraform_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/terraform"
)

// read reads the folder "root" of some files, given as path and text in turn.
func read(t *testing.T, files ...string) (*template.Template, error) {
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
	return terraform.Read("root")
}

func mustRead(t *testing.T, files ...string) *template.Template {
	t.Helper()
	tmpl, err := read(t, files...)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func TestAVariableHasTheBoundsThatItsValidationsSay(t *testing.T) {
	for condition, want := range map[string]string{
		`var.x >= 1 && var.x <= 10`:                      `{"min":1,"max":10}`,
		`1 < var.x && 10 > var.x`:                        `{"min":2,"max":9}`,
		`var.x == null || var.x > -5`:                    `{"min":-4}`,
		`var.x == null ? true : var.x > 5`:               `{}`,
		`floor(var.x) == var.x`:                          `{"base":"int"}`,
		`var.x == ceil(var.x)`:                           `{"base":"int"}`,
		`length(var.x) >= 3 && length(var.x) < 25`:       `{"minLength":3,"maxLength":24}`,
		`length(var.x) == 4`:                             `{"minLength":4,"maxLength":4}`,
		`contains(["a", "b"], var.x)`:                    `{"allowed":["a","b"]}`,
		`contains(["a", local.b], var.x)`:                `{}`,
		`var.x == "a" || var.x == "b" || var.x == "c"`:   `{"allowed":["a","b","c"]}`,
		`var.x == "a" || var.y == "b"`:                   `{}`,
		`can(regex("^a+$", var.x))`:                      `{"pattern":"^a+$"}`,
		`var.y >= 1 && can(regex("^a+$", lower(var.x)))`: `{}`,
		`var.x >= 1.5`:                                   `{}`,
	} {
		tmpl, problems := terraform.ReadFile("main.tf", "locals {\n  b = 1\n}\nvariable \"y\" {\n}\nvariable \"x\" {\n  validation {\n    condition = "+condition+"\n    error_message = \"No.\"\n  }\n}\n")
		if len(problems) > 0 {
			t.Errorf("%s: %v", condition, problems)
		}
		p := tmpl.Parameter("x")
		if len(p.Validations) != 1 || p.Validations[0].Message != "No." {
			t.Errorf("%s: validations %+v", condition, p.Validations)
		}
		p.Type.Text = ""
		if p.Base == template.Any {
			p.Base = ""
		}
		got, err := json.Marshal(p.Type)
		if text := strings.NewReplacer(`"type":"",`, "", `"base":"",`, "", `"type":"","base":""`, "", `"base":""`, "").Replace(string(got)); err != nil || text != want {
			t.Errorf("%s says %s, want %s (%v)", condition, text, want, err)
		}
	}
}

func TestAVariableHasItsTypeAndDefault(t *testing.T) {
	tmpl, problems := terraform.ReadFile("main.tf", `
variable "plain" {}
variable "text" {
  type        = string
  description = "What it means."
  default     = "x"
}
variable "list" { type = list(number) }
variable "set" {
  type    = set(string)
  default = null
}
variable "pair" { type = tuple([string, bool]) }
variable "object" {
  type = object({ a = string, b = optional(map(bool), {}) })
  sensitive = true
}
variable "old" { type = "string" }
variable "short" {
  type = bool
  ephemeral = true
}
`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p := tmpl.Parameter
	if x := p("plain"); x.Base != template.Any || !x.Required() {
		t.Errorf("plain %+v", x)
	}
	if x := p("text"); x.Base != template.String || x.Description != "What it means." || x.Required() || template.Format(x.Default, 9) != "'x'" {
		t.Errorf("text %+v", x)
	}
	if x := p("list"); x.Base != template.Array || x.Items.Base != template.Number || x.Text != "list(number)" {
		t.Errorf("list %+v", x)
	}
	if x := p("set"); x.Items.Base != template.String || !x.Nullable || x.Required() {
		t.Errorf("set %+v", x)
	}
	if x := p("pair"); x.Base != template.Array || *x.MinLength != 2 {
		t.Errorf("pair %+v", x)
	}
	if x := p("object"); x.Base != template.Map || !x.Secure || x.Ephemeral || x.Fields[0].Optional || !x.Fields[1].Optional || x.Fields[1].Rest.Base != template.Bool {
		t.Errorf("object %+v", x)
	}
	if p("old").Base != template.String || !p("short").Ephemeral {
		t.Errorf("old %+v, short %+v", p("old"), p("short"))
	}
}

// TestEveryExpressionIsUnderstood shows for each construct how a text of it is understood.
func TestEveryExpressionIsUnderstood(t *testing.T) {
	for text, want := range map[string]string{
		`1`: `1`, `-1.5`: `-1.5`, `true`: `true`, `null`: `null`, `"a"`: `'a'`, `""`: `''`,
		`"a${local.b}c"`:                          `'a${local.b}c'`,
		`"${local.b}"`:                            `local.b`,
		`"%{ if local.b }x%{ else }y%{ endif }"`:  `'${local.b ? 'x' : 'y'}'`,
		`"%{ for x in local.b }${x},%{ endfor }"`: `'${join('', [for x in local.b: '${x},'])}'`,
		"<<-EOT\n    a\n    ${local.b}\n  EOT\n":  `'a\n${local.b}\n'`,
		`(local.b + 2) * -local.b`:                `(local.b + 2) * (-local.b)`,
		`!local.b && local.b || local.b`:          `((!local.b) && local.b) || local.b`,
		`local.b ? 1 : 2`:                         `local.b ? 1 : 2`,
		`[1, "a"]`:                                `[1, 'a']`,
		`{ a = 1, "b c" = 2, (local.b) = 3 }`:     `{a: 1, 'b c': 2, local.b: 3}`,
		`local.b.c[0]["d"]`:                       `local.b.c[0].d`,
		`local.b[local.b].c`:                      `local.b[local.b].c`,
		`local.b[*].c.d`:                          `local.b[*].c.d`,
		`local.b.*.c`:                             `local.b[*].c`,
		`[for x in local.b : x.c if x.d]`:         `[for x in local.b if x.d: x.c]`,
		`{ for k, v in local.b : k => v... }`:     `[for v, k in local.b: k: v]`,
		`f(1, local.b...)`:                        `f(1, ...local.b)`,
		`provider::azurerm::parse("x")`:           `provider::azurerm::parse('x')`,
		`path.module`:                             `path.module`,
		`module.m.out`:                            `module.m.outputs.out`,
		`module.n[0].out`:                         `module.n[0].outputs.out`,
		`module.n[*].out.x`:                       `module.n[*].outputs.out.x`,
		`t_r.x.id`:                                `t_r.x.id`,
		`data.t_r.x.id`:                           `data.t_r.x.id`,
		`ephemeral.t_r.x[0].id`:                   `ephemeral.t_r.x[0].id`,
	} {
		tmpl, problems := terraform.ReadFile("main.tf", "locals {\n  b = 1\n  value = "+text+"\n}\nmodule \"m\" {\n  source = \"x/y/z\"\n}\nmodule \"n\" {\n  count = 2\n  source = \"x/y/z\"\n}\n"+
			"resource \"t_r\" \"x\" {}\ndata \"t_r\" \"x\" {}\nephemeral \"t_r\" \"x\" {}\n")
		if len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
		}
		if got := template.Format(tmpl.Variables[1].Value, 200); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// TestJSONMeansTheSame reads a template in both syntaxes.
func TestJSONMeansTheSame(t *testing.T) {
	native, problems := terraform.ReadFile("main.tf", `
variable "a" {
  type      = list(string)
  sensitive = true
  default   = ["x"]
  validation {
    condition     = length(var.a) <= 3
    error_message = "Three."
  }
}
locals {
  b = "${var.a[0]}-${upper("c")}"
}
resource "t_r" "x" {
  for_each   = var.a
  provider   = t.other
  name       = each.value
  tags       = { k = local.b, n = 1 }
  depends_on = [t_r.y]
}
resource "t_r" "y" {
}
output "o" {
  value     = t_r.x["q"].id
  ephemeral = true
}
`)
	other, more := terraform.ReadFile("main.tf.json", `{
  "variable": {"a": {"type": "list(string)", "sensitive": true, "default": ["x"], "validation": {"condition": "${length(var.a) <= 3}", "error_message": "Three."}}},
  "locals": {"b": "${var.a[0]}-${upper(\"c\")}"},
  "resource": {"t_r": {
    "x": {"for_each": "${var.a}", "provider": "t.other", "name": "${each.value}", "tags": {"k": "${local.b}", "n": 1}, "depends_on": ["t_r.y"]},
    "y": {}
  }},
  "output": {"o": {"value": "${t_r.x[\"q\"].id}", "ephemeral": true}}
}`)
	if problems = append(problems, more...); len(problems) > 0 {
		t.Fatal(problems)
	}
	if a, b := withoutPlaces(t, native), withoutPlaces(t, other); a != b {
		t.Errorf("native %s\nJSON   %s", a, b)
	}
}

// withoutPlaces returns a template as JSON without where everything is.
func withoutPlaces(t *testing.T, tmpl *template.Template) string {
	t.Helper()
	text, err := json.Marshal(tmpl)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(x any) {
		switch x := x.(type) {
		case map[string]any:
			delete(x, "at")
			delete(x, "declared")
			if typ, ok := x["type"].(string); ok {
				x["type"] = strings.Trim(typ, `"`)
			}
			for _, v := range x {
				strip(v)
			}
		case []any:
			for _, v := range x {
				strip(v)
			}
		}
	}
	strip(tree)
	text, err = json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAResourceKnowsWhatItIsGivenAndHowOften(t *testing.T) {
	tmpl, problems := terraform.ReadFile("main.tf", `
variable "s" {
  ephemeral = true
}
variable "on" {}
data "t_d" "d" {
  count = var.on ? 0 : 1
}
resource "t_r" "r" {
  count     = 3
  provider  = t.other
  value_wo  = var.s
  value_wo_version = count.index
  one {
    a = 1
  }
  two {
    a = 1
  }
  dynamic "two" {
    for_each = [1]
    iterator = it
    content {
      b = it.key
      three { c = it.value }
    }
  }
  provisioner "local-exec" {
    command = self.id
  }
  lifecycle {
    ignore_changes = [tags, one[0].a]
    precondition {
      condition     = data.t_d.d[0].ok
      error_message = "No."
    }
  }
  depends_on = [data.t_d.d, "module.m"]
}
module "m" {
  for_each = toset(["a"])
  source   = "x/y/z"
  name     = each.key
  providers = { t = t.other }
}
`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	d, r, m := tmpl.Resources[0], tmpl.Resources[1], tmpl.Modules[0]
	if !d.Existing || d.Name != "data.t_d.d" || d.Loop != nil || template.Format(d.Condition, 50) != "!var.on" {
		t.Errorf("data %+v", d)
	}
	want := "{value_wo: var.s, value_wo_version: count.index, one: {a: 1}, two: [{a: 1}, ...[for it.value, it.key in [1]: {b: it.key, three: {c: it.value}}]], " +
		"provisioner: {'local-exec': {command: self.id}}, lifecycle: {precondition: {condition: data.t_d.d[0].ok, error_message: 'No.'}, ignore_changes: ['tags', 'one[0].a']}}"
	if got := template.Format(r.Body, 500); got != want {
		t.Errorf("body %s\nwant %s", got, want)
	}
	if r.Provider != "t.other" || template.Format(r.Loop.In, 9) != "3" || len(r.DependsOn) != 2 || !r.Body.Members[0].WriteOnly || r.Body.Members[1].WriteOnly {
		t.Errorf("resource %+v", r)
	}
	if template.Format(m.Extra, 50) != "{providers: {t: 't.other'}}" || len(m.Arguments) != 1 || m.NotRead == "" {
		t.Errorf("module %+v", m)
	}
	if to := m.Arguments[0].Value.(*template.Reference).To; to != template.Declaration(m.Loop.Index) || m.Loop.Index.In != m.Loop.In {
		t.Errorf("each.key leads to %+v", to)
	}
}

func TestModulesValuesAndOverridesAreFollowed(t *testing.T) {
	tmpl := mustRead(t,
		"root/main.tf", "variable \"a\" {}\nvariable \"b\" {\n  default = 1\n}\nmodule \"m\" {\n  source = \"../lib\"\n  x      = var.a\n}\noutput \"o\" {\n  value = module.m.y\n}\n",
		"root/main_override.tf", "variable \"b\" {\n  default = 2\n}\n",
		"root/terraform.tfvars", "a = \"from the file\"\n",
		"root/more.auto.tfvars.json", "{\"b\": 3}\n",
		"root/other.tfvars", "c = 1\n",
		"root/tests/x.tftest.hcl", "run \"x\" {}\n",
		"lib/a.tf", "variable \"x\" {}\n", "lib/b.tf", "output \"y\" {\n  value = var.x\n}\n")
	m := tmpl.Modules[0]
	if m.Template == nil || m.Template.Path != "lib" || m.Arguments[0].To != m.Template.Parameters[0] {
		t.Errorf("module %+v", m)
	}
	if got := template.Format(tmpl.Parameter("b").Default, 9); got != "2" {
		t.Errorf("the default after the override is %s", got)
	}
	var values []string
	for _, f := range tmpl.Files {
		for _, a := range f.Arguments {
			values = append(values, a.Name+"="+template.Format(a.Value, 20)+" from "+f.Path)
		}
	}
	if want := []string{"b=3 from root/more.auto.tfvars.json", "a='from the file' from root/terraform.tfvars"}; !slices.Equal(values, want) {
		t.Errorf("values %q", values)
	}
}

func TestRequirementsAndBackendAreRead(t *testing.T) {
	tmpl, problems := terraform.ReadFile("main.tf", `
terraform {
  required_version = ">= 1.11"
  required_providers {
    azurerm = {
      source                = "hashicorp/azurerm"
      version               = "~> 5.2"
      configuration_aliases = [azurerm.other]
    }
    random = "~> 3.0"
  }
  backend "azurerm" {
    key = "x"
  }
}
provider "azurerm" {
  alias = "other"
  features {}
}
`)
	var got []string
	for _, p := range tmpl.Providers {
		got = append(got, strings.TrimSpace(p.Name+" "+p.Source+" "+p.Version+" "+p.Alias+" "+template.Format(configOf(p), 50)))
	}
	want := []string{"terraform  >= 1.11", "azurerm hashicorp/azurerm ~> 5.2", "random  ~> 3.0", "azurerm   other {features: {}}"}
	if len(problems) > 0 || !slices.Equal(got, want) {
		t.Errorf("providers %q, problems %v", got, problems)
	}
	if b := tmpl.Backend; b == nil || b.Name != "azurerm" || template.Format(b.Config, 50) != "{key: 'x'}" {
		t.Errorf("backend %+v", b)
	}
}

func configOf(p *template.Provider) template.Expr {
	if p.Config == nil {
		return &template.Missing{}
	}
	return p.Config
}

// TestWhatIsWrongIsAProblem holds the messages, and that the rest is read.
func TestWhatIsWrongIsAProblem(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  []string
	}{
		"grammar":             {[]string{"root/main.tf", "locals {\n  a = \n}\n"}, []string{"root/main.tf:2:7: invalid expression"}},
		"JSON":                {[]string{"root/main.tf.json", "{\"locals\": {\"a\": \"${\"}}"}, []string{"root/main.tf.json:1:21: missing expression"}},
		"an unknown block":    {[]string{"root/main.tf", "varable \"a\" {}\n"}, []string{"root/main.tf:1:1: unsupported block type"}},
		"an unknown argument": {[]string{"root/main.tf", "variable \"a\" {\n  tpye = string\n}\n"}, []string{"root/main.tf:2:3: unsupported argument"}},
		"an unknown type":     {[]string{"root/main.tf", "variable \"a\" {\n  type = strng\n}\n"}, []string{"root/main.tf:2:10: invalid type specification"}},
		"an unknown name":     {[]string{"root/main.tf", "locals {\n  a = var.b\n  c = local.d\n  e = t_r.f.id\n  g = data.t_r.h.id\n  i = each.value\n}\n"}, []string{"root/main.tf:2:7: nothing here is called var.b", "root/main.tf:3:7: nothing here is called local.d", "root/main.tf:4:7: nothing here is called t_r.f", "root/main.tf:5:7: nothing here is called data.t_r", "root/main.tf:6:7: nothing here is called each.value"}},
		"a name twice":        {[]string{"root/main.tf", "variable \"a\" {}\nvariable \"a\" {}\n"}, []string{"root/main.tf:2:10: var.a is declared twice"}},
		"no source":           {[]string{"root/main.tf", "module \"a\" {}\n"}, []string{"root/main.tf:1:8: the module a has no source"}},
		"no such module":      {[]string{"root/main.tf", "module \"a\" {\n  source = \"./b\"\n}\n"}, []string{"root/main.tf:2:12: open root/b: no such file or directory"}},
		"a module of itself":  {[]string{"root/main.tf", "module \"a\" {\n  source = \"../root\"\n}\n"}, []string{"root/main.tf:2:12: ../root uses itself through this folder"}},
		"arguments":           {[]string{"root/main.tf", "module \"a\" {\n  source = \"../b\"\n  x = 1\n}\n", "b/main.tf", "variable \"y\" {}\n"}, []string{"root/main.tf:1:8: ../b needs the variable y", "root/main.tf:3:3: ../b has no variable x"}},
		"an unknown output":   {[]string{"root/main.tf", "module \"a\" {\n  source = \"../b\"\n}\nlocals {\n  b = module.a.x\n  c = module.a.y\n}\n", "b/main.tf", "output \"y\" {\n  value = 1\n}\n"}, []string{"root/main.tf:5:15: ../b has no output x"}},
		"no value":            {[]string{"root/main.tf", "output \"a\" {}\n"}, []string{"root/main.tf:1:8: the output a has no value"}},
		"a value for nothing": {[]string{"root/main.tf", "", "root/terraform.tfvars", "a = 1\n"}, []string{"root/terraform.tfvars:1:1: there is no variable a"}},
		"no for_each":         {[]string{"root/main.tf", "resource \"t_r\" \"a\" {\n  dynamic \"b\" {\n  }\n}\n"}, []string{"root/main.tf:2:3: the dynamic block b has no for_each", "root/main.tf:2:3: the dynamic block b has no content"}},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, err := read(t, c.files...)
			var problems source.Problems
			if !errors.As(err, &problems) || tmpl == nil {
				t.Fatalf("template %v, error %v", tmpl, err)
			}
			if got := problems.Error(); got != strings.Join(c.want, "\n") {
				t.Errorf("got  %s\nwant %s", got, strings.Join(c.want, "\n     "))
			}
		})
	}
}

func TestAFolderThatIsNotThereIsAnErrorOfItsOwn(t *testing.T) {
	if tmpl, err := terraform.Read(filepath.Join(t.TempDir(), "x")); tmpl != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("template %v, error %v", tmpl, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("main.tf", "variable \"a\" {\n  type = list(string)\n  validation {\n    condition = length(var.a) > 1\n  }\n}\nlocals {\n  b = [for x in var.a : \"${x}\"]\n}\n")
	f.Add("main.tf", "resource \"t_r\" \"x\" {\n  dynamic \"b\" {\n    for_each = [1]\n    content {\n      c = b.value\n    }\n  }\n}\nmodule \"m\" {\n  source = \"x\"\n}\noutput \"o\" {\n  value = module.m[*].y\n}\n")
	f.Add("main.tf.json", `{"resource": {"t_r": {"x": {"a": "${each.value}", "depends_on": ["t_r.y"]}}}, "locals": {"a": [1, {"b": null}]}}`)
	f.Fuzz(func(t *testing.T, name, text string) {
		tmpl, problems := terraform.ReadFile(name, text)
		for _, p := range problems {
			if p.File != nil && (p.Start < 0 || p.End < p.Start || p.End > len(text)) {
				t.Errorf("problem %q is at %d to %d of %d", p.Message, p.Start, p.End, len(text))
			}
		}
		if _, err := json.Marshal(tmpl); err != nil {
			t.Error(err)
		}
	})
}
