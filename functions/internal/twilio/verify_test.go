package twilio_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/functions/internal/twilio"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

func newVerifier(t *testing.T, o twilio.Options) *twilio.Verifier {
	t.Helper()
	v, err := twilio.NewVerifier(twiliotest.ServiceSid, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// codeOf returns the code of the last message to the number.
func codeOf(t *testing.T, fake *twiliotest.Server) human.Code {
	t.Helper()
	all := fake.MessagesFor(to)
	if len(all) == 0 {
		t.Fatal("no message")
	}
	return human.CodeOf(regexp.MustCompile(`\d{6}`).FindString(all[len(all)-1].Body))
}

func TestTwilioVerifyMakesSendsAndComparesCodes(t *testing.T) {
	fake := twiliotest.New(t)
	v := newVerifier(t, options(fake.URL()))
	id, err := v.Begin(t.Context(), to, "", "de", "")
	if err != nil {
		t.Fatal(err)
	}
	want := func(code human.Code, result human.CheckResult) {
		t.Helper()
		if got, err := v.Check(t.Context(), id, to, code); got != result || err != nil {
			t.Errorf("%s %v, want %s", got, err, result)
		}
	}
	want(human.CodeOf("not it"), human.Wrong)
	want(codeOf(t, fake), human.Right)
	want(codeOf(t, fake), human.Gone) // it is forgotten once it is approved
	if v := fake.Violations(); len(v) != 0 {
		t.Errorf("violations: %q", v)
	}
}

// Twilio sends the same code again within ten minutes; so what was begun is canceled
// first, and the old code is worth nothing.
func TestAnotherVerificationHasAnotherCode(t *testing.T) {
	fake := twiliotest.New(t)
	v := newVerifier(t, options(fake.URL()))
	first, err := v.Begin(t.Context(), to, human.SMS, "", "")
	if err != nil {
		t.Fatal(err)
	}
	old := codeOf(t, fake)
	next, err := v.Begin(t.Context(), to, human.Voice, "", first)
	if err != nil || next == first {
		t.Fatal(next, err)
	}
	if got, err := v.Check(t.Context(), first, to, old); got != human.Gone || err != nil {
		t.Errorf("the old one: %s %v", got, err)
	}
	if got, err := v.Check(t.Context(), next, to, codeOf(t, fake)); got != human.Right || err != nil {
		t.Errorf("the next: %s %v", got, err)
	}
	if _, err := v.Begin(t.Context(), to, human.SMS, "", next); err != nil {
		t.Errorf("after one that is gone: %v", err)
	}
}

func TestTwiliosLimitsOfAVerification(t *testing.T) {
	now := time.Now()
	fake, err := twiliotest.Start(twiliotest.Options{Now: func() time.Time { return now }, Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	v := newVerifier(t, options(fake.URL()))
	id, err := v.Begin(t.Context(), to, human.SMS, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if got, err := v.Check(t.Context(), id, to, human.CodeOf("1")); got != human.Wrong || err != nil {
			t.Fatal(got, err)
		}
	}
	if got, err := v.Check(t.Context(), id, to, codeOf(t, fake)); got != human.Gone || err != nil {
		t.Errorf("a sixth check: %s %v", got, err)
	}
	for range 4 {
		if again, err := v.Begin(t.Context(), to, human.SMS, "", ""); again != id || err != nil {
			t.Fatal(again, err)
		}
	}
	_, err = v.Begin(t.Context(), to, human.SMS, "", "")
	if e := checkError(t, err, twilio.Unavailable); e.Code != 60203 {
		t.Errorf("a sixth send: %v", err)
	}
	now = now.Add(10 * time.Minute)
	if got, err := v.Check(t.Context(), id, to, codeOf(t, fake)); got != human.Gone || err != nil {
		t.Errorf("after ten minutes: %s %v", got, err)
	}
}

func TestFailuresOfVerifyHaveTheirClasses(t *testing.T) {
	fake := twiliotest.New(t)
	v := newVerifier(t, options(fake.URL()))
	for _, test := range []struct {
		answer twiliotest.Answer
		class  twilio.Class
	}{
		{twiliotest.Refuse(60200), twilio.Undeliverable}, {twiliotest.Refuse(60205), twilio.Undeliverable},
		{twiliotest.Answer{Status: 403, Code: 60410, Message: "blocked"}, twilio.Misconfigured}, {twiliotest.RateLimited(time.Second), twilio.Unavailable},
		{twiliotest.Fail(500), twilio.Unknown}, {twiliotest.LostReply(), twilio.Unknown}, {twiliotest.Undecodable(201), twilio.Unknown},
	} {
		fake.Script(to, test.answer)
		_, err := v.Begin(t.Context(), to, human.SMS, "", "")
		checkError(t, err, test.class)
	}
	fake.ScriptChecks(twiliotest.Fail(503), twiliotest.Dropped())
	for _, class := range []twilio.Class{twilio.Unavailable, twilio.Unknown} {
		_, err := v.Check(t.Context(), "VE1", to, human.CodeOf("048215"))
		checkError(t, err, class)
	}
	if _, err := twilio.NewVerifier("VA00", options(fake.URL())); err == nil {
		t.Error("a bad service was taken")
	}
}
