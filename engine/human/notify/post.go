package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/human"
)

// poster posts JSON to one address, which the program was given and nobody who
// sends a message can choose.
type poster struct {
	address string
	client  *http.Client
}

// postTime bounds a request from connecting to the end of the answer, and
// longestAnswer how much of that is read.
const (
	postTime      = 5 * time.Second
	longestAnswer = 64 << 10
)

// newPoster returns a poster that follows no redirection. The address is https, or
// on this machine. Its errors do not show the address, which may be a secret.
func newPoster(address string, transport http.RoundTripper) (*poster, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the address is no absolute URL")
	case u.Scheme == "http" && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		return nil, errors.New("the address must begin with https://")
	}
	return &poster{address, &http.Client{
		Transport: transport, Timeout: postTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// post sends a body, and says of a failure what it means.
func (p *poster) post(ctx context.Context, body []byte, header http.Header) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.address, bytes.NewReader(body))
	if err != nil {
		return human.NewError(human.KindMisconfigured, "the address cannot be called")
	}
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	w, err := p.client.Do(r)
	if err != nil {
		return unreached(err)
	}
	defer w.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(w.Body, longestAnswer)) // only the status counts
	return answered(w.StatusCode, waitOf(w.Header.Get("Retry-After")))
}

// unreached returns what an error means that came without an answer.
func unreached(err error) error {
	var op *net.OpError
	var dns *net.DNSError
	if errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns) {
		return human.NewError(human.KindUnavailable, "it cannot be connected to")
	}
	return human.NewError(human.KindUnknown, "the connection broke, or no answer came in time")
}

// waitOf reads a header Retry-After in seconds. A date is by a clock that nobody knows,
// and is passed over.
func waitOf(header string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// answered returns what the status of an answer means, and how long it says to wait.
func answered(status int, wait time.Duration) error {
	text := fmt.Sprintf("it was answered with the status %d", status)
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return human.NewError(human.KindUnavailable, text).After(wait)
	case status >= 500:
		return human.NewError(human.KindUnknown, text)
	}
	return human.NewError(human.KindMisconfigured, text)
}

// Webhook is the channel that posts what programs are told to one address, signed
// as Standard Webhooks says (https://www.standardwebhooks.com): the header
// webhook-signature has, after "v1,", base64 of HMAC-SHA-256 over the id, the time
// in Unix seconds and the body, with dots between. The id is the same when the
// message comes again.
type Webhook struct {
	poster *poster
	key    []byte
	now    func() time.Time
}

// ErrSecret is returned for a secret that is not whsec_ and base64 of 24 bytes or
// more.
var ErrSecret = errors.New("the secret of a webhook is whsec_ followed by the base64 of 24 to 64 bytes")

// NewWebhook returns the channel to an address, with a secret such as whsec_ and
// base64 of 32 random bytes. A nil transport is the usual one, and now is the clock.
func NewWebhook(address, secret string, transport http.RoundTripper, now func() time.Time) (*Webhook, error) {
	p, err := newPoster(address, transport)
	if err != nil {
		return nil, fmt.Errorf("set up a webhook: %w", err)
	}
	key, err := webhookKey(secret)
	if err != nil {
		return nil, fmt.Errorf("set up a webhook: %w", err)
	}
	return &Webhook{p, key, now}, nil
}

func webhookKey(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, ErrSecret
	}
	return key, nil
}

// Send posts the message's data, or {"subject","text"} if it has none.
func (w *Webhook) Send(ctx context.Context, _ string, m Message) error {
	body := []byte(m.Data)
	if len(body) == 0 {
		text, err := json.Marshal(map[string]string{"subject": m.Subject, "text": m.Text})
		if err != nil {
			return err
		}
		body = text
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	header := http.Header{}
	header.Set("webhook-id", m.ID)
	header.Set("webhook-timestamp", at)
	header.Set("webhook-signature", "v1,"+signWebhook(w.key, m.ID, at, body))
	return w.poster.post(ctx, body, header)
}

func signWebhook(key []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, at)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// tolerance is how old, or early, a webhook may be.
const tolerance = 5 * time.Minute

// ErrWebhook is returned by CheckWebhook.
var ErrWebhook = errors.New("the webhook is not signed with this secret, or not of this time")

// CheckWebhook is for those who receive webhooks: it returns ErrWebhook unless the
// body was signed with the secret within five minutes of now. Who remembers the id
// hears nothing twice.
func CheckWebhook(secret string, header http.Header, body []byte, now time.Time) (id string, err error) {
	key, err := webhookKey(secret)
	if err != nil {
		return "", err
	}
	id, at := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return "", ErrWebhook
	}
	want := "v1," + signWebhook(key, id, at, body)
	for signature := range strings.FieldsSeq(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return id, nil
		}
	}
	return "", ErrWebhook
}

// Chat is the channel to an incoming webhook of Slack or Teams.
type Chat struct {
	poster *poster
	body   func(Message) any
}

// NewSlack returns the channel to an incoming webhook of Slack, whose address is a
// secret. A nil transport is the usual one.
func NewSlack(address string, transport http.RoundTripper) (*Chat, error) {
	return newChat(address, transport, slackBody)
}

// NewTeams returns the channel to a workflow of Teams that takes an Adaptive Card,
// whose address is a secret. A nil transport is the usual one.
func NewTeams(address string, transport http.RoundTripper) (*Chat, error) {
	return newChat(address, transport, teamsBody)
}

func newChat(address string, transport http.RoundTripper, body func(Message) any) (*Chat, error) {
	p, err := newPoster(address, transport)
	if err != nil {
		return nil, fmt.Errorf("set up a chat: %w", err)
	}
	return &Chat{p, body}, nil
}

// Send posts the subject and the text.
func (c *Chat) Send(ctx context.Context, _ string, m Message) error {
	body, err := json.Marshal(c.body(m))
	if err != nil {
		return err
	}
	return c.poster.post(ctx, body, http.Header{})
}

// How many characters are posted of a subject and of a text, and in how many blocks. Slack
// cuts what has more than 4,000 characters, and Teams refuses a card of more than 28 KB.
const (
	longestSubject = 200
	longestText    = 2000
	mostBlocks     = 100
)

// slackBody has the text as it is, without formatting: names, links and mentions
// that somebody wrote stay letters, and no page is fetched to be shown beside them.
func slackBody(m Message) any {
	text := Slack.Escape(clip(m.Subject, longestSubject)) + "\n" + escapeLines(Slack, clip(m.Text, longestText))
	return map[string]any{"text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false}
}

// teamsBody has a card with the subject above the text, each line of which is a block:
// within one, Teams takes line ends for spaces. What has too many goes on in the last.
func teamsBody(m Message) any {
	block := func(text, weight string) map[string]any {
		return map[string]any{"type": "TextBlock", "text": Teams.Escape(text), "wrap": true, "weight": weight}
	}
	blocks := []any{block(clip(m.Subject, longestSubject), "Bolder")}
	for _, line := range strings.SplitN(clip(m.Text, longestText), "\n", mostBlocks) {
		blocks = append(blocks, block(line, "Default"))
	}
	return map[string]any{"type": "message", "attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.card.adaptive",
		"content": map[string]any{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": blocks,
		},
	}}}
}

// clip returns so many characters of a text at most.
func clip(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// escapeLines escapes each line of a text.
func escapeLines(f Format, text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = f.Escape(lines[i])
	}
	return strings.Join(lines, "\n")
}
