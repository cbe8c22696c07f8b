package engine

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seed21523604/holdfast/engine/history"
)

// Rewound is an execution that failed and goes on from where it went wrong.
type Rewound struct {
	// Run is the id of the new run.
	Run string
	// Past is the history that stays: what came before the failure.
	Past []history.Event
	// Messages are what its next turn is made of: the rewindings, and what the
	// turn that failed was made of without the failures.
	Messages []history.Event
	// Again are the numbers of the calls whose failures were taken out.
	Again map[int32]bool
}

// Rewind undoes the failure of an execution. It takes the last turn back, in
// which the code failed, and every failure of a call that the code did not go on
// from, so that these calls are made again and everything else stays as it was:
// results, and failures that the code handled. The code is replayed to find that
// out, so an error that wraps ErrUnknownName, or the one of Admit, may be
// returned where it cannot be.
//
// The rewindings are ExecutionRewound messages, one at least, each of somebody who
// asked for it. The first names the new run; ids that derive from the execution stay
// those of the old one.
func (r *Registry) Rewind(instance string, past, rewindings []history.Event, o ReplayOptions) (*Rewound, error) {
	end := len(past) - 1
	if end < 0 || past[end].Kind != history.ExecutionCompleted || past[end].Status != history.Failed {
		return nil, fmt.Errorf("rewind instance %s: the execution has not failed", instance)
	}
	begin := lastTurn(past)
	rewinding := &rewindings[0]
	w := &Rewound{Run: rewinding.Execution, Past: anew(past[:begin], rewinding), Again: map[int32]bool{}}
	for i := len(w.Past) - 1; i >= 0; i-- {
		if err := r.takeOut(instance, w, i, o); err != nil {
			return nil, fmt.Errorf("rewind instance %s: %w", instance, err)
		}
	}
	for _, e := range anew(past[begin:end], rewinding) {
		switch {
		case e.Kind.IsAction() || e.Kind == history.OrchestratorStarted || e.Kind == history.TimerFired:
		case canRetake(e):
			w.Again[e.TaskID] = true
		default:
			if e.Kind == history.TaskCompleted {
				e.Execution = w.Run // or it would be taken for a late one
			}
			w.Messages = append(w.Messages, e)
		}
	}
	w.addRewindings(rewindings)
	return w, nil
}

// addRewindings puts the rewindings before the messages, behind those of earlier
// runs: the last one is that by which the ids of what is asked for go.
func (w *Rewound) addRewindings(rewindings []history.Event) {
	at := 0
	for at < len(w.Messages) && w.Messages[at].Kind == history.ExecutionRewound {
		at++
	}
	rewindings = slices.Clone(rewindings)
	for i := range rewindings {
		rewindings[i].Execution = w.Run
	}
	w.Messages = slices.Insert(w.Messages, at, rewindings...)
}

// lastTurn returns where the last turn of a history begins.
func lastTurn(past []history.Event) int {
	for i := len(past) - 1; i > 0; i-- {
		if past[i].Kind == history.OrchestratorStarted {
			return i
		}
	}
	return 0
}

// anew returns events as those of a new run, which goes by the ids of the old.
func anew(events []history.Event, rewinding *history.Event) []history.Event {
	events = slices.Clone(events)
	for i := range events {
		if e := &events[i]; e.Kind == history.ExecutionStarted {
			e.Origin, e.Execution, e.Trace = originOf(e), rewinding.Execution, cmp.Or(rewinding.Trace, e.Trace)
		}
	}
	return events
}

// originOf returns the execution by whose ids a run goes.
func originOf(start *history.Event) string {
	if start.Origin != "" {
		return start.Origin
	}
	return start.Execution
}

// canRetake reports whether a failure can be taken out, as the call can be made
// again: not that of a sub-orchestration which somebody terminated, or which was
// never begun.
func canRetake(e history.Event) bool {
	switch e.Kind {
	case history.TaskFailed:
		return true
	case history.SubOrchestrationInstanceFailed:
		return e.Failure == nil || e.Failure.Kind != KindTerminated && e.Failure.Kind != KindIDTaken
	default:
		return false
	}
}

// takeOut takes the i-th event out of the past, if it is a failure from which the
// code did not go on: without it the code still asks for all that is recorded.
func (r *Registry) takeOut(instance string, w *Rewound, i int, o ReplayOptions) error {
	failed := w.Past[i]
	if !canRetake(failed) {
		return nil
	}
	without := slices.Delete(slices.Clone(w.Past), i, i+1)
	x := r.Replay(instance, without, ReplayOptions{Version: o.Version, Admit: o.Admit})
	defer x.Close()
	switch {
	case x.missing != nil:
		return x.missing
	case x.ended:
		return nil // it is needed
	}
	w.Past = without
	w.Again[failed.TaskID] = true
	return nil
}

// rewind numbers a rewinding among the actions, as what it sends to others is
// found by that.
func (x *Execution) rewind(e *history.Event) {
	e.ID = x.nextID
	x.nextID++
}
