package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/httpcall"
)

// The names of the examples' activities and events. In a program they stand
// beside the functions.
const (
	greet    engine.Activity[string, string] = "Greet"
	price    engine.Activity[string, int]    = "Price"
	jobDone  engine.Activity[string, bool]   = "JobDone"
	reserve  engine.Activity[string, string] = "Reserve"
	cancel   engine.Activity[string, string] = "Cancel"
	sendCode engine.Activity[string, string] = "SendCode"
	remind   engine.Activity[string, string] = "Remind"
	typed    engine.Event[string]            = "CodeTyped"
	deposit  engine.Event[int]               = "Deposit"
	decision engine.Event[bool]              = "Decision"
)

// world registers an orchestration under the name "Example" and returns a world
// to run it in.
func world[In, Out any](fn func(*engine.Context, In) (Out, error)) (*enginetest.Env, engine.Orchestrator[In, Out]) {
	name := engine.Orchestrator[In, Out]("Example")
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, name, fn)
	httpcall.Add(r, httpcall.Options{})
	return enginetest.New(nil, r), name
}

// Chain: one step after another, each with what the one before returned.
func Example_chain() {
	env, name := world(func(ctx *engine.Context, who string) (string, error) {
		first, err := engine.CallActivity(ctx, greet, who).Await()
		if err != nil {
			return "", err
		}
		return engine.CallActivity(ctx, greet, first).Await()
	})
	enginetest.Fake(env, greet, func(_ context.Context, who string) (string, error) { return "hello " + who, nil })
	fmt.Println(enginetest.Run(env, name, "Ann"))
	// Output: hello hello Ann <nil>
}

// Fan-out and fan-in: many at once, and all results together. All are waited for
// even when some fail.
func Example_fanOut() {
	env, name := world(func(ctx *engine.Context, items []string) (int, error) {
		var calls []*engine.Task[int]
		for _, item := range items {
			calls = append(calls, engine.CallActivity(ctx, price, item, engine.RetryPolicy{MaxAttempts: 5}))
		}
		prices, err := engine.WhenAll(ctx, calls...).Await()
		total := 0
		for _, p := range prices {
			total += p
		}
		return total, err
	})
	enginetest.Fake(env, price, func(_ context.Context, item string) (int, error) { return len(item), nil }).Takes(time.Minute)
	total, err := enginetest.Run(env, name, []string{"tea", "milk", "sugar"})
	fmt.Println(total, err, "in", env.Elapsed())
	// Output: 12 <nil> in 1m0s
}

// Side by side: several steps for each of many things, none of which waits for
// another.
func ExampleGo() {
	env, name := world(func(ctx *engine.Context, items []string) ([]int, error) {
		var prices []*engine.Task[int]
		for _, item := range items {
			prices = append(prices, engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				if _, err := engine.CallActivity(ctx, reserve, item).Await(); err != nil {
					return 0, err
				}
				return engine.CallActivity(ctx, price, item).Await()
			}))
		}
		return engine.WhenAll(ctx, prices...).Await()
	})
	enginetest.Fake(env, reserve, func(context.Context, string) (string, error) { return "", nil }).Takes(time.Minute)
	enginetest.Fake(env, price, func(_ context.Context, item string) (int, error) { return len(item), nil }).Takes(time.Hour)
	prices, err := enginetest.Run(env, name, []string{"tea", "milk", "sugar"})
	fmt.Println(prices, err, "in", env.Elapsed())
	// Output: [3 4 5] <nil> in 1h1m0s
}

// Async HTTP: a service accepts a job and says where to ask for it. Nothing is
// held between two questions.
func Example_asyncHTTP() {
	env, name := world(func(ctx *engine.Context, job string) (string, error) {
		answer, err := httpcall.Do(ctx, httpcall.Request{To: "factory", Method: "POST", URL: "/jobs", Content: job, Timeout: time.Hour})
		return answer.Content, err
	})
	enginetest.Fake(env, httpcall.Activity, func(_ context.Context, r httpcall.Request) (httpcall.Response, error) {
		if r.Method == "POST" || env.Elapsed() < 5*time.Minute {
			return httpcall.Response{StatusCode: 202, Header: http.Header{"Location": {"https://factory.example/jobs/1"}, "Retry-After": {"120"}}}, nil
		}
		return httpcall.Response{StatusCode: 200, Content: "made"}, nil
	})
	made, err := enginetest.Run(env, name, "a chair")
	fmt.Println(made, err, "after", env.Elapsed(), "and", len(enginetest.Calls(env, httpcall.Activity)), "requests")
	// Output: made <nil> after 6m0s and 4 requests
}

// Monitor: look every ten minutes until something is done, at most for a day.
func Example_monitor() {
	env, name := world(func(ctx *engine.Context, job string) (string, error) {
		for until := ctx.Now().Add(24 * time.Hour); ctx.Now().Before(until); {
			done, err := engine.CallActivity(ctx, jobDone, job).Await()
			if err != nil || done {
				return job + " is done", err
			}
			if _, err := ctx.CreateTimer(ctx.Now().Add(10 * time.Minute)).Await(); err != nil {
				return "", err
			}
		}
		return job + " takes too long", nil
	})
	enginetest.Fake(env, jobDone, func(context.Context, string) (bool, error) { return env.Elapsed() > time.Hour, nil })
	result, err := enginetest.Run(env, name, "backup")
	fmt.Println(result, err, "after", env.Elapsed())
	// Output: backup is done <nil> after 1h10m0s
}

// Human interaction: a code goes out, and three answers may come within five
// minutes. (Package human does this with codes that are written nowhere.)
func Example_humanInteraction() {
	env, name := world(func(ctx *engine.Context, phone string) (string, error) {
		code, err := engine.CallActivity(ctx, sendCode, phone).Await()
		if err != nil {
			return "", err
		}
		deadline := ctx.CreateTimer(ctx.Now().Add(5 * time.Minute))
		defer deadline.Cancel()
		for range 3 {
			answer := engine.WaitForExternalEvent(ctx, typed)
			if engine.Select(ctx, answer, deadline) == deadline {
				return "too late", nil
			}
			if guess, err := answer.Await(); err != nil || guess == code {
				return "verified", err
			}
		}
		return "too many tries", nil
	})
	enginetest.Fake(env, sendCode, func(context.Context, string) (string, error) { return "042117", nil })
	enginetest.Raise(env, time.Minute, typed, "421170")
	enginetest.Raise(env, 2*time.Minute, typed, "042117")
	fmt.Println(enginetest.Run(env, name, "+447700900123"))
	// Output: verified <nil>
}

// Counter: an instance that never ends keeps its history short by continuing as
// new. Events that nobody took yet go over to the next execution.
func Example_counter() {
	env, name := world(func(ctx *engine.Context, sum int) (int, error) {
		if err := ctx.SetCustomStatus(sum); err != nil {
			return 0, err
		}
		amount, err := engine.WaitForExternalEvent(ctx, deposit).Await()
		if err != nil {
			return 0, err
		}
		return 0, ctx.ContinueAsNew(sum + amount)
	})
	account := enginetest.Start(env, "account-17", name, 0)
	for range 100 {
		enginetest.Raise(env, time.Hour, deposit, 5)
	}
	env.Advance(time.Hour)
	var sum int
	account.CustomStatus(&sum)
	fmt.Println(sum, len(account.History()), "events")
	// Output: 500 2 events
}

// Saga: what was done is undone in the opposite order when a later step fails.
func Example_saga() {
	env, name := world(func(ctx *engine.Context, trip []string) (string, error) {
		var undo []string
		for _, part := range trip {
			if _, err := engine.CallActivity(ctx, reserve, part).Await(); err != nil {
				for i := len(undo) - 1; i >= 0; i-- {
					if _, err := engine.CallActivity(ctx, cancel, undo[i], engine.RetryPolicy{MaxAttempts: 10}).Await(); err != nil {
						return "", fmt.Errorf("cancel %s: %w", undo[i], err)
					}
				}
				return "nothing is booked", nil
			}
			undo = append(undo, part)
		}
		return "booked", nil
	})
	enginetest.Fake(env, reserve, func(_ context.Context, part string) (string, error) {
		if part == "car" {
			return "", engine.NonRetriable(errors.New("no car is left"))
		}
		return "", nil
	})
	enginetest.Fake(env, cancel, func(context.Context, string) (string, error) { return "", nil })
	result, err := enginetest.Run(env, name, []string{"flight", "hotel", "car"})
	fmt.Println(result, err, enginetest.Calls(env, cancel))
	// Output: nothing is booked <nil> [hotel flight]
}

// Approval: a decision within three days, with a reminder every day, and a default
// when nobody decides.
func Example_approval() {
	env, name := world(func(ctx *engine.Context, what string) (bool, error) {
		decided := engine.WaitForExternalEvent(ctx, decision, engine.Until(ctx.Now().Add(72*time.Hour)))
		for {
			day := ctx.CreateTimer(ctx.Now().Add(24 * time.Hour))
			if engine.Select(ctx, decided, day) == decided {
				day.Cancel()
				return decided.AwaitOr(false)
			}
			if _, err := engine.CallActivity(ctx, remind, what).Await(); err != nil {
				return false, err
			}
		}
	})
	enginetest.Fake(env, remind, func(context.Context, string) (string, error) { return "", nil })
	approved, err := enginetest.Run(env, name, "a new chair")
	fmt.Println(approved, err, "after", env.Elapsed(), "and", len(enginetest.Calls(env, remind)), "reminders")
	// Output: false <nil> after 72h0m0s and 2 reminders
}
