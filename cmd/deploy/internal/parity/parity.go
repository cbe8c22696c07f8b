// Package parity compares a Bicep template with a Terraform template that is meant to describe the same system: what they
// ask for, what they make, who may do what, which settings the app gets, and what they give back.
package parity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Difference is something that one template says and the other doesn't, or says otherwise.
type Difference struct {
	// What is what differs, in a few words that stay the same from run to run: "parameter location", "role Reader".
	What string
	// Why says how.
	Why string
	// At is where it stands, in the template that has it or says more.
	At source.Span
}

// Compare returns how two templates differ. It does not matter which of them comes first. Names are the same when they
// differ in case and underscores only.
func Compare(a, b *template.Template) []Difference {
	c := &comparison{}
	c.parameters(a, b)
	c.outputs(a, b)
	c.resources(a, b)
	c.roles(a, b)
	c.settings(a, b)
	slices.SortStableFunc(c.found, func(a, b Difference) int { return cmp.Compare(a.What, b.What) })
	return c.found
}

type comparison struct{ found []Difference }

func (c *comparison) add(at source.Span, what, format string, args ...any) {
	c.found = append(c.found, Difference{What: what, Why: fmt.Sprintf(format, args...), At: at})
}

// key is what names are compared by.
func key(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// pairs calls both for what two lists have under one name, and one for what only one of them has.
func pairs[T any](as, bs []T, name func(T) string, both func(a, b T), one func(T, int)) {
	others := map[string]T{}
	for _, b := range bs {
		others[key(name(b))] = b
	}
	for _, a := range as {
		b, ok := others[key(name(a))]
		delete(others, key(name(a)))
		if ok {
			both(a, b)
		} else {
			one(a, 0)
		}
	}
	for _, b := range bs {
		if _, left := others[key(name(b))]; left {
			one(b, 1)
		}
	}
}

func (c *comparison) parameters(a, b *template.Template) {
	sides := []*template.Template{b, a}
	pairs(a.Parameters, b.Parameters, func(p *template.Parameter) string { return p.Name }, c.parameter, func(p *template.Parameter, from int) {
		c.add(p.At, "parameter "+p.Name, "%s has no such parameter", sides[from].Path)
	})
}

func (c *comparison) parameter(a, b *template.Parameter) {
	for _, trait := range []struct {
		name string
		of   func(*template.Parameter) string
	}{
		{"type", func(p *template.Parameter) string { return base(p.Type) }},
		{"secret", func(p *template.Parameter) string { return fmt.Sprint(p.Secure) }},
		{"allowed values", func(p *template.Parameter) string { return values(p.Allowed) }},
		{"least value", func(p *template.Parameter) string { return limit(p.Min) }},
		{"greatest value", func(p *template.Parameter) string { return limit(p.Max) }},
		{"least length", func(p *template.Parameter) string { return limit(p.MinLength) }},
		{"greatest length", func(p *template.Parameter) string { return limit(p.MaxLength) }},
		{"description", func(p *template.Parameter) string { return strings.Join(strings.Fields(p.Description), " ") }},
		{"default", defaultOf},
	} {
		x, y := trait.of(a), trait.of(b)
		if x != y {
			c.add(a.At, "parameter "+a.Name, "%s: %s, and %s at %s", trait.name, orNone(x), orNone(y), b.At)
		}
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func base(t template.Type) string {
	if t.Base == template.Number {
		return string(template.Int)
	}
	return string(t.Base)
}

func values(allowed []any) string {
	var texts []string
	for _, v := range allowed {
		texts = append(texts, template.FormatValue(v))
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

func limit(n *int64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

// defaultOf returns a default as text. Those that are worked out only when the template is deployed can't be compared.
func defaultOf(p *template.Parameter) string {
	if p.Default == nil {
		return ""
	}
	worked := false
	template.Walk(p.Default, func(e template.Expr) bool {
		switch e := e.(type) {
		case *template.Reference, *template.Call:
			worked = true
		case *template.Literal:
			worked = worked || e.Value == nil
		}
		return !worked
	})
	if worked {
		return "worked out"
	}
	return template.Format(p.Default, 1000)
}

func (c *comparison) outputs(a, b *template.Template) {
	sides := []*template.Template{b, a}
	pairs(a.Outputs, b.Outputs, func(o *template.Output) string { return o.Name }, func(x, y *template.Output) {
		if x.Secure != y.Secure {
			c.add(x.At, "output "+x.Name, "it is secret in one template only; the other is at %s", y.At)
		}
	}, func(o *template.Output, from int) {
		c.add(o.At, "output "+o.Name, "%s has no such output", sides[from].Path)
	})
}
