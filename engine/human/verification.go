package human

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// verification is one on its way.
type verification struct {
	Request
	ctx    *engine.Context
	limits Limits

	sent     int           // tries to send a code
	left     int           // codes that were sent, or may have been
	key      string        // of the next
	delay    time.Duration // before the next may be
	earliest time.Time     // when the next may be asked for
	tries    int           // answers that were compared
	receipt  Receipt       // of the last code
	until    time.Time     // when that expires
	delivery DeliveryStatus
	refused  *Refusal // of the last wish for another
}

// run sends codes until one is answered, or none may be sent or answered any
// more.
func (v *verification) run() (Verification, error) {
	for {
		receipt, err := v.send()
		first := v.receipt.isNone()
		switch {
		case err != nil && (first || mayBeSent(err)):
			v.ctx.Logger().Warn("no code could be sent", "kind", engine.KindOf(err))
			return v.ended(Verification{Outcome: Undeliverable, Detail: err.Error()}), nil
		case err == nil && receipt.Refused == nil:
			v.receipt, v.until, v.delivery, v.refused = receipt, v.ctx.Now().Add(time.Duration(v.limits.Timeout)), "", nil
		case first:
			return v.ended(Verification{Outcome: Limited, Detail: receipt.Refused.Error(), Refused: receipt.Refused}), nil
		default: // the code before is as good as it was
			v.refused = receipt.Refused
		}
		result, again, err := v.listen()
		if err != nil || !again {
			return v.ended(result), err
		}
	}
}

// mayBeSent reports whether a message may be on its way although sending it
// failed.
func mayBeSent(err error) bool {
	switch engine.KindOf(err) {
	case KindUndeliverable, KindMisconfigured, KindUnavailable, engine.KindStopping:
		return false
	}
	return true
}

func (v *verification) ended(result Verification) Verification {
	result.Tries = v.tries
	return result
}

// challenge asks for a code to be sent. A worker that is being stopped leaves it to
// another.
func (v *verification) challenge() (Receipt, error) {
	for {
		receipt, err := engine.CallActivity(v.ctx, SmsChallenge, Challenge{
			Number: v.Number, Digits: v.limits.Digits, Valid: v.limits.Timeout, Channel: v.Channel, Locale: v.Locale,
			Caller: v.Caller, Tries: v.limits.Tries, Again: v.left > 0, Key: v.key, Verification: v.receipt.Verification,
		}).Await()
		if err != nil && engine.KindOf(err) == engine.KindStopping {
			if _, err := v.ctx.CreateTimer(v.ctx.Now().Add(MinResendDelay)).Await(); err != nil {
				return receipt, err
			}
			continue
		}
		if err != nil && !mayBeSent(err) {
			return receipt, err
		}
		v.key = v.ctx.NewGUID()
		if receipt.Refused == nil {
			v.left++
		}
		return receipt, err
	}
}

// send sends a code, and when it is not known to have got through, another.
func (v *verification) send() (Receipt, error) {
	for {
		receipt, err := v.challenge()
		if receipt.Refused != nil {
			return receipt, nil
		}
		v.sent++
		pause := max(v.delay, min(engine.RetryAfterOf(err), MaxResendDelay))
		v.delay *= 2
		v.earliest = v.ctx.Now().Add(pause)
		kind := engine.KindOf(err)
		if err == nil || kind == KindUndeliverable || kind == KindMisconfigured || v.sent >= v.limits.Sends {
			return receipt, err
		}
		v.ctx.Logger().Warn("send the code again", "attempt", v.sent, "kind", kind)
		if errors.Is(err, engine.ErrInterrupted) {
			v.delay = pause
			continue
		}
		if _, err := v.ctx.CreateTimer(v.earliest).Await(); err != nil {
			return receipt, err
		}
	}
}

// errWrongCode is what somebody is told who typed another code.
var errWrongCode = errors.New("this is not the code")

// listen races the person's answers against one deadline for all of them, a wish
// for another code, and the news that the message did not arrive. It returns how
// the verification ended, or again if another code is to be sent.
func (v *verification) listen() (result Verification, again bool, err error) {
	answer, resend, news := v.waitForAnswer(), v.waitForWish(), v.waitForNews()
	for {
		if err := v.show(); err != nil {
			return Verification{}, false, err
		}
		switch engine.Select(v.ctx, append(news, answer, resend)...) {
		case answer:
			if result, err = v.judge(answer); err == nil && result.Outcome == "" {
				answer = v.waitForAnswer()
				continue
			}
		case resend:
			again, err = v.grant(resend)
		default:
			if again, err = v.hear(news[0]); err == nil && !again {
				news = v.waitForNews()
				continue
			}
		}
		for _, task := range append(news, answer, resend) {
			task.Cancel()
		}
		return result, again, err
	}
}

// waitForAnswer waits for what the person types. Where the code is known here by
// its seal, wrong answers do not end the wait; a service has to be asked about
// each.
func (v *verification) waitForAnswer() *engine.Task[engine.Sealed] {
	options := []engine.WaitOption{engine.Until(v.until, v.limits.TimeoutFrom), engine.From("whoever holds the phone")}
	if v.receipt.Verification == "" {
		options = append(options, engine.Tries(v.limits.Tries-v.tries), engine.Check(func(guess engine.Sealed) error {
			v.tries++
			if same(guess, v.receipt.Code) {
				return nil
			}
			return errors.Join(errWrongCode, v.show())
		}))
	}
	return engine.WaitForExternalEvent(v.ctx, SmsChallengeResponse, options...)
}

// waitForWish waits until somebody may have another code, and asks for it.
func (v *verification) waitForWish() *engine.Task[*Resend] {
	return engine.WaitForExternalEvent(v.ctx, SmsResendCode, engine.From("whoever got no code"), engine.Check(func(wish *Resend) error {
		switch {
		case v.sent >= v.limits.Sends:
			return fmt.Errorf("no other code is sent: %d were, as many as may be", v.sent)
		case v.ctx.Now().Before(v.earliest):
			at := v.earliest.Add(time.Second - 1).Truncate(time.Second) // no earlier than it is
			return fmt.Errorf("a code was sent a moment ago: ask again at %s", at.Format(time.RFC3339))
		case wish != nil:
			return wish.Channel.check()
		}
		return nil
	}))
}

// waitForNews waits for what becomes of the message, if anybody tells.
func (v *verification) waitForNews() []engine.Awaitable {
	if v.receipt.Message == 0 {
		return nil
	}
	return []engine.Awaitable{engine.WaitForExternalEvent(v.ctx, SmsDelivery, engine.From("the service that sends the message"), engine.Typed())}
}

// grant has another code sent.
func (v *verification) grant(resend *engine.Task[*Resend]) (again bool, err error) {
	wish, err := resend.Await()
	if err == nil && wish != nil && wish.Channel != "" {
		v.Channel = wish.Channel
	}
	return err == nil, err
}

// hear takes note of what became of the message. If it did not arrive and another
// may be sent, that is done at once.
func (v *verification) hear(news engine.Awaitable) (again bool, err error) {
	d, err := news.(*engine.Task[Delivery]).Await()
	if err != nil || d.Message != v.receipt.Message {
		return false, err
	}
	v.delivery = v.delivery.Merge(d.Status)
	return v.delivery.failed() && d.Kind == KindUnavailable && v.sent < v.limits.Sends, nil
}

// judge returns how the verification ended by an answer, or nothing if it was
// wrong and another may be tried.
func (v *verification) judge(answer *engine.Task[engine.Sealed]) (Verification, error) {
	guess, err := answer.Await()
	switch {
	case errors.Is(err, engine.ErrTimeout) && v.delivery.failed():
		return Verification{Outcome: Undeliverable, Detail: fmt.Sprintf("the message was reported as %s", v.delivery)}, nil
	case errors.Is(err, engine.ErrTimeout):
		return Verification{Outcome: Expired}, nil
	case errors.Is(err, engine.ErrTooManyTries):
		return Verification{Outcome: TooManyTries}, nil
	case err != nil:
		return Verification{}, err
	case v.receipt.Verification != "":
		return v.ask(guess)
	}
	return Verification{Verified: true, Outcome: Verified}, nil
}

// ask has the service compare an answer. One of which the service does not say
// what became of it is a try, too.
func (v *verification) ask(guess engine.Sealed) (Verification, error) {
	v.tries++
	checked, err := engine.CallActivity(v.ctx, SmsCheckCode, Guess{Number: v.Number, Verification: v.receipt.Verification, Code: guess}).Await()
	switch {
	case err != nil && engine.KindOf(err) == KindMisconfigured:
		return Verification{Outcome: Undeliverable, Detail: err.Error()}, nil
	case err == nil && checked.Result == Right:
		return Verification{Verified: true, Outcome: Verified}, nil
	case err == nil && checked.Result == Gone:
		return Verification{Outcome: Expired}, nil
	case v.tries >= v.limits.Tries:
		return Verification{Outcome: TooManyTries}, nil
	}
	return Verification{}, nil
}

// show sets the custom status.
func (v *verification) show() error {
	return v.ctx.SetCustomStatus(Waiting{string(SmsChallengeResponse), v.limits.Tries - v.tries, v.until, v.delivery, v.refused})
}

// tell lets those who keep the limits know how it ended.
func (v *verification) tell(result Verification) error {
	wrong := v.tries
	if result.Verified {
		wrong--
	}
	for _, account := range v.receipt.Accounts {
		report := Report{Key: account.Key, Verified: result.Verified, Wrong: wrong, Allowed: v.limits.Tries}
		if err := engine.SendEvent(v.ctx, account.Instance, VerificationEnded, report); err != nil {
			return err
		}
	}
	return nil
}
