package bicep

import (
	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// define says what that is which a statement declares.
func (u *unit) define(s syntax.Statement) {
	switch n := s.(type) {
	case *syntax.TargetScope:
		if scope := u.whole(n.Value); scope != "" {
			u.template.Scope = scope
		}
	case *syntax.Metadata:
		if n.Name.Name == "description" {
			u.template.Description = u.whole(n.Value)
		}
	case *syntax.Param:
		u.parameter(n, u.made[n].(*template.Parameter))
	case *syntax.Var:
		v := u.made[n].(*template.Variable)
		v.Description, v.Value = u.decoration(n.Decorated).description, u.expr(u.scope, n.Value)
	case *syntax.Func:
		u.function(n, u.made[n].(*template.Function))
	case *syntax.Resource:
		u.resource(u.scope, n)
	case *syntax.Module:
		u.module(n, u.made[n].(*template.Module))
	case *syntax.Output:
		u.output(n, u.made[n].(*template.Output))
	case *syntax.Extension:
		if config, ok := n.With.(*syntax.Object); ok {
			u.made[n].(*template.Provider).Config = u.object(u.scope, config)
		}
	}
}

func (u *unit) parameter(n *syntax.Param, p *template.Parameter) {
	d := u.decoration(n.Decorated)
	p.Type, p.Description = u.typ(n.Type), d.description
	d.constrain(&p.Type)
	if n.Default != nil {
		p.Default = u.expr(u.scope, n.Default)
	}
}

func (u *unit) output(n *syntax.Output, o *template.Output) {
	d := u.decoration(n.Decorated)
	o.Type, o.Description = u.typ(n.Type), d.description
	d.constrain(&o.Type)
	o.Value = u.expr(u.scope, n.Value)
}

func (u *unit) function(n *syntax.Func, f *template.Function) {
	inside := newScope(u.scope)
	for _, p := range n.Parameters {
		l := u.local(inside, p.Name, nil)
		t := u.typ(p.Type)
		l.Type = &t
		f.Parameters = append(f.Parameters, l)
	}
	f.Description, f.Result = u.decoration(n.Decorated).description, u.typ(n.Result)
	f.Body = u.expr(inside, n.Body)
}
