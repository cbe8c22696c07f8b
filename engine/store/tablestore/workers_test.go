package tablestore

import (
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
)

// colleague is one more worker on a desk's hub, with a client.
type colleague struct {
	*desk
	store  *Store
	worker *dispatch.Worker
	client *client.Client
}

// hire opens a desk's hub for one more worker, on a machine whose clock is off
// by skew. Its worker and client go by the store's clock.
func (d *desk) hire(skew time.Duration, change func(*Options)) *colleague {
	d.Helper()
	o := d.o
	o.Now = func() time.Time { return d.clock().Add(skew) }
	if change != nil {
		change(&o)
	}
	s := open(d.TB, o)
	c := &colleague{desk: d, store: s, worker: dispatch.New(s, newRegistry(func() {}), dispatch.Options{})}
	c.client = client.New(c.worker.Instances(), client.Options{})
	d.hired = append(d.hired, c)
	return c
}

// bare returns a client that leaves everything to doorbells.
func (c *colleague) bare() *client.Client { return client.New(c.store, client.Options{}) }

// work answers what rings.
func (c *colleague) work() {
	c.Helper()
	for {
		worked, err := c.worker.Step(c.Context())
		c.must(err)
		if !worked {
			return
		}
	}
}

func (c *colleague) start(name, id string, input any) {
	c.Helper()
	_, err := c.client.Start(c.Context(), name, id, input)
	c.must(err)
	c.must(c.worker.Settle(c.Context()))
}
