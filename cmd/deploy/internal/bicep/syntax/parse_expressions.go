package syntax

import "strconv"

// missing returns the empty node for an expression that isn't there. That was noted.
func (p *parser) missing() Expr {
	n := &Skipped{}
	n.cover(p.at, p.at)
	return n
}

// expression reads an expression. A "?" or ":" may begin a line.
func (p *parser) expression() Expr {
	defer p.deeper()()
	x := p.binary(0)
	if p.lost || p.ahead(p.afterLines()) != Question {
		return x
	}
	p.newLines()
	p.take()
	n := &Ternary{If: x, Then: p.expression()}
	if p.ahead(p.afterLines()) == Colon {
		p.newLines()
	}
	p.expect(Colon, `and what holds otherwise, after "?"`)
	n.Else = p.expression()
	p.wrap(n, x)
	return n
}

// The operators between two operands by how tightly they bind. All of them group to the left.
var precedence = map[Kind]int{
	Coalesce: 1,
	Or:       2,
	And:      3,
	Equal:    4, NotEqual: 4, SameText: 4, OtherText: 4,
	Less: 5, LessEqual: 5, Greater: 5, GreaterEqual: 5,
	Plus: 6, Minus: 6,
	Star: 7, Slash: 7, Percent: 7,
}

// binary reads operands and the operators between them that bind tighter than a level.
func (p *parser) binary(level int) Expr {
	x := p.unary()
	for !p.lost && precedence[p.kind()] > level {
		n := &Binary{Op: p.kind(), X: x}
		p.take()
		n.Y = p.binary(precedence[n.Op])
		p.wrap(n, x)
		x = n
	}
	return x
}

func (p *parser) unary() Expr {
	if k := p.kind(); p.lost || k != Minus && k != Bang {
		return p.access()
	}
	n := &Unary{Op: p.kind()}
	defer p.node(n)()
	p.take()
	n.X = p.access()
	return n
}

// access reads an operand and everything that is taken from it.
func (p *parser) access() Expr {
	x := p.operand()
	for !p.lost {
		switch p.kind() {
		case Dot:
			x = p.member(x)
		case LeftSquare:
			x = p.index(x)
		case DoubleColon:
			p.take()
			n := &Nested{Base: x, Name: p.ident(`the name of a nested resource after "::"`)}
			p.wrap(n, x)
			x = n
		case Bang:
			p.take()
			n := &NotNull{Base: x}
			p.wrap(n, x)
			x = n
		default:
			return x
		}
	}
	return x
}

// member reads .name, .?name or .name(…) after an expression.
func (p *parser) member(base Expr) Expr {
	p.take()
	safe := p.accept(Question)
	name := p.ident(`the name of a property or function after "."`)
	if p.lost || p.kind() != LeftParen {
		n := &Property{Base: base, Safe: safe, Name: name}
		p.wrap(n, base)
		return n
	}
	if safe {
		p.problem("write a dot alone", `a function is not called with ".?"`)
	}
	n := &Call{Base: base, Name: name, Args: p.callArguments()}
	p.wrap(n, base)
	return n
}

// index reads [i], [?i], [^i] or [?^i] after an expression.
func (p *parser) index(base Expr) Expr {
	p.take()
	n := &Index{Base: base, Safe: p.accept(Question), FromEnd: p.accept(Caret)}
	n.Index = p.expression()
	p.expect(RightSquare, "after the index")
	p.wrap(n, base)
	return n
}

// operand reads what operators work on.
func (p *parser) operand() Expr {
	if p.lost {
		return p.missing()
	}
	switch p.kind() {
	case Integer, True, False, Null:
		return p.literal().(Expr)
	case StringWhole, StringLeft:
		return p.str()
	case LeftParen:
		return p.parenthesised(true)
	case LeftBrace, LeftSquare:
		return p.composite()
	case Identifier:
		return p.callOrLambda()
	case Question, RightBrace, RightParen, RightSquare, NewLine, EndOfFile:
		p.expected("an expression")
	default:
		p.expectedOr("an expression", "an expression begins with a value, a name, a bracket, \"-\" or \"!\"")
	}
	return p.missing()
}

// composite reads an object, array or loop. A hole of a string may hold none.
func (p *parser) composite() Expr {
	switch {
	case p.plain:
		p.problem("give it a name with var and use that", "an object or array can't stand inside a string's ${…}")
		return p.missing()
	case p.kind() == LeftBrace:
		return p.object()
	}
	if next := 1 + p.linesAfter(1); p.ahead(next) == Identifier && p.text(p.at+next) == "for" {
		return p.loop(p.expression)
	}
	return p.array()
}

// linesAfter counts the line ends from a distance on.
func (p *parser) linesAfter(distance int) int {
	n := 0
	for p.ahead(distance+n) == NewLine {
		n++
	}
	return n
}

// literal reads a number, true, false or null, which are types as well.
func (p *parser) literal() Node {
	from, kind := p.at, p.kind()
	var n Node
	switch kind {
	case True, False:
		n = &Bool{Value: kind == True}
	case Null:
		n = &Nothing{}
	default:
		value, err := strconv.ParseUint(p.text(p.at), 10, 64)
		if err != nil {
			t := p.file.Tokens[p.at]
			p.note(t.Start, t.End, "", "this number does not fit into 64 bits")
		}
		n = &Int{Value: value}
	}
	p.take()
	n.cover(from, p.at)
	return n
}

// str reads a string with its holes.
func (p *parser) str() Expr {
	n := &String{}
	defer p.node(n)()
	quote := p.quote()
	first := true
	for {
		kind := p.kind()
		n.Texts = append(n.Texts, decode(p.text(p.at), kind, quote, first))
		p.take()
		if kind == StringWhole || kind == StringRight {
			return n
		}
		first = false
		n.Holes = append(n.Holes, p.hole())
		if p.kind() != StringMiddle && p.kind() != StringRight {
			p.expected(`"}" to close the hole of the string`)
			return n
		}
	}
}

// hole reads the expression between "${" and "}". What is wrong in it stays inside, as far as the "}" can be found.
func (p *parser) hole() Expr {
	plain := p.plain
	p.plain = true
	p.open[StringRight]++
	x := p.expression()
	p.plain = plain
	if k := p.kind(); !p.lost && k != StringMiddle && k != StringRight {
		p.expected(`"}" after the expression in a string`)
	}
	if p.lost {
		p.skip(false)
		p.lost = p.kind() != StringMiddle && p.kind() != StringRight
	}
	p.open[StringRight]--
	return x
}

// quote returns how the string that begins here is written.
func (p *parser) quote() stringQuote {
	text := p.text(p.at)
	dollars := 0
	for dollars < len(text) && text[dollars] == '$' {
		dollars++
	}
	return stringQuote{dollars: dollars, lines: dollars > 0 || len(text) > 2 && text[:2] == "''"}
}

// quoted reads a string that has to be there, what says which.
func (p *parser) quoted(what string) Expr {
	if k := p.kind(); p.lost || k != StringWhole && k != StringLeft {
		hint := ""
		if k == Identifier {
			hint = "put it in single quotes"
		}
		p.expectedOr(what+" in quotes", hint)
		return p.missing()
	}
	return p.str()
}

// name reads a symbol's name that has to be there, what says which.
func (p *parser) name(what string) Expr {
	n := &Name{}
	defer p.node(n)()
	n.Name = p.ident(what).Name
	return n
}
