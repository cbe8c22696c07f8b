package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// keeper returns the store as whoever keeps its hub sees it.
func (b *bench) keeper() store.Keeper {
	b.Helper()
	k, ok := b.Store.(store.Keeper)
	if !ok {
		b.Fatalf("%T is no store.Keeper", b.Store)
	}
	return k
}

func (b *bench) ids() (ids []string) {
	b.Helper()
	b.must(b.keeper().IDs(b.ctx, func(id string) error { ids = append(ids, id); return nil }))
	return ids
}

// keeping is what whoever keeps a hub relies on.
var keeping = map[string]func(*bench){
	"every instance is named once, whatever its state": func(b *bench) {
		want := []string{"a", "b^ 'c' 100%", "ä"}
		for i := range 20 {
			want = append(want, fmt.Sprintf("n%03d", i))
		}
		slices.Sort(want)
		for _, id := range want {
			b.create(id)
			b.must(b.Store.Send(b.ctx, id, b.message(history.EventRaised, "x", `1`)))
		}
		b.commit(b.turn(b.load("a"), "t", nil))
		got := b.ids()
		slices.Sort(got)
		b.equal("ids", got, want)
	},

	"whoever is told the ids may ask for the instances, and may stop": func(b *bench) {
		b.create("a")
		b.create("b")
		enough := errors.New("enough")
		n := 0
		err := b.keeper().IDs(b.ctx, func(id string) error { n++; b.load(id); return enough })
		b.want(err, enough)
		if n != 1 {
			b.Errorf("it went on %d times", n)
		}
	},

	"a hub knows its parts and its far timers": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t", func(in *store.Instance) { in.Wake = b.clock().Add(400 * 24 * time.Hour) })
		turn.Answered = b.receive()
		b.commit(turn)
		hub, err := b.keeper().Describe(b.ctx)
		b.must(err)
		if hub.Timers != 1 || len(hub.Parts) == 0 || slices.ContainsFunc(hub.Parts, func(p store.Part) bool { return p.Missing || p.Name == "" || p.Kind == "" }) {
			b.Errorf("%+v", hub)
		}
	},

	"nothing is left of a hub that was removed": func(b *bench) {
		b.create("a")
		b.commit(b.turn(b.load("a"), "t", func(in *store.Instance) { in.Wake = b.clock().Add(time.Hour) }))
		b.create("b")
		b.must(b.keeper().Remove(b.ctx))
		b.want(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", `1`)), store.ErrClosed)
		b.crash()
		b.equal("ids", b.ids(), []string(nil))
		b.advance(2 * time.Hour)
		b.silent()
		_, err := b.Store.Get(b.ctx, "a")
		b.want(err, store.ErrNotFound)
		b.create("a")
	},
}
