package engine

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

const (
	// maxIdle is how many executions of an instance may follow each other
	// without having waited for anything.
	maxIdle = 1000
	// maxSeen is how many messages an execution knows of those before it.
	maxSeen = 50
)

// ContinueOption changes how an orchestration continues as new: [DropEvents], or
// a [Version].
type ContinueOption interface{ setContinue(*succession) }

// DropEvents leaves behind the external events that nobody has waited for so
// far. Without it the next execution gets them.
func DropEvents() ContinueOption { return dropEvents{} }

type dropEvents struct{}

func (dropEvents) setContinue(s *succession) { s.drop = true }

// ContinueAsNew lets the orchestration begin again from the top, with an empty
// history and a new input, when its function returns. What it returns then is
// ignored, unless it is an error, which fails the instance; so the usual form is
//
//	return result, ctx.ContinueAsNew(next)
//
// Of several calls the last one counts. The instance keeps its id, its parent,
// its secret events, its custom status, its version and its tags; its time of creation and its
// execution are new. Timers and activities of the old execution are forgotten,
// and sub-orchestrations go on unheard. External events that nobody took go over
// to the new execution in the order in which they came. The error is that of an
// input that is no JSON. An orchestration that continues as new a thousand times
// in a row without waiting for anything fails, with [KindNeverWaits].
func (c *Context) ContinueAsNew(input any, options ...ContinueOption) error {
	text, err := encode(input)
	if err != nil {
		return fmt.Errorf("continue as new: %w", err)
	}
	s := &c.x.succession
	s.again, s.input, s.drop, s.version = true, text, false, ""
	for _, option := range options {
		option.setContinue(s)
	}
	return nil
}

// succession is how one execution follows another.
type succession struct {
	again   bool // the function called ContinueAsNew
	input   json.RawMessage
	drop    bool
	version Version // of the next execution; empty for the same

	idle    int  // executions before this one that waited for nothing
	took    bool // this one took an event
	arrived int  // events that had to be kept so far
	late    []history.Event
	heirs   []history.Event // the start of the next execution, and what it is given
}

// keptEvent is an event that nobody has waited for so far.
type keptEvent struct {
	history.Event
	arrival int
}

// continues reports whether the execution ended in favour of another.
func (x *Execution) continues() bool { return x.ended && x.status == history.ContinuedAsNew }

// succeed takes over what an earlier execution left.
func (x *Execution) succeed(c *history.Carried) {
	if c == nil {
		return
	}
	x.customStatus, x.idle = c.CustomStatus, c.Idle
	for _, id := range c.Seen {
		x.see(id)
	}
}

// leave keeps for the next execution what came after the end of this one.
func (x *Execution) leave(e history.Event) {
	switch e.Kind {
	case history.EventRaised, history.ExecutionSuspended, history.ExecutionResumed, history.ExecutionTerminated:
		x.late = append(x.late, e)
	}
}

// bequeath ends the execution in favour of the next one and returns the event
// that says so; or that it failed, as it has gone on like this for too long.
func (x *Execution) bequeath() history.Event {
	carried := history.Carried{CustomStatus: x.customStatus, Actions: x.before + uint32(x.nextID) + 1, Version: string(x.succession.version)}
	if x.turns == 1 && !x.took {
		carried.Idle = x.idle + 1
	}
	if carried.Idle > maxIdle {
		x.status, x.output = history.Failed, nil
		x.failure = &history.Failure{
			Kind:    KindNeverWaits,
			Message: fmt.Sprintf("the orchestration continued as new %d times in a row and never waited for anything", maxIdle),
		}
		return x.completion()
	}
	left := x.left()
	for _, e := range left {
		carried.Events = append(carried.Events, e.Message)
	}
	carried.Seen = x.lastSeen(carried.Events)
	end := history.Event{Kind: history.ContinueAsNew, ID: x.nextID, Time: x.now, Status: x.status, Result: x.output, Carried: &carried}
	x.heirs = append([]history.Event{x.nextStart(end)}, left...)
	return end
}

// left returns the messages that the next execution is given, in order.
func (x *Execution) left() []history.Event {
	var kept []keptEvent
	for _, events := range x.kept {
		if !x.drop {
			kept = append(kept, events...)
		}
	}
	slices.SortFunc(kept, func(a, b keptEvent) int { return cmp.Compare(a.arrival, b.arrival) })
	events := make([]history.Event, 0, len(kept)+len(x.late))
	for _, k := range kept {
		events = append(events, k.Event)
	}
	return append(events, x.late...)
}

// lastSeen returns the ids of the latest messages, without those that the next
// execution is given.
func (x *Execution) lastSeen(given []string) []string {
	known := maps.Clone(x.seen)
	for _, id := range given {
		delete(known, id)
	}
	seen := slices.Collect(maps.Keys(known))
	slices.SortFunc(seen, func(a, b string) int { return cmp.Compare(x.seen[a], x.seen[b]) })
	return seen[max(0, len(seen)-maxSeen):]
}

// nextStart returns the start of the execution that follows the one with this
// end.
func (x *Execution) nextStart(end history.Event) history.Event {
	carried := *end.Carried
	carried.Events, carried.Version = nil, ""
	secret := slices.Sorted(slices.Values(slices.Concat(x.secret, x.registry.SecretEvents(x.name))))
	return history.Event{
		Kind: history.ExecutionStarted, ID: history.Outside, Time: end.Time,
		Message: derive(x.instance, x.execution, "start of the next"), Execution: derive(x.instance, x.execution, "next"),
		Name: x.name, Input: end.Result, Secret: slices.Compact(secret), Parent: x.parent, Carried: &carried,
		Version: cmp.Or(end.Carried.Version, x.sender.version), Tags: x.tags, Trace: x.trace,
	}
}

// inherit brings back an execution that ended in favour of the next, from its
// history alone.
func (x *Execution) inherit(past []history.Event) {
	messages := map[string]history.Event{}
	for _, e := range past {
		x.note(&e)
		x.see(e.Message)
		messages[e.Message] = e
		if e.Kind == history.ExecutionStarted {
			x.secret = e.Secret
			x.succeed(e.Carried)
		}
	}
	end := past[len(past)-1]
	x.now, x.customStatus = end.Time, end.Carried.CustomStatus
	x.end(history.ContinuedAsNew, end.Result, nil)
	x.heirs = []history.Event{x.nextStart(end)}
	for _, id := range end.Carried.Events {
		x.heirs = append(x.heirs, messages[id])
	}
}

// follow lets the next execution begin with what is left to it and the
// messages, and those after it for as long as they continue as new and have
// nothing to send.
func (x *Execution) follow(now time.Time, messages []history.Event) (Decision, error) {
	for {
		given := slices.Concat(x.heirs, messages)
		begun := given[0]
		x.renew()
		d, err := x.turn(now, given)
		d.Begun = &begun
		if err != nil || !x.continues() || len(x.Sends(d.Events)) > 0 {
			return d, err
		}
		messages = nil
	}
}

// renew makes the execution a new one of the same instance.
func (x *Execution) renew() {
	now, verdicts, keyed, spans := x.now, x.verdicts, x.keyed, x.spans
	x.Close()
	*x = *x.registry.newExecution(x.instance, x.o)
	x.now, x.verdicts, x.keyed, x.spans = now, verdicts, keyed, spans
}
