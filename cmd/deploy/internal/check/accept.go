package check

import (
	"regexp"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// acceptance is a comment that accepts a finding.
type acceptance struct {
	at     source.Span
	rule   string
	reason string
	line   int
	used   bool
}

var acceptanceForm = regexp.MustCompile(`(?://|#|/\*)[^\n]*?\bdeploy:accept\s+([a-z-]+)(?:[ \t]+because[ \t]+([^\n\r]*))?`)

// Accept marks the findings that a comment in one of the files accepts, and adds findings about comments that don't say
// why, or that accept nothing.
func Accept(findings []*Finding, files []*source.File) []*Finding {
	for _, file := range files {
		for _, a := range acceptances(file) {
			for _, f := range findings {
				if f.At.File == file && f.Rule.ID == a.rule && (line(f.At) == a.line || line(f.At) == a.line+1) && a.reason != "" {
					f.Accepted, a.used = a.reason, true
				}
			}
			switch {
			case a.reason == "":
				findings = append(findings, &Finding{Rule: RuleOf("acceptance-without-reason"), At: a.at, Message: "no reason is given for accepting " + a.rule})
			case !a.used:
				findings = append(findings, &Finding{Rule: RuleOf("acceptance-unused"), At: a.at, Message: "there is no " + a.rule + " here"})
			}
		}
	}
	return Sort(findings)
}

func acceptances(file *source.File) []*acceptance {
	var found []*acceptance
	for _, m := range acceptanceForm.FindAllStringSubmatchIndex(file.Text, -1) {
		a := &acceptance{at: file.At(m[0], m[1]), rule: file.Text[m[2]:m[3]], line: file.Position(m[0]).Line}
		if m[4] >= 0 {
			a.reason = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(file.Text[m[4]:m[5]]), "*/"))
		}
		found = append(found, a)
	}
	return found
}
