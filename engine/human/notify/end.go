package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Watched is the orchestration that runs another as its sub-orchestration and tells
// how that ended. So its end is known in whatever way it comes: also when it fails
// for what its own code could do nothing about, or is terminated.
const Watched engine.Orchestrator[Watch, Told] = "Notified"

// Watch is the input of Watched.
type Watch struct {
	Orchestration string          `json:"orchestration"`
	Instance      string          `json:"instance"`
	Input         json.RawMessage `json:"input"`
	Targets       []Target        `json:"targets"`
}

// Ended is what is told of the end of an instance.
type Ended struct {
	Type          string          `json:"type"` // instance.ended
	Instance      string          `json:"instanceId"`
	Orchestration string          `json:"orchestration"`
	Status        string          `json:"runtimeStatus"`
	Output        json.RawMessage `json:"output,omitempty"`
	At            time.Time       `json:"at"`
}

// Told is the result of Watched.
type Told struct {
	Ended Ended `json:"ended"`
	// Lost are the targets that could not be told.
	Lost []Target `json:"lost,omitempty"`
}

// watch runs the orchestration and tells how it ended.
func watch(ctx *engine.Context, w Watch) (Told, error) {
	name := engine.Orchestrator[json.RawMessage, json.RawMessage](w.Orchestration)
	output, err := engine.CallSubOrchestrator(ctx, name, w.Input, engine.InstanceID(w.Instance)).Await()
	if errors.Is(err, engine.ErrIDTaken) {
		return Told{}, err
	}
	told := Told{Ended: Ended{"instance.ended", w.Instance, w.Orchestration, statusOf(err).String(), output, ctx.Now()}}
	m, err := told.Ended.message()
	if err != nil {
		return told, err
	}
	var sent []*engine.Task[struct{}]
	for _, t := range w.Targets {
		sent = append(sent, Send(ctx, t, m))
	}
	for i, t := range sent {
		if _, err := t.Await(); err != nil {
			ctx.Logger().Error("an end could not be told", "channel", w.Targets[i].Channel, "kind", engine.KindOf(err))
			told.Lost = append(told.Lost, w.Targets[i])
		}
	}
	return told, nil
}

// statusOf returns how an instance ended.
func statusOf(err error) history.Status {
	switch {
	case err == nil:
		return history.Completed
	case engine.KindOf(err) == engine.KindTerminated:
		return history.Terminated
	}
	return history.Failed
}

// longestWord is how many characters are told of what a result names.
const longestWord = 100

// message tells of the end. A result that names its outcome, or its status, is told by
// that word.
func (e *Ended) message() (Message, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return Message{}, err
	}
	var result struct{ Outcome, Status string }
	_ = json.Unmarshal(e.Output, &result) // it may be anything
	what := clip(cmp.Or(result.Outcome, result.Status, e.Status), longestWord)
	subject := Clean(fmt.Sprintf("%s: %s", e.Orchestration, what))
	return Message{Subject: subject, Text: Clean(fmt.Sprintf("%s (instance %s)", subject, e.Instance)), Data: data}, nil
}

// ErrNotBegun is returned by Start when an instance was accepted and is not known to
// have begun, as no worker came to it yet, or its row could not be read. It will.
var ErrNotBegun = errors.New("the instance was accepted, and is not known to have begun")

// Start begins an instance whose end will be told to the targets, and returns its
// row as soon as it is there, for which it waits until the context ends; then it
// returns ErrNotBegun. An empty id is one that nobody can guess.
func Start(ctx context.Context, c *client.Client, orchestration, id string, input any, targets []Target) (store.Instance, error) {
	if id == "" {
		id = client.NewID()
	}
	text, err := json.Marshal(input)
	if err != nil {
		return store.Instance{}, fmt.Errorf("start %s: %w", orchestration, err)
	}
	if _, err := c.Start(ctx, string(Watched), id+"-notified", Watch{orchestration, id, text, targets}); err != nil {
		return store.Instance{}, err
	}
	for {
		changed, done := c.Watch(id)
		in, err := c.Get(ctx, id)
		missing := errors.Is(err, client.ErrNotFound)
		if missing {
			err = soon(ctx, changed)
		}
		done()
		switch {
		case err != nil:
			return store.Instance{ID: id}, fmt.Errorf("start %s: %w: %w", orchestration, ErrNotBegun, err)
		case !missing:
			return in, nil
		}
	}
}

// pause is how long it is between two looks for an instance of which nobody tells.
const pause = 50 * time.Millisecond

// soon waits for a change, or a moment.
func soon(ctx context.Context, changed <-chan struct{}) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
