package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// CallActivity asks for the activity to be run with input. It runs after this
// turn is durable, at least once unless it is registered [AtMostOnce]; its
// result is recorded once.
func CallActivity[In, Out any](c *Context, name Activity[In, Out], input In) *Task[Out] {
	return jsonTask[Out](c.x.schedule(string(name), input), "result of activity", string(name))
}

// schedule adds the action for an activity. An input that is no JSON fails the
// task, not the orchestration, and is recorded nowhere.
func (x *Execution) schedule(name string, input any) *task {
	text, err := encode(input)
	if err != nil {
		t := &task{x: x}
		t.settle(nil, fmt.Errorf("call activity %q: %w", name, err))
		return t
	}
	scheduled := x.act(history.Event{Kind: history.TaskScheduled, Name: name, Input: text})
	t := &task{x: x, forget: func() { delete(x.calls, scheduled.ID) }}
	x.calls[scheduled.ID] = &call{task: t, scheduled: scheduled}
	return t
}

// CreateTimer returns a timer that is due at the given time, however far away;
// one that is past, the zero time included, is due now and fires in the next
// turn. It never fires early. A timer that is still running when the
// orchestration returns dies with it.
func (c *Context) CreateTimer(at time.Time) *Timer {
	x := c.x
	at = at.UTC().Round(0)
	if at.Before(x.now) {
		at = x.now
	}
	created := x.act(history.Event{Kind: history.TimerCreated, FireAt: at})
	t := &task{x: x, forget: func() { delete(x.timers, created.ID) }}
	x.timers[created.ID] = &timer{task: t, id: created.ID, at: created.FireAt}
	return jsonTask[struct{}](t, "timer", "")
}

// WaitOption changes how an external event is waited for.
type WaitOption func(*waitOptions)

type waitOptions struct {
	deadline *time.Time
}

// Until gives a wait a deadline: if it comes first, Await returns [ErrTimeout]
// and the event stays for the next one who waits. It is backed by a durable
// timer, which is canceled when the event comes first.
func Until(deadline time.Time) WaitOption {
	return func(o *waitOptions) { o.deadline = &deadline }
}

// WaitForExternalEvent returns a task that completes with the payload of the
// next event of this name that nobody else has taken: one that came before is
// kept until it is waited for. Events, and those who wait for them, are served
// in the order in which they came. A wait for an Event[Sealed] fails unless the
// orchestration declared it with [SecretEvent].
func WaitForExternalEvent[T any](c *Context, name Event[T], options ...WaitOption) *Task[T] {
	var o waitOptions
	for _, option := range options {
		option(&o)
	}
	x := c.x
	t := x.waitFor(string(name), name)
	if !t.done && o.deadline != nil {
		x.limit(t, c.CreateTimer(*o.deadline))
	}
	return jsonTask[T](t, "payload of event", string(name))
}

// waitFor takes the oldest kept event of this name, or queues for the next.
// typed is the name with its type, which tells whether a sealed payload is
// expected.
func (x *Execution) waitFor(name string, typed any) *task {
	t := &task{x: x}
	if _, sealed := typed.(Event[Sealed]); sealed && !slices.Contains(x.secret, name) {
		t.settle(nil, fmt.Errorf("wait for event %q: the orchestration did not declare it with SecretEvent", name))
		return t
	}
	if kept := x.kept[name]; len(kept) > 0 {
		x.kept[name] = kept[1:]
		t.settle(kept[0], nil)
		return t
	}
	t.forget = func() {
		x.waiting[name] = slices.DeleteFunc(x.waiting[name], func(w *task) bool { return w == t })
	}
	x.waiting[name] = append(x.waiting[name], t)
	return t
}

// limit ends the wait t when the timer fires, and the timer when the wait ends.
func (x *Execution) limit(t *task, timer *Timer) {
	timer.whenDone(func() {
		if t.done || errors.Is(timer.err, ErrCanceled) {
			return
		}
		t.forget()
		t.settle(nil, ErrTimeout)
	})
	t.whenDone(timer.Cancel)
}

// raise gives an event's payload to the one who has waited longest, or keeps it.
func (x *Execution) raise(name string, payload json.RawMessage) {
	waiting := x.waiting[name]
	if len(waiting) == 0 {
		x.kept[name] = append(x.kept[name], payload)
		return
	}
	x.waiting[name] = waiting[1:]
	waiting[0].settle(payload, nil)
}
