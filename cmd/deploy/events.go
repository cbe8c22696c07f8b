package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/change"
)

// eventsVersion is the version of the events that --output json writes. It changes when something is taken away or means
// something else.
const eventsVersion = 1

// event is one line of --output json. Members that a kind of event doesn't have are left away.
type event struct {
	Time    time.Time         `json:"time"`
	Event   string            `json:"event"`             // begin, step, operation, change, check, output, log, note, end
	Version int               `json:"version,omitempty"` // begin: of this format
	Command string            `json:"command,omitempty"` // begin
	Step    string            `json:"step,omitempty"`    // step: check, package, provision, publish, smoke
	State   string            `json:"state,omitempty"`   // step, operation, check: Running, Succeeded, Failed, ok, warning, failed, …
	Type    string            `json:"type,omitempty"`    // operation: of the resource
	Name    string            `json:"name,omitempty"`    // operation, check; log: the time
	Seconds int               `json:"seconds,omitempty"` // operation: how long it took
	Text    string            `json:"text,omitempty"`    // for people
	Fix     string            `json:"fix,omitempty"`     // check: what to do
	Change  *change.Change    `json:"change,omitempty"`
	Outputs map[string]string `json:"outputs,omitempty"` // output
	Exit    *int              `json:"exit,omitempty"`    // end: the exit code
	Error   string            `json:"error,omitempty"`   // end, operation
}

// reporter tells what a command does while it does it: people in lines, programs in events.
type reporter struct {
	w     io.Writer
	json  bool
	color bool
	now   func() time.Time
}

// tell writes an event, for people as text. A reader that went away is not told any more; the work goes on.
func (r *reporter) tell(e event, format string, args ...any) {
	if !r.json {
		fmt.Fprintf(r.w, format, args...)
		return
	}
	e.Time = r.now().UTC().Truncate(time.Millisecond)
	line, err := json.Marshal(e)
	if err != nil {
		return
	}
	_, _ = r.w.Write(append(line, '\n'))
}

func (r *reporter) begin(command string) {
	if r.json {
		r.tell(event{Event: "begin", Version: eventsVersion, Command: command}, "")
	}
}

// end says how a command ended. For people the error is written elsewhere.
func (r *reporter) end(err error) {
	if !r.json {
		return
	}
	code := exitCode(err)
	e := event{Event: "end", Exit: &code}
	if err != nil {
		e.Error = err.Error()
	}
	r.tell(e, "")
}

// step says that one of the steps of a command begins.
func (r *reporter) step(name, text string) {
	r.tell(event{Event: "step", Step: name, State: "Running", Text: text}, "%s: %s\n", name, text)
}

func (r *reporter) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.tell(event{Event: "note", Text: text}, "%s\n", text)
}

// operation says what becomes of a resource.
func (r *reporter) operation(kind, name, state string, took time.Duration, problem string) {
	e := event{Event: "operation", Type: kind, Name: name, State: state, Seconds: int(took.Seconds()), Error: problem}
	if r.json {
		r.tell(e, "")
		return
	}
	sign := map[string]string{"Succeeded": "✓", "done": "✓", "Failed": "✗", "failed": "✗"}[state]
	line := fmt.Sprintf("  %s %s %s", firstOf(sign, "…"), kind, name)
	if sign == "" && state != "Running" {
		line += ": " + state
	}
	if took > 0 {
		line += fmt.Sprintf(" (%s)", took.Round(time.Second))
	}
	if problem != "" {
		line += ": " + problem
	}
	r.tell(e, "%s\n", line)
}

// state says how something is that is there.
func (r *reporter) state(kind, name, state, problem string) {
	line := kind + " " + name
	for _, more := range []string{state, problem} {
		if more != "" {
			line += ": " + more
		}
	}
	r.tell(event{Event: "operation", Type: kind, Name: name, State: state, Error: problem}, "%s\n", line)
}

// changes writes what would change.
func (r *reporter) changes(changes []change.Change) error {
	if !r.json {
		return change.Write(r.w, changes, r.color)
	}
	for i := range changes {
		if changes[i].Action != change.None {
			r.tell(event{Event: "change", Change: &changes[i]}, "")
		}
	}
	r.tell(event{Event: "note", Text: change.Summary(changes)}, "")
	return nil
}

func (r *reporter) outputs(outputs map[string]string) {
	r.tell(event{Event: "output", Outputs: outputs}, "")
	if r.json {
		return
	}
	for _, name := range sortedNames(outputs) {
		fmt.Fprintf(r.w, "  %s = %s\n", name, outputs[name])
	}
}
