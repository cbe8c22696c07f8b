// Package flow follows secrets through a template: from where they come in, through variables, strings, objects, loops,
// functions and modules, to every place that a value ends up in.
//
// The analysis is about what a value is made of. A secret that is only asked about (is it empty, is it this or that) does
// not flow on, as then nobody can read it from the result. Objects and lists are followed part by part, so that
// login.user is no secret because login.password is one. Each use of a module is followed by itself.
package flow

import (
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Secret is a secret on its way.
type Secret struct {
	// What names it in a few words: "the secure parameter apiKey", "the result of listKeys".
	What string
	// Kind says how it came in.
	Kind Kind
	// Way is where it has been, from its origin on. Each step names the place and what it is there.
	Way []Step
}

// Kind says how a secret comes into a template.
type Kind string

// The kinds of secrets.
const (
	Parameter Kind = "parameter" // a secure parameter, a sensitive variable, or a part of one
	Listed    Kind = "listed"    // the result of a list… function
	Vault     Kind = "vault"     // read from a vault
	Attribute Kind = "attribute" // what Terraform tells of a resource, such as its keys
	Output    Kind = "output"    // a secure output of a module
	Marked    Kind = "marked"    // sensitive(…)
)

// Step is a place on a secret's way.
type Step struct {
	At   source.Span
	What string
}

// Taint is what of a value is secret: all of it, parts by name, or the items of a list. A nil Taint is of a value
// without secrets.
type Taint struct {
	all    []*Secret
	fields map[string]*Taint
	items  *Taint // of a list, or of an object's properties whose names are not known
}

// Secrets returns every secret in a value, each once.
func (t *Taint) Secrets() []*Secret {
	var found []*Secret
	t.collect(&found)
	return found
}

func (t *Taint) collect(found *[]*Secret) {
	if t == nil {
		return
	}
	for _, s := range t.all {
		if !slices.ContainsFunc(*found, func(o *Secret) bool { return o.What == s.What && o.origin() == s.origin() }) {
			*found = append(*found, s)
		}
	}
	for _, name := range sortedKeys(t.fields) {
		t.fields[name].collect(found)
	}
	t.items.collect(found)
}

func (s *Secret) origin() source.Span { return s.Way[0].At }

// field returns what is secret of a property.
func (t *Taint) field(name string) *Taint {
	if t == nil {
		return nil
	}
	return merge(&Taint{all: t.all}, t.fields[name], t.items)
}

// item returns what is secret of any item, or any property.
func (t *Taint) item() *Taint {
	if t == nil {
		return nil
	}
	parts := []*Taint{{all: t.all}, t.items}
	for _, name := range sortedKeys(t.fields) {
		parts = append(parts, t.fields[name])
	}
	return merge(parts...)
}

// whole returns a taint of everything with the secrets of a value: they are no longer apart.
func (t *Taint) whole() *Taint {
	if secrets := t.Secrets(); len(secrets) > 0 {
		return &Taint{all: secrets}
	}
	return nil
}

// merge returns what is secret of a value that may be any of several.
func merge(taints ...*Taint) *Taint {
	var out Taint
	for _, t := range taints {
		if t == nil {
			continue
		}
		out.all = append(out.all, t.all...)
		out.items = mergeTwo(out.items, t.items)
		for name, f := range t.fields {
			if out.fields == nil {
				out.fields = map[string]*Taint{}
			}
			out.fields[name] = mergeTwo(out.fields[name], f)
		}
	}
	if out.all == nil && out.items == nil && out.fields == nil {
		return nil
	}
	return &out
}

func mergeTwo(a, b *Taint) *Taint {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return merge(a, b)
}

// via returns a taint whose secrets have come one step further.
func (t *Taint) via(at source.Span, what string) *Taint {
	if t == nil {
		return nil
	}
	out := &Taint{items: t.items.via(at, what)}
	for _, s := range t.all {
		moved := *s
		moved.Way = append(slices.Clip(s.Way), Step{At: at, What: what})
		out.all = append(out.all, &moved)
	}
	for name, f := range t.fields {
		if out.fields == nil {
			out.fields = map[string]*Taint{}
		}
		out.fields[name] = f.via(at, what)
	}
	return out
}

func secret(kind Kind, at source.Span, what string) *Taint {
	return &Taint{all: []*Secret{{What: what, Kind: kind, Way: []Step{{At: at, What: what}}}}}
}

func items(t *Taint) *Taint {
	if t == nil {
		return nil
	}
	return &Taint{items: t}
}

// Frame is one use of a template: the root, or a module in the place where it is used.
type Frame struct {
	Template *template.Template
	// Module is the use, and Outer where it is; both are nil for the root.
	Module *template.Module
	Outer  *Frame

	root      *analysis
	arguments map[*template.Parameter]*template.Argument
	inner     map[*template.Module]*Frame
	known     map[any]*Taint // of variables, parameters and outputs that were asked for before
	busy      map[any]bool
}

// analysis is what all frames share.
type analysis struct{ frames []*Frame }

// Follow prepares a template. The frames are the root's and one for each use of a module that was read, outer ones first.
func Follow(root *template.Template) []*Frame {
	a := &analysis{}
	a.frame(root, nil, nil, 0)
	return a.frames
}

// The deepest nesting of modules that is followed.
const deepestModule = 20

func (a *analysis) frame(t *template.Template, m *template.Module, outer *Frame, depth int) *Frame {
	f := &Frame{
		Template: t, Module: m, Outer: outer, root: a, arguments: map[*template.Parameter]*template.Argument{},
		inner: map[*template.Module]*Frame{}, known: map[any]*Taint{}, busy: map[any]bool{},
	}
	a.frames = append(a.frames, f)
	if m != nil {
		for _, argument := range m.Arguments {
			if argument.To != nil {
				f.arguments[argument.To] = argument
			}
		}
	}
	for _, inner := range t.Modules {
		if inner.Template != nil && depth < deepestModule {
			f.inner[inner] = a.frame(inner.Template, inner, f, depth+1)
		}
	}
	return f
}

// Of returns what is secret of an expression that stands in the frame's template, outside of functions and lambdas.
func (f *Frame) Of(e template.Expr) *Taint { return f.eval(nil, e) }

// once evaluates what has a name the first time it is asked for. A name that leads to itself has no secrets of its own.
func (f *Frame) once(key any, evaluate func() *Taint) *Taint {
	if t, ok := f.known[key]; ok || f.busy[key] {
		return t
	}
	f.busy[key] = true
	t := evaluate()
	f.known[key] = t
	delete(f.busy, key)
	return t
}
