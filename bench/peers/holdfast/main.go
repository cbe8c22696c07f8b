// Command holdfast runs the workloads on Holdfast: on a folder whose every
// commit is synced or, when HOLDFAST_BENCH_AZURITE is set, on Azurite.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/seed21523604/holdfast/bench/internal/load"
	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

const (
	sequence engine.Orchestrator[string, any] = engine.Orchestrator[string, any](load.Sequence)
	fanOut   engine.Orchestrator[string, any] = engine.Orchestrator[string, any](load.FanOut)
	human    engine.Orchestrator[string, any] = engine.Orchestrator[string, any](load.Human)
	pending  engine.Orchestrator[string, any] = engine.Orchestrator[string, any](load.Pending)
	timers   engine.Orchestrator[string, any] = engine.Orchestrator[string, any](load.Timers)

	work   engine.Activity[string, string] = "work"
	answer engine.Event[string]            = "Answer"
)

func main() { load.Main(open) }

type app struct {
	store  store.Store
	client *client.Client
	stop   context.CancelFunc
	ended  chan error
	server *server // nil on the file store
}

func open(_ context.Context, folder string, s *load.Signals) (load.Engine, error) {
	a := &app{ended: make(chan error, 1)}
	var err error
	if os.Getenv("HOLDFAST_BENCH_AZURITE") != "" {
		a.store, a.server, err = openAzurite(folder)
	} else {
		a.store, err = filestore.Open(folder, filestore.Options{})
	}
	if err != nil {
		return nil, err
	}
	worker := dispatch.New(a.store, registry(s), dispatch.Options{})
	a.client = client.New(worker.Instances(), client.Options{})
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	go func() { a.ended <- worker.Run(ctx) }()
	return a, nil
}

// Start begins an instance.
func (a *app) Start(ctx context.Context, w load.Workload, id string) error {
	_, err := a.client.Start(ctx, string(w), id, id)
	return err
}

// Raise sends an instance the event that it waits for.
func (a *app) Raise(ctx context.Context, _ load.Workload, id string) error {
	return a.client.Raise(ctx, id, string(answer), client.Payload{Body: []byte(`"yes"`)})
}

// Wait returns when an instance has ended well.
func (a *app) Wait(ctx context.Context, _ load.Workload, id string) error {
	in, err := a.client.Wait(ctx, id)
	if err == nil && in.Status != history.Completed {
		err = fmt.Errorf("it is %v: %v", in.Status, in.Failure)
	}
	return err
}

// Processes are those of the engine beside this one.
func (a *app) Processes() []int {
	if a.server == nil {
		return nil
	}
	return a.server.processes()
}

// Close ends the engine.
func (a *app) Close() error {
	a.stop()
	err := errors.Join(<-a.ended, a.store.Close())
	if a.server != nil {
		err = errors.Join(err, a.server.close())
	}
	return err
}

// registry has the workloads.
func registry(s *load.Signals) *engine.Registry {
	r := engine.NewRegistry()
	engine.AddActivity(r, work, func(context.Context, string) (string, error) { return "done", nil })
	engine.AddOrchestrator(r, sequence, func(ctx *engine.Context, id string) (any, error) {
		for range 3 {
			if _, err := engine.CallActivity(ctx, work, id).Await(); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	engine.AddOrchestrator(r, fanOut, func(ctx *engine.Context, id string) (any, error) {
		var calls []*engine.Task[string]
		for range load.Width {
			calls = append(calls, engine.CallActivity(ctx, work, id))
		}
		_, err := engine.WhenAll(ctx, calls...).Await()
		return nil, err
	})
	engine.AddOrchestrator(r, human, func(ctx *engine.Context, id string) (any, error) {
		if _, err := engine.CallActivity(ctx, work, id).Await(); err != nil {
			return nil, err
		}
		reply, deadline := engine.WaitForExternalEvent(ctx, answer), ctx.CreateTimer(ctx.Now().Add(load.Deadline))
		s.Waits(id)
		winner, err := engine.WhenAny(ctx, reply, deadline).Await()
		if err == nil && winner == deadline {
			err = errors.New("nobody answered")
		}
		deadline.Cancel()
		return nil, err
	})
	engine.AddOrchestrator(r, pending, func(ctx *engine.Context, id string) (any, error) {
		s.Waits(id)
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	engine.AddOrchestrator(r, timers, func(ctx *engine.Context, id string) (any, error) {
		s.Sleeps(id)
		_, err := ctx.CreateTimer(ctx.Now().Add(load.Nap)).Await()
		s.Wakes(id)
		return nil, err
	})
	return r
}
