// Package bicep reads Bicep templates and parameter files, with the modules and imports they are made of, into the model
// of package template.
package bicep

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Read reads the template at a path. The path of a parameter file gives the template that it is for, with the file. Local
// modules and imports are followed; those of a registry are not, and say so.
//
// The error is one of package os when the file itself can't be read. When something in it, or in what it uses, is wrong
// the error is [source.Problems], and the template is there all the same with what could be understood.
func Read(path string) (*template.Template, error) {
	src, err := source.Read(path)
	if err != nil {
		return nil, err
	}
	r := &reader{units: map[string]*unit{}}
	if strings.HasSuffix(path, syntax.ParametersSuffix) {
		return r.parameters(src), r.problems.Sort().Err()
	}
	return r.unit(src).template, r.problems.Sort().Err()
}

// reader reads a template with all that it uses, each file once.
type reader struct {
	units    map[string]*unit // by path
	problems source.Problems
}

// unit is a file on its way from a tree to a template.
type unit struct {
	*reader
	file     *syntax.File
	template *template.Template
	scope    *scope
	types    map[string]*namedType
	made     map[syntax.Node]any           // what each declaration was made into
	nested   map[*template.Resource]*scope // the resources inside a resource
	reading  bool                          // to find circles
}

func (r *reader) problem(at source.Span, hint, format string, args ...any) {
	r.problems = append(r.problems, source.Problem{Span: at, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// unit reads a file, or returns what was read of it before.
func (r *reader) unit(src *source.File) *unit {
	if u := r.units[filepath.Clean(src.Name)]; u != nil {
		return u
	}
	u := r.open(src)
	u.template.Scope = "resourceGroup"
	u.read()
	u.reading = false
	return u
}

// open begins to read a file.
func (r *reader) open(src *source.File) *unit {
	u := &unit{
		reader: r, file: syntax.Parse(src), scope: newScope(nil), types: map[string]*namedType{},
		made: map[syntax.Node]any{}, nested: map[*template.Resource]*scope{}, reading: true,
		template: &template.Template{Language: template.Bicep, Path: src.Name},
	}
	r.units[filepath.Clean(src.Name)] = u
	r.problems = append(r.problems, u.file.Problems...)
	return u
}

// read makes the template in two passes, as a name may be used above the line that declares it.
func (u *unit) read() {
	for _, s := range u.file.Statements {
		u.declare(s)
	}
	for _, s := range u.file.Statements {
		u.define(s)
	}
	u.template.UnknownOutputs(func(at source.Span, m *template.Module, name string) {
		u.problem(at, "", "%s has no output %s", m.Source, name)
	})
}

// other reads the template that a string names, relative to this file. It returns nil with the reason if there is nothing
// to be read.
func (u *unit) other(path syntax.Expr) (other *unit, why string) {
	name := u.whole(path)
	switch {
	case name == "":
		return nil, "its path is not known"
	case strings.Contains(name, ":"):
		return nil, "it is in a registry"
	case !strings.HasSuffix(name, ".bicep"):
		return nil, "it is not Bicep"
	}
	src := u.beside(path)
	if src == nil {
		return nil, "it can't be read"
	}
	other = u.unit(src)
	if other.reading {
		u.problem(u.file.Span(path), "", "%s uses itself through this file", name)
		return nil, "it uses itself"
	}
	return other, ""
}

// beside returns the file that a string names, relative to this one. It returns nil after noting that it can't be read.
func (u *unit) beside(path syntax.Expr) *source.File {
	folder := filepath.Dir(u.file.Source.Name)
	src, err := source.Read(filepath.Join(folder, filepath.FromSlash(u.whole(path))))
	if err != nil {
		u.problem(u.file.Span(path), "the path is relative to the folder "+folder, "%v", err)
		return nil
	}
	return src
}

// whole returns the text of a string without holes, or "".
func (u *unit) whole(x syntax.Expr) string {
	if s, ok := x.(*syntax.String); ok {
		text, _ := s.Whole()
		return text
	}
	return ""
}

func (u *unit) at(n syntax.Node) template.At { return template.At{Span: u.file.Span(n)} }
