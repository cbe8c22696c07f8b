package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// modelVersion is the version of the JSON that inspect writes. It changes when something is taken away or means
// something else.
const modelVersion = 1

// inspect shows the neutral model of a template. When the template has problems, what could be understood is shown, and
// the problems are the error.
func inspect(_ context.Context, args []string, std streams) error {
	flags := newFlags("inspect")
	asJSON := flags.Bool("json", false, "")
	paths, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(paths) != 1 {
		return &usageError{"inspect", fmt.Sprintf("inspect takes one path, not %d", len(paths))}
	}
	t, problems := load(paths[0])
	if t == nil {
		return problems
	}
	if *asJSON {
		err = writeJSON(std, t)
	} else {
		err = writeText(std.out, t)
	}
	if err != nil {
		return fmt.Errorf("write the template: %w", err)
	}
	return problems
}

// writeJSON writes a template and all that it uses as one document.
func writeJSON(std streams, t *template.Template) error {
	encoder := json.NewEncoder(std.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Version   int                  `json:"version"`
		Root      string               `json:"root"`
		Templates []*template.Template `json:"templates"`
	}{modelVersion, t.Path, template.All(t)})
}
