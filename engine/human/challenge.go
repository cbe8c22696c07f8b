package human

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// Challenge asks for a new code to be sent.
type Challenge struct {
	Number  string   `json:"number"`
	Digits  int      `json:"digits"`
	Valid   Duration `json:"valid"`
	Channel Channel  `json:"channel,omitempty"`
	Locale  string   `json:"locale,omitempty"`
	Caller  string   `json:"caller,omitempty"`
	// Tries is how many answers are compared.
	Tries int `json:"tries,omitempty"`
	// Again says that it is not the first code of its verification.
	Again bool `json:"again,omitempty"`
	// Key is that of the message for a [Gate]: the same until one may have left.
	Key string `json:"key,omitempty"`
	// Verification is that of the code before, if a service made it.
	Verification string `json:"verification,omitempty"`
}

// Receipt is what is known of a code that was sent: its seal, or what the service
// that made it calls the verification.
type Receipt struct {
	Code         engine.Sealed `json:"code,omitempty"`
	Verification string        `json:"verification,omitempty"`
	// Message is the number of the message among those of its instance, by which
	// a [Delivery] names it; 0 if nobody tells what becomes of it.
	Message int `json:"message,omitempty"`
	// Accounts are who is to be told how the verification ends.
	Accounts []Account `json:"accounts,omitempty"`
	// Refused says that nothing was sent, and why.
	Refused *Refusal `json:"refused,omitempty"`
}

func (r Receipt) isNone() bool { return r.Code == "" && r.Verification == "" }

// Guess asks a service whether a code is right.
type Guess struct {
	Number       string        `json:"number"`
	Verification string        `json:"verification"`
	Code         engine.Sealed `json:"code"`
}

// Checked is what a service says of a code.
type Checked struct {
	Result CheckResult `json:"result"`
}

// CheckResult says in a word what a service says of a code.
type CheckResult string

// What a service says of a code.
const (
	Right CheckResult = "right"
	Wrong CheckResult = "wrong"
	Gone  CheckResult = "gone" // the verification has expired, or was tried too often
)

// Service makes, sends and compares codes itself, as Twilio Verify does. Its
// errors have kinds as those of a [Messenger].
type Service interface {
	// Begin sends a code and returns what the verification is called; a
	// verification before, if there was one, is given up.
	Begin(ctx context.Context, to string, channel Channel, locale, before string) (verification string, err error)
	// Check compares a code that was typed.
	Check(ctx context.Context, verification, to string, code Code) (CheckResult, error)
}

// PhoneOption changes how codes are sent.
type PhoneOption func(*phones)

// phones is what the activities of VerifyPhone work with.
type phones struct {
	messenger Messenger
	sealer    *Sealer
	service   Service
	gate      Gate
	reported  bool
}

// Reported says that whoever sends the messages tells what becomes of them, by
// SmsDelivery.
func Reported() PhoneOption { return func(p *phones) { p.reported = true } }

// ByService has a service make, send and compare the codes. The sealer of what
// people type must be [Sealer.Openable].
func ByService(s Service) PhoneOption { return func(p *phones) { p.service = s } }

// Behind asks a gate before anything is sent.
func Behind(g Gate) PhoneOption { return func(p *phones) { p.gate = g } }

// AddPhoneVerification registers the activities of VerifyPhone: codes go out by
// the messenger and are sealed by the sealer; limits are those in force.
func AddPhoneVerification(r *engine.Registry, m Messenger, s *Sealer, limits Limits, options ...PhoneOption) {
	p := phones{messenger: m, sealer: s, gate: openGate{}}
	for _, option := range options {
		option(&p)
	}
	engine.AddActivity(r, SmsChallenge, p.challenge, engine.AtMostOnce())
	engine.AddActivity(r, SmsCheckCode, p.check, engine.AtMostOnce())
	engine.AddActivity(r, SmsVerifyLimits, func(context.Context, struct{}) (Limits, error) { return limits, nil })
}

// challenge sends a code if the gate lets it.
func (p phones) challenge(ctx context.Context, c Challenge) (Receipt, error) {
	if c.Channel == Voice && p.service == nil {
		return Receipt{}, NewError(KindMisconfigured, "codes are spoken by a verification service only, and there is none")
	}
	code, err := NewCode(c.Digits)
	if err != nil {
		return Receipt{}, err
	}
	body := Text(c.Locale, code, time.Duration(c.Valid))
	call := engine.CallOf(ctx)
	accounts, refused, err := p.gate.Admit(ctx, Sending{Key: c.Key, To: c.Number, Caller: c.Caller, Segments: Segments(body), Tries: c.Tries, Again: c.Again})
	if err != nil {
		return Receipt{}, notAsked(err)
	}
	if refused != nil {
		return Receipt{Refused: refused}, nil
	}
	receipt := Receipt{Accounts: accounts}
	if p.reported {
		receipt.Message = int(call.Task) + 1
	}
	if p.service != nil {
		receipt.Verification, err = p.service.Begin(ctx, c.Number, c.Channel, c.Locale, c.Verification)
	} else {
		err = deliver(ctx, p.messenger, c.Number, body)
	}
	if err != nil {
		return Receipt{}, withoutCode(fmt.Errorf("send a code: %w", err), code)
	}
	if p.service != nil {
		return receipt, nil
	}
	receipt.Code = p.sealer.SealCode(call.Instance, string(SmsChallengeResponse), code)
	return receipt, nil
}

// notAsked is the error of a code of which it is not known whether it may be sent.
func notAsked(err error) error {
	kind := KindUnavailable
	if engine.KindOf(err) == engine.KindStopping {
		kind = engine.KindStopping
	}
	return NewError(kind, "ask whether a code may be sent: "+err.Error())
}

// errNoService is returned for a verification that a service began, when there is
// none any more.
var errNoService = NewError(KindMisconfigured, "the code was sent by a verification service, and there is none any more")

// check has the service compare what was typed.
func (p phones) check(ctx context.Context, g Guess) (Checked, error) {
	if p.service == nil {
		return Checked{}, errNoService
	}
	code, err := p.sealer.Open(engine.CallOf(ctx).Instance, string(SmsChallengeResponse), g.Code)
	if errors.Is(err, ErrNotOpenable) {
		return Checked{Result: Wrong}, nil
	}
	if err != nil {
		return Checked{}, err
	}
	result, err := p.service.Check(ctx, g.Verification, g.Number, code)
	if err != nil {
		return Checked{}, withoutCode(fmt.Errorf("check a code: %w", err), code)
	}
	return Checked{result}, nil
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

// withoutCode returns an error with the kind, the wait and the text of err, in which
// the code is not found.
func withoutCode(err error, code Code) error {
	return NewError(engine.KindOf(err), strings.ReplaceAll(err.Error(), code.Reveal(), hidden)).After(engine.RetryAfterOf(err))
}
