package notify

import (
	"fmt"
	"html/template"
	"strings"
	text "text/template"
	"unicode"
)

// Format is what a text is written in.
type Format string

// The formats.
const (
	Plain Format = "plain" // text messages, plain e-mail, the subject of one
	HTML  Format = "html"
	Slack Format = "slack" // the text of an incoming webhook, without mrkdwn
	Teams Format = "teams" // a text block of an Adaptive Card, which takes Markdown
)

// Clean returns a text without what is not seen or changes how the rest is: control
// characters, marks of direction and other formatting, and what stands for nothing.
// Line ends and tabs become spaces, so that it is one line.
func Clean(value string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Other_Default_Ignorable_Code_Point), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(value, ""))), " ")
}

var (
	slackMarks = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	teamsMarks = markdown("\\`*_{}[]()<>#+-.!|~&:@")
)

// markdown returns what puts a backslash before each of the marks.
func markdown(marks string) *strings.Replacer {
	var pairs []string
	for _, r := range marks {
		pairs = append(pairs, string(r), `\`+string(r))
	}
	return strings.NewReplacer(pairs...)
}

// Escape returns a value as it is written in a text of the format, so that it is
// read as nothing but itself.
func (f Format) Escape(value string) string {
	value = Clean(value)
	switch f {
	case HTML:
		return template.HTMLEscapeString(value)
	case Slack:
		return slackMarks.Replace(value)
	case Teams:
		return teamsMarks.Replace(value)
	}
	return value
}

// Render fills values into a template of package text/template, such as
// "{{.Who}} asks for {{.What}}", escaped for the format. The template is the
// program's own; the values may be anybody's. A value that the template names and
// that is not there is an error.
func Render(f Format, source string, values map[string]string) (string, error) {
	t, err := text.New("message").Option("missingkey=error").Parse(source)
	if err != nil {
		return "", fmt.Errorf("read the template: %w", err)
	}
	escaped := make(map[string]string, len(values))
	for name, value := range values {
		escaped[name] = f.Escape(value)
	}
	var b strings.Builder
	if err := t.Execute(&b, escaped); err != nil {
		return "", fmt.Errorf("fill in the template: %w", err)
	}
	return b.String(), nil
}
