package engine

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// Decision is what a turn wants written down. It counts only once it is
// durable.
type Decision struct {
	// Events are the rows to append to the history, in order; none when the
	// turn had nothing to do.
	Events []history.Event
	// Status is where the instance stands after the turn.
	Status history.Status
	// Output is the result of an instance that has ended: JSON, or null.
	Output json.RawMessage
	// Failure tells why an instance failed.
	Failure *history.Failure
	// CustomStatus is the JSON that the orchestration set last.
	CustomStatus json.RawMessage
	// External is what the execution has to do with external events after the
	// turn.
	External history.External
	// HalfFull says that the turn took the history over half of one of its bounds.
	HalfFull bool
	// Begun is the start of the execution that Events belong to, if the one
	// before it continued as new in this turn; else nil. Events are then its
	// whole history.
	Begun *history.Event
	// Spans are what came to its end in the turn, in that order; none if the
	// execution is not traced. Those of executions that began and ended within the
	// turn are among them.
	Spans []Span
}

// Turn gives the messages to the orchestration together with the timers that
// are due at now, lets it run until it waits or ends, and returns what is to be
// written down. Messages that are recorded already, belong to another execution
// or answer nothing that is waited for are dropped. A message accepted before a
// timer's due time goes before it, and one accepted after it goes behind,
// however late the turn is. The error wraps ErrUnknownName when the
// orchestration is not registered; an execution of it can only be terminated.
//
// An execution that continues as new is followed by the next in the same turn,
// unless it has something to send. Then the turn ends with the status
// ContinuedAsNew, and when that is durable and what there was to send is sent,
// the next turn begins the next execution.
func (x *Execution) Turn(now time.Time, messages []history.Event) (Decision, error) {
	clear(x.verdicts)
	d, err := x.advance(now, messages)
	d.Spans, x.spans = x.spans, nil
	return d, err
}

// advance makes a turn, and those of the executions that follow at once.
func (x *Execution) advance(now time.Time, messages []history.Event) (Decision, error) {
	if x.continues() {
		return x.follow(now, messages)
	}
	d, err := x.turn(now, messages)
	if err != nil || !x.continues() || len(x.Sends(d.Events)) > 0 {
		return d, err
	}
	return x.follow(now, nil)
}

// turn makes one turn of one execution.
func (x *Execution) turn(now time.Time, messages []history.Event) (Decision, error) {
	fresh := x.admit(messages, x.due(now.UTC().Round(0)))
	if len(fresh) == 0 && !x.hasDiverged() && !x.refused {
		return x.decision(nil), nil
	}
	started := history.Event{Kind: history.OrchestratorStarted, ID: history.Outside, Time: x.turnTime(now, fresh)}
	x.now = started.Time
	x.turns++
	x.actions = nil
	wasHalfFull := x.isHalfFull()
	x.count(&started)
	for i := range fresh {
		if fresh[i].Kind == history.ExecutionRewound {
			x.rewind(&fresh[i])
		}
		x.take(&fresh[i])
	}
	x.judge(fresh)
	if x.missing != nil && !x.ended {
		return Decision{}, x.missing
	}
	if !x.ended && x.bulk.isOver(x.mostHistory()) {
		x.fill(x.bulk)
	}
	events := make([]history.Event, 0, len(fresh)+len(x.actions)+2)
	events = append(events, started)
	events = append(events, fresh...)
	events = append(events, x.actions...)
	switch {
	case x.continues():
		events = append(events, x.bequeath())
	case x.ended:
		events = append(events, x.completion())
	}
	if x.ended {
		x.spannedRun()
	}
	d := x.decision(events)
	d.HalfFull = !wasHalfFull && x.isHalfFull()
	return d, nil
}

func (x *Execution) decision(events []history.Event) Decision {
	return Decision{Events: events, Status: x.Status(), Output: x.output, Failure: x.failure, CustomStatus: x.customStatus, External: x.external()}
}

// judge writes into the events of a turn what became of them.
func (x *Execution) judge(events []history.Event) {
	for i := range events {
		v, ok := x.verdicts[events[i].Message]
		if ok && v.Outcome != history.Taken && v.Outcome != history.Kept {
			events[i].Verdict = &v
		}
	}
}

func (x *Execution) completion() history.Event {
	return history.Event{
		Kind: history.ExecutionCompleted, ID: x.nextID, Time: x.now,
		Status: x.status, Result: x.output, Failure: x.failure,
	}
}

// turnTime is now, but never before the previous turn or a timer that fires:
// the clocks of two workers may differ.
func (x *Execution) turnTime(now time.Time, fresh []history.Event) time.Time {
	at := now.UTC().Round(0)
	if at.Before(x.now) {
		at = x.now
	}
	for _, e := range fresh {
		if e.Kind == history.TimerFired && at.Before(e.FireAt) {
			at = e.FireAt
		}
	}
	return at
}

// due returns a TimerFired event for every timer whose time has come, in the
// order of their times.
func (x *Execution) due(now time.Time) []history.Event {
	if x.ended {
		return nil
	}
	var fired []history.Event
	if x.later != nil && !x.later.FireAt.After(now) && !x.settled[history.Outside] {
		fired = append(fired, history.Event{Kind: history.TimerFired, ID: history.Outside, Time: now, TaskID: history.Outside, FireAt: x.later.FireAt})
	}
	for _, id := range sortedKeys(x.timers) {
		t := x.timers[id]
		if t.at.After(now) || x.settled[id] {
			continue
		}
		fired = append(fired, history.Event{Kind: history.TimerFired, ID: history.Outside, Time: now, TaskID: t.id, FireAt: t.at})
	}
	slices.SortStableFunc(fired, func(a, b history.Event) int { return a.FireAt.Compare(b.FireAt) })
	return fired
}

// admit returns the messages that this execution has a use for with the timers
// that fell due put between them. A rewinding comes first, whenever it was accepted:
// timers of the turn that was taken back fire again behind it, as what the code then
// asks for goes by the rewinding's id.
func (x *Execution) admit(messages, timers []history.Event) []history.Event {
	if x.ended {
		return nil
	}
	fresh := make([]history.Event, 0, len(messages)+len(timers))
	same := batch{messages: map[string]bool{}, results: map[int32]bool{}}
	parent := x.parent
	for _, m := range messages {
		if !x.wants(m, parent) || same.has(m) {
			continue
		}
		if m.Kind == history.ExecutionStarted {
			parent = m.Parent // what follows may be for the one that begins
		}
		for m.Kind != history.ExecutionRewound && len(timers) > 0 && timers[0].FireAt.Before(m.Time) {
			fresh = append(fresh, timers[0])
			timers = timers[1:]
		}
		fresh = append(fresh, m)
	}
	return append(fresh, timers...)
}

// batch knows what one turn's messages have brought so far.
type batch struct {
	messages map[string]bool
	results  map[int32]bool
}

// has reports whether the batch had the same message, or another result for the
// same call, and takes note of this one.
func (b *batch) has(m history.Event) bool {
	before := m.Message != "" && b.messages[m.Message] || isResult(m.Kind) && b.results[m.TaskID]
	b.messages[m.Message] = true
	if isResult(m.Kind) {
		b.results[m.TaskID] = true
	}
	return before
}

func isResult(k history.Kind) bool {
	return k == history.TaskCompleted || k == history.TaskFailed || isChildResult(k)
}

func isChildResult(k history.Kind) bool {
	return k == history.SubOrchestrationInstanceCompleted || k == history.SubOrchestrationInstanceFailed
}

// wants reports whether a message has anything to say to this execution, which
// serves a call of parent.
func (x *Execution) wants(m history.Event, parent *history.Parent) bool {
	if x.saw(m.Message) {
		return false
	}
	switch m.Kind {
	case history.ExecutionStarted:
		return x.execution == ""
	case history.ExecutionRewound:
		return x.execution == "" || m.Execution == x.runID // another one is for an execution that failed
	case history.TaskCompleted, history.TaskFailed, history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		return x.waitsFor(m)
	case history.ExecutionTerminated:
		return m.Parent == nil || parent != nil && *m.Parent == *parent
	case history.ExecutionSuspended, history.ExecutionResumed, history.EventRaised:
		return true
	default:
		return false
	}
}

// waitsFor reports whether a result answers a call of this execution.
func (x *Execution) waitsFor(result history.Event) bool {
	c, waits := x.calls[result.TaskID]
	if !waits || x.settled[result.TaskID] {
		return false
	}
	of, isChild := x.runID, c.scheduled.Kind == history.SubOrchestrationInstanceCreated
	if isChild {
		of = c.lineage
	}
	return isChild == isChildResult(result.Kind) && (result.Execution == "" || result.Execution == of)
}
