package hosttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Options say what is run and how. Root is needed, the zero value of the rest works.
type Options struct {
	// Root is the folder with host.json and the functions' folders.
	Root string
	// Command is run as the handler, with its arguments, instead of what host.json names.
	Command []string
	// Settings are the app's settings. The handler gets them in its environment; names that begin with AzureFunctionsJobHost__ change host.json. The
	// connection of a queue is the name of a setting with a connection string.
	Settings map[string]string
	// Environment is what the handler has besides, such as a PATH; the test's own.
	Environment []string
	// Only are the functions that run here; all. A plan that scales functions by themselves runs each in a machine of its own.
	Only []string
	// Hiding is for how long a message is hidden that was received; ten minutes, which is what the real host has and nobody can change.
	Hiding time.Duration
	// FirstPause is how long a queue is let alone that was found empty for the first time; 100 ms as in the real host.
	FirstPause time.Duration
	// Output receives what the handler prints; nil discards it.
	Output io.Writer
	// Manual looks into no queue and minds no schedule: functions are set off by [Host.Fire] and [Host.Send] only.
	Manual bool
	// Asleep starts no machine before there is a reason: a request, a message that can be seen in a queue, or a schedule. So the platform does with an
	// app that is scaled to zero, which [Host.KillInstance] then does anew.
	Asleep bool
}

// Invocation is one call of a function, as the host saw it end.
type Invocation struct {
	ID, Function string
	// Status is the handler's; 0 if there was no answer.
	Status int
	// Logs are the lines that the handler sent with its answer.
	Logs []string
	// Took is the time between the request and the answer.
	Took time.Duration
	// Err is nil if the invocation has succeeded. That of an HTTP function that is proxied has, whatever its status.
	Err error
}

// Host runs one handler. Its methods may be called concurrently.
type Host struct {
	o         Options
	config    *config
	functions []*function
	listener  net.Listener
	server    *http.Server
	keys      map[string]string
	listeners []*listener
	ctx       context.Context // ends with the host
	end       context.CancelFunc
	work      sync.WaitGroup // of the platform

	starts      sync.Mutex // held while a machine is started
	mu          sync.Mutex
	missed      map[*function]bool // timers that were due while there was no machine
	instance    *instance
	invocations []Invocation
	lines       []Line
	changed     chan struct{} // closed when something happened, and replaced
}

// Start starts a host with its handler. It returns when the handler answers, or at once if the host is to be asleep. Close it in the end.
func Start(ctx context.Context, o Options) (*Host, error) {
	if o.Hiding == 0 {
		o.Hiding = 10 * time.Minute
	}
	if o.FirstPause == 0 {
		o.FirstPause = 100 * time.Millisecond
	}
	h := &Host{o: o, changed: make(chan struct{}), missed: map[*function]bool{}, keys: map[string]string{"function": rand.Text(), "admin": rand.Text()}}
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return nil, fmt.Errorf("find the app's folder: %w", err)
	}
	h.o.Root = root
	if h.config, err = readConfig(root, o.Settings); err != nil {
		return nil, err
	}
	if h.functions, err = readFunctions(root, h.config, o.Settings, o.Only); err != nil {
		return nil, err
	}
	if h.listeners, err = h.openQueues(ctx); err != nil {
		return nil, err
	}
	if h.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("listen for callers: %w", err)
	}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.server.Serve(h.listener) }()
	h.ctx, h.end = context.WithCancel(context.Background())
	if !o.Asleep {
		if err := h.StartInstance(ctx); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	h.platform()
	return h, nil
}

// New starts a host for the length of a test, which fails if it cannot.
func New(t testing.TB, o Options) *Host {
	t.Helper()
	h, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// Close kills the handler and stops the host.
func (h *Host) Close() error {
	h.end()
	h.KillInstance()
	h.work.Wait()
	h.KillInstance() // one that was just being started
	return h.server.Close()
}

// URL is where callers of the app reach it, without a slash at the end.
func (h *Host) URL() string { return "http://" + h.listener.Addr().String() }

// FunctionKey opens the functions that ask for a key, in the header x-functions-key or as code in the query.
func (h *Host) FunctionKey() string { return h.keys["function"] }

// MasterKey opens everything, and /admin.
func (h *Host) MasterKey() string { return h.keys["admin"] }

// StartInstance starts a machine with a host and a handler on it, unless there is one, and returns when the handler answers. Timers that were due
// meanwhile are set off, late.
func (h *Host) StartInstance(ctx context.Context) error {
	h.starts.Lock()
	defer h.starts.Unlock()
	if i := h.current(); i != nil && i.ctx.Err() == nil {
		return nil
	}
	i := newInstance(h)
	h.mu.Lock()
	h.instance = i
	h.mu.Unlock()
	if _, err := i.handler(ctx); err != nil {
		if h.Err() == nil { // nobody waits for it any more
			i.die()
		}
		return err
	}
	for _, l := range h.listeners {
		i.run(func() { l.run(i) })
	}
	h.makeUp(i)
	return nil
}

// KillInstance kills the handler and the host on its machine at once. Nobody hears of invocations that run, and messages that were received stay hidden.
func (h *Host) KillInstance() {
	if i := h.current(); i != nil {
		i.die()
	}
}

// KillHandler kills the handler with SIGKILL. The host sees what ran in it fail, counts an error and starts it again.
func (h *Host) KillHandler() {
	if i := h.current(); i != nil {
		i.killHandler()
	}
}

// StopHandler asks the handler to end, by SIGTERM, and waits until it has. Azure does not do that, but docker stop, Kubernetes and Ctrl-C do,
// with the host beside it; here the host stays and sees with which code the handler ended.
func (h *Host) StopHandler() error {
	p := h.current().running()
	if p == nil {
		return errNotReady
	}
	err := p.command.Process.Signal(syscall.SIGTERM)
	if err == nil {
		<-p.ended
	}
	return err
}

// PID is the number of the handler's process, for those who measure it; 0 if there is none.
func (h *Host) PID() int {
	if p := h.current().running(); p != nil {
		return p.command.Process.Pid
	}
	return 0
}

// machine returns the machine that there is, or starts one if the host may be asleep.
func (h *Host) machine(ctx context.Context) (*instance, error) {
	if h.o.Asleep {
		if err := h.StartInstance(ctx); err != nil {
			return nil, err
		}
	}
	return h.current(), nil
}

func (h *Host) current() *instance {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.instance
}

// Ready waits until the handler answers, and returns an error if the host has given up starting it.
func (h *Host) Ready(ctx context.Context) error {
	i, err := h.machine(ctx)
	if err != nil {
		return err
	}
	_, err = i.handler(ctx)
	return err
}

// Err returns why the host has given up, or nil.
func (h *Host) Err() error {
	i := h.current()
	if i == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.gaveUp
}

// Invocations returns those that have ended, in the order of their ends.
func (h *Host) Invocations() []Invocation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.invocations)
}

// Wait returns the first invocation that is as wanted, as soon as there is one.
func (h *Host) Wait(ctx context.Context, wanted func(Invocation) bool) (Invocation, error) {
	return first(ctx, h, &h.invocations, wanted)
}

// WaitLine returns the first line printed by the handler that is as wanted, as soon as there is one.
func (h *Host) WaitLine(ctx context.Context, wanted func(Line) bool) (Line, error) {
	return first(ctx, h, &h.lines, wanted)
}

// first waits for one of those that are kept in a list.
func first[T any](ctx context.Context, h *Host, list *[]T, wanted func(T) bool) (T, error) {
	for seen := 0; ; {
		h.mu.Lock()
		all, changed := *list, h.changed
		h.mu.Unlock()
		for ; seen < len(all); seen++ {
			if wanted(all[seen]) {
				return all[seen], nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			var none T
			return none, fmt.Errorf("wait for what the host is to see: %w", ctx.Err())
		}
	}
}

// note keeps an invocation that has ended.
func (h *Host) note(i Invocation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.invocations = append(h.invocations, i)
	h.tell()
}

// tell wakes those who wait. h.mu is held.
func (h *Host) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// errNoFunction is returned for a function that is not there.
var errNoFunction = errors.New("there is no such function")

// named finds a function.
func (h *Host) named(name string) (*function, error) {
	i := slices.IndexFunc(h.functions, func(f *function) bool { return f.name == name })
	if i < 0 {
		return nil, fmt.Errorf("%s: %w", name, errNoFunction)
	}
	return h.functions[i], nil
}

// Fire sets a timer's function off and waits for its end.
func (h *Host) Fire(ctx context.Context, name string, pastDue bool) (Invocation, error) {
	f, err := h.named(name)
	if err != nil {
		return Invocation{}, err
	}
	i, err := h.machine(ctx)
	if err != nil {
		return Invocation{}, err
	}
	return i.fire(ctx, f, pastDue), nil
}

// Send invokes a queue's function with a message that is in no queue, as POST /admin/functions/<name> does.
func (h *Host) Send(ctx context.Context, name, message string) (Invocation, error) {
	f, err := h.named(name)
	if err != nil {
		return Invocation{}, err
	}
	i, err := h.machine(ctx)
	if err != nil {
		return Invocation{}, err
	}
	return i.invoke(ctx, f, newEnvelope(f, messageData(f, message), nil)), nil
}
