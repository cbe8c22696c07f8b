package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// rewind rewinds the instance of a desk, whose code may have changed.
func (d *desk) rewind(r *engine.Registry, run string) *engine.Rewound {
	d.t.Helper()
	message := d.message(history.Event{Kind: history.ExecutionRewound, Execution: run, Reason: "again"})
	again, err := r.Rewind("i1", d.past, []history.Event{message}, engine.ReplayOptions{})
	if err != nil {
		d.t.Fatal(err)
	}
	d.r, d.past = r, again.Past
	d.live = d.replay()
	d.turn(again.Messages...)
	return again
}

func (d *desk) failing(id int32) history.Event {
	return history.Event{Kind: history.TaskFailed, ID: history.Outside, Time: d.now, TaskID: id, Failure: &history.Failure{Kind: "busy", Message: "no"}}
}

// asked returns the numbers of the calls that wait for a result.
func (d *desk) asked() (numbers []int32) {
	for _, e := range d.live.Outstanding() {
		numbers = append(numbers, e.ID)
	}
	return numbers
}

func TestARewoundExecutionMakesTheFailedCallAgain(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		a, err := engine.CallActivity(ctx, double, n).Await()
		if err != nil {
			return "", err
		}
		b, err := engine.CallActivity(ctx, double, a).Await()
		return fmt.Sprint(b, ctx.ExecutionID(), ctx.NewGUID() != ""), err
	})
	d.turn(d.result(0, "2"))
	d.turn(d.failing(1))
	if d.last.Status != history.Failed {
		t.Fatal(d.last.Status)
	}
	again := d.rewind(d.r, "e2")
	if !again.Again[1] || again.Again[0] || !slices.Equal(d.asked(), []int32{1}) || d.live.ID() != "e2" || d.live.Origin() != "e1" {
		t.Fatalf("%+v, it asks for %v in run %s of %s", again, d.asked(), d.live.ID(), d.live.Origin())
	}
	late := d.result(1, "9")
	late.Execution = "e1" // of the run that failed
	if got := d.turn(late); len(got.Events) != 0 {
		t.Errorf("recorded %v", got.Events)
	}
	mine := d.result(1, "4")
	mine.Execution = "e2"
	d.turn(mine)
	d.wantOutput(history.Completed, `"4e1true"`)
}

func TestARewindingKeepsWhatCameInTheTurnThatFailed(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		went, broke := engine.CallActivity(ctx, double, 1), engine.CallActivity(ctx, double, 2)
		if _, err := broke.Await(); err != nil {
			return 0, err
		}
		return went.Await()
	})
	went, broke := d.result(0, "2"), d.failing(1)
	went.Execution, broke.Execution = "e1", "e1"
	d.turn(went, broke)
	if d.last.Status != history.Failed {
		t.Fatal(d.last.Status)
	}
	if d.rewind(d.r, "e2"); !slices.Equal(d.asked(), []int32{1}) {
		t.Fatalf("it asks for %v", d.asked())
	}
	d.turn(d.result(1, "4"))
	d.wantOutput(history.Completed, "2")
}

func TestARewindingKeepsFailuresThatWereHandled(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		handled := engine.CallActivity(ctx, double, 1)
		ignored := engine.CallActivity(ctx, double, 2)
		if _, err := handled.Await(); err != nil {
			engine.CallActivity(ctx, triple, 3) // in its place
		}
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return 0, err
		}
		return ignored.Await()
	})
	d.turn(d.failing(0))
	d.turn(d.failing(1))
	d.turn(d.event("Answer", `"go"`))
	if d.last.Status != history.Failed {
		t.Fatal(d.last.Status)
	}
	again := d.rewind(d.r, "e2")
	if again.Again[0] || !again.Again[1] || !slices.Equal(d.asked(), []int32{1, 2}) {
		t.Fatalf("again %v, asked %v", again.Again, d.asked())
	}
	d.turn(d.result(1, "7"))
	d.wantOutput(history.Completed, "7")
}

func TestARewoundExecutionTakesTheCodeAsItIsNow(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		if _, err := engine.CallActivity(ctx, double, n).Await(); err != nil {
			return 0, err
		}
		panic("a mistake")
	})
	d.turn(d.result(0, "2"), d.event("Number", "5"))
	mended := engine.NewRegistry()
	engine.AddOrchestrator(mended, "test", func(ctx *engine.Context, n int) (int, error) {
		a, err := engine.CallActivity(ctx, double, n).Await()
		if err != nil {
			return 0, err
		}
		b, err := engine.WaitForExternalEvent(ctx, number).Await()
		return a + b, err
	})
	d.rewind(mended, "e2")
	d.wantOutput(history.Completed, "7")
}

func TestAFailureInTheFirstTurnIsRewound(t *testing.T) {
	d := one(t, "1", func(*engine.Context, int) (int, error) { return 0, errors.New("a mistake") })
	mended := engine.NewRegistry()
	engine.AddOrchestrator(mended, "test", func(ctx *engine.Context, n int) (int, error) {
		return engine.CallActivity(ctx, double, n).Await()
	})
	d.rewind(mended, "e2")
	d.turn(d.result(d.asked()[0], "2"))
	d.wantOutput(history.Completed, "2")
}

func TestAnExecutionIsRewoundAgainAndAgain(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		deadline := ctx.CreateTimer(ctx.Now().Add(time.Hour))
		m, err := engine.CallActivity(ctx, double, n).Await()
		if err != nil {
			return 0, err
		}
		_, err = deadline.Await()
		return m, err
	})
	for n := range 3 {
		d.turn(d.failing(1))
		d.rewind(d.r, fmt.Sprint("e", n+2))
		if !slices.Equal(d.asked(), []int32{1}) {
			t.Fatal(d.asked())
		}
	}
	d.turn(d.result(1, "2"))
	d.now = d.now.Add(time.Hour)
	d.turn()
	d.wantOutput(history.Completed, "2")
}

func TestFailedChildrenAreRewoundToo(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		one, two := engine.CallSubOrchestrator(ctx, kid, n), engine.CallSubOrchestrator(ctx, kid, n, engine.InstanceID("two"))
		results, err := engine.WhenAll(ctx, one, two).Await()
		if err != nil {
			return 0, err
		}
		return results[0] + results[1], nil
	})
	before := d.sends()
	d.turn(d.notice(0, "", &history.Failure{Kind: "busy"}))
	d.turn(d.notice(1, "5", nil))
	d.rewind(d.r, "e2")
	sends := d.sends()
	if len(sends) != 2 || sends[0].To != "e1:0" || sends[0].Message.Kind != history.ExecutionRewound || sends[0].Message.Execution == "" || sends[0].Refused == nil {
		t.Fatalf("it sends %+v", sends)
	}
	if again := d.r.Sends("i1", d.past); len(again) != len(before)+2 || fmt.Sprint(again[2]) != fmt.Sprint(sends[0]) || fmt.Sprint(again[0]) != fmt.Sprint(before[0]) {
		t.Errorf("found again in history:\n%+v\nfirst:\n%+v", again, append(before, sends...))
	}
	d.turn(d.notice(0, "3", nil))
	d.wantOutput(history.Completed, "8")
}

func TestWhoAsksForARewindingThatIsMadeIsWrittenDown(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		return engine.CallSubOrchestrator(ctx, kid, n).Await()
	})
	d.turn(d.notice(0, "", &history.Failure{Kind: "busy"}))
	first := d.message(history.Event{Kind: history.ExecutionRewound, Execution: "e2", Reason: "first"})
	second := d.message(history.Event{Kind: history.ExecutionRewound, Execution: "e3", Reason: "second"})
	again, err := d.r.Rewind("i1", d.past, []history.Event{first, second}, engine.ReplayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d.past = again.Past
	d.live = d.replay()
	d.turn(again.Messages...)
	var asked []string
	for _, e := range d.past {
		if e.Kind == history.ExecutionRewound {
			asked = append(asked, e.Reason+" "+e.Execution)
		}
	}
	if fmt.Sprint(asked) != "[first e2 second e2]" {
		t.Errorf("the history says %q", asked)
	}
	if sends := d.sends(); len(sends) != 1 || len(d.r.Sends("i1", d.past)) != 2 {
		t.Errorf("the child is told %d times: %+v", len(sends), sends)
	}
}

func TestWhatIsAskedForGoesByTheLastRewinding(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		engine.CallSubOrchestrator(ctx, kid, n)
		return 0, errors.New("no") // in the first turn, again and again
	})
	for _, run := range []string{"e2", "e3"} {
		d.rewind(d.r, run)
		if sends := d.sends(); len(sends) != 1 || !strings.HasPrefix(sends[0].To, run+":") {
			t.Errorf("run %s sends %+v", run, sends)
		}
	}
}

// The timer was due long before the rewinding, and fires behind it all the same: what
// the code asks for then must not have the id of what the turn that was taken back
// asked for.
func TestATimerOfTheTurnThatFailedFiresBehindTheRewinding(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		if _, err := ctx.CreateTimer(ctx.Now().Add(time.Minute)).Await(); err != nil {
			return 0, err
		}
		engine.CallSubOrchestrator(ctx, kid, n)
		return 0, errors.New("no")
	})
	d.now = d.now.Add(time.Minute)
	d.turn()
	d.now = d.now.Add(time.Minute)
	d.rewind(d.r, "e2")
	if sends := d.sends(); len(sends) != 1 || sends[0].To != "e2:2" {
		t.Errorf("it sends %+v", sends)
	}
	d.rewind(d.r, "e3")
	if sends := d.sends(); len(sends) != 1 || sends[0].To != "e3:2" {
		t.Errorf("it sends %+v", sends)
	}
}

func TestTheIDOfAChildBehindARewindingStays(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (int, error) {
		if _, err := engine.CallActivity(ctx, double, n).Await(); err != nil {
			return 0, err
		}
		return engine.CallSubOrchestrator(ctx, kid, n).Await()
	})
	d.turn(d.failing(0))
	d.rewind(d.r, "e2")
	d.turn(d.result(0, "2"))
	d.live = d.replay()
	ended := d.notice(2, "8", nil)
	ended.Execution = "e2"
	d.turn(ended)
	d.wantOutput(history.Completed, "8")
}

func TestOnlyAFailureIsRewound(t *testing.T) {
	d := one(t, "1", func(_ *engine.Context, n int) (int, error) { return n, nil })
	for _, past := range [][]history.Event{nil, d.past, d.past[:2]} {
		if _, err := d.r.Rewind("i1", past, []history.Event{{}}, engine.ReplayOptions{}); err == nil || !strings.Contains(err.Error(), "has not failed") {
			t.Error(err)
		}
	}
	d = one(t, "1", func(*engine.Context, int) (int, error) { return 0, errors.New("no") })
	d.turn()
	past := append([]history.Event{}, d.past...)
	past = slices.Insert(past, 2, history.Event{Kind: history.OrchestratorStarted}, d.failing(0), history.Event{Kind: history.OrchestratorStarted})
	if _, err := engine.NewRegistry().Rewind("i1", past, []history.Event{{}}, engine.ReplayOptions{}); !errors.Is(err, engine.ErrUnknownName) {
		t.Error(err)
	}
}
