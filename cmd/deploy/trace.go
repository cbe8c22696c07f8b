package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/trace"
	"github.com/seed21523604/holdfast/functions/settings"
)

// traceVersion is the version of the JSON that trace writes. It changes when something is taken away or means something else.
const traceVersion = 1

// traced is the way of a setting, through templates and in the code.
type traced struct {
	Version int          `json:"version"`
	Setting string       `json:"setting"`
	Secret  bool         `json:"secret"`
	Ways    []*trace.Way `json:"ways"`
	Code    []trace.Step `json:"code"`
}

// traceSetting draws the way of a setting: from what a deployment is told to the lines of Go that read it. Without a path it goes
// through both of our templates.
func traceSetting(_ context.Context, args []string, std streams) error {
	flags := newFlags("trace")
	asJSON := flags.Bool("json", false, "")
	asDOT := flags.Bool("dot", false, "")
	app := flags.String("app", "functions", "")
	words, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return &usageError{"trace", "trace wants the name of a setting"}
	}
	paths := words[1:]
	if len(paths) == 0 {
		paths = []string{"infra/bicep", "infra/terraform"}
	}
	t, err := traceThrough(words[0], paths, *app)
	if err != nil {
		return err
	}
	write := writeTrace
	switch {
	case *asJSON:
		write = writeTraceJSON
	case *asDOT:
		write = writeTraceDOT
	}
	if err := write(std.out, t); err != nil {
		return fmt.Errorf("write the way: %w", err)
	}
	return nil
}

// traceThrough follows a setting, whose name may be written in small letters, through templates and code.
func traceThrough(name string, paths []string, app string) (*traced, error) {
	t := &traced{Version: traceVersion, Setting: name, Ways: []*trace.Way{}}
	for _, s := range settings.Table() {
		if strings.EqualFold(s.Name, name) {
			t.Setting, t.Secret = s.Name, s.Secret
		}
	}
	for _, path := range paths {
		to := &target{}
		if err := to.read(path); err != nil {
			return nil, err
		}
		if way := trace.Follow(to.template, t.Setting); way != nil {
			t.Ways = append(t.Ways, way)
		}
	}
	if len(t.Ways) == 0 {
		return nil, &inputError{[]string{fmt.Sprintf("none of %s sets %s; go run ./functions settings lists the settings", strings.Join(paths, ", "), name)}}
	}
	var err error
	t.Code, err = trace.Code(app, t.Setting, t.Secret)
	return t, err
}

// writeTrace draws the way for people, from top to bottom.
func writeTrace(w io.Writer, t *traced) error {
	var b strings.Builder
	kind := "a setting"
	if t.Secret {
		kind = "a secret"
	}
	fmt.Fprintf(&b, "%s, %s\n", t.Setting, kind)
	for _, way := range t.Ways {
		fmt.Fprintf(&b, "\nin %s\n", way.Template)
		writeSteps(&b, way.Steps)
	}
	b.WriteString("\nin the app\n")
	if len(t.Code) == 0 {
		fmt.Fprintf(&b, "  %-9s  %s\n             the Functions host or a library reads it; no line of ours does\n", "read", t.Setting)
	}
	writeSteps(&b, t.Code)
	_, err := io.WriteString(w, b.String())
	return err
}

// holdsWords say what is at a step.
var holdsWords = map[trace.Holds]string{
	trace.Secret:    "the secret itself",
	trace.Address:   "only where the secret is",
	trace.Condition: "only which value it is",
}

func writeSteps(b *strings.Builder, steps []trace.Step) {
	for i, s := range steps {
		again := i > 0 && s.Kind == steps[i-1].Kind && (s.Kind == trace.Read || s.Kind == trace.App)
		if i > 0 && !again && s.Kind != trace.Default {
			b.WriteString("  ↓\n")
		}
		fmt.Fprintf(b, "  %-9s  %s", s.Kind, s.Name)
		if words := holdsWords[s.Holds]; words != "" {
			fmt.Fprintf(b, "   [%s]", words)
		}
		b.WriteString("\n")
		for _, more := range []string{s.Note, s.At.String()} {
			if more != "" {
				fmt.Fprintf(b, "             %s\n", more)
			}
		}
	}
}

func writeTraceJSON(w io.Writer, t *traced) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(t)
}

// writeTraceDOT writes a graph for Graphviz. Steps with the secret itself are red.
func writeTraceDOT(w io.Writer, t *traced) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n  rankdir=TB;\n  node [shape=box];\n", t.Setting)
	fmt.Fprintf(&b, "  env [label=%q, shape=ellipse];\n", t.Setting+"\nin the app's environment")
	for i, way := range t.Ways {
		writeCluster(&b, fmt.Sprintf("t%d_", i), way.Template, way.Steps)
		fmt.Fprintf(&b, "  t%d_%d -> env;\n", i, len(way.Steps)-1)
	}
	if len(t.Code) > 0 {
		writeCluster(&b, "code_", "the app", t.Code)
		b.WriteString("  env -> code_0;\n")
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// writeCluster writes the steps of a way. A default leads where the step before it leads, and each line of code begins at the
// first.
func writeCluster(b *strings.Builder, prefix, label string, steps []trace.Step) {
	fmt.Fprintf(b, "  subgraph %q {\n    label=%q;\n", "cluster_"+prefix, label)
	before := -1
	for i, s := range steps {
		color := ""
		if s.Holds == trace.Secret {
			color = ", color=red"
		}
		fmt.Fprintf(b, "    %s%d [label=%q%s];\n", prefix, i, strings.TrimSpace(string(s.Kind)+" "+s.Name+"\n"+s.At.String()), color)
		switch {
		case s.Kind == trace.Default:
			fmt.Fprintf(b, "    %s%d -> %s%d [style=dashed];\n", prefix, i, prefix, min(i+1, len(steps)-1))
			continue
		case s.Kind == trace.Read && before >= 0:
			fmt.Fprintf(b, "    %s%d -> %s%d;\n", prefix, before, prefix, i)
			continue
		case before >= 0:
			fmt.Fprintf(b, "    %s%d -> %s%d;\n", prefix, before, prefix, i)
		}
		before = i
	}
	b.WriteString("  }\n")
}
