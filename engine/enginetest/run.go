package enginetest

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// DefaultID is the id of an instance that is begun by Run.
const DefaultID = "test"

// Run runs the orchestration to its end and returns its result, or how it
// failed, as one who called it as a sub-orchestration would see it: a
// *engine.TaskError. The clock jumps to whatever happens next. Run ends the test
// when nothing happens any more and the orchestration still waits.
func Run[In, Out any](e *Env, name engine.Orchestrator[In, Out], input In) (Out, error) {
	e.Helper()
	return Start(e, DefaultID, name, input).Result()
}

// Instance is an orchestration that a test began or found.
type Instance[Out any] struct{ *instance }

// Start begins an instance, which makes its first turn. The clock stands.
func Start[In, Out any](e *Env, id string, name engine.Orchestrator[In, Out], input In) *Instance[Out] {
	e.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		e.Fatalf("write the input of %q: %v", name, err)
	}
	start := e.message(history.Event{
		Kind: history.ExecutionStarted, Name: string(name), Execution: fmt.Sprintf("execution-of-%s", id), Input: text, Secret: e.registry.SecretEvents(string(name)), Version: e.Version,
	})
	if i, ok := e.byID[id]; ok && !i.status.IsTerminal() {
		e.Fatalf("instance %s has not ended", id)
	}
	i := e.begin(id, start)
	e.settle()
	return &Instance[Out]{i}
}

// Find returns the instance with the id, which others may have begun. Its result
// is JSON.
func Find(e *Env, id string) *Instance[json.RawMessage] {
	e.Helper()
	i, ok := e.byID[id]
	if !ok {
		e.Fatalf("there is no instance %s", id)
	}
	return &Instance[json.RawMessage]{i}
}

// Result moves the clock until the instance has ended and returns its result, or
// how it failed.
func (i *Instance[Out]) Result() (Out, error) {
	i.env.Helper()
	i.env.runUntil(i.instance)
	var none Out
	switch {
	case i.status == history.Completed:
		return read[Out](i.env, "the result of "+i.start.Name, i.output), nil
	case i.failure != nil:
		return none, &engine.TaskError{Name: i.start.Name, Instance: i.id, Attempts: 1, Failure: *i.failure}
	default:
		reason := read[string](i.env, "the reason of the termination", i.output)
		return none, &engine.TaskError{Name: i.start.Name, Instance: i.id, Attempts: 1, Failure: history.Failure{Kind: engine.KindTerminated, Message: reason}}
	}
}

// Status returns where the instance stands.
func (i *Instance[Out]) Status() history.Status { return i.status }

// CustomStatus reads what the orchestration set last into v.
func (i *Instance[Out]) CustomStatus(v any) {
	i.env.Helper()
	text := i.customStatus
	if len(text) == 0 {
		text = json.RawMessage("null")
	}
	if err := json.Unmarshal(text, v); err != nil {
		i.env.Fatalf("read the custom status of %s: %v", i, err)
	}
}

// WaitingFor returns the names of the events that the instance waits for, in
// order.
func (i *Instance[Out]) WaitingFor() []string {
	return i.alive().WaitingFor()
}

// History returns the history of the present execution.
func (i *Instance[Out]) History() []history.Event { return i.past }

// Save writes the history into a file, for [Replay].
func (i *Instance[Out]) Save(file string) {
	i.env.Helper()
	f, err := os.Create(file)
	if err == nil {
		err = history.Saved{Instance: i.id, Events: i.past}.Write(f)
	}
	if err != nil {
		i.env.Fatal(err)
	}
	if err := f.Close(); err != nil {
		i.env.Fatal(err)
	}
}

// Raise raises an event so much later than now, for the instance that the test
// began first. It is lost if that has ended by then.
func Raise[T any](e *Env, after time.Duration, name engine.Event[T], payload T) {
	e.Helper()
	RaiseTo(e, "", after, name, payload)
}

// RaiseTo raises an event for the instance with the id so much later than now.
func RaiseTo[T any](e *Env, id string, after time.Duration, name engine.Event[T], payload T) {
	e.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		e.Fatalf("write the payload of event %q: %v", name, err)
	}
	e.act(id, after, history.Event{Kind: history.EventRaised, Name: string(name), Input: text})
}

// Terminate ends the instance that the test began first, so much later than now.
// The termination does not go on to its sub-orchestrations.
func (e *Env) Terminate(after time.Duration, reason string) {
	e.act("", after, history.Event{Kind: history.ExecutionTerminated, Reason: reason})
}

// Suspend lets the instance that the test began first rest, so much later than
// now.
func (e *Env) Suspend(after time.Duration) {
	e.act("", after, history.Event{Kind: history.ExecutionSuspended})
}

// Resume lets the instance that the test began first go on, so much later than
// now.
func (e *Env) Resume(after time.Duration) {
	e.act("", after, history.Event{Kind: history.ExecutionResumed})
}

// act sends a message to an instance so much later than now; to the first, if the
// id is empty.
func (e *Env) act(id string, after time.Duration, m history.Event) {
	e.At(after, func() {
		i, ok := e.byID[id]
		if id == "" && len(e.order) > 0 {
			i, ok = e.order[0], true
		}
		if !ok {
			e.Fatalf("%s for an instance that was not begun", m)
		}
		i.receive(e.message(m))
	})
}
