package change_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/change"
)

func parsed(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDiffFindsWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		want                []string
	}{
		{"nothing", `{"a":1,"b":[1,{"c":null}]}`, `{"b":[1,{"c":null}],"a":1}`, nil},
		{"a value", `{"a":1}`, `{"a":2}`, []string{"modify a: 1 → 2"}},
		{"a new value", `{}`, `{"a":{"b":"x"}}`, []string{`create a.b: <nil> → x`}},
		{"a value that goes", `{"a":{"b":"x"}}`, `{"a":{}}`, []string{`delete a.b: x → <nil>`}},
		{"an item", `{"a":[1,2]}`, `{"a":[1,3,4]}`, []string{"modify a[1]: 2 → 3", "create a[2]: <nil> → 4"}},
		{"another kind", `{"a":[1]}`, `{"a":{"b":1}}`, []string{"modify a: [1] → map[b:1]"}},
		{"all", `null`, `{"a":1}`, []string{"create a: <nil> → 1"}},
		{"not known yet", `{"a":1}`, `{"a":"(known later)"}`, []string{"modify a: 1 → (known later)"}},
		{"a secret", `{"secret":{"x":1}}`, `{"secret":{"x":2}}`, []string{"modify secret: *** → ***"}},
		{"the same secret", `{"secret":"x"}`, `{"secret":"x"}`, nil},
		{"a new secret", `{}`, `{"secret":"x"}`, []string{"create secret: <nil> → ***"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			hidden := func(path []string) bool { return slices.Contains(path, "secret") }
			var got []string
			for _, p := range change.Diff(parsed(t, c.before), parsed(t, c.after), hidden) {
				got = append(got, fmt.Sprintf("%s %s: %v → %v", p.Action, p.Path, p.Before, p.After))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestChangesAreWrittenInOneOrder(t *testing.T) {
	changes := change.Sort([]change.Change{
		{Action: change.Modify, Type: "b", Name: "y", Properties: []change.Property{
			{Action: change.Modify, Path: "z", Before: "old", After: 2.0}, {Action: change.Create, Path: "k", After: change.Hidden},
		}},
		{Action: change.Create, Type: "b", Name: "x"},
		{Action: change.None, Type: "a", Name: "same"},
		{Action: change.Delete, Type: "a", Name: "gone"},
		{Action: change.Unknown, Type: "c", Name: "?", Why: "nobody knows"},
	})
	var b strings.Builder
	if err := change.Write(&b, changes, false); err != nil {
		t.Fatal(err)
	}
	want := "a\n  - gone\nb\n  + x\n  ~ y\n      + k: ***\n      ~ z: \"old\" → 2\nc\n  ? ?\n      nobody knows\n" +
		"1 to create, 1 to modify, 1 to delete, 1 that can't be told.\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	if err := change.Write(&b, changes[:1], true); err != nil {
		t.Fatal(err)
	}
	if want := "a\n\x1b[31m  - gone\x1b[0m\n1 to delete.\n"; b.String() != want {
		t.Errorf("in color %q, want %q", b.String(), want)
	}
}

func TestNothingIsAChangeThatCountsUnlessItChanges(t *testing.T) {
	if change.Any([]change.Change{{Action: change.None}}) || !change.Any([]change.Change{{Action: change.Unknown}}) {
		t.Error("what stays is no change, and what can't be told may be one")
	}
	if got := change.Summary(nil); got != "Nothing would change." {
		t.Error(got)
	}
}
