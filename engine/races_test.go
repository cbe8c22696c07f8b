package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

func TestResultsStandInTheOrderOfTheArguments(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
		return engine.WhenAll(ctx, engine.CallActivity(ctx, double, 1), engine.CallActivity(ctx, double, 2), engine.CallActivity(ctx, double, 3)).Await()
	})
	d.turn(d.result(2, "6"), d.result(0, "2"))
	d.turn(d.result(1, "4"))
	d.wantOutput(history.Completed, "[2,4,6]")
}

// Two of four answers must come, or one of a reserve, within an hour: groups of
// races of groups, whatever comes in which order.
func TestRacesAndGroupsNest(t *testing.T) {
	nested := func(ctx *engine.Context, _ any) (string, error) {
		calls := make([]*engine.Task[int], 5)
		for i := range calls {
			calls[i] = engine.CallActivity(ctx, double, i)
		}
		left := engine.WhenAll(ctx, calls[0], calls[1])
		right := engine.WhenAllDone(ctx, calls[2], engine.WhenAny(ctx, calls[3], calls[4]))
		timer := ctx.CreateTimer(ctx.Now().Add(time.Hour))
		either := engine.WhenAny(ctx, left, right)
		outer := engine.WhenAny(ctx, either, timer)
		if engine.Select(ctx, outer) != outer {
			return "", errors.New("a race of one was won by another")
		}
		winner, err := outer.Await()
		if err != nil || winner == timer {
			return "timer", err
		}
		inner, err := either.Await()
		switch inner {
		case left:
			values, err := left.Await()
			return fmt.Sprint("left ", values), err
		case right:
			_, err := right.Await()
			return fmt.Sprint("right ", calls[3].Done(), calls[4].Done()), err
		}
		return "nobody", err
	}
	for name, c := range map[string]struct {
		done []int32
		want string
	}{
		"a group":                       {[]int32{0, 1}, `"left [0 2]"`},
		"a group out of order":          {[]int32{1, 4, 0}, `"left [0 2]"`},
		"a group with a race in it":     {[]int32{0, 3, 2}, `"right true false"`},
		"the other way round":           {[]int32{2, 4}, `"right false true"`},
		"neither group, so the timer":   {[]int32{0, 2}, `"timer"`},
		"nothing at all, so the timer":  {nil, `"timer"`},
		"both in one turn, in sequence": {[]int32{0, 2, 4, 1}, `"right false true"`},
	} {
		for _, atOnce := range []bool{false, true} {
			t.Run(fmt.Sprint(name, map[bool]string{true: ", at once"}[atOnce]), func(t *testing.T) {
				d := one(t, "null", nested)
				var messages []history.Event
				for _, id := range c.done {
					messages = append(messages, d.result(id, fmt.Sprint(2*id)))
				}
				for ; !atOnce && len(messages) > 0; messages = messages[1:] {
					d.turn(messages[0])
				}
				if len(messages) > 0 {
					d.turn(messages...)
				}
				if d.last.Status == history.Running {
					d.wake()
				}
				d.wantOutput(history.Completed, c.want)
			})
		}
	}
}

func TestACanceledTimerIsDeadAndMayBeCanceledAgain(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		fired, canceled := ctx.CreateTimer(ctx.Now()), ctx.CreateTimer(ctx.Now().Add(time.Minute))
		if _, err := fired.Await(); err != nil {
			return "", err
		}
		fired.Cancel() // it has fired, so this changes nothing
		canceled.Cancel()
		canceled.Cancel()
		_, first := fired.Await()
		_, second := canceled.Await()
		text, err := engine.WaitForExternalEvent(ctx, answer).Await()
		return fmt.Sprint(first, errors.Is(second, engine.ErrCanceled), text), err
	})
	d.turn()
	if next := d.live.NextTimer(); !next.IsZero() {
		t.Errorf("a timer is left for %v", next)
	}
	d.now = d.now.Add(time.Hour)
	if got := d.turn(); len(got.Events) != 0 {
		t.Errorf("the dead timer fired: %v", got.Events)
	}
	d.turn(d.event("Answer", `"!"`))
	d.wantOutput(history.Completed, `"\u003cnil\u003e true!"`)
}

func TestALongTimerIsOneTimer(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		_, err := ctx.CreateTimer(ctx.Now().AddDate(90, 0, 0)).Await()
		return "fired", err
	})
	d.wake()
	d.wantOutput(history.Completed, `"fired"`)
	timers := map[history.Kind]int{}
	for _, e := range d.past {
		timers[e.Kind]++
	}
	if timers[history.TimerCreated] != 1 || timers[history.TimerFired] != 1 {
		t.Errorf("the history is %v", d.past)
	}
}

// The time is that of the turn, however many messages it takes; the history says
// it, and replay tells the same.
func TestNowIsWhenTheTurnBegan(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]time.Time, error) {
		var times []time.Time
		for range 3 {
			if _, err := engine.WaitForExternalEvent(ctx, number).Await(); err != nil {
				return nil, err
			}
			times = append(times, ctx.Now())
		}
		return times, nil
	})
	first, second := d.event("Number", "1"), d.event("Number", "2")
	first.Time, second.Time = epoch.Add(time.Second), epoch.Add(2*time.Second)
	d.now = epoch.Add(time.Minute)
	d.turn(first, second)
	if started := d.last.Events[0]; started.Kind != history.OrchestratorStarted || !started.Time.Equal(d.now) {
		t.Errorf("the history says %+v", started)
	}
	at := d.now.Format(time.RFC3339)
	d.now = epoch.Add(time.Hour)
	d.turn(d.event("Number", "3"))
	d.wantOutput(history.Completed, fmt.Sprintf("[%q,%q,%q]", at, at, d.now.Format(time.RFC3339)))
}
