package twilio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/seed21523604/holdfast/functions/internal/twilio"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

const (
	to   = "+447700900123"
	body = "Your verification code is 048215"
)

// options are good ones for a fake at an address.
func options(baseURL string) twilio.Options {
	return twilio.Options{
		AccountSid: twiliotest.AccountSid, AuthToken: twiliotest.AuthToken, From: twiliotest.From, BaseURL: baseURL,
	}
}

func newSender(t *testing.T, o twilio.Options) *twilio.Sender {
	t.Helper()
	s, err := twilio.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkError holds an error against what is promised of each.
func checkError(t *testing.T, err error, class twilio.Class) *twilio.Error {
	t.Helper()
	var e *twilio.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if e.Class != class || e.Kind() != string(class) || e.NonRetriable() != (class == twilio.Undeliverable) {
		t.Errorf("class %s, want %s: %v", e.Class, class, err)
	}
	if e.Message == "" {
		t.Error("no message")
	}
	text := fmt.Sprintf("%v %+v %#v %s", err, *e, e, e.Message)
	for _, hidden := range []string{twiliotest.AuthToken, body, "048215", to[1:], to[1:8]} {
		if strings.Contains(text, hidden) {
			t.Errorf("%q is in: %s", hidden, text)
		}
	}
	return e
}

func TestAMessageArrivesAsItWasGiven(t *testing.T) {
	fake := twiliotest.New(t)
	s := newSender(t, options(fake.URL()))
	bodies := []string{body, "a+b & c=d; 100% émigré 👍\nnext line", strings.Repeat("é", 1600)}
	for _, text := range bodies {
		if err := s.Send(t.Context(), to, text); err != nil {
			t.Fatal(err)
		}
	}
	got := fake.MessagesFor(to)
	if len(got) != len(bodies) {
		t.Fatalf("%d messages, want %d", len(got), len(bodies))
	}
	for i, m := range got {
		if m.Body != bodies[i] || m.From != twiliotest.From {
			t.Errorf("message %d is %q from %s", i, m.Body, m.From)
		}
	}
	if v := fake.Violations(); len(v) != 0 {
		t.Errorf("violations: %q", v)
	}
}

func TestEachAnswerHasItsClassAndCostsOneRequest(t *testing.T) {
	tests := []struct {
		name   string
		answer twiliotest.Answer
		class  twilio.Class
		status int
		code   int
	}{
		{"no such number", twiliotest.Refuse(21211), twilio.Undeliverable, 400, 21211},
		{"no mobile", twiliotest.Refuse(21614), twilio.Undeliverable, 400, 21614},
		{"opted out", twiliotest.Refuse(21610), twilio.Undeliverable, 400, 21610},
		{"no route", twiliotest.Refuse(21612), twilio.Undeliverable, 400, 21612},
		{"too long", twiliotest.Refuse(21617), twilio.Undeliverable, 400, 21617},
		{"a code nobody knows", twiliotest.Refuse(99999), twilio.Undeliverable, 400, 99999},
		{"a number written with spaces", twiliotest.Answer{Status: 400, Code: 21211, Message: "bad +44 7700 900-123"}, twilio.Undeliverable, 400, 21211},
		{"a message quoted", twiliotest.Answer{Status: 400, Code: 30007, Message: "filtered: " + body}, twilio.Undeliverable, 400, 30007},
		{"a code quoted", twiliotest.Answer{Status: 400, Code: 30007, Message: "filtered '048215'"}, twilio.Undeliverable, 400, 30007},
		{"the token quoted", twiliotest.Answer{Status: 400, Code: 1, Message: "bad " + twiliotest.AuthToken}, twilio.Undeliverable, 400, 1},
		{"a refusal nobody can read", twiliotest.Undecodable(418), twilio.Undeliverable, 418, 0},

		{"too many", twiliotest.RateLimited(time.Second), twilio.Unavailable, 429, 20429},
		{"too many, unreadable", twiliotest.Undecodable(429), twilio.Unavailable, 429, 0},
		{"queue full", twiliotest.Refuse(21611), twilio.Unavailable, 400, 21611},
		{"down", twiliotest.Fail(503), twilio.Unavailable, 503, 20503},
		{"down with a code of another class", twiliotest.Answer{Status: 503, Code: 21211}, twilio.Unavailable, 503, 21211},

		{"server error", twiliotest.Fail(500), twilio.Unknown, 500, 20500},
		{"server error with a code of another class", twiliotest.Answer{Status: 500, Code: 21211}, twilio.Unknown, 500, 21211},
		{"gateway", twiliotest.Undecodable(502), twilio.Unknown, 502, 0},
		{"unreadable success", twiliotest.Undecodable(201), twilio.Unknown, 201, 0},
		{"success without a message", twiliotest.Answer{Raw: "{}"}, twilio.Unknown, 201, 0},
		{"endless success", twiliotest.Answer{Raw: `{"sid":"` + strings.Repeat("x", 1<<20) + `"}`}, twilio.Unknown, 201, 0},
		{"dropped", twiliotest.Dropped(), twilio.Unknown, 0, 0},
		{"reply lost", twiliotest.LostReply(), twilio.Unknown, 0, 0},

		{"credentials", twiliotest.Refuse(20003), twilio.Misconfigured, 401, 20003},
		{"credentials, unreadable", twiliotest.Undecodable(401), twilio.Misconfigured, 401, 0},
		{"forbidden", twiliotest.Undecodable(403), twilio.Misconfigured, 403, 0},
		{"opted out, forbidden", twiliotest.Answer{Status: 403, Code: 21610}, twilio.Undeliverable, 403, 21610},
		{"no such account", twiliotest.Refuse(20404), twilio.Misconfigured, 404, 20404},
		{"region", twiliotest.Refuse(21408), twilio.Misconfigured, 400, 21408},
		{"trial account", twiliotest.Refuse(21608), twilio.Misconfigured, 400, 21608},
		{"sender", twiliotest.Refuse(21606), twilio.Misconfigured, 400, 21606},
		{"inactive", twiliotest.Refuse(10001), twilio.Misconfigured, 400, 10001},
		{"redirect nobody can read", twiliotest.Undecodable(302), twilio.Misconfigured, 302, 0},
		{"redirect", twiliotest.Answer{Status: 307, Raw: "{}"}, twilio.Misconfigured, 307, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := twiliotest.New(t)
			fake.Script(to, tt.answer)
			e := checkError(t, newSender(t, options(fake.URL())).Send(t.Context(), to, body), tt.class)
			if e.Status != tt.status || e.Code != tt.code {
				t.Errorf("status %d, code %d, want %d, %d", e.Status, e.Code, tt.status, tt.code)
			}
			if len(e.Message) > 400 {
				t.Errorf("the message has %d bytes", len(e.Message))
			}
			if n := fake.Requests(); n != 1 {
				t.Errorf("%d requests", n)
			}
			if v := fake.Violations(); len(v) != 0 {
				t.Errorf("violations: %q", v)
			}
		})
	}
}

func TestAnAddressMayHaveAPath(t *testing.T) {
	fake := twiliotest.New(t)
	s := newSender(t, options(fake.URL()+"/gateway/"))
	if err := s.Send(t.Context(), to, body); err == nil {
		t.Fatal("the fake has no such path")
	}
	if v := fake.Violations(); len(v) != 1 || !strings.HasPrefix(v[0], "/gateway/2010-04-01/Accounts/AC") {
		t.Errorf("violations: %q", v)
	}
}

func TestTheLastTwoDigitsOfAQuotedNumberAreLeft(t *testing.T) {
	fake := twiliotest.New(t)
	fake.Script(to, twiliotest.Refuse(21211))
	err := newSender(t, options(fake.URL())).Send(t.Context(), to, body)
	const want = "send message: undeliverable: HTTP 400, code 21211: Invalid 'To' Phone Number: +**********23"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestTheLibraryCannotSendARequestTwice(t *testing.T) {
	requests := 0
	o := options("http://127.0.0.1:1")
	o.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
		requests++
		return &http.Response{StatusCode: 500, Body: io.NopCloser(strings.NewReader("?"))}, nil
	})
	if err := newSender(t, o).SendAsNewerAPI(t.Context()); err == nil || !strings.Contains(err.Error(), "one send is one request") {
		t.Errorf("got %v", err)
	}
	if requests != 1 {
		t.Errorf("%d requests", requests)
	}
}

func TestARefusedConnectionSentNothing(t *testing.T) {
	fake := twiliotest.New(t)
	s := newSender(t, options(fake.URL()))
	fake.Close()
	e := checkError(t, s.Send(t.Context(), to, body), twilio.Unavailable)
	if e.Status != 0 || e.Unwrap() != nil {
		t.Errorf("got %+v", e)
	}
}

func TestACallThatEndedBeforeItBeganSentNothing(t *testing.T) {
	fake := twiliotest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := newSender(t, options(fake.URL())).Send(ctx, to, body)
	checkError(t, err, twilio.Unavailable)
	if !errors.Is(err, context.Canceled) || fake.Requests() != 0 {
		t.Errorf("%d requests, %v", fake.Requests(), err)
	}
}

func TestACallGivenUpHalfwayMayHaveSent(t *testing.T) {
	fake := twiliotest.New(t)
	fake.Script(to, twiliotest.Answer{HoldReply: make(chan struct{})})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := newSender(t, options(fake.URL()))
	sent := make(chan error, 1)
	go func() {
		sent <- s.Send(ctx, to, body)
		cancel() // so that a failure ends the wait below
	}()
	if _, err := fake.Wait(ctx, to, 1); err != nil {
		t.Fatal(err, <-sent)
	}
	cancel()
	err := <-sent
	checkError(t, err, twilio.Unknown)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// roundTripper is a transport without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheTimeoutBoundsACallAndItsClassSaysWhetherItLeft(t *testing.T) {
	tests := []struct {
		name      string
		connected bool
		class     twilio.Class
	}{
		{"while connecting", false, twilio.Unavailable},
		{"while waiting for the answer", true, twilio.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // where ten seconds pass at once
				o := options("http://127.0.0.1:1")
				o.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
					trace := httptrace.ContextClientTrace(r.Context())
					trace.GetConn("")
					if tt.connected {
						trace.GotConn(httptrace.GotConnInfo{})
					}
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				began := time.Now()
				err := newSender(t, o).Send(t.Context(), to, body)
				checkError(t, err, tt.class)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
			})
		})
	}
}

func TestAFailureOfTheTransportIsUnknownUnlessItProvesThatNothingLeft(t *testing.T) {
	tests := []struct {
		name  string
		err   error
		class twilio.Class
	}{
		{"anything", errors.New("broken at " + to + " with " + body + " and " + twiliotest.AuthToken), twilio.Unknown},
		{"no address", &net.DNSError{Err: "no such host", Name: "api.twilio.com"}, twilio.Unavailable},
		{"no connection", &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}, twilio.Unavailable},
		{"connection lost", &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}, twilio.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options("http://127.0.0.1:1")
			o.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, tt.err })
			checkError(t, newSender(t, o).Send(t.Context(), to, body), tt.class)
		})
	}
}

func TestWhatTwilioWouldRefuseIsRefusedWithoutARequest(t *testing.T) {
	fake := twiliotest.New(t)
	s := newSender(t, options(fake.URL()))
	for _, tt := range []struct{ name, to, body string }{
		{"no number", "", body},
		{"no plus sign", "447700900123", body},
		{"a space for the plus sign", " 447700900123", body},
		{"leading zero", "+07700900123", body},
		{"too long", "+4477009001234567", body},
		{"another channel", "whatsapp:" + to, body},
		{"no message", to, ""},
		{"a long message", to, strings.Repeat("x", 1601)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkError(t, s.Send(t.Context(), tt.to, tt.body), twilio.Undeliverable)
		})
	}
	if n := fake.Requests(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestBadOptionsAreNamedAndTheTokenIsNot(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*twilio.Options)
		want  string
	}{
		{"account", func(o *twilio.Options) { o.AccountSid = "SK00" }, "AccountSid"},
		{"no token", func(o *twilio.Options) { o.AuthToken = "" }, "AuthToken"},
		{"token", func(o *twilio.Options) { o.AuthToken = "hunter2 " }, "AuthToken"},
		{"number", func(o *twilio.Options) { o.From = "15005550006" }, "From"},
		{"time-out", func(o *twilio.Options) { o.Timeout = time.Minute }, "timeout"},
		{"negative time-out", func(o *twilio.Options) { o.Timeout = -1 }, "timeout"},
		{"no address", func(o *twilio.Options) { o.BaseURL = "api.twilio.com" }, "BaseURL"},
		{"password in the address", func(o *twilio.Options) { o.BaseURL = "https://me:hunter2@x" }, "BaseURL"},
		{"plain http", func(o *twilio.Options) { o.BaseURL = "http://api.twilio.com" }, "use https"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options("")
			tt.spoil(&o)
			_, err := twilio.New(o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := twilio.New(options("")); err != nil {
		t.Errorf("good options: %v", err)
	}
}

func TestPrintingASenderShowsNoToken(t *testing.T) {
	s := newSender(t, options(""))
	for _, what := range []any{s, *s, options(""), struct{ s twilio.Sender }{*s}} {
		if text := fmt.Sprintf("%v %+v %#v", what, what, what); strings.Contains(text, twiliotest.AuthToken) {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestNoCodeHasTwoClasses(t *testing.T) {
	seen := map[int]twilio.Class{}
	for class, codes := range twilio.CodeTable() {
		for _, code := range codes {
			if other, ok := seen[code]; ok {
				t.Errorf("%d is %s and %s", code, class, other)
			}
			seen[code] = class
		}
	}
}

// Every code of the table, in a refusal and in a report, is of its class; and in a refusal
// that is no refusal of the message, as Twilio is busy, it says nothing.
func TestEveryCodeOfTheTableHasItsClass(t *testing.T) {
	fake := twiliotest.New(t)
	s := newSender(t, options(fake.URL()))
	for class, codes := range twilio.CodeTable() {
		for _, code := range codes {
			fake.Script(to, twiliotest.Answer{Status: http.StatusBadRequest, Code: code, Message: "no {to}"}, twiliotest.Answer{Status: http.StatusServiceUnavailable, Code: code})
			if e := checkError(t, s.Send(t.Context(), to, body), class); e.Code != code {
				t.Errorf("code %d, want %d", e.Code, code)
			}
			checkError(t, s.Send(t.Context(), to, body), twilio.Unavailable)
			if got := twilio.ClassOf(code, nil); got != class {
				t.Errorf("%d in a report is %q, want %q", code, got, class)
			}
		}
	}
	if fake.Requests() < 100 || len(fake.Messages()) != 0 {
		t.Errorf("%d requests, %d messages", fake.Requests(), len(fake.Messages()))
	}
}

// Twilio is told where the request belongs in a trace, if that is known, and its own
// headers stay as they are.
func TestARequestCarriesItsPlaceInATrace(t *testing.T) {
	fake := twiliotest.New(t)
	var sent []string
	o := options(fake.URL())
	o.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.Header.Get("Traceparent"))
		return http.DefaultTransport.RoundTrip(r)
	})
	s := newSender(t, o)
	place := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	for _, ctx := range []context.Context{trace.ContextWithSpanContext(t.Context(), place), t.Context()} {
		if err := s.Send(ctx, to, body); err != nil {
			t.Fatal(err)
		}
	}
	if want := "00-01000000000000000000000000000000-0200000000000000-01"; len(sent) != 2 || sent[0] != want || sent[1] != "" {
		t.Errorf("sent %q, want %s and none", sent, want)
	}
}
