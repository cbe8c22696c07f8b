package tablestore

import (
	"testing"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
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
			if err != nil || len(bells) != 1 || bells[0] != bell {
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
