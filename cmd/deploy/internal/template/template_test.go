package template_test

import (
	"encoding/json"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

func lit(v any) *template.Literal         { return &template.Literal{Value: v} }
func ref(name string) *template.Reference { return &template.Reference{Name: name} }
func op(sign string, xs ...template.Expr) template.Expr {
	return &template.Operation{Op: sign, Args: xs}
}

// every holds an expression of each kind, how it is written for people and what it is as JSON.
var every = []struct {
	e    template.Expr
	text string
	json string
}{
	{lit(nil), "null", `{"literal":null}`},
	{lit(int64(-3)), "-3", `{"literal":-3}`},
	{lit(2.5), "2.5", `{"literal":2.5}`},
	{lit("a'b\n${c}"), `'a\'b\n\${c}'`, `{"literal":"a'b\n${c}"}`},
	{&template.Text{Parts: []template.Expr{lit("a"), ref("b")}}, "'a${b}'", `{"text":[{"literal":"a"},{"reference":"b","at":""}],"at":""}`},
	{&template.Access{Base: &template.Access{Base: ref("a"), Key: lit("b")}, Key: lit("c-d")}, "a.b['c-d']", `{"get":{"literal":"c-d"},"of":{"get":{"literal":"b"},"of":{"reference":"a","at":""},"at":""},"at":""}`},
	{&template.Access{Base: ref("a")}, "a[*]", `{"get":"*","of":{"reference":"a","at":""},"at":""}`},
	{&template.Call{Base: ref("a"), Name: "f", Args: []template.Expr{lit(true)}}, "a.f(true)", `{"call":"f","of":{"reference":"a","at":""},"arguments":[{"literal":true}],"at":""}`},
	{op("*", op("+", ref("a"), ref("b")), op("!", ref("c"))), "(a + b) * (!c)", `{"operation":"*","operands":[{"operation":"+","operands":[{"reference":"a","at":""},{"reference":"b","at":""}],"at":""},{"operation":"!","operands":[{"reference":"c","at":""}],"at":""}],"at":""}`},
	{&template.Choice{If: ref("a"), Then: lit(int64(1)), Else: lit(int64(2))}, "a ? 1 : 2", `{"if":{"reference":"a","at":""},"then":{"literal":1},"else":{"literal":2},"at":""}`},
	{&template.Object{Members: []*template.Member{{Name: "a", Value: lit("b")}, {Name: "c d", Value: lit("e")}, {Key: ref("f"), Value: lit("g")}, {Value: &template.Spread{X: ref("h")}}}},
		"{a: 'b', 'c d': 'e', f: 'g', ...h}", `{"object":[{"at":"","name":"a","value":{"literal":"b"}},{"at":"","name":"c d","value":{"literal":"e"}},{"at":"","key":{"reference":"f","at":""},"value":{"literal":"g"}},{"at":"","value":{"spread":{"reference":"h","at":""},"at":""}}],"at":""}`},
	{&template.List{}, "[]", `{"list":[],"at":""}`},
	{&template.Loop{Item: &template.Local{Name: "x"}, Index: &template.Local{Name: "i"}, In: ref("xs"), If: ref("y"), Key: ref("i"), Body: ref("x")},
		"[for x, i in xs if y: i: x]", `{"for":"x","index":"i","in":{"reference":"xs","at":""},"where":{"reference":"y","at":""},"key":{"reference":"i","at":""},"do":{"reference":"x","at":""},"at":""}`},
	{&template.Lambda{Parameters: []*template.Local{{Name: "x"}}, Body: ref("x")}, "(x) => x", `{"lambda":["x"],"do":{"reference":"x","at":""},"at":""}`},
	{&template.Missing{}, "", `{"missing":true,"at":""}`},
}

func TestEveryExpressionCanBeShown(t *testing.T) {
	for _, c := range every {
		if got := template.Format(c.e, 100); got != c.text {
			t.Errorf("%T is shown as %s, want %s", c.e, got, c.text)
		}
		if got, err := json.Marshal(c.e); err != nil || string(got) != c.json {
			t.Errorf("%T is %s, want %s (%v)", c.e, got, c.json, err)
		}
	}
	if got := template.Format(lit("abcdef"), 5); got != "'abc…" {
		t.Errorf("a long one is shown as %s", got)
	}
}

func TestTheSecretsOfATemplateAreNotInItsJSON(t *testing.T) {
	secure := template.Type{Text: "string", Base: template.String, Secure: true}
	holds := template.Type{Base: template.Map, Fields: []*template.Field{{Name: "a", Type: secure}}}
	object := &template.Object{Members: []*template.Member{{Name: "a", Value: lit("secret")}}}
	for _, c := range []struct {
		what any
		want string
	}{
		{&template.Parameter{Name: "p", Type: secure, Default: lit("secret")}, `{"at":"","name":"p","type":"string","base":"string","secure":true,"default":{"literal":"***"}}`},
		{&template.Parameter{Name: "p", Type: secure, Default: lit("")}, `{"at":"","name":"p","type":"string","base":"string","secure":true,"default":{"literal":""}}`},
		{&template.Parameter{Name: "p", Type: secure, Default: &template.Call{Name: "newGuid"}}, `{"at":"","name":"p","type":"string","base":"string","secure":true,"default":{"call":"newGuid","at":""}}`},
		{&template.Parameter{Name: "p", Type: holds, Default: object}, `{"at":"","name":"p","type":"","base":"object","fields":[{"name":"a","type":"string","base":"string","secure":true}],"default":{"literal":"***"}}`},
		{&template.Argument{Name: "p", Value: lit("secret"), To: &template.Parameter{Type: secure}}, `{"at":"","name":"p","value":{"literal":"***"}}`},
		{&template.Argument{Name: "p", Value: lit("open"), To: &template.Parameter{}}, `{"at":"","name":"p","value":{"literal":"open"}}`},
	} {
		if got, err := json.Marshal(c.what); err != nil || string(got) != c.want {
			t.Errorf("got  %s\nwant %s (%v)", got, c.want, err)
		}
	}
}

func TestAllTemplatesComeOnceAndTheRootFirst(t *testing.T) {
	leaf := &template.Template{Path: "leaf"}
	middle := &template.Template{Path: "middle", Modules: []*template.Module{{Template: leaf}, {}}}
	root := &template.Template{Path: "root", Modules: []*template.Module{{Template: middle}, {Template: leaf}}}
	var got string
	for _, t := range template.All(root) {
		got += t.Path + " "
	}
	if got != "root middle leaf " {
		t.Errorf("got %s", got)
	}
}
