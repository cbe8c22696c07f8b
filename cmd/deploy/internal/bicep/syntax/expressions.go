package syntax

// Expr is an expression, or a *[Skipped].
type Expr interface {
	Node
	expr()
}

type (
	// Int is a number. A minus before it is a *Unary.
	Int struct {
		extent
		Value uint64
	}
	// Bool is true or false.
	Bool struct {
		extent
		Value bool
	}
	// Nothing is null.
	Nothing struct{ extent }
	// String is a string with one text more than it has holes: the first before the first hole, and so on.
	String struct {
		extent
		Texts []string // what they stand for, escapes replaced
		Holes []Expr
	}
	// Name is a symbol by its name.
	Name struct {
		extent
		Name string
	}
	// Call is name(arguments) or base.name(arguments).
	Call struct {
		extent
		Base Expr // nil when there is none
		Name *Ident
		Args []Expr
	}
	// Property is base.name or, with Safe, base.?name.
	Property struct {
		extent
		Base Expr
		Safe bool
		Name *Ident
	}
	// Index is base[index], with Safe base[?index], with FromEnd base[^index].
	Index struct {
		extent
		Base          Expr
		Safe, FromEnd bool
		Index         Expr
	}
	// Nested is resource::name.
	Nested struct {
		extent
		Base Expr
		Name *Ident
	}
	// NotNull is base!.
	NotNull struct {
		extent
		Base Expr
	}
	// Unary is "-" or "!" and an operand.
	Unary struct {
		extent
		Op Kind
		X  Expr
	}
	// Binary is an operator between two operands.
	Binary struct {
		extent
		Op   Kind
		X, Y Expr
	}
	// Ternary is condition ? then : otherwise.
	Ternary struct {
		extent
		If, Then, Else Expr
	}
	// Paren is an expression in parentheses.
	Paren struct {
		extent
		X Expr
	}
	// Lambda is name => body or (names) => body.
	Lambda struct {
		extent
		Parameters []*Ident
		Body       Expr
	}
	// Array is [items]. An item is an expression or a *Spread.
	Array struct {
		extent
		Items []Expr
	}
	// Spread is ...value inside an array or an object.
	Spread struct {
		extent
		X Expr
	}
	// Object is {members}.
	Object struct {
		extent
		Members []Member
	}
	// For is [for item in collection: body], or with (item, index).
	For struct {
		extent
		Item  *Ident
		Index *Ident // nil when it isn't wanted
		In    Expr
		Body  Expr
	}
	// If is if (condition) {…}, which only a resource, a module or a loop of them may be.
	If struct {
		extent
		Condition Expr
		Body      Expr // an *Object
	}
)

// Member is what an object is made of: a *[Field], a *[Spread], and in a resource's body a *[Resource] or *[Orphan].
type Member interface {
	Node
	member()
}

// Field is key: value.
type Field struct {
	extent
	Key   Expr // a *Name or *String
	Value Expr
}

func (*Int) expr()      {}
func (*Bool) expr()     {}
func (*Nothing) expr()  {}
func (*String) expr()   {}
func (*Name) expr()     {}
func (*Call) expr()     {}
func (*Property) expr() {}
func (*Index) expr()    {}
func (*Nested) expr()   {}
func (*NotNull) expr()  {}
func (*Unary) expr()    {}
func (*Binary) expr()   {}
func (*Ternary) expr()  {}
func (*Paren) expr()    {}
func (*Lambda) expr()   {}
func (*Array) expr()    {}
func (*Spread) expr()   {}
func (*Object) expr()   {}
func (*For) expr()      {}
func (*If) expr()       {}

func (*Field) member()    {}
func (*Spread) member()   {}
func (*Resource) member() {}
func (*Orphan) member()   {}

// Whole returns a string's text when it has no holes.
func (s *String) Whole() (text string, ok bool) {
	if len(s.Holes) > 0 || len(s.Texts) == 0 {
		return "", false
	}
	return s.Texts[0], true
}
