package azuretest

import (
	"fmt"
	"regexp"
	"strings"
)

// filter is what $filter asks for.
type filter interface{ matches(*row) bool }

type (
	// all matches what every one of its filters matches.
	all []filter
	// either matches what one of its filters matches.
	either     []filter
	comparison struct{ column, operator, value string }
)

func (f all) matches(e *row) bool {
	for _, one := range f {
		if !one.matches(e) {
			return false
		}
	}
	return true
}

func (f either) matches(e *row) bool {
	for _, one := range f {
		if one.matches(e) {
			return true
		}
	}
	return false
}

// matches compares a column that is a text. One that is not there compares as
// nothing.
func (c comparison) matches(e *row) bool {
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

// parseFilter reads the part of OData's language that the account knows:
// comparisons of columns with texts, and, or, parentheses.
func parseFilter(text string) (filter, error) {
	if strings.TrimSpace(text) == "" {
		return all{}, nil
	}
	p := &parser{rest: text}
	f := p.either()
	if p.rest = strings.TrimSpace(p.rest); p.failed || p.rest != "" {
		return nil, fmt.Errorf("the filter %q is not understood at %q", text, p.rest)
	}
	if p.comparisons > maxComparisons {
		return nil, fmt.Errorf("the filter %q has more than %d comparisons", text, maxComparisons)
	}
	return f, nil
}

// maxComparisons is how many comparisons a filter may have.
const maxComparisons = 15

type parser struct {
	rest        string
	comparisons int
	failed      bool
}

// skip passes over a word, and reports whether it was there.
func (p *parser) skip(word string) bool {
	rest, found := strings.CutPrefix(strings.TrimLeft(p.rest, " "), word)
	if found {
		p.rest = rest
	}
	return found
}

func (p *parser) either() filter {
	f := either{p.all()}
	for p.skip("or ") {
		f = append(f, p.all())
	}
	return f
}

func (p *parser) all() filter {
	f := all{p.one()}
	for p.skip("and ") {
		f = append(f, p.one())
	}
	return f
}

var comparisonText = regexp.MustCompile(`^ *(\w+) (eq|ne|lt|le|gt|ge) '((?:[^']|'')*)'`)

func (p *parser) one() filter {
	if p.skip("(") {
		f := p.either()
		p.failed = p.failed || !p.skip(")")
		return f
	}
	m := comparisonText.FindStringSubmatch(p.rest)
	if m == nil {
		p.failed = true
		return all{}
	}
	p.rest = p.rest[len(m[0]):]
	p.comparisons++
	return comparison{m[1], m[2], strings.ReplaceAll(m[3], "''", "'")}
}
