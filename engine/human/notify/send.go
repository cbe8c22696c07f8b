package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human"
)

// Message is what somebody is told.
type Message struct {
	// ID is the same when the message is sent again; Send sets it.
	ID string `json:"id,omitempty"`
	// Subject is a line for channels that have one, and Text is for people.
	Subject string `json:"subject"`
	Text    string `json:"text"`
	// Data is for programs; it may be empty.
	Data json.RawMessage `json:"data,omitempty"`
}

// Channel carries messages. Its errors have kinds as those of a human.Messenger.
// It may be used concurrently.
type Channel interface {
	Send(ctx context.Context, to string, m Message) error
}

// Way is a channel, and what is declared of it.
type Way struct {
	Channel Channel
	// Repeats says that a message is sent again when nobody can tell whether it
	// was sent. It may then come twice, with the same ID.
	Repeats bool
}

// Target is where a message goes.
type Target struct {
	// Channel is the name of a way.
	Channel string `json:"channel"`
	// To is a number, an address or a name, as the channel takes it; it may be
	// empty.
	To string `json:"to,omitempty"`
	// Repeats is that of the way when the target was written down.
	Repeats bool `json:"repeats,omitempty"`
}

// ErrTarget is returned by ParseTargets.
var ErrTarget = errors.New("targets are written as webhook,mail=ops@example.com,sms=+447700900123")

// ParseTargets reads a list of targets, whose channels must be among the ways.
func ParseTargets(text string, ways map[string]Way) (targets []Target, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if text == "" {
			break
		}
		name, to, _ := strings.Cut(part, "=")
		way, ok := ways[name]
		if !ok {
			return nil, fmt.Errorf("read %q: there is no channel %q, or it is not set up: %w", part, name, ErrTarget)
		}
		targets = append(targets, Target{name, to, way.Repeats})
	}
	return targets, nil
}

// Notify is the activity that sends a message. It never runs twice for one call.
const Notify engine.Activity[Notice, struct{}] = "Notify"

// Notice is the input of Notify.
type Notice struct {
	Target  Target  `json:"target"`
	Message Message `json:"message"`
}

// Add registers the activity and the orchestration that tells of others.
func Add(r *engine.Registry, ways map[string]Way) {
	engine.AddActivity(r, Notify, func(ctx context.Context, n Notice) (struct{}, error) {
		way, ok := ways[n.Target.Channel]
		if !ok {
			return struct{}{}, human.NewError(human.KindMisconfigured, fmt.Sprintf("there is no channel %q any more", n.Target.Channel))
		}
		return struct{}{}, way.Channel.Send(ctx, n.Target.To, n.Message)
	}, engine.AtMostOnce())
	engine.AddOrchestrator(r, Watched, watch)
}

// patience is how a message is sent again that could not be: eight times in two
// hours.
var patience = engine.RetryPolicy{MaxAttempts: 8, InitialRetryInterval: 10 * time.Second, BackoffCoefficient: 3, MaxRetryInterval: time.Hour}

// Send sends a message.
func Send(ctx *engine.Context, t Target, m Message) *engine.Task[struct{}] {
	m.ID = ctx.NewGUID()
	policy := patience
	policy.Handle = func(err error) bool { return worthAnother(err, t.Repeats) }
	return engine.CallActivity(ctx, Notify, Notice{t, m}, policy)
}

// worthAnother reports whether a message is sent again that failed like this.
func worthAnother(err error, repeats bool) bool {
	switch engine.KindOf(err) {
	case human.KindUnavailable:
		return true
	case human.KindUndeliverable, human.KindMisconfigured:
		return false
	}
	return repeats
}

// Texts is the channel of text messages. They are cut to a number of segments.
type Texts struct {
	Messenger human.Messenger
	// Segments is how many a message has at most; 3.
	Segments int
}

// Send sends the text of the message.
func (t Texts) Send(ctx context.Context, to string, m Message) error {
	most := t.Segments
	if most == 0 {
		most = 3
	}
	return t.Messenger.Send(ctx, to, cut(m.Text, most))
}

// cut returns as much of a text as fits into so many segments.
func cut(text string, segments int) string {
	if human.Segments(text) <= segments {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes)
	for low < high {
		mid := (low + high + 1) / 2
		if human.Segments(string(runes[:mid])+"...") <= segments {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return string(runes[:low]) + "..."
}
