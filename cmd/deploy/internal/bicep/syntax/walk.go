package syntax

import (
	"io"
	"iter"
)

// Walk visits a node and everything below it in the order of the text. visit returns false to leave out what is below.
func Walk(n Node, visit func(Node) bool) {
	if !visit(n) {
		return
	}
	for child := range Children(n) {
		Walk(child, visit)
	}
}

// Children yields the nodes right below a node in the order of the text.
func Children(n Node) iter.Seq[Node] {
	return func(yield func(Node) bool) {
		c := &collector{yield: yield}
		switch n := n.(type) {
		case Statement:
			c.statement(n)
		case Expr:
			c.expr(n)
		case Type:
			c.typ(n)
		default:
			c.piece(n)
		}
	}
}

// collector hands on the nodes that are there until nobody wants more.
type collector struct {
	yield func(Node) bool
	done  bool
}

func (c *collector) add(n Node) {
	if !c.done {
		c.done = !c.yield(n)
	}
}

// expression adds expressions that may be nil.
func (c *collector) expression(xs ...Expr) {
	for _, x := range xs {
		if x != nil {
			c.add(x)
		}
	}
}

func (c *collector) types(ts ...Type) {
	for _, t := range ts {
		if t != nil {
			c.add(t)
		}
	}
}

func (c *collector) ident(names ...*Ident) {
	for _, n := range names {
		if n != nil {
			c.add(n)
		}
	}
}

func (c *collector) decorators(d Decorated) {
	for _, n := range d.Decorators {
		c.add(n)
	}
}

func (c *collector) statement(n Statement) {
	if d, ok := n.(interface{ decorated() Decorated }); ok {
		c.decorators(d.decorated())
	}
	switch n := n.(type) {
	case *TargetScope:
		c.expression(n.Value)
	case *Metadata:
		c.ident(n.Name)
		c.expression(n.Value)
	case *Param:
		c.ident(n.Name)
		c.types(n.Type)
		c.expression(n.Default)
	case *Assignment:
		c.ident(n.Name)
		c.expression(n.Value)
	case *Var:
		c.ident(n.Name)
		c.types(n.Type)
		c.expression(n.Value)
	case *TypeDecl:
		c.ident(n.Name)
		c.types(n.Type)
	case *Func:
		c.ident(n.Name)
		for _, parameter := range n.Parameters {
			c.add(parameter)
		}
		c.types(n.Result)
		c.expression(n.Body)
	case *Output:
		c.ident(n.Name)
		c.types(n.Type)
		c.expression(n.Value)
	case *Assert:
		c.ident(n.Name)
		c.expression(n.Value)
	default:
		c.outward(n)
	}
}

// outward adds what is below the statements that name something outside the file.
func (c *collector) outward(n Statement) {
	switch n := n.(type) {
	case *Resource:
		c.ident(n.Name)
		c.expression(n.Type, n.Value)
	case *Module:
		c.ident(n.Name)
		c.expression(n.Path, n.Value)
	case *Test:
		c.ident(n.Name)
		c.expression(n.Path, n.Value)
	case *Import:
		for _, symbol := range n.Symbols {
			c.add(symbol)
		}
		c.ident(n.All)
		c.expression(n.From)
	case *Extension:
		c.expression(n.Spec, n.With)
		c.ident(n.Alias)
	case *Using:
		c.expression(n.Path, n.With)
	case *Extends:
		c.expression(n.Path)
	case *ExtensionConfig:
		c.ident(n.Name)
		c.expression(n.With)
	}
}

func (c *collector) expr(n Expr) {
	switch n := n.(type) {
	case *String:
		c.expression(n.Holes...)
	case *Call:
		c.expression(n.Base)
		c.ident(n.Name)
		c.expression(n.Args...)
	case *Property:
		c.expression(n.Base)
		c.ident(n.Name)
	case *Index:
		c.expression(n.Base, n.Index)
	case *Nested:
		c.expression(n.Base)
		c.ident(n.Name)
	case *NotNull:
		c.expression(n.Base)
	case *Unary:
		c.expression(n.X)
	case *Binary:
		c.expression(n.X, n.Y)
	case *Ternary:
		c.expression(n.If, n.Then, n.Else)
	case *Paren:
		c.expression(n.X)
	case *Lambda:
		c.ident(n.Parameters...)
		c.expression(n.Body)
	case *Array:
		c.expression(n.Items...)
	case *Spread:
		c.expression(n.X)
	case *Object:
		for _, member := range n.Members {
			c.add(member)
		}
	case *For:
		c.ident(n.Item, n.Index)
		c.expression(n.In, n.Body)
	case *If:
		c.expression(n.Condition, n.Body)
	}
}

func (c *collector) typ(n Type) {
	switch n := n.(type) {
	case *Generic:
		c.types(n.Base)
		c.ident(n.Name)
		c.types(n.Args...)
	case *TypeProperty:
		c.types(n.Base)
		c.ident(n.Name)
	case *TypeRest:
		c.types(n.Base)
	case *TypeItems:
		c.types(n.Base)
	case *TypeIndex:
		c.types(n.Base)
		c.expression(n.Index)
	case *ArrayType:
		c.types(n.Item)
	case *Nullable:
		c.types(n.Base)
	case *NotNullable:
		c.types(n.Base)
	case *Union:
		c.types(n.Members...)
	case *TypeParen:
		c.types(n.X)
	case *ObjectType:
		for _, field := range n.Properties {
			c.add(field)
		}
	case *TupleType:
		for _, item := range n.Items {
			c.add(item)
		}
	case *ResourceType:
		c.expression(n.Type)
	}
}

// piece adds what is below the nodes that are neither statement nor expression nor type.
func (c *collector) piece(n Node) {
	switch n := n.(type) {
	case *File:
		for _, s := range n.Statements {
			c.add(s)
		}
	case *Decorator:
		c.expression(n.Call)
	case *Symbol:
		c.expression(n.Name)
		c.ident(n.Alias)
	case *TypedName:
		c.ident(n.Name)
		c.types(n.Type)
	case *Field:
		c.expression(n.Key, n.Value)
	case *TypeField:
		c.decorators(n.Decorated)
		c.expression(n.Key)
		c.types(n.Type)
	case *TypeItem:
		c.decorators(n.Decorated)
		c.types(n.Type)
	}
}

// Print writes the file from its tree: the tokens of each node in their order, with what comes before them. It writes
// what was read, byte for byte.
func (f *File) Print(w io.Writer) error { return f.print(w, f) }

func (f *File) print(w io.Writer, n Node) error {
	at, to := n.tokens()
	for child := range Children(n) {
		from, end := child.tokens()
		if err := f.printTokens(w, at, from); err != nil {
			return err
		}
		if err := f.print(w, child); err != nil {
			return err
		}
		at = end
	}
	return f.printTokens(w, at, to)
}

func (f *File) printTokens(w io.Writer, from, to int) error {
	for i := from; i < to; i++ {
		start := 0
		if i > 0 {
			start = f.Tokens[i-1].End
		}
		if _, err := io.WriteString(w, f.Source.Text[start:f.Tokens[i].End]); err != nil {
			return err
		}
	}
	return nil
}
