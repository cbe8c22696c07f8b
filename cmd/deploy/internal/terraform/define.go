package terraform

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// define says what that is which a block declares.
func (u *unit) define(b *hcl.Block) {
	switch b.Type {
	case "terraform":
		u.requirements(b)
	case "provider":
		u.provider(b)
	case "variable":
		if p, ok := declared[*template.Parameter](u, "var."+b.Labels[0], b); ok {
			u.parameter(p, b)
		}
	case "locals":
		attributes, _ := b.Body.JustAttributes() // what is wrong was noted when they were declared
		for _, a := range attributes {
			if v, ok := u.names["local."+a.Name].(*template.Variable); ok && v.At == u.span(a.NameRange) {
				v.Value = u.expr(nil, a.Expr)
			}
		}
	case "output":
		u.output(b)
	case "module":
		if m, ok := declared[*template.Module](u, "module."+b.Labels[0], b); ok {
			u.module(m, b)
		}
	case "resource", "data", "ephemeral", "action":
		if r, ok := declared[*template.Resource](u, address(b), b); ok {
			u.resource(r, b)
		}
	}
}

// content returns what a schema names of a body. Anything else in it is a problem.
func (u *unit) content(b hcl.Body, schema *hcl.BodySchema) *hcl.BodyContent {
	content, diagnostics := b.Content(schema)
	u.note(diagnostics)
	return content
}

// sorted returns attributes in the order of the text.
func sorted(attributes hcl.Attributes) []*hcl.Attribute {
	var out []*hcl.Attribute
	for _, a := range attributes {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *hcl.Attribute) int {
		return cmp.Or(cmp.Compare(a.NameRange.Filename, b.NameRange.Filename), cmp.Compare(a.NameRange.Start.Byte, b.NameRange.Start.Byte))
	})
	return out
}

func (u *unit) parameter(p *template.Parameter, b *hcl.Block) {
	content := u.content(b.Body, variableSchema)
	p.Type = u.typ(content.Attributes["type"])
	p.Description = u.text(content.Attributes["description"])
	p.Secure = u.isTrue(content.Attributes["sensitive"])
	p.Ephemeral = u.isTrue(content.Attributes["ephemeral"])
	if a := content.Attributes["default"]; a != nil {
		p.Default = u.expr(nil, a.Expr)
		l, ok := p.Default.(*template.Literal)
		p.Nullable = ok && l.Value == nil
	}
	for _, v := range content.Blocks {
		of := u.content(v.Body, validationSchema).Attributes
		if of["condition"] == nil {
			continue
		}
		p.Validations = append(p.Validations, &template.Validation{
			At: u.span(v.DefRange), Condition: u.expr(nil, of["condition"].Expr), Message: u.text(of["error_message"]),
		})
	}
	for _, v := range p.Validations {
		bound(p, v.Condition)
	}
}

func (u *unit) output(b *hcl.Block) {
	at := u.span(b.LabelRanges[0])
	i := slices.IndexFunc(u.template.Outputs, func(o *template.Output) bool { return o.At == at })
	o := u.template.Outputs[i]
	of := u.content(b.Body, outputSchema).Attributes
	o.Type = u.typ(of["type"])
	o.Description = u.text(of["description"])
	o.Secure = u.isTrue(of["sensitive"])
	o.Ephemeral = u.isTrue(of["ephemeral"])
	o.DependsOn = u.dependsOn(of["depends_on"])
	o.Value = &template.Missing{At: template.At{Span: at}}
	if of["value"] == nil {
		u.problem(at, "", "the output %s has no value", o.Name)
		return
	}
	o.Value = u.expr(nil, of["value"].Expr)
}

// text returns the text of an attribute that is a string as such, or "".
func (u *unit) text(a *hcl.Attribute) string {
	if a == nil {
		return ""
	}
	text, _ := template.StringOf(u.expr(nil, a.Expr))
	return text
}

func (u *unit) isTrue(a *hcl.Attribute) bool {
	if a == nil {
		return false
	}
	l, ok := u.expr(nil, a.Expr).(*template.Literal)
	return ok && l.Value == true
}

// requirements reads which versions and providers a template needs, and where it keeps its state.
func (u *unit) requirements(b *hcl.Block) {
	content, _, diagnostics := b.Body.PartialContent(terraformSchema)
	u.note(diagnostics)
	if a := content.Attributes["required_version"]; a != nil {
		u.template.Providers = append(u.template.Providers, &template.Provider{At: u.span(a.NameRange), Name: "terraform", Version: u.text(a)})
	}
	for _, inner := range content.Blocks {
		if inner.Type == "backend" {
			u.template.Backend = &template.Provider{At: u.span(inner.LabelRanges[0]), Name: inner.Labels[0], Config: u.body(nil, inner.Body)}
			continue
		}
		attributes, diagnostics := inner.Body.JustAttributes()
		u.note(diagnostics)
		for _, a := range sorted(attributes) {
			u.required(a)
		}
	}
}

// required reads one provider that is needed: an object, or in old templates the version alone.
func (u *unit) required(a *hcl.Attribute) {
	p := &template.Provider{At: u.span(a.NameRange), Name: a.Name}
	u.template.Providers = append(u.template.Providers, p)
	pairs, diagnostics := hcl.ExprMap(a.Expr)
	if diagnostics.HasErrors() {
		p.Version = u.text(a)
		return
	}
	for _, pair := range pairs {
		switch u.key(nil, pair.Key).Name {
		case "source":
			p.Source, _ = template.StringOf(u.expr(nil, pair.Value))
		case "version":
			p.Version, _ = template.StringOf(u.expr(nil, pair.Value))
		}
	}
}

func (u *unit) provider(b *hcl.Block) {
	p := &template.Provider{At: u.span(b.LabelRanges[0]), Name: b.Labels[0]}
	content, _, _ := b.Body.PartialContent(metaSchema)
	p.Alias, p.Version = u.text(content.Attributes["alias"]), u.text(content.Attributes["version"])
	p.Config = u.body(nil, b.Body, "alias", "version")
	u.template.Providers = append(u.template.Providers, p)
}
