package syntax

// declaredType reads the type of something that is declared, which can be a resource's. what completes "expected … ".
func (p *parser) declaredType(what string) Type {
	if !p.isWord("resource") || p.ahead(1) == Less || p.lost {
		return p.typeOf(what)
	}
	n := &ResourceType{}
	defer p.node(n)()
	p.take()
	if k := p.kind(); k == StringWhole || k == StringLeft {
		n.Type = p.str()
	}
	return n
}

// typeOf reads a type: one, or several with "|" between them, which may stand at the beginning of lines.
func (p *parser) typeOf(what string) Type {
	defer p.deeper()()
	from := p.at
	union := p.pipe()
	first := p.typeMember(what)
	if p.lost || !union && !p.pipeAhead() {
		return first
	}
	n := &Union{Members: []Type{first}}
	for p.pipe() {
		n.Members = append(n.Members, p.typeMember(`a type after "|"`))
	}
	n.cover(from, p.at)
	return n
}

func (p *parser) pipeAhead() bool {
	return p.kind() == Pipe || p.kind() == NewLine && p.ahead(p.afterLines()) == Pipe
}

func (p *parser) pipe() bool {
	if p.lost || !p.pipeAhead() {
		return false
	}
	p.newLines()
	return p.accept(Pipe)
}

// typeMember reads one member of a union with the marks behind it.
func (p *parser) typeMember(what string) Type {
	t := p.signedType(what)
	for !p.lost {
		switch p.kind() {
		case Question:
			p.take()
			n := &Nullable{Base: t}
			p.wrap(n, t)
			t = n
		case Bang:
			p.take()
			n := &NotNullable{Base: t}
			p.wrap(n, t)
			t = n
		default:
			return t
		}
	}
	return t
}

// signedType reads a type with "-" or "!" before it, as a literal has it.
func (p *parser) signedType(what string) Type {
	if k := p.kind(); p.lost || k != Minus && k != Bang {
		return p.typeAccess(what)
	}
	n := &Unary{Op: p.kind()}
	defer p.node(n)()
	p.take()
	switch p.kind() {
	case Integer, True, False, Null:
		n.X = p.literal().(Expr)
	default:
		p.expected("a value after " + n.Op.String())
		n.X = p.missing()
	}
	return n
}

// typeAccess reads a type and everything that is taken from it.
func (p *parser) typeAccess(what string) Type {
	t := p.simpleType(what)
	for !p.lost {
		switch p.kind() {
		case Dot:
			t = p.typeMemberOf(t)
		case LeftSquare:
			t = p.typeIndex(t)
		default:
			return t
		}
	}
	return t
}

// typeMemberOf reads .name, .name<…> or .* after a type.
func (p *parser) typeMemberOf(base Type) Type {
	p.take()
	if p.accept(Star) {
		n := &TypeRest{Base: base}
		p.wrap(n, base)
		return n
	}
	name := p.ident(`the name of a type's property, or "*", after "."`)
	if p.lost || p.kind() != Less {
		n := &TypeProperty{Base: base, Name: name}
		p.wrap(n, base)
		return n
	}
	n := &Generic{Base: base, Name: name, Args: p.typeArguments()}
	p.wrap(n, base)
	return n
}

// typeIndex reads [], [*] or [index] after a type.
func (p *parser) typeIndex(base Type) Type {
	p.take()
	switch {
	case p.accept(RightSquare):
		n := &ArrayType{Item: base}
		p.wrap(n, base)
		return n
	case p.accept(Star):
		p.expect(RightSquare, `after "*"`)
		n := &TypeItems{Base: base}
		p.wrap(n, base)
		return n
	}
	n := &TypeIndex{Base: base, Index: p.expression()}
	p.expect(RightSquare, "after the index")
	p.wrap(n, base)
	return n
}

func (p *parser) typeArguments() []Type {
	var args []Type
	p.arguments(Less, Greater, "the type's arguments", func() { args = append(args, p.typeOf("a type")) })
	return args
}

func (p *parser) simpleType(what string) Type {
	n := Type(&Skipped{})
	if p.lost {
		n.cover(p.at, p.at)
		return n
	}
	switch p.kind() {
	case Integer, True, False, Null:
		return p.literal().(Type)
	case StringWhole, StringLeft:
		return p.str().(Type)
	case LeftBrace:
		return p.objectType()
	case LeftSquare:
		return p.tupleType()
	case LeftParen:
		return p.typeParen()
	case Identifier:
		return p.typeName()
	}
	p.expected(what)
	n.cover(p.at, p.at)
	return n
}

func (p *parser) typeName() Type {
	if p.ahead(1) == Less {
		n := &Generic{}
		defer p.node(n)()
		n.Name = p.ident("the name of a type")
		n.Args = p.typeArguments()
		return n
	}
	n := &TypeName{}
	defer p.node(n)()
	n.Name = p.ident("the name of a type").Name
	return n
}

func (p *parser) typeParen() Type {
	n := &TypeParen{}
	defer p.node(n)()
	p.take()
	n.X = p.typeOf("a type")
	p.expect(RightParen, "after the type")
	return n
}

func (p *parser) objectType() Type {
	n := &ObjectType{}
	defer p.node(n)()
	p.elements(LeftBrace, RightBrace, "the object's type", func() {
		if field := p.typeField(); field != nil {
			n.Properties = append(n.Properties, field)
		}
	})
	return n
}

func (p *parser) typeField() *TypeField {
	n := &TypeField{}
	defer p.node(n)()
	n.Decorated = p.decorators()
	if !p.accept(Star) {
		n.Key = p.key(`the name of a property, or "*",`)
		if n.Key == nil {
			n.Key = p.missing()
		}
	}
	p.expect(Colon, "after the name of the property")
	n.Type = p.typeOf("the type of the property")
	return n
}

func (p *parser) tupleType() Type {
	n := &TupleType{}
	defer p.node(n)()
	p.elements(LeftSquare, RightSquare, "the tuple's type", func() {
		item := &TypeItem{}
		defer p.node(item)()
		item.Decorated = p.decorators()
		item.Type = p.typeOf("a type")
		n.Items = append(n.Items, item)
	})
	return n
}
