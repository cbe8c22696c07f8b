package terraform

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// expr reads an expression with the names of a scope.
func (u *unit) expr(s *scope, e hcl.Expression) template.Expr {
	if native, ok := e.(hclsyntax.Expression); ok {
		return u.native(s, native)
	}
	return u.fromJSON(s, e)
}

func (u *unit) native(s *scope, e hclsyntax.Expression) template.Expr {
	at := u.at(e.Range())
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return &template.Literal{At: at, Value: value(e.Val)}
	case *hclsyntax.TemplateExpr:
		return u.parts(s, e.Parts, at)
	case *hclsyntax.TemplateWrapExpr:
		return u.native(s, e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return u.native(s, e.Expression)
	case *hclsyntax.ScopeTraversalExpr:
		return u.traversal(s, e.Traversal)
	case *hclsyntax.RelativeTraversalExpr:
		return u.steps(u.native(s, e.Source), e.Traversal)
	case *hclsyntax.IndexExpr:
		return &template.Access{At: at, Base: u.native(s, e.Collection), Key: u.native(s, e.Key)}
	case *hclsyntax.SplatExpr:
		u.items[e.Item] = &template.Access{At: at, Base: u.native(s, e.Source)}
		return u.native(s, e.Each)
	case *hclsyntax.AnonSymbolExpr:
		return u.items[e]
	}
	return u.composite(s, e, at)
}

// composite reads expressions that are made of others.
func (u *unit) composite(s *scope, e hclsyntax.Expression, at template.At) template.Expr {
	switch e := e.(type) {
	case *hclsyntax.ConditionalExpr:
		return &template.Choice{At: at, If: u.native(s, e.Condition), Then: u.native(s, e.TrueResult), Else: u.native(s, e.FalseResult)}
	case *hclsyntax.BinaryOpExpr:
		return &template.Operation{At: at, Op: signs[e.Op], Args: []template.Expr{u.native(s, e.LHS), u.native(s, e.RHS)}}
	case *hclsyntax.UnaryOpExpr:
		return u.unary(s, e, at)
	case *hclsyntax.FunctionCallExpr:
		return u.call(s, e, at)
	case *hclsyntax.TemplateJoinExpr: // %{ for } in a string
		return &template.Call{At: at, Name: "join", Args: []template.Expr{&template.Literal{At: at, Value: ""}, u.native(s, e.Tuple)}}
	case *hclsyntax.TupleConsExpr:
		l := &template.List{At: at}
		for _, item := range e.Exprs {
			l.Items = append(l.Items, u.native(s, item))
		}
		return l
	case *hclsyntax.ObjectConsExpr:
		o := &template.Object{At: at}
		for _, item := range e.Items {
			m := u.key(s, item.KeyExpr)
			m.Value = u.native(s, item.ValueExpr)
			o.Members = append(o.Members, m)
		}
		return o
	case *hclsyntax.ForExpr:
		return u.loop(s, e, at)
	}
	return &template.Missing{At: at}
}

var signs = map[*hclsyntax.Operation]string{
	hclsyntax.OpLogicalOr: "||", hclsyntax.OpLogicalAnd: "&&", hclsyntax.OpLogicalNot: "!", hclsyntax.OpEqual: "==",
	hclsyntax.OpNotEqual: "!=", hclsyntax.OpGreaterThan: ">", hclsyntax.OpGreaterThanOrEqual: ">=", hclsyntax.OpLessThan: "<",
	hclsyntax.OpLessThanOrEqual: "<=", hclsyntax.OpAdd: "+", hclsyntax.OpSubtract: "-", hclsyntax.OpMultiply: "*",
	hclsyntax.OpDivide: "/", hclsyntax.OpModulo: "%", hclsyntax.OpNegate: "-",
}

func (u *unit) unary(s *scope, e *hclsyntax.UnaryOpExpr, at template.At) template.Expr {
	operand := u.native(s, e.Val)
	if l, ok := operand.(*template.Literal); ok && e.Op == hclsyntax.OpNegate {
		switch n := l.Value.(type) {
		case int64:
			return &template.Literal{At: at, Value: -n}
		case float64:
			return &template.Literal{At: at, Value: -n}
		}
	}
	return &template.Operation{At: at, Op: signs[e.Op], Args: []template.Expr{operand}}
}

func (u *unit) call(s *scope, e *hclsyntax.FunctionCallExpr, at template.At) template.Expr {
	c := &template.Call{At: at, Name: e.Name}
	for _, a := range e.Args {
		c.Args = append(c.Args, u.native(s, a))
	}
	if last := len(c.Args) - 1; e.ExpandFinal && last >= 0 {
		c.Args[last] = &template.Spread{At: template.At{Span: c.Args[last].Place()}, X: c.Args[last]}
	}
	return c
}

// loop reads [for …] and {for …}.
func (u *unit) loop(s *scope, e *hclsyntax.ForExpr, at template.At) template.Expr {
	l := &template.Loop{At: at, In: u.native(s, e.CollExpr)}
	inside := &scope{outer: s, names: map[string]*template.Local{}}
	l.Item = inside.local(e.ValVar, l, false)
	if e.KeyVar != "" {
		l.Index = inside.local(e.KeyVar, l, true)
	}
	if e.CondExpr != nil {
		l.If = u.native(inside, e.CondExpr)
	}
	if e.KeyExpr != nil {
		l.Key = u.native(inside, e.KeyExpr)
	}
	l.Body = u.native(inside, e.ValExpr)
	return l
}

// key reads the key of an object's member: a word that stands for itself, or an expression.
func (u *unit) key(s *scope, e hcl.Expression) *template.Member {
	m := &template.Member{At: u.span(e.Range())}
	if word := hcl.ExprAsKeyword(e); word != "" {
		m.Name = word
		return m
	}
	if k, ok := e.(*hclsyntax.ObjectConsKeyExpr); ok {
		e = k.Wrapped
	}
	key := u.expr(s, e)
	if text, ok := template.StringOf(key); ok {
		m.Name = text
	} else {
		m.Key = key
	}
	return m
}

// parts reads a string: a literal, or the parts that it is put together of.
func (u *unit) parts(s *scope, parts []hclsyntax.Expression, at template.At) template.Expr {
	t := &template.Text{At: at}
	for _, p := range parts {
		t.Parts = append(t.Parts, u.native(s, p))
	}
	switch len(parts) {
	case 0:
		return &template.Literal{At: at, Value: ""}
	case 1:
		if l, ok := t.Parts[0].(*template.Literal); ok {
			return &template.Literal{At: at, Value: l.Value}
		}
	}
	return t
}

// fromJSON reads an expression of JSON, in which a string is what would stand in quotes.
func (u *unit) fromJSON(s *scope, e hcl.Expression) template.Expr {
	at := u.at(e.Range())
	if pairs, diagnostics := hcl.ExprMap(e); !diagnostics.HasErrors() {
		o := &template.Object{At: at}
		for _, pair := range pairs {
			m := &template.Member{At: u.span(pair.Key.Range())}
			if m.Name, _ = template.StringOf(u.fromJSON(s, pair.Key)); m.Name == "" {
				m.Key = u.fromJSON(s, pair.Key)
			}
			m.Value = u.fromJSON(s, pair.Value)
			o.Members = append(o.Members, m)
		}
		return o
	}
	if items, diagnostics := hcl.ExprList(e); !diagnostics.HasErrors() {
		l := &template.List{At: at}
		for _, item := range items {
			l.Items = append(l.Items, u.fromJSON(s, item))
		}
		return l
	}
	v, diagnostics := e.Value(nil) // without names a string is not evaluated
	u.note(diagnostics)
	text, ok := value(v).(string)
	if !ok {
		return &template.Literal{At: at, Value: value(v)}
	}
	start := e.Range().Start
	start.Byte, start.Column = start.Byte+1, start.Column+1 // after the quote
	parsed, diagnostics := hclsyntax.ParseTemplate([]byte(text), e.Range().Filename, start)
	u.note(diagnostics)
	if parsed == nil {
		return &template.Missing{At: at}
	}
	return u.native(s, parsed)
}

// value returns the value of a literal as the model has it.
func value(v cty.Value) any {
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	switch v.Type() {
	case cty.String:
		return v.AsString()
	case cty.Bool:
		return v.True()
	case cty.Number:
		n := v.AsBigFloat()
		if i, accuracy := n.Int64(); accuracy == 0 {
			return i
		}
		f, _ := n.Float64()
		return f
	}
	return nil
}
