package bicep

import (
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep/syntax"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// namedType is a type that a file declares.
type namedType struct {
	unit *unit
	decl *syntax.TypeDecl
	made *template.Type // when it has been read
	busy bool           // while it is read: a type may hold itself
}

var builtInTypes = map[string]template.Base{
	"string": template.String, "int": template.Int, "bool": template.Bool, "object": template.Map, "array": template.Array,
}

// typ reads a type.
func (u *unit) typ(t syntax.Type) template.Type {
	out := u.shape(t)
	out.Text = u.file.Text(t)
	return out
}

func (u *unit) shape(t syntax.Type) template.Type {
	switch t := t.(type) {
	case *syntax.TypeName:
		return u.typeNamed(t.Name, t)
	case *syntax.TypeParen:
		return u.typ(t.X)
	case *syntax.Nullable:
		base := u.typ(t.Base)
		base.Nullable = true
		return base
	case *syntax.NotNullable:
		base := u.typ(t.Base)
		base.Nullable = false
		return base
	case *syntax.Union:
		return u.union(t)
	case *syntax.ArrayType:
		item := u.typ(t.Item)
		return template.Type{Base: template.Array, Items: &item}
	case *syntax.TupleType:
		return u.tuple(t)
	case *syntax.ObjectType:
		return u.objectType(t)
	case *syntax.TypeProperty:
		return u.typeProperty(t)
	case *syntax.TypeItems:
		return part(u.typ(t.Base).Items)
	case *syntax.TypeIndex:
		return part(u.typ(t.Base).Items)
	case *syntax.TypeRest:
		return part(u.typ(t.Base).Rest)
	}
	return u.literalType(t)
}

func (u *unit) literalType(t syntax.Type) template.Type {
	x, ok := t.(syntax.Expr)
	if !ok {
		return template.Type{Base: template.Any}
	}
	l, ok := u.expr(u.scope, x).(*template.Literal)
	if !ok {
		return template.Type{Base: template.Any}
	}
	switch l.Value.(type) {
	case nil:
		return template.Type{Base: template.Null, Nullable: true}
	case string:
		return template.Type{Base: template.String, Allowed: []any{l.Value}}
	case bool:
		return template.Type{Base: template.Bool, Allowed: []any{l.Value}}
	}
	return template.Type{Base: template.Int, Allowed: []any{l.Value}}
}

// part is a part of a type, or any when it is not known.
func part(t *template.Type) template.Type {
	if t == nil {
		return template.Type{Base: template.Any}
	}
	return *t
}

// typeNamed returns what the name of a type means. One that means nothing is a problem.
func (u *unit) typeNamed(name string, at syntax.Node) template.Type {
	if t, ok := u.types[name]; ok {
		return t.read()
	}
	if base, ok := builtInTypes[name]; ok {
		return template.Type{Base: base}
	}
	if _, imported := u.scope.find(name); !imported && name != "any" && name != "" {
		u.problem(u.file.Span(at), "", "there is no type called %s", name)
	}
	return template.Type{Base: template.Any}
}

// read reads a declared type once. Inside itself it is any.
func (n *namedType) read() template.Type {
	if n.busy {
		return template.Type{Base: template.Any}
	}
	if n.made == nil {
		n.busy = true
		t := n.unit.typ(n.decl.Type)
		n.unit.decoration(n.decl.Decorated).constrain(&t)
		n.made, n.busy = &t, false
	}
	return *n.made
}

func (u *unit) typeProperty(t *syntax.TypeProperty) template.Type {
	if name, ok := t.Base.(*syntax.TypeName); ok {
		if name.Name == "sys" {
			return u.typeNamed(t.Name.Name, t.Name)
		}
		if imported, ok := u.scope.find(name.Name); ok {
			if imported.file == nil || imported.file.types[t.Name.Name] == nil {
				return template.Type{Base: template.Any}
			}
			return imported.file.types[t.Name.Name].read()
		}
	}
	for _, f := range u.typ(t.Base).Fields {
		if f.Name == t.Name.Name {
			return f.Type
		}
	}
	return template.Type{Base: template.Any}
}

// union reads alternatives: of literals the values that are allowed, of objects their properties together.
func (u *unit) union(t *syntax.Union) template.Type {
	var out template.Type
	for _, m := range t.Members {
		member := u.typ(m)
		out.Nullable = out.Nullable || member.Nullable
		if member.Base == template.Null {
			continue
		}
		out = join(out, member)
	}
	return out
}

func join(a, b template.Type) template.Type {
	if a.Base == "" {
		b.Nullable = b.Nullable || a.Nullable
		return b
	}
	if a.Base != b.Base {
		return template.Type{Base: template.Any, Nullable: a.Nullable, Secure: a.HasSecret() || b.HasSecret()}
	}
	a.Allowed = append(slices.Clip(a.Allowed), b.Allowed...)
	a.Fields = slices.Clip(a.Fields)
	for _, f := range b.Fields {
		if !slices.ContainsFunc(a.Fields, func(g *template.Field) bool { return g.Name == f.Name && g.Secure == f.Secure }) {
			a.Fields = append(a.Fields, f)
		}
	}
	a.Secure = a.Secure || b.Secure
	return a
}

// tuple reads a tuple as an array of its length whose items are any of the tuple's.
func (u *unit) tuple(t *syntax.TupleType) template.Type {
	length := int64(len(t.Items))
	out := template.Type{Base: template.Array, MinLength: &length, MaxLength: &length}
	var item template.Type
	for _, i := range t.Items {
		one := u.typ(i.Type)
		u.decoration(i.Decorated).constrain(&one)
		item = join(item, one)
	}
	if item.Base != "" {
		out.Items = &item
	}
	return out
}

func (u *unit) objectType(t *syntax.ObjectType) template.Type {
	out := template.Type{Base: template.Map}
	for _, p := range t.Properties {
		d := u.decoration(p.Decorated)
		typ := u.typ(p.Type)
		d.constrain(&typ)
		if p.Key == nil {
			out.Rest = &typ
			continue
		}
		f := &template.Field{Name: u.keyText(p.Key), Type: typ, Description: d.description, Optional: typ.Nullable}
		out.Fields = append(out.Fields, f)
	}
	return out
}

func (u *unit) keyText(key syntax.Expr) string {
	if name, ok := key.(*syntax.Name); ok {
		return name.Name
	}
	return u.whole(key)
}
