package main

import (
	"fmt"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/functions/settings"
)

// SmsVerify verifies that somebody holds a phone: it sends a code by SMS and
// races the answer against a deadline.
const SmsVerify engine.Orchestrator[human.Request, human.Verification] = "SmsVerify"

// isVerification lets a client act on verifications only.
func isVerification(in store.Instance) error {
	if in.Name != string(SmsVerify) {
		return client.ErrNotFound
	}
	return nil
}

// smsLimits are the limits in force for verifications that start now.
func smsLimits(values settings.Values) human.Limits {
	return human.Limits{
		Timeout:     human.Duration(values.Duration(settings.SmsVerifyTimeout)),
		TimeoutFrom: fmt.Sprintf("the setting %s, %s (%s)", settings.SmsVerifyTimeout, values.Duration(settings.SmsVerifyTimeout), values.Source(settings.SmsVerifyTimeout)),
		Tries:       values.Int(settings.SmsVerifyTries),
		Digits:      values.Int(settings.SmsVerifyDigits),
		Sends:       values.Int(settings.SmsVerifySends),
		ResendDelay: human.Duration(values.Duration(settings.SmsVerifyResendDelay)),
	}
}
