// Command temporal runs the workloads on Temporal's development server, the
// program that HOLDFAST_BENCH_TEMPORAL names (see the prepare command), on a
// SQLite file whose every commit is synced. The limit of 20 polls a second, which
// makes every step wait for 50 ms as it is shipped, is raised.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/seed21523604/holdfast/bench/internal/load"
)

const (
	answer = "Answer"
	queue  = "bench"
)

func main() { load.Main(open) }

type engine struct {
	server  *exec.Cmd
	client  client.Client
	worker  worker.Worker
	signals *load.Signals
}

func open(ctx context.Context, folder string, s *load.Signals) (load.Engine, error) {
	e := &engine{signals: s}
	address, err := e.startServer(folder)
	if err != nil {
		return nil, err
	}
	if e.client, err = connect(ctx, address); err != nil {
		return nil, err
	}
	e.worker = worker.New(e.client, queue, worker.Options{MaxConcurrentWorkflowTaskPollers: 8, MaxConcurrentActivityTaskPollers: 8})
	for w, run := range map[load.Workload]any{
		load.Sequence: sequence, load.FanOut: fanOut, load.Human: e.human, load.Pending: e.pending, load.Timers: e.timers,
	} {
		e.worker.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: string(w)})
	}
	e.worker.RegisterActivity(work)
	return e, e.worker.Start()
}

// startServer starts the server and returns where it listens.
func (e *engine) startServer(folder string) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	e.server = exec.Command(os.Getenv("HOLDFAST_BENCH_TEMPORAL"), "-tuned", "-file", filepath.Join(folder, "state.sqlite"), "-port", port)
	e.server.Stderr = os.Stderr
	output, err := e.server.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := e.server.Start(); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if strings.TrimSpace(line) != "ready" {
		return "", errors.Join(fmt.Errorf("the server said %q", line), err)
	}
	return address, nil
}

// connect dials the server until it has made its namespace.
func connect(ctx context.Context, address string) (client.Client, error) {
	for {
		c, err := client.DialContext(ctx, client.Options{HostPort: address, Logger: silent{}})
		if err == nil {
			return c, nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// silent drops what the SDK logs.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// Start begins an instance.
func (e *engine) Start(ctx context.Context, w load.Workload, id string) error {
	_, err := e.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: queue}, string(w), id)
	return err
}

// Raise sends an instance the event that it waits for.
func (e *engine) Raise(ctx context.Context, _ load.Workload, id string) error {
	return e.client.SignalWorkflow(ctx, id, "", answer, "yes")
}

// Wait returns when an instance has ended well.
func (e *engine) Wait(ctx context.Context, _ load.Workload, id string) error {
	return e.client.GetWorkflow(ctx, id, "").Get(ctx, nil)
}

// Processes are those of the engine beside this one.
func (e *engine) Processes() []int { return []int{e.server.Process.Pid} }

// Close ends the engine.
func (e *engine) Close() error {
	e.worker.Stop()
	e.client.Close()
	err := e.server.Process.Signal(syscall.SIGTERM)
	_ = e.server.Wait() // it ends by the signal
	return err
}

func work(context.Context, string) (string, error) { return "done", nil }

func call(ctx workflow.Context, id string) workflow.Future {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	return workflow.ExecuteActivity(ctx, work, id)
}

func sequence(ctx workflow.Context, id string) error {
	for range 3 {
		if err := call(ctx, id).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func fanOut(ctx workflow.Context, id string) error {
	var calls []workflow.Future
	for range load.Width {
		calls = append(calls, call(ctx, id))
	}
	for _, c := range calls {
		if err := c.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) human(ctx workflow.Context, id string) (err error) {
	if err := call(ctx, id).Get(ctx, nil); err != nil {
		return err
	}
	timed, cancel := workflow.WithCancel(ctx)
	selector := workflow.NewSelector(ctx).
		AddFuture(workflow.NewTimer(timed, load.Deadline), func(workflow.Future) { err = errors.New("nobody answered") }).
		AddReceive(workflow.GetSignalChannel(ctx, answer), func(c workflow.ReceiveChannel, _ bool) {
			c.Receive(ctx, nil)
			cancel()
		})
	e.signals.Waits(id)
	selector.Select(ctx)
	return err
}

func (e *engine) pending(ctx workflow.Context, id string) error {
	e.signals.Waits(id)
	workflow.GetSignalChannel(ctx, answer).Receive(ctx, nil)
	return nil
}

func (e *engine) timers(ctx workflow.Context, id string) error {
	e.signals.Sleeps(id)
	err := workflow.Sleep(ctx, load.Nap)
	e.signals.Wakes(id)
	return err
}
