package twiliotest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/twiliotest"
)

const to = "+447700900123"

// request makes a request that is in order, for a test to spoil.
func request(t *testing.T, s *twiliotest.Server, form url.Values) *http.Request {
	t.Helper()
	path := "/2010-04-01/Accounts/" + twiliotest.AccountSid + "/Messages.json"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(twiliotest.AccountSid, twiliotest.AuthToken)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

func goodForm() url.Values {
	return url.Values{"To": {to}, "From": {twiliotest.From}, "Body": {"Hello"}}
}

// do sends a request and returns the status, the header and the body of its answer.
func do(t *testing.T, r *http.Request) (int, http.Header, []byte) {
	t.Helper()
	status, header, body, err := try(r)
	if err != nil {
		t.Fatal(err)
	}
	return status, header, body
}

func try(r *http.Request) (int, http.Header, []byte, error) {
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, body, err
}

// sendMany sends n messages at once, numbered from 0. The context it returns ends early when one is not taken, so that
// nobody waits for it in vain; wait returns when all are answered.
func sendMany(t *testing.T, s *twiliotest.Server, n int) (ctx context.Context, wait func()) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	errs := make(chan error, n)
	for i := range n {
		form := goodForm()
		form.Set("Body", fmt.Sprint(i))
		r := request(t, s, form)
		go func() {
			status, _, _, err := try(r)
			if err == nil && status != http.StatusCreated {
				err = fmt.Errorf("message %d answered %d", i, status)
			}
			if err != nil {
				cancel(err)
			}
			errs <- err
		}()
	}
	return ctx, func() {
		for range n {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		cancel(nil)
	}
}

func TestAMessageIsTakenAndTheReplyIsTheDocumentedOne(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s, err := twiliotest.Start(twiliotest.Options{Now: func() time.Time { return at }, Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := request(t, s, goodForm())
	status, header, body := do(t, r)
	if status != http.StatusCreated {
		t.Fatalf("status %d: %s", status, body)
	}
	got := s.Messages()
	want := twiliotest.Message{To: to, From: twiliotest.From, Body: "Hello", At: at}
	if len(got) == 1 {
		want.Sid = got[0].Sid
	}
	if len(got) != 1 || got[0] != want || !regexp.MustCompile(`^SM[0-9a-f]{32}$`).MatchString(want.Sid) {
		t.Errorf("messages %+v", got)
	}
	var answer struct{ Sid, Status, To, From, Body string }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Sid != want.Sid || answer.Status != "queued" || answer.To != to {
		t.Errorf("answer %s: %v", body, err)
	}
	known, err := s.CheckReply(t.Context(), r, status, header, body)
	if err != nil {
		t.Errorf("the reply is not as documented: %v", err)
	}
	if !known {
		t.Skip("the reply was not held against Twilio's OpenAPI document: set HOLDFAST_TWILIO_OPENAPI to its path")
	}
}

func TestARequestThatBreaksARuleIsRecordedAndRefused(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*http.Request)
		form  func(url.Values)
		want  string
	}{
		{"no credentials", func(r *http.Request) { r.Header.Del("Authorization") }, nil, "credentials"},
		{"wrong token", func(r *http.Request) { r.SetBasicAuth(twiliotest.AccountSid, "x") }, nil, "credentials"},
		{"other account", func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "AC01", "AC02", 1) }, nil, "is not /2010"},
		{"query", func(r *http.Request) { r.URL.RawQuery = "a=b" }, nil, "is not /2010"},
		{"method", func(r *http.Request) { r.Method = http.MethodPut }, nil, "not POST"},
		{"content type", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, nil, "content type"},
		{"no form", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("%zz")), 3 }, nil, "no form"},
		{"too large", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", 70000))), 70000
		}, nil, "longer than"},
		{"no recipient", nil, func(f url.Values) { f.Del("To") }, "'To'"},
		{"plus sign lost", nil, func(f url.Values) { f.Set("To", " 447700900123") }, "'To'"},
		{"two recipients", nil, func(f url.Values) { f.Add("To", to) }, "2 times"},
		{"bad sender", nil, func(f url.Values) { f.Set("From", "me") }, "'From'"},
		{"no body", nil, func(f url.Values) { f.Del("Body") }, "'Body'"},
		{"long body", nil, func(f url.Values) { f.Set("Body", strings.Repeat("é", 1601)) }, "1600"},
		{"invalid text", nil, func(f url.Values) { f.Set("Body", "\xff") }, "UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := twiliotest.New(t)
			form := goodForm()
			if tt.form != nil {
				tt.form(form)
			}
			r := request(t, s, form)
			if tt.spoil != nil {
				tt.spoil(r)
			}
			status, _, body := do(t, r)
			want := http.StatusBadRequest
			if tt.want == "credentials" {
				want = http.StatusUnauthorized
			}
			if status != want || !json.Valid(body) {
				t.Errorf("answered %d %s, want %d", status, body, want)
			}
			if v := s.Violations(); len(v) != 1 || !strings.Contains(v[0], tt.want) {
				t.Errorf("violations %q, want one with %q", v, tt.want)
			}
			if len(s.Messages()) != 0 {
				t.Error("the message was taken")
			}
		})
	}
}

func TestRequestsAreHeldAgainstTwiliosDocument(t *testing.T) {
	s := twiliotest.New(t)
	form := goodForm()
	form.Set("ValidityPeriod", "soon") // an integer in the document, and a parameter the fake knows nothing of
	r := request(t, s, form)
	status, _, _ := do(t, r)
	if known, _ := s.CheckReply(t.Context(), r, 201, http.Header{}, nil); !known {
		t.Skip("no OpenAPI document: set HOLDFAST_TWILIO_OPENAPI to its path")
	}
	if v := s.Violations(); status != http.StatusBadRequest || len(v) != 1 || !strings.Contains(v[0], "OpenAPI") {
		t.Errorf("answered %d, violations %q", status, v)
	}
}

func TestAScriptAnswersInOrderAndForItsRecipientOnly(t *testing.T) {
	s := twiliotest.New(t)
	s.Script(to, twiliotest.RateLimited(7*time.Second), twiliotest.Refuse(21610))
	s.Script(to, twiliotest.Undecodable(http.StatusBadGateway))
	other := goodForm()
	other.Set("To", "+447700900999")
	if status, _, _ := do(t, request(t, s, other)); status != http.StatusCreated {
		t.Errorf("another recipient was answered %d", status)
	}
	want := []struct {
		status int
		body   string
		retry  string
	}{
		{429, `{"code":20429,"message":"Too Many Requests","more_info":"https://www.twilio.com/docs/errors/20429","status":429}`, "7"},
		{400, `{"code":21610,"message":"Attempt to send to unsubscribed recipient +447700900123","more_info":"https://www.twilio.com/docs/errors/21610","status":400}`, ""},
		{502, "<html><title>proxy</title>", ""},
		{201, "", ""},
	}
	for i, w := range want {
		status, header, body := do(t, request(t, s, goodForm()))
		if status != w.status || header.Get("Retry-After") != w.retry || w.body != "" && strings.TrimSpace(string(body)) != w.body {
			t.Errorf("answer %d is %d, %q, %s", i, status, header.Get("Retry-After"), body)
		}
	}
	if n := len(s.MessagesFor(to)); n != 1 || len(s.Messages()) != 2 || s.Requests() != 5 || len(s.Violations()) != 0 {
		t.Errorf("%d messages, %d requests, violations %q", n, s.Requests(), s.Violations())
	}
}

func TestABrokenConnectionTellsNothingButTheServerKnows(t *testing.T) {
	s := twiliotest.New(t)
	for i, tt := range []struct {
		answer twiliotest.Answer
		taken  int
	}{{twiliotest.Dropped(), 0}, {twiliotest.LostReply(), 1}} {
		s.Script(to, tt.answer)
		if res, err := http.DefaultClient.Do(request(t, s, goodForm())); err == nil {
			res.Body.Close()
			t.Errorf("%d: answered %d", i, res.StatusCode)
		}
		if n := len(s.MessagesFor(to)); n != tt.taken {
			t.Errorf("%d: %d messages taken, want %d", i, n, tt.taken)
		}
	}
}

func TestWaitReturnsOnceTheMessagesAreThere(t *testing.T) {
	s := twiliotest.New(t)
	if got, err := s.Wait(t.Context(), to, 0); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	release := make(chan struct{})
	s.Script(to, twiliotest.Answer{}, twiliotest.Answer{Hold: release})
	sending, wait := sendMany(t, s, 2)
	if got, err := s.Wait(sending, to, 1); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	close(release)
	if got, err := s.Wait(sending, to, 2); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Wait(ctx, to, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCloseLetsHeldRequestsGo(t *testing.T) {
	s, err := twiliotest.Start(twiliotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Script(to, twiliotest.Answer{HoldReply: make(chan struct{})})
	r := request(t, s, goodForm())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, _, _, err := try(r)
		done <- err
		cancel() // so that a failure ends the wait below
	}()
	if _, err := s.Wait(ctx, to, 1); err != nil {
		t.Error(err)
	}
	s.Close()
	s.Close()
	if err := <-done; err == nil {
		t.Error("the held request was answered")
	}
}

func TestManySendersAtOnceLoseNoMessage(t *testing.T) {
	s := twiliotest.New(t)
	const n = 50
	sending, wait := sendMany(t, s, n)
	if _, err := s.Wait(sending, to, n); err != nil {
		t.Error(err)
	}
	wait()
	bodies := map[string]bool{}
	for _, m := range s.Messages() {
		bodies[m.Body] = true
	}
	if len(bodies) != n || len(s.Violations()) != 0 {
		t.Errorf("%d different messages, violations %q", len(bodies), s.Violations())
	}
}
