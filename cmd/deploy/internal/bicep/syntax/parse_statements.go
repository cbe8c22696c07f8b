package syntax

import "strings"

func (p *parser) statements() {
	defer p.node(p.file)()
	for p.newLines(); p.kind() != EndOfFile; p.newLines() {
		p.file.Statements = append(p.file.Statements, p.statement())
	}
	p.at = len(p.file.Tokens) // the end of the file belongs to the file
}

// statement reads one statement with its line. It always moves on.
func (p *parser) statement() Statement {
	from := p.at
	d := p.decorators()
	s := p.declaration(d)
	if !p.lost && p.kind() != NewLine && p.kind() != EndOfFile {
		p.expected("the end of the line after a statement")
	}
	for p.lost {
		p.skip(false)
		switch p.kind() {
		case NewLine, EndOfFile:
		default: // something closes that was never opened
			if !p.atStatement() || p.at == from {
				p.take()
				p.lost = true
			}
		}
	}
	s.cover(from, p.at)
	return s
}

// decorators reads @ lines. Each stands on lines of its own.
func (p *parser) decorators() Decorated {
	var d Decorated
	for !p.lost && p.kind() == At {
		d.Decorators = append(d.Decorators, p.decorator())
		if !p.lost && p.kind() != NewLine && p.kind() != EndOfFile {
			p.expected("a new line after the decorator")
			if p.kind() == Identifier { // what it decorates
				p.lost = false
				return d
			}
		}
		if p.lost {
			p.skip(false)
		}
		p.newLines()
	}
	return d
}

func (p *parser) decorator() *Decorator {
	n := &Decorator{}
	defer p.node(n)()
	p.take()
	n.Call = p.callOrName("a decorator's name")
	for p.kind() == Dot && !p.lost {
		n.Call = p.member(n.Call)
	}
	return n
}

// The words that statements begin with.
const (
	templateWords  = "targetScope, metadata, param, var, type, func, resource, module, output, import, extension or assert"
	parameterWords = "using, extends, param, var, type, func, import, extension or extensionConfig"
)

func (p *parser) declaration(d Decorated) Statement {
	word := ""
	if p.kind() == Identifier && !p.lost {
		word = p.text(p.at)
	}
	var s Statement
	if p.file.Parameters {
		s = p.parameterStatement(word, d)
	} else {
		s = p.templateStatement(word, d)
	}
	switch {
	case s != nil:
		return s
	case len(d.Decorators) > 0:
		p.expected("a declaration below the decorator")
		return &Orphan{Decorated: d}
	}
	p.expectedOr("a statement, which begins with "+p.words(), p.nearWord(word))
	return &Skipped{}
}

func (p *parser) words() string {
	if p.file.Parameters {
		return parameterWords
	}
	return templateWords
}

// nearWord is a hint for a word that only case keeps from being right.
func (p *parser) nearWord(word string) string {
	for _, w := range strings.FieldsFunc(p.words(), func(r rune) bool { return r == ' ' || r == ',' }) {
		if strings.EqualFold(w, word) {
			return "write it as " + w
		}
	}
	return ""
}

func (p *parser) templateStatement(word string, d Decorated) Statement {
	switch word {
	case "targetScope":
		return p.targetScope(d)
	case "metadata":
		return p.metadata(d)
	case "param":
		return p.param(d)
	case "output":
		return p.output(d)
	case "resource":
		return p.resource(d)
	case "module":
		return p.module(d)
	case "test":
		return p.test(d)
	case "assert":
		return p.assert(d)
	case "provider":
		return p.extension(d)
	}
	return p.sharedStatement(word, d)
}

func (p *parser) parameterStatement(word string, d Decorated) Statement {
	switch word {
	case "using":
		return p.using(d)
	case "extends":
		return p.extends(d)
	case "param":
		return p.assignment(d)
	case "extensionConfig":
		return p.extensionConfig(d)
	}
	return p.sharedStatement(word, d)
}

// sharedStatement reads what both kinds of files may hold.
func (p *parser) sharedStatement(word string, d Decorated) Statement {
	switch word {
	case "var":
		return p.variable(d)
	case "type":
		return p.typeDecl(d)
	case "func":
		return p.function(d)
	case "import":
		if next := p.ahead(1); next == StringWhole || next == StringLeft {
			return p.extension(d)
		}
		return p.importSymbols(d)
	case "extension":
		return p.extension(d)
	}
	return nil
}

func (p *parser) targetScope(d Decorated) Statement {
	p.take()
	p.expect(Assign, `after "targetScope"`)
	return &TargetScope{Decorated: d, Value: p.expression()}
}

func (p *parser) metadata(d Decorated) Statement {
	p.take()
	n := &Metadata{Decorated: d, Name: p.ident("the name of the metadata")}
	p.expect(Assign, "after the name of the metadata")
	n.Value = p.expression()
	return n
}

func (p *parser) param(d Decorated) Statement {
	p.take()
	n := &Param{Decorated: d, Name: p.ident("the name of the parameter")}
	n.Type = p.declaredType("the type of the parameter")
	if p.lost || p.kind() == NewLine || p.kind() == EndOfFile {
		return n
	}
	if p.expect(Assign, "and a default after the type of the parameter, or the end of the line") {
		n.Default = p.expression()
	}
	return n
}

func (p *parser) assignment(d Decorated) Statement {
	p.take()
	n := &Assignment{Decorated: d, Name: p.ident("the name of the parameter")}
	p.expect(Assign, "after the name of the parameter")
	n.Value = p.expression()
	return n
}

func (p *parser) variable(d Decorated) Statement {
	p.take()
	n := &Var{Decorated: d, Name: p.ident("the name of the variable")}
	if k := p.kind(); !p.lost && k != Assign && k != NewLine && k != EndOfFile {
		n.Type = p.declaredType(`"=" after the name of the variable, or its type`)
	}
	p.expect(Assign, "after the name of the variable")
	n.Value = p.expression()
	return n
}

func (p *parser) typeDecl(d Decorated) Statement {
	p.take()
	n := &TypeDecl{Decorated: d, Name: p.ident("the name of the type")}
	p.expect(Assign, "after the name of the type")
	n.Type = p.declaredType("a type")
	return n
}

func (p *parser) output(d Decorated) Statement {
	p.take()
	n := &Output{Decorated: d, Name: p.ident("the name of the output")}
	n.Type = p.declaredType("the type of the output")
	p.expect(Assign, "after the type of the output")
	n.Value = p.expression()
	return n
}

func (p *parser) assert(d Decorated) Statement {
	p.take()
	n := &Assert{Decorated: d, Name: p.ident("the name of the assertion")}
	p.expect(Assign, "after the name of the assertion")
	n.Value = p.expression()
	return n
}

func (p *parser) function(d Decorated) Statement {
	p.take()
	n := &Func{Decorated: d, Name: p.ident("the name of the function")}
	p.arguments(LeftParen, RightParen, "the function's parameters", func() {
		parameter := &TypedName{}
		defer p.node(parameter)()
		parameter.Name = p.ident("the name of a parameter")
		parameter.Type = p.declaredType("the type of the parameter")
		n.Parameters = append(n.Parameters, parameter)
	})
	n.Result = p.declaredType("the type of the function's result")
	n.Body = p.arrowBody()
	return n
}
