package tablestore

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// splitTurns makes three turns, each too large for one transaction, as often as it
// takes: that of a new instance, one of twice as many rows, and that of an execution
// which continues the first. Between any two requests the instance is what it was before
// the turn or what it is after it. It returns the history.
func (d *desk) splitTurns(rows int) (whole []history.Event) {
	d.Helper()
	version, consumed := store.Version(""), []string(nil)
	for i, execution := range []string{"e1", "e1", "e2"} {
		events := manyEvents(rows, 10)
		if i == 1 {
			events = manyEvents(2*rows, 10)
		}
		events[1].Execution, events[1].Message = execution, fmt.Sprint("start", i)
		before := whole
		switch i {
		case 0:
			consumed = []string{events[1].Message}
		case 1:
			events = append(whole[:len(whole):len(whole)], events[2:]...)
		}
		whole = events
		token := fmt.Sprint("turn", i)
		turn := store.Turn{Consumed: consumed, Append: events, Instance: store.Instance{ID: "a", Execution: execution, Name: "test", Events: len(events), Turn: token}}
		if i == 1 {
			turn.Append = events[len(before):]
		}
		var err error
		for attempt := 0; ; attempt++ {
			turn.Base = version
			if version, err = d.opened.Commit(d.Context(), turn); err == nil {
				break
			}
			if attempt == 20 {
				d.Fatalf("%s is never written: %v", token, err)
			}
			if version = d.half(token, before, whole); version != "" && d.turn() == token {
				break
			}
		}
		state, err := d.store.Load(d.Context(), "a", "")
		d.must(err)
		if !reflect.DeepEqual(state.History, whole) {
			d.Fatalf("%d events after %s, want %d", len(state.History), token, len(whole))
		}
		if row, err := parseVersion(state.Instance.Version); err != nil || row.Waiting != int64(len(state.Inbox)) {
			d.Fatalf("%s passed over a message: the row counts %d, and there are %d", token, row.Waiting, len(state.Inbox))
		}
	}
	return whole
}

// half checks that nobody sees half of a turn, and returns the present version;
// empty if there is no instance.
func (d *desk) half(token string, before, after []history.Event) store.Version {
	d.Helper()
	state, err := d.store.Load(d.Context(), "a", "")
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	d.must(err)
	want := before
	if state.Instance.Turn == token {
		want = after
	}
	if len(state.History) != len(want) || len(want) > 0 && !reflect.DeepEqual(state.History, want) {
		d.Fatalf("%d events are seen with %s, and there were %d before %s", len(state.History), state.Instance.Turn, len(before), token)
	}
	return state.Instance.Version
}

func (d *desk) turn() string {
	d.Helper()
	in, err := d.store.Get(d.Context(), "a")
	d.must(err)
	return in.Turn
}

// splitAtEveryRequest makes split turns once for each of their requests, at which
// choose says what happens.
func splitAtEveryRequest(t *testing.T, retries int32, choose func(d *desk, f *azuritetest.Faults, at int) func(int, *http.Request) azuritetest.Fault) {
	requests := 0
	for at, more := 0, true; more && !t.Failed(); at++ {
		f := &azuritetest.Faults{}
		d := newFaultyDesk(t, inMemoryOptions, f, retries)
		before := f.Requests()
		f.Choose = choose(d, f, before+at)
		d.splitTurns(104)
		more = f.Requests() > before+at
		f.Choose = nil
		if t.Failed() {
			t.Logf("it was request %d: %q", at, f.Log())
		}
		requests = at
	}
	if requests < 10 {
		t.Errorf("%d requests for three turns", requests)
	}
}

// takesEffect are the faults whose request arrives although it seems to fail.
var takesEffect = []azuritetest.Fault{azuritetest.Unanswered, azuritetest.Vague, azuritetest.Doubled}

func TestASplitTurnIsWholeWhateverGoesWrong(t *testing.T) {
	for retries, faults := range map[int32][]azuritetest.Fault{-1: azuritetest.AllFaults(), 3: takesEffect} {
		for _, fault := range faults {
			t.Run(fmt.Sprintf("%v, %d retries", fault, max(retries, 0)), func(t *testing.T) {
				t.Parallel()
				splitAtEveryRequest(t, retries, func(_ *desk, _ *azuritetest.Faults, at int) func(int, *http.Request) azuritetest.Fault {
					return azuritetest.At(at, fault)
				})
			})
		}
	}
}

// The process is gone between any two transactions, and another goes on.
func TestASplitTurnMayEndAnywhere(t *testing.T) {
	splitAtEveryRequest(t, -1, func(d *desk, f *azuritetest.Faults, at int) func(int, *http.Request) azuritetest.Fault {
		gone := d.opened
		return func(n int, _ *http.Request) azuritetest.Fault {
			if n < at {
				return azuritetest.None
			}
			if d.opened == gone {
				gone.Close()
				d.opened = d.store
			}
			return azuritetest.Unsent
		}
	})
}

// A message, or the turn of another worker, comes between any two transactions.
func TestASplitTurnMayBeOvertaken(t *testing.T) {
	for name, overtake := range map[string]func(d *desk){
		"a message": func(d *desk) {
			m := history.Event{Kind: history.EventRaised, ID: history.Outside, Name: "x", Message: "m"}
			if err := d.store.Send(d.Context(), "a", m); err != nil && !errors.Is(err, store.ErrNotFound) {
				d.Error(err)
			}
		},
		"a turn": func(d *desk) {
			in, err := d.store.Get(d.Context(), "a")
			if errors.Is(err, store.ErrNotFound) || in.Events == 0 {
				return
			}
			d.must(err)
			turn := store.Turn{Base: in.Version, Instance: in}
			turn.Instance.Turn, turn.Instance.CustomStatus = "of another", []byte(`"here"`)
			_, err = d.store.Commit(d.Context(), turn)
			d.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			splitAtEveryRequest(t, -1, func(d *desk, f *azuritetest.Faults, at int) func(int, *http.Request) azuritetest.Fault {
				return func(n int, _ *http.Request) azuritetest.Fault {
					if n == at {
						overtake(d)
					}
					return azuritetest.None
				}
			})
		})
	}
}

// Nobody who reads while a split turn is written, before any of its requests, sees
// half of it.
func TestNobodySeesHalfOfATurn(t *testing.T) {
	f := &azuritetest.Faults{}
	d := newFaultyDesk(t, inMemoryOptions, f, -1)
	seen := map[int]bool{}
	f.Choose = func(int, *http.Request) azuritetest.Fault {
		state, err := d.store.Load(t.Context(), "a", "")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		seen[len(state.History)] = true
		return azuritetest.None
	}
	d.splitTurns(600)
	want := map[int]bool{0: true, 602: true, 1802: true}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("histories of %v events are seen", seen)
	}
}
