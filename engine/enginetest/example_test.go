package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/enginetest"
)

// t would be the argument of a test; an example has none.
var t testing.TB

// A test of an approval that nobody answers: the clock jumps to the deadline.
func Example() {
	env := enginetest.New(t, registry())
	enginetest.Fake(env, askBoss, func(context.Context, claim) (string, error) { return "asked", nil })

	answer, err := enginetest.Run(env, expense, claim{Amount: 250})

	fmt.Println(answer.Approved, answer.Why, err)
	fmt.Println("after", env.Elapsed(), "asked about", enginetest.Calls(env, askBoss))
	// Output:
	// false nobody answered <nil>
	// after 72h0m0s asked about [{250}]
}

// An event is raised at a time that the test chooses.
func ExampleRaise() {
	env := enginetest.New(t, registry())
	enginetest.Fake(env, askBoss, func(context.Context, claim) (string, error) { return "asked", nil })
	enginetest.Raise(env, 48*time.Hour, approval, verdict{Approved: true})

	answer, err := enginetest.Run(env, expense, claim{Amount: 250})

	fmt.Println(answer.Approved, err, "after", env.Elapsed())
	// Output:
	// true <nil> after 48h0m0s
}

// A fake fails at first and takes its time; the orchestration tries again an hour
// later.
func ExampleFake() {
	env := enginetest.New(t, registry())
	enginetest.Fake(env, askBoss, func(ctx context.Context, _ claim) (string, error) {
		if engine.CallOf(ctx).Attempt == 1 {
			return "", errors.New("on the phone")
		}
		return "asked", nil
	}).Takes(10 * time.Minute)

	instance := enginetest.Start(env, "expense-17", expense, claim{Amount: 250})
	env.Advance(2 * time.Hour)

	var status string
	instance.CustomStatus(&status)
	fmt.Println(status, instance.WaitingFor(), len(enginetest.Calls(env, askBoss)))
	// Output:
	// asked [Approval] 2
}

// The test is run once for every place at which the process may die.
func ExampleEveryCrash() {
	var t *testing.T // the argument of the test
	enginetest.EveryCrash(t, registry(), func(env *enginetest.Env) {
		enginetest.Fake(env, askBoss, func(context.Context, claim) (string, error) { return "asked", nil })
		enginetest.Raise(env, time.Hour, approval, verdict{Approved: true})
		if answer, err := enginetest.Run(env, expense, claim{}); err != nil || !answer.Approved {
			env.Errorf("%+v %v", answer, err)
		}
	})
}

// Histories that were exported from production must still be followed by the
// code.
func ExampleReplay() {
	var t *testing.T // the argument of the test
	enginetest.Replay(t, registry(), "testdata/histories/*.json")
}
