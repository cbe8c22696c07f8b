package httpcall

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// destination returns a caller for whom "it" is a server with the handler.
func destination(t *testing.T, handler http.HandlerFunc, change ...func(*Destination)) *caller {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	d := Destination{URL: server.URL}
	for _, f := range change {
		f(&d)
	}
	return newCaller(Options{Destinations: map[string]Destination{"it": d}, MaxContent: 100, Timeout: time.Minute})
}

func TestARequestArrivesAsItWasAskedFor(t *testing.T) {
	c := destination(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("X-A"), r.Header.Get("Authorization"), string(body)}, " "))
		w.Header().Set("Set-Cookie", "session=secret")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, `{"n":0}`)
	}, func(d *Destination) {
		d.Authorize = func(r *http.Request) error { r.Header.Set("Authorization", "Bearer token"); return nil }
	})
	answer, err := c.call(t.Context(), Request{To: "it", Method: "PUT", URL: "/a?b=c", Header: http.Header{"X-A": {"1"}}, Content: "hello"})
	if err != nil || answer.StatusCode != http.StatusTeapot || answer.Header.Get("X-Got") != "PUT /a?b=c 1 Bearer token hello" {
		t.Errorf("%+v %v", answer, err)
	}
	if answer.Header.Get("Set-Cookie") != "" {
		t.Error("a cookie would be written down")
	}
	var v struct{ N *int }
	if err := answer.JSON(&v); err != nil || v.N == nil || *v.N != 0 {
		t.Errorf("%+v %v", v, err)
	}
}

func TestAnIdempotencyKeyGoesWithWhatChangesSomething(t *testing.T) {
	var got []string
	c := destination(t, func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Idempotency-Key")) })
	r := engine.NewRegistry()
	engine.AddActivity(r, Activity, c.call)
	for _, e := range []history.Event{{ID: 0}, {ID: 2, Attempt: 2, TaskID: 0}, {ID: 3}} {
		e.Name = string(Activity)
		if _, f := r.RunActivity(t.Context(), engine.NewCall("i", "e", &e), []byte(`{"to":"it","method":"POST","uri":"/"}`)); f != nil {
			t.Fatal(f)
		}
	}
	if got[0] == "" || got[0] != got[1] || got[0] == got[2] {
		t.Errorf("keys %q", got)
	}
	for want, request := range map[string]Request{"": {To: "it"}, "mine": {To: "it", Method: "POST", Header: http.Header{"Idempotency-Key": {"mine"}}}} {
		if _, err := c.call(t.Context(), request); err != nil || got[len(got)-1] != want {
			t.Errorf("%+v: key %q %v", request, got[len(got)-1], err)
		}
	}
}

func TestBadAnswersAreFailuresOfAKind(t *testing.T) {
	c := destination(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 101))
		case "/binary":
			_, _ = w.Write([]byte{0xff})
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/gone":
			panic(http.ErrAbortHandler)
		}
	})
	c.destinations["closed"], _ = c.destinations["it"].Parse("http://127.0.0.1:0") // where nobody can listen
	for _, test := range []struct {
		request Request
		kind    string
		final   bool
	}{
		{Request{To: "it", URL: "/long"}, KindUnreadable, true},
		{Request{To: "it", URL: "/binary"}, KindUnreadable, true},
		{Request{To: "it", URL: "/busy", RetryOn: []int{503}}, KindStatus, false},
		{Request{To: "it", URL: "/gone"}, KindUnavailable, false},
		{Request{To: "closed"}, KindUnavailable, false},
		{Request{To: "it", URL: "%"}, KindRefused, true},
		{Request{To: "it", Method: "A B"}, KindRefused, true},
		{Request{To: "it", Header: http.Header{"Host": {"evil"}}}, KindRefused, true},
		{Request{To: "it", Header: http.Header{"Content-Type": {"multipart/form-data"}}}, KindRefused, true},
	} {
		_, err := c.call(t.Context(), test.request)
		var f *failure
		if engine.KindOf(err) != test.kind || !errors.As(err, &f) || f.NonRetriable() != test.final {
			t.Errorf("%+v: %v", test.request, err)
		}
	}
}

func TestALocationIsSeenFromWhereItWasSent(t *testing.T) {
	c := destination(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "../status/1")
		w.WriteHeader(202)
	})
	answer, err := c.call(t.Context(), Request{To: "it", URL: "/a/b/start"})
	if want := c.destinations["it"].String() + "/a/status/1"; err != nil || answer.Header.Get("Location") != want {
		t.Errorf("%+v %v, want %s", answer, err, want)
	}
}

func TestTheNextRequestTakesNoKeysElsewhere(t *testing.T) {
	header := http.Header{"Authorization": {"a"}, "Cookie": {"c"}, "X-Functions-Key": {"k"}, "Accept": {"*/*"}, "Content-Type": {"text/plain"}}
	first := Request{Method: "POST", URL: "https://a.example/start", Header: header, Content: "x", RetryOn: []int{503}}
	same := first.following("https://a.example/status")
	if want := (Request{URL: "https://a.example/status", Header: http.Header{"Authorization": {"a"}, "Cookie": {"c"}, "Accept": {"*/*"}}, RetryOn: []int{503}}); !reflect.DeepEqual(same, want) {
		t.Errorf("%+v", same)
	}
	for _, elsewhere := range []string{"https://b.example/status", "http://a.example/status", "https://a.example:444/", "::"} {
		if next := first.following(elsewhere); !reflect.DeepEqual(next.Header, http.Header{"Accept": {"*/*"}}) {
			t.Errorf("%s: %+v", elsewhere, next)
		}
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"10": 10 * time.Second, "0": time.Second, "Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:00:00 GMT": time.Second,
		"": pollInterval, "soon": pollInterval, "-5": pollInterval, "99999999999999999999": pollInterval,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestADestinationNeedsAURL(t *testing.T) {
	for _, u := range []string{"", "/path", "host", "https://", "::"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was taken", u)
				}
			}()
			newCaller(Options{Destinations: map[string]Destination{"it": {URL: u}}})
		}()
	}
}
