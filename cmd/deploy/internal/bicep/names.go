package bicep

import (
	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// builtIn are the names that need no declaration: the namespaces of functions, and what is said of a resource inside it.
var builtIn = map[string]bool{"sys": true, "az": true, "this": true}

// reference reads a name. One that means nothing is a problem.
func (u *unit) reference(s *scope, x *syntax.Name) template.Expr {
	found, ok := s.find(x.Name)
	if !ok && !builtIn[x.Name] && x.Name != "" {
		u.problem(u.file.Span(x), "", "nothing here is called %s", x.Name)
	}
	return &template.Reference{At: u.at(x), Name: x.Name, To: found.declared}
}

// member finds what base.name means when the base is an imported file.
func (u *unit) member(s *scope, base syntax.Expr, name string) (symbol, bool) {
	n, ok := base.(*syntax.Name)
	if !ok {
		return symbol{}, false
	}
	imported, ok := s.find(n.Name)
	if !ok || imported.declared != nil {
		return symbol{}, false
	}
	if imported.file == nil {
		return symbol{}, true
	}
	found, ok := imported.file.scope.names[name]
	if !ok {
		u.problem(u.file.Span(base), "", "%s declares nothing called %s", imported.file.file.Source.Name, name)
	}
	return found, true
}

// child reads resource::name.
func (u *unit) child(s *scope, x *syntax.Nested, at template.At) template.Expr {
	base := u.expr(s, x.Base)
	out := &template.Reference{At: at, Name: u.file.Text(x)}
	resource, ok := base.(*template.Reference)
	if !ok {
		return out
	}
	parent, ok := resource.To.(*template.Resource)
	if !ok {
		return out
	}
	found, ok := u.nested[parent].names[x.Name.Name]
	if !ok && x.Name.Name != "" {
		u.problem(u.file.Span(x.Name), "", "%s has no resource %s inside it", resource.Name, x.Name.Name)
	}
	out.To = found.declared
	return out
}

// call reads a call. The namespaces sys and az are left away, as the names of functions mean the same without.
func (u *unit) call(s *scope, x *syntax.Call, at template.At) template.Expr {
	c := &template.Call{At: at, Name: x.Name.Name, Args: u.exprs(s, x.Args)}
	found, ok := s.find(x.Name.Name)
	if x.Base != nil {
		found, ok = u.member(s, x.Base, x.Name.Name)
	}
	if ok {
		c.To, _ = found.declared.(*template.Function)
	}
	if name, isName := x.Base.(*syntax.Name); x.Base != nil && !ok && !(isName && builtIn[name.Name]) {
		c.Base = u.expr(s, x.Base)
	}
	return c
}
