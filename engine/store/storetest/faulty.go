package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// ErrFault is what a call fails with that a [Faulty] store was told to fail.
var ErrFault = errors.New("a fault on purpose")

// Fault is what happens to a call.
type Fault int

// The ways in which a call goes wrong.
const (
	None   Fault = iota
	Fail         // it has no effect and returns ErrFault
	Lose         // it has its effect and returns ErrFault
	Repeat       // it has its effect, and is made once more; the second answer is returned
)

// Faulty wraps a store and lets calls go wrong. Its methods may be called
// concurrently if the store's may.
type Faulty struct {
	store.Store
	// Choose is asked before every call, with the method's name and the
	// number of calls before it; nil chooses None. It may block, which
	// delays the call.
	Choose func(method string, n int) Fault
	// After is told of every call that came to its end; nil is not.
	After func(method string)

	mu    sync.Mutex
	calls int
}

// Calls returns how many calls were made.
func (f *Faulty) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// do makes the call with the fault that is chosen for it.
func (f *Faulty) do(method string, call func() error) error {
	f.mu.Lock()
	n := f.calls
	f.calls++
	f.mu.Unlock()
	fault := None
	if f.Choose != nil {
		fault = f.Choose(method, n)
	}
	if f.After != nil {
		defer f.After(method)
	}
	switch fault {
	case Fail:
		return ErrFault
	case Lose:
		return errors.Join(call(), ErrFault)
	case Repeat:
		_ = call()
	}
	return call()
}

// Create calls the store's.
func (f *Faulty) Create(ctx context.Context, id string, start history.Event, replace ...history.Status) error {
	return f.do("Create", func() error { return f.Store.Create(ctx, id, start, replace...) })
}

// Revoke calls the store's.
func (f *Faulty) Revoke(ctx context.Context, id string) error {
	return f.do("Revoke", func() error { return f.Store.Revoke(ctx, id) })
}

// Send calls the store's.
func (f *Faulty) Send(ctx context.Context, id string, message history.Event) error {
	return f.do("Send", func() error { return f.Store.Send(ctx, id, message) })
}

// Get calls the store's.
func (f *Faulty) Get(ctx context.Context, id string) (in store.Instance, err error) {
	err = f.do("Get", func() error { in, err = f.Store.Get(ctx, id); return err })
	return in, err
}

// History calls the store's.
func (f *Faulty) History(ctx context.Context, id string) (events []history.Event, err error) {
	err = f.do("History", func() error { events, err = f.Store.History(ctx, id); return err })
	return events, err
}

// List calls the store's.
func (f *Faulty) List(ctx context.Context, q store.Query) (page store.Page, err error) {
	err = f.do("List", func() error { page, err = f.Store.List(ctx, q); return err })
	return page, err
}

// Mend calls the store's.
func (f *Faulty) Mend(ctx context.Context, id string) error {
	return f.do("Mend", func() error { return f.Store.Mend(ctx, id) })
}

// Purge calls the store's.
func (f *Faulty) Purge(ctx context.Context, id string, executions ...string) error {
	return f.do("Purge", func() error { return f.Store.Purge(ctx, id, executions...) })
}

// Receive calls the store's. Doorbells whose answer is lost stay hidden for a
// lease.
func (f *Faulty) Receive(ctx context.Context, most int, wait time.Duration) (bells []store.Doorbell, err error) {
	err = f.do("Receive", func() error { bells, err = f.Store.Receive(ctx, most, wait); return err })
	if errors.Is(err, ErrFault) {
		bells = nil
	}
	return bells, err
}

// Load calls the store's.
func (f *Faulty) Load(ctx context.Context, id string, known store.Version) (state store.State, err error) {
	err = f.do("Load", func() error { state, err = f.Store.Load(ctx, id, known); return err })
	return state, err
}

// Commit calls the store's.
func (f *Faulty) Commit(ctx context.Context, turn store.Turn) (v store.Version, err error) {
	err = f.do("Commit", func() error { v, err = f.Store.Commit(ctx, turn); return err })
	if err != nil {
		return "", err
	}
	return v, nil
}

// Release calls the store's.
func (f *Faulty) Release(ctx context.Context, bell store.Doorbell) error {
	return f.do("Release", func() error { return f.Store.Release(ctx, bell) })
}

// Pass calls the store's.
func (f *Faulty) Pass(ctx context.Context, bell store.Doorbell, after time.Duration) error {
	return f.do("Pass", func() error { return f.Store.Pass(ctx, bell, after) })
}

// Extend calls the store's.
func (f *Faulty) Extend(ctx context.Context, bell store.Doorbell) error {
	return f.do("Extend", func() error { return f.Store.Extend(ctx, bell) })
}
