package flow

import (
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Place is where a secret ends up.
type Place struct {
	// Path leads there from the value that was asked about: names of properties, and "[]" for an item.
	Path   []string
	At     source.Span
	Secret *Secret
}

// Places returns where the secrets in a value end up, each in its innermost part.
func (f *Frame) Places(e template.Expr) []Place {
	p := &placer{frame: f}
	p.walk(nil, nil, e)
	return p.found
}

type placer struct {
	frame *Frame
	found []Place
}

func (p *placer) walk(s *scope, path []string, e template.Expr) {
	t := p.frame.eval(s, e)
	if t == nil {
		return
	}
	switch e := e.(type) {
	case *template.Object:
		for _, m := range e.Members {
			p.member(s, path, m)
		}
	case *template.List:
		for _, item := range e.Items {
			if spread, ok := item.(*template.Spread); ok {
				p.walk(s, path, spread.X)
				continue
			}
			p.walk(s, with(path, "[]"), item)
		}
	case *template.Loop:
		inside := &scope{outer: s, names: map[*template.Local]*Taint{e.Item: p.frame.eval(s, e.In).item()}}
		p.walk(inside, with(path, "[]"), e.Body)
	case *template.Choice:
		p.walk(s, path, e.Then)
		p.walk(s, path, e.Else)
	default:
		p.parts(path, e.Place(), t)
	}
}

func (p *placer) member(s *scope, path []string, m *template.Member) {
	spread, ok := m.Value.(*template.Spread)
	switch {
	case ok:
		p.walk(s, path, spread.X)
	case m.Key != nil:
		p.parts(path, m.At, p.frame.eval(s, m.Key).whole())
		p.walk(s, with(path, "[]"), m.Value)
	default:
		p.walk(s, with(path, m.Name), m.Value)
	}
}

// parts finds the secrets of a value that is not written out here, by what is known of its parts.
func (p *placer) parts(path []string, at source.Span, t *Taint) {
	if t == nil {
		return
	}
	for _, secret := range (&Taint{all: t.all}).Secrets() {
		p.found = append(p.found, Place{Path: path, At: at, Secret: secret})
	}
	for _, name := range sortedKeys(t.fields) {
		p.parts(with(path, name), at, t.fields[name])
	}
	p.parts(with(path, "[]"), at, t.items)
}

func with(path []string, name string) []string {
	return append(path[:len(path):len(path)], name)
}
