// Command durabletask runs the workloads on durabletask-go, the last version
// with a store of its own, on SQLite with a write-ahead log that is synced with
// every commit.
package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/microsoft/durabletask-go/api"
	"github.com/microsoft/durabletask-go/backend"
	"github.com/microsoft/durabletask-go/backend/sqlite"
	"github.com/microsoft/durabletask-go/task"

	"github.com/seed21523604/holdfast/bench/internal/load"
)

const answer = "Answer"

// parallelism is how many turns, and activities, the worker may have under way.
const parallelism = 64

func main() { load.Main(open) }

type engine struct {
	client  backend.TaskHubClient
	worker  backend.TaskHubWorker
	signals *load.Signals
}

func open(ctx context.Context, folder string, s *load.Signals) (load.Engine, error) {
	e := &engine{signals: s}
	r := task.NewTaskRegistry()
	err := errors.Join(
		r.AddActivityN("work", func(task.ActivityContext) (any, error) { return "done", nil }),
		r.AddOrchestratorN(string(load.Sequence), sequence), r.AddOrchestratorN(string(load.FanOut), fanOut),
		r.AddOrchestratorN(string(load.Human), e.human), r.AddOrchestratorN(string(load.Pending), e.pending), r.AddOrchestratorN(string(load.Timers), e.timers),
	)
	if err != nil {
		return nil, err
	}
	logger := silent{backend.DefaultLogger()}
	file := filepath.Join(folder, "state.sqlite") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	be := sqlite.NewSqliteBackend(sqlite.NewSqliteOptions(file), logger)
	executor := task.NewTaskExecutor(r)
	e.worker = backend.NewTaskHubWorker(be,
		backend.NewOrchestrationWorker(be, executor, logger, backend.WithMaxParallelism(parallelism)),
		backend.NewActivityTaskWorker(be, executor, logger, backend.WithMaxParallelism(parallelism)), logger)
	e.client = backend.NewTaskHubClient(be)
	return e, e.worker.Start(context.WithoutCancel(ctx))
}

// silent drops what is no error.
type silent struct{ backend.Logger }

func (silent) Debug(...any)          {}
func (silent) Debugf(string, ...any) {}
func (silent) Info(...any)           {}
func (silent) Infof(string, ...any)  {}
func (silent) Warn(...any)           {}
func (silent) Warnf(string, ...any)  {}

// Start begins an instance.
func (e *engine) Start(ctx context.Context, w load.Workload, id string) error {
	_, err := e.client.ScheduleNewOrchestration(ctx, string(w), api.WithInstanceID(api.InstanceID(id)))
	return err
}

// Raise sends an instance the event that it waits for.
func (e *engine) Raise(ctx context.Context, _ load.Workload, id string) error {
	return e.client.RaiseEvent(ctx, api.InstanceID(id), answer, api.WithEventPayload("yes"))
}

// Wait returns when an instance has ended well.
func (e *engine) Wait(ctx context.Context, _ load.Workload, id string) error {
	m, err := e.client.WaitForOrchestrationCompletion(ctx, api.InstanceID(id))
	if err == nil && m.FailureDetails != nil {
		err = fmt.Errorf("it failed: %v", m.FailureDetails)
	}
	return err
}

// Processes are those of the engine beside this one.
func (e *engine) Processes() []int { return nil }

// Close ends the engine.
func (e *engine) Close() error { return e.worker.Shutdown(context.Background()) }

func sequence(ctx *task.OrchestrationContext) (any, error) {
	for range 3 {
		if err := ctx.CallActivity("work").Await(nil); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func fanOut(ctx *task.OrchestrationContext) (any, error) {
	var calls []task.Task
	for range load.Width {
		calls = append(calls, ctx.CallActivity("work"))
	}
	for _, call := range calls {
		if err := call.Await(nil); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (e *engine) human(ctx *task.OrchestrationContext) (any, error) {
	if err := ctx.CallActivity("work").Await(nil); err != nil {
		return nil, err
	}
	e.signals.Waits(string(ctx.ID))
	return nil, ctx.WaitForSingleEvent(answer, load.Deadline).Await(nil)
}

func (e *engine) pending(ctx *task.OrchestrationContext) (any, error) {
	e.signals.Waits(string(ctx.ID))
	return nil, ctx.WaitForSingleEvent(answer, -1).Await(nil)
}

func (e *engine) timers(ctx *task.OrchestrationContext) (any, error) {
	e.signals.Sleeps(string(ctx.ID))
	err := ctx.CreateTimer(load.Nap).Await(nil)
	e.signals.Wakes(string(ctx.ID))
	return nil, err
}
