package storetest

import (
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

// promiseBegin has instances begin later, however they are started, and whatever
// crashes meanwhile.
func promiseBegin(b *bench) {
	at := b.clock().Add(30 * 24 * time.Hour)
	o := b.newOffice(b.Store)
	for id, c := range map[string]*client.Client{"fast": o.client, "bare": client.New(b.Store, client.Options{Now: b.clock})} {
		_, err := c.Start(b.ctx, string(order), id, 1, client.BeginAt(at))
		b.must(err)
		b.must(o.raise(id, "Next", "7"))
	}
	o.settle()
	b.crash()
	o = b.newOffice(b.Store)
	for _, ahead := range []time.Duration{24 * time.Hour, 1} {
		b.advance(at.Add(-ahead).Sub(b.clock()))
		o.work()
		for _, id := range []string{"fast", "bare"} {
			if in, err := o.client.Get(b.ctx, id); err != nil || in.Status != history.Pending {
				b.Errorf("%s is %v %v before its time: %v", id, in.Status, ahead, err)
			}
		}
	}
	b.advance(1 + b.Precision)
	o.settle()
	o.ended("fast", history.Completed, "[7]")
	o.ended("bare", history.Completed, "[7]")
}

// promiseReplaced starts an instance over one that runs: its messages, timers and
// results reach nobody.
func promiseReplaced(b *bench) {
	for _, fast := range []bool{true, false} {
		o := b.newOffice(b.Store)
		entered, release := make(chan struct{}), make(chan struct{})
		o.during = func(engine.Call) { close(entered); <-release }
		id := map[bool]string{true: "fast", false: "bare"}[fast]
		o.start("human", id, "Ann")
		<-entered
		c := o.client
		if !fast {
			c = client.New(b.Store, client.Options{Now: b.clock})
		}
		_, err := c.Start(b.ctx, string(order), id, 2, client.Replace(client.AnyState...))
		b.must(err)
		close(release)
		o.settle()
		in, err := o.client.Get(b.ctx, id)
		b.must(err)
		if in.Name != string(order) || in.Status != history.Running {
			b.Errorf("%s is %s, %v", id, in.Name, in.Status)
		}
		b.must(o.raise(id, "Next", "1"))
		b.advance(2 * time.Hour) // past the deadline of what was replaced
		o.settle()
		b.crash()
		o = b.newOffice(b.Store)
		b.must(o.raise(id, "Next", "2"))
		o.settle()
		o.ended(id, history.Completed, "[1,2]")
	}
}
