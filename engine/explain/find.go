package explain

import (
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/internal/near"
	"github.com/seed21523604/holdfast/engine/store"
)

// discreet returns a history without the words of people and of code that stand
// nowhere else.
func discreet(past []history.Event) []history.Event {
	past = slices.Clone(past)
	for i := range past {
		e := &past[i]
		e.Reason = ""
		if e.Failure != nil {
			e.Failure = &history.Failure{Kind: e.Failure.Kind}
		}
		if e.Verdict != nil {
			e.Verdict = &history.Verdict{Outcome: e.Verdict.Outcome}
		}
	}
	return past
}

// waits returns the external events that are waited for. What happens next is
// told while it is to come.
func waits(x history.External, now time.Time) (open []Wait) {
	for _, w := range x.Waits {
		if w.Ended != "" {
			continue
		}
		if !w.NextAt.After(now) {
			w.Next, w.NextAt = "", time.Time{}
		}
		wait := Wait{Wait: w, Over: !w.Until.IsZero() && !w.Until.After(now)}
		if w.Tries > 0 {
			left := w.Tries - w.Tried
			wait.TriesLeft = &left
		}
		open = append(open, wait)
	}
	return open
}

// isPutOff reports whether a time is the one at which an instance is to begin.
func isPutOff(past []history.Event, at time.Time) bool {
	return slices.ContainsFunc(past, func(e history.Event) bool {
		return e.Kind == history.ExecutionStarted && !at.IsZero() && e.FireAt.Equal(at)
	})
}

// maxNotTaken is how many events are told of that were not taken.
const maxNotTaken = 20

// notTaken returns the latest events that were not taken, in order.
func notTaken(past []history.Event) []NotTaken {
	var all []NotTaken
	for _, e := range past {
		if e.Verdict != nil {
			all = append(all, NotTaken{e.Name, e.Time, e.Verdict.Outcome, e.Verdict.Reason})
		}
	}
	return all[max(0, len(all)-maxNotTaken):]
}

// placeholder stands in the URL of an event as it is handed out.
const placeholder = "{eventName}"

// kept returns the events that are kept, and why.
func kept(x history.External) (all []Kept) {
	for _, k := range x.Kept {
		one := Kept{KeptEvents: k, Reason: "nobody has waited for it so far"}
		if w := x.Wait(k.Event); w != nil && w.Ended != "" {
			one.Reason = "nobody waits for it any more"
		}
		if meant := meantFor(x, k.Event); meant != "" {
			one.Meant, one.Reason = meant, "names match exactly, upper and lower case included"
		}
		if k.Event == placeholder {
			one.Reason = "the placeholder in the URL was not replaced by the name of an event"
		}
		all = append(all, one)
	}
	return all
}

// meantFor returns the name of an open wait that an event of another name was
// probably meant for; empty if there is none.
func meantFor(x history.External, event string) string {
	for _, w := range x.Waits {
		if w.Ended == "" && w.Event != event && near.To(w.Event, event) {
			return w.Event
		}
	}
	return ""
}

// fault returns why the instance is parked, without where in the code; nil if it is
// not.
func fault(in *store.Instance, isDiscreet bool) *Fault {
	if in.Fault == nil {
		return nil
	}
	f := &Fault{Since: in.Fault.Since, Messages: in.Messages}
	if !isDiscreet {
		f.Reason, _, _ = strings.Cut(in.Fault.Reason, "\n")
	}
	return f
}

// suspension returns the one under way; nil if there is none.
func suspension(in *store.Instance, past []history.Event) *Suspended {
	if in.Status != history.Suspended || in.Fault != nil && in.Fault.Was != history.Suspended {
		return nil
	}
	s := &Suspended{Since: in.Updated}
	if i := suspendedAt(past); i >= 0 {
		s.Since, s.Reason = past[i].Time, past[i].Reason
	}
	return s
}

// suspendedAt returns where in the history the suspension under way begins: a
// suspended instance may have been suspended again. It returns -1 for none.
func suspendedAt(past []history.Event) int {
	begin := -1
	for i, e := range past {
		switch {
		case e.Kind == history.ExecutionResumed:
			begin = -1
		case e.Kind == history.ExecutionSuspended && begin < 0:
			begin = i
		}
	}
	return begin
}

// heldBack returns the events that came during the suspension under way.
func heldBack(past []history.Event) (all []Kept) {
	for _, e := range past[max(0, suspendedAt(past)):] {
		if e.Kind != history.EventRaised || e.Verdict != nil {
			continue
		}
		i := slices.IndexFunc(all, func(k Kept) bool { return k.Event == e.Name })
		if i < 0 {
			i = len(all)
			all = append(all, Kept{history.KeptEvents{Event: e.Name, First: e.Time}, "", "it has its effect when the instance is resumed"})
		}
		all[i].Count++
		all[i].Last = e.Time
	}
	return all
}

// maxCalls is how many calls are told of.
const maxCalls = 64

// calls returns the calls that have no answer: of activities those that are in
// somebody's hands, as one that was given up has no answer either.
func calls(in *store.Instance, past []history.Event) (open []Call) {
	inHand, answered := map[int32]bool{}, map[int32]bool{}
	for _, hand := range in.Hands {
		for _, task := range hand.Tasks {
			inHand[task] = true
		}
	}
	for _, e := range past {
		if isResult(e.Kind) {
			answered[e.TaskID] = true
		}
	}
	tries := map[int32]int{}
	for _, t := range in.TaskTries {
		for _, task := range t.Tasks {
			tries[task] = t.Times
		}
	}
	for _, e := range past {
		isOpen := e.Kind == history.TaskScheduled && inHand[e.ID] || e.Kind == history.SubOrchestrationInstanceCreated && !e.Detached
		if !isOpen || answered[e.ID] {
			continue
		}
		open = append(open, Call{Name: e.Name, Instance: e.InstanceID, Since: e.Time, Attempt: attempt(e), Tries: tries[e.ID]})
	}
	return open
}

func isResult(k history.Kind) bool {
	switch k {
	case history.TaskCompleted, history.TaskFailed, history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		return true
	default:
		return false
	}
}

// attempt numbers the attempts of a call from 1.
func attempt(call history.Event) int { return max(1, int(call.Attempt)) }

// lastFailed returns the call that failed last; nil if another succeeded since.
func lastFailed(past []history.Event) *FailedCall {
	called := map[int32]history.Event{}
	var last *FailedCall
	for _, e := range past {
		switch e.Kind {
		case history.TaskScheduled, history.SubOrchestrationInstanceCreated:
			called[e.ID] = e
		case history.TaskCompleted, history.SubOrchestrationInstanceCompleted:
			last = nil
		case history.TaskFailed, history.SubOrchestrationInstanceFailed:
			last = newFailedCall(called[e.TaskID], e)
		}
	}
	return last
}

func newFailedCall(call, result history.Event) *FailedCall {
	f := &FailedCall{Name: call.Name, Instance: call.InstanceID, At: result.Time, Attempt: attempt(call)}
	if result.Failure != nil {
		f.Kind, f.Message = result.Failure.Kind, result.Failure.Message
	}
	return f
}

// pausedAfter returns the call whose failure led to the timer that wakes the
// instance, be it the pause of a retry policy or one of the code; nil if none did.
// Of several that failed in that turn it is the last.
func pausedAfter(past []history.Event, wake time.Time) *FailedCall {
	for i, e := range past {
		if e.Kind != history.TimerCreated || !e.FireAt.Equal(wake) {
			continue
		}
		begin := i
		for begin > 0 && past[begin].Kind != history.OrchestratorStarted {
			begin--
		}
		if slices.ContainsFunc(past[begin:i], isFailure) {
			return lastFailed(past[:i])
		}
	}
	return nil
}

func isFailure(e history.Event) bool {
	return e.Kind == history.TaskFailed || e.Kind == history.SubOrchestrationInstanceFailed
}
