package azuretest

import "slices"

// rows holds a table's rows in the order of their keys.
type rows []*row

// at returns where the row with a key is, or would be.
func (s rows) at(k key) (int, bool) {
	return slices.BinarySearchFunc(s, k, func(e *row, k key) int { return e.key.compare(k) })
}

// get returns the row with a key; nil if there is none.
func (s rows) get(k key) *row {
	if i, ok := s.at(k); ok {
		return s[i]
	}
	return nil
}

// put adds a row in place of the one with its key.
func (s *rows) put(e *row) {
	i, ok := s.at(e.key)
	if ok {
		(*s)[i] = e
		return
	}
	*s = slices.Insert(*s, i, e)
}

// remove takes the row with a key away.
func (s *rows) remove(k key) {
	if i, ok := s.at(k); ok {
		*s = slices.Delete(*s, i, i+1)
	}
}

// find returns so many rows that match, in order, from a key on.
func (s rows) find(f filter, from key, most int) (found []*row) {
	span := spanOf(f)
	if span.from.compare(from) > 0 {
		from = span.from
	}
	i, _ := s.at(from)
	for ; i < len(s) && len(found) < most && !span.isBefore(s[i].key); i++ {
		if f.matches(s[i]) {
			found = append(found, s[i])
		}
	}
	return found
}

// span is where the keys are that a filter may match: from one key on, up to a
// partition, and in that up to a row. What is nil bounds nothing.
type span struct {
	from         key
	partition    *string // the last
	row          *string // the last, if there is but one partition
	onePartition bool
}

// isBefore reports whether the span ends before a key.
func (s span) isBefore(k key) bool {
	if s.partition == nil {
		return false
	}
	if c := compareUnits(*s.partition, k.partition); c != 0 || !s.onePartition || s.row == nil {
		return c < 0
	}
	return compareUnits(*s.row, k.row) < 0
}

// spanOf looks at the comparisons of the keys that all rows must pass which the
// filter matches.
func spanOf(f filter) (s span) {
	must := required(f)
	for _, c := range must {
		if c.column == "PartitionKey" {
			s.boundPartition(c)
		}
	}
	for _, c := range must {
		if c.column == "RowKey" && s.onePartition {
			s.boundRow(c)
		}
	}
	return s
}

// required lists the comparisons that everything passes which the filter matches.
func required(f filter) (must []comparison) {
	switch f := f.(type) {
	case comparison:
		return []comparison{f}
	case either:
		if len(f) == 1 {
			return required(f[0])
		}
	case all:
		for _, one := range f {
			must = append(must, required(one)...)
		}
	}
	return must
}

func (s *span) boundPartition(c comparison) {
	switch c.operator {
	case "eq":
		s.from.partition, s.partition, s.onePartition = c.value, &c.value, true
	case "gt", "ge":
		if !s.onePartition {
			s.from.partition = c.value
		}
	case "lt", "le":
		if !s.onePartition {
			s.partition = &c.value
		}
	}
}

func (s *span) boundRow(c comparison) {
	if c.operator == "eq" || c.operator == "gt" || c.operator == "ge" {
		s.from.row = c.value
	}
	if c.operator == "eq" || c.operator == "lt" || c.operator == "le" {
		s.row = &c.value
	}
}
