package tablestore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// remains is the kind of instance that a purge finds: how many rows it has, and
// whether it has blobs.
type remains struct {
	rows  int
	blobs bool
}

var allRemains = []remains{{10, false}, {250, false}, {10, true}, {250, true}}

// leave makes an instance that has ended.
func (d *desk) leave(what remains) {
	d.Helper()
	events := manyEvents(what.rows, 10)
	if what.blobs {
		events[1].Input = []byte(`"` + said + `"`)
		events[2].Input = []byte(replied)
	}
	in := store.Instance{ID: "a", Execution: "e", Name: "test", Status: history.Completed, Events: len(events), Turn: "t", Input: events[1].Input, Created: d.clock(), Completed: d.clock()}
	_, err := d.store.Commit(d.Context(), store.Turn{Instance: in, Append: events})
	d.must(err)
}

// thereOrGone checks that an instance is whole or is not there.
func (d *desk) thereOrGone(events int) (there bool) {
	d.Helper()
	state, err := d.store.Load(d.Context(), "a", "")
	if errors.Is(err, store.ErrNotFound) {
		if _, err := d.store.Get(d.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
			d.Errorf("it can be read although it is gone: %v", err)
		}
		if err := d.store.Send(d.Context(), "a", history.Event{Kind: history.EventRaised, Message: "m"}); !errors.Is(err, store.ErrNotFound) {
			d.Errorf("it can be sent a message although it is gone: %v", err)
		}
		return false
	}
	d.must(err)
	if len(state.History) != events || state.Instance.Status != history.Completed {
		d.Errorf("%d events of %d are there", len(state.History), events)
	}
	return true
}

// The process is gone at any request of a purge. The instance is there or it is
// not, and the next purge of many finishes.
func TestAPurgeMayEndAnywhere(t *testing.T) {
	for _, what := range allRemains {
		t.Run(fmt.Sprintf("%+v", what), func(t *testing.T) {
			for at, more := 0, true; more && !t.Failed(); at++ {
				f := &azuritetest.Faults{}
				d := newFaultyDesk(t, inMemoryOptions, f, -1)
				d.leave(what)
				before := f.Requests()
				f.Choose = func(n int, _ *http.Request) azuritetest.Fault {
					if n < before+at {
						return azuritetest.None
					}
					return azuritetest.Unsent
				}
				more = d.opened.Purge(t.Context(), "a") != nil
				f.Choose = nil
				d.openWorker(d.o)
				there := d.thereOrGone(what.rows + 2)
				if !there {
					// What is left of it does not come back.
					d.work()
					d.advance(2 * d.store.Lease())
					d.work()
				}
				if again := d.thereOrGone(what.rows + 2); again != there {
					t.Error("it came back")
				}
				_, err := d.client.PurgeMany(t.Context(), store.Query{})
				d.must(err)
				d.emptied(0)
				if t.Failed() {
					t.Logf("it was request %d: %q", at, f.Log())
				}
			}
		})
	}
}

func TestAPurgeGoesOnWhateverGoesWrong(t *testing.T) {
	for _, what := range allRemains {
		for retries, faults := range map[int32][]azuritetest.Fault{-1: {azuritetest.Unsent, azuritetest.Unanswered, azuritetest.Doubled}, 3: takesEffect} {
			for _, fault := range faults {
				t.Run(fmt.Sprintf("%+v, %v, %d retries", what, fault, max(retries, 0)), func(t *testing.T) {
					t.Parallel()
					for at, more := 0, true; more && !t.Failed(); at++ {
						f := &azuritetest.Faults{}
						d := newFaultyDesk(t, inMemoryOptions, f, retries)
						d.leave(what)
						before := f.Requests()
						f.Choose = azuritetest.At(before+at, fault)
						d.again("purge", func() error {
							err := d.opened.Purge(t.Context(), "a")
							if errors.Is(err, store.ErrNotFound) {
								err = nil
							}
							return err
						})
						more = f.Requests() > before+at
						f.Choose = nil
						d.emptied(0)
						if t.Failed() {
							t.Logf("it was request %d: %q", at, f.Log())
						}
					}
				})
			}
		}
	}
}

// Before any request of a purge somebody starts an instance of the same id, as a
// client or as a worker does, and it is none of the purge's.
func TestAStartDuringAPurgeIsLeftAlone(t *testing.T) {
	input := []byte(`"` + said + `"`)
	for name, begin := range map[string]func(ctx context.Context, s *store.Instance, d *desk) error{
		"client": func(ctx context.Context, in *store.Instance, d *desk) error {
			start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Message: "m", Name: in.Name, Execution: in.Execution, Input: in.Input, Time: d.clock()}
			return d.store.Create(ctx, "a", start)
		},
		"worker": func(ctx context.Context, in *store.Instance, d *desk) error {
			_, err := d.store.Commit(ctx, store.Turn{Instance: *in})
			return err
		},
	} {
		for _, what := range allRemains {
			t.Run(fmt.Sprintf("%s, %+v", name, what), func(t *testing.T) {
				started := 0
				for at, more := 0, true; more && !t.Failed(); at++ {
					f := &azuritetest.Faults{}
					d := newFaultyDesk(t, inMemoryOptions, f, 3)
					d.leave(what)
					before, begun := f.Requests(), false
					in := store.Instance{ID: "a", Execution: "new", Name: "test", Turn: "new", Input: input, Created: d.clock()}
					f.Choose = func(n int, _ *http.Request) azuritetest.Fault {
						if n == before+at {
							begun = begin(t.Context(), &in, d) == nil
						}
						return azuritetest.None
					}
					err := d.opened.Purge(t.Context(), "a")
					if err != nil && !errors.Is(err, store.ErrActive) {
						t.Errorf("purge: %v", err)
					}
					more = f.Requests() > before+at
					f.Choose = nil
					if begun {
						started++
						d.isNew(in)
					}
					d.advance(2 * orphanAge)
					_, err = d.store.Receive(t.Context(), 32, 0)
					d.must(err)
					if begun {
						d.isNew(in)
						d.end()
					}
					_, err = d.client.PurgeMany(t.Context(), store.Query{})
					d.must(err)
					d.emptied(0)
					if t.Failed() {
						t.Logf("it was request %d: %q", at, f.Log())
					}
				}
				if started == 0 {
					t.Error("no start took place")
				}
			})
		}
	}
}

// isNew checks that the instance that was started is there and listed.
func (d *desk) isNew(want store.Instance) {
	d.Helper()
	state, err := openOn(d).Load(d.Context(), "a", "")
	d.must(err)
	if state.Instance.Execution != want.Execution || string(state.Instance.Input) != string(want.Input) || len(state.History) != 0 {
		d.Errorf("%s with %d events is there", state.Instance.Execution, len(state.History))
	}
	page, err := d.store.List(d.Context(), store.Query{})
	d.must(err)
	if len(page.Instances) != 1 || page.Instances[0].Execution != want.Execution || string(page.Instances[0].Input) != string(want.Input) {
		d.Errorf("%d instances are listed", len(page.Instances))
	}
}

// openOn opens the desk's hub with nothing in memory.
func openOn(d *desk) *Store { return open(d.TB, d.o) }

// end ends the instance.
func (d *desk) end() {
	d.Helper()
	state, err := d.store.Load(d.Context(), "a", "")
	d.must(err)
	turn := store.Turn{Base: state.Instance.Version, Instance: state.Instance}
	turn.Instance.Turn, turn.Instance.Status = "end", history.Completed
	for _, m := range state.Inbox {
		turn.Consumed = append(turn.Consumed, m.Message)
	}
	_, err = d.store.Commit(d.Context(), turn)
	d.must(err)
}

// Another worker writes the projection late, before any request of a purge or after
// the last.
func TestAPurgedInstanceIsNotListedAgain(t *testing.T) {
	for at, more := 0, true; more && !t.Failed(); at++ {
		f := &azuritetest.Faults{}
		d := newFaultyDesk(t, inMemoryOptions, f, -1)
		d.leave(remains{250, false})
		row, err := d.store.record(t.Context(), "a")
		d.must(err)
		d.listAs(history.Running, row)
		before := f.Requests()
		f.Choose = func(n int, _ *http.Request) azuritetest.Fault {
			if n == before+at {
				d.must(d.store.project(t.Context(), row, false))
			}
			return azuritetest.None
		}
		d.must(d.opened.Purge(t.Context(), "a"))
		if more = f.Requests() > before+at; !more {
			d.must(d.store.project(t.Context(), row, false))
		}
		f.Choose = nil
		d.emptied(0)
		if t.Failed() {
			t.Logf("it was request %d: %q", at, f.Log())
		}
	}
}

// listAs lets the list show an instance as it was before its last turn.
func (d *desk) listAs(status history.Status, row *record) {
	d.Helper()
	old := *row
	old.Status, old.Turn, old.Events = status, "before", row.Events-1
	e, err := old.projection(d.o.Hub, d.store.blobURL)
	d.must(err)
	text, err := e.encode()
	d.must(err)
	etag, err := d.store.writeProjection(d.Context(), text, "*")
	d.must(err)
	d.store.projected.set("a", etag, "")
}

func TestAPurgeCostsFewRequests(t *testing.T) {
	for what, most := range map[remains]int{{10, false}: 4, {250, false}: 8, {250, true}: 11} {
		d := newDeskOn(t, inMemoryOptions, nil)
		d.leave(what)
		d.bill.take()
		d.must(d.opened.Purge(t.Context(), "a"))
		if n, log := d.bill.take(); n.all() > most || !what.blobs && n.blob > 0 {
			t.Errorf("%+v: %d requests, at most %d: %s", what, n.all(), most, log)
		}
	}
}
