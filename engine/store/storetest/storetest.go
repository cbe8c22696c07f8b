// Package storetest proves that a store keeps Holdfast's promises. An
// implementation passes [Run]; a test that wants storage to go wrong wraps a
// store in [Faulty].
//
// The suite has three parts. The contract is tested call by call, for clients
// and workers and then for whoever keeps the hub. The ten
// promises of the engine are tested by running orchestrations on the
// store, with crashes between any two calls.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Hub is an empty hub for one test.
type Hub struct {
	Store store.Store
	// Crash returns a store on what would be left if the process were killed
	// now. The store before it must not be used any more.
	Crash func() store.Store
	// Precision is how much later than its time a Wake may ring.
	Precision time.Duration
	// MaxInbox is how many messages an inbox holds before events are refused: at
	// least 150.
	MaxInbox int
	// Projected says that a list shows an instance as it was when its status
	// changed last.
	Projected bool
}

// Harness makes hubs whose clock is now, and closes them when the test ends.
type Harness func(t testing.TB, now func() time.Time) Hub

// Run tests the store that the harness makes.
func Run(t *testing.T, h Harness) {
	t.Run("contract", func(t *testing.T) {
		for _, tests := range []map[string]func(*bench){contract, doorbells, faulted} {
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(newBench(t, h))
				})
			}
		}
	})
	t.Run("keeper", func(t *testing.T) {
		for name, test := range keeping {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(newBench(t, h))
			})
		}
	})
	t.Run("promise", func(t *testing.T) {
		// This one counts goroutines, so the others wait for it.
		t.Run("10 waiting costs nothing", func(t *testing.T) { promiseWaiting(newBench(t, h)) })
		for _, tests := range []map[string]func(*bench){promises, relations, rewinds, poisons, retentions} {
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(newBench(t, h))
				})
			}
		}
	})
}

// bench is a hub with a clock that the test moves.
type bench struct {
	*testing.T
	Hub
	harness Harness
	ctx     context.Context

	mu  sync.Mutex
	now time.Time
	n   int

	mended atomic.Bool   // the activity that breaks does not any more
	harmed chan struct{} // told of code that begins and never comes to its end; nil if there is none
}

func newBench(t *testing.T, h Harness) *bench {
	b := &bench{T: t, harness: h, ctx: t.Context(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	b.Hub = h(t, b.clock)
	return b
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// crash goes on with what a killed process leaves.
func (b *bench) crash() { b.Store = b.Crash() }

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) want(err, sentinel error) {
	b.Helper()
	if !errors.Is(err, sentinel) {
		b.Errorf("got error %v, want %v", err, sentinel)
	}
}

// message returns a message with an id of its own.
func (b *bench) message(kind history.Kind, name, payload string) history.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n++
	return history.Event{
		Kind: kind, ID: history.Outside, Time: b.now, Message: fmt.Sprintf("message-%06d", b.n),
		Name: name, Input: json.RawMessage(payload),
	}
}

func (b *bench) start(execution string) history.Event {
	e := b.message(history.ExecutionStarted, "test", `{"n":1}`)
	e.Execution, e.Secret = execution, []string{"Code"}
	return e
}

func (b *bench) create(id string) history.Event {
	b.Helper()
	start := b.start("execution of " + id)
	b.must(b.Store.Create(b.ctx, id, start))
	return start
}

// receive returns the doorbells that ring now.
func (b *bench) receive() []store.Doorbell {
	b.Helper()
	bells, err := b.Store.Receive(b.ctx, 100, 0)
	b.must(err)
	return bells
}

// ring returns the one doorbell that rings now, without its Deaths.
func (b *bench) ring(id string) store.Doorbell {
	b.Helper()
	bells := b.receive()
	if len(bells) != 1 || bells[0].Instance != id {
		b.Fatalf("%v ring, want %s", bells, id)
	}
	bells[0].Deaths = 0
	return bells[0]
}

func (b *bench) silent() {
	b.Helper()
	if bells := b.receive(); len(bells) != 0 {
		b.Errorf("%v ring, want none", bells)
	}
}

func (b *bench) load(id string) store.State {
	b.Helper()
	state, err := b.Store.Load(b.ctx, id, "")
	b.must(err)
	return state
}

// turn returns a turn that consumes the inbox and writes two events.
func (b *bench) turn(state store.State, token string, change func(*store.Instance)) store.Turn {
	in := state.Instance
	in.Status, in.Turn, in.Updated = history.Running, token, b.clock()
	in.Events += 2
	if change != nil {
		change(&in)
	}
	t := store.Turn{Base: state.Instance.Version, Instance: in, Append: []history.Event{
		{Kind: history.OrchestratorStarted, ID: history.Outside, Time: b.clock()},
		{Kind: history.TaskScheduled, ID: int32(in.Events), Time: b.clock(), Name: token},
	}}
	for _, e := range state.Inbox {
		t.Consumed = append(t.Consumed, e.Message)
	}
	return t
}

// commit commits a turn and returns the new version.
func (b *bench) commit(t store.Turn) store.Version {
	b.Helper()
	v, err := b.Store.Commit(b.ctx, t)
	b.must(err)
	return v
}

// refused commits a turn that must be a conflict.
func (b *bench) refused(t store.Turn) {
	b.Helper()
	_, err := b.Store.Commit(b.ctx, t)
	b.want(err, store.ErrConflict)
}

// held is the doorbell of a turn with work in hand.
func held(t store.Turn) store.Doorbell {
	return store.Doorbell{Instance: t.Instance.ID, Receipt: t.Instance.Turn, TakeOver: true}
}

func (b *bench) equal(what string, got, want any) {
	b.Helper()
	if !reflect.DeepEqual(got, want) {
		b.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}
