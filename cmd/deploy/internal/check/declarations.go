package check

import (
	"regexp"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// What looks like a secret by its name, and what only is about one.
var (
	secretName = regexp.MustCompile(`(?i)(password|passwd|passphrase|pwd$|secret|account_?key|acct_?key|api_?key|access_?key|private_?key|shared_?key|client_?key|master_?key|sas_?token|auth_?token|access_?token|bearer_?token|connection_?string)`)
	aboutOne   = regexp.MustCompile(`(?i)(name|names|id|ids|uri|url|urls|uris|version|versions|permissions?|type|types|path|reference|references|refs?|length|days|count|enabled|disabled|policy|policies|expir\w*|rotation\w*|scope|scopes|location|provider|source|store|vault|vaults|label|format|algorithm|size|complexity|settings?|config\w*|options?|group|role|roles|thumbprint|identity|principal|required|exists|description|template|output|outputs|metadata)$|^(enable|disable|use|is|has|allow|require|create|generate|store|existing|deploy)[A-Z_]`)
)

// isSecretName reports whether a name is that of a secret.
func isSecretName(name string) bool {
	return secretName.MatchString(name) && !aboutOne.MatchString(name)
}

// declarations checks the parameters and outputs of a template.
func (c *checker) declarations(t *template.Template) {
	for _, p := range t.Parameters {
		if p.Secure && p.Default != nil && !isHarmless(p.Default) {
			c.add("secret-has-default", p.Default.Place(), "the secret %s has a default", p.Name).Private = true
		}
		canHold := p.Base == template.String || p.Base == template.Map || p.Base == template.Any && t.Language == template.Terraform
		if canHold && isSecretName(p.Name) && !p.HasSecret() && len(p.Allowed) == 0 && p.Rest == nil && len(p.Fields) == 0 {
			c.add("secret-not-marked", p.At, "%s looks like a secret and is not marked as one", p.Name)
		}
	}
}

// isHarmless reports whether the default of a secret says nothing: it is empty, or made when the template is deployed.
func isHarmless(e template.Expr) bool {
	switch x := e.(type) {
	case *template.Literal:
		return x.Value == nil || x.Value == ""
	case *template.Object:
		return len(x.Members) == 0
	case *template.List:
		return len(x.Items) == 0
	}
	made := false
	template.Walk(e, func(e template.Expr) bool {
		switch e := e.(type) {
		case *template.Call:
			made = made || e.Name == "newGuid"
		case *template.Reference:
			p, ok := e.To.(*template.Parameter)
			made = made || ok && p.Secure
		}
		return !made
	})
	return made
}

// files checks the files that give parameters their values.
func (c *checker) files(t *template.Template) {
	for _, f := range t.Files {
		for _, a := range f.Arguments {
			if a.To == nil {
				continue
			}
			text, literal := template.StringOf(a.Value)
			switch {
			case a.To.Secure && (literal && text != "" || isWritten(a.Value)):
				c.add("secret-in-file", a.At, "the secret %s is in the file %s", a.Name, f.Path).Private = true
			case !a.To.HasSecret() && readsVault(a.Value):
				c.add("secret-to-open-parameter", a.At, "a secret of a vault is given to %s, which is not secure", a.Name)
			}
		}
	}
}

// isWritten reports whether an object or list is written out with something in it.
func isWritten(e template.Expr) bool {
	switch x := e.(type) {
	case *template.Object:
		return len(x.Members) > 0 && !hasCalls(e)
	case *template.List:
		return len(x.Items) > 0 && !hasCalls(e)
	}
	return false
}

func hasCalls(e template.Expr) bool {
	found := false
	template.Walk(e, func(e template.Expr) bool {
		_, call := e.(*template.Call)
		found = found || call
		return !found
	})
	return found
}

func readsVault(e template.Expr) bool {
	call, ok := e.(*template.Call)
	return ok && call.Name == "getSecret"
}

// timeoutName is what time-outs are called.
var timeoutName = regexp.MustCompile(`(?i)(time_?out|lease|deadline|visibility|delay|poll(ing)?_?interval|retry_?interval|dequeue_?count)(s|_?in)?(_?(seconds|minutes|hours|days|ms|milliseconds|sec|min|duration))?$`)

// unbounded checks that the time-outs that a deployment can set have bounds.
func (c *checker) unbounded(t *template.Template) {
	for _, p := range t.Parameters {
		isNumber := p.Base == template.Int || p.Base == template.Number
		if isNumber && timeoutName.MatchString(p.Name) && len(p.Allowed) == 0 && (p.Min == nil || p.Max == nil) {
			c.add("timeout-unbounded", p.At, "the time-out %s has %s", p.Name, missingBound(p))
		}
	}
}

func missingBound(p *template.Parameter) string {
	switch {
	case p.Min == nil && p.Max == nil:
		return "no bounds"
	case p.Min == nil:
		return "no least value"
	}
	return "no greatest value"
}

// line returns the line that a place is in, which is what an acceptance covers.
func line(at source.Span) int { return at.Begin().Line }
