package terraform

import (
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// bound reads off a condition what it says about the values of a parameter: bounds, lengths, allowed values, a pattern,
// and that a number is whole. What it cannot read it leaves.
func bound(p *template.Parameter, condition template.Expr) {
	switch c := condition.(type) {
	case *template.Operation:
		boundByOperation(p, c)
	case *template.Call:
		boundByCall(p, c)
	}
}

func boundByOperation(p *template.Parameter, c *template.Operation) {
	if len(c.Args) != 2 {
		return
	}
	a, b := c.Args[0], c.Args[1]
	switch c.Op {
	case "&&":
		bound(p, a)
		bound(p, b)
	case "||":
		boundByAlternatives(p, c)
	case "==":
		if isWhole(p, a, b) || isWhole(p, b, a) {
			p.Base = template.Int
		}
		compare(p, c.Op, a, b)
	default:
		compare(p, c.Op, a, b)
	}
}

// isWhole reports whether a condition says that a value is equal to itself without a fraction.
func isWhole(p *template.Parameter, a, b template.Expr) bool {
	c, ok := b.(*template.Call)
	return ok && isParameter(p, a) && (c.Name == "floor" || c.Name == "ceil") && len(c.Args) == 1 && isParameter(p, c.Args[0])
}

// boundByAlternatives reads "it is null, or …" and "it is this, or that".
func boundByAlternatives(p *template.Parameter, c *template.Operation) {
	for i, x := range c.Args {
		if isNull(p, x) {
			bound(p, c.Args[1-i])
			return
		}
	}
	if values := equals(p, c); values != nil {
		p.Allowed = values
	}
}

func isNull(p *template.Parameter, e template.Expr) bool {
	c, ok := e.(*template.Operation)
	if !ok || c.Op != "==" {
		return false
	}
	l, ok := c.Args[1].(*template.Literal)
	return ok && l.Value == nil && isParameter(p, c.Args[0])
}

// equals returns the values that a parameter is compared with by "||", or nil if the condition says anything else.
func equals(p *template.Parameter, e template.Expr) []any {
	c, ok := e.(*template.Operation)
	if !ok || len(c.Args) != 2 {
		return nil
	}
	if c.Op == "||" {
		a, b := equals(p, c.Args[0]), equals(p, c.Args[1])
		if a == nil || b == nil {
			return nil
		}
		return append(a, b...)
	}
	if l, ok := c.Args[1].(*template.Literal); ok && c.Op == "==" && isParameter(p, c.Args[0]) {
		return []any{l.Value}
	}
	return nil
}

// compare reads a comparison of the parameter, or of its length, with a number.
func compare(p *template.Parameter, op string, a, b template.Expr) {
	n, ok := b.(*template.Literal)
	if !ok {
		mirrored := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
		if n, ok = a.(*template.Literal); !ok {
			return
		}
		op, a = mirrored[op], b
	}
	limit, ok := n.Value.(int64)
	if !ok {
		return
	}
	least, most := &p.Min, &p.Max
	if c, ok := a.(*template.Call); ok && c.Name == "length" && len(c.Args) == 1 {
		a, least, most = c.Args[0], &p.MinLength, &p.MaxLength
	}
	if isParameter(p, a) {
		setLimit(op, limit, least, most)
	}
}

func setLimit(op string, limit int64, least, most **int64) {
	above, below := limit+1, limit-1
	switch op {
	case ">=":
		*least = &limit
	case ">":
		*least = &above
	case "<=":
		*most = &limit
	case "<":
		*most = &below
	case "==":
		*least, *most = &limit, &limit
	}
}

// boundByCall reads contains([…], it) and can(regex("…", it)).
func boundByCall(p *template.Parameter, c *template.Call) {
	switch {
	case c.Name == "contains" && len(c.Args) == 2 && isParameter(p, c.Args[1]):
		if l, ok := c.Args[0].(*template.List); ok {
			p.Allowed = literals(l)
		}
	case c.Name == "can" && len(c.Args) == 1:
		inner, ok := c.Args[0].(*template.Call)
		if ok && inner.Name == "regex" && len(inner.Args) == 2 && isParameter(p, inner.Args[1]) {
			p.Pattern, _ = template.StringOf(inner.Args[0])
		}
	}
}

// literals returns the values of a list, or nil if one is not known.
func literals(l *template.List) []any {
	var values []any
	for _, item := range l.Items {
		literal, ok := item.(*template.Literal)
		if !ok {
			return nil
		}
		values = append(values, literal.Value)
	}
	return slices.Clip(values)
}

func isParameter(p *template.Parameter, e template.Expr) bool {
	r, ok := e.(*template.Reference)
	return ok && r.To == template.Declaration(p)
}
