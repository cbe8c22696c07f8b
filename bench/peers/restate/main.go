// Command restate runs the workloads on a Restate server, the program that
// HOLDFAST_BENCH_RESTATE names, which syncs its log and shares a sync between
// many writes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	restate "github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/ingress"
	"github.com/restatedev/sdk-go/server"

	"github.com/seed21523604/holdfast/bench/internal/load"
)

func main() { load.Main(open) }

type engine struct {
	server  *exec.Cmd
	client  *ingress.Client
	cancel  context.CancelFunc
	signals *load.Signals
}

func open(ctx context.Context, folder string, s *load.Signals) (load.Engine, error) {
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	e := &engine{signals: s, client: ingress.NewClient("http://127.0.0.1:" + ports[0])}
	if err := e.startServer(folder, ports); err != nil {
		return nil, err
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	service := server.NewRestate().WithLogger(slog.DiscardHandler, true)
	for w, run := range map[load.Workload]restate.WorkflowHandlerFn[string, string]{
		load.Sequence: sequence, load.FanOut: fanOut, load.Human: e.human, load.Pending: e.pending, load.Timers: e.timers,
	} {
		service.Bind(restate.NewWorkflow(string(w)).
			Handler("run", restate.NewWorkflowHandler(run)).
			Handler("answer", restate.NewWorkflowSharedHandler(answer)))
	}
	go func() { _ = service.Start(background, "127.0.0.1:"+ports[3]) }()
	return e, register(ctx, ports[1], ports[3])
}

// startServer starts the server with its state in a folder.
func (e *engine) startServer(folder string, ports []string) error {
	program := os.Getenv("HOLDFAST_BENCH_RESTATE")
	log, err := os.Create(filepath.Join(folder, "server.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	e.server = exec.Command(program, "--no-logo", "--base-dir", filepath.Join(folder, "state"))
	e.server.Env = append(os.Environ(),
		"RESTATE_INGRESS__BIND_ADDRESS=127.0.0.1:"+ports[0], "RESTATE_ADMIN__BIND_ADDRESS=127.0.0.1:"+ports[1], "RESTATE_BIND_ADDRESS=127.0.0.1:"+ports[2],
		"RESTATE_ADVERTISED_ADDRESS=http://127.0.0.1:"+ports[2], "RESTATE_LISTEN_MODE=tcp", "RESTATE_LOG_FILTER=error", "DO_NOT_TRACK=1", "RESTATE_DISABLE_TELEMETRY=true")
	e.server.Stdout, e.server.Stderr = log, log
	return e.server.Start()
}

// register tells the server where the workloads are, as soon as it listens.
func register(ctx context.Context, admin, service string) error {
	for {
		answer, err := http.Post("http://127.0.0.1:"+admin+"/deployments", "application/json", strings.NewReader(`{"uri":"http://127.0.0.1:`+service+`"}`))
		if err == nil {
			body, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode < 300 {
				return nil
			}
			err = fmt.Errorf("register: %s %s", answer.Status, body)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

func freePorts(n int) (ports []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// Start begins an instance.
func (e *engine) Start(ctx context.Context, w load.Workload, id string) error {
	_, err := ingress.WorkflowSend[string](e.client, string(w), id, "run").Send(ctx, id)
	return err
}

// Raise sends an instance the event that it waits for.
func (e *engine) Raise(ctx context.Context, w load.Workload, id string) error {
	_, err := ingress.Workflow[string, string](e.client, string(w), id, "answer").Request(ctx, "yes")
	return err
}

// Wait returns when an instance has ended well.
func (e *engine) Wait(ctx context.Context, w load.Workload, id string) error {
	_, err := ingress.WorkflowHandle[string](e.client, string(w), id).Attach(ctx)
	return err
}

// Processes are those of the engine beside this one.
func (e *engine) Processes() []int { return []int{e.server.Process.Pid} }

// Close ends the engine.
func (e *engine) Close() error {
	e.cancel()
	err := e.server.Process.Signal(syscall.SIGTERM)
	_ = e.server.Wait() // it ends by the signal
	return err
}

func work(restate.RunContext) (string, error) { return "done", nil }

func sequence(ctx restate.WorkflowContext, _ string) (string, error) {
	for range 3 {
		if _, err := restate.Run(ctx, work); err != nil {
			return "", err
		}
	}
	return "", nil
}

func fanOut(ctx restate.WorkflowContext, _ string) (string, error) {
	var calls []restate.RunAsyncFuture[string]
	for range load.Width {
		calls = append(calls, restate.RunAsync(ctx, work))
	}
	for _, call := range calls {
		if _, err := call.Result(); err != nil {
			return "", err
		}
	}
	return "", nil
}

func (e *engine) human(ctx restate.WorkflowContext, id string) (string, error) {
	if _, err := restate.Run(ctx, work); err != nil {
		return "", err
	}
	reply, deadline := restate.Promise[string](ctx, "answer"), restate.After(ctx, load.Deadline)
	e.signals.Waits(id)
	first, err := restate.WaitFirst(ctx, reply, deadline)
	if err != nil {
		return "", err
	}
	if first != reply {
		return "", restate.TerminalErrorf("nobody answered")
	}
	return reply.Result()
}

func (e *engine) pending(ctx restate.WorkflowContext, id string) (string, error) {
	e.signals.Waits(id)
	return restate.Promise[string](ctx, "answer").Result()
}

func (e *engine) timers(ctx restate.WorkflowContext, id string) (string, error) {
	e.signals.Sleeps(id)
	err := restate.Sleep(ctx, load.Nap)
	e.signals.Wakes(id)
	return "", err
}

func answer(ctx restate.WorkflowSharedContext, text string) (string, error) {
	return "", restate.Promise[string](ctx, "answer").Resolve(text)
}
