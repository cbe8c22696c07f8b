package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strconv"

	"github.com/seed21523604/holdfast/engine/history"
)

type activity struct {
	run        func(context.Context, json.RawMessage) (json.RawMessage, error)
	atMostOnce bool
}

// ActivityOption changes how an activity is registered.
type ActivityOption func(*activity)

// AtMostOnce declares that the activity must not be run a second time for one
// call, even when a crash leaves unknown whether the first run took effect. A
// call that was cut short then fails with [ErrInterrupted], and the
// orchestration decides what to do. Without it an activity runs at least once.
func AtMostOnce() ActivityOption {
	return func(a *activity) { a.atMostOnce = true }
}

// AddActivity registers fn under name. It panics when the name is empty or
// taken, as this is a mistake in the program. fn may be run concurrently; its
// context holds the [Call], and ends when the time is over that a worker which is
// stopped leaves its activities, or nobody waits for the result any more. What need
// not take that time is done with [UntilStop].
//
// A panic of fn is a failure of the call, with its stack. One in a goroutine that
// fn began ends the process, as in every Go program: recover there.
func AddActivity[In, Out any](r *Registry, name Activity[In, Out], fn func(context.Context, In) (Out, error), options ...ActivityOption) {
	mustBeNew("activity", string(name), r.activities)
	a := activity{run: onJSON(string(name), fn)}
	for _, option := range options {
		option(&a)
	}
	r.activities[string(name)] = a
}

// RunsAtMostOnce reports whether the named activity was registered with
// [AtMostOnce].
func (r *Registry) RunsAtMostOnce(name string) bool {
	return r.activities[name].atMostOnce
}

// Call says which call an activity is serving.
type Call struct {
	Instance  string // the instance that called
	Execution string // its run
	Task      int32  // the number of the action within the run, from 0
	Name      string // the activity
	Attempt   int    // which attempt of a RetryPolicy this is, from 1
	First     int32  // the Task of the first attempt
	Origin    string // the run before, if this one was rewound; else empty
}

// NewCall returns the call that a TaskScheduled event of an execution asks for.
func NewCall(instance, execution string, scheduled *history.Event) Call {
	c := Call{Instance: instance, Execution: execution, Task: scheduled.ID, Name: scheduled.Name, Attempt: 1, First: scheduled.ID}
	if scheduled.Attempt > 1 {
		c.Attempt, c.First = int(scheduled.Attempt), scheduled.TaskID
	}
	return c
}

// Key identifies the call for all time: an idempotency key for the services that
// an activity uses. It is the same however often the call is run, after a crash
// in every attempt of a RetryPolicy and after a rewinding: an attempt that failed here may have
// taken effect there. Where every attempt must count for itself, as with a
// service that remembers failures too, add Attempt to it.
func (c Call) Key() string {
	return c.Instance + "/" + cmp.Or(c.Origin, c.Execution) + "/" + strconv.Itoa(int(c.First))
}

type callKey struct{}

// CallOf returns the call that the running activity serves; the zero Call
// outside an activity.
func CallOf(ctx context.Context) Call {
	call, _ := ctx.Value(callKey{}).(Call)
	return call
}

// ErrStopping is why a context of [UntilStop] ended whose worker is being stopped, and
// what an activity returns that did nothing because of that. Its kind is KindStopping.
var ErrStopping error = stopping{}

type stopping struct{}

// Error says what is going on.
func (stopping) Error() string { return "the process is being stopped" }

// Kind is KindStopping.
func (stopping) Kind() string { return KindStopping }

type stopKey struct{}

// StoppedBy returns a context for the activities of a worker that begins to stop when
// stop ends.
func StoppedBy(ctx, stop context.Context) context.Context {
	return context.WithValue(ctx, stopKey{}, stop)
}

// UntilStop returns a copy of an activity's context that ends as soon as the worker
// begins to stop, with ErrStopping as its cause, and not only when the activity's time
// is over. It is for what can wait until another worker does it, such as a wait for
// somebody's answer. Call cancel when that is done.
func UntilStop(ctx context.Context) (until context.Context, cancel context.CancelFunc) {
	until, end := context.WithCancelCause(ctx)
	stop, ok := ctx.Value(stopKey{}).(context.Context)
	if !ok {
		return until, func() { end(nil) }
	}
	forget := context.AfterFunc(stop, func() { end(ErrStopping) })
	return until, func() { forget(); end(nil) }
}

// RunActivity runs the activity that call names and returns its result as
// JSON, or how it failed. A panic is a failure of kind "panic"; an unknown name
// is one of kind "unknown-activity".
func (r *Registry) RunActivity(ctx context.Context, call Call, input json.RawMessage) (result json.RawMessage, failure *history.Failure) {
	a, ok := r.activities[call.Name]
	if !ok {
		return nil, &history.Failure{Kind: KindUnknownActivity, Message: fmt.Sprintf("no activity %q is registered", call.Name)}
	}
	defer func() {
		if p := recover(); p != nil {
			failure = panicFailure(p)
		}
	}()
	result, err := a.run(context.WithValue(ctx, callKey{}, call), input)
	if err != nil {
		return nil, failureOf(err)
	}
	return result, nil
}

func panicFailure(p any) *history.Failure {
	return &history.Failure{Kind: KindPanic, Message: clip(fmt.Sprint(p)), Stack: clip(string(debug.Stack()))}
}
