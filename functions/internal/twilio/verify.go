package twilio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"github.com/seed21523604/holdfast/engine/human"
)

const defaultVerifyURL = "https://verify.twilio.com"

// Verifier lets Twilio Verify make, send and compare codes: it is a human.Service, and safe for concurrent use. How many
// digits a code has and how long it is valid are settings of the service at Twilio, which allows five checks and five sends
// of a verification within ten minutes.
type Verifier struct {
	account
	service string
}

var _ human.Service = (*Verifier)(nil)

// NewVerifier returns a Verifier of the service, which is "VA" and 32 hexadecimal digits. Of the options those about
// sending do not matter, and an empty BaseURL means https://verify.twilio.com. It makes no request.
func NewVerifier(service string, o Options) (*Verifier, error) {
	a, err := o.account(defaultVerifyURL)
	if !regexp.MustCompile(`^VA[0-9a-fA-F]{32}$`).MatchString(service) {
		err = errors.Join(err, errors.New("the service is not VA followed by 32 hexadecimal digits"))
	}
	if err != nil {
		return nil, fmt.Errorf("set up twilio verify: %w", err)
	}
	return &Verifier{a, service}, nil
}

// Begin sends a code. A verification before is canceled first, as Twilio would send its code again. Any error is an
// [*Error].
func (v *Verifier) Begin(ctx context.Context, to string, channel human.Channel, locale, before string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	if before != "" {
		if err := v.cancel(ctx, to, before); err != nil {
			return "", err
		}
	}
	how := string(channel)
	if how == "" {
		how = string(human.SMS)
	}
	params := &verify.CreateVerificationParams{To: &to, Channel: &how}
	if locale != "" {
		params.Locale = &locale
	}
	x := v.exchange(ctx)
	made, err := verify.NewApiService(v.handler(x)).CreateVerification(v.service, params)
	if err != nil || !x.accepted() || orEmpty(made.Sid) == "" {
		return "", v.failed("begin a verification", x, err, to)
	}
	return *made.Sid, nil
}

// cancel gives a verification up. One that is gone needs no more.
func (v *Verifier) cancel(ctx context.Context, to, sid string) error {
	x, canceled := v.exchange(ctx), "canceled"
	_, err := verify.NewApiService(v.handler(x)).UpdateVerification(v.service, sid, &verify.UpdateVerificationParams{Status: &canceled})
	if x.status == http.StatusNotFound || err == nil && x.accepted() {
		return nil
	}
	failed := v.failed("cancel a verification", x, err, to)
	if failed.Class == Unknown {
		failed.Class = Unavailable // nothing was sent
	}
	return failed
}

// Check compares a code that was typed. Any error is an [*Error].
func (v *Verifier) Check(ctx context.Context, verification, to string, code human.Code) (human.CheckResult, error) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	typed := code.Reveal()
	x := v.exchange(ctx)
	checked, err := verify.NewApiService(v.handler(x)).CreateVerificationCheck(v.service, &verify.CreateVerificationCheckParams{Code: &typed, VerificationSid: &verification})
	switch {
	case x.status == http.StatusNotFound: // it was approved, has expired or was tried too often, and is forgotten
		return human.Gone, nil
	case err == nil && x.accepted() && orEmpty(checked.Status) == "approved":
		return human.Right, nil
	case err == nil && x.accepted() && orEmpty(checked.Status) == "pending":
		return human.Wrong, nil
	case err == nil && x.accepted() && checked.Status != nil:
		return human.Gone, nil
	}
	failed := v.failed("check a code", x, err, to)
	if failed.Code == tooManyChecks {
		return human.Gone, nil
	}
	return "", failed
}

// tooManyChecks is Twilio's code for a verification that was tried as often as is allowed.
const tooManyChecks = 60202

func (v *Verifier) failed(doing string, x *exchange, err error, to string) *Error {
	failed := v.failure(x, err, hider{to: to, token: v.credentials.Password})
	failed.doing = doing
	return failed
}
