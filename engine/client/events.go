package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/internal/near"
	"github.com/seed21523604/holdfast/engine/store"
)

// Payload is what an event carries, as it was sent.
type Payload struct {
	// Body is a JSON text; empty stands for null. For a secret event it may
	// be anything.
	Body []byte
	// MediaType is what the sender calls the body; empty for application/json.
	MediaType string
	// Key is an idempotency key, or empty: of the events that come to an
	// execution with the same key, one has an effect, and all get its answer.
	// What is kept of the key is a hash, as the id of the event in the history,
	// for as long as there is one.
	Key string
}

// Raise sends an external event to a running instance, where it is kept until
// somebody waits for it. The payload of an event
// that the orchestration declared secret is sealed before it goes any further,
// and so is one that was sent to the same instance under a name that is nearly
// right, or that looks like a secret. The errors, in the order in which they
// are looked for: ErrNotFound, ErrFinished, ErrBadName, ErrTooMany, ErrMediaType,
// ErrBadPayload, ErrKeyReused.
func (c *Client) Raise(ctx context.Context, id, event string, payload Payload) error {
	err := c.raise(ctx, id, event, payload)
	if err == nil || errors.Is(err, ErrBadName) {
		return err
	}
	return fmt.Errorf("raise %s: %w", c.named(event), err)
}

func (c *Client) raise(ctx context.Context, id, event string, payload Payload) error {
	in, err := c.Get(ctx, id)
	if err != nil {
		return err
	}
	if in.Status.IsTerminal() && payload.Key == "" {
		return fmt.Errorf("instance %s: %w", id, ErrFinished) // before the payload costs anything: guesses come by the million
	}
	message, err := c.event(in, event, payload)
	switch {
	case in.Status.IsTerminal():
		if err != nil {
			return fmt.Errorf("instance %s: %w", id, ErrFinished)
		}
		verdict, known, err := c.recorded(ctx, in, message)
		if err == nil && !known {
			err = fmt.Errorf("instance %s: %w", id, ErrFinished)
		}
		return cmp.Or(err, reused(verdict))
	case err != nil:
		return err
	case payload.Key == "":
		return c.send(ctx, id, message)
	}
	answer, err := c.ask(ctx, id, message)
	return cmp.Or(err, reused(answer.Verdict))
}

// named is what an error calls an event, which may be logged: people put a secret
// where its name belongs.
func (c *Client) named(event string) string {
	if c.o.Suspect([]byte(event)) {
		return "an event"
	}
	return event
}

func reused(v history.Verdict) error {
	if v.Outcome == history.KeyReused {
		return ErrKeyReused
	}
	return nil
}

// Answer is what became of an event for which somebody asked.
type Answer struct {
	// Verdict tells it; without an Outcome it is not known yet.
	history.Verdict
	// Nearest is what is waited for that the event was probably meant for.
	Nearest string
	// Wait is the wait that the event was for, open or the last; nil if there
	// was none. Decision is the payload of the event that ended it, if there
	// was one before this.
	Wait     *history.Wait
	Decision json.RawMessage
	// Instance is the row after the event.
	Instance store.Instance
}

// NameMismatch is the Outcome of an event that nobody waits for, while somebody
// waits for one of nearly the same name. It is given by Ask only.
const NameMismatch history.Outcome = "name-mismatch"

// Ask raises an event that is to be taken at once or not at all, and tells what
// became of it: unlike one that is sent by Raise, it is never kept. It waits for
// the answer until the context ends; then the Outcome is empty, or there is an error
// that wraps the context's if nobody knows whether the event will be recorded, and the
// same event with the same key asks again. It is empty at once for an event with a key
// that came before the instance continued as new: that it was recorded is known
// then, and no more. The errors are those of Raise but for
// ErrFinished and ErrKeyReused, which are outcomes. Nothing is recorded of an
// event that is seen to be refused before a turn is made.
func (c *Client) Ask(ctx context.Context, id, event string, payload Payload) (Answer, error) {
	in, err := c.Get(ctx, id)
	if err != nil {
		return Answer{}, fmt.Errorf("raise %s: %w", c.named(event), err)
	}
	message, err := c.event(in, event, payload)
	if err != nil && !in.Status.IsTerminal() {
		return Answer{}, fmt.Errorf("raise %s: %w", c.named(event), err)
	}
	message.Strict = true
	answer := Answer{Wait: in.External.Wait(event), Instance: in}
	if answer.Verdict = refusal(in, event, payload); answer.Outcome == "" {
		err = c.deliver(ctx, &answer, message)
	} else {
		err = c.lookBack(ctx, &answer, message)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("raise %s: %w", c.named(event), err)
	}
	if answer.Outcome == history.NotWaiting && answer.Wait == nil {
		answer.Nearest = nearest(&answer.Instance.External, event)
	}
	if answer.Nearest != "" {
		answer.Outcome = NameMismatch
	}
	return answer, nil
}

// event makes the message of an event.
func (c *Client) event(in store.Instance, event string, payload Payload) (message history.Event, err error) {
	if len(in.Secret) > 0 && c.o.Suspect([]byte(event)) {
		return message, fmt.Errorf("raise an event: %w", ErrBadName)
	}
	if err := c.room(&in.External, event, len(payload.Body)); err != nil {
		return message, err
	}
	message = c.message(history.EventRaised)
	message.Name = event
	if message.Input, err = c.admit(in, event, payload); err == nil {
		err = message.CheckSize()
	}
	if payload.Key != "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", in.ID, event, payload.Key))
		message.Message = history.KeyedMessage(base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	return message, err
}

// room returns ErrTooMany for an event that is one too many.
func (c *Client) room(x *history.External, event string, size int) error {
	switch {
	case c.o.MaxEvents > 0 && x.Raised >= c.o.MaxEvents,
		c.o.MaxEventBytes > 0 && x.Bytes+int64(size) > c.o.MaxEventBytes,
		c.o.MaxUnmatched > 0 && x.Wait(event) == nil && !x.More && x.Unmatched() >= c.o.MaxUnmatched:
		return ErrTooMany
	}
	return nil
}

// refusal returns why an event will not be taken, as far as can be seen from the
// instance's row; the zero Verdict if it cannot.
func refusal(in store.Instance, event string, payload Payload) history.Verdict {
	wait := in.External.Wait(event)
	switch {
	case wait != nil && wait.Ended != "":
		return history.Verdict{Outcome: wait.Ended}
	case in.Status.IsTerminal():
		return history.Verdict{Outcome: history.Finished}
	case in.Status == history.Suspended:
		return history.Verdict{Outcome: history.NotWaiting, Reason: "the instance is suspended"}
	case wait == nil && !in.External.More && in.Status != history.Pending:
		return history.Verdict{Outcome: history.NotWaiting}
	case wait != nil && wait.Kind != "" && wait.Kind != history.KindSecret && wait.Kind != kindOf(payload.Body):
		return history.Verdict{Outcome: history.WrongType, Reason: history.WrongKind(kindOf(payload.Body), wait.Kind)}
	}
	return history.Verdict{}
}

// kindOf returns the kind of a JSON text by how it begins.
func kindOf(text []byte) string {
	text = bytes.TrimLeft(text, " \t\r\n")
	if len(text) == 0 {
		return "null"
	}
	switch text[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

// deliver brings the event to the instance and waits for what becomes of it.
func (c *Client) deliver(ctx context.Context, answer *Answer, message history.Event) error {
	given, err := c.ask(ctx, answer.Instance.ID, message)
	switch {
	case errors.Is(err, ErrFinished):
		return c.lookAgain(ctx, answer, message)
	case err != nil:
		return err
	case given.Known:
		answer.Verdict, answer.Instance = given.Verdict, given.Instance
		answer.Wait = answer.Instance.External.Wait(message.Name)
	default:
		err = c.learn(ctx, answer, message)
	}
	if err != nil {
		return err
	}
	return c.decision(ctx, answer, message)
}

// ask sends the event and returns what became of it, if that can be told at
// once.
func (c *Client) ask(ctx context.Context, id string, message history.Event) (store.Answer, error) {
	asker, ok := c.instances.(store.Asker)
	if !ok {
		return store.Answer{}, c.send(ctx, id, message)
	}
	sent := c.o.Tracer.Send(ctx, id, &message)
	answer, err := asker.Ask(ctx, id, message)
	sent(err)
	return answer, err
}

// lookAgain answers for an instance that ended a moment ago.
func (c *Client) lookAgain(ctx context.Context, answer *Answer, message history.Event) error {
	in, err := c.Get(ctx, answer.Instance.ID)
	if err != nil {
		return err
	}
	answer.Instance, answer.Wait = in, in.External.Wait(message.Name)
	answer.Verdict = refusal(in, message.Name, Payload{Body: message.Input})
	return c.lookBack(ctx, answer, message)
}

// learn waits until the event is found in the history, or the context ends.
func (c *Client) learn(ctx context.Context, answer *Answer, message history.Event) error {
	var failed error
	var known bool
	in, err := c.WaitFor(ctx, answer.Instance.ID, func(in store.Instance) bool {
		if in.Version == answer.Instance.Version && !history.IsKeyed(message.Message) {
			return false
		}
		answer.Instance = in
		answer.Verdict, known, failed = c.recorded(ctx, in, message)
		return known || failed != nil || in.Status.IsTerminal()
	})
	if ctx.Err() != nil {
		answer.Verdict = history.Verdict{}
		return nil
	}
	if answer.Outcome != "" {
		// The row was read before the history, so it may be that of the turn before.
		if now, gone := c.Get(ctx, in.ID); gone == nil {
			in = now
		}
	}
	answer.Instance, answer.Wait = in, in.External.Wait(message.Name)
	if err = cmp.Or(err, failed); err == nil && !known {
		answer.Outcome = history.Finished // the instance ended before the event had its turn
	}
	return err
}

// lookBack finds out more about an event that was refused: whether it came before
// with the same key, and who came first.
func (c *Client) lookBack(ctx context.Context, answer *Answer, message history.Event) error {
	if history.IsKeyed(message.Message) {
		verdict, known, err := c.recorded(ctx, answer.Instance, message)
		if err != nil {
			return err
		}
		if known && verdict.Outcome != "" {
			answer.Verdict = verdict
		}
	}
	return c.decision(ctx, answer, message)
}

// recorded returns what became of an event that may be in the history. Of one that an
// execution before had, the verdict is not known any more.
func (c *Client) recorded(ctx context.Context, in store.Instance, message history.Event) (v history.Verdict, known bool, err error) {
	events, err := c.instances.History(ctx, in.ID)
	if err != nil {
		return v, false, err
	}
	for _, e := range events {
		if e.Carried != nil && slices.Contains(e.Carried.Seen, message.Message) {
			return v, true, nil
		}
		if e.Message != message.Message {
			continue
		}
		if history.IsKeyed(e.Message) && !bytes.Equal(e.Input, message.Input) {
			return history.Verdict{Outcome: history.KeyReused}, true, nil
		}
		v, known = e.Judged(e.Message)
		return v, known, nil
	}
	return v, false, nil
}

// decision finds the event that ended the wait, if another came first. Of an
// instance that ended because of it, that is the more to the point.
func (c *Client) decision(ctx context.Context, answer *Answer, message history.Event) error {
	wait := answer.Wait
	if answer.Outcome == history.Finished && wait != nil && wait.Ended != "" {
		answer.Verdict = history.Verdict{Outcome: wait.Ended}
	}
	if answer.Outcome != history.AlreadyDecided || wait == nil || wait.By == "" {
		return nil
	}
	events, err := c.instances.History(ctx, answer.Instance.ID)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Message == wait.By && wait.Kind != history.KindSecret {
			answer.Decision = e.Input
		}
	}
	return nil
}

// nearest returns the name of an open wait that a name was probably meant for.
func nearest(x *history.External, event string) string {
	for _, w := range x.Waits {
		if w.Ended == "" && near.To(w.Event, event) {
			return w.Event
		}
	}
	return ""
}

// admit turns a payload into what is written down.
func (c *Client) admit(in store.Instance, event string, payload Payload) (json.RawMessage, error) {
	if c.isSecret(in, event, payload.Body) {
		if c.o.Seal == nil {
			return nil, ErrNoSeal
		}
		return c.o.Seal(in.ID, event, payload.Body)
	}
	if !isJSON(payload.MediaType) {
		return nil, fmt.Errorf("%w but %q", ErrMediaType, payload.MediaType)
	}
	if len(payload.Body) == 0 {
		return json.RawMessage("null"), nil
	}
	var text json.RawMessage
	if err := json.Unmarshal(payload.Body, &text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadPayload, err)
	}
	if err := CheckJSON(text); err != nil {
		return nil, err
	}
	return text, nil
}

// isSecret reports whether a payload must be sealed.
func (c *Client) isSecret(in store.Instance, event string, payload []byte) bool {
	for _, name := range in.Secret {
		if near.To(name, event) {
			return true
		}
	}
	return len(in.Secret) > 0 && c.o.Suspect(payload)
}

func isJSON(mediaType string) bool {
	if mediaType == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(mediaType)
	return err == nil && kind == "application/json"
}
