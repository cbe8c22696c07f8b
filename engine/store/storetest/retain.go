package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// retentions holds tests of what is purged by its age.
var retentions = map[string]func(*bench){
	"7 what was kept for long enough is purged, and nothing else": retainByAge,
	"7 what began again is not purged":                            retainAnew,
	"7 what is about to be rewound is not purged":                 retainRewound,
	"7 many workers purge by age at once":                         retainTogether,
	"7 what is to be done before a purge is done before it":       retainUntilDone,
}

// retaining opens an office that keeps instances for so long.
func (b *bench) retaining(s store.Store, r dispatch.Retention) *office {
	o := b.newOffice(s)
	o.worker = dispatch.New(s, o.registry, dispatch.Options{Now: b.clock, Retention: r})
	o.client = client.New(o.worker.Instances(), client.Options{Now: b.clock})
	return o
}

// purges lets a worker purge and checks how many and what is left.
func (o *office) purges(want int, left ...string) {
	o.b.Helper()
	n, err := o.worker.Retain(o.b.ctx)
	o.b.must(err)
	o.b.equal("purged", n, want)
	o.b.equal("left", idsOf(o.b.list(store.Query{})), left)
}

func retainByAge(b *bench) {
	o := b.retaining(b.Store, dispatch.Retention{Completed: 24 * time.Hour, Terminated: 48 * time.Hour})
	o.start("order", "completed", 1)
	b.must(o.raise("completed", "Next", "1"))
	o.start("delicate", "failed", "cup")
	o.start("calling", "parent", summons{"once", "child", "1"})
	o.start("order", "running", 1)
	o.start("order", "terminated", 1)
	o.settle()
	b.must(o.client.Terminate(b.ctx, "terminated", "enough"))
	b.must(o.client.Suspend(b.ctx, "running", ""))
	b.commit(b.parkedAt("running", "t"))
	o.purges(0, "child", "completed", "failed", "parent", "running", "terminated")
	b.advance(24*time.Hour - 1)
	o.purges(0, "child", "completed", "failed", "parent", "running", "terminated")
	b.advance(1)
	o.purges(3, "failed", "running", "terminated")
	b.advance(24 * time.Hour)
	o.purges(1, "failed", "running")
	_, err := b.Store.Get(b.ctx, "completed")
	b.want(err, store.ErrNotFound)
	b.equal("kept by who keeps for ever", b.retains(dispatch.Retention{}), 0)
	b.equal("purged by who does not", b.retains(dispatch.Retention{Failed: time.Hour}), 1)
}

// retains returns how many instances a worker with the retention purges.
func (b *bench) retains(r dispatch.Retention) int {
	b.Helper()
	n, err := b.retaining(b.Store, r).worker.Retain(b.ctx)
	b.must(err)
	return n
}

// retainAnew begins instances again between the list and the purge, and lets one of
// them end in no time.
func retainAnew(b *bench) {
	plain := b.newOffice(b.Store)
	for _, id := range []string{"again", "over", "old"} {
		plain.start("order", id, 1)
		b.must(plain.raise(id, "Next", "1"))
	}
	b.advance(2 * time.Hour)
	var once atomic.Bool
	o := b.retaining(&Faulty{Store: b.Store, After: func(method string) {
		if method == "List" && once.CompareAndSwap(false, true) {
			for _, id := range []string{"again", "over"} {
				_, err := plain.client.Restart(b.ctx, id, false)
				b.must(err)
			}
			b.must(plain.raise("over", "Next", "2"))
		}
	}}, dispatch.Retention{Completed: time.Hour})
	o.purges(1, "again", "over")
	o.ended("over", history.Completed, "[2]")
	o.purges(0, "again", "over")
	b.advance(time.Hour)
	o.purges(1, "again")
}

func retainRewound(b *bench) {
	o := b.retaining(b.Store, dispatch.Retention{Failed: time.Hour})
	o.start("delicate", "a", "cup")
	o.settle()
	o.ended("a", history.Failed, "")
	b.advance(2 * time.Hour)
	b.mended.Store(true)
	b.must(client.New(b.Store, client.Options{Now: b.clock}).Rewind(b.ctx, "a", "mended"))
	o.purges(0, "a")
	o.settle()
	o.ended("a", history.Completed, `"cup holds"`)
}

func retainTogether(b *bench) {
	o := b.newOffice(b.Store)
	const n = 30
	for range n {
		id := b.message(0, "", "").Message
		o.start("order", id, 1)
		b.must(o.raise(id, "Next", "1"))
	}
	b.advance(2 * time.Hour)
	var purged atomic.Int64
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			n, err := b.retaining(b.Store, dispatch.Retention{Completed: time.Hour}).worker.Retain(b.ctx)
			if err != nil {
				b.Error(err)
			}
			purged.Add(int64(n))
		})
	}
	wait.Wait()
	if got := purged.Load(); got < n {
		b.Errorf("%d of %d", got, n)
	}
	b.equal("left", len(b.list(store.Query{})), 0)
}

// retainUntilDone lets one of two instances not be purged yet.
func retainUntilDone(b *bench) {
	o := b.newOffice(b.Store)
	for _, id := range []string{"ready", "slow"} {
		o.start("order", id, 1)
		b.must(o.raise(id, "Next", "1"))
	}
	b.advance(2 * time.Hour)
	var fails atomic.Bool
	fails.Store(true)
	o.worker = dispatch.New(b.Store, o.registry, dispatch.Options{
		Now: b.clock, Retention: dispatch.Retention{Completed: time.Hour},
		BeforePurge: func(ctx context.Context, in store.Instance) error {
			if now, err := b.Store.Get(ctx, in.ID); err != nil || now.Execution != in.Execution || now.Name != in.Name {
				return fmt.Errorf("asked about %+v, and there is %+v: %w", in, now, err)
			}
			if in.ID == "slow" && fails.Load() {
				return errors.New("not yet")
			}
			return nil
		},
	})
	n, err := o.worker.Retain(b.ctx)
	if n != 1 || err == nil {
		b.Errorf("%d purged, %v", n, err)
	}
	b.equal("left", idsOf(b.list(store.Query{})), []string{"slow"})
	fails.Store(false)
	n, err = o.worker.Retain(b.ctx)
	b.must(err)
	b.equal("purged later", n, 1)
}
