package azuretest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// filter is what $filter asks for: all of its parts must hold, and of each one
// of its comparisons.
type filter [][]comparison

// comparison compares a column that is a text.
type comparison struct{ column, operator, value string }

// maxComparisons is how many a filter may have.
const maxComparisons = 15

var comparisonText = regexp.MustCompile(`^\s*(\w+) (eq|ne|lt|le|gt|ge) '((?:[^']|'')*)'\s*`)

// parseFilter reads the part of OData's language that the account knows: parts
// joined by and, each a comparison of texts, or several joined by or in brackets.
func parseFilter(text string) (f filter, err error) {
	count := 0
	for rest := text; rest != ""; {
		inner, bracketed := strings.CutPrefix(rest, "(")
		part, after := parseComparisons(inner, bracketed)
		if bracketed {
			if after, bracketed = strings.CutPrefix(after, ")"); !bracketed {
				part = nil
			}
			after = strings.TrimLeft(after, " ")
		}
		more, joined := strings.CutPrefix(after, "and ")
		if len(part) == 0 || joined != (after != "") || joined && more == "" {
			return nil, fmt.Errorf("the filter %q is not what this account understands", text)
		}
		if count += len(part); count > maxComparisons {
			return nil, fmt.Errorf("the filter %q has more than %d comparisons", text, maxComparisons)
		}
		f = append(f, part)
		rest = more
	}
	return f, nil
}

// parseComparisons reads a comparison, or several joined by or, and returns what
// follows.
func parseComparisons(text string, several bool) (part []comparison, rest string) {
	for {
		m := comparisonText.FindStringSubmatch(text)
		if m == nil {
			return nil, text
		}
		part = append(part, comparison{m[1], m[2], strings.ReplaceAll(m[3], "''", "'")})
		text = text[len(m[0]):]
		more, joined := strings.CutPrefix(text, "or ")
		if !several || !joined {
			return part, text
		}
		text = more
	}
}

// matches reports whether a row has all that the filter asks for.
func (f filter) matches(e *row) bool {
	for _, part := range f {
		if !slices.ContainsFunc(part, e.is) {
			return false
		}
	}
	return true
}

// is reports whether a comparison holds. A column that is not there compares as
// nothing.
func (e *row) is(c comparison) bool {
	value, ok := e.text(c.column)
	return ok && c.holds(compareUnits(value, c.value))
}

// text returns a column that is a text.
func (e *row) text(name string) (string, bool) {
	switch name {
	case "PartitionKey":
		return e.key.partition, true
	case "RowKey":
		return e.key.row, true
	}
	c, ok := e.columns[name]
	return c.string(), ok && c.edm == "Edm.String"
}

// holds reports whether the operator accepts the outcome of a comparison.
func (c comparison) holds(order int) bool {
	switch c.operator {
	case "eq":
		return order == 0
	case "ne":
		return order != 0
	case "lt":
		return order < 0
	case "le":
		return order <= 0
	case "gt":
		return order > 0
	}
	return order >= 0
}
