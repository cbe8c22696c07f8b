package door

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/store"
)

// Why an answer without a good code is refused.
const (
	CodeWanted approval.Reason = "code-wanted" // one was sent now, or is still good
	CodeWrong  approval.Reason = "code-wrong"
	CodeLocked approval.Reason = "code-locked" // too many were wrong, or sent
)

// CodeState says how it stands with the code for a link.
type CodeState string

// How it may stand.
const (
	NoCode    CodeState = "none"     // none was sent, or none that is still good
	CodeSent  CodeState = "sent"     // it may be typed
	CodeGood  CodeState = "verified" // it was typed, a moment ago
	CodesOver CodeState = "locked"   // there will be no other
)

// Code is how it stands with the code for a link.
type Code struct {
	State CodeState
	// TriesLeft and Until say how often and how long it may be typed, if that is
	// known.
	TriesLeft int
	Until     time.Time
	sends     int // so far
}

// Codes sends one-time codes to phones and compares what is typed, one code after
// another under each key.
type Codes interface {
	// Look tells how it stands.
	Look(ctx context.Context, key string) (Code, error)
	// Send sends a code unless one can still be typed.
	Send(ctx context.Context, key, phone string) (Code, error)
	// Try compares what was typed.
	Try(ctx context.Context, key, typed string) (Code, error)
}

// checkCode returns a refusal unless the code was good.
func (d *Door) checkCode(ctx context.Context, v *View, typed string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	switch before := v.Code.State; {
	case v.State == Locked:
	case before == CodeGood:
		return nil
	case before == CodeSent && typed != "":
		v.Code, err = d.codes.Try(ctx, v.link.Token, typed)
	default:
		v.Code, err = d.codes.Send(ctx, v.link.Token, v.Request.Policy.Contact(v.link.To).Phone)
		typed = ""
	}
	if err != nil {
		return fmt.Errorf("check a code: %w", err)
	}
	switch {
	case v.State == Locked, v.Code.State == CodesOver:
		v.State = Locked
		return &approval.Refusal{Reason: CodeLocked, Field: "code", Text: "there were too many codes; ask who sent you the link"}
	case v.Code.State == CodeGood:
		return nil
	case typed == "":
		return &approval.Refusal{Reason: CodeWanted, Field: "code", Text: "a code was sent to your phone; type it to answer"}
	}
	return &approval.Refusal{Reason: CodeWrong, Field: "code", Text: "this is not the code"}
}

// maxSends is how many codes are sent for one link, and goodFor how long one that
// was typed counts, for whoever has to correct an answer.
const (
	maxSends = 3
	goodFor  = 10 * time.Minute
)

// Verifications are Codes that are verifications of phones, each an instance of its
// own. What was sent and tried is in the store, so a restart forgets nothing.
type Verifications struct {
	client        *client.Client
	orchestration string
}

// NewVerifications returns Codes that begin instances of an orchestration that is
// human.VerifyPhone.
func NewVerifications(c *client.Client, orchestration string) *Verifications {
	return &Verifications{c, orchestration}
}

// instance is the n-th verification under a key.
func instance(key string, n int) string { return fmt.Sprintf("code-%s-%d", key, n) }

// Look tells how it stands.
func (v *Verifications) Look(ctx context.Context, key string) (Code, error) {
	for n := maxSends; n > 0; n-- {
		in, err := v.client.Get(ctx, instance(key, n))
		if errors.Is(err, client.ErrNotFound) {
			continue
		}
		return v.code(in, n), err
	}
	return Code{State: NoCode}, nil
}

// code tells how the n-th verification stands.
func (v *Verifications) code(in store.Instance, n int) Code {
	c := Code{State: CodeSent, sends: n}
	var ended human.Verification
	_ = json.Unmarshal(in.Output, &ended) // there may be none
	switch {
	case !in.Status.IsTerminal():
		var waiting human.Waiting
		_ = json.Unmarshal(in.CustomStatus, &waiting) // there may be none yet
		c.TriesLeft, c.Until = waiting.TriesLeft, waiting.Until
	case ended.Verified && v.client.Now().Sub(in.Completed) < goodFor:
		c.State = CodeGood
	case ended.Outcome == human.TooManyTries, n == maxSends:
		c.State = CodesOver
	default:
		c.State = NoCode
	}
	return c
}

// Send sends a code unless one can still be typed.
func (v *Verifications) Send(ctx context.Context, key, phone string) (Code, error) {
	c, err := v.Look(ctx, key)
	if err != nil || c.State != NoCode {
		return c, err
	}
	_, err = v.client.Start(ctx, v.orchestration, instance(key, c.sends+1), human.Request{Number: phone})
	if err != nil && !errors.Is(err, client.ErrExists) { // somebody else began it at the same time
		return c, err
	}
	return Code{State: CodeSent, sends: c.sends + 1}, nil
}

// Try compares what was typed.
func (v *Verifications) Try(ctx context.Context, key, typed string) (Code, error) {
	c, err := v.Look(ctx, key)
	if err != nil || c.State != CodeSent {
		return c, err
	}
	// The code may have come a moment before it is recorded that it was sent.
	id, event := instance(key, c.sends), string(human.SmsChallengeResponse)
	_, err = v.client.WaitFor(ctx, id, func(in store.Instance) bool { return in.Status.IsTerminal() || in.External.Wait(event) != nil })
	if err != nil {
		return c, err
	}
	answer, err := v.client.Ask(ctx, id, event, client.Payload{Body: []byte(typed)})
	if err != nil {
		return c, err
	}
	if answer.Outcome == history.Taken {
		return Code{State: CodeGood, sends: c.sends}, nil
	}
	return v.Look(ctx, key)
}
