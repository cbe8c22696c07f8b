package bicep

import (
	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// decoration is what decorators say.
type decoration struct {
	description string
	secure      bool
	allowed     []any
	bounds      map[string]*int64 // by the name of the decorator
}

// decoration reads the decorators of a declaration. It looks at those only that say something about values.
func (u *unit) decoration(d syntax.Decorated) decoration {
	out := decoration{bounds: map[string]*int64{}}
	for _, n := range d.Decorators {
		call, ok := n.Call.(*syntax.Call)
		if !ok || !ofSys(call.Base) {
			continue
		}
		u.decorator(call, &out)
	}
	return out
}

func ofSys(base syntax.Expr) bool {
	name, ok := base.(*syntax.Name)
	return base == nil || ok && name.Name == "sys"
}

func (u *unit) decorator(call *syntax.Call, out *decoration) {
	var value template.Expr
	if len(call.Args) == 1 {
		value = u.expr(u.scope, call.Args[0])
	}
	switch call.Name.Name {
	case "secure":
		out.secure = true
	case "description":
		out.description, _ = template.StringOf(value)
	case "metadata":
		if o, ok := value.(*template.Object); ok && out.description == "" {
			out.description, _ = template.StringOf(o.Get("description"))
		}
	case "allowed":
		out.allowed = literals(value)
	case "minValue", "maxValue", "minLength", "maxLength":
		if l, ok := value.(*template.Literal); ok {
			if n, ok := l.Value.(int64); ok {
				out.bounds[call.Name.Name] = &n
			}
		}
	}
}

// literals returns the values of a list's items that are literals.
func literals(x template.Expr) []any {
	l, ok := x.(*template.List)
	if !ok {
		return nil
	}
	var values []any
	for _, item := range l.Items {
		if literal, ok := item.(*template.Literal); ok {
			values = append(values, literal.Value)
		}
	}
	return values
}

// constrain adds to a type what the decorators say about its values.
func (d decoration) constrain(t *template.Type) {
	t.Secure = t.Secure || d.secure
	if d.allowed != nil {
		t.Allowed = d.allowed
	}
	for name, bound := range map[string]**int64{"minValue": &t.Min, "maxValue": &t.Max, "minLength": &t.MinLength, "maxLength": &t.MaxLength} {
		if d.bounds[name] != nil {
			*bound = d.bounds[name]
		}
	}
}
