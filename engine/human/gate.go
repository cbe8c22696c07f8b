package human

import (
	"context"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// Gate decides whether a code may be sent. Package limit has one that forgets
// nothing.
type Gate interface {
	// Admit counts a message that is about to be sent, or refuses it. It returns
	// who is to be told how the verification ends. With an error nothing is
	// sent for now; one of kind engine.KindStopping says that another process
	// will have to ask. What comes with the same Key counts once.
	Admit(ctx context.Context, s Sending) (accounts []Account, refused *Refusal, err error)
}

// Sending is a message that is about to be sent.
type Sending struct {
	Key      string // the same when it is asked about again
	Attempt  int    // which attempt with the Key this is, from 1; a refusal holds for one
	To       string // E.164
	Caller   string // who asked for it; it may be empty
	Segments int    // what it is charged as
	Tries    int    // how many answers to the verification are compared; 0 if it is about something else
	Again    bool   // it is not the first of its verification
	About    string // what a message is about that verifies nobody; else empty
}

// Account is an instance that counts what becomes of verifications, and what it
// counts this one by.
type Account struct {
	Instance string `json:"instance"`
	Key      string `json:"key"`
}

// VerificationEnded tells an [Account] how a verification ended.
const VerificationEnded engine.Event[Report] = "VerificationEnded"

// Report is the payload of VerificationEnded.
type Report struct {
	Key      string `json:"key"`
	Verified bool   `json:"verified"`
	// Wrong is how many answers were wrong, of those that were Allowed.
	Wrong   int `json:"wrong"`
	Allowed int `json:"allowed"`
}

// Refusal says why a code was not sent.
type Refusal struct {
	// Limit is which limit was in the way, in a word.
	Limit string `json:"limit"`
	// Until is when it may be tried again; zero if time alone does not help.
	Until time.Time `json:"until,omitzero"`
}

// Error says which limit was in the way, and until when.
func (r *Refusal) Error() string {
	if r.Until.IsZero() {
		return fmt.Sprintf("the limit %q does not let a code be sent", r.Limit)
	}
	return fmt.Sprintf("the limit %q does not let a code be sent before %s", r.Limit, r.Until.UTC().Format(time.RFC3339))
}

// openGate lets everything pass.
type openGate struct{}

// Admit admits.
func (openGate) Admit(context.Context, Sending) ([]Account, *Refusal, error) { return nil, nil, nil }
