package human_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
)

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

// always lets every message fail.
func always(err error) func(int, string) error {
	return func(int, string) error { return err }
}

// firstOnes lets so many messages fail.
func firstOnes(n int, err error) func(int, string) error {
	return func(nth int, _ string) error {
		if nth <= n {
			return err
		}
		return nil
	}
}

func TestWhatWillNeverArriveEndsAtOnce(t *testing.T) {
	for _, kind := range []string{human.KindUndeliverable, human.KindMisconfigured} {
		d := newDesk(t, usual)
		d.phone.fail = always(failure{kind, "no route to that number (21612)"})
		d.begin("a", number)
		d.wantEnd("a", human.Verification{
			Outcome: human.Undeliverable,
			Detail:  `activity "SmsChallenge" failed: ` + kind + `: send a code: no route to that number (21612)`,
		})
		if n := len(d.phone.texts); n != 1 {
			t.Errorf("%s: sent %d times", kind, n)
		}
	}
}

func TestWhatMayArriveLaterIsSentAgain(t *testing.T) {
	kinds := map[string]error{
		"unavailable": failure{human.KindUnavailable, "busy"},
		"unknown":     failure{human.KindUnknown, "no answer"},
		"other":       failure{"something else", "hm"},
		"none":        errors.New("connection reset"),
		"wrapped":     fmt.Errorf("send: %w", failure{human.KindUnavailable, "busy"}),
	}
	for kind, err := range kinds {
		t.Run(kind, func(t *testing.T) {
			limits := usual
			limits.Sends = 5
			d := newDesk(t, limits)
			d.phone.fail = firstOnes(4, err)
			d.begin("a", number)
			for n, delay := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second} {
				in := d.get("a")
				if got := len(d.phone.texts); got != n+1 || in.Status != history.Running || !in.Wake.Equal(d.Now().Add(delay)) {
					t.Fatalf("after %d messages: %s, wakes at %v, want %v later", got, in.Status, in.Wake, delay)
				}
				d.pass(delay - 1)
				if got := len(d.phone.texts); got != n+1 {
					t.Fatalf("message %d was sent a nanosecond early", got)
				}
				d.pass(1)
			}
			d.wantWaiting("a", 3, d.Now().Add(5*time.Minute)) // from the last sending on
			d.answer("a", d.sent())
			d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 1})
			if n := len(d.phone.texts); n != 5 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

func TestEveryMessageHasACodeOfItsOwn(t *testing.T) {
	limits := longCodes()
	limits.Sends = 4
	d := newDesk(t, limits)
	d.phone.fail = firstOnes(3, failure{human.KindUnknown, "it may have come through"})
	d.begin("a", number)
	for range 3 {
		d.pass(10 * time.Minute)
	}
	codes := d.phone.codes(number)
	seen := map[string]bool{}
	for _, code := range codes {
		seen[code] = true
	}
	if len(codes) != 4 || len(seen) != 4 {
		t.Fatalf("%d codes in %d messages", len(seen), len(codes))
	}
	d.answer("a", codes[0])
	d.answer("a", codes[2])
	d.wantWaiting("a", 1, d.Now().Add(5*time.Minute)) // the old ones are wrong now
	d.answer("a", codes[3])
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 3})
}

// Somebody whose message came through although it seemed to fail types the old
// code while the next one is on its way.
func TestAnOldCodeTypedBeforeTheNextMessageIsAWrongTry(t *testing.T) {
	d := newDesk(t, longCodes())
	d.phone.fail = firstOnes(1, failure{human.KindUnknown, "it may have come through"})
	d.begin("a", number)
	first := d.sent()
	d.answer("a", first)
	if in := d.get("a"); in.Status != history.Running {
		t.Fatalf("%s with %s", in.Status, in.Output)
	}
	d.pass(10 * time.Second)
	d.wantWaiting("a", 2, d.Now().Add(5*time.Minute))
	d.answer("a", d.sent())
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 2})
}

func TestItIsSentAsOftenAsAllowed(t *testing.T) {
	for sends := 1; sends <= 4; sends++ {
		limits := usual
		limits.Sends = sends
		d := newDesk(t, limits)
		d.phone.fail = func(n int, _ string) error {
			return failure{human.KindUnavailable, fmt.Sprintf("busy for the %d. time", n)}
		}
		d.begin("a", number)
		for range 10 {
			d.pass(10 * time.Minute)
		}
		if n := len(d.phone.texts); n != sends {
			t.Errorf("sent %d times, want %d", n, sends)
		}
		d.wantEnd("a", human.Verification{
			Outcome: human.Undeliverable,
			Detail:  fmt.Sprintf(`activity "SmsChallenge" failed: unavailable: send a code: busy for the %d. time`, sends),
		})
	}
}

func TestTheFirstLastingFailureEndsTheSending(t *testing.T) {
	d := newDesk(t, usual)
	d.phone.fail = func(n int, _ string) error {
		return failure{[]string{human.KindUnavailable, human.KindUndeliverable}[n-1], fmt.Sprint("failure ", n)}
	}
	d.begin("a", number)
	d.pass(10 * time.Second)
	d.wantEnd("a", human.Verification{
		Outcome: human.Undeliverable, Detail: `activity "SmsChallenge" failed: undeliverable: send a code: failure 2`,
	})
}

// A process that dies while it sends leaves unknown whether the message went
// out. The next one sends another code, at once, and never the same twice.
func TestAnInterruptedSendingIsMadeUpForByTheNextProcess(t *testing.T) {
	d := newDesk(t, longCodes())
	release := make(chan struct{})
	d.phone.release = release
	_, err := d.client.Start(d.ctx(), string(smsVerify), "a", number)
	d.must(err)
	<-d.phone.sending
	first := d.sent()
	old := d.worker

	next := newPhone()
	d.phone = next
	d.open(usual)
	d.settle()
	if len(next.texts) != 1 {
		t.Fatalf("the next process sent %d messages", len(next.texts))
	}
	d.wantWaiting("a", 3, start.Add(5*time.Minute))
	d.answer("a", first)
	d.wantWaiting("a", 2, start.Add(5*time.Minute))
	d.answer("a", d.sent())
	if n := d.calls("a", string(human.SmsChallenge)); n != 2 {
		t.Errorf("%d calls; one that was cut short must not be run again", n)
	}
	verified := human.Verification{Verified: true, Outcome: human.Verified, Tries: 2}
	d.wantEnd("a", verified)
	close(release) // the old process wakes up, and nobody listens to it
	d.must(old.Settle(d.ctx()))
	d.wantEnd("a", verified)
}

func TestAVerificationOutlivesTheProcess(t *testing.T) {
	d := newDesk(t, usual)
	d.begin("a", number)
	d.open(usual)
	d.answer("a", wrong(d.sent()))
	d.open(usual)
	d.wantWaiting("a", 2, start.Add(5*time.Minute))
	d.answer("a", d.sent())
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 2})
	if n := len(d.phone.texts); n != 1 {
		t.Errorf("sent %d messages", n)
	}
}
