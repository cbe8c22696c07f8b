package engine_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// desk drives one instance turn by turn with a clock of its own. Every turn is
// made twice, by the execution that lived through the earlier turns and by one
// that was just replayed from the history, and both must decide alike.
type desk struct {
	t    *testing.T
	r    *engine.Registry
	past []history.Event
	now  time.Time
	live *engine.Execution
	last engine.Decision
	n    int
}

func newDesk(t *testing.T, r *engine.Registry) *desk {
	d := &desk{t: t, r: r, now: epoch}
	d.live = d.replay()
	return d
}

func (d *desk) replay() *engine.Execution {
	d.t.Helper()
	x := d.r.Replay("i1", d.past, engine.ReplayOptions{})
	d.t.Cleanup(x.Close)
	return x
}

func (d *desk) turn(messages ...history.Event) engine.Decision {
	d.t.Helper()
	again := d.replay()
	defer again.Close()
	want, err := again.Turn(d.now, messages)
	if err != nil {
		d.t.Fatal(err)
	}
	got, err := d.live.Turn(d.now, messages)
	if err != nil {
		d.t.Fatal(err)
	}
	if !reflect.DeepEqual(withoutStack(got), withoutStack(want)) {
		d.t.Fatalf("the live execution decided\n%+v\nthe replayed one\n%+v", got, want)
	}
	if !reflect.DeepEqual(d.live.Outstanding(), again.Outstanding()) || !d.live.NextTimer().Equal(again.NextTimer()) ||
		!reflect.DeepEqual(d.live.WaitingFor(), again.WaitingFor()) {
		d.t.Fatal("the live and the replayed execution wait for different things")
	}
	if got.Begun != nil {
		d.past = nil
	}
	d.past = append(d.past, got.Events...)
	sent, found := again.Sends(got.Events), d.r.Sends("i1", d.past)
	if found = found[len(found)-len(sent):]; len(sent) > 0 && !reflect.DeepEqual(found, sent) {
		d.t.Fatalf("the turn sends\n%+v\nand its history\n%+v", sent, found)
	}
	d.last = got
	return got
}

// withoutStack drops what depends on who called the code.
func withoutStack(d engine.Decision) engine.Decision {
	if d.Failure == nil {
		return d
	}
	f := *d.Failure
	f.Stack = ""
	d.Failure = &f
	d.Events = slices.Clone(d.Events)
	for i := range d.Events {
		if d.Events[i].Failure != nil {
			d.Events[i].Failure = &f
		}
	}
	return d
}

func (d *desk) message(e history.Event) history.Event {
	d.n++
	e.Message = fmt.Sprintf("m%03d", d.n)
	e.ID = history.Outside
	if e.Time.IsZero() {
		e.Time = d.now
	}
	return e
}

func (d *desk) start(name string, input string, secret ...string) engine.Decision {
	d.t.Helper()
	return d.turn(d.message(history.Event{Kind: history.ExecutionStarted, Name: name, Execution: "e1", Input: json.RawMessage(input), Secret: secret}))
}

func (d *desk) event(name, payload string) history.Event {
	return d.message(history.Event{Kind: history.EventRaised, Name: name, Input: json.RawMessage(payload)})
}

func (d *desk) result(id int32, result string) history.Event {
	return history.Event{Kind: history.TaskCompleted, ID: history.Outside, Time: d.now, TaskID: id, Result: json.RawMessage(result)}
}

func (d *desk) wantOutput(status history.Status, output string) {
	d.t.Helper()
	if d.last.Status != status || string(d.last.Output) != output {
		d.t.Errorf("ended %v with %s (%v); want %v with %s", d.last.Status, d.last.Output, d.last.Failure, status, output)
	}
}

// one registers fn under "test" and returns a desk on which it was started.
func one[In, Out any](t *testing.T, input string, fn func(*engine.Context, In) (Out, error), options ...engine.OrchestratorOption) *desk {
	t.Helper()
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", fn, options...)
	d := newDesk(t, r)
	d.start("test", input, r.SecretEvents("test")...)
	return d
}

const (
	double engine.Activity[int, int] = "double"
	answer engine.Event[string]      = "Answer"
	number engine.Event[int]         = "Number"
)
