package flow

import (
	"maps"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// scope is what the names of functions, lambdas and loops stand for.
type scope struct {
	outer *scope
	names map[*template.Local]*Taint
}

func (s *scope) find(l *template.Local) (*Taint, bool) {
	for ; s != nil; s = s.outer {
		if t, ok := s.names[l]; ok {
			return t, true
		}
	}
	return nil, false
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// eval returns what is secret of an expression.
func (f *Frame) eval(s *scope, e template.Expr) *Taint {
	switch e := e.(type) {
	case *template.Text:
		return f.wholes(s, e.Parts)
	case *template.Reference:
		return f.reference(s, e)
	case *template.Access:
		return f.access(s, e)
	case *template.Call:
		return f.call(s, e)
	case *template.Operation:
		return f.operation(s, e)
	case *template.Choice:
		return merge(f.eval(s, e.Then), f.eval(s, e.Else))
	case *template.Object:
		return f.object(s, e)
	case *template.List:
		return f.list(s, e)
	case *template.Loop:
		return f.loop(s, e)
	case *template.Spread:
		return f.eval(s, e.X)
	}
	return nil
}

// wholes returns what is secret of a value that several are mixed into.
func (f *Frame) wholes(s *scope, es []template.Expr) *Taint {
	var out *Taint
	for _, e := range es {
		out = mergeTwo(out, f.eval(s, e).whole())
	}
	return out
}

// questions are the operators whose results tell something of their operands and are not made of them.
const questions = " == != =~ !~ < <= > >= && || ! "

func (f *Frame) operation(s *scope, e *template.Operation) *Taint {
	switch {
	case e.Op == "??":
		return merge(f.eval(s, e.Args[0]), f.eval(s, e.Args[1]))
	case strings.Contains(questions, " "+e.Op+" "):
		return nil
	}
	return f.wholes(s, e.Args)
}

func (f *Frame) object(s *scope, e *template.Object) *Taint {
	var out *Taint
	for _, m := range e.Members {
		value := f.eval(s, m.Value)
		_, spread := m.Value.(*template.Spread)
		switch {
		case spread:
		case m.Key != nil:
			value = mergeTwo(f.eval(s, m.Key).whole(), items(value))
		case value != nil:
			value = &Taint{fields: map[string]*Taint{m.Name: value}}
		}
		out = mergeTwo(out, value)
	}
	return out
}

func (f *Frame) list(s *scope, e *template.List) *Taint {
	var out *Taint
	for _, item := range e.Items {
		value := f.eval(s, item)
		if _, spread := item.(*template.Spread); !spread {
			value = items(value)
		}
		out = mergeTwo(out, value)
	}
	return out
}

// loop returns what is secret of a list or object that a loop makes.
func (f *Frame) loop(s *scope, e *template.Loop) *Taint {
	in := f.eval(s, e.In)
	inside := &scope{outer: s, names: map[*template.Local]*Taint{e.Item: in.item()}}
	out := items(f.eval(inside, e.Body))
	if e.Key != nil {
		out = mergeTwo(out, f.eval(inside, e.Key).whole())
	}
	return out
}

func (f *Frame) access(s *scope, e *template.Access) *Taint {
	if t, ok := f.attribute(s, e); ok {
		return t
	}
	base := f.eval(s, e.Base)
	if name, ok := template.StringOf(e.Key); ok {
		return base.field(name)
	}
	return base.item()
}

func (f *Frame) reference(s *scope, e *template.Reference) *Taint {
	switch to := e.To.(type) {
	case *template.Local:
		if t, ok := s.find(to); ok {
			return t
		}
		if to.In != nil && !to.Index {
			return f.once(to, func() *Taint { return f.eval(nil, to.In).item() })
		}
	case *template.Variable:
		return f.once(to, func() *Taint {
			return f.eval(nil, to.Value).via(to.At, "the variable "+to.Name)
		})
	case *template.Parameter:
		return f.once(to, func() *Taint { return f.parameter(to) })
	case *template.Module:
		return f.module(to)
	}
	return nil
}

// parameter returns what is secret of a parameter: what it is given, and what its type says.
func (f *Frame) parameter(p *template.Parameter) *Taint {
	what := "the parameter " + p.Name
	var given *Taint
	if a := f.arguments[p]; a != nil {
		given = f.Outer.eval(nil, a.Value).via(p.At, what+" of "+f.Template.Path)
	} else if p.Default != nil {
		given = f.eval(nil, p.Default).via(p.At, what)
	}
	if given != nil {
		return given
	}
	return declared(p, &p.Type, "the secure parameter "+p.Name, 0)
}

// declared returns what a type says is secret.
func declared(p *template.Parameter, t *template.Type, what string, depth int) *Taint {
	if t == nil || depth > 10 {
		return nil
	}
	if t.Secure {
		return secret(Parameter, p.At, what)
	}
	out := merge(items(declared(p, t.Items, what, depth+1)), items(declared(p, t.Rest, what, depth+1)))
	for _, field := range t.Fields {
		if part := declared(p, &field.Type, what+"."+field.Name, depth+1); part != nil {
			out = merge(out, &Taint{fields: map[string]*Taint{field.Name: part}})
		}
	}
	return out
}
