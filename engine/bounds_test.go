package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// bounded starts an orchestration whose history may have so many events, or be so
// large, and gives it the events.
func bounded(t *testing.T, fn func(*engine.Context, int) (int, error), o engine.ReplayOptions, events int) (engine.Decision, []history.Event, *engine.Registry) {
	t.Helper()
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", fn)
	d := newDesk(t, r)
	messages := []history.Event{d.message(history.Event{Kind: history.ExecutionStarted, Name: "test", Execution: "e1", Input: []byte("1")})}
	var last engine.Decision
	for range events + 1 {
		x := r.Replay("i1", d.past, o)
		decision, err := x.Turn(d.now, messages)
		x.Close()
		if err != nil {
			t.Fatal(err)
		}
		if decision.Begun != nil {
			d.past = nil
		}
		last, d.past = decision, append(d.past, decision.Events...)
		messages = []history.Event{d.event("Number", "1")}
		if last.Status.IsTerminal() {
			break
		}
	}
	return last, d.past, r
}

// sumUp waits for numbers for ever.
func sumUp(ctx *engine.Context, n int) (int, error) {
	for {
		v, err := engine.WaitForExternalEvent(ctx, number).Await()
		if err != nil {
			return 0, err
		}
		n += v
	}
}

func TestAHistoryThatIsFullFailsItsInstance(t *testing.T) {
	fan := func(ctx *engine.Context, _ int) (int, error) {
		var calls []*engine.Task[int]
		for i := range 100 {
			calls = append(calls, engine.CallActivity(ctx, double, i))
		}
		_, err := engine.WhenAll(ctx, calls...).Await()
		return 0, err
	}
	for name, tt := range map[string]struct {
		fn           func(*engine.Context, int) (int, error)
		o            engine.ReplayOptions
		events, most int
		says         string
	}{
		"by events":                 {sumUp, engine.ReplayOptions{MaxEvents: 20}, 20, 23, "20 events"},
		"by bytes":                  {sumUp, engine.ReplayOptions{MaxBytes: 4000}, 100, 40, "4000 bytes"},
		"by what one turn asks for": {fan, engine.ReplayOptions{MaxEvents: 50}, 0, 51, "50 events"},
	} {
		last, past, r := bounded(t, tt.fn, tt.o, tt.events)
		f := last.Failure
		if last.Status != history.Failed || f.Kind != engine.KindHistoryFull || !strings.Contains(f.Message, tt.says) || !strings.Contains(f.Message, "ContinueAsNew") {
			t.Errorf("%s: %v %v", name, last.Status, f)
			continue
		}
		if len(past) > tt.most {
			t.Errorf("%s: %d events", name, len(past))
		}
		// What was cut off is no divergence, whatever bound there is then.
		again := r.Replay("i1", past, engine.ReplayOptions{})
		if d, err := again.Turn(epoch, nil); err != nil || d.Status != history.Failed || d.Failure.Kind != engine.KindHistoryFull || len(d.Events) > 0 {
			t.Errorf("%s, replayed: %v %+v", name, err, d)
		}
		again.Close()
	}
}

func TestWithinItsBoundsAHistoryGrowsAndIsWarnedOfOnce(t *testing.T) {
	warned := 0
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", sumUp)
	d := newDesk(t, r)
	messages := []history.Event{d.message(history.Event{Kind: history.ExecutionStarted, Name: "test", Execution: "e1", Input: []byte("1")})}
	for range 9 { // two events each
		x := r.Replay("i1", d.past, engine.ReplayOptions{MaxEvents: 20, MaxBytes: -1})
		decision, err := x.Turn(d.now, messages)
		x.Close()
		if err != nil || decision.Status != history.Running {
			t.Fatal(decision.Status, decision.Failure, err)
		}
		if decision.HalfFull {
			warned++
		}
		d.past = append(d.past, decision.Events...)
		messages = []history.Event{d.event("Number", "1")}
	}
	if warned != 1 {
		t.Errorf("warned %d times", warned)
	}
}

func TestAnExecutionThatContinuesAsNewIsNeverFull(t *testing.T) {
	last, past, _ := bounded(t, func(ctx *engine.Context, n int) (int, error) {
		v, err := engine.WaitForExternalEvent(ctx, number).Await()
		return 0, errors.Join(err, ctx.ContinueAsNew(n+v))
	}, engine.ReplayOptions{MaxEvents: 10}, 50)
	if last.Status != history.Running || len(past) > 4 {
		t.Errorf("%v with %d events", last.Status, len(past))
	}
}

func TestATerminationAlwaysFindsRoom(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", sumUp)
	d := newDesk(t, r)
	o := engine.ReplayOptions{MaxEvents: 2}
	for _, m := range []history.Event{
		{Kind: history.ExecutionStarted, Name: "test", Execution: "e1", Input: []byte("1")},
		{Kind: history.ExecutionTerminated, Reason: "enough"},
	} {
		x := r.Replay("i1", d.past, o)
		decision, err := x.Turn(d.now, []history.Event{d.message(m)})
		x.Close()
		if err != nil {
			t.Fatal(err)
		}
		d.past, d.last = append(d.past, decision.Events...), decision
	}
	d.wantOutput(history.Terminated, `"enough"`)
}
