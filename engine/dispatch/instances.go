package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// instances is a store.Instances that makes turns instead of leaving messages.
type instances struct {
	store.Instances
	w *Worker
}

// Instances returns the store as a client should see it in this process: it
// does a start's first turn, and an event's turn, in the call itself.
func (w *Worker) Instances() store.Instances { return instances{w.store, w} }

// Create begins the instance and makes its first turn.
func (i instances) Create(ctx context.Context, id string, start history.Event, replace ...history.Status) error {
	if i.w.Runs(start.Name, start.Version) != nil {
		return i.Instances.Create(ctx, id, start, replace...)
	}
	err := i.w.deliver(ctx, id, &delivery{message: start, create: true, replace: replace})
	if errors.Is(err, errStopped) {
		return i.Instances.Create(ctx, id, start, replace...)
	}
	return err
}

// Send makes the turn that the message calls for.
func (i instances) Send(ctx context.Context, id string, message history.Event) error {
	err := i.w.deliver(ctx, id, &delivery{message: message})
	if errors.Is(err, errStopped) {
		return i.Instances.Send(ctx, id, message)
	}
	return err
}

// Ask makes the turn that an event calls for, and tells what became of it.
func (i instances) Ask(ctx context.Context, id string, message history.Event) (store.Answer, error) {
	d := &delivery{message: message}
	err := i.w.deliver(ctx, id, d)
	switch {
	case errors.Is(err, errStopped):
		return store.Answer{}, i.Instances.Send(ctx, id, message)
	case err != nil:
		return store.Answer{}, err // d is still others' if the context ended
	}
	return d.answer, nil
}

// Now is the time by the worker's clock.
func (i instances) Now() time.Time { return i.w.o.Now() }

// IsShared passes on whether others work on the storage, too.
func (i instances) IsShared() bool { return store.IsShared(i.Instances) }

// Watch passes on what the store can tell.
func (i instances) Watch(id string) (changed <-chan struct{}, done func()) {
	if watcher, ok := i.Instances.(store.Watcher); ok {
		return watcher.Watch(id)
	}
	return nil, func() {}
}

// Each passes on what the store can tell.
func (i instances) Each(f func(id string)) (done func()) {
	if teller, ok := i.Instances.(store.Teller); ok {
		return teller.Each(f)
	}
	return func() {}
}
