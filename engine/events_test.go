package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// Of three who wait, one gives up or runs out of time: the other two get the next
// two events, in their order, whichever it was.
func TestAWaiterThatGaveUpIsPassedOver(t *testing.T) {
	for gone := range 3 {
		for _, how := range []string{"canceled", "timed out", "canceled by its race"} {
			t.Run(fmt.Sprint(how, " ", gone), func(t *testing.T) {
				d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
					var waits []*engine.Task[int]
					for i := range 3 {
						var options []engine.WaitOption
						if i == gone && how == "timed out" {
							options = append(options, engine.Until(ctx.Now().Add(time.Minute)))
						}
						waits = append(waits, engine.WaitForExternalEvent(ctx, number, options...))
					}
					switch how {
					case "canceled":
						waits[gone].Cancel()
					case "canceled by its race":
						deadline := ctx.CreateTimer(ctx.Now().Add(time.Minute))
						engine.Select(ctx, waits[gone], deadline)
						waits[gone].Cancel()
					}
					rest := append(waits[:gone:gone], waits[gone+1:]...)
					return engine.WhenAll(ctx, rest...).Await()
				})
				if how != "canceled" {
					d.wake()
				}
				d.turn(d.event("Number", "1"))
				d.turn(d.event("Number", "2"))
				d.wantOutput(history.Completed, "[1,2]")
			})
		}
	}
}

// A wait that gives up in the very turn in which the event comes leaves it to
// the next one.
func TestAnEventIsNotTakenByAWaitThatEndsInTheSameTurn(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (int, error) {
		given := engine.WaitForExternalEvent(ctx, number)
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return 0, err
		}
		given.Cancel()
		return engine.WaitForExternalEvent(ctx, number).Await()
	})
	d.turn(d.event("Answer", `"stop waiting"`), d.event("Number", "7"))
	d.wantOutput(history.Completed, "7")
}

// Who loses a race still waits, and is the first to be served, until it is
// canceled.
func TestTheLoserOfARaceGoesOn(t *testing.T) {
	for _, cancel := range []bool{false, true} {
		d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
			event, timer := engine.WaitForExternalEvent(ctx, number), ctx.CreateTimer(ctx.Now().Add(time.Minute))
			if engine.Select(ctx, event, timer) != timer {
				return "", errors.New("the timer did not win")
			}
			if cancel {
				event.Cancel()
			}
			next, err := engine.WaitForExternalEvent(ctx, number).Await()
			return fmt.Sprint(event.Done(), " ", next), err
		})
		d.wake()
		d.turn(d.event("Number", "1"))
		d.turn(d.event("Number", "2"))
		d.wantOutput(history.Completed, map[bool]string{false: `"true 2"`, true: `"true 1"`}[cancel])
	}
}

// The type belongs to the one who waits: one name may be waited for as two, and
// each reads its own event.
func TestOneNameMayBeWaitedForAsTwoTypes(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		n := engine.WaitForExternalEvent(ctx, number)
		text := engine.WaitForExternalEvent(ctx, engine.Event[string](number))
		numeric, errN := n.Await()
		_, err := text.Await() // the second event is no text
		return fmt.Sprint(numeric, errN, err != nil), nil
	})
	d.turn(d.event("Number", "1"), d.event("Number", "2"))
	d.wantOutput(history.Completed, `"1 \u003cnil\u003e true"`)
}

// Two events are two, however alike: only the same message, or the same
// idempotency key, is one.
func TestEqualEventsAreTwo(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
		return engine.WhenAll(ctx, engine.WaitForExternalEvent(ctx, number), engine.WaitForExternalEvent(ctx, number)).Await()
	})
	d.turn(d.event("Number", "7"))
	d.turn(d.event("Number", "7"))
	d.wantOutput(history.Completed, "[7,7]")
}

// Asking for what may have come already, without waiting, is a wait that is
// given up at once.
func TestAnEventCanBeAskedForWithoutWaiting(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return nil, err
		}
		var got []int
		for {
			wait := engine.WaitForExternalEvent(ctx, number)
			if !wait.Done() {
				wait.Cancel()
				break
			}
			n, err := wait.Await()
			if err != nil {
				return nil, err
			}
			got = append(got, n)
		}
		last, err := engine.WaitForExternalEvent(ctx, number).Await()
		return append(got, -last), err
	})
	d.turn(d.event("Number", "1"))
	d.turn(d.event("Number", "2"), d.event("Answer", `""`))
	d.turn(d.event("Number", "3"))
	d.wantOutput(history.Completed, "[1,2,-3]")
}

// What was written down of an event is read as it was sent, whatever becomes of
// the wait: 0, false, the empty text and null are values like any other.
func TestFalsyPayloadsEndAWaitThatHasADefault(t *testing.T) {
	for _, falsy := range []string{"0", `""`, "false", "null", "[]", "{}"} {
		d := one(t, "null", func(ctx *engine.Context, _ any) (json.RawMessage, error) {
			name := engine.Event[json.RawMessage]("Falsy")
			wait := engine.WaitForExternalEvent(ctx, name, engine.Until(ctx.Now().Add(time.Hour)))
			return wait.AwaitOr(json.RawMessage(`"the default"`))
		})
		d.turn(d.event("Falsy", falsy))
		d.wantOutput(history.Completed, falsy)
	}
}
