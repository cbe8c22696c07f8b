package flow

import (
	"regexp"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// attribute returns what is secret of something that is taken out of a resource or module. ok is false for anything else.
func (f *Frame) attribute(s *scope, e *template.Access) (t *Taint, ok bool) {
	to, path := template.PathOf(e)
	switch to := to.(type) {
	case *template.Module:
		return f.moduleOutput(to, path), true
	case *template.Resource:
		return f.resourceAttribute(to, path, e), true
	}
	return nil, false
}

// moduleOutput returns what is secret of m.outputs.name. The use of a module in a loop has an item before that.
func (f *Frame) moduleOutput(m *template.Module, path []string) *Taint {
	for len(path) > 0 && path[0] != "outputs" {
		path = path[1:]
	}
	inner := f.inner[m]
	if inner == nil || len(path) < 2 {
		return nil
	}
	for _, o := range inner.Template.Outputs {
		if o.Name != path[1] {
			continue
		}
		t := inner.once(o, func() *Taint {
			what := "the output " + o.Name + " of " + inner.Template.Path
			if value := inner.eval(nil, o.Value); value != nil {
				return value.via(o.At, what)
			}
			if o.Secure {
				return secret(Output, o.At, "the secure output "+o.Name)
			}
			return nil
		})
		return along(t, path[2:])
	}
	return nil
}

// module returns what is secret of a module as a whole. In Terraform its outputs are its properties.
func (f *Frame) module(m *template.Module) *Taint {
	inner := f.inner[m]
	if inner == nil {
		return nil
	}
	var outputs *Taint
	for _, o := range inner.Template.Outputs {
		if t := f.moduleOutput(m, []string{"outputs", o.Name}); t != nil {
			outputs = mergeTwo(outputs, &Taint{fields: map[string]*Taint{o.Name: t}})
		}
	}
	if outputs == nil {
		return nil
	}
	out := merge(outputs, &Taint{fields: map[string]*Taint{"outputs": outputs}})
	if m.Loop != nil {
		return items(out)
	}
	return out
}

func along(t *Taint, path []string) *Taint {
	for _, name := range path {
		if name == "" {
			t = t.item()
		} else {
			t = t.field(name)
		}
	}
	return t
}

// resourceAttribute returns what is secret of a resource's property: what the template itself gives to it, and what the
// provider is known to tell.
func (f *Frame) resourceAttribute(r *template.Resource, path []string, e *template.Access) *Taint {
	for len(path) > 0 && path[0] == "" {
		path = path[1:]
	}
	if r.Loop != nil && len(path) > 1 && r.Body.Get(path[0]) == nil { // of a loop over names, the name
		path = path[1:]
	}
	if len(path) == 0 {
		return nil
	}
	last := path[len(path)-1]
	if f.Template.Language == template.Terraform && isSecretAttribute(r, last) {
		kind := Attribute
		if vaultSources.MatchString(r.Type) {
			kind = Vault
		}
		return secret(kind, e.Place(), r.Name+"."+last)
	}
	for _, m := range r.Body.Members {
		if m.Name == path[0] && !m.WriteOnly {
			return along(f.once(m, func() *Taint { return f.eval(nil, m.Value) }), path[1:])
		}
	}
	return nil
}

// What Terraform's providers tell of resources that is secret, by its name, and what only looks so.
var (
	secretAttributes = regexp.MustCompile(`^((primary|secondary|storage|master|default_primary|default_secondary|account|admin|client|api|shared)_)*(access_key|key|connection_string|blob_connection_string|sas_token|password|client_secret|secret|token|private_key|private_key_pem|kube_config_raw|kube_admin_config_raw|instrumentation_key)$|^(result|bcrypt_hash)$|_connection_string$|^kube_(admin_)?config$`)
	secretValues     = regexp.MustCompile(`^azurerm_(key_vault_secret|key_vault_certificate_data|app_configuration_key)$`)
	vaultSources     = regexp.MustCompile(`^azurerm_key_vault_`)
	notSecret        = regexp.MustCompile(`^azurerm_application_insights$`)
	results          = regexp.MustCompile(`^random_(password|bytes)$`)
)

func isSecretAttribute(r *template.Resource, name string) bool {
	switch {
	case notSecret.MatchString(r.Type):
		return false
	case name == "value":
		return secretValues.MatchString(r.Type) && (r.Existing || r.Ephemeral)
	case name == "result" || name == "bcrypt_hash":
		return results.MatchString(r.Type)
	}
	return secretAttributes.MatchString(name) && r.Body.Get(name) == nil
}
