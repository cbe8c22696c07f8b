package engine

import (
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// Execution is one run of an orchestration, brought back to life from its
// history. It holds the orchestration's function in the middle of its Await as
// a coroutine, so that the next turn goes on from there; Close puts it away. It
// must not be used concurrently. Nothing in it is durable: what counts is the
// history, and an Execution whose decision was not committed must be thrown
// away.
type Execution struct {
	registry *Registry
	logger   *slog.Logger

	// Who runs.
	instance, name, execution string
	secret                    []string

	// The coroutine; next is nil before the start and after the end.
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	// What is being waited for.
	calls   map[int32]*call
	timers  map[int32]*timer
	waiting map[string][]*task
	kept    map[string][]json.RawMessage
	held    []history.Event // came while suspended

	// Where it stands.
	now          time.Time
	replaying    bool
	suspended    bool
	leaving      bool // the coroutine is being unwound
	nextID       int32
	guids        int
	customStatus json.RawMessage
	seen         map[string]bool         // messages recorded so far
	recorded     map[int32]recordedEvent // actions of the history being replayed
	actions      []history.Event         // actions asked for in this turn

	// How it ended.
	ended   bool
	status  history.Status
	output  json.RawMessage
	failure *history.Failure
}

type call struct {
	task      *task
	scheduled history.Event
}

type timer struct {
	task *task
	id   int32
	at   time.Time
}

type recordedEvent struct {
	history.Event
	position int
}

// ReplayOptions says how Replay brings an execution back.
type ReplayOptions struct {
	// Logger receives what orchestrations log; nil discards it.
	Logger *slog.Logger
}

// Replay brings the instance back to life from its history, which may be empty
// for one that has not begun. The error wraps ErrUnknownName when the
// orchestration is not registered. A history that the code does not follow is
// no error here: it makes the next turn a failure.
func (r *Registry) Replay(instance string, past []history.Event, o ReplayOptions) (*Execution, error) {
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	x := &Execution{
		registry: r, logger: logger.With("instance", instance), instance: instance,
		calls: map[int32]*call{}, timers: map[int32]*timer{},
		waiting: map[string][]*task{}, kept: map[string][]json.RawMessage{},
		seen: map[string]bool{}, recorded: map[int32]recordedEvent{},
	}
	if err := x.replay(past); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// replay runs the code over the past, one event at a time.
func (x *Execution) replay(past []history.Event) error {
	for i, e := range past {
		if e.Kind.IsAction() {
			x.recorded[e.ID] = recordedEvent{e, i}
		}
	}
	x.replaying = true
	for _, e := range past {
		if err := x.take(e); err != nil {
			return err
		}
	}
	x.replaying = false
	x.checkAllAsked()
	x.recorded = nil
	return nil
}

// take lets one recorded event have its effect.
func (x *Execution) take(e history.Event) error {
	if e.Message != "" {
		x.seen[e.Message] = true
	}
	if x.suspended && e.Kind != history.ExecutionResumed && e.Kind != history.ExecutionTerminated && e.Kind != history.OrchestratorStarted {
		x.held = append(x.held, e)
		return nil
	}
	switch e.Kind {
	case history.OrchestratorStarted:
		x.now = e.Time
	case history.ExecutionStarted:
		return x.start(e)
	case history.TaskCompleted:
		x.complete(e.TaskID, e.Result, nil)
	case history.TaskFailed:
		x.complete(e.TaskID, nil, e.Failure)
	case history.TimerFired:
		x.fire(e.TaskID)
	case history.EventRaised:
		x.raise(e.Name, e.Input)
		x.resume()
	case history.ExecutionTerminated:
		x.terminate(e.Reason)
	case history.ExecutionSuspended:
		x.suspended = true
	case history.ExecutionResumed:
		return x.unsuspend()
	case history.ExecutionCompleted:
		x.nextID = e.ID + 1
	}
	return nil
}

func (x *Execution) start(e history.Event) error {
	o, ok := x.registry.orchestrators[e.Name]
	if !ok {
		return fmt.Errorf("run orchestration %q: %w", e.Name, ErrUnknownName)
	}
	x.name, x.execution, x.secret = e.Name, e.Execution, e.Secret
	x.next, x.stop = iter.Pull(func(yield func(struct{}) bool) {
		x.yield = yield
		x.run(o, e.Input)
	})
	x.resume()
	return nil
}

// complete settles an activity's call; a result nobody waits for is ignored.
func (x *Execution) complete(id int32, result json.RawMessage, failure *history.Failure) {
	c, ok := x.calls[id]
	if !ok {
		return
	}
	delete(x.calls, id)
	var err error
	if failure != nil {
		err = &TaskError{Name: c.scheduled.Name, Failure: *failure}
	}
	c.task.settle(result, err)
	x.resume()
}

func (x *Execution) fire(id int32) {
	t, ok := x.timers[id]
	if !ok {
		return
	}
	delete(x.timers, id)
	t.task.settle(nil, nil)
	x.resume()
}

func (x *Execution) terminate(reason string) {
	output, _ := json.Marshal(reason)
	x.end(history.Terminated, output, nil)
}

// unsuspend lets what came during the pause have its effect, in order.
func (x *Execution) unsuspend() error {
	x.suspended = false
	held := x.held
	x.held = nil
	for _, e := range held {
		if err := x.take(e); err != nil {
			return err
		}
	}
	return nil
}

// Status returns where the execution stands after the last turn.
func (x *Execution) Status() history.Status {
	switch {
	case x.ended:
		return x.status
	case x.suspended:
		return history.Suspended
	case x.next == nil:
		return history.Pending
	default:
		return history.Running
	}
}

// Outstanding returns the TaskScheduled events of the activities whose results
// are still waited for, in order.
func (x *Execution) Outstanding() []history.Event {
	if x.ended || len(x.calls) == 0 {
		return nil
	}
	events := make([]history.Event, 0, len(x.calls))
	for _, id := range sortedKeys(x.calls) {
		events = append(events, x.calls[id].scheduled)
	}
	return events
}

// NextTimer returns when the earliest timer is due that has not fired; the zero
// time if there is none.
func (x *Execution) NextTimer() time.Time {
	var next time.Time
	if x.ended {
		return next
	}
	for _, t := range x.timers {
		if x.hasFired(t.id) {
			continue
		}
		if next.IsZero() || t.at.Before(next) {
			next = t.at
		}
	}
	return next
}

// WaitingFor returns the names of the events that are waited for, in order.
func (x *Execution) WaitingFor() []string {
	var names []string
	for name, tasks := range x.waiting {
		if len(tasks) > 0 && !x.ended {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Close puts the orchestration's function away. It may be called more than
// once.
func (x *Execution) Close() {
	if x.stop != nil {
		x.leaving = true
		x.stop()
		x.stop = nil
	}
}
