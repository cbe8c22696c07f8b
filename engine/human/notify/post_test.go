package notify_test

import (
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/notify"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var now = time.Unix(1614265330, 0)

// receiver answers with a status, and keeps what it got.
type receiver struct {
	*httptest.Server
	status int
	header http.Header
	body   []byte
	n      int
}

func newReceiver(t *testing.T, status int) *receiver {
	t.Helper()
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.n++
		r.header = req.Header
		r.body, _ = io.ReadAll(req.Body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

// The example of the specification: id, time, body and secret are its own.
func TestAWebhookIsSignedAsStandardWebhooksSays(t *testing.T) {
	r := newReceiver(t, 204)
	w, err := notify.NewWebhook(r.URL, secret, nil, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	m := notify.Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Data: json.RawMessage(`{"test": 2432232314}`)}
	if err := w.Send(t.Context(), "", m); err != nil {
		t.Fatal(err)
	}
	if got := r.header.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" || string(r.body) != `{"test": 2432232314}` {
		t.Errorf("%s for %s", got, r.body)
	}
	if id, err := notify.CheckWebhook(secret, r.header, r.body, now.Add(time.Minute)); err != nil || id != m.ID {
		t.Errorf("%s %v", id, err)
	}
	for name, check := range map[string]func() (string, error){
		"late":         func() (string, error) { return notify.CheckWebhook(secret, r.header, r.body, now.Add(6*time.Minute)) },
		"early":        func() (string, error) { return notify.CheckWebhook(secret, r.header, r.body, now.Add(-6*time.Minute)) },
		"another body": func() (string, error) { return notify.CheckWebhook(secret, r.header, []byte("{}"), now) },
		"another secret": func() (string, error) {
			return notify.CheckWebhook(secret[:len(secret)-4]+"AAAA", r.header, r.body, now)
		},
		"no header": func() (string, error) { return notify.CheckWebhook(secret, http.Header{}, r.body, now) },
	} {
		if _, err := check(); !errors.Is(err, notify.ErrWebhook) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAnswerSaysWhetherToTryAgain(t *testing.T) {
	for status, want := range map[int]string{
		200: "", 202: "", 301: human.KindMisconfigured, 400: human.KindMisconfigured, 404: human.KindMisconfigured, 410: human.KindMisconfigured,
		408: human.KindUnavailable, 429: human.KindUnavailable, 503: human.KindUnavailable, 500: human.KindUnknown, 504: human.KindUnknown,
	} {
		r := newReceiver(t, status)
		c, err := notify.NewSlack(r.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Send(t.Context(), "", notify.Message{Text: "x"})
		if (want == "") != (err == nil) || err != nil && engine.KindOf(err) != want || r.n != 1 {
			t.Errorf("%d: %v, %d requests", status, err, r.n)
		}
		if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("the address, which is a secret, is told: %v", err)
		}
	}
	gone := newReceiver(t, 200)
	c, err := notify.NewTeams(gone.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	if err := c.Send(t.Context(), "", notify.Message{}); engine.KindOf(err) != human.KindUnavailable || strings.Contains(err.Error(), "127.0.0.1") {
		t.Error(err)
	}
}

func TestABadAddressOrSecretIsRefusedAndNotShown(t *testing.T) {
	for _, address := range []string{"", "hooks.example", "http://hooks.example/T0/hush", "ftp://hooks.example/hush", "https://"} {
		if _, err := notify.NewSlack(address, nil); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, bad := range []string{"", "whsec_", "whsec_aHVzaA==", strings.TrimPrefix(secret, "whsec_"), "whsec_!!!"} {
		if _, err := notify.NewWebhook("https://x.example", bad, nil, time.Now); !errors.Is(err, notify.ErrSecret) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// payloads are what somebody might write to be taken for something else.
func payloads() []string {
	seeds := []string{
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg/onload=alert(1)>", "javascript:alert(1)", "</textarea><script>", "&lt;script&gt;",
		"\r\nBcc: all@example.com", "\nX-Evil: 1", "\r\n\r\n<html>", "\u202eevil\u202c", "\u2066x\u2069", "\u200bA\u200b", "a\x00b", "a\x1b[31mb", "\ufeffx",
		"<!channel>", "<@U123>", "<https://evil.example|Approve>", "*bold* _it_ ~st~", "[Approve](https://evil.example)", "![x](https://evil.example)", "# Approved", "`code`", "> quote", "1. x", "| a | b |",
		"{{.Secret}}", "{{template \"x\"}}", "{% include 'x' %}", "${7*7}", "%0d%0aSet-Cookie: a=b", "\u2028x", "\xff\xfe", "’“”", "@everyone",
	}
	var all []string
	for _, a := range seeds {
		for _, b := range seeds {
			all = append(all, a+" "+b)
		}
	}
	return append(all, seeds...)
}

// More than a thousand payloads in each format: none of them becomes markup, a line
// of its own, or something that is not seen.
func TestWhatPeopleWriteStaysText(t *testing.T) {
	bad := map[notify.Format]string{notify.Plain: "", notify.HTML: "<>\"'", notify.Slack: "<>", notify.Teams: ""}
	all := payloads()
	if len(all) < 1200 {
		t.Fatal(len(all))
	}
	for format, marks := range bad {
		for _, p := range all {
			got, err := notify.Render(format, "[{{.Who}}]", map[string]string{"Who": p})
			if err != nil {
				t.Fatal(err)
			}
			got = strings.TrimSuffix(strings.TrimPrefix(got, "["), "]")
			if strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' }) || strings.ContainsAny(got, marks) {
				t.Fatalf("%s: %q became %q", format, p, got)
			}
			if format == notify.Teams && unescaped(got) {
				t.Fatalf("%s: %q became %q", format, p, got)
			}
			if format == notify.HTML && template.HTMLEscapeString(notify.Clean(p)) != got {
				t.Fatalf("%q became %q", p, got)
			}
		}
	}
}

// unescaped reports whether a mark of Markdown stands without a backslash.
func unescaped(text string) bool {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case strings.ContainsRune("*_[]()`#<>!|~", rune(text[i])):
			return true
		}
	}
	return false
}

// The bodies of both chats, with every payload as subject and text, hold it as the
// letters that it is.
func TestChatsAreSentLettersAndNoMarkup(t *testing.T) {
	r := newReceiver(t, 200)
	slack, err := notify.NewSlack(r.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	teams, err := notify.NewTeams(r.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, p := range payloads() {
		if n%20 != 0 {
			continue
		}
		m := notify.Message{Subject: p, Text: "one\n" + p}
		if err := slack.Send(t.Context(), "", m); err != nil {
			t.Fatal(err)
		}
		var s struct {
			Text   string
			Mrkdwn *bool
		}
		if err := json.Unmarshal(r.body, &s); err != nil || s.Mrkdwn == nil || *s.Mrkdwn || strings.ContainsAny(s.Text, "<>") {
			t.Fatalf("%s %v", r.body, err)
		}
		if err := teams.Send(t.Context(), "", m); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(r.body) || !strings.Contains(string(r.body), `"Bolder"`) {
			t.Fatalf("%s", r.body)
		}
	}
}

func TestATemplateThatNamesWhatIsNotThereIsRefused(t *testing.T) {
	for _, source := range []string{"{{.Missing}}", "{{", "{{.Who.Secret}}"} {
		if got, err := notify.Render(notify.Plain, source, map[string]string{"Who": "x"}); err == nil {
			t.Errorf("%q: %q", source, got)
		}
	}
	got, err := notify.Render(notify.HTML, "<b>{{.Who}}</b> & more", map[string]string{"Who": "A & B"})
	if err != nil || got != "<b>A &amp; B</b> & more" {
		t.Errorf("%q %v", got, err)
	}
}
