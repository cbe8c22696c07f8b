package syntax

// Statement is what a file is made of: a declaration, or a *[Skipped].
type Statement interface {
	Node
	statement()
}

// Decorated is the part of a statement, or of a type's property, that stands before it: @name(…) lines.
type Decorated struct{ Decorators []*Decorator }

// Decorator is an "@" with a *[Call], or with a name or property where the parentheses are missing.
type Decorator struct {
	extent
	Call Expr
}

type (
	// TargetScope is: targetScope = value.
	TargetScope struct {
		extent
		Decorated
		Value Expr
	}
	// Metadata is: metadata name = value.
	Metadata struct {
		extent
		Decorated
		Name  *Ident
		Value Expr
	}
	// Param is: param name type = default.
	Param struct {
		extent
		Decorated
		Name    *Ident
		Type    Type
		Default Expr // nil when there is none
	}
	// Assignment is, in a parameter file: param name = value.
	Assignment struct {
		extent
		Decorated
		Name  *Ident
		Value Expr
	}
	// Var is: var name type = value.
	Var struct {
		extent
		Decorated
		Name  *Ident
		Type  Type // nil when it isn't said
		Value Expr
	}
	// TypeDecl is: type name = type.
	TypeDecl struct {
		extent
		Decorated
		Name *Ident
		Type Type
	}
	// Func is: func name(parameters) result => body.
	Func struct {
		extent
		Decorated
		Name       *Ident
		Parameters []*TypedName
		Result     Type
		Body       Expr
	}
	// Resource is: resource name 'type@version' existing = value. It may stand inside another's body.
	Resource struct {
		extent
		Decorated
		Name     *Ident
		Type     Expr // a *String
		Existing bool
		Value    Expr // an *Object, *If or *For
	}
	// Module is: module name 'path' = value.
	Module struct {
		extent
		Decorated
		Name  *Ident
		Path  Expr // a *String
		Value Expr // an *Object, *If or *For
	}
	// Output is: output name type = value.
	Output struct {
		extent
		Decorated
		Name  *Ident
		Type  Type
		Value Expr
	}
	// Assert is: assert name = value.
	Assert struct {
		extent
		Decorated
		Name  *Ident
		Value Expr
	}
	// Test is: test name 'path' = value.
	Test struct {
		extent
		Decorated
		Name  *Ident
		Path  Expr // a *String
		Value Expr // an *Object
	}
	// Import is: import {a, b as c} from 'path', or: import * as name from 'path'.
	Import struct {
		extent
		Decorated
		Symbols []*Symbol
		All     *Ident // the name for everything, or nil
		From    Expr   // a *String
	}
	// Extension is: extension spec with config as alias. The older words "provider" and "import" for it are read as well.
	Extension struct {
		extent
		Decorated
		Spec  Expr // a *String or *Name
		With  Expr // an *Object, or nil
		Alias *Ident
	}
	// Using is, in a parameter file: using 'path' with config, or: using none.
	Using struct {
		extent
		Decorated
		Path Expr // a *String, or nil for none
		With Expr // an *Object, or nil
	}
	// Extends is, in a parameter file: extends 'path'.
	Extends struct {
		extent
		Decorated
		Path Expr // a *String
	}
	// ExtensionConfig is, in a parameter file: extensionConfig name with config.
	ExtensionConfig struct {
		extent
		Decorated
		Name *Ident
		With Expr // an *Object
	}
	// Orphan is decorators without a statement below them. A problem tells of it.
	Orphan struct {
		extent
		Decorated
	}
)

// Symbol is one item of an import's list: a name, or a name in quotes, and perhaps an alias.
type Symbol struct {
	extent
	Name  Expr // a *Name or *String
	Alias *Ident
}

// TypedName is a parameter of a function.
type TypedName struct {
	extent
	Name *Ident
	Type Type
}

func (*TargetScope) statement()     {}
func (*Metadata) statement()        {}
func (*Param) statement()           {}
func (*Assignment) statement()      {}
func (*Var) statement()             {}
func (*TypeDecl) statement()        {}
func (*Func) statement()            {}
func (*Resource) statement()        {}
func (*Module) statement()          {}
func (*Output) statement()          {}
func (*Assert) statement()          {}
func (*Test) statement()            {}
func (*Import) statement()          {}
func (*Extension) statement()       {}
func (*Using) statement()           {}
func (*Extends) statement()         {}
func (*ExtensionConfig) statement() {}
func (*Orphan) statement()          {}

func (d Decorated) decorated() Decorated { return d }
