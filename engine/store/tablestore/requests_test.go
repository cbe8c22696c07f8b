package tablestore

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// meter counts requests.
type meter struct {
	mu              sync.Mutex
	requests, polls int
	log             []string
}

// Do is called by the SDK for every attempt.
func (m *meter) Do(r *policy.Request) (*http.Response, error) {
	m.mu.Lock()
	if path := r.Raw().URL.Path; r.Raw().Method == http.MethodGet && (strings.HasSuffix(path, "/messages") || strings.HasSuffix(path, "Due()")) {
		m.polls++
	} else {
		m.requests++
		m.log = append(m.log, r.Raw().Method+" "+path[strings.LastIndex(path, "/")+1:])
	}
	m.mu.Unlock()
	return r.Next()
}

// take returns how many requests other than polls were made since the last
// call, and which.
func (m *meter) take() (int, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, log := m.requests, strings.Join(m.log, ", ")
	m.requests, m.log = 0, nil
	return n, log
}

const (
	work    engine.Activity[int, int]         = "work"
	serial  engine.Orchestrator[int, int]     = "serial"
	fanOut  engine.Orchestrator[int, int]     = "fanOut"
	verify  engine.Orchestrator[int, bool]    = "verify"
	answer  engine.Event[string]              = "Answer"
	patient engine.Orchestrator[string, bool] = "patient"
)

// desk is a worker and a client on a hub, with a clock that the test moves.
type desk struct {
	testing.TB
	mu     sync.Mutex
	now    time.Time
	store  *Store
	opened *Store // the worker's
	worker *dispatch.Worker
	client *client.Client
	meter  meter
	o      Options
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func newDesk(t testing.TB, change func(*Options)) *desk {
	d := &desk{TB: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	d.o = newOptions(t, d.clock)
	d.store = open(t, d.o)
	counted := d.o
	counted.Client.PerRetryPolicies = append(counted.Client.PerRetryPolicies, &d.meter)
	if change != nil {
		change(&counted)
	}
	d.openWorker(counted)
	d.meter.take()
	return d
}

// openWorker opens the hub once more, for a worker of its own.
func (d *desk) openWorker(o Options) {
	d.opened = open(d.TB, o)
	d.worker = dispatch.New(d.opened, newRegistry(func() {}), dispatch.Options{Now: d.clock})
	d.client = client.New(d.worker.Instances(), client.Options{Now: d.clock})
}

// newRegistry returns orchestrations with an activity that calls during.
func newRegistry(during func()) *engine.Registry {
	r := engine.NewRegistry()
	engine.AddActivity(r, work, func(_ context.Context, n int) (int, error) { during(); return n + 1, nil })
	engine.AddOrchestrator(r, serial, func(ctx *engine.Context, n int) (sum int, err error) {
		for range n {
			if sum, err = engine.CallActivity(ctx, work, sum).Await(); err != nil {
				return sum, err
			}
		}
		return sum, nil
	})
	engine.AddOrchestrator(r, fanOut, func(ctx *engine.Context, n int) (sum int, err error) {
		var calls []*engine.Task[int]
		for i := range n {
			calls = append(calls, engine.CallActivity(ctx, work, i))
		}
		for _, call := range calls {
			v, err := call.Await()
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
	engine.AddOrchestrator(r, verify, func(ctx *engine.Context, n int) (bool, error) {
		if _, err := engine.CallActivity(ctx, work, n).Await(); err != nil {
			return false, err
		}
		ctx.SetCustomStatus("waiting")
		return isAnswered(ctx, 5*time.Minute)
	})
	engine.AddOrchestrator(r, patient, func(ctx *engine.Context, d string) (bool, error) {
		length, err := time.ParseDuration(d)
		if err != nil {
			return false, err
		}
		return isAnswered(ctx, length)
	})
	return r
}

// isAnswered races an event against the clock.
func isAnswered(ctx *engine.Context, d time.Duration) (bool, error) {
	reply, deadline := engine.WaitForExternalEvent(ctx, answer), ctx.CreateTimer(ctx.Now().Add(d))
	winner, err := engine.WhenAny(ctx, reply, deadline).Await()
	if err != nil || winner == deadline {
		return false, err
	}
	deadline.Cancel()
	return true, nil
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) start(name, id string, input any) {
	d.Helper()
	_, err := d.client.Start(d.Context(), name, id, input)
	d.must(err)
	d.must(d.worker.Settle(d.Context()))
}

func (d *desk) raise(id string) {
	d.Helper()
	d.must(d.client.Raise(d.Context(), id, string(answer), client.Payload{Body: []byte(`"yes"`)}))
	d.must(d.worker.Settle(d.Context()))
}

// work answers what rings.
func (d *desk) work() {
	d.Helper()
	for {
		worked, err := d.worker.Step(d.Context())
		d.must(err)
		if !worked {
			return
		}
	}
}

// ended checks, by another connection, how an instance ended.
func (d *desk) ended(id, output string) {
	d.Helper()
	in, err := d.store.Get(d.Context(), id)
	d.must(err)
	if in.Status != history.Completed || string(in.Output) != output {
		d.Errorf("%s is %v with %s (%v), want %s", id, in.Status, in.Output, in.Failure, output)
	}
	page, err := d.store.List(d.Context(), store.Query{})
	d.must(err)
	for _, listed := range page.Instances {
		if listed.ID == id && listed.Status != in.Status {
			d.Errorf("%s is listed as %v", id, listed.Status)
		}
	}
}

func TestRequestsAreFew(t *testing.T) {
	for _, flow := range []struct {
		name   string
		most   int
		output string
		run    func(*desk)
	}{
		{"one activity", 8, "1", func(d *desk) { d.start("serial", "a", 1) }},
		{"three sequential activities", 10, "3", func(d *desk) { d.start("serial", "a", 3) }},
		{"ten parallel activities", 12, "55", func(d *desk) { d.start("fanOut", "a", 10) }},
		{"a verification that is answered", 10, "true", func(d *desk) { d.start("verify", "a", 0); d.raise("a") }},
		{"a verification that times out", 11, "false", func(d *desk) {
			d.start("verify", "a", 0)
			d.advance(5 * time.Minute)
			d.work()
		}},
	} {
		t.Run(flow.name, func(t *testing.T) {
			d := newDesk(t, nil)
			flow.run(d)
			n, log := d.meter.take()
			t.Logf("%d requests, at most %d: %s", n, flow.most, log)
			if n > flow.most {
				t.Errorf("%d requests, more than %d: %s", n, flow.most, log)
			}
			d.ended("a", flow.output)
		})
	}
}

// empty answers every request as a hub does in which nothing happens.
type empty struct{ n int }

// Do is called by the SDK instead of the network.
func (e *empty) Do(r *http.Request) (*http.Response, error) {
	e.n++
	status, body := http.StatusOK, `{"value":[]}`
	switch {
	case r.Method != http.MethodGet:
		status, body = http.StatusNoContent, ""
	case strings.HasSuffix(r.URL.Path, "/messages"):
		body = `<?xml version="1.0"?><QueueMessagesList></QueueMessagesList>`
	}
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestAnIdleWorkerAsksRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &empty{}
		o := Options{ConnectionString: "UseDevelopmentStorage=true", Hub: "idle"}
		o.Client.Transport = transport
		s := open(t, o)
		receive := func(d time.Duration) int {
			before := transport.n
			for end := time.Now().Add(d); time.Now().Before(end); {
				if bells, err := s.Receive(t.Context(), 10, 30*time.Second); len(bells) > 0 || err != nil {
					t.Fatal(bells, err)
				}
			}
			return transport.n - before
		}
		receive(2 * time.Minute) // it becomes idle
		n := receive(time.Hour)
		t.Logf("an idle worker makes %.1f requests a minute", float64(n)/60)
		if n > 4*60 {
			t.Errorf("%d requests in an hour", n)
		}
	})
}
