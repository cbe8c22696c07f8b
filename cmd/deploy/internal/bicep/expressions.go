package bicep

import (
	"math"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// expr reads an expression with the names of a scope.
func (u *unit) expr(s *scope, x syntax.Expr) template.Expr {
	at := u.at(x)
	switch x := x.(type) {
	case *syntax.Int:
		return &template.Literal{At: at, Value: number(x.Value)}
	case *syntax.Bool:
		return &template.Literal{At: at, Value: x.Value}
	case *syntax.Nothing:
		return &template.Literal{At: at}
	case *syntax.String:
		return u.text(s, x)
	case *syntax.Paren:
		return u.expr(s, x.X)
	case *syntax.NotNull:
		return u.expr(s, x.Base)
	case *syntax.Unary:
		return u.unary(s, x)
	case *syntax.Binary:
		return &template.Operation{At: at, Op: x.Op.Sign(), Args: []template.Expr{u.expr(s, x.X), u.expr(s, x.Y)}}
	case *syntax.Ternary:
		return &template.Choice{At: at, If: u.expr(s, x.If), Then: u.expr(s, x.Then), Else: u.expr(s, x.Else)}
	}
	return u.composite(s, x, at)
}

// composite reads expressions that are made of others, or that take something from others.
func (u *unit) composite(s *scope, x syntax.Expr, at template.At) template.Expr {
	switch x := x.(type) {
	case *syntax.Array:
		return &template.List{At: at, Items: u.exprs(s, x.Items)}
	case *syntax.Spread:
		return &template.Spread{At: at, X: u.expr(s, x.X)}
	case *syntax.Object:
		return u.object(s, x)
	case *syntax.For:
		inside := newScope(s)
		loop := u.loop(s, inside, x)
		loop.Body = u.expr(inside, x.Body)
		return loop
	case *syntax.Lambda:
		return u.lambda(s, x, at)
	case *syntax.Name:
		return u.reference(s, x)
	case *syntax.Nested:
		return u.child(s, x, at)
	case *syntax.Property:
		if found, ok := u.member(s, x.Base, x.Name.Name); ok {
			return &template.Reference{At: at, Name: u.file.Text(x), To: found.declared}
		}
		key := &template.Literal{At: u.at(x.Name), Value: x.Name.Name}
		return &template.Access{At: at, Base: u.expr(s, x.Base), Key: key}
	case *syntax.Index:
		key := u.expr(s, x.Index)
		if x.FromEnd {
			key = &template.Operation{At: u.at(x.Index), Op: "^", Args: []template.Expr{key}}
		}
		return &template.Access{At: at, Base: u.expr(s, x.Base), Key: key}
	case *syntax.Call:
		return u.call(s, x, at)
	}
	return &template.Missing{At: at}
}

func (u *unit) exprs(s *scope, xs []syntax.Expr) []template.Expr {
	var out []template.Expr
	for _, x := range xs {
		out = append(out, u.expr(s, x))
	}
	return out
}

// number is an int64, or a float64 beyond its range.
func number(n uint64) any {
	if n > math.MaxInt64 {
		return float64(n)
	}
	return int64(n)
}

func (u *unit) unary(s *scope, x *syntax.Unary) template.Expr {
	operand := u.expr(s, x.X)
	if l, ok := operand.(*template.Literal); ok && x.Op == syntax.Minus {
		if n, ok := l.Value.(int64); ok {
			return &template.Literal{At: u.at(x), Value: -n}
		}
	}
	return &template.Operation{At: u.at(x), Op: x.Op.Sign(), Args: []template.Expr{operand}}
}

// text reads a string: a literal, or the parts that it is put together of.
func (u *unit) text(s *scope, x *syntax.String) template.Expr {
	if whole, ok := x.Whole(); ok {
		return &template.Literal{At: u.at(x), Value: whole}
	}
	t := &template.Text{At: u.at(x)}
	for i, text := range x.Texts {
		if text != "" {
			t.Parts = append(t.Parts, &template.Literal{At: u.at(x), Value: text})
		}
		if i < len(x.Holes) {
			t.Parts = append(t.Parts, u.expr(s, x.Holes[i]))
		}
	}
	return t
}

// object reads an object without the resources inside it.
func (u *unit) object(s *scope, x *syntax.Object) *template.Object {
	o := &template.Object{At: u.at(x)}
	for _, m := range x.Members {
		switch m := m.(type) {
		case *syntax.Field:
			o.Members = append(o.Members, u.field(s, m))
		case *syntax.Spread:
			o.Members = append(o.Members, &template.Member{At: u.file.Span(m), Value: u.expr(s, m)})
		}
	}
	return o
}

func (u *unit) field(s *scope, x *syntax.Field) *template.Member {
	m := &template.Member{At: u.file.Span(x.Key), Value: u.expr(s, x.Value)}
	switch key := x.Key.(type) {
	case *syntax.Name:
		m.Name = key.Name
	case *syntax.String:
		if whole, ok := key.Whole(); ok {
			m.Name = whole
		} else {
			m.Key = u.expr(s, key)
		}
	}
	return m
}

func (u *unit) lambda(s *scope, x *syntax.Lambda, at template.At) template.Expr {
	inside := newScope(s)
	l := &template.Lambda{At: at}
	for _, name := range x.Parameters {
		l.Parameters = append(l.Parameters, u.local(inside, name, nil))
	}
	l.Body = u.expr(inside, x.Body)
	return l
}
