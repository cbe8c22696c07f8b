package human

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// The names under which phone verification is known, which are those of the
// classic sample.
const (
	// SmsChallenge sends a new code. It never runs twice for one call.
	SmsChallenge engine.Activity[Challenge, Receipt] = "SmsChallenge"
	// SmsChallengeResponse brings what the person typed, sealed.
	SmsChallengeResponse engine.Event[engine.Sealed] = "SmsChallengeResponse"
	// SmsVerifyLimits tells the limits in force, for a verification that was
	// started without any.
	SmsVerifyLimits engine.Activity[struct{}, Limits] = "SmsVerifyLimits"
)

// Messenger sends a text message to a phone number in E.164 form. An error may
// have a Kind method that returns one of the kinds below; one without is taken
// as KindUnknown.
type Messenger interface {
	Send(ctx context.Context, to, body string) error
}

// What went wrong with a message, in a word.
const (
	KindUndeliverable = "undeliverable" // it will never arrive: the number, or the text
	KindMisconfigured = "misconfigured" // the account or its settings are at fault
	KindUnavailable   = "unavailable"   // it was not sent, and later it may work
	KindUnknown       = "unknown"       // it may have been sent or not
)

// Request is the input of a verification: a phone number in E.164 form, and the
// limits that were in force when it was started, so that a change of settings
// does not reach what is running. It may be written as a mere string, the
// number.
type Request struct {
	Number string  `json:"number"`
	Limits *Limits `json:"limits,omitempty"`
}

// UnmarshalJSON reads an object or a string.
func (r *Request) UnmarshalJSON(text []byte) error {
	type object Request
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &r.Number)
	}
	return json.Unmarshal(text, (*object)(r))
}

// Outcome says in a word how a verification ended.
type Outcome string

// The ways in which a verification ends.
const (
	Verified      Outcome = "verified"
	TooManyTries  Outcome = "tooManyTries"  // every answer that was allowed was wrong
	Expired       Outcome = "expired"       // nobody typed the code in time
	Undeliverable Outcome = "undeliverable" // no code could be sent
)

// Verification is the result: what the classic sample returns as a mere truth
// value, and why.
type Verification struct {
	Verified bool    `json:"verified"`
	Outcome  Outcome `json:"outcome"`
	// Tries is how many answers were compared.
	Tries int `json:"tries"`
	// Detail tells people more; it may be empty.
	Detail string `json:"detail,omitempty"`
}

// Waiting is the custom status while a code may be typed.
type Waiting struct {
	WaitingFor string    `json:"waitingFor"`
	TriesLeft  int       `json:"triesLeft"`
	Until      time.Time `json:"until"`
}

// ErrNoNumber is returned by VerifyPhone for a request without a phone number.
var ErrNoNumber = errors.New("a phone number is needed, such as +447700900123")

// VerifyPhone sends a code to the phone and returns whether it was typed back
// in time. The orchestration that calls it must be registered with
// engine.SecretEvent(SmsChallengeResponse), and the activities with
// [AddPhoneVerification].
func VerifyPhone(ctx *engine.Context, r Request) (Verification, error) {
	if r.Number == "" {
		return Verification{}, ErrNoNumber
	}
	limits, err := limitsOf(ctx, r)
	if err != nil {
		return Verification{}, err
	}
	receipt, err := send(ctx, r.Number, limits)
	if err != nil {
		return Verification{Outcome: Undeliverable, Detail: err.Error()}, nil
	}
	return compare(ctx, receipt.Code, limits)
}

// limitsOf returns the limits that the verification was started with, or asks
// for those in force.
func limitsOf(ctx *engine.Context, r Request) (Limits, error) {
	if r.Limits != nil {
		return *r.Limits, r.Limits.Check()
	}
	limits, err := engine.CallActivity(ctx, SmsVerifyLimits, struct{}{}).Await()
	if err != nil {
		return limits, err
	}
	return limits, limits.Check()
}

// send sends a code, and when it is not known to have got through, another.
func send(ctx *engine.Context, number string, limits Limits) (Receipt, error) {
	delay := time.Duration(limits.ResendDelay)
	for n := 1; ; n++ {
		receipt, err := engine.CallActivity(ctx, SmsChallenge, Challenge{Number: number, Digits: limits.Digits, Valid: limits.Timeout}).Await()
		kind := engine.KindOf(err)
		if err == nil || kind == KindUndeliverable || kind == KindMisconfigured || n >= limits.Sends {
			return receipt, err
		}
		ctx.Logger().Warn("send the code again", "attempt", n, "kind", kind)
		if errors.Is(err, engine.ErrInterrupted) {
			continue
		}
		if _, err := ctx.CreateTimer(ctx.Now().Add(delay)).Await(); err != nil {
			return receipt, err
		}
		delay *= 2
	}
}

// errWrongCode is what somebody is told who typed another code.
var errWrongCode = errors.New("this is not the code")

// compare races the person's answers against one deadline for all of them.
func compare(ctx *engine.Context, code engine.Sealed, limits Limits) (Verification, error) {
	until := ctx.Now().Add(time.Duration(limits.Timeout))
	tries := 0
	show := func() error {
		return ctx.SetCustomStatus(Waiting{string(SmsChallengeResponse), limits.Tries - tries, until})
	}
	if err := show(); err != nil {
		return Verification{}, err
	}
	_, err := engine.WaitForExternalEvent(ctx, SmsChallengeResponse,
		engine.Until(until, limits.TimeoutFrom), engine.From("whoever holds the phone"), engine.Tries(limits.Tries),
		engine.Check(func(guess engine.Sealed) error {
			tries++
			if same(guess, code) {
				return nil
			}
			return errors.Join(errWrongCode, show())
		})).Await()
	switch {
	case errors.Is(err, engine.ErrTimeout):
		return ended(ctx, Verification{Outcome: Expired, Tries: tries})
	case errors.Is(err, engine.ErrTooManyTries):
		return ended(ctx, Verification{Outcome: TooManyTries, Tries: tries})
	case err != nil:
		return Verification{}, err
	}
	return ended(ctx, Verification{Verified: true, Outcome: Verified, Tries: tries})
}

// ended clears the custom status of an orchestration that waits no longer.
func ended(ctx *engine.Context, v Verification) (Verification, error) {
	return v, ctx.SetCustomStatus(nil)
}

// Challenge asks for a new code to be sent.
type Challenge struct {
	Number string   `json:"number"`
	Digits int      `json:"digits"`
	Valid  Duration `json:"valid"`
}

// Receipt is what is known of a code that was sent: its seal.
type Receipt struct {
	Code engine.Sealed `json:"code"`
}

// AddPhoneVerification registers the activities of VerifyPhone: codes go out by
// the messenger and are sealed by the sealer; limits are those in force.
func AddPhoneVerification(r *engine.Registry, m Messenger, s *Sealer, limits Limits) {
	engine.AddActivity(r, SmsChallenge, func(ctx context.Context, c Challenge) (Receipt, error) {
		return challenge(ctx, m, s, c)
	}, engine.AtMostOnce())
	engine.AddActivity(r, SmsVerifyLimits, func(context.Context, struct{}) (Limits, error) { return limits, nil })
}

func challenge(ctx context.Context, m Messenger, s *Sealer, c Challenge) (Receipt, error) {
	code, err := NewCode(c.Digits)
	if err != nil {
		return Receipt{}, err
	}
	body := fmt.Sprintf("Your verification code is %s. It is valid for %s.", code.Reveal(), inWords(time.Duration(c.Valid)))
	if err := deliver(ctx, m, c.Number, body); err != nil {
		return Receipt{}, withoutCode(fmt.Errorf("send a code: %w", err), code)
	}
	return Receipt{Code: s.SealCode(engine.CallOf(ctx).Instance, string(SmsChallengeResponse), code)}, nil
}

// deliver sends the message. A panic of the messenger is an error: its text
// might quote the message.
func deliver(ctx context.Context, m Messenger, number, body string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the messenger panicked: %v", p)
		}
	}()
	return m.Send(ctx, number, body)
}

// withoutCode returns an error with the kind and the text of err, in which the
// code is not found.
func withoutCode(err error, code Code) error {
	return &sendError{kind: engine.KindOf(err), text: strings.ReplaceAll(err.Error(), code.Reveal(), hidden)}
}

// sendError is what is told of a message that did not go out.
type sendError struct{ kind, text string }

// Error returns what went wrong.
func (e *sendError) Error() string { return e.text }

// Kind returns what went wrong in a word.
func (e *sendError) Kind() string { return e.kind }

// inWords writes a duration for people.
func inWords(d time.Duration) string {
	switch {
	case d == time.Minute:
		return "1 minute"
	case d%time.Minute == 0:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	default:
		return fmt.Sprintf("%d seconds", d/time.Second)
	}
}
