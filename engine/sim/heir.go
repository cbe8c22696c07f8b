package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// The turn in which an execution continues as new is mostly not to be seen: the
// next execution takes its place in the same commit. What it must have been is
// found out by the trace that it handed on.

// evidence knows what may have reached an instance.
type evidence interface {
	// sent reports whether an event was sent to the instance that it is not
	// known to have had, and takes note that it had it.
	sent(name, text string) bool
	// answered reports whether a call may have come to this.
	answered(o *oracle, call history.Event, value string) bool
}

// guess is what an oracle goes by in a turn that nobody sees.
type guess struct {
	evidence evidence
	told     []string // the whole trace; nil in a turn that is seen
	unseen   int32    // the number of the turn's first action; what is asked for in it is not answered in it
	lie      error    // what cannot have been
}

// isDone reports whether a task is done, or must be as there is something told of
// it at a place of the trace.
func (o *oracle) isDone(n, place int) bool {
	t := o.tasks[n]
	if o.told == nil || t.done && !t.unsure {
		return t.done
	}
	if place >= len(o.told) {
		return false
	}
	o.believe(n, o.told[place])
	return true
}

// believe settles a task with what is told of it.
func (o *oracle) believe(n int, value string) {
	t := o.tasks[n]
	if !t.might(value) {
		o.lie = errors.Join(o.lie, fmt.Errorf("task %d is said to have come to %q, which cannot be", n, value))
	}
	if t.unsure {
		t.value, t.unsure = value, false
		return
	}
	if t.forget != nil {
		t.forget()
	}
	t.settle(value)
}

// guessWinner settles the task that won a race, as the trace says.
func (o *oracle) guessWinner(s op) {
	if len(o.trace) >= len(o.told) {
		return
	}
	n := slices.IndexFunc(s.Of, func(n int) bool { return o.told[len(o.trace)] == fmt.Sprintf("won by %d", n) })
	if n < 0 {
		return
	}
	t := o.tasks[s.Of[n]]
	if t.forget != nil {
		t.forget()
	}
	t.unsure = true
	t.settle("")
}

// leftOf says what has become of a task at the end.
func (o *oracle) leftOf(n int) string {
	t := o.tasks[n]
	if o.told != nil && len(o.trace) < len(o.told) && (!t.done || t.unsure) {
		if value, _ := strings.CutPrefix(o.told[len(o.trace)], "left "); value != "waiting" {
			o.believe(n, value)
		}
	}
	if !t.done {
		return "waiting"
	}
	return t.value
}

// might reports whether a task can have come to this.
func (t *promise) might(value string) bool {
	return t.could(value) || value == "timeout" && t.deadline != nil && t.deadline.could("fired")
}

// checkLegacy holds the recorded end in favour of the next execution to the one
// that was expected.
func (o *oracle) checkLegacy(e history.Event) error {
	switch {
	case !o.ended || o.status != history.ContinuedAsNew || string(e.Result) != string(o.output):
		return fmt.Errorf("it continued as new with %s, not as %v with %s", e.Result, o.status, o.output)
	case !slices.Equal(e.Carried.Events, idsOf(o.legacy())):
		return fmt.Errorf("it leaves %q to the next execution, not %q", e.Carried.Events, idsOf(o.legacy()))
	}
	return nil
}

// legacy is what the next execution is given, in order.
func (o *oracle) legacy() (given []history.Event) {
	if !o.again.Drop {
		given = slices.Clone(o.kept)
	}
	for _, e := range o.late {
		switch e.Kind {
		case history.EventRaised, history.ExecutionSuspended, history.ExecutionResumed, history.ExecutionTerminated:
			given = append(given, e)
		}
	}
	return given
}

func idsOf(messages []history.Event) (ids []string) {
	for _, e := range messages {
		ids = append(ids, e.Message)
	}
	return ids
}

// succeed finds out what was decided in turns that nobody saw, up to the beginning
// of the execution with this input, whose first turn was at now. It returns the
// oracle of the execution before that.
func (o *oracle) succeed(p program, input json.RawMessage, now time.Time) (*oracle, error) {
	o.unseen = o.next
	for {
		if !o.ended {
			if err := o.goUnseen(p.Before, now); err != nil {
				return nil, err
			}
		}
		if string(o.output) == string(input) {
			return o, nil
		}
		heir := o.heir(now)
		if len(heir.p.Tag) >= len(p.Tag) {
			return nil, fmt.Errorf("it continued as new with %s, not with %s", input, o.output)
		}
		o = heir
	}
}

// goUnseen goes to the end of an execution that nobody saw.
func (o *oracle) goUnseen(told []string, now time.Time) error {
	if now.Before(o.now) {
		return fmt.Errorf("time goes back from %v to %v", o.now, now)
	}
	o.told, o.now = told, now
	if o.suspended {
		o.wakeUp() // or it could not have gone on
	}
	if !o.begun {
		o.begun, o.trace = true, o.p.Before
	}
	o.goOn()
	switch {
	case o.lie != nil:
		return o.lie
	case !o.ended || o.status != history.ContinuedAsNew:
		return fmt.Errorf("it continued as new, but after %q it is %v", o.trace, o.standing())
	case slices.ContainsFunc(o.expected, func(e history.Event) bool { return e.InstanceID != "" }):
		return fmt.Errorf("it continued as new with something to send, and its end was not stored")
	}
	return nil
}

// heir is the oracle of the next execution, to which everything happens that is
// left to it, in a turn that nobody sees.
func (o *oracle) heir(now time.Time) *oracle {
	h := newOracle(o.id)
	_ = json.Unmarshal(o.output, &h.p) // it was written by finish
	h.custom, h.evidence, h.now = o.custom, o.evidence, now
	h.begun, h.trace = true, h.p.Before
	h.goOn()
	for _, e := range o.legacy() {
		h.take(e)
	}
	return h
}
