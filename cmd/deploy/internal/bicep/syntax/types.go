package syntax

// Type is a type's expression, or a *[Skipped]. Literals are types as well: *[Int], *[Bool], *[Nothing], *[String] and a
// *[Unary] of one.
type Type interface {
	Node
	typ()
}

type (
	// TypeName is a type by its name.
	TypeName struct {
		extent
		Name string
	}
	// Generic is name<arguments> or base.name<arguments>, such as resourceInput<'type@version'>.
	Generic struct {
		extent
		Base Type // nil when there is none
		Name *Ident
		Args []Type
	}
	// TypeProperty is base.name.
	TypeProperty struct {
		extent
		Base Type
		Name *Ident
	}
	// TypeRest is base.*, the type of an object's further properties.
	TypeRest struct {
		extent
		Base Type
	}
	// TypeItems is base[*], the type of an array's items.
	TypeItems struct {
		extent
		Base Type
	}
	// TypeIndex is base[index], the type of a tuple's item.
	TypeIndex struct {
		extent
		Base  Type
		Index Expr
	}
	// ArrayType is item[].
	ArrayType struct {
		extent
		Item Type
	}
	// Nullable is base?.
	Nullable struct {
		extent
		Base Type
	}
	// NotNullable is base!.
	NotNullable struct {
		extent
		Base Type
	}
	// Union is a | b.
	Union struct {
		extent
		Members []Type
	}
	// TypeParen is a type in parentheses.
	TypeParen struct {
		extent
		X Type
	}
	// ObjectType is {properties}.
	ObjectType struct {
		extent
		Properties []*TypeField
	}
	// TupleType is [items].
	TupleType struct {
		extent
		Items []*TypeItem
	}
	// ResourceType is resource 'type@version'. An output's may leave the type away.
	ResourceType struct {
		extent
		Type Expr // a *String, or nil
	}
)

// TypeField is one property of an object's type: key: type, or *: type for all further ones.
type TypeField struct {
	extent
	Decorated
	Key  Expr // a *Name or *String; nil for *
	Type Type
}

// TypeItem is one item of a tuple's type.
type TypeItem struct {
	extent
	Decorated
	Type Type
}

func (*Int) typ()          {}
func (*Bool) typ()         {}
func (*Nothing) typ()      {}
func (*String) typ()       {}
func (*Unary) typ()        {}
func (*TypeName) typ()     {}
func (*Generic) typ()      {}
func (*TypeProperty) typ() {}
func (*TypeRest) typ()     {}
func (*TypeItems) typ()    {}
func (*TypeIndex) typ()    {}
func (*ArrayType) typ()    {}
func (*Nullable) typ()     {}
func (*NotNullable) typ()  {}
func (*Union) typ()        {}
func (*TypeParen) typ()    {}
func (*ObjectType) typ()   {}
func (*TupleType) typ()    {}
func (*ResourceType) typ() {}
