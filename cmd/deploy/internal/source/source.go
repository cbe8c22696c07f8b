// Package source knows the text that templates are written in: files, places in them, and problems at a place.
//
// Everything that is read from a template keeps a [Span], so that whatever is said about it later can be shown where it
// stands. A column counts characters (Unicode code points) from 1, as an editor shows it, a line counts from 1, and an
// offset counts bytes from 0.
package source

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"unicode/utf8"
)

// File is a text with a name. It does not change, so it may be used from any number of goroutines.
type File struct {
	Name  string // as it is shown: the path that the user gave, or one below it
	Text  string
	lines []int // the offset at which each line begins
}

// New returns a file. A line ends with "\n", "\r\n" or a "\r" that stands alone.
func New(name, text string) *File {
	f := &File{Name: name, Text: text, lines: []int{0}}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' || text[i] == '\r' && !strings.HasPrefix(text[i+1:], "\n") {
			f.lines = append(f.lines, i+1)
		}
	}
	return f
}

// Read returns the file at a path. The error names the path and is one of package os.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return New(path, string(text)), nil
}

// Position is a place in a file.
type Position struct {
	Offset int // bytes from the beginning of the file
	Line   int // from 1
	Column int // characters from 1
}

// Position returns where an offset is. One outside the file is taken for the file's nearer end.
func (f *File) Position(offset int) Position {
	offset = max(0, min(offset, len(f.Text)))
	line := sort.SearchInts(f.lines, offset+1) - 1
	return Position{Offset: offset, Line: line + 1, Column: utf8.RuneCountInString(f.Text[f.lines[line]:offset]) + 1}
}

// Line returns the text of a line without its end, or "" when there is no such line.
func (f *File) Line(number int) string {
	if number < 1 || number > len(f.lines) {
		return ""
	}
	end := len(f.Text)
	if number < len(f.lines) {
		end = f.lines[number]
	}
	return strings.TrimRight(f.Text[f.lines[number-1]:end], "\r\n")
}

// Span is a piece of a file, from the offset Start to before End. The zero Span is nowhere.
type Span struct {
	File       *File
	Start, End int
}

// At returns the span between two offsets.
func (f *File) At(start, end int) Span { return Span{File: f, Start: start, End: end} }

// Begin returns where the span begins. That of a span which is nowhere is the zero Position.
func (s Span) Begin() Position {
	if s.File == nil {
		return Position{}
	}
	return s.File.Position(s.Start)
}

// Text returns what stands there.
func (s Span) Text() string {
	if s.File == nil {
		return ""
	}
	return s.File.Text[s.Start:s.End]
}

// String returns file:line:column, the form that editors and terminals make a link of, or "" for nowhere.
func (s Span) String() string {
	if s.File == nil {
		return ""
	}
	p := s.Begin()
	return fmt.Sprintf("%s:%d:%d", s.File.Name, p.Line, p.Column)
}

// MarshalText encodes what String returns. It never fails.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
