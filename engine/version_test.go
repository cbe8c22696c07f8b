package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

const triple engine.Activity[int, int] = "triple"

// begin starts "test" with what else the start says.
func (d *desk) begin(start history.Event) engine.Decision {
	d.t.Helper()
	start.Kind, start.Name, start.Execution = history.ExecutionStarted, "test", "e1"
	return d.turn(d.message(start))
}

func TestAnInstanceKnowsItsVersion(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, n int) (string, error) {
		if n == 0 {
			return "", ctx.ContinueAsNew(1)
		}
		if n == 1 {
			return "", ctx.ContinueAsNew(2, engine.Version("1.5"), engine.DropEvents())
		}
		_, err := engine.WaitForExternalEvent(ctx, answer).Await()
		return ctx.Version(), err
	})
	d := newDesk(t, r)
	d.begin(history.Event{Version: "1.2", Tags: map[string]string{"team": "red"}, Input: json.RawMessage("0")})
	begun := *d.last.Begun
	if begun.Version != "1.5" || begun.Tags["team"] != "red" {
		t.Errorf("the last execution begins with %+v", begun)
	}
	d.past = d.last.Events
	d.turn(d.event("Answer", `""`))
	d.wantOutput(history.Completed, `"1.5"`)
}

func TestInstancesThatAreBegunGetTheVersionOfTheProgram(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, _ any) (string, error) {
		engine.CallSubOrchestrator(ctx, kid, 1)
		engine.CallSubOrchestrator(ctx, kid, 2, engine.Version("0.9"))
		if _, err := engine.StartOrchestrator(ctx, kid, 3, engine.Version("0.8")); err != nil {
			return "", err
		}
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	x := r.Replay("i1", nil, engine.ReplayOptions{Version: "2.0"})
	defer x.Close()
	tags := map[string]string{"team": "red"}
	d, err := x.Turn(epoch, []history.Event{{Kind: history.ExecutionStarted, Name: "test", Execution: "e1", Version: "1.0", Tags: tags}})
	if err != nil {
		t.Fatal(err)
	}
	var versions []string
	for _, send := range r.Sends("i1", d.Events) { // whatever program sends it
		versions = append(versions, send.Message.Version)
		if !reflect.DeepEqual(send.Message.Tags, tags) {
			t.Errorf("tags %v", send.Message.Tags)
		}
	}
	if want := []string{"2.0", "0.9", "0.8"}; !reflect.DeepEqual(versions, want) {
		t.Errorf("versions %q, want %q", versions, want)
	}
}

func TestAVersionMayBeTurnedAway(t *testing.T) {
	later := errors.New("it is for another worker")
	for name, why := range map[string]error{"for now": later, "for good": engine.NonRetriable(later)} {
		t.Run(name, func(t *testing.T) {
			r := engine.NewRegistry()
			engine.AddOrchestrator(r, "test", func(ctx *engine.Context, _ any) (string, error) {
				return engine.WaitForExternalEvent(ctx, answer).Await()
			})
			d := newDesk(t, r)
			d.begin(history.Event{Version: "2.0"})
			asked := ""
			x := r.Replay("i1", d.past, engine.ReplayOptions{Admit: func(version string) error { asked = version; return why }})
			defer x.Close()
			decision, err := x.Turn(d.now, []history.Event{d.event("Answer", `""`)})
			if asked != "2.0" {
				t.Errorf("asked about version %q", asked)
			}
			if name == "for now" {
				if !errors.Is(err, later) {
					t.Errorf("%+v %v", decision, err)
				}
				return
			}
			if err != nil || decision.Status != history.Failed || !decision.Failure.NonRetriable || len(decision.Events) == 0 {
				t.Errorf("%+v %v", decision, err)
			}
		})
	}
}

// branching returns the orchestration before and after its change.
func branching(change bool) *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, n int) (string, error) {
		took := ""
		for range 2 {
			if change && ctx.Patched("triple") {
				engine.CallActivity(ctx, triple, n)
				took += "new "
			} else {
				engine.CallActivity(ctx, double, n)
				took += "old "
			}
			if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
				return "", err
			}
		}
		return took, nil
	})
	return r
}

func TestAPatchLeavesRunningInstancesOnTheirBranch(t *testing.T) {
	d := newDesk(t, branching(false))
	d.begin(history.Event{Input: json.RawMessage("1")})
	d.r = branching(true)
	d.live = d.replay()
	d.turn(d.event("Answer", `""`))
	d.turn(d.event("Answer", `""`))
	d.wantOutput(history.Completed, `"old old "`)

	d = newDesk(t, branching(true))
	d.begin(history.Event{Input: json.RawMessage("1")})
	d.turn(d.event("Answer", `""`))
	d.turn(d.event("Answer", `""`))
	d.wantOutput(history.Completed, `"new new "`)
	if marks := strings.Count(fmt.Sprint(d.past), "GenericEvent"); marks != 1 {
		t.Errorf("the branch was recorded %d times", marks)
	}
}

func TestAPatchCanBeRemoved(t *testing.T) {
	d := newDesk(t, branching(true))
	d.begin(history.Event{Input: json.RawMessage("1")})
	d.turn(d.event("Answer", `""`))
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, n int) (string, error) {
		for range 2 {
			engine.CallActivity(ctx, triple, n)
			if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
				return "", err
			}
		}
		engine.CallActivity(ctx, triple, n)
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.r = r
	d.live = d.replay()
	d.turn(d.event("Answer", `""`)) // a new action gets a number that was not used
	d.turn(d.event("Answer", `"gone"`))
	d.wantOutput(history.Completed, `"gone"`)
}

func TestTheIDOfAChildBehindARemovedPatchStays(t *testing.T) {
	begin := func(ctx *engine.Context, n int) (string, error) {
		engine.CallSubOrchestrator(ctx, kid, n)
		return engine.WaitForExternalEvent(ctx, answer).Await()
	}
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		ctx.Patched("children")
		return begin(ctx, n)
	})
	d.r = engine.NewRegistry()
	engine.AddOrchestrator(d.r, "test", begin)
	d.live = d.replay()
	d.turn(d.event("Answer", `"well"`))
	d.wantOutput(history.Completed, `"well"`)
}

func TestTheRecordOfAPatchAtTheEndIsNoMismatch(t *testing.T) {
	d := one(t, "1", func(ctx *engine.Context, n int) (string, error) {
		ctx.Patched("last")
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "test", func(ctx *engine.Context, n int) (string, error) {
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return "", err
		}
		engine.CallActivity(ctx, double, n)
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.r = r
	d.live = d.replay()
	d.turn(d.event("Answer", `""`))
	if id := d.live.Outstanding()[0].ID; id != 1 {
		t.Errorf("the new action has number %d, which is the patch's", id)
	}
	d.turn(d.event("Answer", `"on"`))
	d.wantOutput(history.Completed, `"on"`)
}

func TestAnInstanceBeginsAtItsTime(t *testing.T) {
	at := epoch.Add(30 * 24 * time.Hour)
	begin := func(t *testing.T) *desk {
		r := engine.NewRegistry()
		engine.AddOrchestrator(r, "test", func(ctx *engine.Context, _ any) (string, error) {
			if ctx.Now().Before(at) {
				return "", errors.New("too early")
			}
			return engine.WaitForExternalEvent(ctx, answer).Await()
		})
		d := newDesk(t, r)
		d.begin(history.Event{FireAt: at})
		if d.last.Status != history.Pending || !d.live.NextTimer().Equal(at) {
			t.Fatalf("%v, to be looked at %v", d.last.Status, d.live.NextTimer())
		}
		d.now = at.Add(-1)
		if got := d.turn(); len(got.Events) != 0 {
			t.Fatalf("it began early: %v", got.Events)
		}
		return d
	}
	t.Run("and keeps what came before", func(t *testing.T) {
		d := begin(t)
		if d.turn(d.event("Answer", `"early"`)); d.last.Status != history.Pending {
			t.Fatal(d.last.Status)
		}
		d.now = at
		d.turn()
		d.wantOutput(history.Completed, `"early"`)
	})
	t.Run("unless it is terminated", func(t *testing.T) {
		d := begin(t)
		d.turn(d.message(history.Event{Kind: history.ExecutionTerminated, Reason: "no"}))
		d.wantOutput(history.Terminated, `"no"`)
	})
	t.Run("or later, if it is suspended", func(t *testing.T) {
		d := begin(t)
		d.turn(d.message(history.Event{Kind: history.ExecutionSuspended}))
		d.now = at
		d.turn()
		if d.turn(); d.last.Status != history.Suspended || !d.live.NextTimer().IsZero() {
			t.Fatalf("%v, to be looked at %v", d.last.Status, d.live.NextTimer())
		}
		d.turn(d.message(history.Event{Kind: history.ExecutionResumed}), d.event("Answer", `"late"`))
		d.wantOutput(history.Completed, `"late"`)
	})
}
