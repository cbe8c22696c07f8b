package syntax

import "strings"

// The names of directives.
const (
	DisableNextLine    = "disable-next-line"
	DisableDiagnostics = "disable-diagnostics"
	RestoreDiagnostics = "restore-diagnostics"
)

// space moves over blanks, comments and directives.
func (l *lexer) space() {
	for {
		switch {
		case isBlank(l.next(0)):
			l.run(isBlank)
		case l.ahead("//"):
			l.lineComment()
		case l.ahead("/*"):
			l.blockComment()
		case l.next(0) == '#' && l.directive():
		default:
			return
		}
	}
}

func (l *lexer) lineComment() {
	start := l.at
	l.run(func(c byte) bool { return !isLineEnd(c) })
	l.file.Comments = append(l.file.Comments, Comment{Start: start, End: l.at})
}

func (l *lexer) blockComment() {
	start := l.at
	length := strings.Index(l.text[start+2:], "*/")
	if length < 0 {
		l.at = len(l.text)
		l.problem(start, start+2, "close it with */", "this comment has no end")
	} else {
		l.at = start + 2 + length + 2
	}
	l.file.Comments = append(l.file.Comments, Comment{Start: start, End: l.at, Block: true})
}

// directive reads a directive, if there is one: it has to be the first thing of its line.
func (l *lexer) directive() bool {
	line := l.text[strings.LastIndexAny(l.text[:l.at], "\r\n")+1 : l.at]
	if strings.TrimLeft(line, " \t\uFEFF") != "" {
		return false
	}
	for _, name := range []string{DisableNextLine, DisableDiagnostics, RestoreDiagnostics} {
		if strings.HasPrefix(l.text[l.at+1:], name) {
			l.codes(name)
			return true
		}
	}
	return false
}

// codes reads the words after a directive's name. They end with the line, or with anything that isn't part of a code.
func (l *lexer) codes(name string) {
	d := Directive{Name: name, Start: l.at}
	l.at += 1 + len(name)
	d.End = l.at
	for {
		l.run(isBlank)
		start := l.at
		l.run(func(c byte) bool { return isWord(c) || c == '-' })
		if l.at == start {
			break
		}
		d.Codes, d.End = append(d.Codes, l.text[start:l.at]), l.at
	}
	l.at = d.End
	if len(d.Codes) == 0 {
		l.problem(d.Start, d.End, "name at least one, such as no-unused-params", "#%s names no diagnostics", name)
	}
	l.file.Directives = append(l.file.Directives, d)
}
