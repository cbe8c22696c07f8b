package template

import (
	"iter"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// Expr is an expression: a pointer to one of the types in this file.
type Expr interface {
	// Place returns where it stands.
	Place() source.Span
	// operands returns the expressions right below it in the order of the text.
	operands() []Expr
}

// At is the place of an expression.
type At struct{ source.Span }

// Place returns the place.
func (a At) Place() source.Span { return a.Span }

type (
	// Literal is a value as such: nil, bool, int64, float64 or string.
	Literal struct {
		At
		Value any
	}
	// Text is a string put together of parts.
	Text struct {
		At
		Parts []Expr
	}
	// Reference is a name. To is what it means, or nil for what the language or the environment provides, such as
	// path.module, and for a name that means nothing.
	Reference struct {
		At
		Name string
		To   Declaration
	}
	// Access takes a property or item out of a value. Key is a *Literal when it is known, and nil for every item.
	Access struct {
		At
		Base Expr
		Key  Expr
	}
	// Call calls a function. To is the function when the template declares it.
	Call struct {
		At
		Base Expr // of a method such as storage.listKeys(), otherwise nil
		Name string
		Args []Expr
		To   *Function
	}
	// Operation is an operator with one or two operands.
	Operation struct {
		At
		Op   string
		Args []Expr
	}
	// Choice is one of two values.
	Choice struct {
		At
		If, Then, Else Expr
	}
	// Object is a value with properties.
	Object struct {
		At
		Members []*Member
	}
	// List is a value with items. An item may be a *Spread.
	List struct {
		At
		Items []Expr
	}
	// Spread stands for all items, or all properties, of a value.
	Spread struct {
		At
		X Expr
	}
	// Loop makes a value for each item of a collection.
	Loop struct {
		At
		Item  *Local
		Index *Local // position or key; nil when it has no name
		In    Expr
		If    Expr // items for which it doesn't hold are left out; nil: none is
		Key   Expr // the result is an object with such keys; nil: it is a list
		Body  Expr // nil for a resource or module, which is repeated as a whole
	}
	// Lambda is a function without a name.
	Lambda struct {
		At
		Parameters []*Local
		Body       Expr
	}
	// Missing stands where an expression should be and isn't. A problem tells of it.
	Missing struct{ At }
)

// Member is a property of an object. Name is empty when Key is not known before deployment, and both are when Value is a
// *Spread.
type Member struct {
	At    source.Span
	Name  string
	Key   Expr
	Value Expr
	// WriteOnly values are handed on by Terraform and not written down: not in a plan, not in state.
	WriteOnly bool
}

func (*Literal) operands() []Expr     { return nil }
func (*Reference) operands() []Expr   { return nil }
func (*Missing) operands() []Expr     { return nil }
func (e *Text) operands() []Expr      { return e.Parts }
func (e *Access) operands() []Expr    { return there(e.Base, e.Key) }
func (e *Call) operands() []Expr      { return append(there(e.Base), e.Args...) }
func (e *Operation) operands() []Expr { return e.Args }
func (e *Choice) operands() []Expr    { return []Expr{e.If, e.Then, e.Else} }
func (e *List) operands() []Expr      { return e.Items }
func (e *Spread) operands() []Expr    { return []Expr{e.X} }
func (e *Lambda) operands() []Expr    { return []Expr{e.Body} }
func (e *Loop) operands() []Expr      { return there(e.In, e.Key, e.Body, e.If) }

func (e *Object) operands() []Expr {
	var xs []Expr
	for _, m := range e.Members {
		xs = append(xs, there(m.Key, m.Value)...)
	}
	return xs
}

func there(xs ...Expr) []Expr {
	var found []Expr
	for _, x := range xs {
		if x != nil {
			found = append(found, x)
		}
	}
	return found
}

// Walk visits an expression and all below it in the order of the text. visit returns false to leave out what is below. It
// doesn't follow references.
func Walk(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, x := range e.operands() {
		Walk(x, visit)
	}
}

// References yields every reference in an expression in the order of the text.
func References(e Expr) iter.Seq[*Reference] {
	return func(yield func(*Reference) bool) {
		done := false
		Walk(e, func(x Expr) bool {
			if r, ok := x.(*Reference); ok && !done {
				done = !yield(r)
			}
			return !done
		})
	}
}

// Get returns an object's property by its name, or nil.
func (e *Object) Get(name string) Expr {
	if e == nil {
		return nil
	}
	for _, m := range e.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// StringOf returns the text of an expression that is a string literal.
func StringOf(e Expr) (text string, ok bool) {
	if l, isLiteral := e.(*Literal); isLiteral {
		text, ok = l.Value.(string)
	}
	return text, ok
}
