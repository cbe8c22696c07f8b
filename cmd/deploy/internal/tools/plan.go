package tools

import (
	"fmt"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/change"
)

// changesOf reads a plan. What is only read is no change.
func changesOf(plan *tfjson.Plan) []change.Change {
	var out []change.Change
	for _, r := range plan.ResourceChanges {
		if r.Mode == tfjson.DataResourceMode || r.Change == nil {
			continue
		}
		c := change.Change{Action: actionOf(r.Change.Actions), Type: r.Type, ID: r.Address, Name: strings.TrimPrefix(r.Address, r.Type+".")}
		if c.Action == change.Create || c.Action == change.Modify || c.Action == change.Replace {
			secret := func(path []string) bool {
				return marked(r.Change.BeforeSensitive, path) || marked(r.Change.AfterSensitive, path)
			}
			c.Properties = change.Diff(r.Change.Before, known(r.Change.After, r.Change.AfterUnknown), secret)
		}
		out = append(out, c)
	}
	return change.Sort(out)
}

func actionOf(a tfjson.Actions) change.Action {
	switch {
	case a.Replace():
		return change.Replace
	case a.Create():
		return change.Create
	case a.Update():
		return change.Modify
	case a.Delete():
		return change.Delete
	}
	return change.None
}

// marked reports whether a tree of marks, as a plan has them, has one on a path or above it.
func marked(marks any, path []string) bool {
	if all, ok := marks.(bool); ok {
		return all
	}
	if len(path) == 0 {
		return false
	}
	switch m := marks.(type) {
	case map[string]any:
		return marked(m[path[0]], path[1:])
	case []any:
		var i int
		if _, err := fmt.Sscanf(path[0], "[%d]", &i); err == nil && i < len(m) {
			return marked(m[i], path[1:])
		}
	}
	return false
}

// known puts [change.Later] wherever a value is not known yet.
func known(after, unknown any) any {
	switch u := unknown.(type) {
	case bool:
		if u {
			return change.Later
		}
	case map[string]any:
		a, _ := after.(map[string]any)
		out := map[string]any{}
		for name, value := range a {
			out[name] = known(value, u[name])
		}
		for name := range u {
			if _, both := a[name]; !both {
				if value := known(nil, u[name]); value != nil {
					out[name] = value
				}
			}
		}
		if after == nil && len(out) == 0 {
			return nil
		}
		return out
	case []any:
		a, _ := after.([]any)
		if after == nil && len(u) == 0 {
			return nil
		}
		out := make([]any, max(len(a), len(u)))
		for i := range out {
			var value, mark any
			if i < len(a) {
				value = a[i]
			}
			if i < len(u) {
				mark = u[i]
			}
			out[i] = known(value, mark)
		}
		return out
	}
	return after
}
