package bicep_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// read reads the first of some files, given as name and text in turn.
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
	return bicep.Read(files[0])
}

// mustRead is read for files without problems.
func mustRead(t *testing.T, files ...string) *template.Template {
	t.Helper()
	tmpl, err := read(t, files...)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func TestAParameterHasTheBoundsThatItsDecoratorsAndItsTypeSay(t *testing.T) {
	tmpl := mustRead(t, "main.bicep", `
@minValue(-1)
@sys.maxValue(10)
@description('''
two
lines''')
param number int = -1
@allowed(['a', 'b'])
@metadata({ description: 'from metadata' })
param choice string
@secure()
@minLength(3)
@maxLength(5)
param secret string?
param literal 'x' | 'y' | null = 'x'
@maxLength(2)
type short = string
param named short[]
type node = {
  next: node?
  @secure()
  key: string
}
param tree node
param tuple [int, node]
param item node[*]
param inner node.key
param known resourceInput<'A.B/c@2020-01-01'>.properties
param open { *: int }
`)
	p := tmpl.Parameter
	if n := p("number"); *n.Min != -1 || *n.Max != 10 || n.Description != "two\nlines" || n.Base != template.Int || n.Required() {
		t.Errorf("number %+v", n)
	}
	if c := p("choice"); !slices.Equal(c.Allowed, []any{"a", "b"}) || c.Description != "from metadata" || !c.Required() {
		t.Errorf("choice %+v", c)
	}
	if s := p("secret"); !s.Secure || *s.MinLength != 3 || *s.MaxLength != 5 || !s.Nullable || s.Required() || s.Text != "string?" {
		t.Errorf("secret %+v", s)
	}
	if l := p("literal"); !slices.Equal(l.Allowed, []any{"x", "y"}) || !l.Nullable || l.Base != template.String {
		t.Errorf("literal %+v", l)
	}
	if n := p("named"); n.Base != template.Array || *n.Items.MaxLength != 2 {
		t.Errorf("named %+v", n)
	}
	if n := p("tree"); n.Secure || !n.HasSecret() || len(n.Fields) != 2 || !n.Fields[0].Optional || n.Fields[0].Base != template.Any || !n.Fields[1].Secure {
		t.Errorf("tree %+v", n)
	}
	if n := p("tuple"); n.Base != template.Array || *n.MinLength != 2 || !n.HasSecret() {
		t.Errorf("tuple %+v", n)
	}
	if !p("inner").Secure || p("known").Base != template.Any || p("open").Rest.Base != template.Int {
		t.Errorf("inner %+v, known %+v, open %+v", p("inner"), p("known"), p("open"))
	}
}

// TestAReferenceLeadsToWhatItMeans follows names of every kind to their declarations.
func TestAReferenceLeadsToWhatItMeans(t *testing.T) {
	tmpl := mustRead(t, "main.bicep", `
import { v as w, f } from 'lib/other.bicep'
import * as lib from 'lib/other.bicep'
param p string
var before = after
var after = '${p}-${w}'
var wild = '${lib.v}${lib.f('x')}${f('y')}'
var lambda = map([1], p => p + 1)
var loop = [for (p, i) in ['x']: '${p}${i}']
resource r 'A.B/c@1' = {
  name: p
  resource one 'd' = { name: two.id }
  resource two 'e' = { name: 'n' }
}
resource s 'A.B/c@1' = [for p in [1]: { name: p }]
var nested = r::one.id
var items = s[0].properties[p]
module m 'lib/other.bicep' = { params: { q: p } }
output o string = m.outputs.q
`, "lib/other.bicep", "param q string\n@export()\nvar v = 1\n@export()\nfunc f(a string) string => a\noutput q string = q\n")
	want := map[string]string{
		"before": "after variable main.bicep:6:5",
		"after":  "p parameter main.bicep:4:7, w variable lib/other.bicep:3:5",
		"wild":   "lib.v variable lib/other.bicep:3:5",
		"lambda": "p local main.bicep:8:23",
		"loop":   "p local main.bicep:9:18, i local main.bicep:9:21",
		"nested": "r::one resource main.bicep:12:12",
		"items":  "s resource main.bicep:15:10, p parameter main.bicep:4:7",
	}
	for _, v := range tmpl.Variables {
		if got := references(v.Value); got != want[v.Name] {
			t.Errorf("%s refers to %q, want %q", v.Name, got, want[v.Name])
		}
	}
	for _, c := range []struct {
		what string
		e    template.Expr
		want string
	}{
		{"r", tmpl.Resources[0].Body, "p parameter main.bicep:4:7"},
		{"r::one", tmpl.Resources[1].Body, "two resource main.bicep:13:12"},
		{"s", tmpl.Resources[3].Body, "p local main.bicep:15:29"},
		{"m", tmpl.Modules[0].Arguments[0].Value, "p parameter main.bicep:4:7"},
		{"o", tmpl.Outputs[0].Value, "m module main.bicep:18:8"},
	} {
		if got := references(c.e); got != c.want {
			t.Errorf("%s refers to %q, want %q", c.what, got, c.want)
		}
	}
	other := tmpl.Modules[0].Template
	if tmpl.Modules[0].Arguments[0].To != other.Parameters[0] {
		t.Error("an argument doesn't lead to the parameter it is for")
	}
	text := tmpl.Variables[2].Value.(*template.Text)
	if call := text.Parts[2].(*template.Call); call.To == nil || call.To.Place().String() != "lib/other.bicep:5:6" || call.Base != nil {
		t.Errorf("a call leads to %+v", call)
	}
}

// references lists the references of an expression with what they mean and where that is.
func references(e template.Expr) string {
	var out []string
	for r := range template.References(e) {
		if r.To == nil {
			out = append(out, r.Name+" nothing")
			continue
		}
		out = append(out, r.Name+" "+r.To.Kind()+" "+r.To.Place().String())
	}
	return strings.Join(out, ", ")
}

func TestAResourceKnowsItsTypeParentAndOccasion(t *testing.T) {
	tmpl := mustRead(t, "main.bicep", `
param on bool
resource a 'A.B/c@2020-01-01' existing = {
  name: 'a'
  scope: resourceGroup('x')
  resource d 'd' = {
    name: 'd'
    resource e 'e@2021-01-01' = { name: 'e' }
  }
}
@batchSize(2)
resource b 'A.B/c/f@2022-01-01-preview' = [for (n, i) in range(0, 3): if (on && i > n) {
  parent: a
  name: 'b${n}'
  tags: {}
  dependsOn: [ a::d ]
}]
`)
	for i, want := range []string{
		"a A.B/c 2020-01-01 parent - existing true", "d A.B/c/d 2020-01-01 parent a existing false",
		"e A.B/c/d/e 2021-01-01 parent d existing false", "b A.B/c/f 2022-01-01-preview parent a existing false",
	} {
		r := tmpl.Resources[i]
		parent := "-"
		if r.Parent != nil {
			parent = r.Parent.Name
		}
		existing := map[bool]string{true: "true", false: "false"}[r.Existing]
		if got := r.Name + " " + r.Type + " " + r.APIVersion + " parent " + parent + " existing " + existing; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	b := tmpl.Resources[3]
	if got := template.Format(b.Condition, 50); got != "on && (i > n)" {
		t.Errorf("condition %s", got)
	}
	if b.Loop.Item.Name != "n" || b.Loop.Index.Name != "i" || b.Loop.Item.In != b.Loop.In || template.Format(b.Loop.In, 50) != "range(0, 3)" {
		t.Errorf("loop %+v", b.Loop)
	}
	if got := template.Format(b.Body, 80); got != "{name: 'b${n}', tags: {}}" {
		t.Errorf("body %s", got)
	}
	if len(b.DependsOn) != 1 || references(b.DependsOn[0]) != "a::d resource main.bicep:6:12" {
		t.Errorf("depends on %v", b.DependsOn)
	}
	if got := template.Format(tmpl.Resources[0].Scope, 50); got != "resourceGroup('x')" {
		t.Errorf("scope %s", got)
	}
}

func TestAParameterFileGivesValuesToItsTemplate(t *testing.T) {
	tmpl := mustRead(t, "prod/main.bicepparam", `
using '../main.bicep'
extends '../base.bicepparam'
var region = 'eu'
param a = '${region}-${b}'
param b = readEnvironmentVariable('B', 'x')
`, "base.bicepparam", "using none\nparam a = 'base'\nparam c = 1\n", "main.bicep", "param a string\nparam b string\nparam c int\n")
	if tmpl.Path != "main.bicep" || len(tmpl.Files) != 1 {
		t.Fatalf("template %+v", tmpl)
	}
	var got []string
	for _, a := range tmpl.Files[0].Arguments {
		got = append(got, a.Name+"="+template.Format(a.Value, 50)+" for "+a.To.At.String())
	}
	want := "a='${region}-${b}' for main.bicep:1:7; c=1 for main.bicep:3:7; b=readEnvironmentVariable('B', 'x') for main.bicep:2:7"
	if strings.Join(got, "; ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), want)
	}
}

// TestWhatDoesNotFitTogetherIsAProblem holds the messages about things that are right by themselves.
func TestWhatDoesNotFitTogetherIsAProblem(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  []string
	}{
		"an unknown name":     {[]string{"main.bicep", "var a = b\n"}, []string{"main.bicep:1:9: nothing here is called b"}},
		"an unknown type":     {[]string{"main.bicep", "param a strng\n"}, []string{"main.bicep:1:9: there is no type called strng"}},
		"a name twice":        {[]string{"main.bicep", "param a string\nvar a = 1\n"}, []string{"main.bicep:2:5: a is declared twice"}},
		"an unknown child":    {[]string{"main.bicep", "resource a 'A.B/c@1' = { name: 'a' }\nvar b = a::c.id\n"}, []string{"main.bicep:2:12: a has no resource c inside it"}},
		"no such module":      {[]string{"main.bicep", "module a 'x/y.bicep' = {}\n"}, []string{"main.bicep:1:10: open x/y.bicep: no such file or directory"}},
		"a module of itself":  {[]string{"main.bicep", "module a 'a.bicep' = {}\n", "a.bicep", "module m 'main.bicep' = {}\n"}, []string{"a.bicep:1:10: main.bicep uses itself through this file"}},
		"an unknown argument": {[]string{"main.bicep", "module a 'a.bicep' = { params: { x: 1 } }\n", "a.bicep", "param y string\n"}, []string{"main.bicep:1:8: a.bicep needs the parameter y", "main.bicep:1:34: a.bicep has no parameter x"}},
		"an unknown output":   {[]string{"main.bicep", "module a 'a.bicep' = [for i in [1]: {}]\nvar b = a[0].outputs.x\nvar c = a[0].outputs.y\n", "a.bicep", "output y string = ''\n"}, []string{"main.bicep:2:22: a.bicep has no output x"}},
		"an unknown import":   {[]string{"main.bicep", "import { x } from 'a.bicep'\n", "a.bicep", "var y = 1\n"}, []string{"main.bicep:1:10: a.bicep declares nothing called x"}},
		"an unknown member":   {[]string{"main.bicep", "import * as a from 'a.bicep'\nvar b = a.x\n", "a.bicep", "var y = 1\n"}, []string{"main.bicep:2:9: a.bicep declares nothing called x"}},
		"a value for nothing": {[]string{"p.bicepparam", "using 'main.bicep'\nparam x = 1\n", "main.bicep", ""}, []string{"p.bicepparam:2:7: main.bicep has no parameter x"}},
		"a value twice":       {[]string{"p.bicepparam", "using 'main.bicep'\nparam x = 1\nparam x = 2\n", "main.bicep", "param x int\n"}, []string{"p.bicepparam:3:7: x is declared twice"}},
		"a circle of values":  {[]string{"p.bicepparam", "using none\nextends 'q.bicepparam'\n", "q.bicepparam", "extends 'p.bicepparam'\n"}, []string{"q.bicepparam:1:9: this file extends itself"}},
		"a module's grammar":  {[]string{"main.bicep", "module a 'a.bicep' = {}\n", "a.bicep", "var x\n"}, []string{`a.bicep:1:6: expected "=" after the name of the variable, found the end of the line`}},
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

func TestAFileThatIsNotThereIsAnErrorOfItsOwn(t *testing.T) {
	if tmpl, err := bicep.Read(filepath.Join(t.TempDir(), "main.bicep")); tmpl != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("template %v, error %v", tmpl, err)
	}
}

// TestANameThatLeadsToItselfComesToAnEnd reads names that go in circles, which the compiler refuses and a reader must survive.
func TestANameThatLeadsToItselfComesToAnEnd(t *testing.T) {
	tmpl := mustRead(t, "main.bicep", "type a = { b: b }\ntype b = a[]\nparam p a\nvar x = y\nvar y = x\n")
	if p := tmpl.Parameter("p"); p.Fields[0].Base != template.Array || p.Fields[0].Items.Base != template.Any {
		t.Errorf("p %+v", p)
	}
}
