package template

// Type says what values something may have.
type Type struct {
	// Text is the type as it is written.
	Text string `json:"type"`
	// Base is one of the words below.
	Base Base `json:"base"`
	// Secure values are secret: @secure() in Bicep, sensitive in Terraform.
	Secure   bool `json:"secure,omitempty"`
	Nullable bool `json:"nullable,omitempty"`
	// Allowed lists the only values there are: strings, numbers and booleans.
	Allowed []any `json:"allowed,omitempty"`
	// Min and Max bound a number, MinLength and MaxLength the characters of a string or the items of a list. All are
	// inclusive, and nil when there is no bound.
	Min       *int64 `json:"min,omitempty"`
	Max       *int64 `json:"max,omitempty"`
	MinLength *int64 `json:"minLength,omitempty"`
	MaxLength *int64 `json:"maxLength,omitempty"`
	// Pattern is a regular expression that a string has to match.
	Pattern string `json:"pattern,omitempty"`
	// Items is the type of a list's items, Fields are an object's properties, and Rest is the type of all others.
	Items  *Type    `json:"items,omitempty"`
	Fields []*Field `json:"fields,omitempty"`
	Rest   *Type    `json:"rest,omitempty"`
}

// Base is a type without its particulars.
type Base string

// The bases of types.
const (
	String Base = "string"
	Int    Base = "int"
	Number Base = "number" // Terraform's, which may have a fraction
	Bool   Base = "bool"
	Map    Base = "object"
	Array  Base = "array"
	Null   Base = "null"
	Any    Base = "any" // also what cannot be told
)

// Field is a property of an object's type.
type Field struct {
	Name string `json:"name"`
	Type
	Description string `json:"description,omitempty"`
	Optional    bool   `json:"optional,omitempty"`
}

// HasSecret reports whether the type, or a part of it, is secure.
func (t *Type) HasSecret() bool {
	if t == nil {
		return false
	}
	for _, f := range t.Fields {
		if f.HasSecret() {
			return true
		}
	}
	return t.Secure || t.Items.HasSecret() || t.Rest.HasSecret()
}
