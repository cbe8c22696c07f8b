package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// CreateTimer returns a timer that is due at the given time, however far away;
// one that is past, the zero time included, is due now and fires in the next
// turn. It never fires early. A timer that is still running when the
// orchestration returns dies with it.
func (c *Context) CreateTimer(at time.Time) *Timer {
	return jsonTask[struct{}](c.x.timer(at), "timer", "")
}

// timer adds the action for a timer.
func (x *Execution) timer(at time.Time) *task {
	at = at.UTC().Round(0)
	if at.Before(x.now) {
		at = x.now
	}
	created := x.act(history.Event{Kind: history.TimerCreated, FireAt: at})
	t := x.newTask(func() { delete(x.timers, created.ID) })
	x.timers[created.ID] = &timer{task: t, id: created.ID, since: created.Time, at: created.FireAt}
	return t
}

// WaitForExternalEvent returns a task that completes with the payload of the
// next event of this name that nobody else has taken: one that came before is
// kept until it is waited for. Events, and those who wait for them, are served
// in the order in which they came. A wait for an Event[Sealed] fails unless the
// orchestration declared it with [SecretEvent].
func WaitForExternalEvent[T any](c *Context, name Event[T], options ...WaitOption) *Task[T] {
	w := newWait(c.x, name, options)
	if err := w.wrong(); err != nil {
		return jsonTask[T](c.x.failed(fmt.Errorf("wait for event %q: %w", name, err)), "payload of event", string(name))
	}
	c.x.waitFor(w)
	if !w.done && w.limited {
		c.x.limit(w.task, w.Until)
	}
	return jsonTask[T](w.task, "payload of event", string(name))
}

// waitFor takes the oldest kept event of the name that will do, or queues for
// the next.
func (x *Execution) waitFor(w *wait) {
	w.order = x.waits
	x.waits++
	w.whenDone(w.over)
	for len(x.kept[w.Event]) > 0 && !w.done {
		oldest := x.kept[w.Event][0]
		x.kept[w.Event] = x.kept[w.Event][1:]
		x.took = true
		x.verdicts[oldest.Message] = w.hear(oldest.Event)
	}
	if w.done {
		return
	}
	w.forget = func() {
		x.waiting[w.Event] = slices.DeleteFunc(x.waiting[w.Event], func(o *wait) bool { return o == w })
	}
	x.waiting[w.Event] = append(x.waiting[w.Event], w)
}

// raise gives an event to the one who has waited longest, or keeps it, or, if
// it is to be taken at once, refuses it.
func (x *Execution) raise(e history.Event) {
	waiting := x.waiting[e.Name]
	switch {
	case e.Verdict != nil && e.Verdict.Refused():
		x.decide(e, *e.Verdict)
		return
	case e.Strict && (x.ended || len(waiting) == 0):
		x.decide(e, x.refusal(e.Name))
		return
	case x.ended:
		return
	case len(waiting) == 0:
		x.kept[e.Name] = append(x.kept[e.Name], keptEvent{e, x.arrived})
		x.arrived++
		x.decide(e, history.Verdict{Outcome: history.Kept})
		return
	}
	w := waiting[0]
	verdict := w.hear(e)
	if w.done {
		x.took = true
		x.waiting[e.Name] = slices.DeleteFunc(x.waiting[e.Name], func(o *wait) bool { return o == w })
	}
	x.decide(e, verdict)
}
