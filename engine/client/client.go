// Package client starts orchestrations and acts on them from outside: raise an
// event, read the status, wait, suspend, resume, terminate, restart, purge.
//
// It works on a store.Instances. Given that of a dispatch.Worker, a start makes
// its first turn and an event is taken within the call; given a bare store, they
// are left for a worker to find, and the instance's status follows when it does.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// The errors that callers distinguish, besides history.ErrBadID.
var (
	// ErrNotFound is returned for an instance that does not exist.
	ErrNotFound = store.ErrNotFound
	// ErrExists is returned by Start and Restart when the id belongs to an
	// instance that has not ended.
	ErrExists = store.ErrExists
	// ErrFinished is returned for an instance that has ended.
	ErrFinished = store.ErrFinished
	// ErrActive is returned by Purge for an instance that has not ended.
	ErrActive = store.ErrActive
	// ErrTooLarge is returned for an input, a payload or a reason that is
	// larger than history.MaxPayload, or history.MaxText.
	ErrTooLarge = store.ErrTooLarge
	// ErrBadPage is returned by List for a place to go on that is none.
	ErrBadPage = store.ErrBadPage
	// ErrBadPayload is returned for an event's payload that is not JSON.
	ErrBadPayload = errors.New("the payload is not JSON")
	// ErrBadName is returned for an event whose name looks like the payload
	// of a secret one.
	ErrBadName = errors.New("this is not the name of an event, but looks like its payload")
	// ErrKeyReused is returned by Raise for an idempotency key with which
	// another event came before.
	ErrKeyReused = errors.New("another event came with the same idempotency key")
	// ErrTooMany is returned for an event to an instance that has had too
	// many of them, or for which too many wait.
	ErrTooMany = store.ErrTooMany
	// ErrMediaType is returned for an event's payload that its sender does
	// not call JSON.
	ErrMediaType = errors.New("the payload's media type is not application/json")
	// ErrSuspended is returned by Suspend for a suspended instance.
	ErrSuspended = errors.New("the instance is suspended already")
	// ErrNotFailed is returned by Rewind for an instance that has not failed.
	ErrNotFailed = errors.New("only an instance that has failed can be rewound")
	// ErrNotSuspended is returned by Resume for an instance that is not
	// suspended.
	ErrNotSuspended = errors.New("the instance is not suspended")
	// ErrBadTags is returned by Start for tags or a version that cannot be
	// kept.
	ErrBadTags = errors.New("these tags cannot be kept")
	// ErrNoSeal is returned by Raise for a secret event when the client was
	// given no way to seal it.
	ErrNoSeal = errors.New("this event's payload is secret, and there is no key to seal it with")
)

// Options changes how a client works. The zero value works, except for secret
// events.
type Options struct {
	// Secret returns the events of an orchestration whose payloads are
	// secret, as a Registry's SecretEvents does; nil says there are none.
	Secret func(orchestration string) []string
	// Seal turns the payload of a secret event, as it was sent, into what
	// may be written down: JSON from which the payload cannot be found.
	Seal func(instance, event string, payload []byte) (json.RawMessage, error)
	// Suspect reports whether a payload, or a name, looks like a secret. It
	// is asked about events that an instance with secret events does not know
	// as such: somebody may have got the name wrong, and the payload is no
	// less secret for it. nil suspects nothing.
	Suspect func(payload []byte) bool
	// Version is that of the instances that are started, unless a start says
	// another.
	Version string
	// MaxUnmatched is how many events an instance keeps that nobody has ever
	// waited for by their name; MaxEvents how many a run may have in all, and
	// MaxEventBytes how large they may be together. Zero is no limit.
	MaxUnmatched, MaxEvents int
	MaxEventBytes           int64
	// BeforePurge is called with the row of an instance that has ended, before it is purged
	// or a start comes in its place. With an error it stays, and that is what the purge or
	// the start returns. PurgeMany gives rows without their payloads. nil is nothing to be
	// done before.
	BeforePurge func(ctx context.Context, in store.Instance) error
	// Now is the clock; the store's, if it is a store.Clock, or time.Now.
	Now func() time.Time
	// Tracer follows what is sent; nil leaves it out of every trace.
	Tracer Tracer
}

// Tracer lets messages take part in distributed traces. Package telemetry has
// one.
type Tracer interface {
	// Send is called before a start, an event or a rewinding is sent to an
	// instance, and gives the message its Trace. What it returns is called with the
	// outcome.
	Send(ctx context.Context, instance string, message *history.Event) (sent func(error))
}

// untraced gives messages no trace.
type untraced struct{}

func (untraced) Send(context.Context, string, *history.Event) func(error) { return func(error) {} }

// Client acts on the instances of one store. Its methods may be called
// concurrently.
type Client struct {
	instances store.Instances
	o         Options
	guard     func(store.Instance) error // nil allows everything
}

// New returns a client of the instances.
func New(instances store.Instances, o Options) *Client {
	if o.Secret == nil {
		o.Secret = func(string) []string { return nil }
	}
	if o.Suspect == nil {
		o.Suspect = func([]byte) bool { return false }
	}
	if o.Tracer == nil {
		o.Tracer = untraced{}
	}
	if o.Now == nil {
		o.Now = store.ClockOf(instances)
	}
	return &Client{instances: instances, o: o}
}

// Guarded returns a client that acts on an instance only if the guard, which is
// shown its row, returns nil; else its methods return the guard's error. Start
// and List, which are about no one instance, are not guarded, nor is History.
func (c *Client) Guarded(guard func(store.Instance) error) *Client {
	guarded := *c
	guarded.guard = guard
	return &guarded
}

// TerminateOption changes how an instance is terminated.
type TerminateOption func(*history.Event)

// Recursively terminates with an instance the sub-orchestrations that it called
// and that have not ended, and theirs; but not those that an execution called
// before it continued as new, and not what was begun for nobody to wait for.
func Recursively() TerminateOption {
	return func(e *history.Event) { e.Recurse = true }
}

// Terminate ends a running instance with the reason as its output. What it
// called goes on, unless it is terminated [Recursively].
func (c *Client) Terminate(ctx context.Context, id, reason string, options ...TerminateOption) error {
	message := c.message(history.ExecutionTerminated)
	for _, option := range options {
		option(&message)
	}
	return c.signal(ctx, "terminate", id, message, reason, nil)
}

// Suspend lets an instance rest: what reaches it is recorded, its code does not
// run. It returns ErrSuspended for one that rests already.
func (c *Client) Suspend(ctx context.Context, id, reason string) error {
	return c.signal(ctx, "suspend", id, c.message(history.ExecutionSuspended), reason, func(s history.Status) error {
		if s == history.Suspended {
			return ErrSuspended
		}
		return nil
	})
}

// Resume lets a suspended instance go on with what came meanwhile, and one that is
// parked with a store.Fault try again. It returns ErrNotSuspended for one that is
// not suspended.
func (c *Client) Resume(ctx context.Context, id, reason string) error {
	if in, err := c.living(ctx, id); err == nil && in.Fault != nil {
		return c.instances.Mend(ctx, id)
	}
	return c.signal(ctx, "resume", id, c.message(history.ExecutionResumed), reason, func(s history.Status) error {
		if s != history.Suspended {
			return ErrNotSuspended
		}
		return nil
	})
}

// Rewind lets an instance that failed go on from where it went wrong: the calls
// whose failures the code did not go on from are made again, as are the
// sub-orchestrations that failed, and the rest stays as it is. After a change of
// the code it is the way to mend instances that failed for its mistakes. It
// returns ErrNotFound or ErrNotFailed.
func (c *Client) Rewind(ctx context.Context, id, reason string) error {
	in, err := c.Get(ctx, id)
	if err == nil && in.Status != history.Failed {
		err = fmt.Errorf("instance %s is %v: %w", id, in.Status, ErrNotFailed)
	}
	message := c.message(history.ExecutionRewound)
	message.Reason, message.Execution = reason, NewID()
	if err == nil {
		err = message.CheckSize()
	}
	if err == nil {
		err = c.send(ctx, id, message)
	}
	if err != nil {
		return fmt.Errorf("rewind: %w", err)
	}
	return nil
}

// send sends a message that takes part in traces.
func (c *Client) send(ctx context.Context, id string, message history.Event) error {
	sent := c.o.Tracer.Send(ctx, id, &message)
	err := c.instances.Send(ctx, id, message)
	sent(err)
	return err
}

// signal sends a message that acts on the instance as a whole.
func (c *Client) signal(ctx context.Context, verb, id string, message history.Event, reason string, check func(history.Status) error) error {
	in, err := c.living(ctx, id)
	if err == nil && check != nil {
		err = check(in.Status)
	}
	if err == nil {
		message.Reason = reason
		err = message.CheckSize()
		if err == nil {
			err = c.instances.Send(ctx, id, message)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}

// living returns the row of an instance that has not ended.
func (c *Client) living(ctx context.Context, id string) (store.Instance, error) {
	in, err := c.Get(ctx, id)
	if err == nil && in.Status.IsTerminal() {
		err = fmt.Errorf("instance %s: %w", id, ErrFinished)
	}
	return in, err
}

// RevokeLinks makes void all links to an instance that were handed out, also
// after its end; ErrNotFound.
func (c *Client) RevokeLinks(ctx context.Context, id string) error {
	return c.instances.Revoke(ctx, id)
}

// Get returns where an instance stands; ErrNotFound.
func (c *Client) Get(ctx context.Context, id string) (store.Instance, error) {
	in, err := c.instances.Get(ctx, id)
	if err == nil && c.guard != nil {
		if err := c.guard(in); err != nil {
			return store.Instance{}, err
		}
	}
	return in, err
}

// History returns an instance's history; ErrNotFound.
func (c *Client) History(ctx context.Context, id string) ([]history.Event, error) {
	return c.instances.History(ctx, id)
}

// maxLooks is how often an instance is read that moves on meanwhile.
const maxLooks = 3

// Look returns where an instance stands and the history that led there;
// ErrNotFound. The history of an instance that moves faster than it can be read
// may be ahead of the rest, and there is none of one that cannot be understood.
func (c *Client) Look(ctx context.Context, id string) (store.Instance, []history.Event, error) {
	for n := 1; ; n++ {
		in, err := c.Get(ctx, id)
		if err != nil {
			return store.Instance{}, nil, err
		}
		past, err := c.History(ctx, id)
		if errors.Is(err, store.ErrCorrupt) {
			return in, nil, nil
		}
		if err != nil || len(past) == in.Events || n == maxLooks {
			return in, past, err
		}
	}
}

// Now is the time by the client's clock.
func (c *Client) Now() time.Time { return c.o.Now() }

// Wait returns the instance as soon as it has ended; ErrNotFound, or the
// context's error. Where the store can tell of changes, nothing is polled.
func (c *Client) Wait(ctx context.Context, id string) (store.Instance, error) {
	return c.WaitFor(ctx, id, func(in store.Instance) bool { return in.Status.IsTerminal() })
}

// pollInterval is how often an instance is read that nobody tells of, or that
// other processes may change.
const pollInterval = time.Second

// WaitFor returns the instance as soon as enough says so of it.
func (c *Client) WaitFor(ctx context.Context, id string, enough func(store.Instance) bool) (store.Instance, error) {
	for {
		changed, done := c.Watch(id)
		in, err := c.Get(ctx, id)
		if err != nil || enough(in) {
			done()
			return in, err
		}
		err = c.next(ctx, changed)
		done()
		if err != nil {
			return in, err
		}
	}
}

// next waits for a change; where nobody may tell of one, for a while.
func (c *Client) next(ctx context.Context, changed <-chan struct{}) error {
	var tick <-chan time.Time
	if changed == nil || store.IsShared(c.instances) {
		timer := time.NewTimer(pollInterval)
		defer timer.Stop()
		tick = timer.C
	}
	select {
	case <-changed:
		return nil
	case <-tick:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Watch returns a channel that closes at the instance's next change, as far as
// anybody tells of it here, and a function to be called when that is no longer of
// interest. The channel is nil where nobody tells of changes.
func (c *Client) Watch(id string) (<-chan struct{}, func()) {
	if w, ok := c.instances.(store.Watcher); ok {
		return w.Watch(id)
	}
	return nil, func() {}
}

// Each calls f with the id of every instance that changes, as far as anybody tells
// of it here, until done is called. f must return at once and may not use the
// client.
func (c *Client) Each(f func(id string)) (done func()) {
	if t, ok := c.instances.(store.Teller); ok {
		return t.Each(f)
	}
	return func() {}
}

// HearsAll reports whether Watch and Each tell of every change, whoever makes it.
func (c *Client) HearsAll() bool {
	_, tells := c.instances.(store.Teller)
	changed, done := c.Watch("")
	done()
	return tells && changed != nil && !store.IsShared(c.instances)
}

// message returns a new message of the kind. Ids sort by the time they were
// made.
func (c *Client) message(kind history.Kind) history.Event {
	return history.Event{Kind: kind, ID: history.Outside, Time: c.o.Now().UTC().Round(0), Message: newID(uuid.Must(uuid.NewV7()))}
}

// NewID returns an id that nobody can guess, for an instance or a run.
func NewID() string { return newID(uuid.New()) }

// newID writes a UUID as Durable Functions writes its instance ids: 32
// hexadecimal digits.
func newID(u uuid.UUID) string { return strings.ReplaceAll(u.String(), "-", "") }
