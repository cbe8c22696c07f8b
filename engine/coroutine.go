package engine

import (
	"encoding/json"
	"fmt"

	"github.com/seed21523604/holdfast/engine/history"
)

// unwinding is the panic that takes a waiting strand off its stack.
type unwinding struct{}

// run runs the orchestration's function and takes note of what becomes of it.
func (x *Execution) run(o orchestrator, input json.RawMessage) {
	output, err := o.run(&Context{x}, input)
	switch {
	case x.leaving:
	case err != nil:
		x.end(history.Failed, nil, failureOf(err))
	case x.again:
		x.end(history.ContinuedAsNew, x.input, nil)
	default:
		x.end(history.Completed, output, nil)
	}
}

// end settles how the execution ended; the first end stands.
func (x *Execution) end(status history.Status, output json.RawMessage, failure *history.Failure) {
	if x.ended {
		return
	}
	x.ended, x.status, x.output, x.failure = true, status, output, failure
}

// act numbers an action that the code asks for. During replay it must be the
// one that was recorded under this number; after it, it is new and will be.
func (x *Execution) act(e history.Event) history.Event {
	x.mustNotCheck("ask for anything")
	if x.leaving || x.ended {
		panic(unwinding{})
	}
	if x.replaying {
		x.skipNotes()
	} else {
		x.makeRoom(&e)
	}
	e.ID = x.nextID
	x.nextID++
	e.Time = x.now
	if !x.replaying {
		x.actions = append(x.actions, e)
		x.note(&e)
		x.spannedMessage(e)
		return e
	}
	recorded, ok := x.recorded[e.ID]
	switch {
	case !ok && x.cut != nil:
		x.end(history.Failed, nil, x.cut)
		panic(unwinding{})
	case !ok:
		x.diverge(fmt.Sprintf("recorded: nothing; asked for: %s; as action %d, which is past the end of the history", e, e.ID))
	case !isSame(recorded.Event, e):
		x.diverge(fmt.Sprintf("recorded: %s; asked for: %s; as action %d, event %d of the history", recorded.Event, e, e.ID, recorded.position))
	}
	return recorded.Event
}

// mustNotCheck panics while a condition of a wait runs, which is no place for
// what the orchestration does.
func (x *Execution) mustNotCheck(what string) {
	if x.checking {
		panic("engine: a Check must not " + what)
	}
}

// isSame reports whether an action is the one that was recorded.
func isSame(recorded, asked history.Event) bool {
	return recorded.Kind == asked.Kind && recorded.Name == asked.Name &&
		recorded.InstanceID == asked.InstanceID && recorded.Detached == asked.Detached
}

// diverge fails the execution because the code no longer follows its history,
// and leaves the code where it is.
func (x *Execution) diverge(how string) {
	x.overrule(how)
	panic(unwinding{})
}

// checkAllAsked fails the execution when the history has an action that the
// code did not ask for, or the code has returned and the history goes on.
func (x *Execution) checkAllAsked() {
	x.skipNotes()
	recorded, ok := x.recorded[x.nextID]
	switch {
	case x.hasDiverged() || !ok && !x.ended:
		return
	case !ok:
		x.overrule(fmt.Sprintf("recorded: nothing; asked for: the end; as action %d, which is past the end of the history", x.nextID))
	case x.ended:
		x.overrule(fmt.Sprintf("recorded: %s; asked for: the end; as action %d, event %d of the history", recorded.Event, x.nextID, recorded.position))
	default:
		x.overrule(fmt.Sprintf("recorded: %s; asked for: nothing; as action %d, event %d of the history", recorded.Event, x.nextID, recorded.position))
	}
}

// overrule fails the execution because the code no longer follows its history,
// even if it has ended.
func (x *Execution) overrule(how string) {
	x.ended = false
	x.nextID = max(x.nextID, int32(len(x.recorded)))
	x.end(history.Failed, nil, divergence(how))
}

// hasDiverged reports whether the code was found not to follow its history.
func (x *Execution) hasDiverged() bool {
	return x.failure != nil && x.failure.Kind == KindNonDeterministic
}

func divergence(how string) *history.Failure {
	return &history.Failure{
		Kind:    KindNonDeterministic,
		Message: "the code does not follow the recorded history (" + how + "); was the orchestration changed while this instance was running?",
	}
}
