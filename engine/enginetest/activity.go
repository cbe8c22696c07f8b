package enginetest

import (
	"context"
	"encoding/json"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// Faked stands for an activity or a sub-orchestration whose place is taken by a
// function of the test.
type Faked struct {
	takes time.Duration
	run   func(context.Context, engine.Call, json.RawMessage) (json.RawMessage, *history.Failure)
}

// Takes lets each call take so long. Without it a call takes no time.
func (f *Faked) Takes(d time.Duration) *Faked {
	f.takes = d
	return f
}

// Fake lets fn run instead of the activity, which need not be registered. Another
// fake of the same name takes its place.
func Fake[In, Out any](e *Env, name engine.Activity[In, Out], fn func(context.Context, In) (Out, error)) *Faked {
	r := engine.NewRegistry()
	engine.AddActivity(r, name, fn)
	f := &Faked{run: r.RunActivity}
	e.fakes[string(name)] = f
	return f
}

// FakeChild lets fn stand for the sub-orchestration: no instance is begun, and
// what it returns is the result of the call. The orchestration need not be
// registered.
func FakeChild[In, Out any](e *Env, name engine.Orchestrator[In, Out], fn func(context.Context, In) (Out, error)) *Faked {
	r := engine.NewRegistry()
	engine.AddActivity(r, engine.Activity[In, Out](name), fn)
	f := &Faked{run: r.RunActivity}
	e.children[string(name)] = f
	return f
}

// called is a call that was asked for.
type called struct {
	kind  history.Kind
	name  string
	input json.RawMessage
}

// Calls returns the inputs with which the activity was called so far, in order,
// each attempt of a retry included. Calls that a crash repeats are one call.
func Calls[In, Out any](e *Env, name engine.Activity[In, Out]) []In {
	e.Helper()
	return inputs[In](e, history.TaskScheduled, string(name))
}

// Children returns the inputs with which instances of the orchestration were
// begun by others so far, in order.
func Children[In, Out any](e *Env, name engine.Orchestrator[In, Out]) []In {
	e.Helper()
	return inputs[In](e, history.SubOrchestrationInstanceCreated, string(name))
}

func inputs[In any](e *Env, kind history.Kind, name string) []In {
	e.Helper()
	var list []In
	for _, c := range e.calls {
		if c.kind == kind && c.name == name {
			list = append(list, read[In](e, "the input of "+name, c.input))
		}
	}
	return list
}

// read reads a JSON text; no text is the zero value.
func read[T any](e *Env, what string, text json.RawMessage) T {
	e.Helper()
	var v T
	if len(text) > 0 {
		if err := json.Unmarshal(text, &v); err != nil {
			e.Fatalf("read %s: %v", what, err)
		}
	}
	return v
}

// schedule lets an activity run when its time has come.
func (e *Env) schedule(i *instance, call engine.Call, scheduled history.Event) {
	e.Helper()
	e.calls = append(e.calls, &called{history.TaskScheduled, call.Name, scheduled.Input})
	fake, ok := e.fakes[call.Name]
	if !ok {
		fake = &Faked{run: e.registry.RunActivity}
	}
	e.At(fake.takes, func() { e.perform(i, call, scheduled, fake) })
}

// perform runs an activity, unless nobody waits for it any more. A crash after it
// leaves its result unheard: it is run again, or known to be interrupted.
func (e *Env) perform(i *instance, call engine.Call, scheduled history.Event, fake *Faked) {
	e.Helper()
	if !i.awaits(call) {
		return
	}
	result, failure := fake.run(e.Context(), call, scheduled.Input)
	if failure != nil && failure.Kind == engine.KindUnknownActivity {
		e.Fatalf("activity %q is called by %s and is neither registered nor faked; see enginetest.Fake\n%s", call.Name, i, e.story(i))
	}
	if e.crashes("after activity %s ran for %s, before its result was written", call.Name, i) {
		if e.registry.RunsAtMostOnce(call.Name) {
			i.receive(i.interrupted(call))
			return
		}
		result, failure = fake.run(e.Context(), call, scheduled.Input)
	}
	done := history.Event{Kind: history.TaskCompleted, ID: history.Outside, Time: e.now, TaskID: call.Task, Execution: call.Execution, Result: result}
	if failure != nil {
		done.Kind, done.Result, done.Failure = history.TaskFailed, nil, failure
	}
	i.receive(done)
}

// awaits reports whether the result of a call is of use.
func (i *instance) awaits(call engine.Call) bool {
	if i.status.IsTerminal() || i.start.Execution != call.Execution {
		return false
	}
	return i.alive().Waiting(call.Task) != nil
}

// deliver brings what an instance sent to those it is for.
func (e *Env) deliver(from *instance, sends []engine.Send) {
	e.Helper()
	for _, send := range sends {
		if send.Message.Kind == history.ExecutionStarted {
			e.deliverStart(from, send)
			continue
		}
		if to, ok := e.byID[send.To]; ok && !to.status.IsTerminal() {
			to.receive(send.Message)
		}
	}
}

// deliverStart begins an instance for another, or lets a fake stand for it. A
// start that comes again has no effect.
func (e *Env) deliverStart(from *instance, send engine.Send) {
	e.Helper()
	start := send.Message
	to, exists := e.byID[send.To]
	if exists && (to.start.Execution == start.Execution || to.first == start.Execution) || e.wasFaked(start) {
		return
	}
	e.calls = append(e.calls, &called{history.SubOrchestrationInstanceCreated, start.Name, start.Input})
	switch fake, faked := e.children[start.Name]; {
	case faked:
		e.fakeChild(from, start, fake)
	case exists && !to.status.IsTerminal():
		if send.Refused != nil {
			from.receive(*send.Refused)
		}
	default:
		e.begin(send.To, start)
	}
}

// wasFaked reports whether a fake stood for the start already.
func (e *Env) wasFaked(start history.Event) bool {
	_, again := e.byID[fakeID(start)]
	return again
}

func fakeID(start history.Event) string { return "faked\x00" + start.Execution }

// fakeChild lets a fake stand for an instance, and brings its result to the one
// who waits for it.
func (e *Env) fakeChild(from *instance, start history.Event, fake *Faked) {
	e.byID[fakeID(start)] = &instance{env: e, id: fakeID(start), start: start, status: history.Completed}
	e.At(fake.takes, func() {
		result, failure := fake.run(e.Context(), engine.Call{Name: start.Name, Instance: from.id}, start.Input)
		if start.Parent == nil {
			return
		}
		notice := e.message(history.Event{Kind: history.SubOrchestrationInstanceCompleted, TaskID: start.Parent.Task, Execution: start.Parent.Execution, Result: result})
		if failure != nil {
			notice.Kind, notice.Result, notice.Failure = history.SubOrchestrationInstanceFailed, nil, failure
		}
		from.receive(notice)
	})
}
