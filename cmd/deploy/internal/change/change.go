// Package change is what a deployment would change, in the same words for Resource Manager's what-if and for a plan of
// Terraform.
package change

import (
	"cmp"
	"slices"
)

// Action says what would happen to a resource or to a property.
type Action string

// The actions. Replace deletes a resource and makes it anew. Unknown is what can't be told before it happens.
const (
	None    Action = "none"
	Create  Action = "create"
	Modify  Action = "modify"
	Replace Action = "replace"
	Delete  Action = "delete"
	Unknown Action = "unknown"
)

// Change is what would happen to one resource.
type Change struct {
	Action Action `json:"action"`
	Type   string `json:"type"` // Microsoft.KeyVault/vaults, or azurerm_key_vault
	Name   string `json:"name"` // of an id what follows the type, or the address without it
	ID     string `json:"id"`   // the whole id or address
	// Why says of an Unknown change why nobody can tell.
	Why        string     `json:"why,omitempty"`
	Properties []Property `json:"properties,omitempty"`
}

// Property is what would happen to one property, which is a value without parts wherever its parts are known.
type Property struct {
	Action Action `json:"action"`
	Path   string `json:"path"` // names joined by dots, items in brackets
	// Before and After are the values as JSON has them, or nil. A secret is [Hidden], and what is known only when it has
	// happened is [Later].
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// What stands for a value that must not be shown, and for one that isn't known yet.
const (
	Hidden = "***"
	Later  = "(known later)"
)

// Sort puts changes in one order for both languages: by type, then by name, and the properties by path. It drops nothing.
func Sort(changes []Change) []Change {
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	for _, c := range changes {
		slices.SortStableFunc(c.Properties, func(a, b Property) int { return cmp.Compare(a.Path, b.Path) })
	}
	return changes
}

// Any reports whether something would change, or might.
func Any(changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Action != None })
}

// Count returns how many changes there are of an action.
func Count(changes []Change, action Action) int {
	n := 0
	for _, c := range changes {
		if c.Action == action {
			n++
		}
	}
	return n
}
