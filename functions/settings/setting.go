package settings

import (
	"fmt"
	"strings"
	"unicode"
)

// Kind says how the text of a setting is read.
type Kind string

// The kinds of settings.
const (
	KindDuration Kind = "duration" // Go's syntax: 90s, 5m, 1h30m; read with Values.Duration
	KindInteger  Kind = "integer"  // decimal; read with Values.Int
	KindText     Kind = "text"     // as it stands; read with Values.Text
	KindAddress  Kind = "address"  // host:port; read with Values.Text
	KindFolder   Kind = "folder"   // a path; read with Values.Text
	KindURL      Kind = "url"      // absolute http or https without a trailing slash; read with Values.Text
	KindSecret   Kind = "secret"   // text that is never shown; read with Values.Secret
)

// Setting is one row of the table. All of it is plain data, so that templates can be held against it.
type Setting struct {
	// Name is the setting's name and that of its environment variable.
	Name string
	Kind Kind
	// Secret settings have no flag and are never shown.
	Secret bool
	// Default is what holds when nobody says anything. A setting without one may stay empty.
	Default string
	// Min and Max are inclusive bounds written as values of the kind, or empty. For a secret, Min is the least number of
	// bytes that its base64 has to stand for.
	Min, Max string
	// OneOf lists the only values allowed, or is empty.
	OneOf []string
	// Pattern is a regular expression which a value has to match as a whole, or empty.
	Pattern string
	// Example is a good value, or for a secret where to get one.
	Example string
	// Meaning is a short line for people, with the unit where there is one.
	Meaning string
}

// Flag returns the name of the setting's command-line flag without the dash, or "" for a secret, which has none.
func (s Setting) Flag() string {
	switch {
	case s.Secret:
		return ""
	case s.Name == Address:
		return "addr"
	case s.Name == DataFolder:
		return "data"
	}
	return kebab(s.Name)
}

// Bounds returns what a value is held to in a few characters, such as "30s to 10m", or "" when only the kind counts.
func (s Setting) Bounds() string {
	switch {
	case len(s.OneOf) > 0:
		return strings.Join(s.OneOf, "|")
	case s.Kind == KindSecret && s.Min != "":
		return s.Min + " bytes or more"
	case s.Min != "" && s.Max != "":
		return s.Min + " to " + s.Max
	}
	return ""
}

// wanted tells somebody with a bad value what a good one looks like.
func (s Setting) wanted() string {
	what := "wants a value of kind " + string(s.Kind)
	if b := s.Bounds(); b != "" {
		what += ", " + b
	}
	return what + "; for example " + s.Example
}

// problem is the error of one bad value. It shows the value unless that is, or may hold, a secret.
func (s Setting) problem(value string, from Source, why string) error {
	return fmt.Errorf("%s%s from the %s %s; it %s", s.Name, s.shown(value), s.place(from), why, s.wanted())
}

func (s Setting) shown(value string) string {
	const longest = 80
	switch {
	case s.Secret, s.Kind == KindURL && strings.Contains(value, "@"):
		return " (value not shown)"
	case len(value) > longest:
		return fmt.Sprintf(" %q…", value[:longest])
	}
	return fmt.Sprintf(" %q", value)
}

func (s Setting) place(from Source) string {
	switch from {
	case FromFlag:
		return "flag -" + s.Flag()
	case FromEnv:
		return "environment"
	}
	return "table of defaults"
}

// kebab turns SmsVerifyTimeout into sms-verify-timeout, two underscores into a dash, and OTEL_SERVICE_NAME into
// otel-service-name.
func kebab(name string) string {
	if name == strings.ToUpper(name) {
		return strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	}
	var b strings.Builder
	for i, r := range strings.ReplaceAll(name, "__", "-") {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
