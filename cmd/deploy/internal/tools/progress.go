package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// message is a line of the program's output for machines.
type message struct {
	Type string `json:"type"`
	Hook struct {
		Resource struct {
			Addr string `json:"addr"`
		} `json:"resource"`
		Action  string  `json:"action"`
		Elapsed float64 `json:"elapsed_seconds"`
	} `json:"hook"`
	Diagnostic struct {
		Severity string `json:"severity"`
		Summary  string `json:"summary"`
		Detail   string `json:"detail"`
		Address  string `json:"address"`
	} `json:"diagnostic"`
}

// hookStates are the states that steps are in after a message.
var hookStates = map[string]string{"apply_start": "Running", "apply_progress": "Running", "apply_complete": "Succeeded", "apply_errored": "Failed"}

// progress reads the program's output line by line.
type progress struct {
	report func(Operation)

	mu   sync.Mutex
	rest []byte
	errs []string
}

// Write takes a piece of the output, which may end within a line.
func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, text...)
	for {
		line, rest, whole := bytes.Cut(p.rest, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		p.line(line)
		p.rest = rest
	}
}

func (p *progress) line(text []byte) {
	var m message
	if json.Unmarshal(text, &m) != nil {
		return
	}
	if state := hookStates[m.Type]; state != "" && p.report != nil {
		p.report(Operation{m.Hook.Resource.Addr, m.Hook.Action, state, int(m.Hook.Elapsed)})
	}
	if m.Type == "diagnostic" && m.Diagnostic.Severity == "error" {
		p.errs = append(p.errs, strings.TrimSpace(strings.Join([]string{m.Diagnostic.Address, m.Diagnostic.Summary, m.Diagnostic.Detail}, " ")))
	}
}

// explain adds what the output said to an error.
func (p *progress) explain(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil || len(p.errs) == 0 {
		return err
	}
	return fmt.Errorf("%w\n  %s", err, strings.Join(p.errs, "\n  "))
}

func withDiagnostics(err error, output []byte) error {
	p := &progress{}
	_, _ = p.Write(append(output, '\n')) // it never fails
	return p.explain(err)
}
