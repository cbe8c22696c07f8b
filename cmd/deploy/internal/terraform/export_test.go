package terraform

import (
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// ReadFile reads a template of one file that is not on disk.
func ReadFile(name, text string) (*template.Template, source.Problems) {
	u := newUnit(&reader{units: map[string]*unit{}}, "nowhere")
	u.read([]*source.File{source.New(name, text)})
	return u.template, u.problems.Sort()
}
