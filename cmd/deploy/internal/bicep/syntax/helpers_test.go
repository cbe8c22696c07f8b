package syntax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

func parse(name, text string) *syntax.File { return syntax.Parse(source.New(name, text)) }

// shape writes a node as (Kind own tokens and (nodes below)), in the order of the text. It shows how a text was
// understood, and that each of its tokens has its place.
func shape(f *syntax.File, n syntax.Node) string {
	var b strings.Builder
	b.WriteString("(" + kind(n))
	own(f, n, func(t syntax.Token) {
		if t.Kind != syntax.NewLine && t.Kind != syntax.EndOfFile {
			b.WriteString(" " + f.Source.Text[t.Start:t.End])
		}
	}, func(child syntax.Node) { b.WriteString(" " + shape(f, child)) })
	return b.String() + ")"
}

func kind(n syntax.Node) string { return strings.TrimPrefix(fmt.Sprintf("%T", n), "*syntax.") }

// own calls token for each token of a node that none of the nodes below it covers, and node for each of those.
func own(f *syntax.File, n syntax.Node, token func(syntax.Token), node func(syntax.Node)) {
	at, to := syntax.Tokens(n)
	for child := range syntax.Children(n) {
		from, end := syntax.Tokens(child)
		for ; at < from; at++ {
			token(f.Tokens[at])
		}
		node(child)
		at = end
	}
	for ; at < to; at++ {
		token(f.Tokens[at])
	}
}

// check fails a test when a file's tree doesn't hold together: nodes stand inside the one above, in order and apart, the
// tokens and what is between them make up the text, places are inside the file, and Print gives back the text.
func check(t testing.TB, f *syntax.File) {
	t.Helper()
	end := 0
	for _, token := range f.Tokens {
		if token.Start < end || token.End < token.Start {
			t.Fatalf("token %v begins before %d", token, end)
		}
		end = token.End
	}
	if end != len(f.Source.Text) {
		t.Fatalf("the tokens end at %d of %d", end, len(f.Source.Text))
	}
	checkNode(t, f, f)
	for _, p := range f.Problems {
		if p.Start < 0 || p.End < p.Start || p.End > len(f.Source.Text) || p.Message == "" {
			t.Fatalf("problem %q is at %d to %d of %d", p.Message, p.Start, p.End, len(f.Source.Text))
		}
	}
	var b strings.Builder
	if err := f.Print(&b); err != nil || b.String() != f.Source.Text {
		t.Fatalf("printed %q, want %q (%v)", b.String(), f.Source.Text, err)
	}
}

func checkNode(t testing.TB, f *syntax.File, n syntax.Node) {
	t.Helper()
	at, to := syntax.Tokens(n)
	for child := range syntax.Children(n) {
		from, end := syntax.Tokens(child)
		if from < at || end < from || end > to {
			t.Fatalf("%s has tokens %d to %d, and %s inside it %d to %d", kind(n), at, to, kind(child), from, end)
		}
		at = end
		checkNode(t, f, child)
	}
}
