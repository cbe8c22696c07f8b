package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// scope is the names that hold inside one resource, block or expression.
type scope struct {
	outer *scope
	names map[string]*template.Local // x, each.value, setting.key
	self  *template.Resource         // what self means, or nil
}

// local enters a name for the items of a loop, or for their keys.
func (s *scope) local(name string, of *template.Loop, index bool) *template.Local {
	l := &template.Local{At: of.Span, Name: name, In: of.In, Index: index}
	s.names[name] = l
	return l
}

func (s *scope) find(name string) *template.Local {
	for ; s != nil; s = s.outer {
		if l := s.names[name]; l != nil {
			return l
		}
	}
	return nil
}

func (s *scope) resource() *template.Resource {
	for ; s != nil; s = s.outer {
		if s.self != nil {
			return s.self
		}
	}
	return nil
}

// builtIn are the first words of names that need no declaration.
var builtIn = map[string]bool{"path": true, "terraform": true, "tofu": true}

// traversal reads a name with everything that is taken from it: var.x.y[0].
func (u *unit) traversal(s *scope, t hcl.Traversal) template.Expr {
	for _, length := range []int{1, 2, 3} { // the longest name is data.type.name
		name, ok := nameOf(t, length)
		if !ok {
			break
		}
		if e := u.named(s, name, t[:length]); e != nil {
			return u.steps(e, t[length:])
		}
	}
	name := t.RootName()
	at := u.at(t.SourceRange())
	if second, ok := nameOf(t, 2); ok && !builtIn[name] {
		u.problem(at.Span, "", "nothing here is called %s", second)
	}
	return u.steps(&template.Reference{At: u.at(t[:1].SourceRange()), Name: name}, t[1:])
}

// named returns a reference to what a name means, or nil when it means nothing.
func (u *unit) named(s *scope, name string, t hcl.Traversal) template.Expr {
	ref := &template.Reference{At: u.at(t.SourceRange()), Name: name}
	if l := s.find(name); l != nil {
		ref.To = l
		return ref
	}
	if d := u.names[name]; d != nil {
		ref.To = d
		return ref
	}
	if r := s.resource(); name == "self" && r != nil {
		ref.To = r
		return ref
	}
	return nil
}

// nameOf returns the first steps of a traversal as a name, if they are names.
func nameOf(t hcl.Traversal, length int) (string, bool) {
	if len(t) < length {
		return "", false
	}
	parts := []string{t.RootName()}
	for _, step := range t[1:length] {
		attribute, ok := step.(hcl.TraverseAttr)
		if !ok {
			return "", false
		}
		parts = append(parts, attribute.Name)
	}
	return strings.Join(parts, "."), true
}

// steps takes properties and items out of a value.
func (u *unit) steps(e template.Expr, t hcl.Traversal) template.Expr {
	for _, step := range t {
		at := u.at(step.SourceRange())
		switch step := step.(type) {
		case hcl.TraverseAttr:
			e = attribute(e, step.Name, at)
		case hcl.TraverseIndex:
			e = &template.Access{At: at, Base: e, Key: &template.Literal{At: at, Value: value(step.Key)}}
		case hcl.TraverseSplat:
			e = u.steps(&template.Access{At: at, Base: e}, step.Each)
		}
	}
	return e
}

// attribute takes a property out of a value. What is taken out of a module is one of its outputs, as it is in Bicep.
func attribute(e template.Expr, name string, at template.At) template.Expr {
	if isModule(e) {
		e = &template.Access{At: template.At{Span: e.Place()}, Base: e, Key: &template.Literal{At: template.At{Span: e.Place()}, Value: "outputs"}}
	}
	return &template.Access{At: at, Base: e, Key: &template.Literal{At: at, Value: name}}
}

// isModule reports whether an expression is a module, or one of those that a loop makes.
func isModule(e template.Expr) bool {
	switch e := e.(type) {
	case *template.Reference:
		_, ok := e.To.(*template.Module)
		return ok
	case *template.Access:
		l, ok := e.Key.(*template.Literal)
		return isModule(e.Base) && !(ok && l.Value == "outputs")
	}
	return false
}
