package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// calling starts an orchestration that makes one call with the options.
func calling(t *testing.T, options ...engine.CallOption) *desk {
	return one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		return engine.CallActivity(ctx, double, n, options...).Await()
	})
}

// fail gives the last attempt a failure of the kind.
func (d *desk) fail(kind string) engine.Decision {
	d.t.Helper()
	calls := d.live.Outstanding()
	if len(calls) != 1 {
		d.t.Fatalf("outstanding: %v", calls)
	}
	return d.turn(history.Event{Kind: history.TaskFailed, ID: history.Outside, Time: d.now, TaskID: calls[0].ID, Failure: &history.Failure{Kind: kind, Message: "no"}})
}

// wake lets the earliest timer fire.
func (d *desk) wake() engine.Decision {
	d.t.Helper()
	next := d.live.NextTimer()
	if next.IsZero() {
		d.t.Fatal("there is no timer")
	}
	d.now = next
	return d.turn()
}

// wantFailure checks that the instance failed with the kind of its task's error.
func (d *desk) wantFailure(kind string, parts ...string) {
	d.t.Helper()
	if d.last.Status != history.Failed || d.last.Failure.Kind != kind {
		d.t.Fatalf("%v with %v; want a failure of kind %q", d.last.Status, d.last.Failure, kind)
	}
	for _, part := range parts {
		if !strings.Contains(d.last.Failure.Message, part) {
			d.t.Errorf("%q lacks %q", d.last.Failure.Message, part)
		}
	}
}

func TestAFailedCallIsMadeAgainAfterADurablePause(t *testing.T) {
	d := calling(t, engine.RetryPolicy{MaxAttempts: 4, InitialRetryInterval: time.Minute, BackoffCoefficient: 3, MaxRetryInterval: 5 * time.Minute})
	for _, pause := range []time.Duration{time.Minute, 3 * time.Minute, 5 * time.Minute} {
		asked := d.now
		d.fail("busy")
		if calls := d.live.Outstanding(); len(calls) != 0 {
			t.Fatalf("called again at once: %v", calls)
		}
		if next := d.live.NextTimer(); !next.Equal(asked.Add(pause)) {
			t.Fatalf("the pause ends after %v, want %v", next.Sub(asked), pause)
		}
		d.wake()
	}
	d.fail("busy")
	d.wantFailure("busy", "failed 4 times")
	var attempts []int32
	for _, e := range d.past {
		if e.Kind == history.TaskScheduled {
			attempts = append(attempts, e.Attempt)
			if string(e.Input) != "1" || e.TaskID != 0 {
				t.Errorf("attempt %d has input %s and the first attempt %d", e.Attempt, e.Input, e.TaskID)
			}
		}
	}
	if !slices.Equal(attempts, []int32{0, 2, 3, 4}) {
		t.Errorf("attempts %v", attempts)
	}
}

func TestARetrySucceedsLikeAFirstCall(t *testing.T) {
	d := calling(t, engine.RetryPolicy{})
	d.fail("busy")
	d.wake()
	d.turn(d.result(d.live.Outstanding()[0].ID, "2"))
	d.wantOutput(history.Completed, "2")
}

func TestTheZeroRetryPolicyMakesThreeAttemptsASecondApart(t *testing.T) {
	d := calling(t, engine.RetryPolicy{})
	for range 2 {
		d.fail("busy")
		if pause := d.live.NextTimer().Sub(d.now); pause != time.Second {
			t.Errorf("a pause of %v", pause)
		}
		d.wake()
	}
	d.fail("busy")
	d.wantFailure("busy", "failed 3 times")
}

func TestRetriesStopWhereThePolicySaysSo(t *testing.T) {
	notBusy := func(err error) bool { return engine.KindOf(err) != "busy" }
	for name, c := range map[string]struct {
		policy engine.RetryPolicy
		kind   string
	}{
		"the predicate says no":                {engine.RetryPolicy{Handle: notBusy}, "busy"},
		"the effect is not known":              {engine.RetryPolicy{}, engine.KindInterrupted},
		"the next attempt would come too late": {engine.RetryPolicy{InitialRetryInterval: time.Minute, RetryTimeout: time.Minute - 1}, "slow"},
		"one attempt is allowed":               {engine.RetryPolicy{MaxAttempts: 1}, "slow"},
	} {
		t.Run(name, func(t *testing.T) {
			d := calling(t, c.policy)
			d.fail(c.kind)
			d.wantFailure(c.kind)
		})
	}
}

func TestAPredicateMayRetryWhatIsNotKnownToHaveFailed(t *testing.T) {
	d := calling(t, engine.RetryPolicy{Handle: func(err error) bool { return errors.Is(err, engine.ErrInterrupted) }})
	d.fail(engine.KindInterrupted)
	d.wake()
	if len(d.live.Outstanding()) != 1 {
		t.Error("it was not called again")
	}
}

func TestRetryTimeoutCountsFromTheFirstAttempt(t *testing.T) {
	d := calling(t, engine.RetryPolicy{MaxAttempts: 100, InitialRetryInterval: time.Minute, RetryTimeout: 10 * time.Minute})
	d.now = d.now.Add(9 * time.Minute) // the first attempt took long
	d.fail("busy")
	d.wake()
	d.now = d.now.Add(time.Second)
	d.fail("busy")
	d.wantFailure("busy", "failed 2 times")
}

func TestAnAttemptThatTakesTooLongIsMadeAgain(t *testing.T) {
	policy := engine.RetryPolicy{MaxAttempts: 3, InitialRetryInterval: time.Second, AttemptTimeout: time.Minute}
	d := calling(t, policy)
	for _, slow := range []bool{true, false} {
		asked := d.live.Outstanding()
		if len(asked) != 1 || !d.live.NextTimer().Equal(d.now.Add(time.Minute)) {
			t.Fatalf("outstanding %v until %v", asked, d.live.NextTimer())
		}
		if slow {
			d.wake()
			if late := d.turn(d.result(asked[0].ID, "7")); len(late.Events) != 0 {
				t.Errorf("the attempt that was given up is heard: %v", late.Events)
			}
		} else {
			d.fail("busy")
		}
		if pause := d.live.NextTimer(); len(d.live.Outstanding()) != 0 || !pause.Equal(d.now.Add(time.Second)) {
			t.Fatalf("the pause ends at %v, and %v is asked for", pause, d.live.Outstanding())
		}
		d.wake()
	}
	d.turn(d.result(d.live.Outstanding()[0].ID, "2"))
	d.wantOutput(history.Completed, "2")
	if next := d.live.NextTimer(); !next.IsZero() {
		t.Errorf("a timer is left for %v", next)
	}
}

func TestTheLastAttemptsTimeoutIsTheCalls(t *testing.T) {
	for attempts, policy := range map[int]engine.RetryPolicy{
		2: {MaxAttempts: 2, AttemptTimeout: time.Minute},
		1: {MaxAttempts: 2, AttemptTimeout: time.Minute, Handle: func(err error) bool { return !errors.Is(err, engine.ErrTimeout) }},
	} {
		d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
			_, err := engine.CallActivity(ctx, double, n, policy).Await()
			return fmt.Sprint(errors.Is(err, engine.ErrTimeout), ctx.Now().Sub(epoch)), nil
		})
		for d.last.Status == history.Running {
			d.wake()
		}
		d.wantOutput(history.Completed, map[int]string{1: `"true 1m0s"`, 2: `"true 2m1s"`}[attempts])
	}
}

func TestNonRetriableFailuresAreFinal(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddActivity(r, "refuse", func(_ context.Context, _ int) (int, error) {
		return 0, fmt.Errorf("charge: %w", engine.NonRetriable(errors.New("no such card")))
	})
	_, failure := r.RunActivity(t.Context(), engine.Call{Name: "refuse"}, []byte("1"))
	if failure == nil || !failure.NonRetriable || failure.Message != "charge: no such card" {
		t.Fatalf("failure %+v", failure)
	}
	d := calling(t, engine.RetryPolicy{Handle: func(error) bool { return true }})
	d.turn(history.Event{Kind: history.TaskFailed, TaskID: 0, Failure: failure})
	d.wantFailure(engine.KindError)
	if !d.last.Failure.NonRetriable {
		t.Error("the orchestration's own failure lost the mark")
	}
}

// busy is an error that says when to come again.
type busy time.Duration

func (b busy) Error() string             { return "come again later" }
func (b busy) RetryAfter() time.Duration { return time.Duration(b) }

func TestAFailureThatSaysWhenToComeAgainIsListenedTo(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		-time.Hour: time.Minute, time.Second: time.Minute, 3 * time.Minute: 3 * time.Minute, time.Hour: 5 * time.Minute,
	} {
		r := engine.NewRegistry()
		engine.AddActivity(r, "post", func(context.Context, int) (int, error) { return 0, fmt.Errorf("post: %w", busy(asked)) })
		_, failure := r.RunActivity(t.Context(), engine.Call{Name: "post"}, []byte("1"))
		d := calling(t, engine.RetryPolicy{InitialRetryInterval: time.Minute, MaxRetryInterval: 5 * time.Minute, MaxAttempts: 2})
		d.turn(history.Event{Kind: history.TaskFailed, TaskID: 0, Failure: failure})
		if pause := d.live.NextTimer().Sub(d.now); pause != want {
			t.Errorf("asked for %v, it pauses for %v", asked, pause)
		}
		d.wake()
		d.turn(history.Event{Kind: history.TaskFailed, TaskID: d.live.Outstanding()[0].ID, Failure: failure})
		if d.last.Failure == nil || d.last.Failure.RetryAfter != max(asked, 0) {
			t.Errorf("the orchestration's own failure is %+v", d.last.Failure)
		}
	}
}

func TestABadRetryPolicyFailsTheCall(t *testing.T) {
	for _, policy := range []engine.RetryPolicy{
		{MaxAttempts: -1}, {InitialRetryInterval: -1}, {MaxRetryInterval: -1}, {RetryTimeout: -1}, {AttemptTimeout: -1}, {BackoffCoefficient: 0.5}, {BackoffCoefficient: -1},
	} {
		d := calling(t, policy)
		d.wantFailure(engine.KindError, "retry policy")
	}
}

func TestAPauseBeyondAllTimeIsBounded(t *testing.T) {
	d := calling(t, engine.RetryPolicy{MaxAttempts: 3, InitialRetryInterval: 200 * 365 * 24 * time.Hour, BackoffCoefficient: 1e300})
	d.fail("busy")
	if pause := d.live.NextTimer().Sub(d.now); pause <= 0 || pause > 101*365*24*time.Hour {
		t.Errorf("a pause of %v", pause)
	}
}

func TestACallIsGivenUpAtItsDeadline(t *testing.T) {
	for name, options := range map[string][]engine.CallOption{
		"while it runs":      {engine.Until(epoch.Add(time.Minute))},
		"in a pause":         {engine.Until(epoch.Add(time.Minute)), engine.RetryPolicy{InitialRetryInterval: time.Hour}},
		"in a later attempt": {engine.Until(epoch.Add(time.Minute)), engine.RetryPolicy{InitialRetryInterval: time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
				call := engine.CallActivity(ctx, double, n, options...)
				_, err := call.Await()
				if !errors.Is(err, engine.ErrTimeout) {
					return "", fmt.Errorf("unexpected: %w", err)
				}
				return engine.WaitForExternalEvent(ctx, answer).Await()
			})
			if len(options) > 1 {
				d.fail("busy")
			}
			for d.now.Before(epoch.Add(time.Minute)) {
				d.wake()
			}
			if calls := d.live.Outstanding(); len(calls) != 0 {
				t.Errorf("still asked for: %v", calls)
			}
			if next := d.live.NextTimer(); !next.IsZero() {
				t.Errorf("a timer is left for %v", next)
			}
			d.turn(d.event("Answer", `"on"`))
			d.wantOutput(history.Completed, `"on"`)
		})
	}
}

func TestACallThatIsDoneCancelsItsDeadline(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		if _, err := engine.CallActivity(ctx, double, n, engine.Until(ctx.Now().Add(time.Minute))).Await(); err != nil {
			return "", err
		}
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.turn(d.result(0, "2"))
	if next := d.live.NextTimer(); !next.IsZero() {
		t.Errorf("a timer is left for %v", next)
	}
}

func TestACanceledCallIsNotTriedAgain(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		call := engine.CallActivity(ctx, double, n, engine.RetryPolicy{InitialRetryInterval: time.Hour})
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return "", err
		}
		call.Cancel()
		if _, err := call.Await(); !errors.Is(err, engine.ErrCanceled) {
			return "", fmt.Errorf("unexpected: %w", err)
		}
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.fail("busy")
	d.turn(d.event("Answer", `"stop"`))
	if next := d.live.NextTimer(); !next.IsZero() || len(d.live.Outstanding()) != 0 {
		t.Errorf("the call goes on: a timer for %v", next)
	}
	d.turn(d.event("Answer", `"on"`))
	d.wantOutput(history.Completed, `"on"`)
}

func TestAPredicateThatPanicsFailsTheOrchestration(t *testing.T) {
	d := calling(t, engine.RetryPolicy{Handle: func(error) bool { panic("oops") }})
	d.fail("busy")
	d.wantFailure(engine.KindPanic, "oops")
}

func TestARetryThatIsNotRecordedIsADivergence(t *testing.T) {
	d := calling(t, engine.RetryPolicy{})
	d.fail("busy")
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, n int) (int, error) {
		return engine.CallActivity(ctx, double, n, engine.RetryPolicy{MaxAttempts: 9, Handle: func(error) bool { return false }}).Await()
	})
	d.r, d.live = r, r.Replay("i1", d.past, engine.ReplayOptions{})
	d.now = d.now.Add(time.Hour)
	d.turn()
	d.wantFailure(engine.KindNonDeterministic, "TimerCreated", "the end")

	// And the other way round: the code now retries what it did not retry.
	d = calling(t)
	d.fail("busy")
	r = engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, n int) (string, error) {
		call := engine.CallActivity(ctx, double, n, engine.RetryPolicy{})
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return "", err
		}
		_, err := call.Await()
		return "", err
	})
	past := d.past[:len(d.past)-1] // it has not ended
	x := r.Replay("i1", past, engine.ReplayOptions{})
	defer x.Close()
	decision, err := x.Turn(d.now, nil)
	if err != nil || decision.Failure == nil || decision.Failure.Kind != engine.KindNonDeterministic || !strings.Contains(decision.Failure.Message, "TimerCreated") {
		t.Errorf("%+v %v", decision, err)
	}
}

func TestTheKeyOfACallIsTheSameInEveryAttempt(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) ([]int, error) {
		a := engine.CallActivity(ctx, double, n, engine.RetryPolicy{})
		b := engine.CallActivity(ctx, double, n)
		return engine.WhenAll(ctx, a, b).Await()
	})
	first := d.live.Outstanding()
	d.turn(history.Event{Kind: history.TaskFailed, TaskID: 0, Failure: &history.Failure{Kind: "busy"}}, d.result(1, "2"))
	d.wake()
	again := engine.NewCall("i1", "e1", d.live.Outstanding()[0])
	if again.Attempt != 2 || again.Key() != engine.NewCall("i1", "e1", first[0]).Key() || again.Key() == engine.NewCall("i1", "e1", first[1]).Key() {
		t.Errorf("the second attempt is %+v with key %s", again, again.Key())
	}
}
