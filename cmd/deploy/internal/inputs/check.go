package inputs

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Problem says what is wrong with the value, or "" when nothing is. A secret isn't repeated.
func (in *Input) Problem() string {
	if in.From != FromEnv && in.From != FromFlag && in.From != FromAsked {
		return ""
	}
	if why := wrong(&in.Parameter.Type, in.Value.Reveal()); why != "" {
		shown := strconv.Quote(in.Value.Reveal())
		if in.Secret {
			shown = "its value, which is not shown,"
		}
		return fmt.Sprintf("%s %s", shown, why)
	}
	return ""
}

// wrong says what is wrong with a value of a type as text.
func wrong(t *template.Type, text string) string {
	if len(t.Allowed) > 0 && !slices.ContainsFunc(t.Allowed, func(v any) bool { return fmt.Sprint(v) == text }) {
		return "is none of " + allowed(t)
	}
	switch t.Base {
	case template.Number:
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "is no number"
		}
	case template.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "is no whole number"
		}
		return outside(t.Min, t.Max, n, "is")
	case template.Bool:
		if text != "true" && text != "false" {
			return "is neither true nor false"
		}
		return ""
	case template.Map, template.Array:
		return wrongJSON(t, text)
	case template.String:
		return wrongText(t, text)
	}
	return ""
}

func wrongText(t *template.Type, text string) string {
	if why := outside(t.MinLength, t.MaxLength, int64(utf8.RuneCountInString(text)), "has a length that is"); why != "" {
		return why
	}
	if t.Pattern == "" {
		return ""
	}
	if re, err := regexp.Compile(t.Pattern); err == nil && !re.MatchString(text) {
		return "doesn't match " + t.Pattern
	}
	return ""
}

func wrongJSON(t *template.Type, text string) string {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return "is no JSON"
	}
	list, isList := value.([]any)
	switch {
	case t.Base == template.Array && !isList:
		return "is no JSON list"
	case isList:
		return outside(t.MinLength, t.MaxLength, int64(len(list)), "has a number of items that is")
	}
	return ""
}

func outside(least, most *int64, n int64, is string) string {
	switch {
	case least != nil && n < *least:
		return fmt.Sprintf("%s less than %d", is, *least)
	case most != nil && n > *most:
		return fmt.Sprintf("%s more than %d", is, *most)
	}
	return ""
}

func allowed(t *template.Type) string {
	var words []string
	for _, v := range t.Allowed {
		words = append(words, fmt.Sprint(v))
	}
	return strings.Join(words, ", ")
}

// Wanted says in a few words what a value may be, such as "whole number from 30 to 600".
func (in *Input) Wanted() string {
	t := in.Parameter.Type
	if len(t.Allowed) > 0 {
		return "one of " + allowed(&t)
	}
	words := map[template.Base]string{template.Int: "whole number", template.Number: "number", template.Bool: "true or false",
		template.Array: "JSON list", template.Map: "JSON object", template.String: "text"}[t.Base]
	if words == "" {
		words = "anything"
	}
	if t.Min != nil && t.Max != nil {
		words += fmt.Sprintf(" from %d to %d", *t.Min, *t.Max)
	}
	switch {
	case t.MinLength != nil && t.MaxLength != nil:
		words += fmt.Sprintf(" of %d to %d", *t.MinLength, *t.MaxLength)
	case t.MinLength != nil:
		words += fmt.Sprintf(" of at least %d", *t.MinLength)
	case t.MaxLength != nil:
		words += fmt.Sprintf(" of at most %d", *t.MaxLength)
	}
	return words
}

// JSON returns the value as the parameter's type has it, for a deployment without a parameter file.
func (in *Input) JSON() (any, error) {
	text := in.Value.Reveal()
	switch in.Parameter.Base {
	case template.Number:
		return strconv.ParseFloat(text, 64)
	case template.Int:
		return strconv.ParseInt(text, 10, 64)
	case template.Bool:
		return strconv.ParseBool(text)
	case template.Map, template.Array:
		var value any
		err := json.Unmarshal([]byte(text), &value)
		return value, err
	}
	return text, nil
}
