package check

import (
	"regexp"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// written are the forms of secrets that give themselves away, with what they are.
var written = []struct {
	form *regexp.Regexp
	what string
}{
	{regexp.MustCompile(`-----BEGIN ([A-Z]+ )*PRIVATE KEY-----`), "a private key"},
	{regexp.MustCompile(`(?i)(AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}`), "a connection string with its key"},
	{regexp.MustCompile(`^[A-Za-z0-9+/]{86}==$`), "the key of a storage account"},
	{regexp.MustCompile(`(?i)[?&]sig=[A-Za-z0-9%/+]{30,}`), "a shared access signature"},
	{regexp.MustCompile(`\bSK[0-9a-f]{32}\b`), "a Twilio API key"},
	{regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36,}\b`), "a GitHub token"},
	{regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`), "an AWS access key"},
	{regexp.MustCompile(`\bxox[baprs]-[0-9A-Za-z-]{20,}`), "a Slack token"},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`), "a signed token"},
	{regexp.MustCompile(`(?i)(^|;)\s*(password|pwd)\s*=\s*[^;'"{}$\s]{6,}(;|$)`), "a connection string with its password"},
	{regexp.MustCompile(`://[^/\s:@'"]+:[^/\s:@'"{}$]{6,}@`), "a URL with a password"},
}

// texts finds secrets that are written out: by their form, or because what is called a secret is given a text.
func (c *checker) texts(t *template.Template) {
	t.Walk(func(e template.Expr) bool {
		switch e := e.(type) {
		case *template.Literal:
			c.form(e)
		case *template.Object:
			for _, m := range e.Members {
				c.named(m.Name, m.Value)
			}
		}
		return true
	})
	for _, v := range t.Variables {
		c.named(v.Name, v.Value)
	}
}

func (c *checker) form(l *template.Literal) {
	text, _ := l.Value.(string)
	for _, w := range written {
		if w.form.MatchString(text) {
			c.add("secret-in-text", l.Place(), "%s is written out", w.what).Private = true
			return
		}
	}
}

// named checks the value of something that is called a secret.
func (c *checker) named(name string, value template.Expr) {
	text, ok := template.StringOf(value)
	if !ok || !isSecretName(name) || isReference(text) {
		return
	}
	c.add("secret-in-text", value.Place(), "%s is written out", name).Private = true
}

// isReference reports whether a text is no secret, but says where one is, or stands for one, or is too short or wordy.
func isReference(text string) bool {
	lower := strings.ToLower(text)
	switch {
	case len(text) < 6, strings.ContainsAny(text, " \n"), strings.HasPrefix(text, "@Microsoft."), strings.HasPrefix(lower, "http"):
		return true
	case strings.Contains(text, "/"), strings.HasPrefix(text, "<"), strings.HasPrefix(text, "$("), strings.HasPrefix(text, "[["):
		return true
	}
	return placeholder.MatchString(lower) || words.MatchString(text) || guid.MatchString(lower)
}

var (
	placeholder = regexp.MustCompile(`^(x+|\*+|\.+|none|null|true|false|disabled|enabled|default|string|securestring|example.*|dummy.*|fake.*|test|placeholder.*|replace.*|your.*|todo.*|changeme.*|redacted.*)$`)
	guid        = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	// A name made of words, as secrets in a vault are called: my-secret-name, or apiKey.
	words = regexp.MustCompile(`^([a-z]+([-_.][a-z0-9]+)+|[a-z]+([A-Z][a-z]+)*|([A-Z][a-z]+)+|[A-Z]+(_[A-Z0-9]+)*)$`)
)
