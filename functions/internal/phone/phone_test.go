package phone_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/internal/phone"
)

const (
	alice = "+447700900123"
	bob   = "+447700900456"
)

// clock returns a time that moves on a second with every call. The Phone calls it under its lock.
func clock() func() time.Time {
	at := time.Date(2026, 1, 2, 4, 4, 4, 0, time.FixedZone("CET", 3600))
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

func send(t *testing.T, p *phone.Phone, to, body string) {
	t.Helper()
	if err := p.Send(t.Context(), to, body); err != nil {
		t.Fatal(err)
	}
}

func ask(p *phone.Phone, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

// bodies asks for messages and returns their bodies.
func bodies(t *testing.T, p *phone.Phone, query string) string {
	t.Helper()
	w := ask(p, http.MethodGet, "/local/phone/messages"+query)
	var messages []phone.Message
	if err := json.Unmarshal(w.Body.Bytes(), &messages); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	var all []string
	for _, m := range messages {
		all = append(all, m.Body)
	}
	return strings.Join(all, " ")
}

func TestMessagesAreListedNewestFirst(t *testing.T) {
	p := phone.New(clock())
	if got := ask(p, http.MethodGet, "/local/phone/messages").Body.String(); got != "[]\n" {
		t.Errorf("without messages: %s", got)
	}
	send(t, p, alice, "one")
	send(t, p, bob, `<two> & "too"`)
	w := ask(p, http.MethodGet, "/local/phone/messages")
	const want = `[{"to":"+447700900456","from":"+15005550006","body":"\u003ctwo\u003e \u0026 \"too\"","sentAt":"2026-01-02T03:04:06Z"},` +
		`{"to":"+447700900123","from":"+15005550006","body":"one","sentAt":"2026-01-02T03:04:05Z"}]` + "\n"
	if got := w.Body.String(); got != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMessagesOfOneNumberAreFoundHoweverItsPlusSignArrives(t *testing.T) {
	p := phone.New(clock())
	send(t, p, alice, "one")
	send(t, p, bob, "two")
	send(t, p, alice, "three")
	for query, want := range map[string]string{
		"":                     "three two one",
		"?to=":                 "three two one",
		"?to=%2B447700900123":  "three one",
		"?to=+447700900123":    "three one",
		"?to=447700900123":     "three one",
		"?to=%2B447700900456":  "two",
		"?to=%2B447700900999":  "",
		"?to=%2B4477009001234": "",
	} {
		if got := bodies(t, p, query); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
}

func TestOnlyTheLastThousandMessagesAreKept(t *testing.T) {
	p := phone.New(clock())
	for i := range phone.Kept + 5 {
		send(t, p, alice, fmt.Sprint(i))
	}
	got := strings.Fields(bodies(t, p, ""))
	if len(got) != phone.Kept || got[0] != fmt.Sprint(phone.Kept+4) || got[phone.Kept-1] != "5" {
		t.Errorf("%d messages, from %s to %s", len(got), got[0], got[len(got)-1])
	}
}

func TestAMessageOfACallThatEndedIsNotKept(t *testing.T) {
	p := phone.New(clock())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Send(ctx, alice, "one"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := bodies(t, p, ""); got != "" {
		t.Errorf("kept %q", got)
	}
}

func TestManySendersAndReadersAtOnceLoseNoMessage(t *testing.T) {
	p := phone.New(clock())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_ = p.Send(t.Context(), alice, "x")
			ask(p, http.MethodGet, "/local/phone")
		})
	}
	all.Wait()
	if n := len(strings.Fields(bodies(t, p, ""))); n != 20 {
		t.Errorf("%d messages", n)
	}
}

func TestThePageShowsEachMessageWithItsNumberTheNewestLast(t *testing.T) {
	p := phone.New(clock())
	send(t, p, alice, "Your code is 012345.")
	send(t, p, bob, "Yours is 1234567890.")
	page := ask(p, http.MethodGet, "/local/phone").Body.String()
	last := -1
	for _, want := range []string{"<bdi>&#43;447700900123</bdi>", "Your code is <strong>012345</strong>.", "<bdi>&#43;447700900456</bdi>", "<strong>1234567890</strong>"} {
		at := strings.Index(page, want)
		if at <= last {
			t.Errorf("%q is not there, or not after the one before", want)
		}
		last = at
	}
	only := ask(p, http.MethodGet, "/local/phone?to=+447700900456").Body.String()
	if strings.Contains(only, "012345.") || !strings.Contains(only, "Yours is") {
		t.Error("the page of one number shows another's messages")
	}
}

func TestAnEmptyPageTellsHowToStart(t *testing.T) {
	for host, want := range map[string]string{
		"localhost:8080": "localhost:8080",
		"[::1]:7071":     "[::1]:7071",
		"x.example":      "x.example",
		`x";touch y;"`:   "127.0.0.1:7071",
		"$(id):1":        "127.0.0.1:7071",
		"<b>":            "127.0.0.1:7071",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/local/phone", nil)
		r.Host = host
		phone.New(clock()).Handler().ServeHTTP(w, r)
		command := `curl -X POST "http://` + want + `/api/Authenticate?number=%2B447700900123"`
		if !strings.Contains(w.Body.String(), command) {
			t.Errorf("host %s: no %s", host, command)
		}
	}
}

func TestWhatAMessageSaysIsNeverRunByThePage(t *testing.T) {
	payloads := []string{
		`<script>alert(1)</script>`,
		`<img src=x onerror=alert(1)>`,
		`</p></li></ol></main><script>alert(1)</script>`,
		`"><svg onload=alert(1)>`,
		`'-alert(1)-'`,
		`{{.Nonce}}`,
		"</noscript><style>*{}</style>",
		"1234<script>alert(1)</script>5678",
	}
	clean := ask(phone.New(clock()), http.MethodGet, "/local/phone").Body.String()
	tag := regexp.MustCompile(`(?i)<(script|style|img|svg|noscript|/script|/style|/main)\b`)
	for _, payload := range payloads {
		p := phone.New(clock())
		send(t, p, payload, payload)
		w := ask(p, http.MethodGet, "/local/phone?to="+url.QueryEscape(payload))
		all := ask(p, http.MethodGet, "/local/phone").Body.String()
		for _, page := range []string{w.Body.String(), all} {
			if got, want := len(tag.FindAllString(page, -1)), len(tag.FindAllString(clean, -1)); got != want {
				t.Errorf("%s adds tags: %d, want %d", payload, got, want)
			}
		}
		if strings.Contains(payload, "<") && (strings.Contains(all, payload) || !strings.Contains(all, "&lt;")) {
			t.Errorf("%s is not escaped", payload)
		}
	}
}

func TestThePageAllowsOnlyItsOwnScriptAndStyle(t *testing.T) {
	p := phone.New(clock())
	seen := map[string]bool{}
	for range 2 {
		w := ask(p, http.MethodGet, "/local/phone")
		policy := w.Header().Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`script-src 'nonce-([0-9A-Za-z]{20,})'$`).FindStringSubmatch(policy)
		if nonce == nil || !strings.HasPrefix(policy, "default-src 'none'; base-uri 'none'") || strings.Contains(policy, "unsafe") {
			t.Fatalf("policy %q", policy)
		}
		if n := strings.Count(w.Body.String(), `nonce="`+nonce[1]+`"`); n != 2 {
			t.Errorf("%d elements have the nonce", n)
		}
		if seen[nonce[1]] {
			t.Error("the nonce is used twice")
		}
		seen[nonce[1]] = true
		if found := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}| on[a-z]+=| style=| src=| href=`).FindAllString(w.Body.String(), -1); len(found) > 1 {
			t.Errorf("the page refers to %q", found)
		}
	}
}

func TestEveryAnswerIsGuardedAndOnlyReadingIsAllowed(t *testing.T) {
	p := phone.New(clock())
	send(t, p, alice, "Your code is 012345")
	tests := []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/local/phone", 200},
		{http.MethodHead, "/local/phone", 200},
		{http.MethodGet, "/local/phone/messages", 200},
		{http.MethodHead, "/local/phone/messages", 200},
		{http.MethodPost, "/local/phone", 405},
		{http.MethodDelete, "/local/phone/messages", 405},
		{http.MethodPut, "/local/phone/messages", 405},
		{http.MethodOptions, "/local/phone", 405},
		{http.MethodGet, "/local/phone/other", 404},
	}
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if allow := res.Header.Get("Allow"); tt.status == 405 && allow != "GET, HEAD" {
				t.Errorf("allow %q", allow)
			}
			for name, want := range map[string]string{
				"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
				"Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if policy := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
				t.Errorf("policy %q", policy)
			}
		})
	}
}

func TestALinkInAMessageCanBeFollowed(t *testing.T) {
	p := phone.New(clock())
	send(t, p, "ann@example.org", "Answer here:\nhttp://127.0.0.1:7071/api/approve/abc/def#ghi")
	send(t, p, "bob@example.org", "javascript:alert(1) 4711")
	page := ask(p, http.MethodGet, "/local/phone?to=ann@example.org").Body.String()
	if !strings.Contains(page, `<a href="http://127.0.0.1:7071/api/approve/abc/def#ghi" target="_blank" rel="noreferrer">http://127.0.0.1:7071/api/approve/abc/def#ghi</a>`) {
		t.Error(page)
	}
	if page = ask(p, http.MethodGet, "/local/phone").Body.String(); strings.Count(page, "<a ") != 1 || !strings.Contains(page, "<strong>4711</strong>") {
		t.Error(page)
	}
}
