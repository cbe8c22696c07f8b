package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/infra"
)

// foundError says that a command found something. What it is was written already.
type foundError struct{ text string }

func (e *foundError) Error() string { return e.text }

// checkTemplates checks templates, with -twins also against each other, and with -app the code that their settings are for.
func checkTemplates(_ context.Context, args []string, std streams) error {
	flags := newFlags("check")
	twins := flags.Bool("twins", false, "")
	asJSON := flags.Bool("json", false, "")
	asSARIF := flags.Bool("sarif", false, "")
	app := flags.String("app", "", "")
	rules := flags.Bool("rules", false, "")
	paths, err := parse(flags, args)
	switch {
	case err != nil:
		return err
	case *rules:
		return writeRules(std.out)
	case len(paths) == 0:
		return &usageError{"check", "check takes at least one path"}
	case *twins && len(paths) != 2:
		return &usageError{"check", fmt.Sprintf("twins are two paths, not %d", len(paths))}
	}
	templates, problems, err := loadAll(paths)
	if err != nil {
		return err
	}
	findings, err := findingsOf(templates, *twins, *app)
	if err != nil {
		return err
	}
	write := writeFindings
	switch {
	case *asJSON:
		write = writeFindingsJSON
	case *asSARIF:
		write = writeSARIF
	}
	if err := write(std.out, findings); err != nil {
		return fmt.Errorf("write the findings: %w", err)
	}
	switch n := open(findings); {
	case len(problems) > 0:
		return problems
	case n > 0:
		return &foundError{count(n, "finding")}
	}
	return nil
}

// loadAll reads templates. Problems in them are returned, and what could be read is checked all the same.
func loadAll(paths []string) (templates []*template.Template, problems source.Problems, err error) {
	for _, path := range paths {
		t, err := load(path)
		var here source.Problems
		switch {
		case errors.As(err, &here):
			problems = append(problems, here...)
		case err != nil:
			return nil, nil, err
		}
		templates = append(templates, t)
	}
	return templates, problems, nil
}

// findingsOf checks templates, of twins against each other, and of an app also its code. Comments accept findings.
func findingsOf(templates []*template.Template, twins bool, app string) ([]*check.Finding, error) {
	var findings []*check.Finding
	var files []*source.File
	for _, t := range templates {
		findings = append(findings, check.Run(t)...)
		findings = append(findings, check.CheckSettings(t, known())...)
		files = append(files, template.Sources(t)...)
	}
	if twins {
		findings = append(findings, check.Twins(templates[0], templates[1])...)
	}
	if app != "" {
		more, err := check.CheckApp(app, known())
		if err != nil {
			return nil, err
		}
		findings = append(findings, more...)
	}
	return check.Accept(check.Once(findings), files), nil
}

// known is what Holdfast itself knows of its settings.
func known() check.Settings {
	s := check.Settings{Unset: infra.NotSet}
	for _, row := range settings.Table() {
		s.Names = append(s.Names, row.Name)
	}
	return s
}

// open counts the findings that nobody accepted.
func open(findings []*check.Finding) int {
	n := 0
	for _, f := range findings {
		if f.Accepted == "" {
			n++
		}
	}
	return n
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
