package engine

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/seed21523604/holdfast/engine/history"
)

// ChildOption changes how a sub-orchestration is called: an [InstanceID], a
// [Version], a [RetryPolicy], or a deadline made by [Until].
type ChildOption interface{ setChild(*childOptions) }

// StartOption changes how an instance is begun: an [InstanceID] or a [Version].
type StartOption interface{ setStart(*childOptions) }

type childOptions struct {
	callOptions
	id      InstanceID
	version Version
}

// InstanceID is an option that gives an instance which an orchestration begins
// an id of the author's choice, by the rules of history.CheckID. Without it the
// id is that of the caller's execution and the number of the call, joined by a
// colon, which is unique.
type InstanceID string

func (id InstanceID) setChild(o *childOptions) { o.id = id }
func (id InstanceID) setStart(o *childOptions) { o.id = id }

// Version is an option that gives an instance which an orchestration begins, or
// its next execution, a version of the author's choice. Without it the instance
// has that of the program that begins it, and the next execution keeps its own.
type Version string

func (v Version) setChild(o *childOptions)  { o.version = v }
func (v Version) setStart(o *childOptions)  { o.version = v }
func (v Version) setContinue(s *succession) { s.version = v }

// CallSubOrchestrator begins another instance after this turn is durable, and
// returns a task that completes with what it returns. Its failure is a
// *[TaskError], of kind [KindTerminated] if it was terminated. An instance of the
// same id that has ended gives way; if it has not, the task fails with an error
// that [ErrIDTaken] matches. A call with this instance's own id, or with one that
// is none, fails without being recorded.
//
// Cancel and a deadline only stop the waiting: the sub-orchestration runs on. A
// call that is made again by a [RetryPolicy] has an id of its own each time,
// unless there is an [InstanceID].
func CallSubOrchestrator[In, Out any](c *Context, name Orchestrator[In, Out], input In, options ...ChildOption) *Task[Out] {
	var o childOptions
	for _, option := range options {
		option.setChild(&o)
	}
	return jsonTask[Out](c.x.callChild(string(name), input, &o), "result of orchestration", string(name))
}

func (x *Execution) callChild(name string, input any, o *childOptions) *task {
	created, err := x.child(name, input, o)
	if err != nil {
		return x.failed(err)
	}
	return x.call(o.callOptions, func(n, first int32) (*task, int32) {
		again := created
		again.Attempt, again.TaskID = n, first
		if o.id == "" {
			again.InstanceID = x.childID()
		}
		return x.expect(again)
	})
}

// StartOrchestrator begins another instance after this turn is durable, waits
// for nothing and returns its id. When the id belongs to an instance that has
// not ended, nothing is begun, with a line in the log. The error is that of an
// input that is no JSON or of an id that cannot be one.
func StartOrchestrator[In, Out any](c *Context, name Orchestrator[In, Out], input In, options ...StartOption) (id string, err error) {
	var o childOptions
	for _, option := range options {
		option.setStart(&o)
	}
	created, err := c.x.child(string(name), input, &o)
	if err != nil {
		return "", err
	}
	created.Detached = true
	return c.x.act(created).InstanceID, nil
}

// errOwnID is returned for an instance that would begin itself.
var errOwnID = errors.New("the id is that of the instance itself")

// child returns the action that begins another instance.
func (x *Execution) child(name string, input any, o *childOptions) (history.Event, error) {
	id := string(o.id)
	if id == "" {
		id = x.childID()
	}
	text, err := encode(input)
	if err == nil {
		err = history.CheckID(id)
	}
	if err == nil && id == x.instance {
		err = errOwnID
	}
	if err != nil {
		return history.Event{}, fmt.Errorf("begin orchestration %q: %w", name, err)
	}
	return history.Event{
		Kind: history.SubOrchestrationInstanceCreated, Name: name, InstanceID: id, Input: text,
		Version: cmp.Or(string(o.version), x.o.Version),
	}, nil
}

// childID returns the id of an instance that the next action begins.
func (x *Execution) childID() string {
	if x.replaying {
		x.skipNotes()
	}
	return fmt.Sprintf("%s:%d", x.lineage, x.nextID)
}

// SendEvent sends an external event to another instance after this turn is
// durable, and waits for nothing. What one execution sends to one instance
// arrives in order and once. If there is no such instance, or it has ended, the
// event is dropped with a line in the log. The payload stands in both
// histories: a secret one has no place in it. The error is that of a payload
// that is no JSON or of an id that cannot be one.
func SendEvent[T any](c *Context, instance string, name Event[T], payload T) error {
	text, err := encode(payload)
	if err == nil {
		err = history.CheckID(instance)
	}
	if err != nil {
		return fmt.Errorf("send event %q: %w", name, err)
	}
	c.x.act(history.Event{Kind: history.EventSent, Name: string(name), InstanceID: instance, Input: text})
	return nil
}
