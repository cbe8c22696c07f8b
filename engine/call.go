package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// CallOption changes how an activity is called: a [RetryPolicy], or a deadline
// made by [Until].
type CallOption interface{ setCall(*callOptions) }

type callOptions struct {
	retry    *RetryPolicy
	deadline *time.Time
}

// Deadline is an option of calls and of waits; [Until] makes one.
type Deadline struct {
	at   time.Time
	from string
}

// Until gives a call, its retries included, or a wait a deadline. If it comes
// first, Await returns [ErrTimeout]: the event stays for the next one who waits,
// the activity is told to stop and what it returns goes unheard. It is backed by
// a durable timer, which is canceled when the task is done first.
//
// From says where the deadline came from, in words, for those who ask why an
// instance waits.
func Until(deadline time.Time, from ...string) Deadline {
	return Deadline{deadline, strings.Join(from, ", ")}
}

func (d Deadline) setCall(o *callOptions)   { o.deadline = &d.at }
func (d Deadline) setChild(o *childOptions) { o.deadline = &d.at }
func (d Deadline) setWait(w *wait) {
	w.Until, w.UntilFrom, w.limited = d.at.UTC(), clipTo(d.from, maxWords), true
}

// CallActivity asks for the activity to be run with input. It runs after this
// turn is durable, at least once unless it is registered [AtMostOnce]; its
// result is recorded once. Without a [RetryPolicy] a failure is final.
//
// Its context ends when nobody waits for the result any more: the task was
// canceled or its deadline came, or the orchestration ended. So await an activity
// whose effect matters before returning.
func CallActivity[In, Out any](c *Context, name Activity[In, Out], input In, options ...CallOption) *Task[Out] {
	t := c.x.callActivity(string(name), input, options)
	return jsonTask[Out](t, "result of activity", string(name))
}

// callActivity makes the task of an activity's call. An input that is no JSON
// fails the task, not the orchestration, and is recorded nowhere.
func (x *Execution) callActivity(name string, input any, options []CallOption) *task {
	text, err := encode(input)
	if err != nil {
		return x.failed(fmt.Errorf("call activity %q: %w", name, err))
	}
	if len(options) == 0 {
		t, _ := x.schedule(history.Event{Name: name, Input: text})
		return t
	}
	var o callOptions
	for _, option := range options {
		option.setCall(&o)
	}
	return x.call(o, func(n, first int32) (*task, int32) {
		return x.schedule(history.Event{Name: name, Input: text, Attempt: n, TaskID: first})
	})
}

// attempt starts one attempt of a call and returns its task and the number of
// its action. The first attempt is the zeroth; later ones are told their number,
// from 2, and that of the first one's action.
type attempt func(n, first int32) (*task, int32)

// call makes a task of what begin starts, with what the options add to it.
func (x *Execution) call(o callOptions, begin attempt) *task {
	if o.retry != nil {
		if err := o.retry.check(); err != nil {
			return x.failed(err)
		}
	}
	t, first := begin(0, 0)
	if o.retry != nil {
		t = x.retry(*o.retry, t, first, begin)
	}
	if o.deadline != nil && !t.done {
		x.limit(t, *o.deadline)
	}
	return t
}

// failed returns a task that failed before anything was asked for.
func (x *Execution) failed(err error) *task {
	t := &task{x: x}
	t.settle(nil, err)
	return t
}

// schedule adds the action for an activity.
func (x *Execution) schedule(e history.Event) (*task, int32) {
	e.Kind = history.TaskScheduled
	return x.expect(e)
}

// expect adds an action and returns the task that its result settles.
func (x *Execution) expect(e history.Event) (*task, int32) {
	scheduled := x.act(e)
	t := x.newTask(func() {
		delete(x.calls, scheduled.ID)
		x.spanned(scheduled, x.now, history.Canceled, nil)
	})
	x.calls[scheduled.ID] = &call{task: t, scheduled: scheduled, lineage: x.lineage}
	return t, scheduled.ID
}

// limit ends t when the deadline comes first, and its timer when t is done.
func (x *Execution) limit(t *task, deadline time.Time) {
	timer := x.timer(deadline)
	timer.whenDone(func() {
		if t.done || timer.err != nil {
			return
		}
		t.forget()
		t.settle(nil, ErrTimeout)
	})
	t.whenDone(timer.Cancel)
}
