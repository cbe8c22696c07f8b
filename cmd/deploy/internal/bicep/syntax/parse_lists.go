package syntax

// elements reads what stands between an opening and a closing token, both included. Elements are separated by line ends or
// by a comma. element reads one; what is called of a list in messages is what.
func (p *parser) elements(opener, closer Kind, what string, element func()) {
	opened := p.at
	if !p.expect(opener, "to begin "+what) {
		return
	}
	p.open[closer]++
	p.newLines()
	for !p.atEnd() {
		element()
		p.separate(closer, what)
	}
	p.close(opened, closer, what)
}

// separate reads what stands between two elements.
func (p *parser) separate(closer Kind, what string) {
	switch {
	case p.accept(Comma):
		if p.kind() == NewLine {
			p.problem("end the line without a comma", "a comma in %s is not followed by a line end", what)
			p.skip(false)
		}
	case !p.lost && p.kind() != NewLine && p.kind() != closer:
		p.expected("a comma or a new line between the elements of " + what)
	}
	if p.lost {
		p.skip(true)
		p.accept(Comma)
	}
	p.newLines()
}

// arguments reads what stands between an opening and a closing token, both included. Elements are separated by a comma,
// and may stand on lines of their own.
func (p *parser) arguments(opener, closer Kind, what string, element func()) {
	opened := p.at
	if !p.expect(opener, "to begin "+what) {
		return
	}
	p.open[closer]++
	p.newLines()
	for !p.atEnd() {
		element()
		if p.lost {
			p.skip(true)
		}
		p.newLines()
		if p.atEnd() {
			break
		}
		p.expect(Comma, "between "+what)
		p.newLines()
		if p.kind() == closer {
			p.problem("remove the comma before it", "expected one more of %s, found %s", what, closer)
			p.lost = false
		}
	}
	p.close(opened, closer, what)
}

// atEnd reports whether a list ends here: properly, or because something around it ends.
func (p *parser) atEnd() bool {
	return p.lost || p.kind() == EndOfFile || p.closes(p.kind()) || p.atStatement()
}

// close reads what closes a list that was opened.
func (p *parser) close(opened int, closer Kind, what string) {
	p.open[closer]--
	if p.accept(closer) {
		return
	}
	line := p.file.Source.Position(p.file.Tokens[opened].Start).Line
	p.problem("", "expected %s to close %s of line %d, found %s", closer, what, line, p.found())
}
