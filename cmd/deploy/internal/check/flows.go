package check

import (
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/flow"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// flows finds where the secrets of one use of a template end up.
func (c *checker) flows(f *flow.Frame) {
	for _, o := range f.Template.Outputs {
		c.output(f, o)
	}
	for _, r := range f.Template.Resources {
		c.resourceFlows(f, r)
	}
	for _, m := range f.Template.Modules {
		c.moduleFlows(f, m)
	}
	c.unmasked(f)
}

func (c *checker) output(f *flow.Frame, o *template.Output) {
	isTerraform := f.Template.Language == template.Terraform
	if o.Ephemeral || isTerraform && f.Outer != nil || !isTerraform && o.HasSecret() {
		return // a module's outputs are not kept by Terraform, and secure ones not by Azure
	}
	rule := "secret-in-output"
	if isTerraform && o.Secure {
		rule = "secret-in-state"
	}
	for _, p := range f.Places(o.Value) {
		c.secret(rule, p.At, p.Secret, "the output "+o.Name)
	}
}

// resourceFlows finds the secrets in what a resource is given. One that only is looked up, or is gone after the run, keeps
// nothing.
func (c *checker) resourceFlows(f *flow.Frame, r *template.Resource) {
	if r.Ephemeral {
		return
	}
	for _, m := range r.Body.Members {
		if m.WriteOnly {
			continue
		}
		for _, p := range f.Places(m.Value) {
			path := append([]string{m.Name}, p.Path...)
			if rule := sink(f.Template.Language, r, path); rule != "" {
				c.secret(rule, p.At, p.Secret, strings.ReplaceAll(strings.Join(path, "."), ".[]", "[]")+" of "+r.Name)
			}
		}
	}
}

// moduleFlows finds secrets in a module's name and in parameters that are not secure. Terraform marks values and not
// parameters, so it has none of the latter.
func (c *checker) moduleFlows(f *flow.Frame, m *template.Module) {
	if name := m.Extra.Get("name"); name != nil {
		for _, p := range f.Places(name) {
			c.secret("secret-in-name", p.At, p.Secret, "the name of the deployment "+m.Name)
		}
	}
	if f.Template.Language == template.Terraform {
		return
	}
	for _, a := range m.Arguments {
		if a.To == nil || a.To.HasSecret() {
			continue
		}
		for _, p := range f.Places(a.Value) {
			c.secret("secret-to-open-parameter", p.At, p.Secret, "the parameter "+a.Name+" of "+m.Source)
		}
	}
}

// unmasked finds nonsensitive(), wherever it stands.
func (c *checker) unmasked(f *flow.Frame) {
	f.Template.Walk(func(e template.Expr) bool {
		call, ok := e.(*template.Call)
		if ok && call.Name == "nonsensitive" && len(call.Args) == 1 {
			for _, s := range f.Of(call.Args[0]).Secrets() {
				c.secret("secret-unmasked", call.Place(), s, "what is shown")
			}
		}
		return true
	})
}
