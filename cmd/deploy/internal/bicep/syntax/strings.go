package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// stringQuote is how a string is written, which decides where it ends and where its holes begin.
type stringQuote struct {
	lines   bool // '''…''', which may go over lines and has no escapes
	dollars int  // of a string over lines, how many "$" before a "{" make a hole; 0: it has none
}

const threeQuotes = "'''"

// dollars reads "$" characters, which only ever stand before a string over lines.
func (l *lexer) dollars() Kind {
	start := l.at
	l.run(func(c byte) bool { return c == '$' })
	if l.ahead(threeQuotes) {
		return l.stringStart(l.at - start)
	}
	l.unknown(start)
	return Unknown
}

// stringStart reads a string's opening quote and its text up to its end or to its first hole.
func (l *lexer) stringStart(dollars int) Kind {
	quote := stringQuote{lines: l.ahead(threeQuotes), dollars: dollars}
	if quote.lines {
		l.at += len(threeQuotes)
	} else {
		l.at++
	}
	if l.stringPart(quote) {
		l.open = append(l.open, opening{quote: quote})
		return StringLeft
	}
	return StringWhole
}

// stringPart reads a string's text up to and including its closing quote, or what opens the next hole. It reports whether
// there is a hole.
func (l *lexer) stringPart(q stringQuote) (hole bool) {
	if q.lines {
		return l.linesPart(q.dollars)
	}
	return l.linePart()
}

func (l *lexer) linesPart(dollars int) (hole bool) {
	start := l.at
	for l.at < len(l.text) {
		from := l.at
		switch l.text[l.at] {
		case '$':
			l.run(func(c byte) bool { return c == '$' })
			if dollars > 0 && l.at-from >= dollars && l.next(0) == '{' {
				l.at++
				return true
			}
		case '\'':
			l.run(func(c byte) bool { return c == '\'' })
			if l.at-from >= len(threeQuotes) {
				return false
			}
		default:
			l.at++
		}
	}
	l.problem(max(0, start-len(threeQuotes)), start, "close it with '''", "this string has no end")
	return false
}

func (l *lexer) linePart() (hole bool) {
	start := l.at
	for l.at < len(l.text) && !isLineEnd(l.text[l.at]) {
		switch {
		case l.next(0) == '\'':
			l.at++
			return false
		case l.ahead("${"):
			l.at += 2
			return true
		case l.next(0) == '\\':
			l.escape()
		default:
			l.at++
		}
	}
	l.problem(max(0, start-1), l.at, "close it with ', or write a string over lines in '''", "this string has no end on its line")
	return false
}

// escape moves over a backslash and what belongs to it.
func (l *lexer) escape() {
	if size, _ := unescape(l.text[l.at:]); size > 0 {
		l.at += size
		return
	}
	start := l.at
	l.at++
	if l.at < len(l.text) && !isLineEnd(l.text[l.at]) {
		_, size := utf8.DecodeRuneInString(l.text[l.at:])
		l.at += size
	}
	l.problem(start, l.at, `the escapes are \\ \' \n \r \t \$ and \u{…} with hexadecimal digits`, "%q is no escape", l.text[start:l.at])
}

// The escapes of one character. A "$" is escaped so that "${" opens no hole.
var escapes = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", '\\': "\\", '\'': "'", '$': "$"}

// unescape returns how long the escape at the beginning of a text is and what it stands for, or 0 when it is none.
func unescape(text string) (size int, value string) {
	if len(text) < 2 {
		return 0, ""
	}
	if value, ok := escapes[text[1]]; ok {
		return 2, value
	}
	digits, closed := strings.CutPrefix(text, `\u{`)
	end := strings.IndexByte(digits, '}')
	if !closed || end < 1 || end > 8 {
		return 0, ""
	}
	code, err := strconv.ParseUint(digits[:end], 16, 32)
	if err != nil || code > utf8.MaxRune {
		return 0, ""
	}
	return len(`\u{`) + end + 1, string(rune(code))
}

// decode returns the text that one token of a string stands for. quote is how its string is written, and first that the
// token opens the string. Of a token that has no end, which a problem tells, it returns what there is.
func decode(token string, kind Kind, quote stringQuote, first bool) string {
	if first && quote.lines {
		token = token[quote.dollars+len(threeQuotes):]
		token = strings.TrimPrefix(strings.TrimPrefix(token, "\r"), "\n")
	} else if token != "" {
		token = token[1:]
	}
	switch {
	case kind == StringLeft || kind == StringMiddle:
		token = strings.TrimSuffix(token, strings.Repeat("$", max(1, quote.dollars))+"{")
	case quote.lines:
		token = strings.TrimSuffix(token, threeQuotes)
	default:
		token = strings.TrimSuffix(token, "'")
	}
	if quote.lines {
		return token
	}
	return unescaped(token)
}

func unescaped(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for text != "" {
		size, value := 0, ""
		if text[0] == '\\' {
			size, value = unescape(text)
		}
		if size == 0 {
			size, value = 1, text[:1]
		}
		b.WriteString(value)
		text = text[size:]
	}
	return b.String()
}
