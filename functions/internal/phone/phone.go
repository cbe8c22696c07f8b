// Package phone is the simulated phone of a local run: it takes the text messages that would go out through Twilio and
// shows them in a web page, so that everything can be tried without an account.
//
// Messages are kept in memory only and never written anywhere, because their bodies carry codes. Whoever can reach the
// page can read them; mount it in local runs only.
package phone

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// From is the number that simulated messages come from. It is the one Twilio reserves for tests that succeed, so nobody
// mistakes it for a real sender.
const From = "+15005550006"

// Kept is how many messages a Phone keeps; the oldest go first.
const Kept = 1000

// Message is a message that the phone got.
type Message struct {
	To     string    `json:"to"`
	From   string    `json:"from"`
	Body   string    `json:"body"`
	SentAt time.Time `json:"sentAt"` // UTC
}

// Phone keeps the messages sent to any number. It is safe for concurrent use.
type Phone struct {
	now func() time.Time

	mu       sync.Mutex
	messages []Message // the oldest first; at most Kept
}

// New returns a Phone without messages that takes the time from now.
func New(now func() time.Time) *Phone { return &Phone{now: now} }

// Send keeps a message for any number. The only error is that of a context that has ended.
func (p *Phone) Send(ctx context.Context, to, body string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.messages) == Kept {
		p.messages = p.messages[:copy(p.messages, p.messages[1:])]
	}
	p.messages = append(p.messages, Message{To: to, From: From, Body: body, SentAt: p.now().UTC()})
	return nil
}

// inbox returns the messages to one number, or all when to is empty; the oldest first.
func (p *Phone) inbox(to string) []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := []Message{}
	for _, m := range p.messages {
		if to == "" || m.To == to {
			found = append(found, m)
		}
	}
	return found
}
