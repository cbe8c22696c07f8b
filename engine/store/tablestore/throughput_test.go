package tablestore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// atOnce is how many callers a throughput benchmark has.
const atOnce = 16

// BenchmarkThroughput shows how much of what the storage can do reaches the
// flows. It first counts bare entity-group transactions of the size of a turn
// (a guarded row and three events), then whole flows on the same emulator, and
// relates the flows, and the table requests that they are made of, to the bare
// transactions.
func BenchmarkThroughput(b *testing.B) {
	var bare float64
	b.Run("bare transaction", func(b *testing.B) {
		s := open(b, Options{ConnectionString: azuritetest.Shared(b).ConnectionString(), Hub: azuritetest.NewHub()})
		bare = rate(b, bareTransaction(s))
	})
	for _, f := range []struct {
		name string
		run  func(d *desk, id string) error
	}{
		{"one activity", func(d *desk, id string) error { return d.begin("serial", id, 1) }},
		{"three sequential activities", func(d *desk, id string) error { return d.begin("serial", id, 3) }},
		{"ten parallel activities", func(d *desk, id string) error { return d.begin("fanOut", id, 10) }},
		{"verification, answered by an event", func(d *desk, id string) error {
			if err := d.begin("verify", id, 0); err != nil {
				return err
			}
			return d.client.Raise(d.Context(), id, string(answer), client.Payload{Body: []byte(`"yes"`)})
		}},
	} {
		b.Run(f.name, func(b *testing.B) {
			d := newRealDesk(b)
			flows := rate(b, func(n int) error { return f.run(d, fmt.Sprint("instance", n)) }, d.settle)
			requests, _ := d.bill.take()
			b.ReportMetric(flows, "flows/s")
			b.ReportMetric(flows/bare, "flows/bare")
			b.ReportMetric(flows*float64(requests.table)/float64(b.N)/bare, "table-requests/bare")
		})
	}
}

// newRealDesk returns a desk by the real clock.
func newRealDesk(b *testing.B) *desk {
	d := &desk{TB: b, o: Options{ConnectionString: azuritetest.Shared(b).ConnectionString(), Hub: azuritetest.NewHub()}}
	d.o.Client.PerRetryPolicies = append(d.o.Client.PerRetryPolicies, &d.bill)
	d.opened = open(b, d.o)
	d.worker = dispatch.New(d.opened, newRegistry(func() {}), dispatch.Options{})
	d.client = client.New(d.worker.Instances(), client.Options{})
	d.bill.take()
	return d
}

// begin starts an instance and leaves it to run.
func (d *desk) begin(name, id string, input any) error {
	_, err := d.client.Start(d.Context(), name, id, input)
	return err
}

// settle waits until all that was begun has ended or waits.
func (d *desk) settle() error { return d.worker.Settle(d.Context()) }

// rate makes b.N calls from several callers at once, waits for what they began,
// and returns how many there were in a second.
func rate(b *testing.B, call func(n int) error, finish ...func() error) float64 {
	var next atomic.Int64
	var callers sync.WaitGroup
	b.ResetTimer()
	began := time.Now()
	for range atOnce {
		callers.Go(func() {
			for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
				if err := call(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	callers.Wait()
	for _, f := range finish {
		if err := f(); err != nil {
			b.Error(err)
		}
	}
	return float64(b.N) / time.Since(began).Seconds()
}

// bareTransaction returns a call that replaces a row, guarded by its etag, and
// adds three rows beside it, in one of as many partitions as there are callers.
func bareTransaction(s *Store) func(n int) error {
	partitions := make(chan *barePartition, atOnce)
	for i := range atOnce {
		partitions <- &barePartition{key: fmt.Sprint("partition", i)}
	}
	return func(int) error {
		p := <-partitions
		defer func() { partitions <- p }()
		return p.write(context.Background(), s)
	}
}

// barePartition is rows without a meaning.
type barePartition struct {
	key, etag string
	rows      int
}

func (p *barePartition) write(ctx context.Context, s *Store) (err error) {
	guard := newEntity(p.key, sentinelKey)
	guard.setText("Input", `{"n":1}`)
	b := &batch{}
	if p.etag == "" {
		b.insert(guard)
	} else {
		b.replace(guard, p.etag)
	}
	for range 3 {
		e := newEntity(p.key, historyKey(int64(p.rows)))
		e.setText("EventType", "TaskScheduled")
		e.setText("Input", `{"n":1}`)
		b.put(e)
		p.rows++
	}
	p.etag, err = b.submit(ctx, s.history)
	return err
}
