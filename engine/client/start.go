package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// StartOption changes how an instance is started.
type StartOption func(*startOptions)

type startOptions struct {
	history.Event
	replace []history.Status
}

// AsExecution gives the run that begins an id, which must be unique to it, so
// that the caller knows it. A start that is repeated with the id of the run it
// began has no effect.
func AsExecution(id string) StartOption {
	return func(o *startOptions) { o.Execution = id }
}

// Version gives the instance a version, in place of that of Options.
func Version(version string) StartOption {
	return func(o *startOptions) { o.Version = version }
}

// Tags gives the instance tags, by which people find it. Its sub-orchestrations
// have them too.
func Tags(tags map[string]string) StartOption {
	return func(o *startOptions) { o.Tags = tags }
}

// BeginAt lets the instance wait, Pending, until it is time to begin. Events that
// come before are kept.
func BeginAt(at time.Time) StartOption {
	return func(o *startOptions) { o.FireAt = at.UTC().Round(0) }
}

// Replace says in which statuses an instance of the same id gives way to the new
// one, all in one step: of two who start a singleton at the same time, one gets
// ErrExists. Without it, it gives way when it has ended. One that is replaced
// while it runs is gone without a trace, and what it called runs on; one that
// serves another instance is not replaced while it runs.
func Replace(statuses ...history.Status) StartOption {
	return func(o *startOptions) { o.replace = statuses }
}

// The statuses for [Replace] that Durable Functions has words for.
var (
	// NonRunningStates are those of instances that have ended; the default.
	NonRunningStates = []history.Status{history.Completed, history.Failed, history.Canceled, history.Terminated}
	// AnyState is every status there is.
	AnyState = append(slices.Clone(NonRunningStates), history.Running, history.Pending, history.Suspended, history.ContinuedAsNew)
)

// maxTags is how long the tags of an instance may be in all, as JSON, and its
// version.
const maxTags = 8 << 10

// Start begins an instance of the orchestration with input, which may be
// anything that can be written as JSON. With an empty id it gets one that
// nobody can guess; Start returns it. It returns history.ErrBadID, ErrBadTags,
// or ErrExists when the id belongs to an instance that does not give way. When it
// returns without error the instance is durable and will run.
func (c *Client) Start(ctx context.Context, orchestration, id string, input any, options ...StartOption) (string, error) {
	text, err := json.Marshal(input)
	if err == nil && !utf8.Valid(text) {
		err = fmt.Errorf("%w: it is not valid UTF-8", ErrBadPayload)
	}
	if err != nil {
		return "", fmt.Errorf("start %s: write the input: %w", orchestration, err)
	}
	start := history.Event{Name: orchestration, Input: text, Secret: c.o.Secret(orchestration), Version: c.o.Version}
	return c.start(ctx, id, start, options)
}

// Restart begins the instance's orchestration again with the input and the tags
// it had, under a new id or the same. It gets the version of Options, if there is
// one, as it runs the code of today. Secret are the events that were, and those
// that are now. It returns the id; ErrNotFound, or ErrExists when the same id is
// asked for and the instance does not give way.
func (c *Client) Restart(ctx context.Context, id string, newInstance bool, options ...StartOption) (string, error) {
	in, err := c.Get(ctx, id)
	if err != nil {
		return "", fmt.Errorf("restart: %w", err)
	}
	if newInstance {
		id = ""
	}
	secret := slices.Sorted(slices.Values(slices.Concat(in.Secret, c.o.Secret(in.Name))))
	start := history.Event{
		Name: in.Name, Input: in.Input, Secret: slices.Compact(secret), Tags: in.Tags,
		Version: cmp.Or(c.o.Version, in.CodeVersion),
	}
	return c.start(ctx, id, start, options)
}

// start sends the start of an instance.
func (c *Client) start(ctx context.Context, id string, start history.Event, options []StartOption) (string, error) {
	isNew := id == ""
	if isNew {
		id = NewID()
	}
	message := c.message(history.ExecutionStarted)
	start.Kind, start.ID, start.Time, start.Message = message.Kind, message.ID, message.Time, message.Message
	start.Execution = NewID()
	o := startOptions{Event: start}
	for _, option := range options {
		option(&o)
	}
	err := history.CheckID(id)
	if err == nil {
		err = checkTags(o.Tags, o.Version)
	}
	if err == nil {
		err = o.CheckSize()
	}
	if err == nil && !isNew {
		err = c.makeWay(ctx, id, &o)
	}
	if err == nil {
		sent := c.o.Tracer.Send(ctx, id, &o.Event)
		err = c.instances.Create(ctx, id, o.Event, o.replace...)
		sent(err)
	}
	if err != nil {
		return "", fmt.Errorf("start %s: %w", start.Name, err)
	}
	return id, nil
}

// makeWay calls BeforePurge with an instance that has ended and in whose place the start
// comes.
func (c *Client) makeWay(ctx context.Context, id string, o *startOptions) error {
	if c.o.BeforePurge == nil {
		return nil
	}
	in, err := c.instances.Get(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, store.ErrCorrupt):
		return nil
	case err != nil:
		return err
	case o.Execution == in.Execution, o.Execution == in.First:
		return nil // the start is repeated
	case !in.MayGo(o.replace):
		return ErrExists
	case !in.Status.IsTerminal():
		return nil
	}
	err = c.o.BeforePurge(ctx, in)
	if errors.Is(err, ErrActive) {
		return fmt.Errorf("%w: it was begun anew meanwhile", ErrExists)
	}
	return err
}

func checkTags(tags map[string]string, version string) error {
	size := len(version)
	valid := utf8.ValidString(version)
	for name, value := range tags {
		size += len(name) + len(value)
		valid = valid && name != "" && utf8.ValidString(name) && utf8.ValidString(value)
	}
	switch {
	case !valid:
		return fmt.Errorf("%w: a name is empty, or a text is not valid UTF-8", ErrBadTags)
	case size > maxTags:
		return fmt.Errorf("%w: with the version they have %d bytes, at most %d are allowed", ErrBadTags, size, maxTags)
	default:
		return nil
	}
}
