package parity

import (
	"maps"
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// settings compares the names of the app settings.
func (c *comparison) settings(a, b *template.Template) {
	sides := []map[string]Setting{Settings(a), Settings(b)}
	for i, t := range []*template.Template{b, a} {
		for _, name := range slices.Sorted(maps.Keys(sides[i])) {
			if _, both := sides[1-i][name]; !both {
				c.add(sides[i][name].At, "setting "+name, "%s doesn't set it", t.Path)
			}
		}
	}
}

// Setting is an app setting of a template.
type Setting struct {
	At    source.Span
	Value template.Expr
	On    []*template.Resource // that give it to the app
}

// Settings returns all app settings of a template by their names.
func Settings(root *template.Template) map[string]Setting {
	k := &keys{names: map[string]Setting{}, arguments: Arguments(root)}
	for _, t := range template.All(root) {
		for _, r := range t.Resources {
			k.on = r
			name, _ := template.StringOf(orMissing(r.Body.Get("name")))
			properties, _ := r.Body.Get("properties").(*template.Object)
			switch {
			case r.Type == "Microsoft.Web/sites/config" && name == "appsettings":
				k.add(r.Body.Get("properties"), 0)
			case r.Type == "Microsoft.Web/sites":
				config, _ := properties.Get("siteConfig").(*template.Object)
				k.pairs(config.Get("appSettings"))
			default:
				k.add(r.Body.Get("app_settings"), 0)
			}
		}
	}
	return k.names
}

// Arguments returns what every parameter of a module may be given.
func Arguments(root *template.Template) map[*template.Parameter][]template.Expr {
	out := map[*template.Parameter][]template.Expr{}
	for _, t := range template.All(root) {
		for _, m := range t.Modules {
			for _, a := range m.Arguments {
				if a.To != nil {
					out[a.To] = append(out[a.To], a.Value)
				}
			}
		}
	}
	return out
}

// keys collects the keys that a value which is an object may have.
type keys struct {
	names     map[string]Setting
	on        *template.Resource
	arguments map[*template.Parameter][]template.Expr
}

func (k *keys) add(e template.Expr, depth int) {
	if e == nil || depth > 50 {
		return
	}
	switch x := template.Resolve(e).(type) {
	case *template.Object:
		for _, m := range x.Members {
			if spread, ok := m.Value.(*template.Spread); ok {
				k.add(spread.X, depth+1)
			} else if m.Name != "" {
				k.note(m.Name, m.At, m.Value)
			}
		}
	case *template.Call:
		if x.Name == "union" || x.Name == "merge" {
			for _, a := range x.Args {
				k.add(a, depth+1)
			}
		}
	case *template.Choice:
		k.add(x.Then, depth+1)
		k.add(x.Else, depth+1)
	case *template.Reference:
		if p, ok := x.To.(*template.Parameter); ok {
			for _, a := range k.arguments[p] {
				k.add(a, depth+1)
			}
		}
	}
}

// note notes a setting. Of one that several resources have the last counts.
func (k *keys) note(name string, at source.Span, value template.Expr) {
	k.names[name] = Setting{at, value, append(k.names[name].On, k.on)}
}

// pairs adds the names of a list of {name, value}.
func (k *keys) pairs(e template.Expr) {
	list, ok := template.Resolve(orMissing(e)).(*template.List)
	if !ok {
		return
	}
	for _, item := range list.Items {
		if o, ok := item.(*template.Object); ok {
			if name, ok := template.StringOf(orMissing(o.Get("name"))); ok {
				k.note(name, item.Place(), orMissing(o.Get("value")))
			}
		}
	}
}
