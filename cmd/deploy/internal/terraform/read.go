// Package terraform reads Terraform and OpenTofu templates, with the local modules they are made of, into the model of
// package template. It knows the language, not the providers: whether an argument exists is for Terraform to say.
package terraform

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Read reads the template that the .tf and .tf.json files of a folder make up, with the files of values that Terraform
// takes by itself and further ones. Local modules are followed; others are not, and say so. Test files are left alone.
//
// The error is one of package os when the folder can't be read. When something in it, or in what it uses, is wrong the
// error is [source.Problems], and the template is there all the same with what could be understood.
func Read(folder string, values ...string) (*template.Template, error) {
	r := &reader{units: map[string]*unit{}}
	u, err := r.unit(folder)
	if err != nil {
		return nil, err
	}
	for _, path := range values {
		u.values(path)
	}
	return u.template, r.problems.Sort().Err()
}

// IsTemplate reports whether a file is one that Terraform takes for a part of a template.
func IsTemplate(name string) bool {
	return strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tf.json") ||
		strings.HasSuffix(name, ".tofu") || strings.HasSuffix(name, ".tofu.json")
}

// IsValues reports whether a file is one that holds values for the variables of a template.
func IsValues(name string) bool {
	return strings.HasSuffix(name, ".tfvars") || strings.HasSuffix(name, ".tfvars.json")
}

// reader reads a template with all that it uses, each folder once.
type reader struct {
	units    map[string]*unit // by path
	problems source.Problems
}

// unit is a folder on its way from files to a template.
type unit struct {
	*reader
	path     string
	sources  map[string]*source.File
	template *template.Template
	names    map[string]template.Declaration // as expressions write them: var.x, local.x, azurerm_x.y
	items    map[*hclsyntax.AnonSymbolExpr]template.Expr
	reading  bool // to find circles
}

func (r *reader) problem(at source.Span, hint, format string, args ...any) {
	r.problems = append(r.problems, source.Problem{Span: at, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// unit reads a folder, or returns what was read of it before.
func (r *reader) unit(folder string) (*unit, error) {
	folder = filepath.Clean(folder)
	if u := r.units[folder]; u != nil {
		return u, nil
	}
	u := newUnit(r, folder)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	r.units[folder] = u
	var sources []*source.File
	for _, e := range entries {
		if !e.IsDir() && IsTemplate(e.Name()) {
			sources = append(sources, u.open(filepath.Join(folder, e.Name()))...)
		}
	}
	u.read(sources)
	for _, e := range entries {
		if !e.IsDir() && IsValues(e.Name()) && isAutomatic(e.Name()) {
			u.values(filepath.Join(folder, e.Name()))
		}
	}
	u.reading = false
	return u, nil
}

func newUnit(r *reader, folder string) *unit {
	return &unit{
		reader: r, path: folder, sources: map[string]*source.File{}, names: map[string]template.Declaration{},
		items: map[*hclsyntax.AnonSymbolExpr]template.Expr{}, reading: true,
		template: &template.Template{Language: template.Terraform, Path: folder},
	}
}

// open returns the file at a path, or none after noting that it can't be read.
func (u *unit) open(path string) []*source.File {
	src, err := source.Read(path)
	if err != nil {
		u.problem(source.Span{}, "", "%v", err)
		return nil
	}
	return []*source.File{src}
}

// read makes the template in two passes, as a name may be used above what declares it.
func (u *unit) read(sources []*source.File) {
	var blocks hcl.Blocks
	for _, src := range sources {
		if file := u.parse(src); file != nil {
			blocks = append(blocks, u.content(file.Body, fileSchema).Blocks...)
		}
	}
	blocks = u.merge(blocks)
	for _, b := range blocks {
		u.declare(b)
	}
	for _, b := range blocks {
		u.define(b)
	}
	u.template.UnknownOutputs(func(at source.Span, m *template.Module, name string) {
		u.problem(at, "", "%s has no output %s", m.Source, name)
	})
}

// parse returns the tree of a file, or nil when there is none at all.
func (u *unit) parse(src *source.File) *hcl.File {
	u.sources[src.Name] = src
	var file *hcl.File
	var diagnostics hcl.Diagnostics
	if strings.HasSuffix(src.Name, ".json") {
		file, diagnostics = json.Parse([]byte(src.Text), src.Name)
	} else {
		file, diagnostics = hclsyntax.ParseConfig([]byte(src.Text), src.Name, hcl.InitialPos)
	}
	u.note(diagnostics)
	return file
}

// note makes problems of the HCL library's errors.
func (u *unit) note(diagnostics hcl.Diagnostics) {
	for _, d := range diagnostics {
		if d.Severity != hcl.DiagError {
			continue
		}
		at := source.Span{}
		if d.Subject != nil {
			at = u.span(*d.Subject)
		}
		u.problem(at, d.Detail, "%s", lowerFirst(d.Summary))
	}
}

func lowerFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

// span returns a place in our terms.
func (u *unit) span(r hcl.Range) source.Span {
	src := u.sources[r.Filename]
	if src == nil {
		return source.Span{}
	}
	start := min(r.Start.Byte, len(src.Text))
	return src.At(start, max(start, min(r.End.Byte, len(src.Text))))
}

func (u *unit) at(r hcl.Range) template.At { return template.At{Span: u.span(r)} }

// merge puts what override files say in place of what it overrides, and takes those blocks out.
func (u *unit) merge(blocks hcl.Blocks) hcl.Blocks {
	isOverride := func(b *hcl.Block) bool {
		name, _, _ := strings.Cut(filepath.Base(b.DefRange.Filename), ".")
		return name == "override" || strings.HasSuffix(name, "_override")
	}
	var merged, overrides hcl.Blocks
	for _, b := range blocks {
		if isOverride(b) {
			overrides = append(overrides, b)
		} else {
			merged = append(merged, b)
		}
	}
	for _, o := range overrides {
		base := slices.IndexFunc(merged, func(b *hcl.Block) bool {
			return b.Type == o.Type && len(b.Labels) > 0 && slices.Equal(b.Labels, o.Labels)
		})
		if base < 0 {
			merged = append(merged, o)
			continue
		}
		merged[base].Body = overridden(merged[base].Body, o.Body)
	}
	return merged
}

// overridden returns a body with the arguments and blocks of another in place of its own. Only native syntax is merged,
// as is most written; of JSON the other body is taken whole.
func overridden(base, other hcl.Body) hcl.Body {
	b, isNative := base.(*hclsyntax.Body)
	o, areBoth := other.(*hclsyntax.Body)
	if !isNative || !areBoth {
		return other
	}
	out := *b
	out.Attributes = hclsyntax.Attributes{}
	for name, a := range b.Attributes {
		out.Attributes[name] = a
	}
	for name, a := range o.Attributes {
		out.Attributes[name] = a
	}
	out.Blocks = slices.DeleteFunc(slices.Clone(b.Blocks), func(x *hclsyntax.Block) bool {
		return slices.ContainsFunc(o.Blocks, func(y *hclsyntax.Block) bool { return x.Type == y.Type })
	})
	out.Blocks = append(out.Blocks, o.Blocks...)
	return &out
}
