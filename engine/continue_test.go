package engine_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// sum adds up numbers, and begins again after each.
func sum(ctx *engine.Context, total int) (int, error) {
	n, err := engine.WaitForExternalEvent(ctx, number).Await()
	if err != nil || n == 0 {
		return total, err
	}
	return -1, ctx.ContinueAsNew(total + n)
}

func TestContinueAsNewBeginsAgainWithAnEmptyHistory(t *testing.T) {
	d := one(t, "0", sum)
	executions := map[string]bool{"e1": true}
	for i := range 1000 { // S41
		got := d.turn(d.event("Number", fmt.Sprint(i+1)))
		if got.Begun == nil || got.Status != history.Running || len(d.past) != 2 {
			t.Fatalf("turn %d: %v, %d events", i, got.Status, len(d.past))
		}
		if executions[got.Begun.Execution] {
			t.Fatalf("the execution %s was there before", got.Begun.Execution)
		}
		executions[got.Begun.Execution] = true
	}
	d.turn(d.event("Number", "0"))
	d.wantOutput(history.Completed, "500500")
}

func TestEventsGoOverInTheOrderInWhichTheyCame(t *testing.T) {
	d := one(t, "0", func(ctx *engine.Context, n int) (string, error) {
		if n == 0 {
			if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
				return "", err
			}
			return "", ctx.ContinueAsNew(1)
		}
		var got []string
		for range 2 {
			m, err := engine.WaitForExternalEvent(ctx, number).Await()
			a, errA := engine.WaitForExternalEvent(ctx, answer).Await()
			if err != nil || errA != nil {
				return "", fmt.Errorf("%w %w", err, errA)
			}
			got = append(got, fmt.Sprint(m, a))
		}
		return strings.Join(got, " "), nil
	})
	d.turn(d.event("Number", "1"))
	// The second answer comes in the same turn as the one that ends the execution.
	d.turn(d.event("Number", "2"), d.event("Answer", `"go"`), d.event("Answer", `"a"`), d.event("Answer", `"b"`))
	d.wantOutput(history.Completed, `"1a 2b"`)
	names := ""
	for _, e := range d.past {
		if e.Kind == history.EventRaised {
			names += e.Name + string(e.Input) + " "
		}
	}
	if want := `Number1 Number2 Answer"a" Answer"b" `; names != want {
		t.Errorf("recorded %s, want %s", names, want)
	}
}

func TestEventsCanBeLeftBehind(t *testing.T) {
	d := one(t, "0", func(ctx *engine.Context, n int) (int, error) {
		if n == 0 {
			if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
				return 0, err
			}
			return 0, ctx.ContinueAsNew(1, engine.DropEvents())
		}
		return engine.WaitForExternalEvent(ctx, number).Await()
	})
	d.turn(d.event("Number", "1"))
	d.turn(d.event("Answer", `"go"`), d.event("Number", "2"))
	d.wantOutput(history.Completed, "2")
}

func TestWhatComesAfterTheEndIsForTheNextExecution(t *testing.T) {
	d := one(t, "0", sum)
	d.turn(d.event("Number", "1"), d.message(history.Event{Kind: history.ExecutionSuspended, Reason: "lunch"}), d.event("Number", "2"))
	if d.last.Status != history.Suspended || d.last.Begun == nil {
		t.Fatalf("it is %v", d.last.Status)
	}
	d.turn(d.message(history.Event{Kind: history.ExecutionResumed}), d.event("Number", "3"), d.message(history.Event{Kind: history.ExecutionTerminated, Reason: "enough"}))
	d.wantOutput(history.Terminated, `"enough"`)
	for _, e := range d.past {
		if e.Kind == history.ExecutionStarted && string(e.Input) != "6" {
			t.Errorf("the last execution began with %s", e.Input)
		}
	}
}

func TestAMessageOfAnEarlierExecutionIsKnown(t *testing.T) {
	d := one(t, "0", sum)
	first := d.event("Number", "1")
	d.turn(first)
	for i := range 40 {
		d.turn(d.event("Number", fmt.Sprint(i)))
		if got := d.turn(first); len(got.Events) != 0 {
			t.Fatalf("after %d executions it is recorded again", i+2)
		}
	}
}

func TestTheNextExecutionKeepsWhatIsTheInstances(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, n int) (int, error) {
		if n == 0 {
			if err := ctx.SetCustomStatus("working"); err != nil {
				return 0, err
			}
		}
		return sum(ctx, n)
	}, engine.SecretEvent("New"))
	d := newDesk(t, r)
	parent := &history.Parent{Instance: "p", Execution: "pe", Task: 7}
	d.turn(d.message(history.Event{Kind: history.ExecutionStarted, Name: "test", Execution: "e1", Input: json.RawMessage("0"), Secret: []string{"Code"}, Parent: parent}))
	d.now = d.now.Add(time.Minute)
	d.turn(d.event("Number", "5"))
	if len(d.sends()) != 0 {
		t.Errorf("its parent is told %+v", d.sends())
	}
	begun := *d.last.Begun
	if begun.Name != "test" || string(begun.Input) != "5" || !reflect.DeepEqual(begun.Secret, []string{"Code", "New"}) || !reflect.DeepEqual(begun.Parent, parent) || !begun.Time.Equal(d.now) {
		t.Errorf("it begins with %+v", begun)
	}
	for range 2 {
		if string(d.last.CustomStatus) != `"working"` {
			t.Errorf("the custom status is %s", d.last.CustomStatus)
		}
		d.turn(d.event("Other", "1"))
	}
	d.turn(d.event("Number", "0"))
	if sends := d.sends(); len(sends) != 1 || sends[0].To != "p" || string(sends[0].Message.Result) != "5" {
		t.Errorf("its parent is told %+v", sends)
	}
}

func TestActivitiesAndTimersDieWithTheirExecution(t *testing.T) {
	d := one(t, "0", func(ctx *engine.Context, n int) (int, error) {
		engine.CallActivity(ctx, double, n)
		if n == 0 {
			ctx.CreateTimer(ctx.Now().Add(time.Hour))
		}
		return sum(ctx, n)
	})
	d.turn(d.event("Number", "1"))
	if calls := d.live.Outstanding(); len(calls) != 1 || string(calls[0].Input) != "1" || !d.live.NextTimer().IsZero() {
		t.Errorf("it waits for %v and %v", calls, d.live.NextTimer())
	}
	old := d.result(0, "7")
	old.Execution = "e1"
	if got := d.turn(old); len(got.Events) != 0 {
		t.Errorf("recorded %v", got.Events)
	}
}

func TestTheLastCallCountsAndAnErrorWins(t *testing.T) {
	d := one(t, "0", func(ctx *engine.Context, n int) (int, error) {
		if n == 2 {
			return n, nil
		}
		if err := ctx.ContinueAsNew(func() {}); err == nil {
			return 0, fmt.Errorf("a function became JSON")
		}
		if err := ctx.ContinueAsNew(1); err != nil {
			return 0, err
		}
		return 0, ctx.ContinueAsNew(2)
	})
	d.wantOutput(history.Completed, "2")
	d = one(t, "0", func(ctx *engine.Context, _ int) (int, error) {
		if err := ctx.ContinueAsNew(1); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("no money")
	})
	if d.last.Status != history.Failed || d.last.Failure.Message != "no money" {
		t.Errorf("%v %v", d.last.Status, d.last.Failure)
	}
}

func TestAnExecutionWithSomethingToSendEndsFirst(t *testing.T) {
	d := one(t, "0", func(ctx *engine.Context, n int) (int, error) {
		m, err := sum(ctx, n)
		if err == nil && n < 3 {
			err = engine.SendEvent(ctx, "other", number, n)
		}
		return m, err
	})
	d.turn(d.event("Answer", `"kept"`))
	d.turn(d.event("Number", "1"), d.event("Number", "5"))
	if d.last.Status != history.ContinuedAsNew || len(d.sends()) != 1 || d.last.Begun != nil {
		t.Fatalf("it is %v and sends %v", d.last.Status, d.sends())
	}
	if last := d.past[len(d.past)-1]; last.Kind != history.ContinueAsNew || string(last.Result) != "1" || len(last.Carried.Events) != 2 {
		t.Errorf("the history ends with %+v", last)
	}
	// What comes before the next execution begins goes behind what is carried over.
	d.turn(d.event("Number", "0"))
	if d.last.Status != history.ContinuedAsNew {
		t.Fatalf("it is %v", d.last.Status)
	}
	d.turn()
	d.wantOutput(history.Completed, "6")
}

func TestAnOrchestrationThatNeverWaitsFails(t *testing.T) {
	d := one(t, "0", func(ctx *engine.Context, n int) (int, error) { return n, ctx.ContinueAsNew(n + 1) })
	if f := d.last.Failure; d.last.Status != history.Failed || f == nil || f.Kind != engine.KindNeverWaits {
		t.Errorf("%v %v", d.last.Status, f)
	}
	// One that takes what came is not idle, however much it is. (It takes long, so
	// it is not replayed as well.)
	d = one(t, "0", sum)
	var events []history.Event
	for range 1100 {
		events = append(events, d.event("Number", "1"))
	}
	var err error
	if d.last, err = d.live.Turn(d.now, append(events, d.event("Number", "0"))); err != nil {
		t.Fatal(err)
	}
	d.wantOutput(history.Completed, "1100")
}
