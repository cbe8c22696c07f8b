package template

import (
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// Walk visits every expression of a template, as the function Walk does, without the modules that it uses.
func (t *Template) Walk(visit func(Expr) bool) {
	walk := func(es ...Expr) {
		for _, e := range es {
			Walk(e, visit)
		}
	}
	for _, p := range t.Parameters {
		walk(p.Default)
	}
	for _, v := range t.Variables {
		walk(v.Value)
	}
	for _, f := range t.Functions {
		walk(f.Body)
	}
	for _, r := range t.Resources {
		walk(r.Condition, r.Scope, loopOf(r.Loop), r.Body)
	}
	for _, m := range t.Modules {
		walk(m.Condition, m.Scope, loopOf(m.Loop))
		for _, a := range m.Arguments {
			walk(a.Value)
		}
		if m.Extra != nil {
			walk(m.Extra)
		}
	}
	for _, o := range t.Outputs {
		walk(o.Value)
	}
}

func loopOf(l *Loop) Expr {
	if l == nil {
		return nil
	}
	return l.In
}

// UnknownOutputs calls report for every use of an output that a module doesn't have.
func (t *Template) UnknownOutputs(report func(at source.Span, m *Module, name string)) {
	t.Walk(func(e Expr) bool {
		output, ok := e.(*Access)
		if !ok {
			return true
		}
		outputs, ok := output.Base.(*Access)
		if !ok {
			return true
		}
		name, known := StringOf(output.Key)
		word, _ := StringOf(outputs.Key)
		m := moduleOf(outputs.Base)
		if known && word == "outputs" && m != nil && m.Template != nil && !m.Template.has(name) {
			report(output.Key.Place(), m, name)
		}
		return true
	})
}

// moduleOf returns the module that an expression is, or that it is an item of.
func moduleOf(e Expr) *Module {
	switch e := e.(type) {
	case *Reference:
		m, _ := e.To.(*Module)
		return m
	case *Access:
		if word, _ := StringOf(e.Key); word != "outputs" {
			return moduleOf(e.Base)
		}
	}
	return nil
}

func (t *Template) has(output string) bool {
	return slices.ContainsFunc(t.Outputs, func(o *Output) bool { return o.Name == output })
}
