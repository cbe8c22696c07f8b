package human

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// The names under which phone verification is known, the first two of which are
// those of the classic sample.
const (
	// SmsChallenge sends a new code. It never runs twice for one call.
	SmsChallenge engine.Activity[Challenge, Receipt] = "SmsChallenge"
	// SmsChallengeResponse brings what the person typed, sealed.
	SmsChallengeResponse engine.Event[engine.Sealed] = "SmsChallengeResponse"
	// SmsResendCode asks for another code, as none came. Its payload may be null.
	SmsResendCode engine.Event[*Resend] = "SmsResendCode"
	// SmsDelivery tells what became of a message.
	SmsDelivery engine.Event[Delivery] = "SmsDelivery"
	// SmsVerifyLimits tells the limits in force, for a verification that was
	// started without any.
	SmsVerifyLimits engine.Activity[struct{}, Limits] = "SmsVerifyLimits"
	// SmsCheckCode has a [Service] compare what was typed. It never runs twice
	// for one call.
	SmsCheckCode engine.Activity[Guess, Checked] = "SmsCheckCode"
)

// Messenger sends a text message to a phone number in E.164 form. An error may
// have a Kind method that returns one of the kinds below; one without is taken
// as KindUnknown. If it has a method RetryAfter, which returns a time.Duration, the
// message is not sent again before that is over.
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

// Error is what is told of a message that was not sent, or may not have been.
type Error struct {
	kind, text string
	wait       time.Duration
}

// NewError returns an error of one of the kinds.
func NewError(kind, text string) *Error { return &Error{kind: kind, text: text} }

// After returns the error with how long whoever refused wants to be left alone.
func (e *Error) After(wait time.Duration) *Error { return &Error{e.kind, e.text, wait} }

// Error returns what went wrong.
func (e *Error) Error() string { return e.text }

// Kind returns what went wrong in a word.
func (e *Error) Kind() string { return e.kind }

// NonRetriable is true for what will never arrive.
func (e *Error) NonRetriable() bool { return e.kind == KindUndeliverable }

// RetryAfter returns how long whoever refused wants to be left alone; 0 if they did
// not say.
func (e *Error) RetryAfter() time.Duration { return e.wait }

// Channel is a way in which a code reaches a phone.
type Channel string

// The channels.
const (
	SMS   Channel = "sms"  // a text message, which the empty Channel is too
	Voice Channel = "call" // a call that speaks the code, which takes a Service
)

// Request is the input of a verification: a phone number in E.164 form, and the
// limits that were in force when it was started, so that a change of settings
// does not reach what is running. It may be written as a mere string, the
// number.
type Request struct {
	Number string  `json:"number"`
	Limits *Limits `json:"limits,omitempty"`
	// Channel is how the code is sent; SMS.
	Channel Channel `json:"channel,omitempty"`
	// Locale is the language of the message, such as de or pt-BR; English for
	// one that is not known.
	Locale string `json:"locale,omitempty"`
	// Caller stands for who asks, for limits that go by it; empty goes by none.
	// It is written down, so it should be a name from [Sealer.Name] rather
	// than an address.
	Caller string `json:"caller,omitempty"`
}

// UnmarshalJSON reads an object or a string.
func (r *Request) UnmarshalJSON(text []byte) error {
	type object Request
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &r.Number)
	}
	return json.Unmarshal(text, (*object)(r))
}

// Resend is the payload of SmsResendCode.
type Resend struct {
	// Channel is how the next code is sent; empty for the same way.
	Channel Channel `json:"channel,omitempty"`
}

// Outcome says in a word how a verification ended.
type Outcome string

// The ways in which a verification ends.
const (
	Verified      Outcome = "verified"
	TooManyTries  Outcome = "tooManyTries"  // every answer that was allowed was wrong
	Expired       Outcome = "expired"       // nobody typed the code in time
	Undeliverable Outcome = "undeliverable" // no code could be sent, or the last did not arrive
	Limited       Outcome = "limited"       // a limit did not let a code be sent
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
	// Refused says which limit was in the way, if one was.
	Refused *Refusal `json:"refused,omitempty"`
}

// Waiting is the custom status while a code may be typed.
type Waiting struct {
	WaitingFor string    `json:"waitingFor"`
	TriesLeft  int       `json:"triesLeft"`
	Until      time.Time `json:"until"`
	// Delivery is what became of the message, if the service tells.
	Delivery DeliveryStatus `json:"delivery,omitempty"`
	// Refused says why the last wish for another code was not granted.
	Refused *Refusal `json:"refused,omitempty"`
}

var (
	// ErrNoNumber is returned by VerifyPhone for a request without a phone
	// number.
	ErrNoNumber = errors.New("a phone number is needed, such as +447700900123")
	// ErrChannel is returned by VerifyPhone for a channel that there is not.
	ErrChannel = fmt.Errorf("a code is sent by %q or by %q", SMS, Voice)
)

// VerifyPhone sends a code to the phone and returns whether it was typed back
// in time. Whoever got none may ask for another by [SmsResendCode], after a pause
// that doubles each time; the code before it is worth nothing then. The tries are
// for all codes of a verification together. How it ended is told to whoever keeps
// the limits, if there is somebody.
//
// The orchestration that calls it must be registered with
// engine.SecretEvent(SmsChallengeResponse), and the activities with
// [AddPhoneVerification].
func VerifyPhone(ctx *engine.Context, r Request) (Verification, error) {
	if r.Number == "" {
		return Verification{}, ErrNoNumber
	}
	if err := r.Channel.check(); err != nil {
		return Verification{}, err
	}
	limits, err := limitsOf(ctx, r)
	if err != nil {
		return Verification{}, err
	}
	v := &verification{ctx: ctx, Request: r, limits: limits, key: ctx.NewGUID(), delay: time.Duration(limits.ResendDelay)}
	result, err := v.run()
	if err != nil {
		return Verification{}, err
	}
	if err := v.tell(result); err != nil {
		return Verification{}, err
	}
	return result, ctx.SetCustomStatus(nil)
}

func (c Channel) check() error {
	if c != "" && c != SMS && c != Voice {
		return fmt.Errorf("channel %q: %w", c, ErrChannel)
	}
	return nil
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
