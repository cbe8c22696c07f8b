package tablestore

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

const (
	work    engine.Activity[int, int]         = "work"
	serial  engine.Orchestrator[int, int]     = "serial"
	fanOut  engine.Orchestrator[int, int]     = "fanOut"
	verify  engine.Orchestrator[int, bool]    = "verify"
	answer  engine.Event[string]              = "Answer"
	patient engine.Orchestrator[string, bool] = "patient"
	parent  engine.Orchestrator[int, int]     = "parent"
	child   engine.Orchestrator[int, int]     = "child"
	teller  engine.Orchestrator[string, bool] = "teller"
	counter engine.Orchestrator[int, int]     = "counter"
	monitor engine.Orchestrator[int, int]     = "monitor"
	relay   engine.Orchestrator[int, bool]    = "relay"
	gather  engine.Orchestrator[[]int, []int] = "gather"
	figure  engine.Event[int]                 = "Figure"

	echo  engine.Activity[string, string]     = "echo"
	heavy engine.Orchestrator[string, string] = "heavy"
	tally engine.Orchestrator[int, int]       = "tally"
)

// one is a figure.
var one = client.Payload{Body: []byte("1")}

// yes is what a person answers.
var yes = client.Payload{Body: []byte(`"yes"`)}

// desk is a worker and a client on a hub, with a clock that the test moves.
type desk struct {
	testing.TB
	mu     sync.Mutex
	now    time.Time
	store  *Store
	opened *Store // the worker's
	worker *dispatch.Worker
	client *client.Client
	bill   bill
	o      Options
	hired  []*colleague
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

func newDesk(t testing.TB, change func(*Options)) *desk { return newDeskOn(t, newOptions, change) }

// newDeskOn returns a desk on the account for which the function returns
// options. The worker's options are changed.
func newDeskOn(t testing.TB, account optioner, change func(*Options)) *desk {
	d := &desk{TB: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	d.o = account(t, d.clock)
	d.store = open(t, d.o)
	counted := d.o
	counted.Client.PerRetryPolicies = append(counted.Client.PerRetryPolicies, &d.bill)
	if change != nil {
		change(&counted)
	}
	d.openWorker(counted)
	d.bill.take()
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
	engine.AddActivity(r, echo, func(_ context.Context, said string) (string, error) { return "echo of " + said, nil })
	engine.AddOrchestrator(r, heavy, func(ctx *engine.Context, said string) (string, error) {
		if _, err := engine.CallActivity(ctx, echo, said).Await(); err != nil {
			return "", err
		}
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	engine.AddOrchestrator(r, tally, func(ctx *engine.Context, n int) (sum int, err error) {
		for range n {
			v, err := engine.WaitForExternalEvent(ctx, figure).Await()
			if err != nil {
				return sum, err
			}
			sum += v
		}
		return sum, nil
	})
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
	addRelations(r)
	addLoops(r)
	engine.AddOrchestrator(r, patient, func(ctx *engine.Context, d string) (bool, error) {
		length, err := time.ParseDuration(d)
		if err != nil {
			return false, err
		}
		return isAnswered(ctx, length)
	})
	return r
}

// addRelations adds orchestrations that deal with others, and that continue as
// new.
func addRelations(r *engine.Registry) {
	engine.AddOrchestrator(r, child, func(_ *engine.Context, n int) (int, error) { return n + 1, nil })
	engine.AddOrchestrator(r, parent, func(ctx *engine.Context, n int) (sum int, err error) {
		var children []*engine.Task[int]
		for i := range n {
			children = append(children, engine.CallSubOrchestrator(ctx, child, i))
		}
		results, err := engine.WhenAll(ctx, children...).Await()
		for _, v := range results {
			sum += v
		}
		return sum, err
	})
	engine.AddOrchestrator(r, teller, func(ctx *engine.Context, to string) (bool, error) {
		return true, engine.SendEvent(ctx, to, answer, "yes")
	})
	engine.AddOrchestrator(r, counter, func(ctx *engine.Context, n int) (int, error) {
		if n == 0 {
			return 7, nil
		}
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return 0, err
		}
		return 0, ctx.ContinueAsNew(n - 1)
	})
	engine.AddOrchestrator(r, monitor, func(ctx *engine.Context, n int) (int, error) {
		if n == 0 {
			return 7, nil
		}
		if _, err := ctx.CreateTimer(ctx.Now().Add(time.Minute)).Await(); err != nil {
			return 0, err
		}
		return 0, ctx.ContinueAsNew(n - 1)
	})
}

// addLoops adds an orchestration that sends the figures from n to 1 to the
// instance a, and the one that gathers them, each of which begins again after
// every figure.
func addLoops(r *engine.Registry) {
	engine.AddOrchestrator(r, relay, func(ctx *engine.Context, n int) (bool, error) {
		if n == 0 {
			return true, nil
		}
		if err := engine.SendEvent(ctx, "a", figure, n); err != nil {
			return false, err
		}
		return false, ctx.ContinueAsNew(n - 1)
	})
	engine.AddOrchestrator(r, gather, func(ctx *engine.Context, got []int) ([]int, error) {
		if len(got) == 3 {
			return got, nil
		}
		n, err := engine.WaitForExternalEvent(ctx, figure).Await()
		if err != nil {
			return nil, err
		}
		return nil, ctx.ContinueAsNew(append(got, n))
	})
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
	d.must(d.client.Raise(d.Context(), id, string(answer), yes))
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
