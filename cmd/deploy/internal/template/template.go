// Package template is the one model that Bicep and Terraform templates are read into: what a template asks for, makes and
// gives back, in the same words for both languages.
//
//	Template ─┬─ Parameters   what has to be known: type, bounds, secret or not, default
//	          ├─ Variables    names for expressions (Bicep variables, Terraform locals)
//	          ├─ Functions    those that the template declares itself
//	          ├─ Resources    with condition, loop, parent and all they are given
//	          ├─ Modules      the templates below, each with what it is given
//	          ├─ Outputs      what comes back
//	          └─ Files        parameter files that go with it
//
// Values are expressions, [Expr]. A [Reference] in one points to what it means, across modules and files, so that the
// expressions of a whole deployment are one graph: who wants to know where a value comes from, or where it ends, follows
// the pointers. Everything knows its place in the source.
//
// A template is not changed once it has been read, so it may be used from any number of goroutines. As JSON it has the
// shape that docs/inspect.md describes.
package template

import (
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// Language is what a template is written in.
type Language string

// The languages.
const (
	Bicep     Language = "bicep"
	Terraform Language = "terraform"
)

// Template is one template: a Bicep file, or all Terraform files of a folder.
type Template struct {
	Language    Language         `json:"language"`
	Path        string           `json:"path"`                  // of the file or folder
	Description string           `json:"description,omitempty"` // for people
	Scope       string           `json:"scope,omitempty"`       // what a Bicep template is deployed to, such as resourceGroup
	Providers   []*Provider      `json:"providers,omitempty"`
	Backend     *Provider        `json:"backend,omitempty"` // where Terraform is told to keep its state
	Parameters  []*Parameter     `json:"parameters,omitempty"`
	Variables   []*Variable      `json:"variables,omitempty"`
	Functions   []*Function      `json:"functions,omitempty"`
	Resources   []*Resource      `json:"resources,omitempty"`
	Modules     []*Module        `json:"modules,omitempty"`
	Outputs     []*Output        `json:"outputs,omitempty"`
	Files       []*ParameterFile `json:"parameterFiles,omitempty"`
}

// All returns a template and every one that it uses, each once, in the order in which they are first used.
func All(root *Template) []*Template {
	all := []*Template{root}
	for i := 0; i < len(all); i++ {
		for _, m := range all[i].Modules {
			if m.Template != nil && !slices.Contains(all, m.Template) {
				all = append(all, m.Template)
			}
		}
	}
	return all
}

// Sources returns the files that a template and all that it uses were read from, in the order in which they are first
// mentioned. A file that declares nothing is left out.
func Sources(root *Template) []*source.File {
	var files []*source.File
	add := func(at source.Span) {
		if at.File != nil && !slices.Contains(files, at.File) {
			files = append(files, at.File)
		}
	}
	for _, t := range All(root) {
		for _, d := range t.declarations() {
			add(d.Place())
		}
		for _, o := range t.Outputs {
			add(o.At)
		}
		for _, f := range t.Files {
			for _, a := range f.Arguments {
				add(a.At)
			}
		}
	}
	return files
}

func (t *Template) declarations() []Declaration {
	var all []Declaration
	for _, p := range t.Parameters {
		all = append(all, p)
	}
	for _, v := range t.Variables {
		all = append(all, v)
	}
	for _, f := range t.Functions {
		all = append(all, f)
	}
	for _, r := range t.Resources {
		all = append(all, r)
	}
	for _, m := range t.Modules {
		all = append(all, m)
	}
	return all
}

// Parameter returns the parameter of a name, or nil.
func (t *Template) Parameter(name string) *Parameter {
	for _, p := range t.Parameters {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Parameter is something that has to be known before a template can be deployed.
type Parameter struct {
	At   source.Span `json:"at"`
	Name string      `json:"name"`
	Type
	Description string `json:"description,omitempty"`
	Default     Expr   `json:"default,omitempty"` // nil when there is none
	// Ephemeral parameters are not written down by Terraform: not in a plan, not in state.
	Ephemeral bool `json:"ephemeral,omitempty"`
	// Validations are Terraform's conditions, also those whose bounds stand in the type.
	Validations []*Validation `json:"validations,omitempty"`
}

// Required reports whether a value has to be given.
func (p *Parameter) Required() bool { return p.Default == nil && !p.Nullable }

// Validation is a condition that a parameter's value has to meet.
type Validation struct {
	At        source.Span `json:"at"`
	Condition Expr        `json:"condition"`
	Message   string      `json:"message,omitempty"`
}

// Variable is a name for an expression.
type Variable struct {
	At          source.Span `json:"at"`
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	Value       Expr        `json:"value"`
}

// Function is one that a template declares.
type Function struct {
	At          source.Span `json:"at"`
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	Parameters  []*Local    `json:"parameters,omitempty"`
	Result      Type        `json:"result"`
	Body        Expr        `json:"body"`
}

// Resource is something that a template makes, or finds when it is Existing.
type Resource struct {
	At          source.Span `json:"at"`
	Name        string      `json:"name"` // what expressions call it: storage, or azurerm_storage_account.main
	Type        string      `json:"type"` // Microsoft.Storage/storageAccounts, or azurerm_storage_account
	APIVersion  string      `json:"apiVersion,omitempty"`
	Description string      `json:"description,omitempty"`
	Provider    string      `json:"provider,omitempty"`  // Terraform: azurerm, or azurerm.alias
	Existing    bool        `json:"existing,omitempty"`  // Bicep: existing; Terraform: a data source
	Ephemeral   bool        `json:"ephemeral,omitempty"` // Terraform: one that leaves nothing in state
	Condition   Expr        `json:"condition,omitempty"` // made only when it holds
	Loop        *Loop       `json:"loop,omitempty"`      // made once for each item; its Body is nil
	Parent      *Reference  `json:"parent,omitempty"`
	Scope       Expr        `json:"scope,omitempty"`
	DependsOn   []Expr      `json:"dependsOn,omitempty"`
	// Body is everything else that it is given, by name. A Terraform block is an object under its name, or a list of
	// them when there are several.
	Body *Object `json:"body"`
}

// Module is a template that another one uses.
type Module struct {
	At          source.Span `json:"at"`
	Name        string      `json:"name"`   // what expressions call it
	Source      string      `json:"source"` // as it is written
	Description string      `json:"description,omitempty"`
	Condition   Expr        `json:"condition,omitempty"`
	Loop        *Loop       `json:"loop,omitempty"` // its Body is nil
	Scope       Expr        `json:"scope,omitempty"`
	DependsOn   []Expr      `json:"dependsOn,omitempty"`
	Arguments   []*Argument `json:"arguments,omitempty"`
	// Template is the module itself, or nil with the reason in NotRead. In JSON it is its path.
	Template *Template `json:"-"`
	NotRead  string    `json:"notRead,omitempty"`
	// Extra is what it is given beside its parameters, such as the name of its deployment. It may be nil.
	Extra *Object `json:"extra,omitempty"`
}

// Argument is a value for a parameter. One without a name is a *[Spread] or another expression for several.
type Argument struct {
	At    source.Span `json:"at"`
	Name  string      `json:"name,omitempty"`
	Value Expr        `json:"value"`
	To    *Parameter  `json:"-"` // nil when it is not known
}

// Output is what a template gives back.
type Output struct {
	At   source.Span `json:"at"`
	Name string      `json:"name"`
	Type
	Description string `json:"description,omitempty"`
	Ephemeral   bool   `json:"ephemeral,omitempty"`
	Value       Expr   `json:"value"`
	DependsOn   []Expr `json:"dependsOn,omitempty"`
}

// Provider is what a template needs beside itself: a Terraform provider, or a Bicep extension.
type Provider struct {
	At      source.Span `json:"at"`
	Name    string      `json:"name"`
	Alias   string      `json:"alias,omitempty"`
	Source  string      `json:"source,omitempty"`
	Version string      `json:"version,omitempty"`
	Config  *Object     `json:"config,omitempty"` // may be nil
}

// ParameterFile is a file that gives parameters their values: .bicepparam or .tfvars.
type ParameterFile struct {
	Path      string      `json:"path"`
	Variables []*Variable `json:"variables,omitempty"`
	Arguments []*Argument `json:"arguments,omitempty"`
}

// Local is a name that holds inside one expression, or resource: the item of a loop, the parameter of a function.
type Local struct {
	At   source.Span `json:"at"`
	Name string      `json:"name"`
	Type *Type       `json:"type,omitempty"` // nil when it isn't said
	// In is the collection whose items, or for an Index whose positions or keys, it goes through; nil for a parameter.
	In    Expr `json:"-"`
	Index bool `json:"index,omitempty"`
}

// Declaration is what a reference can point to: *[Parameter], *[Variable], *[Function], *[Resource], *[Module],
// *[Provider] or *[Local].
type Declaration interface {
	// Kind returns a word for people and for JSON: parameter, variable, …
	Kind() string
	// Place returns where it is declared.
	Place() source.Span
}

func (p *Parameter) Kind() string { return "parameter" }
func (v *Variable) Kind() string  { return "variable" }
func (f *Function) Kind() string  { return "function" }
func (r *Resource) Kind() string  { return "resource" }
func (m *Module) Kind() string    { return "module" }
func (p *Provider) Kind() string  { return "provider" }
func (l *Local) Kind() string     { return "local" }

func (p *Parameter) Place() source.Span { return p.At }
func (v *Variable) Place() source.Span  { return v.At }
func (f *Function) Place() source.Span  { return f.At }
func (r *Resource) Place() source.Span  { return r.At }
func (m *Module) Place() source.Span    { return m.At }
func (p *Provider) Place() source.Span  { return p.At }
func (l *Local) Place() source.Span     { return l.At }
