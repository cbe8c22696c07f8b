package tablestore

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// A worker writes a turn with work in hand and is gone before it writes the row
// for lists. Whoever takes the work over does it, with the next turn or without
// one.
func TestWhoTakesWorkOverPutsTheListRight(t *testing.T) {
	for _, status := range []history.Status{history.Running, history.Completed} {
		t.Run(status.String(), func(t *testing.T) {
			d := newDesk(t, nil)
			turn, bell := handed("", "t0")
			turn.Instance.Status = status
			c, err := d.opened.newCommit(&turn)
			d.must(err)
			d.must(c.ring(t.Context()))
			d.must(c.write(t.Context())) // and that was all

			d.advance(2 * d.store.Lease())
			bells, err := d.store.Receive(t.Context(), 1, 0)
			if err != nil || len(bells) != 1 || bells[0].Receipt != bell.Receipt || !bells[0].TakeOver {
				t.Fatalf("%v ring (%v), want %v", bells, err, bell)
			}
			if status.IsTerminal() {
				d.must(d.store.Release(t.Context(), bell))
			} else {
				next, _ := handed(d.version("a"), "t1")
				next.Answered = bells
				_, err = d.store.Commit(t.Context(), next)
				d.must(err)
			}
			page, err := d.store.List(t.Context(), store.Query{})
			if err != nil || len(page.Instances) != 1 || page.Instances[0].Status != status {
				t.Errorf("%+v are listed (%v), want one that is %v", page.Instances, err, status)
			}
		})
	}
}

// version returns the present version of an instance.
func (d *desk) version(id string) store.Version {
	d.Helper()
	in, err := d.store.Get(d.Context(), id)
	d.must(err)
	return in.Version
}

// A worker writes the turn that records its last work and is gone before it writes
// the row for lists. Its doorbell is for work that nobody has.
func TestADoorbellForWorkThatIsDonePutsTheListRight(t *testing.T) {
	d := newDesk(t, nil)
	first, bell := handed("", "t0")
	version, err := d.opened.Commit(t.Context(), first)
	d.must(err)
	last := store.Turn{Base: version, Instance: store.Instance{ID: "a", Execution: "e", Turn: "t1", Status: history.Completed}, Answered: []store.Doorbell{bell}}
	c, err := d.opened.newCommit(&last)
	d.must(err)
	d.must(c.ring(t.Context()))
	d.must(c.write(t.Context())) // and that was all

	d.advance(2 * d.store.Lease())
	if bells, err := d.store.Receive(t.Context(), 1, 0); err != nil || len(bells) != 0 {
		t.Errorf("%v ring, %v", bells, err)
	}
	page, err := d.store.List(t.Context(), store.Query{})
	if err != nil || len(page.Instances) != 1 || page.Instances[0].Status != history.Completed {
		t.Errorf("%+v are listed, %v", page.Instances, err)
	}
}

// A worker does not learn that its turn was written, and finds out by itself. It
// puts the list right with the next turn, or when it lets go of the work.
func TestAWorkerThatWasUnsurePutsTheListRight(t *testing.T) {
	for _, status := range []history.Status{history.Running, history.Completed} {
		t.Run(status.String(), func(t *testing.T) {
			f := &azuritetest.Faults{}
			d := newFaultyDesk(t, inMemoryOptions, f, -1)
			turn, bell := handed("", "t0")
			turn.Instance.Status = status
			f.Choose = func(_ int, r *http.Request) azuritetest.Fault {
				if strings.HasSuffix(r.URL.Path, "/$batch") {
					return azuritetest.Unanswered
				}
				return azuritetest.None
			}
			if _, err := d.opened.Commit(t.Context(), turn); !errors.Is(err, azuritetest.ErrConnection) {
				t.Fatal(err)
			}
			f.Choose = nil
			if status.IsTerminal() {
				d.must(d.opened.Release(t.Context(), bell))
			} else {
				next, _ := handed(d.version("a"), "t1")
				next.Answered, next.Instance.Status, next.Hold, next.Instance.Hands = []store.Doorbell{bell}, status, false, nil
				_, err := d.opened.Commit(t.Context(), next)
				d.must(err)
			}
			page, err := d.store.List(t.Context(), store.Query{})
			if err != nil || len(page.Instances) != 1 || page.Instances[0].Status != status {
				t.Errorf("%+v are listed (%v), want one that is %v", page.Instances, err, status)
			}
			if n := d.messages(); n != 0 {
				t.Errorf("%d doorbells are left", n)
			}
		})
	}
}
