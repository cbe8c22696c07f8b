package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// declare puts what a block declares into the template and its name among the names, without saying what it is.
func (u *unit) declare(b *hcl.Block) {
	t, at := u.template, u.span(b.DefRange)
	if n := len(b.LabelRanges); n > 0 {
		at = u.span(b.LabelRanges[n-1])
	}
	switch b.Type {
	case "variable":
		p := &template.Parameter{At: at, Name: b.Labels[0]}
		t.Parameters = append(t.Parameters, p)
		u.enter("var."+p.Name, p)
	case "locals":
		attributes, diagnostics := b.Body.JustAttributes()
		u.note(diagnostics)
		for _, a := range sorted(attributes) {
			v := &template.Variable{At: u.span(a.NameRange), Name: a.Name}
			t.Variables = append(t.Variables, v)
			u.enter("local."+v.Name, v)
		}
	case "output":
		t.Outputs = append(t.Outputs, &template.Output{At: at, Name: b.Labels[0]})
	case "module":
		m := &template.Module{At: at, Name: b.Labels[0]}
		t.Modules = append(t.Modules, m)
		u.enter("module."+m.Name, m)
	case "resource", "data", "ephemeral", "action":
		r := &template.Resource{
			At: at, Name: address(b), Type: b.Labels[0], Existing: b.Type == "data", Ephemeral: b.Type == "ephemeral" || b.Type == "action",
			Body: &template.Object{At: template.At{Span: at}},
		}
		t.Resources = append(t.Resources, r)
		u.enter(r.Name, r)
	}
}

// enter gives a name a meaning. A name has one only.
func (u *unit) enter(name string, d template.Declaration) {
	if _, taken := u.names[name]; taken {
		u.problem(d.Place(), "", "%s is declared twice", name)
		return
	}
	u.names[name] = d
}

// address is what expressions call a resource.
func address(b *hcl.Block) string {
	name := strings.Join(b.Labels, ".")
	if b.Type == "resource" {
		return name
	}
	return b.Type + "." + name
}

// declared returns what a block was declared as, or nil when another has its name.
func declared[T template.Declaration](u *unit, name string, b *hcl.Block) (d T, ok bool) {
	d, ok = u.names[name].(T)
	return d, ok && d.Place() == u.span(b.LabelRanges[len(b.LabelRanges)-1])
}
