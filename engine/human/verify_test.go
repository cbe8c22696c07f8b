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

// request asks for a verification with the limits.
func request(limits human.Limits) human.Request {
	return human.Request{Number: number, Limits: &limits}
}

func TestTheRightCodeVerifies(t *testing.T) {
	forms := map[string]func(code string) string{
		"as it is":         func(c string) string { return c },
		"as a JSON string": func(c string) string { return `"` + c + `"` },
		"with a space":     func(c string) string { return c[:3] + " " + c[3:] },
		"with a dash":      func(c string) string { return c[:3] + "-" + c[3:] },
		"with a newline":   func(c string) string { return c + "\r\n" },
		"as a number":      func(c string) string { return strings.TrimLeft(c, "0") },
	}
	d := newDesk(t, usual)
	for form, typed := range forms {
		d.begin(form, number)
		d.answer(form, typed(d.sent()))
		d.wantEnd(form, human.Verification{Verified: true, Outcome: human.Verified, Tries: 1})
	}
}

func TestTheMessageNamesTheCodeAndHowLongItIsValid(t *testing.T) {
	words := map[time.Duration]string{
		time.Minute: "1 minute", 5 * time.Minute: "5 minutes", 90 * time.Second: "90 seconds", 10 * time.Minute: "10 minutes", 30 * time.Second: "30 seconds",
	}
	d := newDesk(t, usual)
	for valid, want := range words {
		limits := usual
		limits.Timeout = human.Duration(valid)
		d.begin(want, request(limits))
		m := d.phone.texts[len(d.phone.texts)-1]
		if m.to != number || m.body != "Your verification code is "+d.sent()+". It is valid for "+want+"." {
			t.Errorf("%v: sent %q to %s", valid, m.body, m.to)
		}
	}
}

func TestTheLastTryCounts(t *testing.T) {
	d := newDesk(t, usual)
	d.begin("a", number)
	until := start.Add(5 * time.Minute)
	d.wantWaiting("a", 3, until)
	d.answer("a", wrong(d.sent()))
	d.wantWaiting("a", 2, until)
	d.set(start.Add(time.Minute))
	d.answer("a", wrong(wrong(d.sent())))
	d.wantWaiting("a", 1, until)
	d.answer("a", d.sent())
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 3})
}

func TestNoTryMoreThanAllowed(t *testing.T) {
	for tries := 1; tries <= 4; tries++ {
		limits := usual
		limits.Tries = tries
		d := newDesk(t, limits)
		d.begin("a", number)
		for left := tries; left > 0; left-- {
			d.wantWaiting("a", left, start.Add(5*time.Minute))
			d.answer("a", wrong(d.sent()))
		}
		d.wantEnd("a", human.Verification{Outcome: human.TooManyTries, Tries: tries})
		err := d.client.Raise(d.ctx(), "a", response, client.Payload{Body: []byte(d.sent())})
		wantError(t, "a try more", err, client.ErrFinished)
	}
}

// Answers that were sent all at once are counted one by one: the right one
// behind too many wrong ones is not heard.
func TestGuessesInABatchAreCountedOneByOne(t *testing.T) {
	for guesses, verified := range map[int]bool{2: true, 3: false, 50: false} {
		d := newDesk(t, usual)
		d.begin("a", number)
		code := d.sent()
		for range guesses {
			d.must(d.late.Raise(d.ctx(), "a", response, client.Payload{Body: []byte(wrong(code))}))
		}
		d.must(d.late.Raise(d.ctx(), "a", response, client.Payload{Body: []byte(code)}))
		d.settle()
		want := human.Verification{Outcome: human.TooManyTries, Tries: 3}
		if verified {
			want = human.Verification{Verified: true, Outcome: human.Verified, Tries: 3}
		}
		d.wantEnd("a", want)
	}
}

func TestTheDeadlineIsExact(t *testing.T) {
	deadline := start.Add(5 * time.Minute)
	verified := human.Verification{Verified: true, Outcome: human.Verified, Tries: 2}
	expired := human.Verification{Outcome: human.Expired, Tries: 1}
	tests := map[string]struct {
		sent, turn time.Time // when the answer was accepted, and when a worker got to it
		want       human.Verification
	}{
		"a nanosecond before":              {deadline.Add(-1), deadline.Add(-1), verified},
		"at the deadline":                  {deadline, deadline, verified},
		"a nanosecond after":               {deadline.Add(1), deadline.Add(1), expired},
		"before, and the worker was late":  {deadline.Add(-1), deadline.Add(time.Hour), verified},
		"at it, and the worker was late":   {deadline, deadline.Add(24 * time.Hour), verified},
		"after, and the worker was late":   {deadline.Add(1), deadline.Add(time.Hour), expired},
		"long after":                       {deadline.Add(time.Hour), deadline.Add(time.Hour), expired},
		"at it, when the worker came then": {deadline, deadline, verified},
	}
	for name, test := range tests {
		for _, way := range []string{"worker", "store"} {
			t.Run(name+" by the "+way, func(t *testing.T) {
				d := newDesk(t, usual)
				d.begin("a", number)
				d.answer("a", wrong(d.sent()))
				c := d.late
				if way == "worker" && test.sent.Equal(test.turn) {
					c = d.client
				}
				d.set(test.sent)
				d.must(c.Raise(d.ctx(), "a", response, client.Payload{Body: []byte(d.sent())}))
				d.set(test.turn)
				d.settle()
				d.wantEnd("a", test.want)
			})
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	d := newDesk(t, usual)
	d.begin("a", number)
	d.pass(5*time.Minute - 1)
	d.wantWaiting("a", 3, start.Add(5*time.Minute))
	d.pass(1)
	d.wantEnd("a", human.Verification{Outcome: human.Expired})
	if err := d.client.Raise(d.ctx(), "a", response, client.Payload{Body: []byte(d.sent())}); err == nil {
		t.Error("an answer was taken after the end")
	}
}

// The deadline is one for all tries: a wrong answer does not put it off.
func TestAWrongAnswerPutsNothingOff(t *testing.T) {
	d := newDesk(t, usual)
	d.begin("a", number)
	d.set(start.Add(4 * time.Minute))
	d.answer("a", wrong(d.sent()))
	if wake := d.get("a").Wake; !wake.Equal(start.Add(5 * time.Minute)) {
		t.Errorf("wakes at %v", wake)
	}
	d.pass(time.Minute)
	d.wantEnd("a", human.Verification{Outcome: human.Expired, Tries: 1})
}

// The phone may be faster than the service that reports the sending.
func TestAnAnswerMayComeBeforeTheSendingIsReported(t *testing.T) {
	for name, early := range map[string][]bool{"right": {true}, "wrong, then right": {false, true}, "wrong": {false}, "all wrong": {false, false, false}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, usual)
			d.phone.release = make(chan struct{})
			_, err := d.client.Start(d.ctx(), string(smsVerify), "a", number)
			d.must(err)
			<-d.phone.sending
			for _, right := range early {
				typed := d.sent()
				if !right {
					typed = wrong(typed)
				}
				d.must(d.client.Raise(d.ctx(), "a", response, client.Payload{Body: []byte(typed)}))
			}
			if in := d.get("a"); in.Status != history.Running {
				t.Errorf("before the sending is reported: %s with %s", in.Status, in.Output)
			}
			d.set(start.Add(4 * time.Minute)) // the clock of the answers begins when the code is sent
			close(d.phone.release)
			d.settle()
			switch {
			case early[len(early)-1]:
				d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: len(early)})
			case len(early) == usual.Tries:
				d.wantEnd("a", human.Verification{Outcome: human.TooManyTries, Tries: len(early)})
			default:
				d.wantWaiting("a", usual.Tries-len(early), start.Add(9*time.Minute))
			}
		})
	}
}

func TestOneVerificationsCodeIsOfNoUseForAnother(t *testing.T) {
	d := newDesk(t, longCodes())
	d.begin("a", number)
	code := d.sent()
	d.begin("b", number)
	d.answer("b", code)
	d.wantWaiting("b", 2, start.Add(5*time.Minute))
	d.answer("a", code)
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 1})
}

// An orchestration may verify one phone after another: news and answers that come late for
// the one are no others for the next, and a gate takes the messages for two.
func TestOneOrchestrationVerifiesOnePhoneAfterAnother(t *testing.T) {
	const other = "+447700900124"
	gate := &notingGate{asked: make([]human.Sending, 1)}
	d := newDesk(t, longCodes(), human.Reported(), human.Behind(gate))
	_, err := d.client.Start(d.ctx(), string(verifyTwo), "a", []string{number, other})
	d.must(err)
	d.settle()
	first := d.sent()
	d.answer("a", first)
	late := fmt.Sprintf(`{"message":%d,"status":"undelivered","kind":"unavailable"}`, d.receipts("a")[0].Message)
	d.must(d.client.Raise(d.ctx(), "a", string(human.SmsDelivery), client.Payload{Body: []byte(late)}))
	d.settle()
	d.answer("a", first)
	second := d.phone.codes(other)
	if len(second) != 1 {
		t.Fatalf("%d messages to the second phone", len(second))
	}
	d.answer("a", second[0])
	in := d.get("a")
	want := `[{"verified":true,"outcome":"verified","tries":1},{"verified":true,"outcome":"verified","tries":2}]`
	if in.Status != history.Completed || string(in.Output) != want {
		t.Errorf("%s with %s", in.Status, in.Output)
	}
	if asked := gate.asked[1:]; len(asked) != 2 || asked[0].Key == asked[1].Key || asked[1].Again {
		t.Errorf("the gate was asked %+v", asked)
	}
}

// The seal in the history, sent as an answer, opens nothing.
func TestTheSealIsNoAnswer(t *testing.T) {
	d := newDesk(t, usual)
	d.begin("a", number)
	events, err := d.client.History(d.ctx(), "a")
	d.must(err)
	var receipt human.Receipt
	for _, e := range events {
		if e.Kind == history.TaskCompleted && json.Unmarshal(e.Result, &receipt) == nil && receipt.Code != "" {
			break
		}
	}
	if !strings.HasPrefix(string(receipt.Code), "sealed:") {
		t.Fatalf("no seal in %v", events)
	}
	d.answer("a", string(receipt.Code))
	d.answer("a", `"`+string(receipt.Code)+`"`)
	d.wantWaiting("a", 1, start.Add(5*time.Minute))
}

func TestASuspendedVerificationGoesOn(t *testing.T) {
	d := newDesk(t, usual)
	d.begin("a", number)
	d.must(d.client.Suspend(d.ctx(), "a", ""))
	d.answer("a", d.sent())
	d.pass(time.Hour)
	d.must(d.client.Resume(d.ctx(), "a", ""))
	d.settle()
	d.wantEnd("a", human.Verification{Verified: true, Outcome: human.Verified, Tries: 1})
}
