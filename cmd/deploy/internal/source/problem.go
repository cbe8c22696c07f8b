package source

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Problem is something wrong at a place.
type Problem struct {
	Span
	Message string // what is wrong, and what was expected; no capital, no full stop
	Hint    string // what to do about it, or ""
}

// Error returns the place and the message in one line.
func (p Problem) Error() string {
	if p.File == nil {
		return p.Message
	}
	return p.Span.String() + ": " + p.Message
}

// Problems is a list of them, and an error when it is not empty.
type Problems []Problem

// Error returns one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns the list as an error, or nil when it is empty.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Sort puts the list in the order of files and of places in them, and removes what is said twice.
func (ps Problems) Sort() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(strings.Compare(name(a), name(b)), cmp.Compare(a.Start, b.Start))
	})
	return slices.Compact(ps)
}

func name(p Problem) string {
	if p.File == nil {
		return ""
	}
	return p.File.Name
}

// Write shows every problem with the line it is in, a mark under the place, and the hint.
func (ps Problems) Write(w io.Writer) error {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.Error() + "\n")
		b.WriteString(p.Excerpt())
		if p.Hint != "" {
			b.WriteString("  " + p.Hint + "\n")
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the problems: %w", err)
	}
	return nil
}

// The longest part of a line that an excerpt shows, and how much of it stands before the place.
const (
	excerptWidth = 120
	excerptLead  = 60
)

// Excerpt returns the line at which the span begins and, below it, marks under the span. It returns "" for a span that
// is nowhere. Of a long line only the part around the place is shown.
func (s Span) Excerpt() string {
	if s.File == nil {
		return ""
	}
	p := s.Begin()
	line := []rune(s.File.Line(p.Line))
	first := 0
	if len(line) > excerptWidth && p.Column > excerptLead {
		first = p.Column - excerptLead
	}
	shown := line[first:min(len(line), first+excerptWidth)]
	before := shown[:min(len(shown), p.Column-1-first)]
	number := fmt.Sprintf("%5d", p.Line)
	return fmt.Sprintf("%s | %s\n%s | %s%s\n", number, visible(shown), strings.Repeat(" ", len(number)), blank(before),
		strings.Repeat("^", s.width(len(shown)-len(before))))
}

// width is how many characters to mark, of those which are left in the line.
func (s Span) width(left int) int {
	text, _, _ := strings.Cut(s.Text(), "\n")
	return max(1, min(len([]rune(text)), left))
}

// visible replaces what would move a terminal's cursor.
func visible(line []rune) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, string(line))
}

// blank is as wide as the text, tabs included.
func blank(text []rune) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(text))
}
