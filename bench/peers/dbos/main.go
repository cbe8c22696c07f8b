// Command dbos runs the workloads on DBOS Transact with a SQLite file whose
// every commit is synced, which is not its default.
package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	_ "github.com/dbos-inc/dbos-transact-golang/dbos/driver/sqlite"

	"github.com/seed21523604/holdfast/bench/internal/load"
)

const answer = "Answer"

func main() { load.Main(open) }

type engine struct {
	context dbos.Context
	db      *sql.DB
	signals *load.Signals
	started sync.Map // dbos.WorkflowHandle[string] by id
}

func open(ctx context.Context, folder string, s *load.Signals) (load.Engine, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "state.sqlite")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	e := &engine{db: db, signals: s}
	e.context, err = dbos.NewContext(ctx, dbos.Config{AppName: "bench", SQLiteSystemDB: db, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	dbos.RegisterWorkflow(e.context, sequence)
	dbos.RegisterWorkflow(e.context, fanOut)
	dbos.RegisterWorkflow(e.context, e.human)
	dbos.RegisterWorkflow(e.context, e.pending)
	dbos.RegisterWorkflow(e.context, e.timers)
	return e, dbos.Launch(e.context)
}

// Start begins an instance.
func (e *engine) Start(_ context.Context, w load.Workload, id string) error {
	fn := map[load.Workload]dbos.Workflow[string, string]{
		load.Sequence: sequence, load.FanOut: fanOut, load.Human: e.human, load.Pending: e.pending, load.Timers: e.timers,
	}[w]
	h, err := dbos.RunWorkflow(e.context, fn, id, dbos.WithWorkflowID(id))
	e.started.Store(id, h)
	return err
}

// Raise sends an instance the event that it waits for.
func (e *engine) Raise(_ context.Context, _ load.Workload, id string) error {
	return dbos.Send(e.context, id, "yes", answer)
}

// Wait returns when an instance has ended well.
func (e *engine) Wait(_ context.Context, _ load.Workload, id string) error {
	h, _ := e.started.LoadAndDelete(id)
	_, err := h.(dbos.WorkflowHandle[string]).GetResult()
	return err
}

// Processes are those of the engine beside this one.
func (e *engine) Processes() []int { return nil }

// Close ends the engine.
func (e *engine) Close() error {
	return errors.Join(dbos.Shutdown(e.context, 5*time.Second), e.db.Close())
}

func work(context.Context) (string, error) { return "done", nil }

func sequence(ctx dbos.Context, _ string) (string, error) {
	for range 3 {
		if _, err := dbos.RunAsStep(ctx, work); err != nil {
			return "", err
		}
	}
	return "", nil
}

func fanOut(ctx dbos.Context, _ string) (string, error) {
	var calls []<-chan dbos.StepOutcome[string]
	for range load.Width {
		call, err := dbos.Go(ctx, work)
		if err != nil {
			return "", err
		}
		calls = append(calls, call)
	}
	var errs []error
	for _, call := range calls {
		errs = append(errs, (<-call).Err)
	}
	return "", errors.Join(errs...)
}

func (e *engine) human(ctx dbos.Context, id string) (string, error) {
	if _, err := dbos.RunAsStep(ctx, work); err != nil {
		return "", err
	}
	e.signals.Waits(id)
	return dbos.Recv[string](ctx, answer, load.Deadline)
}

func (e *engine) pending(ctx dbos.Context, id string) (string, error) {
	e.signals.Waits(id)
	return dbos.Recv[string](ctx, answer, 24*time.Hour)
}

func (e *engine) timers(ctx dbos.Context, id string) (string, error) {
	e.signals.Sleeps(id)
	_, err := dbos.Sleep(ctx, load.Nap)
	e.signals.Wakes(id)
	return "", err
}
