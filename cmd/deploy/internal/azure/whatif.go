package azure

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/change"
)

// Preview returns what a deployment would change. With readOnly the caller needs to be allowed nothing but to read and to ask
// (Microsoft.Resources/deployments/whatIf/action and validate/action); Azure then doesn't check whether a deployment would
// be allowed.
func (c *Client) Preview(ctx context.Context, name string, t Template, readOnly bool) ([]change.Change, error) {
	level := armdeployments.ValidationLevelProvider
	if readOnly {
		level = armdeployments.ValidationLevelProviderNoRbac
	}
	poller, err := c.deployments.BeginWhatIf(ctx, c.o.Group, name, armdeployments.DeploymentWhatIf{Properties: &armdeployments.DeploymentWhatIfProperties{
		Mode: to.Ptr(armdeployments.DeploymentModeIncremental), Template: t.JSON, Parameters: t.Parameters, ValidationLevel: &level,
		WhatIfSettings: &armdeployments.DeploymentWhatIfSettings{ResultFormat: to.Ptr(armdeployments.WhatIfResultFormatFullResourcePayloads)},
	}}, nil)
	if err != nil {
		return nil, fmt.Errorf("ask what would change: %w", known(err))
	}
	got, err := poller.PollUntilDone(ctx, c.polling())
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask what would change: %w", known(err))
	case got.Error != nil:
		return nil, fmt.Errorf("ask what would change: %s", textOf(got.Error))
	case got.Properties == nil:
		return nil, nil
	}
	var changes []change.Change
	for _, w := range append(got.Properties.Changes, got.Properties.PotentialChanges...) {
		changes = append(changes, changeOf(w))
	}
	return change.Sort(changes), nil
}

// changeOf reads one change of what-if. What is in the group and not in the template is left alone by a deployment.
func changeOf(w *armdeployments.WhatIfChange) change.Change {
	kind, name := split(deref(w.ResourceID))
	out := change.Change{Type: kind, Name: name, ID: deref(w.ResourceID), Why: deref(w.UnsupportedReason)}
	switch deref(w.ChangeType) {
	case armdeployments.ChangeTypeCreate:
		out.Action = change.Create
		out.Properties = change.Diff(nil, without(w.After), hidden)
	case armdeployments.ChangeTypeDelete:
		out.Action = change.Delete
	case armdeployments.ChangeTypeModify:
		out.Action = change.Modify
		out.Properties = deltas(nil, w.Delta)
		if len(out.Properties) == 0 {
			out.Action = change.None
		}
	case armdeployments.ChangeTypeDeploy, armdeployments.ChangeTypeUnsupported:
		out.Action = change.Unknown
	default:
		out.Action = change.None
	}
	return out
}

// without leaves out what a resource's id says already.
func without(after any) any {
	m, ok := after.(map[string]any)
	if !ok {
		return after
	}
	out := map[string]any{}
	for name, value := range m {
		if name != "id" && name != "type" && name != "name" && name != "resourceGroup" && name != "apiVersion" {
			out[name] = value
		}
	}
	return out
}

// deltas reads the changes of properties, down to values without parts.
func deltas(path []string, all []*armdeployments.WhatIfPropertyChange) []change.Property {
	var out []change.Property
	for _, d := range all {
		here := append(path[:len(path):len(path)], deref(d.Path))
		kind := deref(d.PropertyChangeType)
		switch {
		case kind == armdeployments.PropertyChangeTypeNoEffect:
		case len(d.Children) > 0:
			out = append(out, deltas(here, d.Children)...)
		case kind == armdeployments.PropertyChangeTypeCreate:
			out = append(out, property(change.Create, here, nil, d.After))
		case kind == armdeployments.PropertyChangeTypeDelete:
			out = append(out, property(change.Delete, here, d.Before, nil))
		default:
			out = append(out, property(change.Modify, here, d.Before, d.After))
		}
	}
	return out
}

func property(a change.Action, path []string, before, after any) change.Property {
	if hidden(path) {
		before, after = hide(before), hide(after)
	}
	return change.Property{Action: a, Path: change.Path(path), Before: before, After: after}
}

func hide(value any) any {
	if value == nil {
		return nil
	}
	return change.Hidden
}

// hidden reports whether a property holds a secret by its name. Azure leaves secure parameters out of its answer; this is
// for those that a template didn't mark.
func hidden(path []string) bool {
	if len(path) == 0 {
		return false
	}
	name := strings.ToLower(path[len(path)-1])
	for _, word := range []string{"password", "secret", "accesskey", "accountkey", "connectionstring", "sastoken"} {
		if strings.Contains(name, word) && !strings.HasSuffix(name, "uri") && !strings.HasSuffix(name, "name") {
			return true
		}
	}
	return false
}

// split takes a resource's id apart into its type and its names. An id that isn't one is a name.
func split(id string) (kind, name string) {
	i := strings.LastIndex(strings.ToLower(id), "/providers/")
	if i < 0 {
		return "", id
	}
	parts := strings.Split(id[i+len("/providers/"):], "/")
	if len(parts) < 3 {
		return "", id
	}
	kinds, names := parts[:1:1], []string{}
	for j := 1; j < len(parts); j++ {
		if j%2 == 1 {
			kinds = append(kinds, parts[j])
		} else {
			names = append(names, parts[j])
		}
	}
	name = strings.Join(names, "/")
	if _, on := split(id[:i]); on != id[:i] { // it stands on something else, as a role assignment does
		name = on + " · " + name
	}
	return strings.Join(kinds, "/"), name
}
