package engine

import (
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
// context ends when the worker gives up waiting for it, and holds the [Call].
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
	Task      int32  // the number of the call within the run, from 0
	Name      string // the activity
}

// Key identifies the call for all time, however often it is run: an
// idempotency key for the services that an activity uses.
func (c Call) Key() string {
	return c.Instance + "/" + c.Execution + "/" + strconv.Itoa(int(c.Task))
}

type callKey struct{}

// CallOf returns the call that the running activity serves; the zero Call
// outside an activity.
func CallOf(ctx context.Context) Call {
	call, _ := ctx.Value(callKey{}).(Call)
	return call
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
	return &history.Failure{Kind: KindPanic, Message: fmt.Sprint(p), Stack: string(debug.Stack())}
}
