package syntax

func (p *parser) array() Expr {
	n := &Array{}
	defer p.node(n)()
	p.elements(LeftSquare, RightSquare, "the array", func() {
		if p.kind() == Ellipsis {
			n.Items = append(n.Items, p.spread())
			return
		}
		n.Items = append(n.Items, p.expression())
	})
	return n
}

func (p *parser) object() Expr {
	n := &Object{}
	defer p.node(n)()
	p.elements(LeftBrace, RightBrace, "the object", func() { p.objectMember(n) })
	return n
}

func (p *parser) objectMember(n *Object) {
	if p.kind() == Ellipsis {
		n.Members = append(n.Members, p.spread())
		return
	}
	if member := p.field(); member != nil {
		n.Members = append(n.Members, member)
	}
}

func (p *parser) spread() *Spread {
	n := &Spread{}
	defer p.node(n)()
	p.take()
	n.X = p.expression()
	return n
}

// field reads key: value, or nothing at all when there is no key.
func (p *parser) field() Member {
	from := p.at
	key := p.key("the name of a property")
	if key == nil {
		return nil
	}
	p.expect(Colon, "after the name of the property")
	n := &Field{Key: key, Value: p.expression()}
	n.cover(from, p.at)
	return n
}

// key reads the name of a property, in quotes or not, or returns nil.
func (p *parser) key(what string) Expr {
	switch p.kind() {
	case Identifier:
		return p.name(what)
	case StringWhole, StringLeft:
		return p.str()
	case True, False, Null:
		p.expectedOr(what, "put it in single quotes")
	default:
		p.expected(what)
	}
	return nil
}

// loop reads [for item in collection: body].
func (p *parser) loop(body func() Expr) Expr {
	n := &For{}
	defer p.node(n)()
	opened := p.at
	p.take()
	p.open[RightSquare]++
	p.newLines()
	p.expectWord("for", `after "["`)
	if p.accept(LeftParen) {
		n.Item = p.ident("the name of the item")
		p.expect(Comma, "after the name of the item")
		n.Index = p.ident("the name of the index")
		p.expect(RightParen, "after the name of the index")
	} else {
		n.Item = p.ident(`the name of the item, or "(" and the names of item and index,`)
	}
	p.expectWord("in", "and a collection after the name of the item")
	n.In = p.expression()
	p.expect(Colon, "and what to repeat, after the collection")
	n.Body = body()
	p.newLines()
	if p.lost {
		p.skip(false)
		p.newLines()
	}
	p.close(opened, RightSquare, "the loop")
	return n
}

// parenthesised reads an expression in parentheses or, if it may be one, a lambda with its names in parentheses.
func (p *parser) parenthesised(lambda bool) Expr {
	from, opened := p.at, p.at
	var items []Expr
	p.take()
	p.open[RightParen]++
	p.newLines()
	for !p.atEnd() {
		items = append(items, p.expression())
		p.newLines()
		if !p.accept(Comma) {
			break
		}
		p.newLines()
	}
	p.close(opened, RightParen, "the parentheses")
	if lambda && !p.lost && p.kind() == Arrow {
		n := &Lambda{Parameters: p.lambdaNames(items), Body: p.arrowBody()}
		n.cover(from, p.at)
		return n
	}
	n := &Paren{X: p.single(items, opened)}
	n.cover(from, p.at)
	return n
}

// single returns the one expression that parentheses have to hold.
func (p *parser) single(items []Expr, opened int) Expr {
	if len(items) == 1 {
		return items[0]
	}
	if !p.lost {
		t := p.file.Tokens[opened]
		p.note(t.Start, t.End, "", "these parentheses hold %d expressions, and they may hold one", len(items))
	}
	return &Skipped{extent{opened + 1, opened + 1}}
}

// lambdaNames makes of the expressions before "=>" the names that they have to be.
func (p *parser) lambdaNames(items []Expr) []*Ident {
	var names []*Ident
	for _, x := range items {
		from, to := x.tokens()
		name, ok := x.(*Name)
		if !ok {
			span := p.file.Span(x)
			p.note(span.Start, span.End, "", `expected a name before "=>", found an expression`)
			continue
		}
		names = append(names, &Ident{extent: extent{from, to}, Name: name.Name})
	}
	return names
}

// arrowBody reads => and an expression, which may stand on the next line.
func (p *parser) arrowBody() Expr {
	p.expect(Arrow, "and the function's body")
	if p.lost {
		return p.missing()
	}
	if !p.statementAt(p.at + p.afterLines()) {
		p.newLines()
	}
	plain := p.plain
	p.plain = false
	x := p.expression()
	p.plain = plain
	return x
}

// callOrLambda reads a name, a call, or a lambda with one parameter.
func (p *parser) callOrLambda() Expr {
	if p.ahead(1) != Arrow {
		return p.callOrName("a name")
	}
	n := &Lambda{}
	defer p.node(n)()
	n.Parameters = []*Ident{p.ident("a name")}
	n.Body = p.arrowBody()
	return n
}

func (p *parser) callOrName(what string) Expr {
	if p.ahead(1) != LeftParen || p.kind() != Identifier {
		return p.name(what)
	}
	n := &Call{}
	defer p.node(n)()
	n.Name = p.ident(what)
	n.Args = p.callArguments()
	return n
}

func (p *parser) callArguments() []Expr {
	var args []Expr
	p.arguments(LeftParen, RightParen, "the arguments", func() { args = append(args, p.expression()) })
	return args
}
