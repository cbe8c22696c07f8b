package storetest

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

func promiseAtMostOnceSuspended(b *bench) {
	o := b.newOffice(b.Store)
	entered, release := make(chan struct{}), make(chan struct{})
	o.during = func(engine.Call) { close(entered); <-release }
	o.start("once", "a", "card")
	<-entered
	b.must(o.client.Suspend(b.ctx, "a", ""))
	close(release)
	b.must(o.worker.Settle(b.ctx))
	b.crash()
	o = b.newOffice(b.Store)
	for range 3 {
		o.work()
		b.advance(b.Store.Lease())
	}
	b.equal("runs after the crash", o.most(), 0)
	b.must(o.client.Resume(b.ctx, "a", ""))
	o.ended("a", history.Completed, `"card done"`)
}

// promiseTakeOverOne lets one of three workers go away, and sees to it that what
// another has in hand is left alone.
func promiseTakeOverOne(b *bench) {
	gone, alive, third := b.newOffice(b.Store), b.newOffice(b.Store), b.newOffice(b.Store)
	entered := make(chan engine.Call, 2)
	release := make(chan struct{})
	b.Cleanup(func() { close(release) })
	gone.during = func(c engine.Call) { entered <- c; <-release }
	alive.during = gone.during
	gone.start("two", "a", "")
	<-entered
	b.advance(b.Store.Lease() / 2)
	b.must(alive.raise("a", "Reply", `""`))
	<-entered
	b.advance(b.Store.Lease() / 2)
	third.work()
	events, err := third.client.History(b.ctx, "a")
	b.must(err)
	var failed []int32
	for _, e := range events {
		if e.Kind == history.TaskFailed {
			failed = append(failed, e.TaskID)
		}
	}
	b.equal("calls recorded as interrupted", failed, []int32{0})
}

// promiseOwnBell lets a worker be told to take over what it has in hand itself,
// because it was not heard of for a while. When it dies later, somebody must be
// told.
func promiseOwnBell(b *bench) {
	answered := make(chan struct{}, 10)
	o := b.newOffice(&Faulty{Store: b.Store, After: func(method string) {
		if method == "Extend" || method == "Release" {
			answered <- struct{}{}
		}
	}})
	entered, release := make(chan struct{}), make(chan struct{})
	b.Cleanup(func() { close(release) })
	o.during = func(engine.Call) { close(entered); <-release }
	o.start("once", "a", "card")
	<-entered
	b.advance(b.Store.Lease())
	ctx, cancel := context.WithCancel(b.ctx)
	stepped := make(chan struct{})
	go func() { _, _ = o.worker.Step(ctx); close(stepped) }()
	<-answered
	cancel()
	<-stepped
	b.crash()
	b.advance(b.Store.Lease())
	o = b.newOffice(b.Store)
	o.work()
	o.ended("a", history.Completed, `"interrupted"`)
}

func promiseAnew(b *bench) {
	o := b.newOffice(b.Store)
	entered, release := make(chan struct{}, 2), make(chan struct{})
	var calls atomic.Int32
	o.during = func(engine.Call) {
		entered <- struct{}{}
		if calls.Add(1) == 1 {
			<-release
		}
	}
	o.start("once", "a", "card")
	<-entered
	b.must(o.client.Terminate(b.ctx, "a", ""))
	_, err := o.client.Restart(b.ctx, "a", false)
	b.must(err)
	<-entered
	close(release)
	b.must(o.worker.Settle(b.ctx))
	o.ended("a", history.Completed, `"card done"`)
	b.silent()
}

func promiseAnyTime(b *bench) {
	for _, at := range []time.Time{{}, time.Unix(-1, 0), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		id := at.Format(time.RFC3339)
		id = strings.ReplaceAll(id, ":", "-")
		b.newOffice(b.Store).start("until", id, at)
		b.crash()
		o := b.newOffice(b.Store)
		o.work()
		want := history.Running
		if at.Before(b.clock()) {
			want = history.Completed
		}
		o.ended(id, want, "")
	}
}

func promiseOrder(b *bench) {
	o := b.newOffice(b.Store)
	o.start("order", "a", 2)
	bare := client.New(b.Store, client.Options{Now: b.clock})
	b.must(bare.Raise(b.ctx, "a", "Next", client.Payload{Body: []byte("1")}))
	b.must(o.raise("a", "Next", "2"))
	o.ended("a", history.Completed, "[1,2]")

	o.start("human", "late", "Ann")
	o.settle()
	b.must(bare.Raise(b.ctx, "late", "Reply", client.Payload{Body: []byte(`"in time"`)}))
	b.advance(2 * time.Hour)
	b.must(o.raise("late", "Other", "1"))
	o.ended("late", history.Completed, `"in time"`)
}

func promiseFresh(b *bench) {
	one, two := b.newOffice(b.Store), b.newOffice(b.Store)
	one.start("order", "a", 1)
	b.must(two.client.Terminate(b.ctx, "a", ""))
	b.must(two.client.Purge(b.ctx, "a"))
	one.start("order", "a", 1)
	b.must(one.raise("a", "Next", "1"))
	one.ended("a", history.Completed, "[1]")
}

func promiseRecorded(b *bench) {
	var commits int
	var refuse atomic.Bool
	faulty := &Faulty{Store: b.Store, Choose: func(method string, _ int) Fault {
		switch {
		case method == "Commit":
			if commits++; commits == 2 {
				refuse.Store(true)
				return Lose
			}
		case method == "Get" && refuse.CompareAndSwap(true, false):
			return Fail
		}
		return None
	}}
	o := b.newOffice(faulty)
	o.start("order", "a", 1)
	b.must(o.raise("a", "Next", "1"))
	o.ended("a", history.Completed, "[1]")
}

func promiseUnknown(b *bench) {
	o := b.newOffice(b.Store)
	o.start("typo", "a", nil)
	o.work()
	b.must(o.client.Terminate(b.ctx, "a", "a typo"))
	o.work()
	o.ended("a", history.Terminated, `"a typo"`)
	b.must(o.client.Purge(b.ctx, "a"))
}

// promiseManyResults lets a commit go wrong while many results arrive, with and
// without its effect and with the read that would tell. No result may be lost,
// so nothing runs again.
func promiseManyResults(b *bench) {
	for _, fault := range []Fault{Fail, Lose} {
		for at := range 8 {
			hub := &bench{T: b.T, harness: b.harness, ctx: b.ctx, now: b.clock()}
			hub.Hub = b.harness(b.T, hub.clock)
			var commits atomic.Int32
			var refuse atomic.Bool
			o := hub.newOffice(&Faulty{Store: hub.Store, Choose: func(method string, _ int) Fault {
				switch {
				case method == "Commit" && int(commits.Add(1)) == at+2:
					refuse.Store(true)
					return fault
				case method == "Get" && refuse.CompareAndSwap(true, false):
					return Fail
				}
				return None
			}})
			o.start("many", "a", 8)
			b.must(o.worker.Settle(b.ctx))
			o.ended("a", history.Completed, "8")
			b.equal("most runs of a call", o.most(), 1)
		}
	}
}
