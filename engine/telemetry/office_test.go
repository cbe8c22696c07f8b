package telemetry_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
	"github.com/seed21523604/holdfast/engine/telemetry"
)

// office is workers and clients on one hub in an account in memory, in virtual
// time, with what they tell. All of it is in one bubble of synctest.
type office struct {
	*testing.T
	account *azuretest.Account
	spans   *tracetest.InMemoryExporter
	meters  *sdkmetric.ManualReader
	broken  atomic.Bool // what the activity flaky depends on
	o       dispatch.Options
	mu      sync.Mutex
	choose  func(method string) storetest.Fault // of a worker's call; guarded by mu
	extra   func(*engine.Registry)              // what else is registered
	client  *client.Client                      // beside the first worker
}

// inOffice runs the test in an office with one worker.
func inOffice(t *testing.T, o dispatch.Options, choose func(string) storetest.Fault, test func(*office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &office{
			T: t, account: azuretest.New(azuretest.Options{}), spans: tracetest.NewInMemoryExporter(), o: o, choose: choose,
		}
		w := f.hire()
		f.client = w.client
		defer w.quit()
		test(f)
	})
}

// clerk is a worker with a client beside it.
type clerk struct {
	*dispatch.Worker
	client *client.Client
	store  *tablestore.Store
	dead   atomic.Bool // nothing that it does has an effect any more
	cancel context.CancelFunc
	done   chan error
}

// hire lets another worker begin.
func (f *office) hire() *clerk {
	f.Helper()
	o := tablestore.Options{ConnectionString: f.account.ConnectionString(), Hub: "hub"}
	o.Client.Transport = f.account
	s, err := tablestore.Open(f.Context(), o)
	f.must(err)
	c := &clerk{store: s, done: make(chan error, 1)}
	told := newTelemetry(f.T, mortal{f.spans, &c.dead}, f.metersOnce()...)
	faulty := &storetest.Faulty{Store: s, Choose: func(method string, _ int) storetest.Fault {
		f.mu.Lock()
		defer f.mu.Unlock()
		switch {
		case c.dead.Load():
			return storetest.Fail
		case f.choose == nil:
			return storetest.None
		}
		return f.choose(method)
	}}
	work := f.o
	work.Telemetry = told
	c.Worker = dispatch.New(faulty, f.registry(), work)
	c.client = client.New(honest{c.Instances(), s}, client.Options{Tracer: told, Now: s.Now})
	ctx, cancel := context.WithCancel(f.Context())
	c.cancel = cancel
	go func() { c.done <- c.Run(ctx) }()
	return c
}

// newTelemetry returns one that sends spans to the exporter.
func newTelemetry(t *testing.T, to sdktrace.SpanExporter, o ...sdkmetric.Option) *telemetry.Telemetry {
	t.Helper()
	told, err := telemetry.New(telemetry.Options{
		Tracers: sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(telemetry.IDs{}), sdktrace.WithSyncer(to)),
		Meters:  sdkmetric.NewMeterProvider(o...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return told
}

// metersOnce returns the reader of metrics for the worker that is hired last; it
// can read one provider only.
func (f *office) metersOnce() []sdkmetric.Option {
	f.meters = sdkmetric.NewManualReader()
	return []sdkmetric.Option{sdkmetric.WithReader(f.meters)}
}

// honest is a worker's view of a store that answers well when a client reads a row.
type honest struct {
	store.Instances
	s *tablestore.Store
}

func (h honest) Get(ctx context.Context, id string) (store.Instance, error) { return h.s.Get(ctx, id) }

// quit stops the worker.
func (c *clerk) quit() {
	c.cancel()
	<-c.done
	c.store.Close()
}

// die stops the worker as if the process had died.
func (c *clerk) die() {
	c.dead.Store(true)
	c.quit()
}

// mortal passes on what comes before its worker dies.
type mortal struct {
	sdktrace.SpanExporter
	dead *atomic.Bool
}

func (m mortal) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if m.dead.Load() {
		return nil
	}
	return m.SpanExporter.ExportSpans(ctx, spans)
}

// Shutdown leaves the spans where they are.
func (mortal) Shutdown(context.Context) error { return nil }

func (f *office) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *office) start(name, id string, input any, options ...client.StartOption) {
	f.Helper()
	_, err := f.client.Start(f.Context(), name, id, input, options...)
	f.must(err)
}

func (f *office) raise(id, event, payload string) {
	f.Helper()
	f.must(f.client.Raise(f.Context(), id, event, client.Payload{Body: []byte(payload)}))
}

// ends waits for the instance's end.
func (f *office) ends(id string, status history.Status) {
	f.Helper()
	in, err := f.client.Wait(f.Context(), id)
	if err != nil || in.Status != status {
		f.Fatalf("%s is %v, %v, %v", id, in.Status, in.Failure, err)
	}
}

// waits waits until the instance waits for an event.
func (f *office) waits(id string) {
	f.Helper()
	_, err := f.client.WaitFor(f.Context(), id, func(in store.Instance) bool { return len(in.External.Waits) > 0 })
	f.must(err)
}

// told returns all spans, when nothing more comes.
func (f *office) told() tracetest.SpanStubs {
	pass(time.Minute)
	return f.spans.GetSpans()
}

// pass lets virtual time pass, and what is due in it happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// What the orchestrations of the office do.
const (
	verify     engine.Orchestrator[string, bool] = "verify"
	gather     engine.Orchestrator[int, int]     = "gather"
	family     engine.Orchestrator[int, int]     = "family"
	double     engine.Orchestrator[int, int]     = "double"
	listen     engine.Orchestrator[int, int]     = "listen"
	persistent engine.Orchestrator[int, int]     = "persistent"
	countdown  engine.Orchestrator[int, int]     = "countdown"
	hasty      engine.Orchestrator[int, int]     = "hasty"
	impatient  engine.Orchestrator[int, int]     = "impatient"
	fragile    engine.Orchestrator[int, int]     = "fragile"
	parent     engine.Orchestrator[int, int]     = "parent"
	work       engine.Activity[int, int]         = "work"
	flaky      engine.Activity[int, int]         = "flaky"
	forever    engine.Activity[int, int]         = "forever"
	answer     engine.Event[string]              = "Answer"
	figure     engine.Event[int]                 = "Figure"
)

var errBroken = errors.New("it is broken")

func (f *office) registry() *engine.Registry {
	r := engine.NewRegistry()
	engine.AddActivity(r, work, func(ctx context.Context, n int) (int, error) {
		select {
		case <-time.After(time.Duration(n)*time.Second - 100*time.Millisecond): // before somebody looks who looks every second
			return n, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	engine.AddActivity(r, flaky, func(ctx context.Context, n int) (int, error) {
		if engine.CallOf(ctx).Attempt < n || f.broken.Load() {
			return 0, errBroken
		}
		return n, nil
	})
	engine.AddActivity(r, forever, func(ctx context.Context, n int) (int, error) { <-ctx.Done(); return n, ctx.Err() })
	engine.AddOrchestrator(r, verify, func(ctx *engine.Context, who string) (bool, error) {
		if _, err := engine.CallActivity(ctx, work, 2).Await(); err != nil {
			return false, err
		}
		reply := engine.WaitForExternalEvent(ctx, answer)
		deadline := ctx.CreateTimer(ctx.Now().Add(5 * time.Minute))
		if engine.Select(ctx, reply, deadline) == deadline {
			return false, nil
		}
		deadline.Cancel()
		return true, nil
	})
	engine.AddOrchestrator(r, gather, func(ctx *engine.Context, n int) (int, error) {
		var calls []*engine.Task[int]
		for i := range n {
			calls = append(calls, engine.CallActivity(ctx, work, i+1))
		}
		_, err := engine.WhenAll(ctx, calls...).Await()
		return n, err
	})
	engine.AddOrchestrator(r, double, func(ctx *engine.Context, n int) (int, error) {
		m, err := engine.CallActivity(ctx, work, n).Await()
		return 2 * m, err
	})
	engine.AddOrchestrator(r, listen, func(ctx *engine.Context, _ int) (int, error) {
		return engine.WaitForExternalEvent(ctx, figure).Await()
	})
	engine.AddOrchestrator(r, family, func(ctx *engine.Context, n int) (int, error) {
		m, err := engine.CallSubOrchestrator(ctx, double, n, engine.InstanceID("child"), engine.Version("2.1")).Await()
		if err != nil {
			return 0, err
		}
		if _, err := engine.StartOrchestrator(ctx, listen, 0, engine.InstanceID("aside")); err != nil {
			return 0, err
		}
		return m, engine.SendEvent(ctx, "aside", figure, m)
	})
	engine.AddOrchestrator(r, persistent, func(ctx *engine.Context, n int) (int, error) {
		return engine.CallActivity(ctx, flaky, n, engine.RetryPolicy{InitialRetryInterval: time.Minute}).Await()
	})
	engine.AddOrchestrator(r, countdown, func(ctx *engine.Context, n int) (int, error) {
		if _, err := engine.CallActivity(ctx, work, 1).Await(); err != nil || n == 0 {
			return n, err
		}
		return 0, ctx.ContinueAsNew(n - 1)
	})
	engine.AddOrchestrator(r, hasty, func(ctx *engine.Context, n int) (int, error) {
		if n == 0 {
			return 0, nil
		}
		return 0, ctx.ContinueAsNew(n - 1)
	})
	engine.AddOrchestrator(r, impatient, func(ctx *engine.Context, _ int) (int, error) {
		_, err := engine.CallActivity(ctx, forever, 1, engine.Until(ctx.Now().Add(time.Minute))).Await()
		if !errors.Is(err, engine.ErrTimeout) {
			return 0, err
		}
		return engine.CallActivity(ctx, forever, 2).Await()
	})
	engine.AddOrchestrator(r, fragile, func(ctx *engine.Context, _ int) (int, error) {
		if _, err := engine.CallActivity(ctx, work, 1).Await(); err != nil {
			return 0, err
		}
		return engine.CallActivity(ctx, flaky, 0).Await()
	})
	engine.AddOrchestrator(r, parent, func(ctx *engine.Context, n int) (int, error) {
		return engine.CallSubOrchestrator(ctx, fragile, n, engine.InstanceID("fragile")).Await()
	})
	if f.extra != nil {
		f.extra(r)
	}
	return r
}

// stories are what may happen in the office, each with a trace to be looked at.
var stories = []struct {
	name string
	tell func(*office)
}{
	{"verification", func(f *office) {
		f.start("verify", "a", "who")
		f.waits("a")
		pass(time.Minute)
		f.raise("a", "Answer", `"042117"`)
		f.ends("a", history.Completed)
	}},
	{"timeout", func(f *office) {
		f.start("verify", "a", "who", client.Version("1.3"))
		pass(6 * time.Minute)
		f.ends("a", history.Completed)
	}},
	{"fanout", func(f *office) {
		f.start("gather", "a", 3)
		f.ends("a", history.Completed)
	}},
	{"family", func(f *office) {
		f.start("family", "a", 3)
		f.ends("a", history.Completed)
		pass(5 * time.Minute) // enough for whoever takes over
		f.ends("aside", history.Completed)
	}},
	{"retry", func(f *office) {
		f.start("persistent", "a", 3)
		f.ends("a", history.Completed)
	}},
	{"continue", func(f *office) {
		f.start("countdown", "a", 2)
		f.ends("a", history.Completed)
	}},
	{"hasty", func(f *office) {
		f.start("hasty", "a", 2)
		f.ends("a", history.Completed)
	}},
	{"givenup", func(f *office) {
		f.start("impatient", "a", 0)
		pass(3 * time.Minute)
		f.must(f.client.Terminate(f.Context(), "a", "enough"))
		f.ends("a", history.Terminated)
		synctest.Wait()
	}},
	{"rewound", func(f *office) {
		f.broken.Store(true)
		f.start("parent", "a", 0)
		f.ends("a", history.Failed)
		f.broken.Store(false)
		pass(5 * time.Minute)
		f.must(f.client.Rewind(f.Context(), "a", "it is mended"))
		f.ends("a", history.Completed)
	}},
	{"suspended", func(f *office) {
		f.start("double", "a", 60)
		f.must(f.client.Suspend(f.Context(), "a", "lunch"))
		pass(2 * time.Minute)
		f.must(f.client.Resume(f.Context(), "a", "back"))
		f.ends("a", history.Completed)
	}},
}
