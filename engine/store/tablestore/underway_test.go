package tablestore

import (
	"errors"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// underWay is a turn whose doorbells are put and that is not written yet.
func (d *desk) underWay(turn store.Turn) *commit {
	d.Helper()
	c, err := d.opened.newCommit(&turn)
	d.must(err)
	d.must(c.ring(d.Context()))
	return c
}

// releaseAll receives what rings and finds no cause for it.
func (d *desk) releaseAll() (n int) {
	d.Helper()
	bells, err := d.store.Receive(d.Context(), 10, 0)
	d.must(err)
	for _, bell := range bells {
		d.must(d.store.Release(d.Context(), bell))
	}
	return len(bells)
}

// A turn is so long on its way that its doorbells ring before it is there. Who
// answers them finds no cause, so the turn must not come.
func TestATurnIsNotWrittenWithoutItsDoorbells(t *testing.T) {
	for name, relies := range map[string]func(*desk, *store.Turn){
		"a timer":      func(d *desk, turn *store.Turn) { turn.Instance.Wake = d.clock().Add(time.Second) },
		"a late one":   func(d *desk, turn *store.Turn) { turn.Instance.Wake = d.clock().Add(d.store.o.Horizon + time.Minute) },
		"work":         func(_ *desk, turn *store.Turn) { *turn, _ = handed(turn.Base, turn.Instance.Turn) },
		"a new status": func(_ *desk, turn *store.Turn) { turn.Instance.Status = history.Suspended },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeskOn(t, inMemoryOptions, nil)
			version, err := d.store.Commit(t.Context(), store.Turn{Instance: store.Instance{ID: "a", Execution: "e", Turn: "t0"}})
			d.must(err)
			turn := store.Turn{Base: version, Instance: store.Instance{ID: "a", Execution: "e", Turn: "t1"}}
			relies(d, &turn)
			c := d.underWay(turn)
			for range 4 {
				d.advance(d.store.o.Horizon)
				d.releaseAll()
			}
			if err := c.write(t.Context()); !isConflict(err) {
				t.Errorf("the turn came to %v", err)
			}
		})
	}
}

// The first turn of an instance is on its way. A doorbell for an instance that is
// not there stays until it cannot be any more.
func TestADoorbellForAnInstanceThatIsAboutToBeStays(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	turn, _ := handed("", "t")
	c := d.underWay(turn)
	d.advance(d.store.Lease())
	d.releaseAll()
	d.must(c.write(t.Context()))
	d.advance(d.store.Lease())
	bells, err := d.store.Receive(t.Context(), 10, 0)
	if err != nil || len(bells) != 1 {
		t.Errorf("%v ring, %v", bells, err)
	}
	d.underWay(store.Turn{Instance: store.Instance{ID: "b", Execution: "e", Turn: "t"}}) // which never comes
	for range 4 {
		d.advance(maxFlight)
		d.releaseAll()
	}
	if properties, err := d.store.queue.GetProperties(t.Context(), nil); err != nil || *properties.ApproximateMessagesCount != 0 {
		t.Errorf("%d messages are left, %v", *properties.ApproximateMessagesCount, err)
	}
}

// A turn is written, and the answer is lost. Before it is repeated, another worker
// writes a turn that relies on the same timer's doorbell.
func TestARepeatedTurnTakesNoDoorbellFromAnother(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	in := store.Instance{ID: "a", Execution: "e", Turn: "t1", Wake: d.clock().Add(time.Minute)}
	c := d.underWay(store.Turn{Instance: in})
	d.must(c.write(t.Context()))
	in.Turn = "t2"
	_, err := d.store.Commit(t.Context(), store.Turn{Base: d.version("a"), Instance: in})
	d.must(err)

	err = c.write(t.Context())
	there, unread := c.look(t.Context())
	if !isConflict(err) || unread != nil || c.isIn(there) {
		t.Fatalf("the turn was repeated: %v, %v", err, unread)
	}
	c.takeBack(t.Context(), there)
	d.advance(2 * time.Minute)
	if bells, err := d.store.Receive(t.Context(), 10, 0); err != nil || len(bells) != 1 {
		t.Errorf("%v ring for the timer, %v", bells, err)
	}
}

// Of two doorbells for one instance the second is deleted when both are received,
// but never the only one that a turn under way relies on.
func TestTheSecondDoorbellThatGoesIsTheOneNobodyReliesOn(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	turns := map[string]bool{}
	for _, r := range []ring{{Instance: "a"}, {Instance: "a", Turn: "t1"}, {Instance: "a"}, {Instance: "a", Turn: "t2"}, {Instance: "a", Turn: "t1"}} {
		_, err := d.store.put(t.Context(), r, 0)
		d.must(err)
	}
	bells, err := d.store.Receive(t.Context(), 10, 0)
	d.must(err)
	for _, bell := range bells {
		turns[messageOf(bell).Turn] = true
	}
	if len(bells) != 2 || !turns["t1"] || !turns["t2"] {
		t.Errorf("%v are left", bells)
	}
}

// A start that was not written at once may find that its doorbell is gone.
func TestAStartThatTakesTwoAttemptsRings(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	_, err := d.store.Commit(t.Context(), store.Turn{Instance: store.Instance{ID: "a", Execution: "e", Turn: "t", Status: history.Completed}})
	d.must(err)
	start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Message: "m", Name: "test", Execution: "new"}
	bell, err := d.opened.put(t.Context(), ring{Instance: "a", Turn: start.Execution}, d.store.Lease())
	d.must(err)
	d.advance(d.store.Lease())
	d.releaseAll()
	if _, created, err := d.opened.begin(t.Context(), "a", start, bell, "", nil); err != nil || !created {
		t.Fatal(created, err)
	}
	d.advance(d.store.Lease())
	if bells, err := d.store.Receive(t.Context(), 10, 0); err != nil || len(bells) != 1 {
		t.Errorf("%v ring for the start, %v", bells, errors.Unwrap(err))
	}
}
