package notify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/human/spoofs"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var now = time.Unix(1614265330, 0)

// receiver answers with a status, and keeps what it got.
type receiver struct {
	*httptest.Server
	status int
	wait   string // its Retry-After
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
		w.Header().Set("Retry-After", r.wait)
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

// payloads are what somebody might write to be taken for something else: the corpus, and
// what the chats take for markup, at the beginning of a text and within it.
func payloads() (all []string) {
	for _, t := range spoofs.All() {
		all = append(all, t.Text)
	}
	for _, mark := range []string{
		"<!channel>", "<@U123>", "*bold* _it_ ~st~", "# Approved", "`code`", "> quote", "1. x", "- x", "| a | b |", "[x]: https://spoof.example", "![x](https://spoof.example)",
		"{{template \"x\"}}", "\xff\xfe", "’“”", "@everyone", "<at>cfo</at>", "&#x202e;", "\\", "***",
	} {
		all = append(all, mark, "Pay "+mark)
	}
	return all
}

// Each payload in each format: none of them becomes markup, a line of its own, or
// something that is not seen.
func TestWhatPeopleWriteStaysText(t *testing.T) {
	for format, marks := range map[notify.Format]string{notify.Plain: "", notify.HTML: "<>\"'", notify.Slack: "<>", notify.Teams: ""} {
		for _, p := range payloads() {
			got, err := notify.Render(format, "[{{.Who}}]", map[string]string{"Who": p})
			if err != nil {
				t.Fatal(err)
			}
			got = strings.TrimSuffix(strings.TrimPrefix(got, "["), "]")
			if strings.ContainsFunc(got, spoofs.IsUnseen) || strings.ContainsAny(got, marks) {
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

// Each payload as subject and text through each of the channels that post: what arrives is
// the document that the receiver takes, with the same members, and in it the letters.
func TestWhatIsPostedIsLettersAndNoMarkup(t *testing.T) {
	r := newReceiver(t, 200)
	channel := func(c notify.Channel, err error) notify.Channel {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	slack := channel(notify.NewSlack(r.URL, nil))
	teams := channel(notify.NewTeams(r.URL, nil))
	webhook := channel(notify.NewWebhook(r.URL, secret, nil, func() time.Time { return now }))
	posted := func(c notify.Channel, m notify.Message, into any) {
		t.Helper()
		if err := c.Send(t.Context(), "", m); err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(r.body))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(into); err != nil || decoder.More() || r.header.Get("Content-Type") != "application/json" {
			t.Fatalf("%q: %v: %s", m.Subject, err, r.body)
		}
	}
	for n, p := range payloads() {
		if raceEnabled && n%10 != 0 {
			continue
		}
		m := notify.Message{ID: "id", Subject: p, Text: "one\n" + p}
		lines := []string{notify.Clean(p)}
		for line := range strings.SplitSeq(m.Text, "\n") {
			lines = append(lines, notify.Clean(line))
		}
		var s struct {
			Text   string `json:"text"`
			Mrkdwn bool   `json:"mrkdwn"`
			Links  bool   `json:"unfurl_links"`
			Media  bool   `json:"unfurl_media"`
		}
		s.Mrkdwn, s.Links, s.Media = true, true, true
		posted(slack, m, &s)
		if s.Mrkdwn || s.Links || s.Media || strings.ContainsAny(s.Text, "<>") || fromSlack.Replace(s.Text) != strings.Join(lines, "\n") {
			t.Fatalf("Slack: %q became %q", p, s.Text)
		}
		var card card
		posted(teams, m, &card)
		if text := card.text(); fromTeams(text) != strings.Join(lines, "\n") || unescaped(text) {
			t.Fatalf("Teams: %q became %+v", p, card)
		}
		var w struct {
			Subject string `json:"subject"`
			Text    string `json:"text"`
		}
		posted(webhook, m, &w)
		if id(r) != "id" || utf8.ValidString(p) && (w.Subject != m.Subject || w.Text != m.Text) {
			t.Fatalf("the webhook: %q became %+v", p, w)
		}
	}
}

// id returns the id of a webhook that is signed.
func id(r *receiver) string {
	id, err := notify.CheckWebhook(secret, r.header, r.body, now)
	if err != nil {
		return err.Error()
	}
	return id
}

// fromSlack takes back what is escaped for Slack, and fromTeams what is for Teams.
var fromSlack = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

func fromTeams(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// card is a message for Teams, with the members that there may be.
type card struct {
	Type        string `json:"type"`
	Attachments []struct {
		ContentType string `json:"contentType"`
		Content     struct {
			Schema  string `json:"$schema"`
			Type    string `json:"type"`
			Version string `json:"version"`
			Body    []struct {
				Type   string `json:"type"`
				Text   string `json:"text"`
				Wrap   bool   `json:"wrap"`
				Weight string `json:"weight"`
			} `json:"body"`
		} `json:"content"`
	} `json:"attachments"`
}

// text returns the texts of a card, a line each, as each is a block of its own.
func (c *card) text() string {
	var lines []string
	for _, block := range c.Attachments[0].Content.Body {
		lines = append(lines, block.Text)
	}
	return strings.Join(lines, "\n")
}

// Slack cuts what has more than 4,000 characters, and Teams refuses what has more than 28 KB,
// also where each character has the most bytes that one can have when it is escaped.
func TestWhatIsPostedIsNoLongerThanIsTaken(t *testing.T) {
	r := newReceiver(t, 200)
	for _, letter := range []string{"a", "é", "漢", "👍", "<", "*", `\`, "line\n"} {
		m := notify.Message{Subject: strings.Repeat(letter, 20_000), Text: strings.Repeat(letter, 20_000)}
		for name, open := range map[string]func(string, http.RoundTripper) (*notify.Chat, error){"Slack": notify.NewSlack, "Teams": notify.NewTeams} {
			c, err := open(r.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Send(t.Context(), "", m); err != nil {
				t.Fatal(err)
			}
			var body struct{ Text string }
			if err := json.Unmarshal(r.body, &body); err != nil {
				t.Fatal(err)
			}
			n := utf8.RuneCountInString(fromSlack.Replace(body.Text))
			if n > 4000 || name == "Teams" && len(r.body) > 28<<10 || !strings.Contains(string(r.body), "…") {
				t.Errorf("%s, %q: %d bytes, a text of %d characters", name, letter, len(r.body), n)
			}
		}
	}
}

func TestWhoIsTooBusySaysWhenToComeAgain(t *testing.T) {
	for header, want := range map[string]time.Duration{"30": 30 * time.Second, "": 0, "soon": 0, "-1": 0, "Thu, 26 Nov 2026 12:00:00 GMT": 0} {
		for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			r := newReceiver(t, status)
			r.wait = header
			c, err := notify.NewTeams(r.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = c.Send(t.Context(), "", notify.Message{Text: "x"})
			var waits interface{ RetryAfter() time.Duration }
			if !errors.As(err, &waits) || waits.RetryAfter() != want || engine.KindOf(err) != human.KindUnavailable {
				t.Errorf("%d, Retry-After: %s: %v", status, header, err)
			}
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
