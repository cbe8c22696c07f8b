package syntax

import (
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// Node is a part of a file's tree: a *[File], a [Statement], an [Expr], a [Type] or a piece of one.
type Node interface {
	tokens() (from, to int)
	cover(from, to int)
}

// extent is the run of tokens that a node covers, from one to before another.
type extent struct{ from, to int }

func (e *extent) tokens() (from, to int) { return e.from, e.to }
func (e *extent) cover(from, to int)     { e.from, e.to = from, to }

// File is a file's tree. It does not change after [Parse].
type File struct {
	extent
	Source     *source.File
	Parameters bool // a parameter file, .bicepparam
	Statements []Statement
	Tokens     []Token // the last one is EndOfFile
	Comments   []Comment
	Directives []Directive
	Problems   source.Problems // in the order of their places
}

// ParametersSuffix ends the names of parameter files.
const ParametersSuffix = ".bicepparam"

// Parse reads a file: a parameter file when its name says so, otherwise a template.
func Parse(src *source.File) *File {
	file := &File{Source: src, Parameters: strings.HasSuffix(src.Name, ParametersSuffix)}
	lex(file)
	p := &parser{file: file}
	p.statements()
	file.Problems = file.Problems.Sort()
	return file
}

// Span returns where a node of the file is, without the space around it. A node that was expected and isn't there is an
// empty span.
func (f *File) Span(n Node) source.Span {
	from, to := n.tokens()
	start := f.Tokens[from].Start
	if from == to {
		return f.Source.At(start, start)
	}
	return f.Source.At(start, f.Tokens[to-1].End)
}

// Text returns a node as it is written.
func (f *File) Text(n Node) string { return f.Span(n).Text() }

// Missing reports whether a node was expected and isn't there.
func Missing(n Node) bool {
	from, to := n.tokens()
	return from == to
}

// Ident is a name. Its Name is empty when it was expected and isn't there.
type Ident struct {
	extent
	Name string
}

// Skipped stands where something was expected that isn't there, and is empty then, or for a line that is no statement. A
// problem says which.
type Skipped struct{ extent }

func (*Skipped) statement() {}
func (*Skipped) expr()      {}
func (*Skipped) typ()       {}
