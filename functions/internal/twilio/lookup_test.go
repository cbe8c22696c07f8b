package twilio_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/internal/twilio"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

func TestAnAPIKeyLetsRequestsIn(t *testing.T) {
	fake := twiliotest.New(t)
	o := options(fake.URL())
	o.ApiKeySid, o.ApiKeySecret, o.AuthToken = twiliotest.ApiKeySid, twiliotest.ApiKeySecret, ""
	if err := newSender(t, o).Send(t.Context(), to, body); err != nil {
		t.Fatal(err)
	}
	o.ApiKeySecret = "wrong"
	checkError(t, newSender(t, o).Send(t.Context(), to, body), twilio.Misconfigured)
	for _, spoil := range []func(*twilio.Options){
		func(o *twilio.Options) { o.ApiKeySid = "AC00" }, func(o *twilio.Options) { o.ApiKeySecret = "" }, func(o *twilio.Options) { o.ApiKeySecret = "hunter-2" },
	} {
		bad := o
		spoil(&bad)
		if _, err := twilio.New(bad); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%v", err)
		}
	}
}

func TestTheWaitThatTwilioAsksForIsTold(t *testing.T) {
	fake := twiliotest.New(t)
	fake.Script(to, twiliotest.RateLimited(7*time.Second), twiliotest.Fail(503), twiliotest.RateLimited(100*time.Hour))
	s := newSender(t, options(fake.URL()))
	for _, want := range []time.Duration{7 * time.Second, 0, time.Hour} {
		if e := checkError(t, s.Send(t.Context(), to, body), twilio.Unavailable); e.RetryAfter() != want {
			t.Errorf("wait %v, want %v", e.RetryAfter(), want)
		}
	}
}

// A message that was taken although nobody said so is found, so nobody sends it again.
func TestALostReplyIsMadeUpForByLookingTheMessageUp(t *testing.T) {
	for name, test := range map[string]struct {
		answer twiliotest.Answer
		lists  []twiliotest.Answer
		before string // a message that was sent before
		found  bool
	}{
		"reply lost":                      {twiliotest.LostReply(), nil, "", true},
		"unreadable success":              {twiliotest.Undecodable(201), nil, "", true},
		"server error":                    {twiliotest.Fail(500), nil, "", false},
		"never arrived":                   {twiliotest.Dropped(), nil, "", false},
		"another message to the number":   {twiliotest.Dropped(), nil, "hello", false},
		"the list is refused":             {twiliotest.LostReply(), []twiliotest.Answer{twiliotest.Fail(503)}, "", false},
		"the list's reply is lost":        {twiliotest.LostReply(), []twiliotest.Answer{twiliotest.Dropped()}, "", false},
		"the list cannot be read":         {twiliotest.LostReply(), []twiliotest.Answer{twiliotest.Undecodable(200)}, "", false},
		"the same message, minutes later": {twiliotest.Dropped(), nil, body, false},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now().Add(-10 * time.Minute)
			fake, err := twiliotest.Start(twiliotest.Options{Now: func() time.Time { return now }, Logf: t.Logf})
			if err != nil {
				t.Fatal(err)
			}
			defer fake.Close()
			o := options(fake.URL())
			o.LookUp = true
			s := newSender(t, o)
			if test.before != "" {
				if err := s.Send(t.Context(), to, test.before); err != nil {
					t.Fatal(err)
				}
			}
			now = time.Now()
			fake.Script(to, test.answer)
			fake.ScriptLists(test.lists...)
			sid, err := s.SendMessage(t.Context(), to, body)
			if test.found {
				if err != nil || len(fake.Messages()) == 0 || sid != fake.Messages()[len(fake.Messages())-1].Sid {
					t.Errorf("%s %v", sid, err)
				}
			} else {
				checkError(t, err, twilio.Unknown)
			}
			if v := fake.Violations(); len(v) != 0 {
				t.Errorf("violations: %q", v)
			}
		})
	}
}

func TestAMessageIsLookedUpAlthoughTheCallerGaveUp(t *testing.T) {
	fake := twiliotest.New(t)
	fake.Script(to, twiliotest.Answer{HoldReply: make(chan struct{})})
	o := options(fake.URL())
	o.LookUp = true
	s := newSender(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error, 1)
	go func() { sent <- s.Send(ctx, to, body) }()
	if _, err := fake.Wait(t.Context(), to, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestTwilioIsToldWhereToReport(t *testing.T) {
	fake := twiliotest.New(t)
	o := options(fake.URL())
	o.Callback = func(context.Context) string { return "https://verify.example/api/TwilioStatus/a/1" }
	if err := newSender(t, o).Send(t.Context(), to, body); err != nil {
		t.Fatal(err)
	}
	if got := fake.Messages()[0].Callback; got != "https://verify.example/api/TwilioStatus/a/1" || len(fake.Violations()) != 0 {
		t.Errorf("%q %q", got, fake.Violations())
	}
}

func TestASettingCorrectsTheTableOfCodes(t *testing.T) {
	classes, err := twilio.ParseClasses("21211=unavailable,99999=misconfigured")
	if err != nil {
		t.Fatal(err)
	}
	fake := twiliotest.New(t)
	fake.Script(to, twiliotest.Refuse(21211), twiliotest.Refuse(99999), twiliotest.Answer{Status: http.StatusServiceUnavailable, Code: 99999})
	o := options(fake.URL())
	o.Classes = classes
	s := newSender(t, o)
	for _, want := range []twilio.Class{twilio.Unavailable, twilio.Misconfigured, twilio.Unavailable} {
		checkError(t, s.Send(t.Context(), to, body), want)
	}
	for _, bad := range []string{"x", "21211", "21211=", "21211=maybe", "=unknown", "1=unknown,,"} {
		if _, err := twilio.ParseClasses(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
