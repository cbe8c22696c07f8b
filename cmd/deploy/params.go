package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/inputs"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// params shows what a template has to be told, in which environment variable, and what it would get.
func params(_ context.Context, args []string, std streams) error {
	flags := newFlags("params")
	asJSON := flags.Bool("json", false, "")
	var set list
	flags.Var(&set, "set", "")
	paths, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(paths) != 1 {
		return &usageError{"params", fmt.Sprintf("params takes one path, not %d", len(paths))}
	}
	t := &target{std: std}
	if err := t.read(paths[0]); err != nil {
		return err
	}
	all := inputs.Of(t.template, os.LookupEnv)
	var problems []string
	for _, assignment := range set {
		if err := inputs.Set(all, assignment); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if *asJSON {
		err = writeParamsJSON(std, all)
	} else {
		err = writeParams(std, all)
	}
	if err != nil {
		return err
	}
	for _, in := range all {
		if why := in.Problem(); why != "" {
			problems = append(problems, in.Parameter.Name+": "+why)
		}
	}
	if len(problems) > 0 {
		return &inputError{problems}
	}
	return nil
}

// shown is an input's value for people: never a secret.
func shown(in *inputs.Input) string {
	switch {
	case in.From == inputs.Nowhere:
		return "(missing)"
	case in.From == inputs.FromFile:
		return "(the parameter file says it)"
	case in.From == inputs.FromDefault && in.Parameter.Default != nil && !in.Secret:
		return template.Format(in.Parameter.Default, 60)
	case in.From == inputs.FromDefault:
		return "(none)"
	case in.Secret:
		return in.Value.String()
	}
	return in.Value.Reveal()
}

func writeParams(std streams, all []*inputs.Input) error {
	var b strings.Builder
	for _, in := range all {
		kind := in.Wanted()
		if in.Secret {
			kind = "secret " + kind
		}
		fmt.Fprintf(&b, "%s = %s\n    %s, %s\n", in.Parameter.Name, shown(in), kind, whence(in))
		if in.Parameter.Description != "" {
			fmt.Fprintf(&b, "    %s\n", strings.Join(strings.Fields(in.Parameter.Description), " "))
		}
	}
	_, err := fmt.Fprint(std.out, b.String())
	return err
}

// whence says where a value comes from, and where it could.
func whence(in *inputs.Input) string {
	names := in.Variable
	if in.Shared != in.Variable {
		names += " or " + in.Shared
	}
	switch {
	case in.Variable == "":
		return "not from the environment"
	case in.From == inputs.FromEnv:
		return "from the environment: " + names
	case in.From == inputs.FromFlag:
		return "from --set; otherwise from " + names
	}
	return "set " + names
}

// paramJSON is an input as JSON.
type paramJSON struct {
	Name        string      `json:"name"`
	Variable    string      `json:"variable,omitempty"`
	Shared      string      `json:"shared,omitempty"`
	Secret      bool        `json:"secret,omitempty"`
	Required    bool        `json:"required,omitempty"`
	From        inputs.From `json:"from,omitempty"`
	Value       string      `json:"value,omitempty"`
	Wanted      string      `json:"wanted"`
	Description string      `json:"description,omitempty"`
}

func writeParamsJSON(std streams, all []*inputs.Input) error {
	out := []paramJSON{}
	for _, in := range all {
		j := paramJSON{Name: in.Parameter.Name, Variable: in.Variable, Shared: in.Shared, Secret: in.Secret, Required: !in.Optional, From: in.From,
			Wanted: in.Wanted(), Description: strings.Join(strings.Fields(in.Parameter.Description), " ")}
		if in.From == inputs.FromEnv || in.From == inputs.FromFlag {
			j.Value = shown(in)
		}
		out = append(out, j)
	}
	encoder := json.NewEncoder(std.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Version    int         `json:"version"`
		Parameters []paramJSON `json:"parameters"`
	}{1, out})
}
