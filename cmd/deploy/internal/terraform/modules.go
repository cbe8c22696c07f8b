package terraform

import (
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// follow reads the template that a module is, when it is a folder beside this one.
func (u *unit) follow(m *template.Module, a *hcl.Attribute) {
	if a == nil {
		u.problem(m.At, "", "the module %s has no source", m.Name)
		m.NotRead = "its source is not known"
		return
	}
	if !strings.HasPrefix(m.Source, "./") && !strings.HasPrefix(m.Source, "../") {
		m.NotRead = "it is not in this repository"
		return
	}
	at := u.span(a.Expr.Range())
	other, err := u.unit(filepath.Join(u.path, filepath.FromSlash(m.Source)))
	switch {
	case err != nil:
		u.problem(at, "the path is relative to the folder "+u.path, "%v", err)
		m.NotRead = "it can't be read"
	case other.reading:
		u.problem(at, "", "%s uses itself through this folder", m.Source)
		m.NotRead = "it uses itself"
	default:
		m.Template = other.template
		u.bind(m)
	}
}

// bind connects what a module is given with its parameters. What it does not have, and what it lacks, is a problem.
func (u *unit) bind(m *template.Module) {
	given := map[string]bool{}
	for _, a := range m.Arguments {
		given[a.Name] = true
		if a.To = m.Template.Parameter(a.Name); a.To == nil {
			u.problem(a.At, "", "%s has no variable %s", m.Source, a.Name)
		}
	}
	for _, p := range m.Template.Parameters {
		if p.Required() && !given[p.Name] {
			u.problem(m.At, "", "%s needs the variable %s", m.Source, p.Name)
		}
	}
}
