// Package load runs the same workloads on different workflow engines. Each
// engine is a program of its own that calls [Main]; it is told on standard input
// what to do, and writes on standard output what was measured.
package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Workload says what an instance does.
type Workload string

// The workloads.
const (
	Sequence Workload = "sequence3" // three activities, one after the other
	FanOut   Workload = "fanout100" // a hundred activities at once
	Human    Workload = "human"     // an activity, then an event raced with a timer of an hour
	Pending  Workload = "pending"   // many instances that wait for an event, all raised at the end
	Timers   Workload = "timers"    // a timer of two seconds
)

// The sizes of the workloads.
const (
	Width    = 100
	Deadline = time.Hour
	Nap      = 2 * time.Second
)

// Engine is a product on which the workloads are orchestrations.
type Engine interface {
	// Start begins an instance and returns when that is durable.
	Start(ctx context.Context, w Workload, id string) error
	// Raise sends the event that an instance waits for.
	Raise(ctx context.Context, w Workload, id string) error
	// Wait returns when the instance has ended, and an error if not well.
	Wait(ctx context.Context, w Workload, id string) error
	// Processes are the servers that the engine started besides this process.
	Processes() []int
	Close() error
}

// Open opens an engine that keeps its state in a folder. Its orchestrations give
// the signals.
type Open func(ctx context.Context, folder string, s *Signals) (Engine, error)

// Task is what a program is to do.
type Task struct {
	Workload  Workload
	Parallel  int           // callers at a time
	Duration  time.Duration // of the measurement, except of Pending and Timers
	Instances int           // of Pending and Timers
	Folder    string        // empty, on the disk to be measured
}

// Main does the task on standard input. It ends the process.
func Main(open Open) {
	if err := serve(open, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(open Open, in io.Reader, out io.Writer) error {
	var t Task
	if err := json.NewDecoder(in).Decode(&t); err != nil {
		return fmt.Errorf("read the task: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	r := &run{Task: t, signals: newSignals()}
	var err error
	if r.engine, err = open(ctx, t.Folder, r.signals); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	sample, err := r.measure(ctx)
	if err = errors.Join(err, r.engine.Close()); err != nil {
		return fmt.Errorf("%s: %w", t.Workload, err)
	}
	return json.NewEncoder(out).Encode(sample)
}

// Signals is how an orchestration tells the caller where it is. That is no part
// of any engine's model, so the first call counts, and what replay repeats is
// ignored.
type Signals struct {
	mu    sync.Mutex
	flows map[string]*signal
}

type signal struct {
	waits       chan struct{}
	once        sync.Once
	slept, woke time.Time
}

func newSignals() *Signals { return &Signals{flows: map[string]*signal{}} }

func (s *Signals) of(id string) *signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flows[id]
	if f == nil {
		f = &signal{waits: make(chan struct{})}
		s.flows[id] = f
	}
	return f
}

func (s *Signals) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flows, id)
}

// Waits says that the instance is about to wait for its event.
func (s *Signals) Waits(id string) {
	f := s.of(id)
	f.once.Do(func() { close(f.waits) })
}

// Sleeps says that the instance is about to create its timer.
func (s *Signals) Sleeps(id string) { s.note(id, func(f *signal) *time.Time { return &f.slept }) }

// Wakes says that the instance's timer has fired.
func (s *Signals) Wakes(id string) { s.note(id, func(f *signal) *time.Time { return &f.woke }) }

func (s *Signals) note(id string, field func(*signal) *time.Time) {
	now := time.Now()
	f := s.of(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := field(f); at.IsZero() {
		*at = now
	}
}
