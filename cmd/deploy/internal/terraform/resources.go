package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

func (u *unit) resource(r *template.Resource, b *hcl.Block) {
	content, _, diagnostics := b.Body.PartialContent(metaSchema)
	u.note(diagnostics)
	meta := content.Attributes
	r.Provider, _, _ = strings.Cut(r.Type, "_")
	if a := meta["provider"]; a != nil {
		r.Provider = u.name(a.Expr)
	}
	var s *scope
	s, r.Loop, r.Condition = u.repeated(meta)
	s = &scope{outer: s, self: r}
	r.DependsOn = u.dependsOn(meta["depends_on"])
	r.Body = u.body(s, b.Body, "count", "for_each", "provider", "depends_on")
}

func (u *unit) module(m *template.Module, b *hcl.Block) {
	content, _, diagnostics := b.Body.PartialContent(metaSchema)
	u.note(diagnostics)
	meta := content.Attributes
	m.Source = u.text(meta["source"])
	var s *scope
	s, m.Loop, m.Condition = u.repeated(meta)
	m.DependsOn = u.dependsOn(meta["depends_on"])
	m.Extra = &template.Object{At: u.at(b.DefRange)}
	if a := meta["version"]; a != nil {
		m.Extra.Members = append(m.Extra.Members, u.argument(s, a.Name, a.NameRange, a.Expr))
	}
	if a := meta["providers"]; a != nil {
		m.Extra.Members = append(m.Extra.Members, &template.Member{At: u.span(a.NameRange), Name: a.Name, Value: u.plainNames(a.Expr)})
	}
	for _, member := range u.body(s, b.Body, "source", "version", "providers", "count", "for_each", "depends_on").Members {
		m.Arguments = append(m.Arguments, &template.Argument{At: member.At, Name: member.Name, Value: member.Value})
	}
	u.follow(m, meta["source"])
}

// repeated reads how often something is made. A count that is 1 or 0 is a condition.
func (u *unit) repeated(meta hcl.Attributes) (*scope, *template.Loop, template.Expr) {
	if a := meta["for_each"]; a != nil {
		l := &template.Loop{At: u.at(a.Range), In: u.expr(nil, a.Expr)}
		s := &scope{names: map[string]*template.Local{}}
		l.Item = s.local("each.value", l, false)
		l.Index = s.local("each.key", l, true)
		return s, l, nil
	}
	a := meta["count"]
	if a == nil {
		return nil, nil, nil
	}
	l := &template.Loop{At: u.at(a.Range), In: u.expr(nil, a.Expr)}
	s := &scope{names: map[string]*template.Local{}}
	l.Item = s.local("count.index", l, true)
	if choice, ok := l.In.(*template.Choice); ok {
		switch then, otherwise := whole(choice.Then), whole(choice.Else); {
		case then == 1 && otherwise == 0:
			return s, nil, choice.If
		case then == 0 && otherwise == 1:
			return s, nil, &template.Operation{At: l.At, Op: "!", Args: []template.Expr{choice.If}}
		}
	}
	return s, l, nil
}

// whole returns the value of a literal that is a whole number, or -1.
func whole(e template.Expr) int64 {
	if l, ok := e.(*template.Literal); ok {
		if n, ok := l.Value.(int64); ok {
			return n
		}
	}
	return -1
}

// dependsOn reads a list of names, which old templates have in quotes.
func (u *unit) dependsOn(a *hcl.Attribute) []template.Expr {
	if a == nil {
		return nil
	}
	items, diagnostics := hcl.ExprList(a.Expr)
	u.note(diagnostics)
	var out []template.Expr
	for _, item := range items {
		t, diagnostics := hcl.AbsTraversalForExpr(item)
		if text := u.name(item); diagnostics.HasErrors() {
			t, diagnostics = hclsyntax.ParseTraversalAbs([]byte(text), item.Range().Filename, item.Range().Start)
		}
		u.note(diagnostics)
		if !diagnostics.HasErrors() {
			out = append(out, u.traversal(nil, t))
		}
	}
	return out
}

// name returns an expression that is a name, such as azurerm.other, as it is written.
func (u *unit) name(e hcl.Expression) string { return strings.Trim(u.span(e.Range()).Text(), `"`) }

// plainNames reads expressions that are names of something which is no value: the arguments that a resource ignores, the
// providers that a module is given.
func (u *unit) plainNames(e hcl.Expression) template.Expr {
	at := u.at(e.Range())
	if pairs, diagnostics := hcl.ExprMap(e); !diagnostics.HasErrors() {
		o := &template.Object{At: at}
		for _, pair := range pairs {
			o.Members = append(o.Members, &template.Member{At: u.span(pair.Key.Range()), Name: u.name(pair.Key), Value: u.plainNames(pair.Value)})
		}
		return o
	}
	if items, diagnostics := hcl.ExprList(e); !diagnostics.HasErrors() {
		l := &template.List{At: at}
		for _, item := range items {
			l.Items = append(l.Items, u.plainNames(item))
		}
		return l
	}
	return &template.Literal{At: at, Value: u.name(e)}
}
