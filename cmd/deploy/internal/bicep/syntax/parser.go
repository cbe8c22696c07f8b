package syntax

import (
	"fmt"
	"strconv"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// parser makes a tree of a file's tokens by recursive descent.
//
// When something else stands where a token is expected, the parser notes a problem and is lost. While it is lost nothing
// more is noted and expected nodes come out missing, so that the functions return without a special way out. The nearest
// list or statement then skips to where its next element begins, and goes on from there.
type parser struct {
	file  *File
	at    int              // the next token
	lost  bool             // since a problem
	depth int              // how deeply nested the expression or type is
	plain bool             // in a string's hole, where objects and arrays are not allowed
	open  [Unknown + 1]int // how many brackets wait for each kind of closing token
}

// The deepest nesting of expressions and types. People write less than twenty levels; without a limit a hostile file could
// use up the stack.
const deepest = 200

func (p *parser) kind() Kind { return p.file.Tokens[p.at].Kind }

// ahead returns the kind of a token at a distance, EndOfFile beyond the end.
func (p *parser) ahead(distance int) Kind {
	if p.at+distance < len(p.file.Tokens) {
		return p.file.Tokens[p.at+distance].Kind
	}
	return EndOfFile
}

func (p *parser) text(token int) string {
	t := p.file.Tokens[token]
	return p.file.Source.Text[t.Start:t.End]
}

// isWord reports whether a word is the next token.
func (p *parser) isWord(word string) bool { return p.kind() == Identifier && p.text(p.at) == word }

// take moves over one token. The end of the file stays where it is.
func (p *parser) take() {
	if p.kind() != EndOfFile {
		p.at++
	}
}

func (p *parser) accept(k Kind) bool {
	if p.lost || p.kind() != k {
		return false
	}
	p.take()
	return true
}

func (p *parser) acceptWord(word string) bool {
	if p.lost || !p.isWord(word) {
		return false
	}
	p.take()
	return true
}

// expect moves over a token of a kind, or notes that it isn't there. where completes "expected … ".
func (p *parser) expect(k Kind, where string) bool {
	if p.accept(k) {
		return true
	}
	p.expected(k.String() + " " + where)
	return false
}

func (p *parser) expectWord(word, where string) bool {
	if p.acceptWord(word) {
		return true
	}
	p.expected(fmt.Sprintf("%q %s", word, where))
	return false
}

// newLines moves over line ends.
func (p *parser) newLines() {
	for p.accept(NewLine) {
	}
}

// afterLines returns the distance of the next token that is not a line end.
func (p *parser) afterLines() int {
	distance := 0
	for p.ahead(distance) == NewLine {
		distance++
	}
	return distance
}

// ident reads a name, what says which.
func (p *parser) ident(what string) *Ident {
	n := &Ident{}
	defer p.node(n)()
	if p.lost || p.kind() != Identifier {
		p.expected(what)
		return n
	}
	n.Name = p.text(p.at)
	p.take()
	return n
}

// node begins a node at the next token and returns what ends it: defer p.node(n)().
func (p *parser) node(n Node) (end func()) {
	from := p.at
	return func() { n.cover(from, p.at) }
}

// wrap ends a node that began with another.
func (p *parser) wrap(n, first Node) {
	from, _ := first.tokens()
	n.cover(from, p.at)
}

// deeper counts a level of nesting and returns what ends it. Too deep is a problem.
func (p *parser) deeper() (end func()) {
	p.depth++
	if p.depth > deepest {
		p.problem("", "this is nested more than %d levels deep", deepest)
	}
	return func() { p.depth-- }
}

// expected notes that something was expected here.
func (p *parser) expected(what string) { p.expectedOr(what, "") }

func (p *parser) expectedOr(what, hint string) {
	if p.kind() == Unknown { // noted when it was read
		p.lost = true
		return
	}
	p.problem(hint, "expected %s, found %s", what, p.found())
}

// found returns what to call the next token in a message.
func (p *parser) found() string {
	if k := p.kind(); k != Identifier && k != Integer {
		return k.String()
	}
	return strconv.Quote(p.text(p.at))
}

// problem notes something wrong at the next token and makes the parser lost. It notes nothing when the parser is lost
// already, and one problem only at a token.
func (p *parser) problem(hint, format string, args ...any) {
	if p.lost {
		return
	}
	p.lost = true
	t, noted := p.file.Tokens[p.at], p.file.Problems
	if len(noted) == 0 || noted[len(noted)-1].Start != t.Start {
		p.note(t.Start, t.End, hint, format, args...)
	}
}

// note adds a problem at a place.
func (p *parser) note(start, end int, hint, format string, args ...any) {
	p.file.Problems = append(p.file.Problems, source.Problem{
		Span: p.file.Source.At(start, end), Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// skip moves to where something new begins: the end of the line, the end of what is open around here, with commas true a
// comma, or a statement at the beginning of a line. What is opened on the way is skipped with all its lines.
func (p *parser) skip(commas bool) {
	p.lost = false
	for open := 0; p.kind() != EndOfFile && !p.atStatement(); p.take() {
		switch k := p.kind(); {
		case k == LeftBrace || k == LeftParen || k == LeftSquare || k == StringLeft:
			open++
		case open > 0 && (k == RightBrace || k == RightParen || k == RightSquare || k == StringRight):
			open--
		case open == 0 && (p.closes(k) || k == NewLine || k == Comma && commas):
			return
		}
	}
}

// closes reports whether a token ends something that is being read.
func (p *parser) closes(k Kind) bool {
	return p.open[k] > 0 || k == StringMiddle && p.open[StringRight] > 0
}

// atStatement reports whether the next token begins a line without indentation and can only begin a statement there. By
// this the parser finds out of a bracket that is never closed.
func (p *parser) atStatement() bool { return p.statementAt(p.at) }

func (p *parser) statementAt(token int) bool {
	tokens := p.file.Tokens
	if token == 0 || tokens[token-1].Kind != NewLine || tokens[token-1].End != tokens[token].Start || tokens[token].Kind != Identifier {
		return false
	}
	switch word, next := p.text(token), tokens[token+1].Kind; word {
	case "param", "var", "output", "resource", "module", "type", "func", "metadata", "assert", "test":
		return next == Identifier
	case "import", "extension", "provider", "using":
		return next == StringWhole || next == Identifier || next == LeftBrace
	case "targetScope":
		return next == Assign
	}
	return false
}
