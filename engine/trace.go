package engine

import (
	"slices"
	"strconv"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// Span is a stretch of an execution that came to its end in a turn, for a
// distributed trace: a call, a timer that fired, a message to another instance,
// or the execution itself. It counts once the turn is durable, and no other turn
// of any worker has it: its place follows from the ids of the execution, so what
// was below it knew it before it ended.
type Span struct {
	Instance      string
	Execution     string // the run
	Orchestration string // its name
	// Asked is what began it: the event of the action, or the ExecutionStarted
	// of the execution itself.
	Asked history.Event
	// Began and Ended are when, UTC. They are the same for a message.
	Began, Ended time.Time
	// Status is how it ended: Completed, Failed, or how the execution did;
	// Canceled for a call whose result nobody waits for any more.
	Status history.Status
	// Failure tells why it failed; nil if it did not.
	Failure *history.Failure
	// Under is the place it stands in, Here the place below it.
	Under, Here *history.Trace
	// Heard are the events that the execution got which were traced: the
	// places below what raised them. Only the span of an execution has them.
	Heard []*history.Trace
}

// maxHeard is how many events a span knows of.
const maxHeard = 100

// tracing is what an execution knows for its trace.
type tracing struct {
	started time.Time // when the run was accepted
	since   time.Time // when its code began to run
	heard   []*history.Trace
	spans   []Span // that ended in this turn
}

// here returns the place below the run.
func (s *sender) here() *history.Trace { return s.place("run") }

// placeOf returns the place below one of the run's actions.
func (s *sender) placeOf(action int32) *history.Trace { return s.place(strconv.Itoa(int(action))) }

// place returns the place below a span of the run; nil if it is not traced. A
// rewinding makes another run, whose spans are others.
func (s *sender) place(of string) *history.Trace {
	if s.trace == nil {
		return nil
	}
	return s.trace.At(derive(s.instance, s.runID, "span", of)[16:])
}

// TraceOf returns the place in a trace in which an activity runs that was asked
// for; nil if the execution is not traced.
func (x *Execution) TraceOf(scheduled *history.Event) *history.Trace { return x.placeOf(scheduled.ID) }

// traced reports whether what happens belongs into a trace, and is not there yet.
func (x *Execution) traced() bool { return x.trace != nil && !x.replaying && !x.leaving }

// hear takes note of where an event came from.
func (x *Execution) hear(e *history.Event) {
	if x.trace != nil && e.Trace != nil && len(x.heard) < maxHeard {
		x.heard = append(x.heard, e.Trace)
	}
}

// spanned takes note that what an action began has ended.
func (x *Execution) spanned(action history.Event, at time.Time, status history.Status, failure *history.Failure) {
	if !x.traced() {
		return
	}
	s := x.span(action, at, status, failure)
	s.Under, s.Here = x.here(), x.placeOf(action.ID)
	x.spans = append(x.spans, s)
}

// span returns a span without its place. It lies within that of the run, though
// a rewinding may have come between, and the clocks of those who tell the times may
// differ.
func (x *Execution) span(asked history.Event, at time.Time, status history.Status, failure *history.Failure) Span {
	began := latest(asked.Time, x.since)
	return Span{
		Instance: x.instance, Execution: x.runID, Orchestration: x.name,
		Asked: asked, Began: began, Ended: latest(at, began), Status: status, Failure: failure,
	}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// spannedMessage takes note of an action that only sends something.
func (x *Execution) spannedMessage(action history.Event) {
	if action.Kind == history.EventSent || action.Kind == history.SubOrchestrationInstanceCreated && action.Detached {
		x.spanned(action, action.Time, history.Completed, nil)
	}
}

// spannedRun takes note that the run has ended, and with it its calls.
func (x *Execution) spannedRun() {
	if !x.traced() {
		return
	}
	for _, id := range sortedKeys(x.calls) {
		x.spanned(x.calls[id].scheduled, x.now, history.Canceled, nil)
	}
	start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Time: x.started, Name: x.name, Execution: x.runID, Version: x.sender.version}
	s := x.span(start, x.now, x.status, x.failure)
	s.Under, s.Here, s.Heard = x.trace, x.here(), slices.Clip(x.heard)
	x.spans = append(x.spans, s)
}
