// Package inputs knows what a template has to be told before it can be deployed, in which environment variable its tool looks
// for each value, and whether a value will do. All that is wrong or missing is found at once, before any tool is run.
package inputs

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/functions/settings"
)

// From says where a value comes from.
type From string

// The places, and none.
const (
	Nowhere     From = ""
	FromDefault From = "default"
	FromFile    From = "file"
	FromEnv     From = "environment"
	FromFlag    From = "flag"
	FromAsked   From = "asked"
)

// Input is one value that a template takes.
type Input struct {
	Parameter *template.Parameter
	// Variable is the environment variable in which the tool looks for the value: TF_VAR_name for Terraform, and what the
	// parameter file reads for Bicep. It is empty when a file says the value itself.
	Variable string
	// Shared is a variable of one name for both languages, which counts when Variable is not set.
	Shared string
	// Secret values are hidden by their type; the others are only kept in it.
	Secret bool
	Value  settings.Secret
	From   From
	// Optional inputs need no value, as the template has one.
	Optional bool
}

// Of returns the inputs of a template in the order of its parameters, with the values that the environment has.
func Of(t *template.Template, lookup func(string) (string, bool)) []*Input {
	file := givenBy(t)
	var all []*Input
	for _, p := range t.Parameters {
		in := &Input{Parameter: p, Secret: p.HasSecret(), Optional: !p.Required()}
		switch g, isGiven := file[p.Name]; {
		case isGiven && g.name == "":
			in.From = FromFile
		case isGiven:
			in.Variable, in.Shared, in.Optional = g.name, g.name, g.optional
		case t.Language == template.Terraform:
			in.Variable, in.Shared = "TF_VAR_"+p.Name, "HOLDFAST_"+upper(p.Name)
		case len(t.Files) == 0:
			in.Variable, in.Shared = "HOLDFAST_"+upper(p.Name), "HOLDFAST_"+upper(p.Name)
		}
		in.find(lookup)
		all = append(all, in)
	}
	return all
}

// find looks for the value in the environment.
func (in *Input) find(lookup func(string) (string, bool)) {
	for _, name := range []string{in.Variable, in.Shared} {
		if value, ok := lookup(name); ok && value != "" {
			in.Value, in.From = settings.Secret(value), FromEnv
			return
		}
	}
	if in.Optional && in.From == Nowhere {
		in.From = FromDefault
	}
}

// given is what a parameter file says of a parameter.
type given struct {
	name     string // of the environment variable; "" when the file says the value itself
	optional bool
}

// givenBy returns what the parameter files of a template say, by parameter.
func givenBy(t *template.Template) map[string]given {
	out := map[string]given{}
	for _, f := range t.Files {
		for _, a := range f.Arguments {
			out[a.Name] = readBy(a.Value)
		}
	}
	return out
}

// readBy returns the environment variable that a value in a .bicepparam file is read from.
func readBy(value template.Expr) given {
	g := given{optional: true}
	template.Walk(value, func(e template.Expr) bool {
		call, ok := e.(*template.Call)
		if ok && call.Name == "readEnvironmentVariable" && len(call.Args) > 0 {
			g.name, _ = template.StringOf(call.Args[0])
			g.optional = len(call.Args) > 1
		}
		return true
	})
	return g
}

// upper turns publicBaseUrl and public_base_url into PUBLIC_BASE_URL.
func upper(name string) string {
	var b strings.Builder
	before := '_'
	for _, r := range name {
		if unicode.IsUpper(r) && before != '_' && !unicode.IsUpper(before) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
		before = r
	}
	return b.String()
}

// Set gives the input of a name a value from the command line. A secret is refused, as a command line is no place for one.
func Set(all []*Input, assignment string) error {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fmt.Errorf("-set %s: it looks like NAME=VALUE", name)
	}
	in := Find(all, name)
	switch {
	case in == nil:
		return fmt.Errorf("-set %s: the template has no such parameter", name)
	case in.Secret:
		return fmt.Errorf("-set %s: it is a secret, and every process can read a command line; put it into the environment as %s", in.Parameter.Name, in.Variable)
	case in.Variable == "":
		return fmt.Errorf("-set %s: the parameter file says it", in.Parameter.Name)
	}
	in.Value, in.From = settings.Secret(value), FromFlag
	return nil
}

// Find returns the input of a name, which is the same however it is written: taskHubName, task_hub_name.
func Find(all []*Input, name string) *Input {
	key := strings.ToLower(strings.ReplaceAll(name, "_", ""))
	for _, in := range all {
		if strings.ToLower(strings.ReplaceAll(in.Parameter.Name, "_", "")) == key {
			return in
		}
	}
	return nil
}

// Missing reports whether the input needs a value and has none.
func (in *Input) Missing() bool { return in.From == Nowhere }

// Environment returns what the tool must find in its environment, NAME=VALUE.
func Environment(all []*Input) []string {
	var out []string
	for _, in := range all {
		if in.Variable != "" && (in.From == FromEnv || in.From == FromFlag || in.From == FromAsked) {
			out = append(out, in.Variable+"="+in.Value.Reveal())
		}
	}
	return out
}

// Export puts variables, NAME=VALUE, into this process's own environment, for tools that take no other, and returns what
// undoes it.
func Export(env []string) (undo func(), err error) {
	type old struct {
		name, value string
		was         bool
	}
	var before []old
	undo = func() {
		for _, o := range before {
			if o.was {
				_ = os.Setenv(o.name, o.value) // it was accepted before
			} else {
				_ = os.Unsetenv(o.name)
			}
		}
	}
	for _, assignment := range env {
		name, value, _ := strings.Cut(assignment, "=")
		was, ok := os.LookupEnv(name)
		before = append(before, old{name, was, ok})
		if err := os.Setenv(name, value); err != nil {
			undo()
			return nil, fmt.Errorf("give %s to the tool: %w", name, err)
		}
	}
	return undo, nil
}

// Secrets returns the values that must not be shown.
func Secrets(all []*Input) []string {
	var out []string
	for _, in := range all {
		if in.Secret && in.Value != "" {
			out = append(out, in.Value.Reveal())
		}
	}
	return out
}

// Answer gives the input what somebody typed, and returns what is wrong with it.
func (in *Input) Answer(text string) error {
	before := *in
	in.Value, in.From = settings.Secret(text), FromAsked
	if why := in.Problem(); why != "" {
		*in = before
		return errors.New(why)
	}
	return nil
}
