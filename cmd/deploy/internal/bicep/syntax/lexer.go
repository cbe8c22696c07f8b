package syntax

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// lexer cuts a text into tokens. The text between two tokens is space, comments and directives.
type lexer struct {
	file *File
	text string
	at   int
	open []opening
}

// opening is something that a "}" may close while a string's hole is being read.
type opening struct {
	brace bool        // a "{" inside a hole
	quote stringQuote // or the string that the hole is in
}

// The longest name that the compiler takes.
const longestName = 255

func lex(file *File) {
	l := &lexer{file: file, text: file.Source.Text}
	if strings.HasPrefix(l.text, "\uFEFF") {
		l.at = len("\uFEFF")
	}
	for {
		l.space()
		start := l.at
		kind := l.token()
		file.Tokens = append(file.Tokens, Token{Kind: kind, Start: start, End: l.at})
		if kind == EndOfFile {
			return
		}
	}
}

func (l *lexer) problem(start, end int, hint, format string, args ...any) {
	l.file.Problems = append(l.file.Problems, source.Problem{
		Span: l.file.Source.At(start, end), Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// next returns the byte at a distance, or 0 beyond the end.
func (l *lexer) next(distance int) byte {
	if l.at+distance < len(l.text) {
		return l.text[l.at+distance]
	}
	return 0
}

func (l *lexer) ahead(text string) bool { return strings.HasPrefix(l.text[l.at:], text) }

// run moves over the bytes for which is holds.
func (l *lexer) run(is func(byte) bool) {
	for l.at < len(l.text) && is(l.text[l.at]) {
		l.at++
	}
}

// token reads one token; the lexer stands at its first byte.
func (l *lexer) token() Kind {
	if l.at == len(l.text) {
		return EndOfFile
	}
	switch c := l.text[l.at]; {
	case isLineEnd(c):
		return l.lineEnd()
	case isLetter(c):
		return l.word()
	case isDigit(c):
		l.run(isDigit)
		return Integer
	case c == '\'':
		return l.stringStart(0)
	case c == '$':
		return l.dollars()
	case c == '{':
		l.at++
		if len(l.open) > 0 {
			l.open = append(l.open, opening{brace: true})
		}
		return LeftBrace
	case c == '}':
		return l.closeBrace()
	}
	return l.sign()
}

// lineEnd reads line ends. Inside a hole a line end is where the string breaks off.
func (l *lexer) lineEnd() Kind {
	if len(l.open) > 0 {
		l.problem(l.at, l.at, "close the hole with } on its line", "the line ends inside a string's ${…}")
		l.open = nil
		return StringRight
	}
	l.run(isLineEnd)
	return NewLine
}

func (l *lexer) word() Kind {
	start := l.at
	l.run(isWord)
	switch word := l.text[start:l.at]; {
	case word == "true":
		return True
	case word == "false":
		return False
	case word == "null":
		return Null
	case len(word) > longestName:
		l.problem(start, l.at, "", "a name may have %d characters, and this one has %d", longestName, len(word))
	}
	return Identifier
}

// closeBrace reads a "}", which closes a hole when nothing else inside the hole is open.
func (l *lexer) closeBrace() Kind {
	l.at++
	if len(l.open) == 0 {
		return RightBrace
	}
	last := l.open[len(l.open)-1]
	if !last.brace && l.stringPart(last.quote) {
		return StringMiddle
	}
	l.open = l.open[:len(l.open)-1]
	if last.brace {
		return RightBrace
	}
	return StringRight
}

// The signs, the longer of two with the same beginning first.
var signs = []struct {
	text string
	kind Kind
}{
	{"...", Ellipsis}, {"??", Coalesce}, {"::", DoubleColon}, {"<=", LessEqual}, {">=", GreaterEqual}, {"==", Equal},
	{"=~", SameText}, {"=>", Arrow}, {"!=", NotEqual}, {"!~", OtherText}, {"&&", And}, {"||", Or}, {"(", LeftParen},
	{")", RightParen}, {"[", LeftSquare}, {"]", RightSquare}, {"@", At}, {",", Comma}, {".", Dot}, {"?", Question},
	{":", Colon}, {";", Semicolon}, {"=", Assign}, {"+", Plus}, {"-", Minus}, {"%", Percent}, {"*", Star}, {"/", Slash},
	{"^", Caret}, {"!", Bang}, {"<", Less}, {">", Greater}, {"|", Pipe},
}

func (l *lexer) sign() Kind {
	for _, s := range signs {
		if l.ahead(s.text) {
			l.at += len(s.text)
			return s.kind
		}
	}
	start := l.at
	_, size := utf8.DecodeRuneInString(l.text[l.at:])
	l.at += size
	l.unknown(start)
	return Unknown
}

func (l *lexer) unknown(start int) {
	text, hint := l.text[start:l.at], ""
	if text == `"` {
		hint = "a string stands in single quotes: 'text'"
	}
	l.problem(start, l.at, hint, "%q means nothing here", text)
}

func isLineEnd(c byte) bool { return c == '\n' || c == '\r' }
func isBlank(c byte) bool   { return c == ' ' || c == '\t' }
func isDigit(c byte) bool   { return '0' <= c && c <= '9' }
func isLetter(c byte) bool  { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }
func isWord(c byte) bool    { return isLetter(c) || isDigit(c) }
