// Package check finds what is wrong with templates that handle secrets and time-outs: a secret that gets out, a key that
// need not be there, a time-out that nobody can set. It works on the neutral model, so on both languages and on anyone's
// templates.
//
// A finding can be accepted where it stands, with a comment that says why:
//
//	deploy:accept RULE because REASON
//
// on its line or the one above.
package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/flow"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/parity"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Finding is something wrong at a place.
type Finding struct {
	Rule    *Rule
	At      source.Span
	Message string // what is wrong here
	// Way is where a secret came from, its origin first.
	Way []flow.Step
	// Private is set when what stands at the place must not be shown.
	Private bool
	// Accepted is the reason why the finding was accepted, or "".
	Accepted string
}

// Run checks a template with all modules that it uses. The findings are in the order of their places.
func Run(root *template.Template) []*Finding {
	c := &checker{seen: map[string]bool{}}
	for _, f := range flow.Follow(root) {
		c.flows(f)
	}
	for _, t := range template.All(root) {
		c.declarations(t)
		c.texts(t)
		c.resources(t)
	}
	c.unbounded(root)
	c.files(root)
	return Sort(c.found)
}

// Twins compares two templates that should say the same.
func Twins(a, b *template.Template) []*Finding {
	c := &checker{seen: map[string]bool{}}
	for _, d := range parity.Compare(a, b) {
		c.add("twins-differ", d.At, "%s: %s", d.What, d.Why)
	}
	return Sort(c.found)
}

// Once removes findings that say the same of the same place, as two templates may use one module.
func Once(findings []*Finding) []*Finding {
	seen := map[string]bool{}
	return slices.DeleteFunc(findings, func(f *Finding) bool {
		key := f.Rule.ID + " " + f.At.String() + " " + f.Message
		again := seen[key]
		seen[key] = true
		return again
	})
}

// Sort puts findings in the order of their places.
func Sort(findings []*Finding) []*Finding {
	slices.SortStableFunc(findings, func(a, b *Finding) int {
		return cmp.Or(strings.Compare(fileOf(a), fileOf(b)), cmp.Compare(a.At.Start, b.At.Start), strings.Compare(a.Rule.ID, b.Rule.ID))
	})
	return findings
}

func fileOf(f *Finding) string {
	if f.At.File == nil {
		return ""
	}
	return f.At.File.Name
}

// checker collects findings, each once.
type checker struct {
	found []*Finding
	seen  map[string]bool
}

func (c *checker) add(rule string, at source.Span, format string, args ...any) *Finding {
	f := &Finding{Rule: RuleOf(rule), At: at, Message: fmt.Sprintf(format, args...)}
	if key := rule + " " + at.String() + " " + f.Message; !c.seen[key] {
		c.seen[key] = true
		c.found = append(c.found, f)
	}
	return f
}

// secret adds a finding about a secret that gets somewhere.
func (c *checker) secret(rule string, at source.Span, s *flow.Secret, where string) {
	c.add(rule, at, "%s gets into %s", s.What, where).Way = s.Way
}
