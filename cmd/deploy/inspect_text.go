package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// The longest expression, type and description that a line shows, in characters.
const (
	longestExpr = 72
	longestType = 32
	longestText = 100
)

// writeText writes a template and all that it uses for people.
func writeText(w io.Writer, root *template.Template) error {
	for i, t := range template.All(root) {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := writeTemplate(w, t); err != nil {
			return err
		}
	}
	return nil
}

func writeTemplate(w io.Writer, t *template.Template) error {
	title := string(t.Language)
	if t.Scope != "" {
		title += ", deployed to a " + t.Scope
	}
	fmt.Fprintf(w, "%s (%s)\n", t.Path, title)
	if t.Description != "" {
		fmt.Fprintf(w, "  %s\n", line(t.Description))
	}
	var err error
	section := func(name string, rows [][]string) {
		if err == nil {
			err = writeSection(w, name, rows)
		}
	}
	section("providers", rows(t.Providers, providerRow))
	section("parameters", rows(t.Parameters, parameterRow))
	section("variables", rows(t.Variables, variableRow))
	section("functions", rows(t.Functions, functionRow))
	section("resources", rows(t.Resources, resourceRow))
	section("modules", rows(t.Modules, moduleRow))
	section("outputs", rows(t.Outputs, outputRow))
	for _, f := range t.Files {
		section("values from "+f.Path, rows(f.Arguments, argumentRow))
	}
	return err
}

func rows[T any](items []T, row func(T) []string) [][]string {
	var out [][]string
	for _, item := range items {
		out = append(out, row(item))
	}
	return out
}

// writeSection writes rows in columns below a name, or nothing when there are none.
func writeSection(w io.Writer, name string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n  %s\n", strings.ToUpper(name[:1])+name[1:])
	var b strings.Builder
	columns := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(columns, "    "+strings.Join(row, "\t"))
	}
	_ = columns.Flush() // a strings.Builder does not fail
	for l := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(l, " \n")); err != nil {
			return err
		}
	}
	return nil
}

func providerRow(p *template.Provider) []string {
	return []string{p.Name, p.Source, p.Version, p.Alias}
}

func parameterRow(p *template.Parameter) []string {
	value := "required"
	switch {
	case p.Default != nil && p.HasSecret():
		value = "has a default"
	case p.Default != nil:
		value = "= " + template.Format(p.Default, longestExpr)
	case p.Nullable:
		value = "optional"
	}
	return []string{p.Name, typeText(p.Type), secrecy(p.Type, p.Ephemeral), bounds(p.Type), value, line(p.Description)}
}

func variableRow(v *template.Variable) []string {
	return []string{v.Name, "= " + template.Format(v.Value, longestExpr)}
}

func functionRow(f *template.Function) []string {
	var parameters []string
	for _, p := range f.Parameters {
		parameters = append(parameters, p.Name)
	}
	return []string{f.Name + "(" + strings.Join(parameters, ", ") + ")", "= " + template.Format(f.Body, longestExpr)}
}

func resourceRow(r *template.Resource) []string {
	typ := r.Type
	if r.APIVersion != "" {
		typ += "@" + r.APIVersion
	}
	var notes []string
	if r.Existing {
		notes = append(notes, "existing")
	}
	if r.Parent != nil {
		notes = append(notes, "in "+r.Parent.Name)
	}
	if r.Ephemeral {
		notes = append(notes, "ephemeral")
	}
	return []string{r.Name, typ, strings.Join(append(notes, occasion(r.Condition, r.Loop)...), ", "), line(r.Description)}
}

func moduleRow(m *template.Module) []string {
	var notes []string
	if m.NotRead != "" {
		notes = append(notes, "not read: "+m.NotRead)
	}
	return []string{m.Name, m.Source, strings.Join(append(notes, occasion(m.Condition, m.Loop)...), ", "), line(m.Description)}
}

func outputRow(o *template.Output) []string {
	return []string{o.Name, typeText(o.Type), secrecy(o.Type, o.Ephemeral), "= " + template.Format(o.Value, longestExpr), line(o.Description)}
}

func argumentRow(a *template.Argument) []string {
	value := "= " + template.Format(a.Value, longestExpr)
	if _, literal := a.Value.(*template.Literal); literal && a.To != nil && a.To.HasSecret() {
		value = "= ***"
	}
	return []string{a.Name, value}
}

// occasion says when, and how often, something is made.
func occasion(condition template.Expr, loop *template.Loop) []string {
	var notes []string
	if condition != nil {
		notes = append(notes, "if "+template.Format(condition, longestExpr))
	}
	switch {
	case loop != nil && loop.Item.Index: // Terraform's count
		notes = append(notes, template.Format(loop.In, longestExpr)+" times")
	case loop != nil:
		notes = append(notes, "for each of "+template.Format(loop.In, longestExpr))
	}
	return notes
}

func typeText(t template.Type) string {
	text := line(t.Text)
	if len([]rune(text)) > longestType {
		return string(t.Base)
	}
	return text
}

func secrecy(t template.Type, ephemeral bool) string {
	switch {
	case t.Secure && ephemeral:
		return "secret, ephemeral"
	case t.Secure:
		return "secret"
	case ephemeral:
		return "ephemeral"
	case t.HasSecret():
		return "holds a secret"
	}
	return ""
}

// bounds says what values are allowed.
func bounds(t template.Type) string {
	var parts []string
	if len(t.Allowed) > 0 {
		var values []string
		for _, v := range t.Allowed {
			values = append(values, template.FormatValue(v))
		}
		parts = append(parts, strings.Join(values, "|"))
	}
	if text := between(t.Min, t.Max); text != "" {
		parts = append(parts, text)
	}
	if text := between(t.MinLength, t.MaxLength); text != "" {
		unit := "characters"
		if t.Base == template.Array {
			unit = "items"
		}
		parts = append(parts, text+" "+unit)
	}
	if t.Pattern != "" {
		parts = append(parts, "like "+t.Pattern)
	}
	return strings.Join(parts, ", ")
}

func between(least, most *int64) string {
	switch {
	case least != nil && most != nil && *least == *most:
		return fmt.Sprint(*least)
	case least != nil && most != nil:
		return fmt.Sprintf("%d to %d", *least, *most)
	case least != nil:
		return fmt.Sprintf("at least %d", *least)
	case most != nil:
		return fmt.Sprintf("at most %d", *most)
	}
	return ""
}

// line makes one line of a text, and not a long one.
func line(text string) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) > longestText {
		return string(r[:longestText-1]) + "…"
	}
	return string(r)
}
