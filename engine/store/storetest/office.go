package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

const (
	human engine.Orchestrator[string, string] = "human"
	once  engine.Orchestrator[string, string] = "once"
	nap   engine.Orchestrator[string, string] = "nap"
	order engine.Orchestrator[int, []int]     = "order"
	until engine.Orchestrator[time.Time, any] = "until"
	two   engine.Orchestrator[string, any]    = "two"
	many  engine.Orchestrator[int, int]       = "many"

	notify engine.Activity[string, string] = "notify"
	charge engine.Activity[string, string] = "charge"
	reply  engine.Event[string]            = "Reply"
	next   engine.Event[int]               = "Next"
)

// office is a worker and a client on a store, with activities that count how
// often they run.
type office struct {
	b        *bench
	worker   *dispatch.Worker
	client   *client.Client
	registry *engine.Registry

	mu      sync.Mutex
	runs    map[string]int
	charged map[string]int // those of the activity that runs at most once
	// during is called in every activity; nil does nothing.
	during func(call engine.Call)
}

// newOffice opens an office on the store s.
func (b *bench) newOffice(s store.Store) *office {
	o := &office{b: b, registry: engine.NewRegistry(), runs: map[string]int{}, charged: map[string]int{}}
	activity := func(ctx context.Context, what string) (string, error) {
		call := engine.CallOf(ctx)
		o.mu.Lock()
		o.runs[call.Key()]++
		if call.Name == string(charge) {
			o.charged[call.Key()]++
		}
		during := o.during
		o.mu.Unlock()
		if during != nil {
			during(call)
		}
		return what + " done", nil
	}
	engine.AddActivity(o.registry, notify, activity)
	engine.AddActivity(o.registry, charge, activity, engine.AtMostOnce())
	o.addRewinds()
	o.addFaults()
	engine.AddOrchestrator(o.registry, human, askHuman)
	engine.AddOrchestrator(o.registry, once, chargeOnce)
	engine.AddOrchestrator(o.registry, nap, takeNap)
	engine.AddOrchestrator(o.registry, order, collect)
	engine.AddOrchestrator(o.registry, until, func(ctx *engine.Context, at time.Time) (any, error) {
		return ctx.CreateTimer(at).Await()
	})
	engine.AddOrchestrator(o.registry, many, func(ctx *engine.Context, n int) (int, error) {
		var calls []*engine.Task[string]
		for range n {
			calls = append(calls, engine.CallActivity(ctx, notify, "all"))
		}
		results, err := engine.WhenAll(ctx, calls...).Await()
		return len(results), err
	})
	engine.AddOrchestrator(o.registry, two, func(ctx *engine.Context, _ string) (any, error) {
		first := engine.CallActivity(ctx, charge, "first")
		if _, err := engine.WaitForExternalEvent(ctx, reply).Await(); err != nil {
			return nil, err
		}
		second := engine.CallActivity(ctx, charge, "second")
		_, err := engine.WhenAll(ctx, first, second).Await()
		return nil, err
	})
	addRelations(o.registry)
	o.worker = dispatch.New(s, o.registry, dispatch.Options{Now: b.clock})
	o.client = client.New(o.worker.Instances(), client.Options{Now: b.clock})
	return o
}

// askHuman runs an activity and races an event against an hour.
func askHuman(ctx *engine.Context, who string) (string, error) {
	if _, err := engine.CallActivity(ctx, notify, who).Await(); err != nil {
		return "", err
	}
	answer := engine.WaitForExternalEvent(ctx, reply)
	deadline := ctx.CreateTimer(ctx.Now().Add(time.Hour))
	winner, err := engine.WhenAny(ctx, answer, deadline).Await()
	if err != nil || winner == deadline {
		return "nobody answered", err
	}
	deadline.Cancel()
	return answer.Await()
}

// chargeOnce runs an activity that must not run twice, and tells what came of
// it.
func chargeOnce(ctx *engine.Context, what string) (string, error) {
	result, err := engine.CallActivity(ctx, charge, what).Await()
	if errors.Is(err, engine.ErrInterrupted) {
		return "interrupted", nil
	}
	return result, err
}

// takeNap sleeps as long as it is told, and never less.
func takeNap(ctx *engine.Context, d string) (string, error) {
	length, err := time.ParseDuration(d)
	if err != nil {
		return "", err
	}
	due := ctx.Now().Add(length)
	if _, err := ctx.CreateTimer(due).Await(); err != nil {
		return "", err
	}
	if ctx.Now().Before(due) {
		return "", errors.New("it fired early")
	}
	return "rested", nil
}

// collect returns the first n numbers that were sent, in the order in which
// they were taken.
func collect(ctx *engine.Context, n int) ([]int, error) {
	var got []int
	for range n {
		v, err := engine.WaitForExternalEvent(ctx, next).Await()
		if err != nil {
			return nil, err
		}
		got = append(got, v)
	}
	return got, nil
}

// work answers doorbells until none rings.
func (o *office) work() {
	o.b.Helper()
	for {
		worked, err := o.worker.Step(o.b.ctx)
		o.b.must(err)
		if !worked {
			return
		}
	}
}

// settle waits until what was begun is done, and answers what rings.
func (o *office) settle() {
	o.b.Helper()
	o.b.must(o.worker.Settle(o.b.ctx))
	o.work()
}

func (o *office) start(name, id string, input any) {
	o.b.Helper()
	_, err := o.client.Start(o.b.ctx, name, id, input)
	o.b.must(err)
}

func (o *office) raise(id, event, payload string) error {
	return o.client.Raise(o.b.ctx, id, event, client.Payload{Body: []byte(payload)})
}

// ended checks how an instance ended and that its history is well formed.
func (o *office) ended(id string, status history.Status, output string) {
	o.b.Helper()
	in, err := o.client.Get(o.b.ctx, id)
	o.b.must(err)
	if in.Status != status || output != "" && string(in.Output) != output {
		o.b.Errorf("%s is %v with %s (%v), want %v with %s", id, in.Status, in.Output, in.Failure, status, output)
	}
	events, err := o.client.History(o.b.ctx, id)
	o.b.must(err)
	if err := CheckHistory(events); err != nil {
		o.b.Errorf("%s: %v", id, err)
	}
	if len(events) != in.Events {
		o.b.Errorf("%s has %d events and says %d", id, len(events), in.Events)
	}
}

// most returns how often the activity ran most.
func (o *office) most() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	most := 0
	for _, n := range o.runs {
		most = max(most, n)
	}
	return most
}
