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
	t := &task{x: x, forget: func() { delete(x.timers, created.ID) }}
	x.timers[created.ID] = &timer{task: t, id: created.ID, at: created.FireAt}
	return t
}

// WaitOption changes how an external event is waited for: a deadline made by
// [Until].
type WaitOption interface{ setWait(*waitOptions) }

type waitOptions struct {
	deadline *time.Time
}

// WaitForExternalEvent returns a task that completes with the payload of the
// next event of this name that nobody else has taken: one that came before is
// kept until it is waited for. Events, and those who wait for them, are served
// in the order in which they came. A wait for an Event[Sealed] fails unless the
// orchestration declared it with [SecretEvent].
func WaitForExternalEvent[T any](c *Context, name Event[T], options ...WaitOption) *Task[T] {
	var o waitOptions
	for _, option := range options {
		option.setWait(&o)
	}
	t := c.x.waitFor(string(name), name)
	if !t.done && o.deadline != nil {
		c.x.limit(t, *o.deadline)
	}
	return jsonTask[T](t, "payload of event", string(name))
}

// waitFor takes the oldest kept event of this name, or queues for the next.
// typed is the name with its type, which tells whether a sealed payload is
// expected.
func (x *Execution) waitFor(name string, typed any) *task {
	if _, sealed := typed.(Event[Sealed]); sealed && !slices.Contains(x.secret, name) {
		return x.failed(fmt.Errorf("wait for event %q: the orchestration did not declare it with SecretEvent", name))
	}
	t := &task{x: x}
	if kept := x.kept[name]; len(kept) > 0 {
		x.kept[name] = kept[1:]
		x.took = true
		t.settle(kept[0].Input, nil)
		return t
	}
	t.forget = func() {
		x.waiting[name] = slices.DeleteFunc(x.waiting[name], func(w *task) bool { return w == t })
	}
	x.waiting[name] = append(x.waiting[name], t)
	return t
}

// raise gives an event's payload to the one who has waited longest, or keeps it.
func (x *Execution) raise(e history.Event) {
	waiting := x.waiting[e.Name]
	if len(waiting) == 0 {
		x.kept[e.Name] = append(x.kept[e.Name], keptEvent{e, x.arrived})
		x.arrived++
		return
	}
	x.waiting[e.Name] = waiting[1:]
	x.took = true
	waiting[0].settle(e.Input, nil)
}
