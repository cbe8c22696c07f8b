package azuretest

import (
	"fmt"
	"regexp"
	"strings"
)

// filter is what $filter asks for: comparisons of texts, all of which must hold.
type filter []comparison

type comparison struct{ column, operator, value string }

var comparisonText = regexp.MustCompile(`^\s*(\w+) (eq|ne|lt|le|gt|ge) '((?:[^']|'')*)'\s*(and\s|$)`)

// parseFilter reads the part of OData's language that the account knows.
func parseFilter(text string) (f filter, err error) {
	for text != "" {
		m := comparisonText.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("the filter %q is not comparisons of texts joined by and", text)
		}
		f = append(f, comparison{m[1], m[2], strings.ReplaceAll(m[3], "''", "'")})
		text = text[len(m[0]):]
	}
	return f, nil
}

// matches reports whether a row has all that the filter asks for. A column that
// is not there compares as nothing.
func (f filter) matches(e *row) bool {
	for _, c := range f {
		value, ok := e.text(c.column)
		if !ok || !c.holds(compareUnits(value, c.value)) {
			return false
		}
	}
	return true
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
