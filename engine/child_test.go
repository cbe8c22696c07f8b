package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

const kid engine.Orchestrator[int, int] = "kid"

// notice is a child's message to its parent.
func (d *desk) notice(call int32, result string, failure *history.Failure) history.Event {
	e := d.message(history.Event{Kind: history.SubOrchestrationInstanceCompleted, TaskID: call, Execution: "e1"})
	if e.Result = json.RawMessage(result); failure != nil {
		e.Kind, e.Result, e.Failure = history.SubOrchestrationInstanceFailed, nil, failure
	}
	return e
}

// sends returns what the last turn sends to others.
func (d *desk) sends() []engine.Send { return d.live.Sends(d.last.Events) }

func TestAChildIsBegunForItsCallAndItsResultReachesIt(t *testing.T) {
	d := one(t, "20", func(ctx *engine.Context, n int) (int, error) {
		m, err := engine.CallSubOrchestrator(ctx, kid, n).Await()
		return m + 2, err
	})
	sends := d.sends()
	if len(sends) != 1 || sends[0].To != "e1:0" || sends[0].Number != 0 {
		t.Fatalf("it sends %+v", sends)
	}
	start := sends[0].Message
	if start.Kind != history.ExecutionStarted || start.Name != "kid" || string(start.Input) != "20" || start.Execution == "" || start.Message == "" {
		t.Errorf("the start is %+v", start)
	}
	if want := (history.Parent{Instance: "i1", Execution: "e1", Name: "test", Task: 0}); *start.Parent != want {
		t.Errorf("the parent is %+v, want %+v", *start.Parent, want)
	}
	if len(d.live.Outstanding()) != 0 {
		t.Error("a child is no activity")
	}
	d.turn(d.notice(0, "40", nil))
	d.wantOutput(history.Completed, "42")
}

func TestAChildKnowsTheSecretEventsOfItsOrchestration(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, kid, func(*engine.Context, int) (int, error) { return 0, nil }, engine.SecretEvent("Code"))
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, n int) (int, error) {
		return engine.CallSubOrchestrator(ctx, kid, n).Await()
	})
	d := newDesk(t, r)
	d.start("test", "1")
	if secret := d.sends()[0].Message.Secret; !reflect.DeepEqual(secret, []string{"Code"}) {
		t.Errorf("its secret events are %q", secret)
	}
}

func TestAChildsFailureIsATaskError(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		_, err := engine.CallSubOrchestrator(ctx, kid, n, engine.InstanceID("own")).Await()
		var failed *engine.TaskError
		if !errors.As(err, &failed) {
			return "", fmt.Errorf("not a TaskError: %w", err)
		}
		return failed.Name + " " + failed.Instance + " " + failed.Kind() + " " + failed.Error(), nil
	})
	d.turn(d.notice(0, "", &history.Failure{Kind: "broke", Message: "no money"}))
	d.wantOutput(history.Completed, `"kid own broke sub-orchestration \"kid\" (instance \"own\") failed: broke: no money"`)
}

func TestResultsOfOthersAreNotTakenForAChilds(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		activity := engine.CallActivity(ctx, double, n)
		if _, err := activity.Await(); err != nil {
			return 0, err
		}
		return engine.CallSubOrchestrator(ctx, kid, n).Await()
	})
	old := d.notice(0, "1", nil)
	old.Execution = "e0"
	for _, stray := range []history.Event{old, d.notice(0, "1", nil), d.notice(1, "1", nil)} {
		if got := d.turn(stray); len(got.Events) != 0 {
			t.Errorf("recorded %v", got.Events)
		}
	}
	d.turn(d.result(0, "1"))
	if got := d.turn(d.result(1, "7")); len(got.Events) != 0 {
		t.Errorf("recorded %v", got.Events)
	}
	d.turn(d.notice(1, "8", nil))
	d.wantOutput(history.Completed, "8")
}

func TestACallThatCannotBeFailsAndIsNotRecorded(t *testing.T) {
	for id, part := range map[string]string{"i1": "instance itself", "a/b": "not allowed", "@a": "begins with @"} {
		d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
			_, err := engine.CallSubOrchestrator(ctx, kid, n, engine.InstanceID(id)).Await()
			_, again := engine.StartOrchestrator(ctx, kid, n, engine.InstanceID(id))
			return fmt.Sprint(err, again), nil
		})
		if got := string(d.last.Output); strings.Count(got, part) != 2 {
			t.Errorf("%s: %s", id, got)
		}
		if sends := d.sends(); len(sends) != 0 || len(d.past) != 3 {
			t.Errorf("%s: it sends %v", id, sends)
		}
	}
}

func TestACanceledChildGoesUnheard(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		child := engine.CallSubOrchestrator(ctx, kid, n)
		child.Cancel()
		late := engine.CallSubOrchestrator(ctx, kid, n, engine.Until(ctx.Now().Add(time.Hour)))
		_, err := late.Await()
		_, canceled := child.Await()
		return fmt.Sprint(err == engine.ErrTimeout, canceled == engine.ErrCanceled), nil
	})
	if len(d.sends()) != 2 {
		t.Errorf("it sends %v", d.sends())
	}
	if got := d.turn(d.notice(0, "1", nil)); len(got.Events) != 0 {
		t.Errorf("recorded %v", got.Events)
	}
	d.now = d.now.Add(time.Hour)
	d.turn()
	d.wantOutput(history.Completed, `"true true"`)
}

func TestAChildIsCalledAgain(t *testing.T) {
	for _, id := range []engine.InstanceID{"", "own"} {
		d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
			return engine.CallSubOrchestrator(ctx, kid, n, id, engine.RetryPolicy{MaxAttempts: 2, InitialRetryInterval: time.Minute}).Await()
		})
		first := d.sends()[0]
		d.turn(d.notice(0, "", &history.Failure{Kind: "broke"}))
		d.now = d.now.Add(time.Minute)
		d.turn()
		second := d.sends()[0]
		if second.Number != 2 || second.Message.Execution == first.Message.Execution || (second.To == first.To) != (id != "") {
			t.Errorf("with id %q: first %+v, then %+v", id, first, second)
		}
		d.turn(d.notice(2, "5", nil))
		d.wantOutput(history.Completed, "5")
	}
}

func TestEventsAreSentInOrder(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (any, error) {
		for i := range 3 {
			if err := engine.SendEvent(ctx, "other", number, i); err != nil {
				return nil, err
			}
		}
		return nil, engine.SendEvent(ctx, "a/b", number, 4)
	})
	if d.last.Status != history.Failed || d.last.Failure == nil || !strings.Contains(d.last.Failure.Message, "a/b") {
		t.Errorf("it is %v (%v)", d.last.Status, d.last.Failure)
	}
	sends := d.sends()
	if len(sends) != 3 {
		t.Fatalf("it sends %+v", sends)
	}
	for i, send := range sends {
		m := send.Message
		if send.To != "other" || m.Kind != history.EventRaised || m.Name != "Number" || string(m.Input) != fmt.Sprint(i) || m.InstanceID != "i1" || m.Message == "" {
			t.Errorf("send %d is %+v", i, send)
		}
		if i > 0 && m.Message <= sends[i-1].Message.Message {
			t.Errorf("the id %s of message %d does not sort behind %s", m.Message, i, sends[i-1].Message.Message)
		}
	}
}

func TestAStartThatNobodyWaitsForHasNoParent(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		return engine.StartOrchestrator(ctx, kid, n)
	})
	d.wantOutput(history.Completed, `"e1:0"`)
	if sends := d.sends(); len(sends) != 1 || sends[0].Message.Parent != nil || sends[0].Refused != nil {
		t.Errorf("it sends %+v", sends)
	}
}

// child returns a desk with a started child of the call 7 of an instance.
func child(t *testing.T, fn func(*engine.Context, int) (int, error)) *desk {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, kid, fn)
	d := newDesk(t, r)
	d.turn(d.message(history.Event{Kind: history.ExecutionStarted, Name: "kid", Execution: "e1", Input: json.RawMessage("1"),
		Parent: &history.Parent{Instance: "p", Execution: "pe", Name: "parent", Task: 7}}))
	return d
}

func TestTheEndOfAChildIsToldToItsParent(t *testing.T) {
	for what, want := range map[string]struct {
		fn      func(*engine.Context, int) (int, error)
		message history.Event
		kind    history.Kind
		result  string
		failure string
	}{
		"completed":  {fn: func(*engine.Context, int) (int, error) { return 0, nil }, kind: history.SubOrchestrationInstanceCompleted, result: "0"},
		"failed":     {fn: func(*engine.Context, int) (int, error) { return 0, errors.New("no money") }, kind: history.SubOrchestrationInstanceFailed, failure: "error: no money"},
		"panicked":   {fn: func(*engine.Context, int) (int, error) { panic("boom") }, kind: history.SubOrchestrationInstanceFailed, failure: "panic: boom"},
		"terminated": {fn: waitForNumber, message: history.Event{Kind: history.ExecutionTerminated, Reason: "enough"}, kind: history.SubOrchestrationInstanceFailed, failure: "terminated: enough"},
	} {
		d := child(t, want.fn)
		if want.message.Kind != 0 {
			d.turn(d.message(want.message))
		}
		sends := d.sends()
		if len(sends) != 1 || sends[0].To != "p" {
			t.Errorf("%s: it sends %+v", what, sends)
			continue
		}
		m := sends[0].Message
		if m.Kind != want.kind || m.TaskID != 7 || m.Execution != "pe" || string(m.Result) != want.result || m.Failure.String() != want.failure {
			t.Errorf("%s: it sends %+v (%v)", what, m, m.Failure)
		}
	}
}

func waitForNumber(ctx *engine.Context, _ int) (int, error) {
	return engine.WaitForExternalEvent(ctx, number).Await()
}

func TestATerminationGoesOnToWhatWasCalledIfItIsToldTo(t *testing.T) {
	for _, recurse := range []bool{false, true} {
		d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
			done := engine.CallSubOrchestrator(ctx, kid, n)
			engine.CallSubOrchestrator(ctx, kid, n).Cancel()
			if _, err := engine.StartOrchestrator(ctx, kid, n); err != nil {
				return 0, err
			}
			engine.CallSubOrchestrator(ctx, kid, n)
			if _, err := done.Await(); err != nil {
				return 0, err
			}
			return waitForNumber(ctx, n)
		})
		d.turn(d.notice(0, "1", nil))
		d.turn(d.message(history.Event{Kind: history.ExecutionTerminated, Reason: "enough", Recurse: recurse}))
		d.wantOutput(history.Terminated, `"enough"`)
		to := ""
		for _, send := range d.sends() {
			to += send.To + " "
			if m := send.Message; m.Kind != history.ExecutionTerminated || !m.Recurse || m.Reason != "enough" || m.Parent == nil || m.Parent.Instance != "i1" {
				t.Errorf("it sends %+v", m)
			}
		}
		if want := map[bool]string{false: "", true: "e1:1 e1:3 "}[recurse]; to != want {
			t.Errorf("with recurse %v it terminates %q, want %q", recurse, to, want)
		}
	}
}

func TestATerminationFromAboveIsOnlyForItsOwnChild(t *testing.T) {
	terminate := func(d *desk, parent *history.Parent) {
		d.turn(d.message(history.Event{Kind: history.ExecutionTerminated, Parent: parent}))
	}
	mine := history.Parent{Instance: "p", Execution: "pe", Name: "parent", Task: 7}
	other := mine
	other.Task = 8
	d := child(t, waitForNumber)
	if terminate(d, &other); d.last.Status != history.Running {
		t.Errorf("the termination of another call made it %v", d.last.Status)
	}
	if terminate(d, &mine); d.last.Status != history.Terminated {
		t.Errorf("it is %v", d.last.Status)
	}
	stranger := one(t, "1", waitForNumber)
	if terminate(stranger, &mine); stranger.last.Status != history.Running {
		t.Errorf("an instance without a parent is %v", stranger.last.Status)
	}
}

func TestATerminationFromAboveIsHeardWithTheStart(t *testing.T) {
	mine := history.Parent{Instance: "p", Execution: "pe", Name: "parent", Task: 7}
	other := mine
	other.Task = 8
	for _, of := range []history.Parent{mine, other} {
		r := engine.NewRegistry()
		engine.AddOrchestrator(r, kid, waitForNumber)
		d := newDesk(t, r)
		d.turn(d.message(history.Event{Kind: history.ExecutionStarted, Name: "kid", Execution: "e1", Input: json.RawMessage("1"), Parent: &mine}),
			d.message(history.Event{Kind: history.ExecutionTerminated, Parent: &of}))
		if terminated := d.last.Status == history.Terminated; terminated != (of == mine) {
			t.Errorf("the termination for call %d made it %v", of.Task, d.last.Status)
		}
	}
}

func TestAnotherTargetIsAnotherAction(t *testing.T) {
	to := "first"
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		if err := engine.SendEvent(ctx, to, number, n); err != nil {
			return 0, err
		}
		return waitForNumber(ctx, n)
	})
	to = "second"
	d.live = d.replay()
	d.turn(d.event("Number", "1"))
	if f := d.last.Failure; f == nil || f.Kind != engine.KindNonDeterministic || !strings.Contains(f.Message, `for instance "first"`) || !strings.Contains(f.Message, `for instance "second"`) {
		t.Errorf("%v", f)
	}
}
