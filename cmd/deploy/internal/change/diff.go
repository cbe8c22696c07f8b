package change

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Diff compares two values as JSON has them and returns the properties that differ. Of a property under a path that is
// hidden it says only that it differs. A value that isn't known yet is [Later].
func Diff(before, after any, hidden func(path []string) bool) []Property {
	d := &differ{hidden: hidden}
	d.compare(nil, before, after)
	return d.found
}

type differ struct {
	hidden func(path []string) bool
	found  []Property
}

func (d *differ) compare(path []string, before, after any) {
	bs, bIsMap := before.(map[string]any)
	as, aIsMap := after.(map[string]any)
	bl, bIsList := before.([]any)
	al, aIsList := after.([]any)
	switch {
	case d.hidden(path):
		d.whole(path, before, after)
	case (bIsMap || before == nil) && (aIsMap || after == nil) && (bIsMap || aIsMap):
		for _, name := range names(bs, as) {
			d.compare(with(path, name), bs[name], as[name])
		}
	case (bIsList || before == nil) && (aIsList || after == nil) && (bIsList || aIsList):
		for i := range max(len(bl), len(al)) {
			d.compare(with(path, "["+strconv.Itoa(i)+"]"), item(bl, i), item(al, i))
		}
	default:
		d.whole(path, before, after)
	}
}

// names returns the properties that either of two objects has.
func names(a, b map[string]any) []string {
	all := maps.Clone(b)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, a)
	return slices.Sorted(maps.Keys(all))
}

// whole notes the difference of two values that are not looked into.
func (d *differ) whole(path []string, before, after any) {
	if reflect.DeepEqual(before, after) && after != Later {
		return
	}
	p := Property{Path: Path(path), Before: before, After: after, Action: Modify}
	switch {
	case before == nil:
		p.Action = Create
	case after == nil:
		p.Action = Delete
	}
	if d.hidden(path) {
		p.Before, p.After = hide(p.Before), hide(p.After)
	}
	d.found = append(d.found, p)
}

func hide(value any) any {
	if value == nil || value == Later {
		return value
	}
	return Hidden
}

func item(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

func with(path []string, name string) []string { return append(path[:len(path):len(path)], name) }

// Path writes the names that lead to a property. A name in brackets is an item.
func Path(names []string) string {
	text := ""
	for _, name := range names {
		switch {
		case text == "":
			text = name
		case name != "" && name[0] == '[':
			text += name
		default:
			text += "." + name
		}
	}
	return text
}

// Value writes a value in one line, without what is past a number of characters.
func Value(value any, longest int) string {
	text := fmt.Sprint(value)
	if s, ok := value.(string); ok && s != Hidden && s != Later {
		text = strconv.Quote(s)
	}
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest-1]) + "…"
	}
	return text
}
