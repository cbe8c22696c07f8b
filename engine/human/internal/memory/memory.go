// Package memory asks instances of orchestrations that remember something. The
// first who asks begins one, and it ends when it has nothing left to remember.
package memory

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

// Memory is an orchestration, and the input with which it remembers nothing.
type Memory struct {
	Client        *client.Client
	Orchestration string
	Empty         any
}

// Ask raises an event of an instance, which is begun if it is not there or has ended. An
// activity does not wait for the answer when its worker is being stopped, which makes no
// turns then: it returns engine.ErrStopping, and whoever asks again with the same key is
// told.
func (m Memory) Ask(ctx context.Context, id, event string, p client.Payload) (client.Answer, error) {
	ctx, cancel := engine.UntilStop(ctx)
	defer cancel()
	answer, err := m.ask(ctx, id, event, p)
	if context.Cause(ctx) == engine.ErrStopping && (err != nil || answer.Outcome == "") {
		return client.Answer{}, fmt.Errorf("ask the instance %s: %w", id, engine.ErrStopping)
	}
	return answer, err
}

func (m Memory) ask(ctx context.Context, id, event string, p client.Payload) (client.Answer, error) {
	const tries = 4 // it may end between two of them
	for range tries {
		answer, err := m.Client.Ask(ctx, id, event, p)
		switch {
		case errors.Is(err, client.ErrNotFound) || err == nil && isOver(answer):
			if _, err := m.Client.Start(ctx, m.Orchestration, id, m.Empty); err != nil && !errors.Is(err, client.ErrExists) {
				return client.Answer{}, fmt.Errorf("begin the instance %s: %w", id, err)
			}
		case err != nil:
			return client.Answer{}, fmt.Errorf("ask the instance %s: %w", id, err)
		default:
			return answer, nil
		}
	}
	return client.Answer{}, fmt.Errorf("the instance %s ended again and again", id)
}

// isOver reports whether an instance has ended, and had not heard this before.
func isOver(a client.Answer) bool {
	return a.Instance.Status.IsTerminal() && a.Outcome != history.Taken && a.Outcome != history.Rejected
}
