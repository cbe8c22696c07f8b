package bicep

import (
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// resource says what a resource is, and those inside it.
func (u *unit) resource(s *scope, n *syntax.Resource) {
	r := u.made[n].(*template.Resource)
	inside := u.nested[r]
	r.Description = u.decoration(n.Decorated).description
	body := u.repeated(inside, n.Value, &r.Loop, &r.Condition)
	r.Body = u.object(body.scope, body.object)
	if parent, ok := take(r.Body, "parent").(*template.Reference); ok {
		r.Parent = parent
	}
	r.Scope = take(r.Body, "scope")
	r.DependsOn = items(take(r.Body, "dependsOn"))
	for _, m := range body.object.Members {
		if child, ok := m.(*syntax.Resource); ok {
			u.resource(body.scope, child)
		}
	}
}

func (u *unit) module(n *syntax.Module, m *template.Module) {
	m.Description = u.decoration(n.Decorated).description
	body := u.repeated(u.scope, n.Value, &m.Loop, &m.Condition)
	given := u.object(body.scope, body.object)
	m.Scope = take(given, "scope")
	m.DependsOn = items(take(given, "dependsOn"))
	m.Arguments = arguments(take(given, "params"))
	m.Extra = given
	other, why := u.other(n.Path)
	if other == nil {
		m.NotRead = why
		return
	}
	m.Template = other.template
	u.bind(m)
}

// bind connects what a module is given with its parameters. What it does not have, and what it lacks, is a problem.
func (u *unit) bind(m *template.Module) {
	several := false
	given := map[string]bool{}
	for _, a := range m.Arguments {
		a.To = m.Template.Parameter(a.Name)
		given[a.Name] = true
		several = several || a.Name == ""
		if a.To == nil && a.Name != "" {
			u.problem(a.At, "", "%s has no parameter %s", m.Source, a.Name)
		}
	}
	for _, p := range m.Template.Parameters {
		if p.Required() && !given[p.Name] && !several {
			u.problem(m.At, "", "%s needs the parameter %s", m.Source, p.Name)
		}
	}
}

// repeatedBody is the object that a resource or module is given, and the names that hold in it.
type repeatedBody struct {
	scope  *scope
	object *syntax.Object
}

// repeated takes the loop and the condition off a resource or module.
func (u *unit) repeated(s *scope, x syntax.Expr, loop **template.Loop, condition *template.Expr) repeatedBody {
	switch x := x.(type) {
	case *syntax.For:
		inside := newScope(s)
		*loop = u.loop(s, inside, x)
		return u.repeated(inside, x.Body, loop, condition)
	case *syntax.If:
		*condition = u.expr(s, x.Condition)
		return u.repeated(s, x.Body, loop, condition)
	case *syntax.Object:
		return repeatedBody{s, x}
	}
	return repeatedBody{s, &syntax.Object{}}
}

// loop reads everything of a loop except its body, and enters its names.
func (u *unit) loop(outside, inside *scope, x *syntax.For) *template.Loop {
	l := &template.Loop{At: u.at(x), In: u.expr(outside, x.In)}
	l.Item = u.local(inside, x.Item, l.In)
	if x.Index != nil {
		l.Index = u.local(inside, x.Index, l.In)
		l.Index.Index = true
	}
	return l
}

// take removes a member from an object and returns its value, or nil.
func take(o *template.Object, name string) template.Expr {
	value := o.Get(name)
	o.Members = slices.DeleteFunc(o.Members, func(m *template.Member) bool { return m.Name == name })
	return value
}

// items returns the items of a list, or the expression itself when it is none.
func items(x template.Expr) []template.Expr {
	switch x := x.(type) {
	case nil:
		return nil
	case *template.List:
		return x.Items
	}
	return []template.Expr{x}
}

// arguments returns what a module is given for its parameters. Those that are not known one by one have no name.
func arguments(x template.Expr) []*template.Argument {
	o, ok := x.(*template.Object)
	if !ok && x != nil {
		return []*template.Argument{{At: x.Place(), Value: x}}
	}
	var args []*template.Argument
	if o != nil {
		for _, m := range o.Members {
			args = append(args, &template.Argument{At: m.At, Name: m.Name, Value: m.Value})
		}
	}
	return args
}
