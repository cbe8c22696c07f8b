package human_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
)

func TestARequestIsAnObjectOrANumber(t *testing.T) {
	limits := usual
	requests := map[string]human.Request{
		`"+447700900123"`:                          {Number: number},
		`{"number":"+447700900123"}`:               {Number: number},
		`{"number":"+447700900123","limits":null}`: {Number: number},
		`{"number":"+447700900123","limits":{"timeout":"5m","tries":3,"digits":6,"sends":3,"resendDelay":"10s"},"other":[1]}`: {Number: number, Limits: &limits},
		`""`:   {},
		`{}`:   {},
		`null`: {},
	}
	for text, want := range requests {
		var got human.Request
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got.Number != want.Number || (got.Limits == nil) != (want.Limits == nil) || got.Limits != nil && *got.Limits != *want.Limits {
			t.Errorf("%s: %+v", text, got)
		}
	}
	for _, text := range []string{`447700900123`, `true`, `["+447700900123"]`, `{"number":447700900123}`, `{"limits":{"timeout":"soon"}}`, `{"limits":{"timeout":300}}`, `{"limits":{"tries":"3"}}`} {
		var got human.Request
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s was read as %+v", text, got)
		}
	}
}

func TestARequestIsWrittenAsItIsRead(t *testing.T) {
	for want, r := range map[string]human.Request{
		`{"number":"+447700900123"}`: {Number: number},
		`{"number":"+447700900123","limits":{"timeout":"5m0s","tries":3,"digits":6,"sends":3,"resendDelay":"10s"}}`: request(usual),
	} {
		text, err := json.Marshal(r)
		if err != nil || string(text) != want {
			t.Errorf("written %s (%v), want %s", text, err, want)
		}
		var again human.Request
		if err := json.Unmarshal(text, &again); err != nil || again.Number != r.Number || again.Limits != nil && *again.Limits != *r.Limits {
			t.Errorf("%s was read as %+v (%v)", text, again, err)
		}
	}
}

func TestADurationIsWrittenAsGoDoes(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`"5m0s"`: 5 * time.Minute, `"1m30s"`: 90 * time.Second, `"0s"`: 0, `"1.5s"`: 1500 * time.Millisecond, `"24h0m0s"`: 24 * time.Hour, `"-1s"`: -time.Second,
	} {
		var got human.Duration
		if err := json.Unmarshal([]byte(text), &got); err != nil || time.Duration(got) != want {
			t.Errorf("%s was read as %v (%v)", text, time.Duration(got), err)
		}
		if written, err := json.Marshal(human.Duration(want)); err != nil || string(written) != text {
			t.Errorf("%v is written %s (%v)", want, written, err)
		}
	}
	for text, want := range map[string]time.Duration{`"5m"`: 5 * time.Minute, `"90s"`: 90 * time.Second, `"1h30m"`: 90 * time.Minute} {
		var got human.Duration
		if err := json.Unmarshal([]byte(text), &got); err != nil || time.Duration(got) != want {
			t.Errorf("%s was read as %v (%v)", text, time.Duration(got), err)
		}
	}
	for _, text := range []string{`""`, `"5"`, `"5 minutes"`, `300`, `"soon"`, `{}`} {
		var got human.Duration
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s was read as %v", text, time.Duration(got))
		}
	}
}

func TestWithoutANumberNothingIsSent(t *testing.T) {
	d := newDesk(t, usual)
	for name, input := range map[string]any{
		"null": nil, "empty": "", "object": map[string]any{}, "empty in object": human.Request{}, "limits only": request(usual).Limits,
	} {
		if limits, ok := input.(*human.Limits); ok {
			input = human.Request{Limits: limits}
		}
		d.begin(name, input)
		in := d.get(name)
		if in.Status != history.Failed || in.Failure.Message != human.ErrNoNumber.Error() {
			t.Errorf("%s: %s with %v", name, in.Status, in.Failure)
		}
	}
	d.begin("no text", 447700900123)
	if in := d.get("no text"); in.Status != history.Failed {
		t.Errorf("a number that is no text: %s", in.Status)
	}
	if len(d.phone.texts) != 0 {
		t.Errorf("sent %v", d.phone.texts)
	}
}

// calls returns how often an activity was called.
func (d *desk) calls(id, activity string) (n int) {
	d.t.Helper()
	events, err := d.client.History(d.ctx(), id)
	d.must(err)
	for _, e := range events {
		if e.Kind == history.TaskScheduled && e.Name == activity {
			n++
		}
	}
	return n
}

func TestLimitsComeWithTheRequestOrAreThoseInForce(t *testing.T) {
	inForce := human.Limits{Timeout: human.Duration(time.Minute), Tries: 2, Digits: 4, Sends: 1, ResendDelay: human.Duration(time.Second)}
	given := human.Limits{Timeout: human.Duration(8 * time.Minute), Tries: 7, Digits: 8, Sends: 2, ResendDelay: human.Duration(time.Minute)}
	for name, test := range map[string]struct {
		input any
		want  human.Limits
		asked int
	}{
		"text":        {number, inForce, 1},
		"object":      {human.Request{Number: number}, inForce, 1},
		"with limits": {request(given), given, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, inForce)
			d.phone.fail = firstOnes(test.want.Sends-1, failure{human.KindUnavailable, "busy"})
			d.begin("a", test.input)
			if n := d.calls("a", string(human.SmsVerifyLimits)); n != test.asked {
				t.Errorf("asked %d times for the limits in force", n)
			}
			if test.want.Sends > 1 {
				d.pass(time.Duration(test.want.ResendDelay))
			}
			sent := d.Now()
			if len(d.sent()) != test.want.Digits {
				t.Errorf("the code has %d digits", len(d.sent()))
			}
			d.wantWaiting("a", test.want.Tries, sent.Add(time.Duration(test.want.Timeout)))
			d.pass(time.Duration(test.want.Timeout))
			d.wantEnd("a", human.Verification{Outcome: human.Expired})
		})
	}
}

func TestChangedSettingsDoNotReachARunningVerification(t *testing.T) {
	changed := human.Limits{Timeout: human.Duration(time.Minute), Tries: 1, Digits: 4, Sends: 1, ResendDelay: human.Duration(2 * time.Minute)}
	for name, input := range map[string]any{"limits in force at the start": number, "limits in the request": request(usual)} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, usual)
			d.phone.fail = firstOnes(1, failure{human.KindUnavailable, "busy"})
			d.begin("a", input)
			d.open(changed)
			d.pass(10 * time.Second) // sent again, after the delay that it began with
			if len(d.phone.texts) != 2 || len(d.sent()) != 6 {
				t.Fatalf("sent %v", d.phone.texts)
			}
			d.open(changed)
			d.wantWaiting("a", 3, start.Add(5*time.Minute+10*time.Second))
			d.answer("a", wrong(d.sent()))
			d.pass(4 * time.Minute)
			d.answer("a", d.sent())
			d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 2})
			d.begin("b", number) // and one that begins now has the new ones
			d.wantWaiting("b", 1, d.Now().Add(time.Minute))
		})
	}
}

// A request may come from anybody who reaches the management API. Limits that
// say less than they must do not make a code that everybody knows.
func TestLimitsThatAreNotWholeVerifyNobody(t *testing.T) {
	for _, limits := range []string{`{}`, `{"timeout":"5m","tries":3}`, `{"timeout":"5m","tries":3,"sends":1,"digits":0}`, `{"timeout":"5m","tries":3,"sends":1,"digits":-6}`} {
		d := newDesk(t, usual)
		d.begin("a", json.RawMessage(`{"number":"`+number+`","limits":`+limits+`}`))
		for _, guess := range []string{"", "0"} {
			_ = d.client.Raise(d.ctx(), "a", response, client.Payload{Body: []byte(guess)}) // it may have ended
		}
		d.settle()
		var got human.Verification
		if in := d.get("a"); json.Unmarshal(in.Output, &got) == nil && got.Verified {
			t.Errorf("%s: verified by a guess of nothing: %s", limits, in.Output)
		}
	}
}

// outOfBounds are limits of which one is out of bounds, and its name.
func outOfBounds() map[string][]human.Limits {
	with := func(change func(*human.Limits)) human.Limits {
		limits := usual
		change(&limits)
		return limits
	}
	return map[string][]human.Limits{
		"timeout": {
			with(func(l *human.Limits) { l.Timeout = 0 }), with(func(l *human.Limits) { l.Timeout = -1 }),
			with(func(l *human.Limits) { l.Timeout = human.Duration(human.MinTimeout - 1) }), with(func(l *human.Limits) { l.Timeout = human.Duration(human.MaxTimeout + 1) }),
		},
		"tries":  {with(func(l *human.Limits) { l.Tries = human.MinTries - 1 }), with(func(l *human.Limits) { l.Tries = human.MaxTries + 1 })},
		"digits": {with(func(l *human.Limits) { l.Digits = human.MinDigits - 1 }), with(func(l *human.Limits) { l.Digits = human.MaxDigits + 1 })},
		"sends":  {with(func(l *human.Limits) { l.Sends = human.MinSends - 1 }), with(func(l *human.Limits) { l.Sends = human.MaxSends + 1 })},
		"resendDelay": {
			with(func(l *human.Limits) { l.ResendDelay = human.Duration(human.MinResendDelay - 1) }), with(func(l *human.Limits) { l.ResendDelay = human.Duration(human.MaxResendDelay + 1) }),
		},
	}
}

func TestLimitsOutOfBoundsAreRefusedByName(t *testing.T) {
	d := newDesk(t, usual)
	for name, all := range outOfBounds() {
		for n, limits := range all {
			err := limits.Check()
			wantError(t, name, err, human.ErrLimits)
			if err == nil || !strings.Contains(err.Error(), name+" is ") {
				t.Errorf("%s: %v", name, err)
			}
			id := fmt.Sprint(name, n)
			d.begin(id, request(limits))
			if in := d.get(id); in.Status != history.Failed || in.Failure.Message != err.Error() {
				t.Errorf("%s: %s with %v", id, in.Status, in.Failure)
			}
		}
	}
	if len(d.phone.texts) != 0 {
		t.Errorf("sent %v", d.phone.texts)
	}
	least := human.Limits{
		Timeout: human.Duration(human.MinTimeout), Tries: human.MinTries, Digits: human.MinDigits, Sends: human.MinSends, ResendDelay: human.Duration(human.MinResendDelay),
	}
	most := human.Limits{
		Timeout: human.Duration(human.MaxTimeout), Tries: human.MaxTries, Digits: human.MaxDigits, Sends: human.MaxSends, ResendDelay: human.Duration(human.MaxResendDelay),
	}
	for _, limits := range []human.Limits{usual, least, most} {
		if err := limits.Check(); err != nil {
			t.Error(err)
		}
	}
}

// Wherever limits come from, those that are out of bounds verify nobody.
func TestLimitsInForceThatAreOutOfBoundsVerifyNobody(t *testing.T) {
	for name, all := range outOfBounds() {
		for _, limits := range all {
			d := newDesk(t, limits)
			d.begin("a", number)
			for range 10 {
				d.pass(time.Hour)
			}
			if in := d.get("a"); in.Status != history.Failed || len(d.phone.texts) != 0 {
				t.Errorf("%s: %s after %d messages: %s", name, in.Status, len(d.phone.texts), in.Output)
			}
		}
	}
}
