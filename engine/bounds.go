package engine

import (
	"cmp"
	"fmt"

	"github.com/seed21523604/holdfast/engine/history"
)

// The bounds of one execution's history where nobody says others.
const (
	defaultMaxEvents = 50_000
	defaultMaxBytes  = 64 << 20
)

// bulk is how much there is of an execution's history.
type bulk struct {
	events int
	bytes  int64
}

// plus returns the bulk with one event more.
func (b bulk) plus(e *history.Event) bulk { return bulk{b.events + 1, b.bytes + int64(e.Size())} }

// isOver reports whether there is more than a bound allows. One that is negative
// allows everything.
func (b bulk) isOver(most bulk) bool {
	return most.events >= 0 && b.events > most.events || most.bytes >= 0 && b.bytes > most.bytes
}

// mostHistory returns the bounds of the history.
func (x *Execution) mostHistory() bulk {
	return bulk{cmp.Or(x.o.MaxEvents, defaultMaxEvents), cmp.Or(x.o.MaxBytes, defaultMaxBytes)}
}

// isHalfFull reports whether the history is over half of one of its bounds.
func (x *Execution) isHalfFull() bool {
	return bulk{2 * x.bulk.events, 2 * x.bulk.bytes}.isOver(x.mostHistory())
}

// makeRoom counts an action that is asked for, or fails the execution for which it
// is one too many.
func (x *Execution) makeRoom(e *history.Event) {
	after := x.bulk.plus(e)
	if after.isOver(x.mostHistory()) {
		x.fill(after)
		panic(unwinding{})
	}
	x.bulk = after
}

// fill fails the execution because its history would have as much as that.
func (x *Execution) fill(with bulk) {
	most := x.mostHistory()
	what := fmt.Sprintf("%d events", most.events)
	if most.events < 0 || with.events <= most.events {
		what = fmt.Sprintf("%d bytes", most.bytes)
	}
	x.end(history.Failed, nil, &history.Failure{
		Kind: KindHistoryFull, NonRetriable: true,
		Message: "the history may have " + what + " and is full: let the orchestration begin anew with ContinueAsNew before that, or share its work among sub-orchestrations",
	})
}

// cutOff returns the failure of a history that ended because it was full; nil if
// it did not.
func cutOff(past []history.Event) *history.Failure {
	if !isComplete(past) {
		return nil
	}
	if f := past[len(past)-1].Failure; f != nil && f.Kind == KindHistoryFull {
		return f
	}
	return nil
}
