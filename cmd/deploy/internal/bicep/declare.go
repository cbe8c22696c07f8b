package bicep

import (
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// declare puts what a statement declares into the template and its name into the scope, without saying what it is.
func (u *unit) declare(s syntax.Statement) {
	t := u.template
	switch n := s.(type) {
	case *syntax.Param:
		p := &template.Parameter{At: u.file.Span(n.Name), Name: n.Name.Name}
		t.Parameters = append(t.Parameters, p)
		u.make(n, n.Name, p)
	case *syntax.Var:
		v := &template.Variable{At: u.file.Span(n.Name), Name: n.Name.Name}
		t.Variables = append(t.Variables, v)
		u.make(n, n.Name, v)
	case *syntax.Func:
		f := &template.Function{At: u.file.Span(n.Name), Name: n.Name.Name}
		t.Functions = append(t.Functions, f)
		u.make(n, n.Name, f)
	case *syntax.Resource:
		u.declareResource(u.scope, n, nil)
	case *syntax.Module:
		m := &template.Module{At: u.file.Span(n.Name), Name: n.Name.Name, Source: u.whole(n.Path)}
		t.Modules = append(t.Modules, m)
		u.make(n, n.Name, m)
	case *syntax.Output: // outputs are not names for expressions
		o := &template.Output{At: u.file.Span(n.Name), Name: n.Name.Name}
		t.Outputs = append(t.Outputs, o)
		u.made[n] = o
	case *syntax.Assignment: // a name for the value in the rest of a parameter file
		u.make(n, n.Name, &template.Variable{At: u.file.Span(n.Name), Name: n.Name.Name})
	case *syntax.TypeDecl:
		u.types[n.Name.Name] = &namedType{unit: u, decl: n}
	case *syntax.Import:
		u.importSymbols(n)
	case *syntax.Extension:
		u.declareExtension(n)
	}
}

// make remembers what a declaration was made into, and enters its name.
func (u *unit) make(n syntax.Node, name *syntax.Ident, d template.Declaration) {
	u.made[n] = d
	u.enter(u.scope, name, symbol{declared: d})
}

// declareResource declares a resource and, in a scope of their own, those inside it.
func (u *unit) declareResource(s *scope, n *syntax.Resource, parent *template.Resource) {
	r := &template.Resource{At: u.file.Span(n.Name), Name: n.Name.Name, Existing: n.Existing, Body: &template.Object{At: u.at(n.Name)}}
	u.template.Resources = append(u.template.Resources, r)
	u.made[n] = r
	u.enter(s, n.Name, symbol{declared: r})
	r.Type, r.APIVersion, _ = strings.Cut(u.whole(n.Type), "@")
	if parent != nil {
		r.Parent = &template.Reference{At: u.at(n.Name), Name: parent.Name, To: parent}
		r.Type = parent.Type + "/" + r.Type
		if r.APIVersion == "" {
			r.APIVersion = parent.APIVersion
		}
	}
	inside := newScope(s)
	u.nested[r] = inside
	if body, ok := innermost(n.Value).(*syntax.Object); ok {
		for _, m := range body.Members {
			if child, ok := m.(*syntax.Resource); ok {
				u.declareResource(inside, child, r)
			}
		}
	}
}

// innermost returns what a resource or module is given, inside its condition and loop.
func innermost(x syntax.Expr) syntax.Expr {
	switch x := x.(type) {
	case *syntax.If:
		return innermost(x.Body)
	case *syntax.For:
		return innermost(x.Body)
	}
	return x
}

func (u *unit) declareExtension(n *syntax.Extension) {
	p := &template.Provider{At: u.file.Span(n.Spec)}
	name := &syntax.Ident{}
	switch spec := n.Spec.(type) {
	case *syntax.Name:
		p.Name, name.Name = spec.Name, spec.Name
	case *syntax.String:
		p.Source = u.whole(spec)
		p.Name, p.Version, _ = strings.Cut(p.Source, "@")
		name.Name = p.Name
	}
	if n.Alias != nil {
		p.Alias, name = n.Alias.Name, n.Alias
	}
	u.template.Providers = append(u.template.Providers, p)
	u.make(n, name, p)
}
