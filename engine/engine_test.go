package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// desk drives one instance turn by turn with a clock of its own. Every turn is
// made twice, by the execution that lived through the earlier turns and by one
// that was just replayed from the history, and both must decide alike.
type desk struct {
	t    *testing.T
	r    *engine.Registry
	past []history.Event
	now  time.Time
	live *engine.Execution
	last engine.Decision
	n    int
}

func newDesk(t *testing.T, r *engine.Registry) *desk {
	d := &desk{t: t, r: r, now: epoch}
	d.live = d.replay()
	return d
}

func (d *desk) replay() *engine.Execution {
	d.t.Helper()
	x := d.r.Replay("i1", d.past, engine.ReplayOptions{})
	d.t.Cleanup(x.Close)
	return x
}

func (d *desk) turn(messages ...history.Event) engine.Decision {
	d.t.Helper()
	again := d.replay()
	defer again.Close()
	want, err := again.Turn(d.now, messages)
	if err != nil {
		d.t.Fatal(err)
	}
	got, err := d.live.Turn(d.now, messages)
	if err != nil {
		d.t.Fatal(err)
	}
	if !reflect.DeepEqual(withoutStack(got), withoutStack(want)) {
		d.t.Fatalf("the live execution decided\n%+v\nthe replayed one\n%+v", got, want)
	}
	if !reflect.DeepEqual(d.live.Outstanding(), again.Outstanding()) || !d.live.NextTimer().Equal(again.NextTimer()) ||
		!reflect.DeepEqual(d.live.WaitingFor(), again.WaitingFor()) {
		d.t.Fatal("the live and the replayed execution wait for different things")
	}
	if got.Begun != nil {
		d.past = nil
	}
	d.past = append(d.past, got.Events...)
	sent, found := again.Sends(got.Events), d.r.Sends("i1", d.past)
	if found = found[len(found)-len(sent):]; len(sent) > 0 && !reflect.DeepEqual(found, sent) {
		d.t.Fatalf("the turn sends\n%+v\nand its history\n%+v", sent, found)
	}
	d.last = got
	return got
}

// withoutStack drops what depends on who called the code.
func withoutStack(d engine.Decision) engine.Decision {
	if d.Failure == nil {
		return d
	}
	f := *d.Failure
	f.Stack = ""
	d.Failure = &f
	d.Events = slices.Clone(d.Events)
	for i := range d.Events {
		if d.Events[i].Failure != nil {
			d.Events[i].Failure = &f
		}
	}
	return d
}

func (d *desk) message(e history.Event) history.Event {
	d.n++
	e.Message = fmt.Sprintf("m%03d", d.n)
	e.ID = history.Outside
	if e.Time.IsZero() {
		e.Time = d.now
	}
	return e
}

func (d *desk) start(name string, input string, secret ...string) engine.Decision {
	d.t.Helper()
	return d.turn(d.message(history.Event{Kind: history.ExecutionStarted, Name: name, Execution: "e1", Input: json.RawMessage(input), Secret: secret}))
}

func (d *desk) event(name, payload string) history.Event {
	return d.message(history.Event{Kind: history.EventRaised, Name: name, Input: json.RawMessage(payload)})
}

func (d *desk) result(id int32, result string) history.Event {
	return history.Event{Kind: history.TaskCompleted, ID: history.Outside, Time: d.now, TaskID: id, Result: json.RawMessage(result)}
}

func (d *desk) wantOutput(status history.Status, output string) {
	d.t.Helper()
	if d.last.Status != status || string(d.last.Output) != output {
		d.t.Errorf("ended %v with %s (%v); want %v with %s", d.last.Status, d.last.Output, d.last.Failure, status, output)
	}
}

// one registers fn under "test" and returns a desk on which it was started.
func one[In, Out any](t *testing.T, input string, fn func(*engine.Context, In) (Out, error), options ...engine.OrchestratorOption) *desk {
	t.Helper()
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", fn, options...)
	d := newDesk(t, r)
	d.start("test", input, r.SecretEvents("test")...)
	return d
}

const (
	double engine.Activity[int, int] = "double"
	answer engine.Event[string]      = "Answer"
	number engine.Event[int]         = "Number"
)

func TestActivityResultReachesTheCaller(t *testing.T) {
	d := one(t, "20", func(ctx *engine.Context, n int) (int, error) {
		m, err := engine.CallActivity(ctx, double, n).Await()
		return m + 2, err
	})
	calls := d.live.Outstanding()
	if len(calls) != 1 || calls[0].Name != "double" || string(calls[0].Input) != "20" || calls[0].ID != 0 {
		t.Fatalf("outstanding: %v", calls)
	}
	d.turn(d.result(0, "40"))
	d.wantOutput(history.Completed, "42")
}

func TestResultIsRecordedOnce(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		if _, err := engine.CallActivity(ctx, double, n).Await(); err != nil {
			return "", err
		}
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.turn(d.result(0, "2"), d.result(0, "3"), history.Event{Kind: history.TaskFailed, TaskID: 0})
	for _, late := range []history.Event{d.result(0, "4"), d.result(9, "5"), {Kind: history.TaskFailed, TaskID: 0}} {
		if got := d.turn(late); len(got.Events) != 0 {
			t.Errorf("recorded %v", got.Events)
		}
	}
	completed := 0
	for _, e := range d.past {
		if e.Kind == history.TaskCompleted || e.Kind == history.TaskFailed {
			completed++
		}
	}
	if completed != 1 {
		t.Errorf("%d results recorded", completed)
	}
}

func TestMessageDeliveredTwiceIsRecordedOnce(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
		return engine.WhenAll(ctx, engine.WaitForExternalEvent(ctx, number), engine.WaitForExternalEvent(ctx, number)).Await()
	})
	first := d.event("Number", "1")
	d.turn(first, first)
	if got := d.turn(first); len(got.Events) != 0 {
		t.Errorf("recorded %v", got.Events)
	}
	d.turn(d.event("Number", "2"))
	d.wantOutput(history.Completed, "[1,2]")
}

func TestResultOfAnEarlierExecutionIsIgnored(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) { return engine.CallActivity(ctx, double, n).Await() })
	old := d.result(0, "7")
	old.Execution = "e0"
	if got := d.turn(old); len(got.Events) != 0 {
		t.Errorf("recorded %v", got.Events)
	}
	mine := d.result(0, "8")
	mine.Execution = "e1"
	d.turn(mine)
	d.wantOutput(history.Completed, "8")
}

func TestFailedActivityIsATaskError(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		_, err := engine.CallActivity(ctx, double, n).Await()
		var failed *engine.TaskError
		if !errors.As(err, &failed) || engine.KindOf(err) != "teapot" || errors.Is(err, engine.ErrInterrupted) {
			return "", fmt.Errorf("unexpected error %w", err)
		}
		return failed.Failure.Message, nil
	})
	d.turn(history.Event{Kind: history.TaskFailed, TaskID: 0, Failure: &history.Failure{Kind: "teapot", Message: "short and stout"}})
	d.wantOutput(history.Completed, `"short and stout"`)
}

func TestInterruptedActivityMatchesItsSentinel(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (bool, error) {
		_, err := engine.CallActivity(ctx, double, n).Await()
		return errors.Is(err, engine.ErrInterrupted), nil
	})
	d.turn(history.Event{Kind: history.TaskFailed, TaskID: 0, Failure: &history.Failure{Kind: engine.KindInterrupted}})
	d.wantOutput(history.Completed, "true")
}

func TestEventsAreKeptUntilSomeoneWaits(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		if _, err := engine.CallActivity(ctx, double, n).Await(); err != nil {
			return "", err
		}
		a, _ := engine.WaitForExternalEvent(ctx, answer).Await()
		b, _ := engine.WaitForExternalEvent(ctx, answer).Await()
		return a + b, nil
	})
	d.turn(d.event("Answer", `"early "`))
	d.turn(d.event("Answer", `"bird"`), d.result(0, "2"))
	d.wantOutput(history.Completed, `"early bird"`)
}

func TestEventsAndWaitersAreServedInOrder(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
		a := engine.WaitForExternalEvent(ctx, number)
		b := engine.WaitForExternalEvent(ctx, number)
		c := engine.WaitForExternalEvent(ctx, number)
		return engine.WhenAll(ctx, a, b, c).Await()
	})
	d.turn(d.event("Number", "1"), d.event("number", "99"))
	d.turn(d.event("Number", "2"), d.event("Number", "3"))
	d.wantOutput(history.Completed, "[1,2,3]")
}

func TestCanceledAndTimedOutWaitersTakeNoEvent(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		given := engine.WaitForExternalEvent(ctx, answer)
		given.Cancel()
		if _, err := given.Await(); !errors.Is(err, engine.ErrCanceled) {
			return "", fmt.Errorf("canceled wait returned %w", err)
		}
		_, err := engine.WaitForExternalEvent(ctx, answer, engine.Until(ctx.Now().Add(time.Minute))).Await()
		if !errors.Is(err, engine.ErrTimeout) {
			return "", fmt.Errorf("timed-out wait returned %w", err)
		}
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.now = d.now.Add(time.Minute)
	d.turn()
	d.turn(d.event("Answer", `"mine"`))
	d.wantOutput(history.Completed, `"mine"`)
}

// The classic defect, that of durabletask-go v0.6.0: the timer of a first wait, never
// canceled, destroys the second wait for the same event.
func TestTimerOfAnAnsweredWaitDoesNotHurtTheNext(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		for {
			code, err := engine.WaitForExternalEvent(ctx, answer, engine.Until(ctx.Now().Add(90*time.Second))).Await()
			if err != nil || code == "right" {
				return code, err
			}
		}
	})
	d.now = d.now.Add(80 * time.Second)
	d.turn(d.event("Answer", `"wrong"`))
	d.now = d.now.Add(20 * time.Second) // past the first deadline, within the second
	if got := d.turn(); len(got.Events) != 0 {
		t.Fatalf("the dead timer fired: %v", got.Events)
	}
	d.turn(d.event("Answer", `"right"`))
	d.wantOutput(history.Completed, `"right"`)
}

func TestTimerNeverFiresEarly(t *testing.T) {
	for _, wait := range []time.Duration{time.Nanosecond, time.Minute, 400 * 24 * time.Hour, 90 * 365 * 24 * time.Hour} {
		d := one(t, "null", func(ctx *engine.Context, _ any) (time.Time, error) {
			at := ctx.Now().Add(wait)
			_, err := ctx.CreateTimer(at).Await()
			if ctx.Now().Before(at) {
				return at, errors.New("the clock is behind the timer")
			}
			return ctx.Now(), err
		})
		if next := d.live.NextTimer(); !next.Equal(epoch.Add(wait)) {
			t.Fatalf("next timer at %v", next)
		}
		d.now = epoch.Add(wait - 1)
		if got := d.turn(); len(got.Events) != 0 {
			t.Fatalf("%v: fired early", wait)
		}
		d.now = epoch.Add(wait)
		d.turn()
		if d.last.Status != history.Completed {
			t.Errorf("%v: %v %v", wait, d.last.Status, d.last.Failure)
		}
	}
}

func TestOverdueTimerFiresAtOnce(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		_, err := ctx.CreateTimer(ctx.Now().Add(-time.Hour)).Await()
		return "fired", err
	})
	d.turn()
	d.wantOutput(history.Completed, `"fired"`)
}

func TestOrchestrationCompletesWithTimersPending(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		ctx.CreateTimer(ctx.Now().Add(time.Hour))
		return "done", nil
	})
	d.wantOutput(history.Completed, `"done"`)
	if !d.live.NextTimer().IsZero() {
		t.Error("a timer outlived its execution")
	}
}

func TestRaceIsDecidedByTimeOfAcceptance(t *testing.T) {
	race := func(ctx *engine.Context, _ any) (string, error) {
		event := engine.WaitForExternalEvent(ctx, answer)
		deadline := ctx.CreateTimer(ctx.Now().Add(time.Minute))
		winner, err := engine.WhenAny(ctx, event, deadline).Await()
		if winner == deadline {
			return "late", err
		}
		return event.Await()
	}
	for _, c := range []struct {
		accepted time.Duration
		want     string
	}{{59 * time.Second, `"in time"`}, {time.Minute, `"in time"`}, {61 * time.Second, `"late"`}} {
		d := one(t, "null", race)
		e := d.event("Answer", `"in time"`)
		e.Time = epoch.Add(c.accepted)
		d.now = epoch.Add(time.Hour) // the worker was away
		d.turn(e)
		d.wantOutput(history.Completed, c.want)
	}
}

func TestWhenAnyFollowsHistoryThenArgumentOrder(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		a, b := engine.CallActivity(ctx, double, 1), engine.CallActivity(ctx, double, 2)
		first := engine.WhenAny(ctx, a, b)
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return "", err
		}
		w, _ := first.Await()
		v, _ := engine.WhenAny(ctx, a, b).Await()
		nested, _ := engine.WhenAny(ctx, engine.WaitForExternalEvent(ctx, number), engine.WhenAny(ctx, b)).Await()
		return fmt.Sprint(w == b, v == a, nested.Done()), nil
	})
	d.turn(d.result(1, "4"), d.result(0, "2"))
	d.turn(d.event("Answer", `""`))
	d.wantOutput(history.Completed, `"true true true"`)
}

func TestWhenAnyOfNothingIsAnError(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (bool, error) {
		_, err := engine.WhenAny(ctx).Await()
		return err != nil, nil
	})
	d.wantOutput(history.Completed, "true")
}

func TestWhenAllWaitsForAllAndJoinsErrors(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		values, err := engine.WhenAll(ctx, engine.CallActivity(ctx, double, 1), engine.CallActivity(ctx, double, 2), engine.CallActivity(ctx, double, 3)).Await()
		return fmt.Sprint(values, err != nil && strings.Contains(err.Error(), "boom") && strings.Contains(err.Error(), "bang")), nil
	})
	d.turn(history.Event{Kind: history.TaskFailed, TaskID: 2, Failure: &history.Failure{Message: "bang"}})
	d.turn(history.Event{Kind: history.TaskFailed, TaskID: 0, Failure: &history.Failure{Message: "boom"}})
	if d.last.Status != history.Running {
		t.Fatal("WhenAll did not wait for all")
	}
	d.turn(d.result(1, "4"))
	d.wantOutput(history.Completed, `"[0 4 0] true"`)
}

func TestSelectReadsLikeASwitch(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		reply := engine.WaitForExternalEvent(ctx, answer)
		call := engine.CallActivity(ctx, double, 1)
		deadline := ctx.CreateTimer(ctx.Now().Add(time.Hour))
		for {
			switch engine.Select(ctx, reply, call, deadline) {
			case reply:
				return reply.Await()
			case call:
				if _, err := call.Await(); err == nil {
					return "", errors.New("the call did not fail")
				}
				call = engine.CallActivity(ctx, double, 2)
			case deadline:
				return "late", nil
			}
		}
	})
	d.turn(history.Event{Kind: history.TaskFailed, TaskID: 0, Failure: &history.Failure{Kind: "busy"}})
	d.turn(d.event("Answer", `"yes"`))
	d.wantOutput(history.Completed, `"yes"`)
}

func TestSelectOfNothingFails(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (bool, error) { return engine.Select(ctx) == nil, nil })
	d.wantFailure(engine.KindPanic, "no task to wait for")
}

func TestTasksOfDifferentTypesAreWaitedForTogether(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		call, reply := engine.CallActivity(ctx, double, 1), engine.WaitForExternalEvent(ctx, answer)
		numbers := engine.WhenAll(ctx, engine.WaitForExternalEvent(ctx, number), engine.WaitForExternalEvent(ctx, number))
		all := engine.WhenAllDone(ctx, call, reply, numbers)
		deadline := ctx.CreateTimer(ctx.Now().Add(time.Hour))
		inTime := engine.Select(ctx, all, deadline) == all
		_, err := all.Await()
		text, _ := reply.Await()
		sum, _ := numbers.Await()
		return fmt.Sprint(inTime, text, sum, err != nil && strings.Contains(err.Error(), "busy") && strings.Contains(err.Error(), "Number")), nil
	})
	d.turn(d.event("Number", "1"), history.Event{Kind: history.TaskFailed, TaskID: 0, Failure: &history.Failure{Kind: "busy"}})
	d.turn(d.event("Number", `"none"`))
	if d.last.Status != history.Running {
		t.Fatal("it did not wait for all")
	}
	d.turn(d.event("Answer", `"yes"`))
	d.wantOutput(history.Completed, `"trueyes[1 0] true"`)
}

func TestNoTasksAtAllAreDone(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (bool, error) {
		_, err := engine.WhenAllDone(ctx).Await()
		return true, err
	})
	d.wantOutput(history.Completed, "true")
}

func TestCancelingARaceLeavesTheRunners(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		reply := engine.WaitForExternalEvent(ctx, answer)
		engine.WhenAny(ctx, reply, ctx.CreateTimer(ctx.Now().Add(time.Hour))).Cancel()
		return reply.Await()
	})
	d.turn(d.event("Answer", `"yes"`))
	d.wantOutput(history.Completed, `"yes"`)
}

func TestAWaitMayHaveADefault(t *testing.T) {
	wait := func(ctx *engine.Context, _ any) ([]int, error) {
		timed := engine.WaitForExternalEvent(ctx, number, engine.Until(ctx.Now().Add(time.Minute)))
		canceled := engine.WaitForExternalEvent(ctx, number)
		canceled.Cancel()
		if _, err := canceled.AwaitOr(5); !errors.Is(err, engine.ErrCanceled) {
			return nil, fmt.Errorf("a canceled wait returned %w", err)
		}
		n, err := timed.AwaitOr(7)
		return []int{n}, err
	}
	d := one(t, "null", wait)
	d.wake()
	d.wantOutput(history.Completed, "[7]")
	d = one(t, "null", wait)
	d.turn(d.event("Number", "0"))
	d.wantOutput(history.Completed, "[0]")
}

func TestWhenAllOfNothingCompletes(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) { return engine.WhenAll[int](ctx).Await() })
	d.wantOutput(history.Completed, "[]")
}

func TestFalsyPayloadsArriveAsTheyAre(t *testing.T) {
	d := one(t, `""`, func(ctx *engine.Context, in string) (map[string]any, error) {
		n, err := engine.WaitForExternalEvent(ctx, number).Await()
		b, err2 := engine.WaitForExternalEvent(ctx, engine.Event[bool]("Bool")).Await()
		null, err3 := engine.WaitForExternalEvent(ctx, engine.Event[*int]("Null")).Await()
		return map[string]any{"in": in, "n": n, "b": b, "null": null}, errors.Join(err, err2, err3)
	})
	d.turn(d.event("Null", "null"), d.event("Bool", "false"), d.event("Number", "0"))
	d.wantOutput(history.Completed, `{"b":false,"in":"","n":0,"null":null}`)
}

func TestFalsyResultsOfActivitiesArriveAsTheyAre(t *testing.T) {
	for _, falsy := range []string{"0", `""`, "false", "null"} {
		echo := engine.Activity[json.RawMessage, json.RawMessage]("echo")
		d := one(t, falsy, func(ctx *engine.Context, in json.RawMessage) (json.RawMessage, error) {
			if err := ctx.SetCustomStatus(in); err != nil {
				return nil, err
			}
			return engine.CallActivity(ctx, echo, in).Await()
		})
		if input := d.live.Outstanding()[0].Input; string(input) != falsy || string(d.last.CustomStatus) != falsy {
			t.Errorf("%s became input %s, custom status %s", falsy, input, d.last.CustomStatus)
		}
		d.turn(d.result(0, falsy))
		d.wantOutput(history.Completed, falsy)
	}
}

func TestPayloadOfTheWrongTypeIsAnError(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		_, err := engine.WaitForExternalEvent(ctx, number).Await()
		return "", err
	})
	d.turn(d.event("Number", `"many"`))
	if d.last.Status != history.Failed || !strings.Contains(d.last.Failure.Message, `"Number"`) {
		t.Errorf("%v %v", d.last.Status, d.last.Failure)
	}
}

func TestSealedWaitNeedsADeclaration(t *testing.T) {
	const code engine.Event[engine.Sealed] = "Code"
	wait := func(ctx *engine.Context, _ any) (engine.Sealed, error) {
		return engine.WaitForExternalEvent(ctx, code).Await()
	}
	d := one(t, "null", wait)
	if d.last.Status != history.Failed || !strings.Contains(d.last.Failure.Message, "SecretEvent") {
		t.Errorf("undeclared: %v %v", d.last.Status, d.last.Failure)
	}
	d = one(t, "null", wait, engine.SecretEvent(code))
	d.turn(d.event("Code", `"h"`))
	d.wantOutput(history.Completed, `"h"`)
}

func TestPanicBecomesAFailureWithItsStack(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		engine.WaitForExternalEvent(ctx, answer).Await()
		panic("over the edge")
	})
	d.turn(d.event("Answer", `""`))
	f := d.last.Failure
	if d.last.Status != history.Failed || f.Kind != engine.KindPanic || f.Message != "over the edge" || !strings.Contains(f.Stack, "engine_test.go") {
		t.Errorf("%v %+v", d.last.Status, f)
	}
}

// What an orchestration does to its goroutine must not happen to the worker's,
// neither when it does so nor when it is put away.
func TestAnOrchestrationThatEndsItsGoroutineFails(t *testing.T) {
	exit := func(*engine.Context) (int, error) {
		runtime.Goexit() //determinism:allow the test is about it
		return 0, nil
	}
	for _, waits := range []bool{false, true} {
		turned := make(chan engine.Decision, 1)
		go func() {
			defer close(turned)
			d := one(t, fmt.Sprint(waits), func(ctx *engine.Context, waits bool) (string, error) {
				if waits {
					engine.WaitForExternalEvent(ctx, answer).Await()
					runtime.Goexit() //determinism:allow the test is about it
				}
				_, err := engine.Go(ctx, exit).Await()
				return "", err
			})
			if waits {
				d.turn(d.event("Answer", `""`))
			}
			d.live.Close()
			turned <- d.last
		}()
		d, ok := <-turned
		if !ok || d.Status != history.Failed || d.Failure.Kind != engine.KindPanic || !strings.Contains(d.Failure.Message, "goroutine") {
			t.Errorf("waits %v: %v, %+v", waits, ok, d.Failure)
		}
	}
}

func TestReturnedErrorFailsTheInstance(t *testing.T) {
	d := one(t, "null", func(*engine.Context, any) (string, error) { return "", errors.New("no more") })
	if d.last.Status != history.Failed || d.last.Failure.String() != "error: no more" {
		t.Errorf("%v %v", d.last.Status, d.last.Failure)
	}
}

func TestBadInputFailsTheInstance(t *testing.T) {
	d := one(t, `"ten"`, func(_ *engine.Context, n int) (int, error) { return n, nil })
	if d.last.Status != history.Failed || !strings.Contains(d.last.Failure.Message, "read input") {
		t.Errorf("%v %v", d.last.Status, d.last.Failure)
	}
}

func TestChangedCodeFailsWithBothSidesNamed(t *testing.T) {
	first := func(ctx *engine.Context, _ any) (string, error) {
		engine.CallActivity(ctx, double, 1).Await()
		ctx.CreateTimer(ctx.Now().Add(time.Hour))
		return engine.WaitForExternalEvent(ctx, answer).Await()
	}
	changes := map[string]struct {
		fn   func(*engine.Context, any) (string, error)
		want []string
	}{
		"another name": {func(ctx *engine.Context, _ any) (string, error) {
			engine.CallActivity(ctx, engine.Activity[int, int]("triple"), 1).Await()
			return "", nil
		}, []string{`recorded: TaskScheduled "double"`, `asked for: TaskScheduled "triple"`, "action 0", "event 2"}},
		"another kind": {func(ctx *engine.Context, _ any) (string, error) {
			ctx.CreateTimer(ctx.Now()).Await()
			return "", nil
		}, []string{`recorded: TaskScheduled "double"`, "asked for: TimerCreated"}},
		"one less": {func(ctx *engine.Context, _ any) (string, error) {
			engine.CallActivity(ctx, double, 1).Await()
			return engine.WaitForExternalEvent(ctx, answer).Await()
		}, []string{"recorded: TimerCreated", "asked for: nothing", "action 1"}},
		"one more": {func(ctx *engine.Context, _ any) (string, error) {
			engine.CallActivity(ctx, double, 1).Await()
			ctx.CreateTimer(ctx.Now())
			engine.CallActivity(ctx, double, 2)
			return engine.WaitForExternalEvent(ctx, answer).Await()
		}, []string{"recorded: nothing", `asked for: TaskScheduled "double"`, "action 2"}},
		"an earlier end": {func(ctx *engine.Context, _ any) (string, error) {
			engine.CallActivity(ctx, double, 1).Await()
			return "", nil
		}, []string{"recorded: TimerCreated", "asked for: the end", "action 1"}},
		"an end in place of a wait": {func(ctx *engine.Context, _ any) (string, error) {
			engine.CallActivity(ctx, double, 1).Await()
			ctx.CreateTimer(ctx.Now())
			return "", nil
		}, []string{"recorded: nothing", "asked for: the end", "action 2"}},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			d := one(t, "null", first)
			d.turn(d.result(0, "2"))
			r := engine.NewRegistry()
			engine.AddOrchestrator(r, "test", change.fn)
			d.r = r
			d.live = d.replay()
			d.turn(d.event("Answer", `"x"`))
			if d.last.Status != history.Failed || d.last.Failure.Kind != engine.KindNonDeterministic {
				t.Fatalf("%v %v", d.last.Status, d.last.Failure)
			}
			for _, part := range change.want {
				if !strings.Contains(d.last.Failure.Message, part) {
					t.Errorf("%q lacks %q", d.last.Failure.Message, part)
				}
			}
		})
	}
}

func TestSuspendedInstanceRecordsButDoesNotRun(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		timer := ctx.CreateTimer(ctx.Now().Add(time.Minute))
		event := engine.WaitForExternalEvent(ctx, answer)
		winner, err := engine.WhenAny(ctx, timer, event).Await()
		return fmt.Sprint(winner == event), err
	})
	d.turn(d.message(history.Event{Kind: history.ExecutionSuspended, Reason: "lunch"}))
	if d.last.Status != history.Suspended {
		t.Fatal(d.last.Status)
	}
	d.turn(d.event("Answer", `"hello"`))
	d.now = d.now.Add(time.Hour)
	d.turn()
	d.turn()
	fired := 0
	for _, e := range d.past {
		if e.Kind == history.TimerFired {
			fired++
		}
	}
	if d.last.Status != history.Suspended || fired != 1 {
		t.Fatalf("%v, %d timers fired", d.last.Status, fired)
	}
	d.turn(d.message(history.Event{Kind: history.ExecutionResumed}))
	d.wantOutput(history.Completed, `"true"`)
}

func TestTerminateEndsWithTheReason(t *testing.T) {
	for _, suspended := range []bool{false, true} {
		d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
			defer engine.WaitForExternalEvent(ctx, answer)
			return engine.WaitForExternalEvent(ctx, answer).Await()
		})
		if suspended {
			d.turn(d.message(history.Event{Kind: history.ExecutionSuspended}))
		}
		d.turn(d.message(history.Event{Kind: history.ExecutionTerminated, Reason: `"enough"`}))
		d.wantOutput(history.Terminated, `"\"enough\""`)
		if got := d.turn(d.event("Answer", `""`)); len(got.Events) != 0 {
			t.Errorf("a terminated instance recorded %v", got.Events)
		}
	}
}

func TestTwoSuspensionsEndWithOneResume(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.turn(d.message(history.Event{Kind: history.ExecutionSuspended}), d.message(history.Event{Kind: history.ExecutionSuspended}))
	d.turn(d.event("Answer", `"x"`), d.message(history.Event{Kind: history.ExecutionResumed}))
	d.wantOutput(history.Completed, `"x"`)
}

func TestResultRecordedDuringASuspensionIsNotOutstanding(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) { return engine.CallActivity(ctx, double, n).Await() })
	d.turn(d.message(history.Event{Kind: history.ExecutionSuspended}))
	d.turn(d.result(0, "2"))
	if calls := d.live.Outstanding(); len(calls) != 0 {
		t.Errorf("outstanding: %v", calls)
	}
	if got := d.turn(d.result(0, "3")); len(got.Events) != 0 {
		t.Errorf("recorded %v", got.Events)
	}
	d.turn(d.message(history.Event{Kind: history.ExecutionResumed}))
	d.wantOutput(history.Completed, "2")
}

func TestWaitUntilTheZeroTimeIsOver(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (bool, error) {
		_, err := engine.WaitForExternalEvent(ctx, answer, engine.Until(time.Time{})).Await()
		return errors.Is(err, engine.ErrTimeout), nil
	})
	d.turn()
	d.wantOutput(history.Completed, "true")
}

func TestLoggerIsSilentInReplayAndWhenPutAway(t *testing.T) {
	var log strings.Builder
	options := engine.ReplayOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, _ any) (string, error) {
		defer ctx.Logger().Info("leaving")
		ctx.Logger().Info("entering")
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	x := r.Replay("i", nil, options)
	d, err := x.Turn(epoch, []history.Event{{Kind: history.ExecutionStarted, Name: "test", Message: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	x.Close()
	r.Replay("i", d.Events, options).Close()
	if strings.Count(log.String(), "entering") != 1 || strings.Contains(log.String(), "leaving") || !strings.Contains(log.String(), "instance=i") {
		t.Errorf("logged:\n%s", log.String())
	}
}

func TestABacklogIsTakenInOneTurn(t *testing.T) {
	const n = 20_000
	d := one(t, "null", func(ctx *engine.Context, _ any) (int, error) {
		for range n {
			if _, err := engine.WaitForExternalEvent(ctx, number).Await(); err != nil {
				return 0, err
			}
		}
		return n, nil
	})
	var backlog []history.Event
	for i := range n {
		backlog = append(backlog, d.event("Number", fmt.Sprint(i)))
	}
	d.turn(backlog...)
	d.wantOutput(history.Completed, fmt.Sprint(n))
}

func TestGUIDsAreUniqueAndStable(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]string, error) {
		a := ctx.NewGUID()
		_, err := engine.WaitForExternalEvent(ctx, answer).Await()
		return []string{a, ctx.NewGUID()}, err
	})
	d.turn(d.event("Answer", `""`)) // the desk compares live and replayed
	var ids []string
	if err := json.Unmarshal(d.last.Output, &ids); err != nil || len(ids) != 2 || ids[0] == ids[1] || len(ids[0]) != 36 || ids[0][14] != '5' {
		t.Errorf("%v %v", ids, err)
	}
}

func TestReplayingIsTrueOnlyForThePast(t *testing.T) {
	var log []bool
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, _ any) (string, error) {
		log = append(log, ctx.IsReplaying())
		s, err := engine.WaitForExternalEvent(ctx, answer).Await()
		log = append(log, ctx.IsReplaying())
		return s, err
	})
	first := r.Replay("i", nil, engine.ReplayOptions{})
	defer first.Close()
	d, err := first.Turn(epoch, []history.Event{{Kind: history.ExecutionStarted, Name: "test", Message: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	second := r.Replay("i", d.Events, engine.ReplayOptions{})
	defer second.Close()
	if _, err := second.Turn(epoch, []history.Event{{Kind: history.EventRaised, Name: "Answer", Message: "b", Input: json.RawMessage(`""`)}}); err != nil {
		t.Fatal(err)
	}
	if want := []bool{false, true, false}; !reflect.DeepEqual(log, want) {
		t.Errorf("replaying: %v, want %v", log, want)
	}
}

func TestTimeNeverRunsBackwards(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (bool, error) {
		before := ctx.Now()
		_, err := engine.WaitForExternalEvent(ctx, answer).Await()
		return ctx.Now().Before(before), err
	})
	d.now = d.now.Add(-time.Hour) // another worker, whose clock is slow
	d.turn(d.event("Answer", `""`))
	d.wantOutput(history.Completed, "false")
}

func TestCustomStatusIsBounded(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (bool, error) {
		if err := ctx.SetCustomStatus(map[string]int{"triesLeft": 3}); err != nil {
			return false, err
		}
		return errors.Is(ctx.SetCustomStatus(strings.Repeat("é", engine.MaxCustomStatus/2)), engine.ErrStatusTooLarge), nil
	})
	d.wantOutput(history.Completed, "true")
	if string(d.last.CustomStatus) != `{"triesLeft":3}` {
		t.Errorf("custom status %s", d.last.CustomStatus)
	}
}

func TestUnknownOrchestrationIsNotTouched(t *testing.T) {
	x := engine.NewRegistry().Replay("i", nil, engine.ReplayOptions{})
	defer x.Close()
	if _, err := x.Turn(epoch, []history.Event{{Kind: history.ExecutionStarted, Name: "nobody"}}); !errors.Is(err, engine.ErrUnknownName) {
		t.Error(err)
	}
}

func TestActivityGetsItsCallAndPanicsAreCaught(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddActivity(r, "key", func(ctx context.Context, _ any) (string, error) { return engine.CallOf(ctx).Key(), nil })
	engine.AddActivity(r, "panic", func(context.Context, any) (string, error) { panic("oops") }, engine.AtMostOnce())
	result, failure := r.RunActivity(t.Context(), engine.NewCall("i", "e", &history.Event{ID: 3, Name: "key"}), nil)
	if string(result) != `"i/e/3"` || failure != nil {
		t.Errorf("%s %v", result, failure)
	}
	if _, failure = r.RunActivity(t.Context(), engine.Call{Name: "panic"}, nil); failure == nil || failure.Kind != engine.KindPanic {
		t.Errorf("panic: %v", failure)
	}
	if _, failure = r.RunActivity(t.Context(), engine.Call{Name: "nobody"}, nil); failure == nil || failure.Kind != engine.KindUnknownActivity {
		t.Errorf("unknown: %v", failure)
	}
	if !r.RunsAtMostOnce("panic") || r.RunsAtMostOnce("key") {
		t.Error("AtMostOnce is not remembered")
	}
}

func TestNamesAreRegisteredOnce(t *testing.T) {
	r := engine.NewRegistry()
	add := func() {
		engine.AddOrchestrator(r, "a", func(*engine.Context, any) (any, error) { return nil, nil })
	}
	add()
	defer func() {
		if recover() == nil {
			t.Error("the second registration did not panic")
		}
	}()
	add()
}
