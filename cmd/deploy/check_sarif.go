package main

import (
	"encoding/json"
	"io"
	"path/filepath"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

// The parts of SARIF 2.1.0 that findings need.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		FullDescription  sarifText `json:"fullDescription"`
		Help             sarifText `json:"help"`
		Default          sarifConf `json:"defaultConfiguration"`
	}
	sarifConf struct {
		Level check.Severity `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		Level        check.Severity     `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		CodeFlows    []sarifCodeFlow    `json:"codeFlows,omitempty"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifCodeFlow struct {
		ThreadFlows []sarifThreadFlow `json:"threadFlows"`
	}
	sarifThreadFlow struct {
		Locations []sarifStep `json:"locations"`
	}
	sarifStep struct {
		Location sarifLocation `json:"location"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

// writeSARIF writes findings in the form that code scanning takes.
func writeSARIF(w io.Writer, findings []*check.Finding) error {
	driver := sarifDriver{Name: "holdfast deploy check"}
	for _, r := range check.Rules() {
		driver.Rules = append(driver.Rules, sarifRule{
			ID: r.ID, ShortDescription: sarifText{r.Title}, FullDescription: sarifText{r.Why}, Help: sarifText{r.Fix}, Default: sarifConf{r.Severity},
		})
	}
	results := []sarifResult{}
	for _, f := range findings {
		results = append(results, sarifResultOf(f))
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: results}},
	})
}

func sarifResultOf(f *check.Finding) sarifResult {
	out := sarifResult{
		RuleID: f.Rule.ID, Level: f.Rule.Severity, Message: sarifText{f.Message + ". " + f.Rule.Fix}, Locations: []sarifLocation{sarifPlace(f.At, "")},
	}
	if f.Accepted != "" {
		out.Suppressions = []sarifSuppression{{Kind: "inSource", Justification: f.Accepted}}
	}
	if len(f.Way) > 0 {
		var steps []sarifStep
		for _, s := range f.Way {
			steps = append(steps, sarifStep{sarifPlace(s.At, s.What)})
		}
		steps = append(steps, sarifStep{sarifPlace(f.At, f.Message)})
		out.CodeFlows = []sarifCodeFlow{{[]sarifThreadFlow{{steps}}}}
	}
	return out
}

func sarifPlace(at source.Span, message string) sarifLocation {
	if at.File == nil {
		return sarifLocation{}
	}
	begin, end := at.Begin(), at.File.Position(at.End)
	l := sarifLocation{Physical: sarifPhysical{
		Artifact: sarifArtifact{filepath.ToSlash(at.File.Name)},
		Region:   sarifRegion{begin.Line, begin.Column, end.Line, end.Column},
	}}
	if message != "" {
		l.Message = &sarifText{message}
	}
	return l
}
