package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

const (
	approval engine.Orchestrator[string, string] = "approval" // an answer, or three days
	tally    engine.Orchestrator[int, int]       = "tally"    // so many figures
	alarm    engine.Orchestrator[time.Time, any] = "alarm"    // a timer

	answer engine.Event[string] = "Answer"
	figure engine.Event[int]    = "Figure"
)

const deadline = 72 * time.Hour

// callers is how many requests are under way at a time.
const callers = 32

// alarms knows when timers woke their orchestrations.
type alarms struct {
	mu   sync.Mutex
	woke map[string]time.Time
}

// wakes takes note of the first time; what replay repeats is ignored.
func (a *alarms) wakes(id string) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.woke[id].IsZero() {
		a.woke[id] = now
	}
}

func registry(a *alarms) *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, approval, func(ctx *engine.Context, _ string) (string, error) {
		reply, late := engine.WaitForExternalEvent(ctx, answer), ctx.CreateTimer(ctx.Now().Add(deadline))
		winner, err := engine.WhenAny(ctx, reply, late).Await()
		if err == nil && winner == late {
			err = errors.New("nobody answered")
		}
		if err != nil {
			return "", err
		}
		late.Cancel()
		return reply.Await()
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
	engine.AddOrchestrator(r, alarm, func(ctx *engine.Context, at time.Time) (any, error) {
		_, err := ctx.CreateTimer(at).Await()
		a.wakes(ctx.InstanceID())
		return nil, err
	})
	return r
}

// app is a worker and a client on a store.
type app struct {
	*client.Client
	worker *dispatch.Worker
	stop   context.CancelFunc
	ended  chan error
}

// newApp returns a running app. The store stays the caller's.
func newApp(s store.Store, a *alarms) *app {
	worker := dispatch.New(s, registry(a), dispatch.Options{})
	ctx, stop := context.WithCancel(context.Background())
	app := &app{Client: client.New(worker.Instances(), client.Options{}), worker: worker, stop: stop, ended: make(chan error, 1)}
	go func() { app.ended <- worker.Run(ctx) }()
	return app
}

func (a *app) close() error {
	a.stop()
	return <-a.ended
}

// forget puts another worker in the place of the one that has instances in memory.
func (a *app) forget(s store.Store, woken *alarms) error {
	err := a.close()
	*a = *newApp(s, woken)
	return err
}

func (a *app) ask(ctx context.Context, id string) error {
	_, err := a.Start(ctx, string(approval), id, "may I")
	return err
}

func (a *app) reply(ctx context.Context, id string) error {
	return a.Raise(ctx, id, string(answer), client.Payload{Body: []byte(`"yes"`)})
}

func (a *app) count(ctx context.Context, id string) error {
	return a.Raise(ctx, id, string(figure), client.Payload{Body: []byte("1")})
}

func (a *app) look(ctx context.Context, id string) error {
	_, err := a.Get(ctx, id)
	return err
}

// completes waits for the end of an instance.
func (a *app) completes(ctx context.Context, id string) error {
	in, err := a.Wait(ctx, id)
	if err == nil && in.Status != history.Completed {
		err = fmt.Errorf("instance %s is %v: %v", id, in.Status, in.Failure)
	}
	return err
}

// each calls f for every id, so many at a time, and returns how long each call
// took, in order.
func each(ctx context.Context, ids []string, parallel int, f func(context.Context, string) error) ([]time.Duration, error) {
	var next atomic.Int64
	var wait sync.WaitGroup
	took, errs := make([]time.Duration, len(ids)), make([]error, parallel)
	for caller := range parallel {
		wait.Go(func() {
			for errs[caller] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(ids) {
					return
				}
				began := time.Now()
				errs[caller] = f(ctx, ids[i])
				took[i] = time.Since(began)
			}
		})
	}
	wait.Wait()
	slices.Sort(took)
	return took, errors.Join(errs...)
}

// quantile returns one of sorted times, in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	return float64(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]) / float64(time.Millisecond)
}

// names returns the ids of so many instances, from one number on.
func names(from, to int) []string {
	ids := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		ids = append(ids, fmt.Sprintf("instance-%06d", i))
	}
	return ids
}

// guests are instances that wait.
type guests struct {
	next int // number of the next
	ids  []string
}

// more returns new ones.
func (g *guests) more(n int) []string {
	fresh := names(g.next, g.next+n)
	g.next += n
	g.ids = append(g.ids, fresh...)
	return fresh
}

// draw takes some out, whoever they are.
func (g *guests) draw(n int) []string {
	rand.Shuffle(len(g.ids), func(i, j int) { g.ids[i], g.ids[j] = g.ids[j], g.ids[i] })
	drawn := g.ids[:n]
	g.ids = g.ids[n:]
	return drawn
}
