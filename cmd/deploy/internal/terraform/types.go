package terraform

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// typ reads a type constraint. Without one any value is right.
func (u *unit) typ(a *hcl.Attribute) template.Type {
	if a == nil {
		return template.Type{Text: "any", Base: template.Any}
	}
	at := u.span(a.Expr.Range())
	switch text, _ := template.StringOf(u.quoted(a)); text { // as Terraform 0.11 wrote it
	case "string":
		return template.Type{Text: text, Base: template.String}
	case "list":
		return template.Type{Text: text, Base: template.Array}
	case "map":
		return template.Type{Text: text, Base: template.Map}
	}
	t, _, diagnostics := typeexpr.TypeConstraintWithDefaults(a.Expr)
	u.note(diagnostics)
	out := fromCty(t)
	out.Text = at.Text()
	return out
}

// quoted returns an attribute that is a string in quotes, or nil.
func (u *unit) quoted(a *hcl.Attribute) template.Expr {
	if text := u.span(a.Expr.Range()).Text(); len(text) == 0 || text[0] != '"' {
		return nil
	}
	return u.expr(nil, a.Expr)
}

func fromCty(t cty.Type) template.Type {
	out := template.Type{Text: typeexpr.TypeString(t), Base: template.Any}
	switch {
	case t == cty.String:
		out.Base = template.String
	case t == cty.Number:
		out.Base = template.Number
	case t == cty.Bool:
		out.Base = template.Bool
	case t.IsListType(), t.IsSetType():
		item := fromCty(t.ElementType())
		out.Base, out.Items = template.Array, &item
	case t.IsTupleType():
		length := int64(t.Length())
		out.Base, out.MinLength, out.MaxLength = template.Array, &length, &length
	case t.IsMapType():
		rest := fromCty(t.ElementType())
		out.Base, out.Rest = template.Map, &rest
	case t.IsObjectType():
		out.Base = template.Map
		for name, field := range t.AttributeTypes() {
			out.Fields = append(out.Fields, &template.Field{Name: name, Type: fromCty(field), Optional: t.AttributeOptional(name)})
		}
		slices.SortFunc(out.Fields, func(a, b *template.Field) int { return cmp.Compare(a.Name, b.Name) })
	}
	return out
}
