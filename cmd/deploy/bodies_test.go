package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/parity"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// TestTheTwinsSendTheSameToAzure has the real azurerm provider create the Terraform twin in a Resource Manager of ours, and compares what it sends
// with what the Bicep twin says, property by property. Every difference is in testdata/bodies.txt.
func TestTheTwinsSendTheSameToAzure(t *testing.T) {
	e, r := newApplying(t)
	if err := os.RemoveAll(filepath.Join(e.folder, "tests")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(e.folder, "bodies.tftest.hcl"), []byte(overridden(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	e.run(0, "init", "-backend=false", "-input=false", "-no-color")
	e.run(0, "test", "-no-color")
	golden(t, "testdata/bodies.txt", differing(bicepBodies(t), sentBodies(r.bodies)))
}

// overridden creates everything but the vault with its secrets and the tables, for which azurerm asks the vault and the table service themselves.
func overridden(t *testing.T) string {
	const vault = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"
	var b strings.Builder
	for _, r := range twin(t, terraformTwin).Resources {
		values := ""
		switch r.Type {
		case "azurerm_key_vault":
			values = fmt.Sprintf("{ id = %q, vault_uri = %q }", vault, "https://v.vault.azure.net/")
		case "azurerm_key_vault_secret":
			name, _ := template.StringOf(r.Body.Get("name"))
			secret := "https://v.vault.azure.net/secrets/" + name
			values = fmt.Sprintf("{ id = %q, versionless_id = %q, resource_versionless_id = %q }", secret+"/0123456789abcdef0123456789abcdef", secret, vault+"/secrets/"+name)
		case "azurerm_storage_table":
			values = "{}"
		default:
			continue
		}
		fmt.Fprintf(&b, "override_resource {\n  target = %s\n  values = %s\n}\n", r.Name, values)
	}
	b.WriteString("run \"create\" {\n  command = apply\n}\n")
	return b.String()
}

// body is what a resource is made with: its properties by path. A value that isn't known before is "?".
type body map[string]string

// bicepBodies returns what the Bicep twin sends for each type of resource, with the defaults of its parameters. Resources of one type
// are put together, and so are parts of Terraform's resources that Bicep has apart.
func bicepBodies(t *testing.T) map[string]body {
	root := twin(t, bicepTwin)
	v := &evaluator{arguments: parity.Arguments(root)}
	all := map[string]body{}
	for _, tmpl := range template.All(root) {
		for _, r := range tmpl.Resources {
			if r.Existing {
				continue
			}
			kind := strings.ToLower(r.Type)
			if all[kind] == nil {
				all[kind] = body{}
			}
			for _, m := range r.Body.Members {
				if m.Name != "name" && m.Name != "parent" && m.Name != "scope" && m.Name != "dependsOn" {
					v.flatten(all[kind], m.Name, m.Value)
				}
			}
		}
	}
	return all
}

// evaluator works out values as far as the template and the defaults of its parameters say.
type evaluator struct {
	arguments map[*template.Parameter][]template.Expr
}

// flatten notes a value and its parts.
func (v *evaluator) flatten(out body, path string, e template.Expr) {
	switch x := v.value(e).(type) {
	case *template.Object:
		for _, m := range x.Members {
			if m.Name != "" {
				v.flatten(out, path+"."+m.Name, m.Value)
			}
		}
	case *template.List:
		for _, item := range x.Items {
			v.flatten(out, path+"[]", item)
		}
	case *template.Literal:
		if x.Value != nil {
			note(out, path, fmt.Sprint(x.Value))
		}
	case *template.Call:
		if x.Name != "union" {
			note(out, path, "?")
			return
		}
		for _, a := range x.Args {
			v.flatten(out, path, a)
		}
	default:
		note(out, path, "?")
	}
}

// note keeps a value; of several under one path all are kept.
func note(out body, path, value string) {
	path = strings.ToLower(path)
	if old, ok := out[path]; ok && !slices.Contains(strings.Split(old, " | "), value) {
		parts := append(strings.Split(old, " | "), value)
		slices.Sort(parts)
		out[path] = strings.Join(parts, " | ")
		return
	}
	if _, ok := out[path]; !ok {
		out[path] = value
	}
}

// value follows names and choices whose conditions are known.
func (v *evaluator) value(e template.Expr) template.Expr {
	switch x := template.Resolve(e).(type) {
	case *template.Reference:
		p, ok := x.To.(*template.Parameter)
		switch {
		case ok && len(v.arguments[p]) > 0:
			return v.value(v.arguments[p][0])
		case ok && p.Default != nil:
			return v.value(p.Default)
		}
		return x
	case *template.Choice:
		switch v.truth(x.If) {
		case "true":
			return v.value(x.Then)
		case "false":
			return v.value(x.Else)
		}
		return x
	case *template.Text:
		return v.text(x)
	case *template.Operation:
		if truth := v.truth(x); truth != "?" {
			return &template.Literal{At: x.At, Value: truth == "true"}
		}
		return x
	default:
		return x
	}
}

// text puts a text together if all its parts are known.
func (v *evaluator) text(x *template.Text) template.Expr {
	var b strings.Builder
	for _, part := range x.Parts {
		l, ok := v.value(part).(*template.Literal)
		if !ok {
			return x
		}
		fmt.Fprint(&b, l.Value)
	}
	return &template.Literal{At: x.At, Value: b.String()}
}

// truth works out a condition: "true", "false" or "?".
func (v *evaluator) truth(e template.Expr) string {
	switch x := template.Resolve(e).(type) {
	case *template.Literal:
		return fmt.Sprint(x.Value)
	case *template.Reference:
		if l, ok := v.value(x).(*template.Literal); ok {
			return fmt.Sprint(l.Value)
		}
	case *template.Operation:
		return v.operation(x)
	case *template.Call:
		return v.call(x)
	}
	return "?"
}

func (v *evaluator) operation(x *template.Operation) string {
	var known []string
	for _, a := range x.Args {
		text := v.truth(a)
		if l, ok := v.value(a).(*template.Literal); ok {
			text = fmt.Sprint(l.Value)
		}
		known = append(known, text)
	}
	switch {
	case slices.Contains(known, "?") && x.Op != "||":
		return "?"
	case x.Op == "!":
		return fmt.Sprint(known[0] == "false")
	case x.Op == "==":
		return fmt.Sprint(known[0] == known[1])
	case x.Op == "||":
		return fmt.Sprint(slices.Contains(known, "true"))
	}
	return "?"
}

func (v *evaluator) call(x *template.Call) string {
	var text []string
	for _, a := range x.Args {
		l, ok := v.value(a).(*template.Literal)
		if !ok {
			return "?"
		}
		text = append(text, fmt.Sprint(l.Value))
	}
	switch x.Name {
	case "empty":
		return fmt.Sprint(text[0] == "")
	case "startsWith":
		return fmt.Sprint(strings.HasPrefix(text[0], text[1]))
	}
	return "?"
}

// sentBodies returns what was sent to Resource Manager, by type.
func sentBodies(all []resourceBody) map[string]body {
	out := map[string]body{}
	for _, b := range all {
		kind := strings.ToLower(kindOf(b.path))
		if out[kind] == nil {
			out[kind] = body{}
		}
		if settings := settingsOf(b.body); len(settings) > 0 {
			out[kind+"/config"] = settings
		}
		for name, value := range b.body {
			if name != "name" && name != "type" && name != "id" {
				flattenJSON(out[kind], name, value)
			}
		}
	}
	return out
}

func kindOf(path string) string {
	i := strings.LastIndex(strings.ToLower(path), "/providers/")
	if i < 0 {
		return path
	}
	parts := strings.Split(path[i+len("/providers/"):], "/")
	kind := parts[0]
	for j := 1; j < len(parts); j += 2 {
		kind += "/" + parts[j]
	}
	return kind
}

// settingsOf takes the app settings out of what an app is made with, as Bicep has them in a resource of their own.
func settingsOf(site map[string]any) body {
	out := body{}
	properties, _ := site["properties"].(map[string]any)
	config, _ := properties["siteConfig"].(map[string]any)
	list, _ := config["appSettings"].([]any)
	delete(config, "appSettings")
	for _, item := range list {
		if s, ok := item.(map[string]any); ok {
			note(out, fmt.Sprintf("properties.%v", s["name"]), fmt.Sprint(s["value"]))
		}
	}
	return out
}

func flattenJSON(out body, path string, value any) {
	switch x := value.(type) {
	case map[string]any:
		for name, part := range x {
			flattenJSON(out, path+"."+name, part)
		}
	case []any:
		for _, item := range x {
			flattenJSON(out, path+"[]", item)
		}
	case nil:
	default:
		text, _ := json.Marshal(x) // it came from JSON
		note(out, path, strings.Trim(string(text), `"`))
	}
}

// differing lists where two sets of bodies differ in what both know.
func differing(bicep, terraform map[string]body) string {
	var b strings.Builder
	for _, kind := range sortedNames(terraform) {
		mine, theirs := bicep[kind], terraform[kind]
		if mine == nil {
			fmt.Fprintf(&b, "%s: only Terraform makes it\n", kind)
			continue
		}
		for _, path := range sortedNames(mine) {
			other, both := theirs[path]
			switch {
			case !both && mine[path] != "?" && mine[path] != "":
				fmt.Fprintf(&b, "%s %s: Bicep %s, Terraform nothing\n", kind, path, mine[path])
			case both && mine[path] != "?" && !strings.EqualFold(other, mine[path]):
				fmt.Fprintf(&b, "%s %s: Bicep %s, Terraform %s\n", kind, path, mine[path], other)
			}
		}
		for _, path := range sortedNames(theirs) {
			if _, both := mine[path]; !both {
				fmt.Fprintf(&b, "%s %s: Bicep nothing, Terraform %s\n", kind, path, theirs[path])
			}
		}
	}
	return b.String()
}
