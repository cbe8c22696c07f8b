package explain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
)

// secret is typed by people in the script, and may be told nowhere.
const secret = "042117"

// The names that are used more than once.
const (
	approval engine.Event[json.RawMessage] = "Approval"
	vote     engine.Event[ballot]          = "Vote"
	guess    engine.Event[int]             = "Guess"
	code     engine.Event[engine.Sealed]   = "Code"

	hold   engine.Activity[any, any] = "Hold"   // runs until the test is over
	charge engine.Activity[any, any] = "Charge" // the same, and at most once
	flaky  engine.Activity[any, any] = "Flaky"  // fails
	quick  engine.Activity[any, any] = "Quick"

	child engine.Orchestrator[any, json.RawMessage] = "Child" // waits for an approval
)

type ballot struct {
	Yes bool `json:"yes"`
}

// registry returns the orchestrations that get stuck; some differ between the old
// code and the new.
func (s *scene) registry(age string, sealer *human.Sealer) *engine.Registry {
	r := engine.NewRegistry()
	s.addActivities(r, age)
	addWaits(r)
	addRaces(r)
	addWork(r)
	addChildren(r)
	addFailures(r, age)
	engine.AddOrchestrator(r, "SmsVerify", human.VerifyPhone, engine.SecretEvent(human.SmsChallengeResponse))
	human.AddPhoneVerification(r, gateway{s}, sealer, human.Limits{
		Timeout: human.Duration(5 * time.Minute), TimeoutFrom: "SmsTimeout, the default", Tries: 3, Digits: 6, Sends: 3, ResendDelay: human.Duration(10 * time.Second),
	})
	return r
}

// gateway sends text messages; those to numbers that end with 0 fail, and with 1
// take for ever.
type gateway struct{ *scene }

type unavailable struct{ error }

// Kind returns what went wrong in a word.
func (unavailable) Kind() string { return human.KindUnavailable }

func (g gateway) Send(ctx context.Context, to, _ string) error {
	switch {
	case strings.HasSuffix(to, "0"):
		return unavailable{errors.New("the gateway is down")}
	case strings.HasSuffix(to, "1"):
		return g.block(ctx)
	}
	return nil
}

// block tells that an activity runs, and waits for the test to be over.
func (s *scene) block(ctx context.Context) error {
	s.began <- struct{}{}
	select {
	case <-s.release:
	case <-ctx.Done():
	}
	return nil
}

func (s *scene) addActivities(r *engine.Registry, age string) {
	engine.AddActivity(r, hold, func(ctx context.Context, _ any) (any, error) { return nil, s.block(ctx) })
	engine.AddActivity(r, charge, func(ctx context.Context, _ any) (any, error) { return nil, s.block(ctx) }, engine.AtMostOnce())
	engine.AddActivity(r, flaky, func(context.Context, any) (any, error) { return nil, errors.New("503 from the bank") })
	if age == "old" {
		engine.AddActivity(r, quick, func(context.Context, any) (any, error) { return nil, nil })
	}
}

func addWaits(r *engine.Registry) {
	engine.AddOrchestrator(r, "Approve", func(ctx *engine.Context, _ any) (any, error) {
		return engine.WaitForExternalEvent(ctx, approval).Await()
	})
	engine.AddOrchestrator(r, "Quiz", runQuiz)
	engine.AddOrchestrator(r, "Verify", func(ctx *engine.Context, _ any) (any, error) {
		_, err := engine.WaitForExternalEvent(ctx, code, engine.Until(ctx.Now().Add(5*time.Minute)), engine.From("whoever holds the phone")).Await()
		return nil, err
	}, engine.SecretEvent(code))
	engine.AddOrchestrator(r, "Both", func(ctx *engine.Context, _ any) (any, error) {
		first := engine.WaitForExternalEvent[string](ctx, "First", engine.From("Ann"))
		second := engine.WaitForExternalEvent[string](ctx, "Second", engine.From("Bob"), engine.Until(ctx.Now().Add(time.Hour)))
		return engine.WhenAll(ctx, first, second).Await()
	})
	engine.AddOrchestrator(r, "Many", func(ctx *engine.Context, n int) (any, error) {
		var all []*engine.Task[bool]
		for i := range n {
			all = append(all, engine.WaitForExternalEvent[bool](ctx, engine.Event[bool](fmt.Sprintf("Part%d", i+1))))
		}
		return engine.WhenAll(ctx, all...).Await()
	})
	engine.AddOrchestrator(r, "List", func(ctx *engine.Context, _ any) (any, error) {
		return engine.WaitForExternalEvent[[]string](ctx, "It's in/out").Await()
	})
	engine.AddOrchestrator(r, "Spoofed", func(ctx *engine.Context, _ any) (any, error) {
		return engine.WaitForExternalEvent[bool](ctx, "Approval", engine.From("\x1b[2Jnobody\nIt completed")).Await()
	})
	engine.AddOrchestrator(r, "Loop", func(ctx *engine.Context, n int) (int, error) {
		if _, err := engine.WaitForExternalEvent[int](ctx, "Add").Await(); err != nil {
			return 0, err
		}
		return n, ctx.ContinueAsNew(n + 1)
	})
}

// runQuiz wants a number of 10 at least, and then, however that ended, a vote.
func runQuiz(ctx *engine.Context, _ any) (any, error) {
	_, err := engine.WaitForExternalEvent(ctx, guess,
		engine.Until(ctx.Now().Add(5*time.Minute), "the rules"), engine.From("the candidate"), engine.Tries(3),
		engine.Then(ctx.Now().Add(2*time.Minute), "the candidate is reminded"),
		engine.Check(func(n int) error {
			if n < 10 {
				return fmt.Errorf("%d is too low", n)
			}
			return nil
		})).Await()
	if err == nil || errors.Is(err, engine.ErrTimeout) || errors.Is(err, engine.ErrTooManyTries) {
		_, err = engine.WaitForExternalEvent(ctx, vote).Await()
	}
	return nil, err
}

func addRaces(r *engine.Registry) {
	engine.AddOrchestrator(r, "Race", func(ctx *engine.Context, _ any) (string, error) {
		answer, deadline := engine.WaitForExternalEvent(ctx, vote), ctx.CreateTimer(ctx.Now().Add(72*time.Hour))
		if engine.Select(ctx, answer, deadline) == engine.Awaitable(answer) {
			return "answered", nil
		}
		return "escalated", nil
	})
	engine.AddOrchestrator(r, "Nap", func(ctx *engine.Context, _ any) (any, error) {
		return ctx.CreateTimer(ctx.Now().Add(time.Hour)).Await()
	})
	engine.AddOrchestrator(r, "Mixed", func(ctx *engine.Context, _ any) (any, error) {
		first, second := engine.WaitForExternalEvent[bool](ctx, "Cancel"), engine.CallActivity(ctx, hold, nil)
		return engine.Select(ctx, first, second).Done(), nil
	})
	engine.AddOrchestrator(r, "Watched", func(ctx *engine.Context, _ any) (any, error) {
		first := engine.WaitForExternalEvent[bool](ctx, "Cancel")
		second := engine.CallActivity(ctx, flaky, nil, engine.RetryPolicy{MaxAttempts: 5, InitialRetryInterval: time.Minute})
		return engine.Select(ctx, first, second).Done(), nil
	})
}

func addWork(r *engine.Registry) {
	engine.AddOrchestrator(r, "Work", func(ctx *engine.Context, _ any) (any, error) { return engine.CallActivity(ctx, hold, nil).Await() })
	engine.AddOrchestrator(r, "Pay", func(ctx *engine.Context, _ any) (any, error) { return engine.CallActivity(ctx, charge, nil).Await() })
	engine.AddOrchestrator(r, "Hurry", func(ctx *engine.Context, _ any) (any, error) {
		return engine.CallActivity(ctx, hold, nil, engine.Until(ctx.Now().Add(time.Minute))).Await()
	})
	engine.AddOrchestrator(r, "Retry", func(ctx *engine.Context, _ any) (any, error) {
		return engine.CallActivity(ctx, flaky, nil, engine.RetryPolicy{MaxAttempts: 3, InitialRetryInterval: 10 * time.Minute}).Await()
	})
	engine.AddOrchestrator(r, "Impatient", func(ctx *engine.Context, _ any) (any, error) {
		if _, err := engine.CallActivity(ctx, hold, nil, engine.Until(ctx.Now().Add(time.Minute))).Await(); !errors.Is(err, engine.ErrTimeout) {
			return nil, err
		}
		return engine.WaitForExternalEvent(ctx, approval).Await()
	})
	engine.AddOrchestrator(r, "Recovered", func(ctx *engine.Context, fails bool) (any, error) {
		if _, err := engine.CallActivity(ctx, flaky, nil).Await(); err == nil {
			return nil, errors.New("it did not fail")
		}
		if _, err := engine.CallActivity(ctx, quick, nil).Await(); err != nil || fails {
			return nil, errors.New("it gave up")
		}
		return ctx.CreateTimer(ctx.Now().Add(time.Hour)).Await()
	})
	engine.AddOrchestrator(r, "Unmoved", func(ctx *engine.Context, _ any) (any, error) {
		if _, err := engine.CallActivity(ctx, flaky, nil).Await(); err == nil {
			return nil, errors.New("it did not fail")
		}
		if _, err := engine.WaitForExternalEvent(ctx, approval).Await(); err != nil {
			return nil, err
		}
		return ctx.CreateTimer(ctx.Now().Add(time.Hour)).Await()
	})
	engine.AddOrchestrator(r, "Gather", func(ctx *engine.Context, _ any) (any, error) {
		if _, err := engine.CallActivity(ctx, quick, nil).Await(); err != nil {
			return nil, err
		}
		return engine.WhenAll(ctx, engine.CallActivity(ctx, hold, nil), engine.CallActivity(ctx, hold, nil)).Await()
	})
}

func addChildren(r *engine.Registry) {
	engine.AddOrchestrator(r, child, func(ctx *engine.Context, _ any) (json.RawMessage, error) {
		return engine.WaitForExternalEvent(ctx, approval).Await()
	})
	engine.AddOrchestrator(r, "Parent", func(ctx *engine.Context, _ any) (any, error) {
		return engine.CallSubOrchestrator(ctx, child, nil, engine.InstanceID("b")).Await()
	})
	engine.AddOrchestrator(r, "Adult", func(ctx *engine.Context, _ any) (any, error) {
		if _, err := engine.CallSubOrchestrator[any, any](ctx, "Echo", nil).Await(); err != nil {
			return nil, err
		}
		if _, err := engine.StartOrchestrator(ctx, child, nil, engine.InstanceID("b")); err != nil {
			return nil, err
		}
		return engine.WaitForExternalEvent(ctx, approval).Await()
	})
	engine.AddOrchestrator(r, "Lonely", func(ctx *engine.Context, _ any) (any, error) {
		return engine.CallSubOrchestrator[any, any](ctx, "Nobody", nil, engine.InstanceID("b")).Await()
	})
	engine.AddOrchestrator(r, "Unlucky", func(ctx *engine.Context, _ any) (any, error) {
		return engine.CallSubOrchestrator[any, any](ctx, "Broken", nil, engine.InstanceID("b")).Await()
	})
}

func addFailures(r *engine.Registry, age string) {
	engine.AddOrchestrator(r, "Echo", func(_ *engine.Context, in any) (any, error) { return in, nil })
	engine.AddOrchestrator(r, "Broken", func(*engine.Context, any) (any, error) { return nil, errors.New("it broke") })
	engine.AddOrchestrator(r, "Panics", func(*engine.Context, any) (any, error) { panic("index out of range") })
	engine.AddOrchestrator(r, "Wordy", func(*engine.Context, any) (any, error) { return nil, errors.New(strings.Repeat("why\n", 200)) })
	engine.AddOrchestrator(r, "Unpaid", func(ctx *engine.Context, _ any) (any, error) {
		if _, err := engine.CallActivity(ctx, quick, nil).Await(); err != nil {
			return nil, err
		}
		return engine.CallActivity(ctx, flaky, nil).Await()
	})
	engine.AddOrchestrator(r, "Lost", func(ctx *engine.Context, _ any) (any, error) {
		return engine.CallActivity[any, any](ctx, "Nowhere", nil).Await()
	})
	engine.AddOrchestrator(r, "Dizzy", func(ctx *engine.Context, n int) (int, error) { return n, ctx.ContinueAsNew(n + 1) })
	engine.AddOrchestrator(r, "Huge", func(*engine.Context, any) (string, error) { return strings.Repeat("x", history.MaxPayload), nil })
	engine.AddOrchestrator(r, "Change", func(ctx *engine.Context, _ any) (any, error) {
		next := flaky
		if age == "old" {
			next = quick
		}
		if _, err := engine.CallActivity(ctx, next, nil).Await(); err != nil {
			return nil, err
		}
		return engine.WaitForExternalEvent(ctx, approval).Await()
	})
}
