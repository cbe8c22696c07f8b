package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/limit"
	"github.com/seed21523604/holdfast/functions/internal/region"
)

// showLimits says where it is remembered what a number was sent, and what to type to
// unlock it. The ids tell no number, so nobody else finds them.
func showLimits(_ context.Context, c *call) error {
	if c.which == "" {
		return errors.New("say which number: limits +447700900123")
	}
	number, err := parseNumber(c.which)
	if err != nil {
		return fmt.Errorf("%w: it looks like +447700900123", err)
	}
	keys, err := openKeys(c.values)
	if err != nil {
		return err
	}
	sealer, err := human.NewSealer(keys.codes)
	if err != nil {
		return err
	}
	gate, place := limit.New(gateOptions(c.values, sealer)), placeOf(c.values)
	ledger := place.Instance(gate.PrefixLedger(number))
	fmt.Fprintf(c.out, `What %[1]s was sent is remembered by the instance %[2]s, under the key %[3]s.
Its country is %[4]s, whose messages are counted by the instance %[5]s.

Unlock the number:   curl -X POST -H 'Content-Type: application/json' -d '{"key":"%[3]s"}' '%[6]s/raiseEvent/%[7]s'
Unlock the country:  curl -X POST -H 'Content-Type: application/json' -d '{"key":"%[4]s"}' '%[8]s/raiseEvent/%[7]s'
Stop all messages:   curl -X POST '%[8]s/suspend?reason=REASON'
Totals of the day:   curl '%[8]s'

Where the app asks who you are, add:  -H "x-functions-key: $OperatorKey"
`, number, gate.PrefixLedger(number), gate.PhoneKey(number), region.Of(number), limit.All, ledger, limit.Unlock, place.Instance(limit.All))
	return nil
}
