package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

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
