package source_test

import (
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

func TestPositionsCountLinesAndCharacters(t *testing.T) {
	f := source.New("a.bicep", "ab\n\u00fc\u20acx\r\n\ry")
	for _, c := range []struct{ offset, line, column int }{
		{-1, 1, 1}, {0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {5, 2, 2}, {8, 2, 3}, {9, 2, 4}, {11, 3, 1}, {12, 4, 1}, {13, 4, 2}, {99, 4, 2},
	} {
		if p := f.Position(c.offset); p.Line != c.line || p.Column != c.column {
			t.Errorf("byte %d is at %d:%d, want %d:%d", c.offset, p.Line, p.Column, c.line, c.column)
		}
	}
	if f.Line(2) != "\u00fc\u20acx" || f.Line(4) != "y" || f.Line(0) != "" || f.Line(5) != "" {
		t.Errorf("lines %q %q", f.Line(2), f.Line(4))
	}
}

func TestAnExcerptMarksThePlace(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		text, at, want string
	}{
		{"one\ntwo three\n", "three", "    2 | two three\n      |     ^^^^^\n"},
		{"\tü = 'a'", "'a'", "    1 | \tü = 'a'\n      | \t    ^^^\n"},
		{"open {\n}\n", "{\n}", "    1 | open {\n      |      ^\n"},
		{"a\x1b[31mb", "b", "    1 | a\uFFFD[31mb\n      |       ^\n"},
		{long + "HERE" + long, "HERE", "    1 | " + strings.Repeat("x", 59) + "HERE" + strings.Repeat("x", 57) + "\n      | " + strings.Repeat(" ", 59) + "^^^^\n"},
	} {
		f := source.New("f", c.text)
		start := strings.Index(c.text, c.at)
		if got := f.At(start, start+len(c.at)).Excerpt(); got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.text, got, c.want)
		}
	}
	if got := (source.Span{}).Excerpt(); got != "" {
		t.Errorf("nowhere shows %q", got)
	}
}

func TestProblemsAreShownInOrderAndOnce(t *testing.T) {
	f := source.New("f", "ab\ncd\n")
	ps := source.Problems{
		{Span: f.At(3, 4), Message: "second", Hint: "mend it"}, {Span: f.At(0, 1), Message: "first"},
		{Span: f.At(3, 4), Message: "second", Hint: "mend it"}, {Message: "nowhere"},
	}.Sort()
	var b strings.Builder
	if err := ps.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := "nowhere\nf:1:1: first\n    1 | ab\n      | ^\nf:2:1: second\n    2 | cd\n      | ^\n  mend it\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if ps.Err() == nil || (source.Problems{}).Err() != nil {
		t.Error("a list is an error when it is not empty, and only then")
	}
}
