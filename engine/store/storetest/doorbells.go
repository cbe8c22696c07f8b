package storetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// doorbells holds a test for each thing that package store says of what rings.
var doorbells = map[string]func(*bench){
	"a received doorbell is hidden for a lease": func(b *bench) {
		b.create("a")
		b.ring("a")
		b.silent()
		b.advance(b.Store.Lease() - 1)
		b.silent()
		b.advance(1)
		b.ring("a")
	},
	"a new message rings although the doorbell is hidden": func(b *bench) {
		b.create("a")
		b.ring("a")
		b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
		b.ring("a")
	},
	"a released doorbell rings again for what is still there": func(b *bench) {
		b.create("a")
		b.must(b.Store.Release(b.ctx, b.ring("a")))
		b.ring("a")
	},
	"a release does not silence what came since": func(b *bench) {
		b.create("a")
		bell := b.ring("a")
		b.commit(b.turn(b.load("a"), "t1", nil))
		b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
		b.must(b.Store.Release(b.ctx, bell))
		b.ring("a")
	},
	"a turn cannot be made without a message that came before it": func(b *bench) {
		b.create("a")
		version := b.commit(b.turn(b.load("a"), "t1", nil))
		turn := b.turn(b.load("a"), "t2", nil)
		b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
		b.refused(turn)
		state, err := b.Store.Load(b.ctx, "a", version)
		b.must(err)
		if state.Instance.Version == version || len(state.Inbox) != 1 {
			b.Errorf("%+v", state)
		}
		b.commit(b.turn(state, "t3", nil))
	},
	"a message that a turn did not consume still rings": func(b *bench) {
		b.create("a")
		b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
		turn := b.turn(b.load("a"), "t1", nil)
		turn.Consumed = turn.Consumed[:1]
		turn.Answered = []store.Doorbell{b.ring("a")}
		b.commit(turn)
		b.ring("a")
		if left := b.load("a").Inbox; len(left) != 1 || left[0].Name != "x" {
			b.Errorf("inbox %v", left)
		}
	},
	"a wake rings at its time and not before": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t1", func(in *store.Instance) { in.Wake = b.clock().Add(time.Hour) })
		turn.Answered = []store.Doorbell{b.ring("a")}
		b.commit(turn)
		b.advance(time.Hour - 1)
		b.silent()
		b.advance(1 + b.Precision)
		b.ring("a")
	},
	"a wake that was moved or taken back does not ring": func(b *bench) {
		for i, wake := range []time.Duration{0, time.Hour} {
			id := fmt.Sprint("a", i)
			b.create(id)
			turn := b.turn(b.load(id), "t1"+id, func(in *store.Instance) { in.Wake = b.clock().Add(time.Minute) })
			turn.Answered = []store.Doorbell{b.ring(id)}
			b.commit(turn)
			b.commit(b.turn(b.load(id), "t2"+id, func(in *store.Instance) {
				in.Wake = time.Time{}
				if wake != 0 {
					in.Wake = b.clock().Add(wake)
				}
			}))
		}
		b.advance(30 * time.Minute)
		b.silent()
		b.advance(30 * time.Minute)
		b.ring("a1")
	},
	"work in hand rings with take-over after a lease": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t1", inHand)
		turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
		b.commit(turn)
		b.advance(b.Store.Lease() - 1)
		b.silent()
		b.advance(1)
		b.equal("doorbell", b.ring("a"), held(turn))
	},
	"work in hand that is extended does not ring": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t1", inHand)
		turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
		b.commit(turn)
		for range 5 {
			b.advance(b.Store.Lease() / 2)
			b.must(b.Store.Extend(b.ctx, held(turn)))
			b.silent()
		}
		b.must(b.Store.Release(b.ctx, held(turn)))
		b.advance(2 * b.Store.Lease())
		b.silent()
		b.must(b.Store.Extend(b.ctx, held(turn)))
	},
	"a turn by another worker leaves work in hand where it is": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t1", inHand)
		turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
		b.commit(turn)
		b.commit(b.turn(b.load("a"), "t2", nil))
		b.advance(b.Store.Lease() / 2)
		b.must(b.Store.Extend(b.ctx, held(turn)))
		b.advance(b.Store.Lease() / 2)
		b.silent()
		b.advance(b.Store.Lease() / 2)
		b.equal("doorbell", b.ring("a"), held(turn))
	},
	"work that was in hand rings at once after a crash": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t1", inHand)
		turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
		b.commit(turn)
		b.crash()
		b.advance(b.Store.Lease())
		b.equal("doorbell", b.ring("a"), held(turn))
	},
	"an answered doorbell for work in hand does not ring": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t1", inHand)
		turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
		b.commit(turn)
		last := b.turn(b.load("a"), "t2", func(in *store.Instance) { in.Hands = nil })
		last.Answered = []store.Doorbell{held(turn)}
		b.commit(last)
		b.advance(2 * b.Store.Lease())
		b.silent()
		b.crash()
		b.silent()
	},
	"times however far away are kept": func(b *bench) {
		for i, at := range []time.Time{time.Unix(-1, 0), time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(2262, 4, 12, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)} {
			id := fmt.Sprint("a", i)
			b.create(id)
			b.ring(id)
			turn := b.turn(b.load(id), "t"+id, func(in *store.Instance) { in.Wake = at.UTC() })
			turn.Append[1].FireAt = at.UTC()
			b.commit(turn)
			b.crash()
			state := b.load(id)
			b.equal("wake", state.Instance.Wake, at.UTC())
			b.equal("history", state.History, turn.Append)
			rings := slices.ContainsFunc(b.receive(), func(bell store.Doorbell) bool { return bell.Instance == id })
			b.equal("it rings", rings, at.Before(b.clock()))
		}
	},
	"receive waits for a doorbell": func(b *bench) {
		got := make(chan []store.Doorbell)
		go func() {
			bells, _ := b.Store.Receive(b.ctx, 1, time.Minute)
			got <- bells
		}()
		b.create("a")
		if bells := <-got; len(bells) != 1 || bells[0].Instance != "a" {
			b.Errorf("%v", bells)
		}
	},
	"one doorbell goes to one receiver": func(b *bench) {
		for i := range 100 {
			b.create(fmt.Sprint(i))
		}
		var wait sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]int{}
		for range 8 {
			wait.Go(func() {
				for {
					bells, err := b.Store.Receive(b.ctx, 3, 0)
					if err != nil || len(bells) == 0 {
						return
					}
					mu.Lock()
					for _, bell := range bells {
						seen[bell.Instance]++
					}
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		for id, n := range seen {
			if n != 1 {
				b.Errorf("%s was received %d times", id, n)
			}
		}
		b.equal("instances", len(seen), 100)
	},
}
