package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/inputs"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/infra"
)

// The environment variables that stand for flags.
const (
	groupVariable   = "HOLDFAST_RESOURCE_GROUP"
	nameVariable    = "HOLDFAST_DEPLOYMENT"
	backendVariable = "HOLDFAST_BACKEND" // several NAME=VALUE with blanks between them
)

// subscriptionVariables are looked at in this order.
var subscriptionVariables = []string{"AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"}

// target is what a command works on: a template, where in Azure it belongs, and what it is given.
type target struct {
	std      streams
	report   *reporter
	template *template.Template
	file     string // the Bicep file that is compiled, or the Terraform folder
	backend  []string

	subscription, group, name string
	inputs                    []*inputs.Input
	azure                     *azure.Client
}

// targetFlags are the flags of all commands that work on a target.
type targetFlags struct {
	subscription, group, name, output string
	set, backend                      list
	noInput                           bool
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

// targetUse is what the usage of such a command says of them.
const targetUse = "[--subscription ID] [--group NAME] [--name DEPLOYMENT] [--set NAME=VALUE]... [--backend NAME=VALUE]... [--no-input] [--output text|json]"

func (f *targetFlags) add(flags *flag.FlagSet) {
	for _, name := range []string{"subscription", "s"} {
		flags.StringVar(&f.subscription, name, "", "")
	}
	for _, name := range []string{"group", "g"} {
		flags.StringVar(&f.group, name, "", "")
	}
	flags.StringVar(&f.name, "name", "", "")
	flags.StringVar(&f.output, "output", "text", "")
	flags.Var(&f.set, "set", "")
	flags.Var(&f.backend, "backend", "")
	flags.BoolVar(&f.noInput, "no-input", false, "")
}

// wants says what of a target a command needs.
type wants struct {
	inputs bool // the template's inputs, all of them
	azure  bool // a client of Azure
}

// wantsOf says what a command needs for a template in a language.
type wantsOf func(template.Language) wants

// always is what a command needs for either language.
func always(w wants) wantsOf { return func(template.Language) wants { return w } }

// open returns what a command works on. For programs an error is an event, too.
func (f *targetFlags) open(ctx context.Context, command string, paths []string, std streams, needs wantsOf) (*target, error) {
	t, err := f.find(ctx, command, paths, std, needs)
	if err != nil && f.output == "json" {
		r := newReporter(std, true)
		r.begin(command)
		r.end(err)
	}
	return t, err
}

// find reads the template at a path and finds or asks for what the command needs. What can't be found is named all at once.
func (f *targetFlags) find(ctx context.Context, command string, paths []string, std streams, needs wantsOf) (*target, error) {
	if len(paths) != 1 {
		return nil, &usageError{command, fmt.Sprintf("%s takes one path, not %d", command, len(paths))}
	}
	if f.output != "text" && f.output != "json" {
		return nil, &usageError{command, fmt.Sprintf("--output is text or json, not %s", f.output)}
	}
	if len(f.backend) == 0 {
		f.backend = strings.Fields(os.Getenv(backendVariable))
	}
	t := &target{std: std, backend: f.backend, report: newReporter(std, f.output == "json")}
	if err := t.read(paths[0]); err != nil {
		return nil, err
	}
	t.subscription = firstOf(f.subscription, lookupAll(subscriptionVariables...))
	t.group = firstOf(f.group, lookupAll(groupVariable))
	t.name = firstOf(f.name, lookupAll(nameVariable), "holdfast")
	w := needs(t.template.Language)
	if err := t.fill(ctx, f, w); err != nil {
		return nil, err
	}
	if !w.azure {
		return t, nil
	}
	o := std.azure
	o.Subscription, o.Group = t.subscription, t.group
	client, err := azure.New(o)
	if err != nil {
		return nil, err
	}
	t.azure = client
	return t, nil
}

func newReporter(std streams, asJSON bool) *reporter {
	out, isFile := std.out.(*os.File)
	_, plain := os.LookupEnv("NO_COLOR")
	return &reporter{w: std.out, json: asJSON, color: isFile && !plain && term.IsTerminal(int(out.Fd())), now: time.Now}
}

// read reads the template. Beside main.bicep its parameter file counts.
func (t *target) read(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if file := filepath.Join(path, "main.bicepparam"); isThere(file) {
			path = file
		}
	} else if file := strings.TrimSuffix(path, ".bicep") + ".bicepparam"; strings.HasSuffix(path, ".bicep") && isThere(file) {
		path = file
	}
	tmpl, err := load(path)
	if err != nil {
		return err
	}
	t.template, t.file = tmpl, tmpl.Path
	if strings.HasSuffix(path, ".bicepparam") {
		t.file = path
	}
	return nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// fill gives the inputs their values: from flags, the environment, or by asking whoever sits there.
func (t *target) fill(ctx context.Context, f *targetFlags, w wants) error {
	t.inputs = inputs.Of(t.template, os.LookupEnv)
	var problems []string
	for _, assignment := range f.set {
		if err := inputs.Set(t.inputs, assignment); err != nil {
			problems = append(problems, err.Error())
		}
	}
	missing := t.missing(w)
	if len(missing) > 0 && !f.noInput && t.std.terminal() {
		if err := ask(ctx, t.std, missing); err != nil {
			return err
		}
		missing = t.missing(w)
	}
	t.shareGroup()
	for _, m := range missing {
		problems = append(problems, m.name+" is not given: "+m.how)
	}
	if w.inputs {
		for _, in := range t.inputs {
			if why := in.Problem(); why != "" {
				problems = append(problems, in.Parameter.Name+": "+why)
			}
		}
		problems = append(problems, t.written()...)
		problems = append(problems, t.plain()...)
		problems = append(problems, t.unnamed()...)
	}
	if len(problems) > 0 {
		return &inputError{problems}
	}
	return nil
}

// groupInput is what Terraform calls the resource group; Azure is told it beside a Bicep template.
const groupInput = "resource_group_name"

// shareGroup gives a template that asks for the resource group the one that the command knows.
func (t *target) shareGroup() {
	if in := inputs.Find(t.inputs, groupInput); in != nil && in.Missing() && t.group != "" {
		_ = inputs.Set(t.inputs, in.Parameter.Name+"="+t.group) // it is there, and no secret
	}
}

// written finds the secrets that Terraform would write into plan and state: those of variables that are not ephemeral.
func (t *target) written() []string {
	var problems []string
	if t.template.Language != template.Terraform {
		return nil
	}
	for _, in := range t.inputs {
		if in.Secret && !in.Parameter.Ephemeral {
			problems = append(problems, in.Parameter.Name+" is a secret that Terraform would write into its plan and its state; make the variable ephemeral")
		}
	}
	return problems
}

// What our templates call the settings of the app that they don't ask for one by one, and the list of the secrets that
// there are of those which the app can do without.
const (
	furtherInput = "moreSettings"
	secretsInput = "furtherSecrets"
)

// reference begins a setting that says where in a vault its value is.
const reference = "@Microsoft.KeyVault("

// plain finds what doesn't belong among further settings: secrets that are written out, where they could be read by
// everybody who may list settings, and settings that the template asks for.
func (t *target) plain() []string {
	in := inputs.Find(t.inputs, furtherInput)
	if in == nil || in.Missing() {
		return nil
	}
	further := map[string]any{}
	_ = json.Unmarshal([]byte(in.Value.Reveal()), &further) // what is no JSON was found before
	var problems []string
	for _, s := range settings.Table() {
		switch {
		case further[s.Name] == nil:
		case infra.NotSet[s.Name] == "":
			problems = append(problems, fmt.Sprintf("%s: %s has a parameter of its own, which counts", in.Parameter.Name, s.Name))
		case s.Secret && !strings.HasPrefix(fmt.Sprint(further[s.Name]), reference):
			problems = append(problems, fmt.Sprintf("%s: %s is a secret and belongs into the vault; what stands here is %sSecretUri=…)", in.Parameter.Name, s.Name, reference))
		}
	}
	return problems
}

// unnamed finds the secrets that the app can do without which are given and not named among those that there are, or named
// and not given.
func (t *target) unnamed() []string {
	list := inputs.Find(t.inputs, secretsInput)
	if list == nil {
		return nil
	}
	var names []string
	_ = json.Unmarshal([]byte(list.Value.Reveal()), &names) // what is no list of names was found before
	var problems []string
	for _, name := range names {
		if !slices.Contains(infra.Further, name) {
			problems = append(problems, fmt.Sprintf("%s: %q is none of %s", list.Parameter.Name, name, strings.Join(infra.Further, ", ")))
		}
	}
	for _, name := range infra.Further {
		in := inputs.Find(t.inputs, name)
		if in == nil {
			continue
		}
		switch given, named := in.Value != "", slices.Contains(names, name); {
		case given && !named:
			problems = append(problems, fmt.Sprintf("%s is given, and %s doesn't name %s: set %s to a JSON list of all such secrets that there are", in.Parameter.Name, list.Parameter.Name, name, list.Shared))
		case named && !given:
			problems = append(problems, fmt.Sprintf("%s names %s, and its value is not given: set %s", list.Parameter.Name, name, in.Shared))
		}
	}
	return problems
}

// question is something that is missing and can be asked for.
type question struct {
	name, how string
	secret    bool
	set       func(string) error // says what is wrong with an answer
}

// missing returns what a command needs and doesn't have.
func (t *target) missing(w wants) []question {
	var all []question
	if w.azure && t.subscription == "" {
		all = append(all, question{"subscription", "use --subscription or set " + subscriptionVariables[0], false, setText(&t.subscription)})
	}
	if w.azure && t.group == "" {
		all = append(all, question{"group", "use --group or set " + groupVariable, false, setText(&t.group)})
	}
	if !w.inputs {
		return all
	}
	t.shareGroup()
	for _, in := range t.inputs {
		if in.Missing() && (in.Parameter.Name != groupInput || !w.azure) {
			all = append(all, questionOf(in))
		}
	}
	return all
}

func questionOf(in *inputs.Input) question {
	how := "set " + in.Variable
	if in.Shared != in.Variable {
		how += " or " + in.Shared
	}
	switch {
	case in.Variable == "":
		how = "the parameter file has to say it"
	case !in.Secret:
		how += ", or use --set " + in.Parameter.Name + "=VALUE"
	}
	if in.Parameter.Description != "" {
		how += " (" + strings.TrimSuffix(strings.Join(strings.Fields(in.Parameter.Description), " "), ".") + ")"
	}
	return question{in.Parameter.Name, how, in.Secret, func(text string) error { return in.Answer(text) }}
}

func setText(to *string) func(string) error {
	return func(text string) error {
		*to = text
		return nil
	}
}

// inputError names everything that is missing or wrong, at once.
type inputError struct{ problems []string }

func (e *inputError) Error() string {
	if len(e.problems) == 1 {
		return e.problems[0]
	}
	return fmt.Sprintf("%d things are missing or wrong:\n  %s", len(e.problems), strings.Join(e.problems, "\n  "))
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func lookupAll(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

func sortedNames[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// output returns an output by its name, which is the same in both languages but for case and underscores.
func output(outputs map[string]string, name string) string {
	for key, value := range outputs {
		if strings.EqualFold(strings.ReplaceAll(key, "_", ""), name) {
			return value
		}
	}
	return ""
}

// running wraps the body of a command so that its begin and its end are told.
func (t *target) running(ctx context.Context, command string, body func(ctx context.Context) error) error {
	t.report.begin(command)
	err := body(ctx)
	t.report.end(err)
	return err
}
