package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
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
