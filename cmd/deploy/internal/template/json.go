package template

import (
	"encoding/json"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// MarshalJSON writes {"literal": value}.
func (e *Literal) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Value any `json:"literal"`
	}{e.Value})
}

// MarshalJSON writes {"text": parts}.
func (e *Text) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Parts []Expr `json:"text"`
		At    At     `json:"at"`
	}{list(e.Parts), e.At})
}

// MarshalJSON writes {"reference": name, "to": kind, "declared": place}.
func (e *Reference) MarshalJSON() ([]byte, error) {
	out := struct {
		Name     string       `json:"reference"`
		To       string       `json:"to,omitempty"`
		Declared *source.Span `json:"declared,omitempty"`
		At       At           `json:"at"`
	}{Name: e.Name, At: e.At}
	if e.To != nil {
		declared := e.To.Place()
		out.To, out.Declared = e.To.Kind(), &declared
	}
	return json.Marshal(out)
}

// MarshalJSON writes {"get": key, "of": base}, with the key "*" for every item.
func (e *Access) MarshalJSON() ([]byte, error) {
	var key any = "*"
	if e.Key != nil {
		key = e.Key
	}
	return json.Marshal(struct {
		Key  any  `json:"get"`
		Base Expr `json:"of"`
		At   At   `json:"at"`
	}{key, e.Base, e.At})
}

// MarshalJSON writes {"call": name, "of": base, "arguments": list}.
func (e *Call) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name     string `json:"call"`
		Base     Expr   `json:"of,omitempty"`
		Args     []Expr `json:"arguments,omitempty"`
		Declared bool   `json:"declared,omitempty"`
		At       At     `json:"at"`
	}{e.Name, e.Base, e.Args, e.To != nil, e.At})
}

// MarshalJSON writes {"operation": sign, "operands": list}.
func (e *Operation) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Op   string `json:"operation"`
		Args []Expr `json:"operands"`
		At   At     `json:"at"`
	}{e.Op, e.Args, e.At})
}

// MarshalJSON writes {"if": condition, "then": value, "else": value}.
func (e *Choice) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		If   Expr `json:"if"`
		Then Expr `json:"then"`
		Else Expr `json:"else"`
		At   At   `json:"at"`
	}{e.If, e.Then, e.Else, e.At})
}

// MarshalJSON writes {"object": members}, each as {"name": text, "key": expression, "value": expression}.
func (e *Object) MarshalJSON() ([]byte, error) {
	type member struct {
		At        source.Span `json:"at"`
		Name      string      `json:"name,omitempty"`
		Key       Expr        `json:"key,omitempty"`
		Value     Expr        `json:"value"`
		WriteOnly bool        `json:"writeOnly,omitempty"`
	}
	members := []member{}
	for _, m := range e.Members {
		members = append(members, member(*m))
	}
	return json.Marshal(struct {
		Members []member `json:"object"`
		At      At       `json:"at"`
	}{members, e.At})
}

// MarshalJSON writes {"list": items}.
func (e *List) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Items []Expr `json:"list"`
		At    At     `json:"at"`
	}{list(e.Items), e.At})
}

// MarshalJSON writes {"spread": value}.
func (e *Spread) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		X  Expr `json:"spread"`
		At At   `json:"at"`
	}{e.X, e.At})
}

// MarshalJSON writes {"for": item, "index": name, "in": collection, "where": condition, "key": key, "do": value}.
func (e *Loop) MarshalJSON() ([]byte, error) {
	out := struct {
		Item  string `json:"for"`
		Index string `json:"index,omitempty"`
		In    Expr   `json:"in"`
		If    Expr   `json:"where,omitempty"`
		Key   Expr   `json:"key,omitempty"`
		Body  Expr   `json:"do,omitempty"`
		At    At     `json:"at"`
	}{Item: e.Item.Name, In: e.In, If: e.If, Key: e.Key, Body: e.Body, At: e.At}
	if e.Index != nil {
		out.Index = e.Index.Name
	}
	return json.Marshal(out)
}

// MarshalJSON writes {"lambda": names, "do": value}.
func (e *Lambda) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Names []string `json:"lambda"`
		Body  Expr     `json:"do"`
		At    At       `json:"at"`
	}{append([]string{}, names(e.Parameters)...), e.Body, e.At})
}

// MarshalJSON writes {"missing": true}.
func (e *Missing) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Missing bool `json:"missing"`
		At      At   `json:"at"`
	}{true, e.At})
}

// MarshalJSON writes the fields, and "template", the path of the template that the module is.
func (m *Module) MarshalJSON() ([]byte, error) {
	type plain Module
	out := struct {
		*plain
		Template string `json:"template,omitempty"`
	}{plain: (*plain)(m)}
	if m.Template != nil {
		out.Template = m.Template.Path
	}
	return json.Marshal(out)
}

// MarshalJSON writes the fields, with *** for a secret that stands there as a default.
func (p *Parameter) MarshalJSON() ([]byte, error) {
	type plain Parameter
	out := plain(*p)
	if p.HasSecret() {
		out.Default = hidden(p.Default)
	}
	return json.Marshal(out)
}

// MarshalJSON writes the fields, with *** for a secret that stands there as a value.
func (a *Argument) MarshalJSON() ([]byte, error) {
	type plain Argument
	out := plain(*a)
	if a.To != nil && a.To.HasSecret() {
		out.Value = hidden(a.Value)
	}
	return json.Marshal(out)
}

// hidden returns *** for an expression that is the same whatever it depends on, as it may hold a secret.
func hidden(e Expr) Expr {
	constant := e != nil
	Walk(e, func(x Expr) bool {
		switch x.(type) {
		case *Reference, *Call:
			constant = false
		}
		return constant
	})
	if l, ok := e.(*Literal); !constant || ok && (l.Value == nil || l.Value == "") {
		return e
	}
	return &Literal{At: At{e.Place()}, Value: "***"}
}

// MarshalText is that of the place.
func (a At) MarshalText() ([]byte, error) { return a.Span.MarshalText() }

// list is never null in JSON.
func list(xs []Expr) []Expr {
	if xs == nil {
		return []Expr{}
	}
	return xs
}
