package syntax

func (p *parser) resource(d Decorated) Statement {
	p.take()
	n := &Resource{Decorated: d, Name: p.ident("the name of the resource")}
	n.Type = p.quoted("the type of the resource, such as 'Microsoft.Storage/storageAccounts@2025-01-01',")
	n.Existing = p.acceptWord("existing")
	p.expect(Assign, "after the type of the resource")
	n.Value = p.body("resource", p.resourceObject)
	return n
}

func (p *parser) module(d Decorated) Statement {
	p.take()
	n := &Module{Decorated: d, Name: p.ident("the name of the module")}
	n.Path = p.quoted("the path of the module, such as './storage.bicep',")
	p.expect(Assign, "after the path of the module")
	n.Value = p.body("module", p.object)
	return n
}

func (p *parser) test(d Decorated) Statement {
	p.take()
	n := &Test{Decorated: d, Name: p.ident("the name of the test")}
	n.Path = p.quoted("the path of what is tested")
	p.expect(Assign, "after the path")
	n.Value = p.object()
	return n
}

// body reads the value of a resource or module: an object, one with a condition, or a loop of either.
func (p *parser) body(what string, object func() Expr) Expr {
	if next := p.afterLines(); p.ahead(next) == Identifier && p.text(p.at+next) == "if" {
		p.newLines()
	}
	switch {
	case p.isWord("if"):
		return p.conditional(object)
	case p.kind() == LeftBrace:
		return object()
	case p.kind() == LeftSquare:
		return p.loop(func() Expr {
			if p.isWord("if") {
				return p.conditional(object)
			}
			return object()
		})
	}
	p.expected(`"{", "if" or "[for" to begin the ` + what)
	return p.missing()
}

func (p *parser) conditional(object func() Expr) Expr {
	n := &If{}
	defer p.node(n)()
	p.take()
	if p.lost || p.kind() != LeftParen {
		p.expected(`"(" and a condition after "if"`)
		n.Condition, n.Body = p.missing(), p.missing()
		return n
	}
	n.Condition = p.parenthesised(false)
	n.Body = object()
	return n
}

// resourceObject reads the body of a resource, in which further resources may stand.
func (p *parser) resourceObject() Expr {
	n := &Object{}
	defer p.node(n)()
	p.elements(LeftBrace, RightBrace, "the resource", func() {
		if p.kind() == At || p.isWord("resource") && p.ahead(1) == Identifier {
			n.Members = append(n.Members, p.nestedResource())
			return
		}
		p.objectMember(n)
	})
	return n
}

func (p *parser) nestedResource() Member {
	from := p.at
	d := p.decorators()
	if !p.lost && p.isWord("resource") {
		n := p.resource(d).(*Resource)
		n.cover(from, p.at)
		return n
	}
	p.expected("a resource below the decorator")
	n := &Orphan{Decorated: d}
	n.cover(from, p.at)
	return n
}

func (p *parser) importSymbols(d Decorated) Statement {
	p.take()
	n := &Import{Decorated: d}
	switch {
	case p.accept(Star):
		p.expectWord("as", "and a name after \"*\"")
		n.All = p.ident(`a name after "as"`)
	case p.kind() == LeftBrace:
		p.elements(LeftBrace, RightBrace, "the list of imports", func() { n.Symbols = append(n.Symbols, p.symbol()) })
	default:
		p.expected(`"{" and names, or "* as" and a name, after "import"`)
	}
	p.expectWord("from", "after what is imported")
	n.From = p.quoted("the path of the file to import from")
	return n
}

func (p *parser) symbol() *Symbol {
	n := &Symbol{}
	defer p.node(n)()
	if k := p.kind(); k == StringWhole {
		n.Name = p.quoted("a name")
		p.expectWord("as", "and an alias after a name in quotes")
		n.Alias = p.ident(`a name after "as"`)
		return n
	}
	n.Name = p.name("the name of what is imported")
	if p.acceptWord("as") {
		n.Alias = p.ident(`a name after "as"`)
	}
	return n
}

func (p *parser) extension(d Decorated) Statement {
	p.take()
	n := &Extension{Decorated: d}
	if p.kind() == Identifier {
		n.Spec = p.name("the extension")
	} else {
		n.Spec = p.quoted("the extension's name")
	}
	if p.acceptWord("with") {
		n.With = p.object()
	}
	if p.acceptWord("as") {
		n.Alias = p.ident("the extension's alias")
	}
	if !p.lost && p.kind() != NewLine && p.kind() != EndOfFile {
		p.expected(`"with", "as" or the end of the line after the extension`)
	}
	return n
}

func (p *parser) using(d Decorated) Statement {
	p.take()
	n := &Using{Decorated: d}
	if !p.acceptWord("none") {
		n.Path = p.quoted(`the path of the template, or "none",`)
	}
	if p.acceptWord("with") {
		n.With = p.object()
	}
	return n
}

func (p *parser) extends(d Decorated) Statement {
	p.take()
	return &Extends{Decorated: d, Path: p.quoted("the path of the parameter file")}
}

func (p *parser) extensionConfig(d Decorated) Statement {
	p.take()
	n := &ExtensionConfig{Decorated: d, Name: p.ident("the extension's alias")}
	p.expectWord("with", "after the extension's alias")
	n.With = p.object()
	return n
}
