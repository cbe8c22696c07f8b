package change

import (
	"fmt"
	"io"
	"strings"
)

// signs stand before what changes, and colors are those of a terminal.
var (
	signs  = map[Action]string{None: " ", Create: "+", Modify: "~", Replace: "±", Delete: "-", Unknown: "?"}
	colors = map[Action]string{Create: "32", Modify: "33", Replace: "31", Delete: "31", Unknown: "36"}
)

const longestValue = 100

// Write writes changes for people: each resource under its type, with the properties that differ, and a line that counts
// them. What stays as it is isn't written. color is whether a terminal shows colors.
func Write(w io.Writer, changes []Change, color bool) error {
	var b strings.Builder
	last := ""
	for _, c := range changes {
		if c.Action == None {
			continue
		}
		if c.Type != last {
			fmt.Fprintf(&b, "%s\n", c.Type)
			last = c.Type
		}
		b.WriteString(painted(c.Action, fmt.Sprintf("  %s %s", signs[c.Action], c.Name), color) + "\n")
		if c.Why != "" {
			fmt.Fprintf(&b, "      %s\n", c.Why)
		}
		for _, p := range c.Properties {
			b.WriteString(painted(p.Action, "      "+signs[p.Action]+" "+p.line(), color) + "\n")
		}
	}
	b.WriteString(Summary(changes) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (p Property) line() string {
	switch p.Action {
	case Create:
		return fmt.Sprintf("%s: %s", p.Path, Value(p.After, longestValue))
	case Delete:
		return fmt.Sprintf("%s: %s", p.Path, Value(p.Before, longestValue))
	}
	return fmt.Sprintf("%s: %s → %s", p.Path, Value(p.Before, longestValue), Value(p.After, longestValue))
}

func painted(a Action, text string, color bool) string {
	if !color || colors[a] == "" {
		return text
	}
	return "\x1b[" + colors[a] + "m" + text + "\x1b[0m"
}

// Summary counts changes in a sentence.
func Summary(changes []Change) string {
	var parts []string
	for _, a := range []struct {
		action Action
		word   string
	}{{Create, "to create"}, {Modify, "to modify"}, {Replace, "to replace"}, {Delete, "to delete"}, {Unknown, "that can't be told"}} {
		if n := Count(changes, a.action); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a.word))
		}
	}
	if len(parts) == 0 {
		return "Nothing would change."
	}
	return strings.Join(parts, ", ") + "."
}
