package pages

import (
	"encoding/json"
	"html/template"
	"net/url"
	"strings"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
)

// fieldPrefix is what the names of the policy's fields begin with in a form.
const fieldPrefix = "field."

// typed is what somebody filled in.
type typed struct {
	token, verb, to, comment, code string
	fields                         map[string]string
}

// typedIn reads a form. Line ends are those of Unix.
func typedIn(form url.Values) typed {
	text := func(name string) string {
		return strings.TrimSpace(strings.ReplaceAll(form.Get(name), "\r\n", "\n"))
	}
	t := typed{token: tokenIn(text("token")), verb: text("verb"), to: text("to"), comment: text("comment"), code: text("code"), fields: map[string]string{}}
	for name := range form {
		if field, ok := strings.CutPrefix(name, fieldPrefix); ok {
			t.fields[field] = text(name)
		}
	}
	return t
}

// size returns how many bytes are shown again if an answer is refused.
func (t *typed) size() int {
	text := t.to + t.comment
	for _, value := range t.fields {
		text += value
	}
	return len(template.HTMLEscapeString(text)) + len("#43;")*strings.Count(text, "+")
}

// tokenIn returns the token, of which people may have copied more.
func tokenIn(text string) string { return text[strings.LastIndexByte(text, '#')+1:] }

// answer returns what was filled in as an answer. Fields that are for another answer
// than the one that was chosen are left out, as an empty one is.
func (t *typed) answer(p *approval.Policy) (door.Answer, error) {
	a := door.Answer{Verb: approval.Verb(t.verb), To: t.to, Comment: t.comment, Code: t.code}
	if t.verb == "" {
		return a, &approval.Refusal{Reason: approval.BadAnswer, Field: "verb", Text: "choose an answer"}
	}
	if a.Verb != approval.Delegate {
		a.To = ""
	}
	for name, value := range t.fields {
		f := fieldOf(p, name)
		if value == "" || f.When != "" && f.When != a.Verb || a.Verb != approval.Approve && a.Verb != approval.Reject {
			continue
		}
		if a.Fields == nil {
			a.Fields = map[string]json.RawMessage{}
		}
		a.Fields[name] = inJSON(f, value)
	}
	return a, nil
}

// fieldOf returns a field of the policy's form; one without a type if there is none,
// which the policy refuses.
func fieldOf(p *approval.Policy, name string) *approval.Field {
	for i := range p.Form {
		if p.Form[i].Name == name {
			return &p.Form[i]
		}
	}
	return &approval.Field{Name: name}
}

// inJSON writes the value of a field. What is no number, or neither yes nor no, goes
// on as a text, which the policy refuses.
func inJSON(f *approval.Field, value string) json.RawMessage {
	isPlain := f.Type == approval.NumberField && json.Valid([]byte(value)) || f.Type == approval.BooleanField && (value == "true" || value == "false")
	if isPlain {
		return json.RawMessage(value)
	}
	text, _ := json.Marshal(value) // a string has a JSON form
	return text
}
