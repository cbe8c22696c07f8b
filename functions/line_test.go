package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// openWithTwilio starts the app with its messages going to a fake Twilio.
func openWithTwilio(t *testing.T, tw *twiliotest.Server, env ...string) *site {
	t.Helper()
	return open(t, t.TempDir(), true, append([]string{
		"TwilioApiUrl=" + tw.URL(), "TwilioVerifyUrl=" + tw.URL(), "TwilioAccountSid=" + twiliotest.AccountSid, "TwilioAuthToken=" + twiliotest.AuthToken,
		"TwilioApiKeySid=" + twiliotest.ApiKeySid, "TwilioApiKeySecret=" + twiliotest.ApiKeySecret,
		"TwilioPhoneNumber=" + twiliotest.From, "SmsCountries=GB",
	}, env...)...)
}

// messages waits for so many messages to a number.
func messages(t *testing.T, tw *twiliotest.Server, to string, n int) []twiliotest.Message {
	t.Helper()
	all, err := tw.Wait(t.Context(), to, n)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// ended waits until an instance has ended and returns its status.
func (s *site) ended(l links) string {
	s.t.Helper()
	for {
		if w, status := s.do("GET", l.StatusQueryGetURI, ""); w.StatusCode != http.StatusAccepted || s.t.Failed() {
			return status
		}
	}
}

func (s *site) wantOutput(l links, part string) {
	s.t.Helper()
	if status := s.ended(l); !strings.Contains(status, part) {
		s.t.Errorf("%s lacks %s", status, part)
	}
}

func TestAVerificationThroughTwilioFromStartToEnd(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw)
	l := s.authenticate(number)
	sent := messages(t, tw, number, 1)[0]
	s.waiting(l)
	told := []twiliotest.Status{{Name: "delivered"}, {Name: "queued"}, {Name: "sent"}, {Name: "delivered"}}
	if err := tw.Report(t.Context(), sent.Sid, told...); err != nil {
		t.Fatal(err)
	}
	if status := s.waiting(l); !strings.Contains(status, `"delivery":"delivered"`) {
		t.Error(status)
	}
	s.want(202, "POST", l.event(), codeIn(sent.Body))
	s.wantOutput(l, `"outcome":"verified"`)
	if err := tw.Report(t.Context(), sent.Sid, twiliotest.Status{Name: "read"}); err != nil {
		t.Errorf("a report after the end: %v", err)
	}
	if v := tw.Violations(); len(v) != 0 {
		t.Errorf("violations: %q", v)
	}
}

func TestAMessageThatTwilioCouldNotDeliverIsSentAgain(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, "SmsVerifyResendDelay=1s")
	l := s.authenticate(number)
	first := messages(t, tw, number, 1)[0]
	s.waiting(l)
	if err := tw.Report(t.Context(), first.Sid, twiliotest.Status{Name: "undelivered", Code: 30003}); err != nil {
		t.Fatal(err)
	}
	second := messages(t, tw, number, 2)[1]
	s.waiting(l)
	s.want(202, "POST", l.event(), codeIn(second.Body))
	s.wantOutput(l, `"outcome":"verified"`)
}

func TestNoOtherCodeIsSentToWhoAsksTooEarly(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, "SmsVerifyResendDelay=2m")
	l := s.authenticate(number)
	messages(t, tw, number, 1)
	s.waiting(l)
	s.want(422, "POST", l.ResendPostURI, "", "Prefer: wait=60")
	s.want(202, "POST", l.event(), codeIn(tw.MessagesFor(number)[0].Body))
	s.wantOutput(l, `"outcome":"verified"`)
	if n := len(tw.MessagesFor(number)); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// Each class of answers, and of what the network does, leads a verification where it
// should: to its end, or to a code that verifies. Nobody is sent a message more than needed.
func TestWhateverTwilioAnswersTheVerificationEndsAsItShould(t *testing.T) {
	for name, test := range map[string]struct {
		answer  twiliotest.Answer
		outcome string // empty if a code comes after all
		kind    string
	}{
		"no such number":     {twiliotest.Refuse(21211), "undeliverable", "undeliverable"},
		"opted out":          {twiliotest.Refuse(21610), "undeliverable", "undeliverable"},
		"a code nobody has":  {twiliotest.Refuse(99999), "undeliverable", "undeliverable"},
		"bad credentials":    {twiliotest.Refuse(20003), "undeliverable", "misconfigured"},
		"a region not open":  {twiliotest.Refuse(21408), "undeliverable", "misconfigured"},
		"come again":         {twiliotest.RateLimited(2 * time.Second), "", ""},
		"down":               {twiliotest.Fail(503), "", ""},
		"an error inside":    {twiliotest.Fail(500), "", ""},
		"never arrived":      {twiliotest.Dropped(), "", ""},
		"reply lost":         {twiliotest.LostReply(), "", ""},
		"unreadable success": {twiliotest.Undecodable(201), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tw := twiliotest.New(t)
			tw.Script(number, test.answer)
			s := openWithTwilio(t, tw, "SmsVerifyResendDelay=1s", "SmsVerifySends=5", "SmsVerifyTimeout=10m", "TwilioTimeout=30s")
			l := s.authenticate(number)
			if test.outcome == "" {
				code := codeIn(messages(t, tw, number, 1)[0].Body)
				s.waiting(l)
				s.want(202, "POST", l.event(), code)
				s.wantOutput(l, `"outcome":"verified"`)
			} else {
				s.wantOutput(l, `"outcome":"`+test.outcome+`"`)
				s.wantOutput(l, "failed: "+test.kind+":")
			}
			if n, v := len(tw.Messages()), tw.Violations(); n > 1 || len(v) > 0 {
				t.Errorf("%d messages, violations: %q", n, v)
			}
		})
	}
}

func TestAnotherCodeIsSentToWhoAsksByTheLinkForThat(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, "SmsVerifyResendDelay=1s", "OperatorKey=0123456789abcdefghij", "SmsVerifySends=5")
	l := s.authenticate(number)
	messages(t, tw, number, 1)
	s.waiting(l)
	for later := time.Now().Add(time.Second); time.Now().Before(later); {
		s.waiting(l)
	}
	s.want(200, "POST", l.ResendPostURI, "", "Prefer: wait=60")
	second := messages(t, tw, number, 2)[1]
	s.waiting(l)
	s.want(202, "POST", l.event(), codeIn(second.Body))
	s.wantOutput(l, `"outcome":"verified"`)
	if w, _ := s.do("POST", strings.Replace(l.ResendPostURI, "SmsResendCode", "SmsChallengeResponse", 1), "1"); w.StatusCode != 404 {
		t.Errorf("the link opens another door: %d", w.StatusCode)
	}
}

func TestTheLimitThatIsInTheWayIsToldAndNothingIsSent(t *testing.T) {
	for limit, env := range map[string]string{
		"country": "SmsCountries=DE,FR", "money": "SmsDailyBudget=50", "day": "SmsDaily=1", "phone": "SmsPhoneHourly=1", "prefix": "SmsPrefixHourly=1", "caller": "SmsCallerHourly=1",
	} {
		t.Run(limit, func(t *testing.T) {
			tw, began := twiliotest.New(t), time.Now()
			s := openWithTwilio(t, tw, env, "SmsVerifyTimeout=1m")
			sent := 0
			if limit != "country" && limit != "money" {
				before := s.authenticate(number)
				messages(t, tw, number, 1)
				s.waiting(before)
				sent = 1
			}
			status := s.ended(s.authenticate(number))
			if limit == "day" && !isToday(began) {
				return // the day that has begun has a message of its own
			}
			if !strings.Contains(status, `"limit":"`+limit+`"`) || len(tw.Messages()) != sent {
				t.Errorf("%s; %d messages", status, len(tw.Messages()))
			}
		})
	}
}

// isToday reports whether it is still the day of a time, UTC. At midnight all that is counted
// by the day begins anew.
func isToday(t time.Time) bool { return t.UTC().YearDay() == time.Now().UTC().YearDay() }

func TestTwilioVerifyStandsBehindTheSameCall(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, "TwilioVerifyServiceSid="+twiliotest.ServiceSid)
	l := readLinks(t, s.want(202, "POST", authenticatePath, fmt.Sprintf(`{"number":%q,"channel":"call","locale":"de"}`, number)))
	code := codeIn(messages(t, tw, number, 1)[0].Body)
	s.waiting(l)
	s.want(202, "POST", l.event(), `"000000000"`)
	s.want(202, "POST", l.event(), code)
	s.wantOutput(l, `{"verified":true,"outcome":"verified","tries":2}`)
	if strings.Contains(s.want(200, "GET", localPath+"/instances/"+l.ID+"?showHistory=true&showHistoryOutput=true&showInput=true", ""), code) {
		t.Error("the code is shown")
	}
}

func TestChannelAndLocaleAreChecked(t *testing.T) {
	s := open(t, t.TempDir(), true)
	for _, bad := range []string{`{"number":"+447700900123","channel":"pigeon"}`, `{"number":"+447700900123","channel":"call"}`, `{"number":"+447700900123","locale":"<b>"}`} {
		s.want(400, "POST", authenticatePath, bad)
	}
	l := readLinks(t, s.want(202, "POST", authenticatePath+"?number=%2B447700900123&locale=de-CH", ""))
	s.waiting(l)
	if all := s.want(200, "GET", messagesPath, ""); !strings.Contains(all, "Bestätigungscode") {
		t.Error(all)
	}
}

// What Twilio did not sign is refused, whatever it says.
func TestNobodyButTwilioIsHeard(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw)
	l := s.authenticate(number)
	messages(t, tw, number, 1)
	s.waiting(l)
	status := smsStatusPath + l.ID + "/1"
	form := url.Values{"AccountSid": {twiliotest.AccountSid}, "MessageSid": {"SM1"}, "MessageStatus": {"failed"}, "ErrorCode": {"30003"}}
	kind := "Content-Type: application/x-www-form-urlencoded"
	good := "X-Twilio-Signature: " + twiliotest.Sign(twiliotest.AuthToken, s.app.url+status, form)
	s.want(403, "POST", status, form.Encode(), kind)
	s.want(403, "POST", status, form.Encode(), kind, "X-Twilio-Signature: x")
	s.want(403, "POST", status+"0", form.Encode(), kind, good)
	s.want(403, "POST", status, form.Encode()+"&x=y", kind, good)
	s.want(403, "POST", smsPath, form.Encode(), kind, good)
	s.want(400, "POST", status, "{}", "Content-Type: application/json", good)
	s.want(405, "GET", status, "")
	other := url.Values{"AccountSid": {"AC99999999999999999999999999999999"}, "MessageSid": {"SM1"}, "MessageStatus": {"failed"}}
	s.want(403, "POST", status, other.Encode(), kind, "X-Twilio-Signature: "+twiliotest.Sign(twiliotest.AuthToken, s.app.url+status, other))
	if got := s.waiting(l); strings.Contains(got, "delivery") {
		t.Error(got)
	}
	s.want(204, "POST", status, form.Encode(), kind, good)
	messages(t, tw, number, 2) // a stop would wait for it
}

func TestAMessageIsAnsweredAndOptingOutIsRespected(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw)
	text := func(body string) string {
		t.Helper()
		answer, err := tw.Text(t.Context(), s.app.url+smsPath, twiliotest.Incoming{From: number, To: twiliotest.From, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if got := text("hello"); got != "Nothing waits for an answer from this number." {
		t.Error(got)
	}
	if got := text("STOP"); got != "" {
		t.Error(got)
	}
	s.wantOutput(s.authenticate(number), `"limit":"optedOut"`)
	text("START")
	l := s.authenticate(number)
	messages(t, tw, number, 1)
	s.waiting(l)
}

func TestCallersAreToldApart(t *testing.T) {
	for _, test := range []struct {
		remote, forwarded string
		behind            bool
		want              string
	}{
		{"192.0.2.1:4711", "198.51.100.7", false, "192.0.2.1"},
		{"127.0.0.1:4711", "198.51.100.7, 203.0.113.9:5000", true, "203.0.113.9"},
		{"127.0.0.1:4711", "spoofed, 203.0.113.9", true, "203.0.113.9"},
		{"127.0.0.1:4711", "", true, ""},
		{"127.0.0.1:4711", "unknown", true, ""},
		{"[2001:db8:1:2:3::4]:4711", "", false, "2001:db8:1:2::/64"},
		{"127.0.0.1:1", "[2001:db8:1:2:9::9]:77", true, "2001:db8:1:2::/64"},
		{"[::ffff:192.0.2.1]:1", "", false, "192.0.2.1"},
	} {
		r, err := http.NewRequest("POST", "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = test.remote
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		if got := callerOf(r, test.behind); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
