package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// writeFindings writes findings for people: the place, the line, where a secret came from, why it matters and what to do.
func writeFindings(w io.Writer, findings []*check.Finding) error {
	var b strings.Builder
	explained := map[string]bool{}
	for _, f := range findings {
		if f.Accepted != "" {
			continue
		}
		fmt.Fprintf(&b, "%s: %s: %s (%s)\n", f.At, f.Rule.Severity, f.Message, f.Rule.ID)
		if !f.Private {
			b.WriteString(f.At.Excerpt())
		}
		for i, step := range f.Way {
			word := "from"
			if i > 0 {
				word = "by way of"
			}
			fmt.Fprintf(&b, "  %s %s, %s\n", word, step.What, step.At)
		}
		if !explained[f.Rule.ID] {
			fmt.Fprintf(&b, "  %s\n  %s\n", f.Rule.Why, f.Rule.Fix)
			explained[f.Rule.ID] = true
		}
		b.WriteString("\n")
	}
	accepted := len(findings) - open(findings)
	if accepted > 0 {
		fmt.Fprintf(&b, "%s accepted by comments\n", count(accepted, "finding"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeRules lists what is looked for.
func writeRules(w io.Writer) error {
	var b strings.Builder
	for _, r := range check.Rules() {
		fmt.Fprintf(&b, "%s (%s): %s\n  %s\n  %s\n", r.ID, r.Severity, r.Title, r.Why, r.Fix)
		if len(r.Like) > 0 {
			fmt.Fprintf(&b, "  like %s\n", strings.Join(r.Like, ", "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// findingJSON is a finding as JSON.
type findingJSON struct {
	Rule     string         `json:"rule"`
	Severity check.Severity `json:"severity"`
	At       source.Span    `json:"at"`
	Message  string         `json:"message"`
	Why      string         `json:"why"`
	Fix      string         `json:"fix"`
	Way      []stepJSON     `json:"way,omitempty"`
	Accepted string         `json:"accepted,omitempty"`
}

type stepJSON struct {
	At   source.Span `json:"at"`
	What string      `json:"what"`
}

func writeFindingsJSON(w io.Writer, findings []*check.Finding) error {
	out := []findingJSON{}
	for _, f := range findings {
		j := findingJSON{f.Rule.ID, f.Rule.Severity, f.At, f.Message, f.Rule.Why, f.Rule.Fix, nil, f.Accepted}
		for _, s := range f.Way {
			j.Way = append(j.Way, stepJSON{s.At, s.What})
		}
		out = append(out, j)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Version  int           `json:"version"`
		Findings []findingJSON `json:"findings"`
	}{1, out})
}
