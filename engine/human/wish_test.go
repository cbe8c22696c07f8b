package human_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
)

// wish asks for another code, and returns what became of it.
func (d *desk) wish(id, payload string) history.Verdict {
	d.t.Helper()
	answer, err := d.client.Ask(d.ctx(), id, string(human.SmsResendCode), client.Payload{Body: []byte(payload)})
	d.must(err)
	d.settle()
	return answer.Verdict
}

func TestWhoGotNoCodeGetsAnotherAfterAPauseThatGrows(t *testing.T) {
	limits := longCodes()
	limits.Sends, limits.Tries = 4, 5
	d := newDesk(t, limits)
	d.begin("a", number)
	first := d.sent()
	for n, pause := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
		d.pass(pause - 1)
		if v := d.wish("a", "null"); v.Outcome != history.Rejected || !strings.Contains(v.Reason, "ask again at") {
			t.Errorf("wish %d came a nanosecond early: %+v", n+1, v)
		}
		d.pass(1)
		if v := d.wish("a", "null"); v.Outcome != history.Taken || len(d.phone.texts) != n+2 {
			t.Fatalf("wish %d: %+v, %d messages", n+1, v, len(d.phone.texts))
		}
		d.wantWaiting("a", 5, d.Now().Add(5*time.Minute)) // each code has its own time
	}
	d.pass(time.Minute)
	if v := d.wish("a", "null"); v.Outcome != history.Rejected || !strings.Contains(v.Reason, "as many as may be") {
		t.Errorf("one more: %+v", v)
	}
	d.answer("a", first)
	d.wantWaiting("a", 4, d.Now().Add(4*time.Minute))
	d.answer("a", d.sent())
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 2})
}

// However many codes there are, as many answers are compared as for one.
func TestAnotherCodeBringsNoOtherTries(t *testing.T) {
	d := newDesk(t, longCodes())
	d.begin("a", number)
	d.answer("a", wrong(d.sent()))
	d.answer("a", wrong(d.sent()))
	d.pass(10 * time.Second)
	d.wish("a", "null")
	d.wantWaiting("a", 1, d.Now().Add(5*time.Minute))
	d.answer("a", wrong(d.sent()))
	d.wantEnd("a", human.Verification{Outcome: human.TooManyTries, Tries: 3})
}

func TestAWishThatCannotBeGrantedLeavesTheCodeAsItIs(t *testing.T) {
	for kind, fail := range map[string]error{"refused": nil, "unavailable": failure{human.KindUnavailable, "busy"}, "undeliverable": failure{human.KindUndeliverable, "no"}} {
		t.Run(kind, func(t *testing.T) {
			limits := longCodes()
			limits.Sends = 2
			gate := &onceGate{}
			d := newDesk(t, limits, human.Behind(gate))
			gate.most = 2
			if fail == nil {
				gate.most = 1
			}
			d.phone.fail = func(n int, _ string) error {
				if n == 1 {
					return nil
				}
				return fail
			}
			d.begin("a", number)
			code, until := d.sent(), start.Add(5*time.Minute)
			d.pass(10 * time.Second)
			d.wish("a", "null")
			if in := d.get("a"); in.Status != history.Running || !in.Wake.Equal(until) {
				t.Fatalf("%s, wakes at %v", in.Status, in.Wake)
			}
			d.answer("a", code)
			d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 1})
		})
	}
}

func TestAMessageThatMayHaveComeThroughKillsTheCodeBefore(t *testing.T) {
	limits := longCodes()
	limits.Sends = 2
	d := newDesk(t, limits)
	d.phone.fail = func(n int, _ string) error {
		if n == 1 {
			return nil
		}
		return failure{human.KindUnknown, "no answer"}
	}
	d.begin("a", number)
	d.pass(10 * time.Second)
	d.wish("a", "null")
	d.wantEnd("a", human.Verification{Outcome: human.Undeliverable, Detail: `activity "SmsChallenge" failed: unknown: send a code: no answer`})
}

func TestAServiceThatWantsToBeLeftAloneIs(t *testing.T) {
	for after, want := range map[time.Duration]time.Duration{time.Second: 10 * time.Second, 45 * time.Second: 45 * time.Second, time.Hour: human.MaxResendDelay} {
		d := newDesk(t, usual)
		d.phone.fail = firstOnes(1, busy{after})
		d.begin("a", number)
		d.pass(want - 1)
		if n := len(d.phone.texts); n != 1 {
			t.Errorf("after %v: %d messages", after, n)
		}
		d.pass(1)
		d.answer("a", d.sent())
		d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 1})
	}
}

// busy is the error of a service that says when to come back.
type busy struct{ after time.Duration }

func (busy) Error() string               { return "busy" }
func (busy) Kind() string                { return human.KindUnavailable }
func (b busy) RetryAfter() time.Duration { return b.after }

func TestAMessageThatDoesNotArriveIsMadeUpFor(t *testing.T) {
	d := newDesk(t, longCodes(), human.Reported())
	d.begin("a", number)
	receipt := d.receipts("a")[0]
	tell := func(message int, status human.DeliveryStatus, kind string) {
		body := fmt.Sprintf(`{"message":%d,"status":%q,"kind":%q}`, message, status, kind)
		d.must(d.client.Raise(d.ctx(), "a", string(human.SmsDelivery), client.Payload{Body: []byte(body)}))
		d.settle()
	}
	tell(receipt.Message, human.MessageSent, "")
	tell(receipt.Message+1, human.MessageFailed, human.KindUnavailable) // another message
	if n := len(d.phone.texts); n != 1 {
		t.Fatalf("%d messages", n)
	}
	tell(receipt.Message, human.MessageUndelivered, human.KindUnavailable)
	if n := len(d.phone.texts); n != 2 {
		t.Fatalf("%d messages", n)
	}
	tell(receipt.Message, human.MessageDelivered, "") // late, of the first
	next := d.receipts("a")[1]
	tell(next.Message, human.MessageDelivered, "")
	tell(next.Message, human.MessageUndelivered, human.KindUnavailable) // out of order
	if n := len(d.phone.texts); n != 2 {
		t.Errorf("%d messages", n)
	}
	if status := string(d.get("a").CustomStatus); !strings.Contains(status, `"delivery":"delivered"`) {
		t.Errorf("status %s", status)
	}
	d.answer("a", d.sent())
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 1})
}

// Nobody can type a code that did not arrive, so that is why none was, and not the time.
func TestACodeThatDidNotArriveIsNotMerelyExpired(t *testing.T) {
	for name, test := range map[string]struct {
		told []human.DeliveryStatus
		want human.Verification
	}{
		"undelivered":    {[]human.DeliveryStatus{human.MessageUndelivered, human.MessageSent}, human.Verification{Outcome: human.Undeliverable, Detail: "the message was reported as undelivered"}},
		"failed":         {[]human.DeliveryStatus{human.MessageFailed}, human.Verification{Outcome: human.Undeliverable, Detail: "the message was reported as failed"}},
		"late after all": {[]human.DeliveryStatus{human.MessageUndelivered, human.MessageDelivered}, human.Verification{Outcome: human.Expired}},
		"on its way":     {[]human.DeliveryStatus{human.MessageSent}, human.Verification{Outcome: human.Expired}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, usual, human.Reported())
			d.begin("a", number)
			for _, status := range test.told {
				body := fmt.Sprintf(`{"message":%d,"status":%q,"kind":%q}`, d.receipts("a")[0].Message, status, human.KindUndeliverable)
				d.must(d.client.Raise(d.ctx(), "a", string(human.SmsDelivery), client.Payload{Body: []byte(body)}))
				d.settle()
			}
			d.pass(5 * time.Minute)
			d.wantEnd("a", test.want)
			if n := len(d.phone.texts); n != 1 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// News that cannot be understood is none, whoever raises it, and so is a wish.
func TestWhatDoesNotFitChangesNoVerification(t *testing.T) {
	d := newDesk(t, longCodes(), human.Reported())
	d.begin("a", number)
	for _, event := range []string{string(human.SmsDelivery), string(human.SmsResendCode)} {
		for _, payload := range []string{`5`, `"failed"`, `[]`, `{"message":"1"}`, `{"channel":7}`, `{"other":true}`} {
			d.must(d.client.Raise(d.ctx(), "a", event, client.Payload{Body: []byte(payload)}))
			d.settle()
		}
	}
	d.wantWaiting("a", 3, start.Add(5*time.Minute))
	d.answer("a", d.sent())
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 1})
}

// Whatever the order, and however often each comes, the status is the same in the
// end, and it never goes back.
func TestStatusesAreMergedMonotonically(t *testing.T) {
	all := []human.DeliveryStatus{"", human.MessageQueued, human.MessageSending, human.MessageSent, human.MessageUndelivered, human.MessageFailed, human.MessageDelivered, human.MessageRead, "nonsense"}
	for _, a := range all {
		for _, b := range all {
			if a.Merge(b).Merge(a) != a.Merge(b) || a.Merge(b).Merge(b) != a.Merge(b) {
				t.Errorf("%s and %s: a repetition changes it", a, b)
			}
			known := func(s human.DeliveryStatus) bool { return s != "" && s != "nonsense" }
			if known(a) && known(b) && a.Merge(b) != b.Merge(a) {
				t.Errorf("%s and %s: the order counts", a, b)
			}
			for _, c := range all {
				if a.Merge(b).Merge(c) != a.Merge(b.Merge(c)) && known(b) {
					t.Errorf("%s, %s and %s: the order counts", a, b, c)
				}
			}
		}
	}
}

func TestALimitThatIsInTheWayIsNamed(t *testing.T) {
	until := start.Add(time.Hour)
	d := newDesk(t, usual, human.Behind(closedGate{human.Refusal{Limit: "phone", Until: until}}))
	d.begin("a", number)
	in := d.get("a")
	want := `{"verified":false,"outcome":"limited","tries":0,"detail":"the limit \"phone\" does not let a code be sent before 2026-11-23T13:00:00Z","refused":{"limit":"phone","until":"2026-11-23T13:00:00Z"}}`
	if string(in.Output) != want || len(d.phone.texts) != 0 {
		t.Errorf("%s, %d messages", in.Output, len(d.phone.texts))
	}
}

// Where nobody can be asked, nothing is sent.
func TestAGateThatDoesNotAnswerIsClosed(t *testing.T) {
	d := newDesk(t, usual, human.Behind(brokenGate{}))
	d.begin("a", number)
	for range 5 {
		d.pass(10 * time.Minute)
	}
	d.wantEnd("a", human.Verification{Outcome: human.Undeliverable, Detail: `activity "SmsChallenge" failed: unavailable: ask whether a code may be sent: out of order`})
	if len(d.phone.texts) != 0 {
		t.Errorf("sent %v", d.phone.texts)
	}
}

// A message is the same to a gate, and the first of its verification, until one may have
// left: whoever is asked again does not count it again, nor take it for less.
func TestAGateIsAskedAboutTheSameMessageUntilItMayHaveLeft(t *testing.T) {
	limits := usual
	limits.Sends = 5
	gate := &notingGate{}
	d := newDesk(t, limits, human.Behind(gate))
	d.phone.fail = func(n int, _ string) error {
		return map[int]error{1: failure{human.KindUnavailable, "busy"}, 3: failure{human.KindUnknown, "no answer"}}[n]
	}
	d.begin("a", number) // the gate does not answer
	for range 2 {
		d.pass(10 * time.Minute) // the phone is busy, then it gets the message
	}
	d.pass(time.Minute)
	d.wish("a", "null") // nobody knows whether it gets this
	d.pass(10 * time.Minute)
	var again []bool
	keys := map[string]int{}
	for _, s := range gate.asked {
		again = append(again, s.Again)
		keys[s.Key]++
	}
	if fmt.Sprint(again) != "[false false false true true]" || len(keys) != 3 || keys[gate.asked[0].Key] != 3 {
		t.Errorf("asked %v, with the keys %v", again, keys)
	}
}

func TestAnUnknownChannelIsRefusedAndACallTakesAService(t *testing.T) {
	d := newDesk(t, usual)
	d.begin("a", human.Request{Number: number, Channel: "pigeon"})
	if in := d.get("a"); in.Status != history.Failed || !strings.Contains(in.Failure.Message, "pigeon") {
		t.Errorf("%s %v", in.Status, in.Failure)
	}
	d.begin("b", human.Request{Number: number, Channel: human.Voice})
	if in := d.get("b"); !strings.Contains(string(in.Output), "undeliverable") {
		t.Errorf("%s %s", in.Status, in.Output)
	}
	if len(d.phone.texts) != 0 {
		t.Errorf("sent %v", d.phone.texts)
	}
}

var errOrder = errors.New("out of order")
