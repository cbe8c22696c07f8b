package approval

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// checkAnswer returns why an approval or a rejection is not filled in as the
// policy wants it; nil if it is.
func (p *Policy) checkAnswer(d Decision) *Refusal {
	if what := p.checkComment(d); what != "" {
		return badField("comment", "the comment", what)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
		if !slices.ContainsFunc(p.Form, func(f Field) bool { return f.Name == name }) {
			return badField(name, name, "is not asked for")
		}
	}
	for i := range p.Form {
		f := &p.Form[i]
		value, given := d.Fields[f.Name]
		wanted := f.When == "" || f.When == d.Verb
		what := ""
		switch {
		case given && !wanted:
			what = fmt.Sprintf("is asked for only of those who %s", f.When)
		case given:
			what = f.wrong(value)
		case wanted && f.Required:
			what = "is missing"
		}
		if what != "" {
			return badField(f.Name, cmp.Or(f.Label, f.Name), what)
		}
	}
	return nil
}

func badField(name, label, what string) *Refusal {
	return &Refusal{Reason: BadAnswer, Field: name, Text: label + " " + what}
}

func (p *Policy) checkComment(d Decision) string {
	required := p.Comment == CommentRequired || p.Comment == CommentOnReject && d.Verb == Reject
	switch {
	case required && strings.TrimSpace(d.Comment) == "":
		return "is missing: give a reason"
	default:
		return wrongText(d.Comment, MaxText)
	}
}

// wrong says what is wrong with the value of a field; empty if nothing is.
func (f *Field) wrong(value json.RawMessage) string {
	switch f.Type {
	case NumberField:
		return f.wrongNumber(value)
	case BooleanField:
		if v := string(value); v != "true" && v != "false" {
			return "is true or false, nothing else"
		}
		return ""
	}
	var text *string
	if json.Unmarshal(value, &text) != nil || text == nil {
		return "is no text"
	}
	if f.Required && strings.TrimSpace(*text) == "" {
		return "is missing"
	}
	switch f.Type {
	case ChoiceField:
		if !slices.Contains(f.Choices, *text) {
			return "is none of the choices: " + strings.Join(f.Choices, ", ")
		}
	case DateField:
		if _, err := time.Parse(time.DateOnly, *text); err != nil {
			return "is no date: write it as 2026-11-25"
		}
	default:
		return wrongText(*text, cmp.Or(f.MaxLength, MaxText))
	}
	return ""
}

func (f *Field) wrongNumber(value json.RawMessage) string {
	var n *float64
	switch err := json.Unmarshal(value, &n); {
	case err != nil || n == nil:
		return "is no number"
	case f.Min != nil && *n < *f.Min:
		return fmt.Sprintf("is less than %v", *f.Min)
	case f.Max != nil && *n > *f.Max:
		return fmt.Sprintf("is more than %v", *f.Max)
	}
	return ""
}
