// Package trace follows a setting on its way: from what a deployment is told, through the parameters of a template, for a
// secret through the vault, to the app's setting, and on to the lines of Go that read it.
package trace

import (
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/inputs"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/parity"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Kind says what a step is.
type Kind string

// The kinds of steps, in the order in which a value meets them.
const (
	Input     Kind = "input"     // an environment variable of whoever deploys
	Default   Kind = "default"   // what holds when nobody says anything
	Parameter Kind = "parameter" // of a template or of a module
	Variable  Kind = "variable"
	Vault     Kind = "vault"   // a secret in the vault
	Output    Kind = "output"  // of a module
	Setting   Kind = "setting" // of the app
	App       Kind = "app"     // the resource that gives the setting to the app
	Declared  Kind = "declared"
	Read      Kind = "read" // a line of code
)

// Holds says what is at a step.
type Holds string

// The value itself, a secret itself, only where a secret is, or only which of several values it is.
const (
	Value     Holds = "value"
	Secret    Holds = "secret"
	Address   Holds = "address"
	Condition Holds = "condition"
)

// Step is a place on the way.
type Step struct {
	Kind  Kind        `json:"kind"`
	Name  string      `json:"name"`
	Holds Holds       `json:"holds"`
	At    source.Span `json:"at"`
	Note  string      `json:"note,omitempty"` // a few words for people
}

// Way is the way of a setting through a template, the first step first.
type Way struct {
	Template string            `json:"template"`
	Language template.Language `json:"language"`
	Steps    []Step            `json:"steps"`
}

// Follow returns the way of a setting through a template, or nil if the template doesn't set it.
func Follow(root *template.Template, setting string) *Way {
	s, ok := parity.Settings(root)[setting]
	if !ok {
		return nil
	}
	f := &follower{arguments: parity.Arguments(root), inputs: inputs.Of(root, func(string) (string, bool) { return "", false }), root: root, seen: map[any]bool{}}
	f.expr(s.Value)
	f.add(Step{Setting, setting, Value, s.At, template.Format(s.Value, longestNote)})
	for _, r := range s.On {
		f.add(Step{App, r.Name, Value, r.At, r.Type})
	}
	return &Way{root.Path, root.Language, holding(f.steps)}
}

const longestNote = 90

// follower goes back from a setting to where its value comes from, and notes the steps in the order of the value.
type follower struct {
	root      *template.Template
	arguments map[*template.Parameter][]template.Expr
	inputs    []*inputs.Input
	seen      map[any]bool
	asking    bool // it follows a condition
	steps     []Step
}

func (f *follower) add(s Step) {
	if f.asking {
		s.Holds = Condition
	}
	f.steps = append(f.steps, s)
}

// once reports whether something is met for the first time, so that what leads to itself comes to an end.
func (f *follower) once(what any) bool {
	was := f.seen[what]
	f.seen[what] = true
	return !was
}

// expr follows everything that a value is made of.
func (f *follower) expr(e template.Expr) {
	template.Walk(e, func(x template.Expr) bool {
		switch x := x.(type) {
		case *template.Access:
			return !f.access(x)
		case *template.Choice:
			f.condition(x.If)
			f.expr(x.Then)
			f.expr(x.Else)
			return false
		case *template.Reference:
			f.reference(x)
		}
		return true
	})
}

// condition follows what is asked to choose a value.
func (f *follower) condition(e template.Expr) {
	before := f.asking
	f.asking = true
	f.expr(e)
	f.asking = before
}

// access follows an output of a module, or a property of a secret in the vault. It reports whether it was one.
func (f *follower) access(x *template.Access) bool {
	to, path := template.PathOf(x)
	switch to := to.(type) {
	case *template.Module:
		f.output(to, path)
		return true
	case *template.Resource:
		f.resource(to)
		return true
	}
	return false
}

func (f *follower) output(m *template.Module, path []string) {
	if m.Template == nil || len(path) == 0 {
		return
	}
	for _, o := range m.Template.Outputs {
		if slices.Contains(path, o.Name) && f.once(o) {
			f.expr(o.Value)
			f.add(Step{Output, o.Name, Value, o.At, "of " + m.Template.Path})
		}
	}
}

// vaultSecrets are the types of secrets in a vault.
var vaultSecrets = []string{"Microsoft.KeyVault/vaults/secrets", "azurerm_key_vault_secret"}

// resource follows what a secret in the vault is given. What other resources tell is no part of the value.
func (f *follower) resource(r *template.Resource) {
	if !slices.Contains(vaultSecrets, r.Type) || r.Existing || !f.once(r) {
		return
	}
	properties, _ := r.Body.Get("properties").(*template.Object)
	for _, e := range []template.Expr{properties.Get("value"), r.Body.Get("value_wo"), r.Body.Get("value")} {
		f.expr(e)
	}
	name, _ := template.StringOf(template.Resolve(orNothing(r.Body.Get("name"))))
	f.add(Step{Vault, name, Secret, r.At, "the secret itself goes no further; only where it is"})
}

func orNothing(e template.Expr) template.Expr {
	if e == nil {
		return &template.Missing{}
	}
	return e
}

func (f *follower) reference(x *template.Reference) {
	switch to := x.To.(type) {
	case *template.Resource:
		f.resource(to)
	case *template.Variable:
		if f.once(to) {
			f.expr(to.Value)
			f.add(Step{Variable, to.Name, Value, to.At, ""})
		}
	case *template.Parameter:
		f.parameter(to)
	}
}

func (f *follower) parameter(p *template.Parameter) {
	if !f.once(p) {
		return
	}
	for _, a := range f.arguments[p] {
		f.expr(a)
	}
	if f.root.Parameter(p.Name) == p {
		f.input(p)
	}
	holds := Value
	if p.HasSecret() {
		holds = Secret
	}
	f.add(Step{Parameter, p.Name, holds, p.At, noteOf(p)})
}

// noteOf says what a parameter is like.
func noteOf(p *template.Parameter) string {
	in := &inputs.Input{Parameter: p}
	notes := []string{in.Wanted()}
	switch {
	case p.HasSecret() && p.Ephemeral:
		notes = append(notes, "secret, and in neither plan nor state")
	case p.HasSecret():
		notes = append(notes, "secret")
	}
	return strings.Join(notes, ", ")
}

// input notes what a root parameter gets its value from.
func (f *follower) input(p *template.Parameter) {
	in := inputs.Find(f.inputs, p.Name)
	if in == nil {
		return
	}
	holds := Value
	if in.Secret {
		holds = Secret
	}
	if in.Variable != "" {
		name := in.Variable
		if in.Shared != in.Variable {
			name += " or " + in.Shared
		}
		f.add(Step{Input, name, holds, f.argument(p), "in the environment of whoever deploys"})
	}
	if p.Default != nil && !in.Secret {
		f.add(Step{Default, template.Format(p.Default, longestNote), Value, p.Default.Place(), "when nobody says anything"})
	}
}

// argument returns where a parameter file reads a value from the environment.
func (f *follower) argument(p *template.Parameter) source.Span {
	for _, file := range f.root.Files {
		for _, a := range file.Arguments {
			if a.Name == p.Name {
				return a.At
			}
		}
	}
	return source.Span{}
}

// holding says of the steps after the vault that they hold only where the secret is.
func holding(steps []Step) []Step {
	past := false
	for i := range steps {
		if past && steps[i].Holds != Condition {
			steps[i].Holds = Address
		}
		past = past || steps[i].Kind == Vault
	}
	return steps
}
