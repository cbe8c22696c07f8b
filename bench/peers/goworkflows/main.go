// Command goworkflows runs the workloads on go-workflows with its SQLite
// backend, which syncs every commit. It has as many pollers as its documentation
// advises for throughput.
package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/worker"
	"github.com/cschleiden/go-workflows/workflow"

	"github.com/seed21523604/holdfast/bench/internal/load"
)

const answer = "Answer"

func main() { load.Main(open) }

type engine struct {
	client  *client.Client
	worker  *worker.Worker
	cancel  context.CancelFunc
	backend interface{ Close() error }
	flows   flows
	started sync.Map // *workflow.Instance by id
}

func open(ctx context.Context, folder string, s *load.Signals) (load.Engine, error) {
	b := sqlite.NewSqliteBackend(filepath.Join(folder, "state.sqlite"), sqlite.WithBackendOptions(backend.WithLogger(slog.New(slog.DiscardHandler))))
	ctx, cancel := context.WithCancel(ctx)
	e := &engine{client: client.New(b), cancel: cancel, backend: b, flows: flows{s}}
	o := worker.DefaultOptions
	o.WorkflowPollers, o.ActivityPollers = 4, 4
	o.WorkflowPollingInterval, o.ActivityPollingInterval = time.Millisecond, time.Millisecond
	o.WorkflowExecutorCacheSize, o.SingleWorkerMode = 10_000, true
	e.worker = worker.New(b, &o)
	err := errors.Join(
		e.worker.RegisterWorkflow(e.flows.Sequence), e.worker.RegisterWorkflow(e.flows.FanOut), e.worker.RegisterWorkflow(e.flows.Human),
		e.worker.RegisterWorkflow(e.flows.Pending), e.worker.RegisterWorkflow(e.flows.Timers), e.worker.RegisterActivity(Work),
	)
	if err == nil {
		err = e.worker.Start(ctx)
	}
	return e, err
}

// Start begins an instance.
func (e *engine) Start(ctx context.Context, w load.Workload, id string) error {
	fn := map[load.Workload]workflow.Workflow{
		load.Sequence: e.flows.Sequence, load.FanOut: e.flows.FanOut, load.Human: e.flows.Human, load.Pending: e.flows.Pending, load.Timers: e.flows.Timers,
	}[w]
	i, err := e.client.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: id}, fn, id)
	e.started.Store(id, i)
	return err
}

// Raise sends an instance the event that it waits for.
func (e *engine) Raise(ctx context.Context, _ load.Workload, id string) error {
	return e.client.SignalWorkflow(ctx, id, answer, "yes")
}

// Wait returns when an instance has ended well.
func (e *engine) Wait(ctx context.Context, _ load.Workload, id string) error {
	i, _ := e.started.LoadAndDelete(id)
	_, err := client.GetWorkflowResult[any](ctx, e.client, i.(*workflow.Instance), 10*time.Minute)
	return err
}

// Processes are those of the engine beside this one.
func (e *engine) Processes() []int { return nil }

// Close ends the engine.
func (e *engine) Close() error {
	e.cancel()
	return errors.Join(e.worker.WaitForCompletion(), e.backend.Close())
}

// Work does nothing.
func Work(context.Context, string) (string, error) { return "done", nil }

// flows are the workloads.
type flows struct{ signals *load.Signals }

func work(ctx workflow.Context, id string) workflow.Future[string] {
	return workflow.ExecuteActivity[string](ctx, workflow.DefaultActivityOptions, Work, id)
}

// Sequence calls three activities, one after the other.
func (f *flows) Sequence(ctx workflow.Context, id string) (any, error) {
	for range 3 {
		if _, err := work(ctx, id).Get(ctx); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// FanOut calls many at once.
func (f *flows) FanOut(ctx workflow.Context, id string) (any, error) {
	var calls []workflow.Future[string]
	for range load.Width {
		calls = append(calls, work(ctx, id))
	}
	for _, call := range calls {
		if _, err := call.Get(ctx); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Human calls an activity and races an event with a timer.
func (f *flows) Human(ctx workflow.Context, id string) (any, error) {
	if _, err := work(ctx, id).Get(ctx); err != nil {
		return nil, err
	}
	deadline, cancel := workflow.WithCancel(ctx)
	timer := workflow.ScheduleTimer(deadline, load.Deadline)
	f.signals.Waits(id)
	var err error
	workflow.Select(ctx,
		workflow.Await(timer, func(workflow.Context, workflow.Future[any]) { err = errors.New("nobody answered") }),
		workflow.Receive(workflow.NewSignalChannel[string](ctx, answer), func(workflow.Context, string, bool) { cancel() }),
	)
	return nil, err
}

// Pending waits for an event.
func (f *flows) Pending(ctx workflow.Context, id string) (any, error) {
	f.signals.Waits(id)
	workflow.NewSignalChannel[string](ctx, answer).Receive(ctx)
	return nil, nil
}

// Timers sleeps.
func (f *flows) Timers(ctx workflow.Context, id string) (any, error) {
	f.signals.Sleeps(id)
	err := workflow.Sleep(ctx, load.Nap)
	f.signals.Wakes(id)
	return nil, err
}
