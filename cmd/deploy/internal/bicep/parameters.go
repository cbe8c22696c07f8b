package bicep

import (
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// parameters reads a parameter file and the template that it is for. When that is not known the template is empty.
func (r *reader) parameters(src *source.File) *template.Template {
	p := &parameterFile{ParameterFile: template.ParameterFile{Path: src.Name}}
	r.assignments(src, p)
	if p.used == nil {
		p.used = &template.Template{Language: template.Bicep, Path: src.Name}
	} else {
		r.bind(p)
	}
	p.used.Files = append(p.used.Files, &p.ParameterFile)
	return p.used
}

// parameterFile is a parameter file on its way, together with those that it extends.
type parameterFile struct {
	template.ParameterFile
	used *template.Template
}

// assignments reads what a parameter file, after those that it extends, gives to the parameters.
func (r *reader) assignments(src *source.File, p *parameterFile) {
	u := r.open(src)
	for _, s := range u.file.Statements {
		u.declare(s)
		if n, ok := s.(*syntax.Extends); ok {
			u.extend(n, p)
		}
	}
	for _, s := range u.file.Statements {
		u.assign(s, p)
	}
	p.Variables = append(p.Variables, u.template.Variables...)
}

// extend reads the file that a parameter file extends.
func (u *unit) extend(n *syntax.Extends, p *parameterFile) {
	src := u.beside(n.Path)
	switch {
	case src == nil:
	case u.units[src.Name] != nil:
		u.problem(u.file.Span(n.Path), "", "this file extends itself")
	default:
		u.assignments(src, p)
		u.scope.names["base"] = symbol{}
	}
}

// assign reads a statement of a parameter file.
func (u *unit) assign(s syntax.Statement, p *parameterFile) {
	switch n := s.(type) {
	case *syntax.Using:
		if n.Path == nil {
			return
		}
		if other, _ := u.other(n.Path); other != nil {
			p.used = other.template
		}
	case *syntax.Assignment:
		v := u.made[n].(*template.Variable)
		v.Value = u.expr(u.scope, n.Value)
		a := &template.Argument{At: v.At, Name: v.Name, Value: v.Value}
		before := slices.IndexFunc(p.Arguments, func(b *template.Argument) bool { return b.Name == a.Name })
		if before < 0 {
			p.Arguments = append(p.Arguments, a)
		} else {
			p.Arguments[before] = a
		}
	default:
		u.define(s)
	}
}

// bind connects the values with the parameters of the template. A value for one that it doesn't have is a problem.
func (r *reader) bind(p *parameterFile) {
	for _, a := range p.Arguments {
		if a.To = p.used.Parameter(a.Name); a.To == nil {
			r.problem(a.At, "", "%s has no parameter %s", p.used.Path, a.Name)
		}
	}
}
