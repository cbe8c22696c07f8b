// Package bureau is approvals as they are in an app, whole: on a store, with a
// worker, a client, a door, and a clock that a test moves. It is for tests.
package bureau

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/links"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

// The orchestrations of a bureau.
const (
	Approval engine.Orchestrator[approval.Request, approval.Ending] = "Approval"
	Verify   engine.Orchestrator[human.Request, human.Verification] = "SmsVerify"
)

// Origin is where the bureau's links begin.
const Origin = "https://app.example"

// Start is when a bureau opens, by its clock.
var Start = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

// Bureau is approvals, whole.
type Bureau struct {
	*testing.T
	Client *client.Client
	Door   *door.Door
	Links  *links.Maker
	Log    *Buffer
	// Wire is all that was sent to the storage account by a bureau that began there.
	Wire *Buffer

	worker  *dispatch.Worker
	account *azuretest.Account // nil for a folder

	mu       sync.Mutex
	now      time.Time
	sent     []Message
	messages []Text
}

// Message is what somebody was told, with the link that they got.
type Message struct {
	approval.Notice
	Link string
}

// Text is a text message to a phone.
type Text struct{ To, Body string }

// New opens a bureau on a folder, which is closed when the test ends.
func New(t *testing.T) *Bureau {
	t.Helper()
	b := &Bureau{T: t, Log: &Buffer{}, now: Start}
	s, err := filestore.Open(t.TempDir(), filestore.Options{Now: b.Now})
	b.Must(err)
	b.makeLinks()
	b.open(s)
	return b
}

// NewInAccount opens a bureau on a storage account in memory.
func NewInAccount(t *testing.T) *Bureau {
	t.Helper()
	b := &Bureau{T: t, Log: &Buffer{}, Wire: &Buffer{}, now: Start}
	b.account = azuretest.New(azuretest.Options{Now: b.Now})
	b.makeLinks()
	b.openInAccount()
	return b
}

// Another opens a bureau on the account of this one, as another machine does: it has
// the same key for links, and nothing else in common. Its time stands still.
func (b *Bureau) Another() *Bureau {
	b.Helper()
	other := &Bureau{T: b.T, Log: &Buffer{}, Links: b.Links, account: b.account, now: b.Now()}
	other.openInAccount()
	return other
}

func (b *Bureau) openInAccount() {
	b.Helper()
	o := tablestore.Options{ConnectionString: b.account.ConnectionString(), Hub: "Bureau", Now: b.Now}
	o.Client.Transport = b.account
	if b.Wire != nil {
		o.Client.Transport = wiretap{b.account, b.Wire}
	}
	s, err := tablestore.Open(b.Context(), o)
	b.Must(err)
	b.open(s)
}

func (b *Bureau) makeLinks() {
	b.Helper()
	var err error
	b.Links, err = links.New(human.NewKey(), Origin+"/api/approve")
	b.Must(err)
}

// wiretap writes down what is sent to a storage account.
type wiretap struct {
	account *azuretest.Account
	wire    *Buffer
}

// Do sends a request.
func (w wiretap) Do(r *http.Request) (*http.Response, error) {
	body := []byte(nil)
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	_, _ = fmt.Fprintf(w.wire, "%s %s\n%s\n", r.Method, r.URL, body) // a Buffer does not fail
	return w.account.Do(r)
}

// open begins to work on a store.
func (b *Bureau) open(s store.Store) {
	b.Helper()
	b.Cleanup(func() { s.Close() })
	sealer, err := human.NewSealer(human.NewKey())
	b.Must(err)
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, Approval, approval.Decide)
	approval.AddApprovals(r, b, b.Links)
	engine.AddOrchestrator(r, Verify, human.VerifyPhone, engine.SecretEvent(human.SmsChallengeResponse))
	human.AddPhoneVerification(r, phone{b}, sealer, human.Limits{
		Timeout: human.Duration(5 * time.Minute), Tries: 3, Digits: 10, Sends: 1, ResendDelay: human.Duration(time.Second),
	})
	logger := slog.New(slog.NewTextHandler(b.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.worker = dispatch.New(s, r, dispatch.Options{Now: b.Now, Logger: logger})
	b.Client = client.New(b.worker.Instances(), client.Options{Secret: r.SecretEvents, Seal: sealer.Seal, Suspect: human.LooksLikeCode, Now: b.Now})
	b.Door = door.New(door.Options{Client: b.Client, Codes: door.NewVerifications(b.Client, string(Verify))})
}

// Must ends the test if there is an error.
func (b *Bureau) Must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// Now is the time by the bureau's clock.
func (b *Bureau) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// Settle lets everything be done that can be done now.
func (b *Bureau) Settle() {
	b.Helper()
	b.Must(b.worker.Settle(b.Context()))
	for more := true; more; {
		var err error
		more, err = b.worker.Step(b.Context())
		b.Must(err)
	}
}

// Pass lets time pass, and everything happen that is due then.
func (b *Bureau) Pass(d time.Duration) {
	b.Helper()
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
	b.Settle()
}

// Ask begins a request under an id.
func (b *Bureau) Ask(id string, r approval.Request) {
	b.Helper()
	_, err := b.Client.Start(b.Context(), string(Approval), id, r)
	b.Must(err)
	b.Settle()
}

// Notify keeps what somebody is told.
func (b *Bureau) Notify(_ context.Context, n approval.Notice, link links.Link) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, Message{n, link.Reveal()})
	return nil
}

// Sent returns what people were told so far.
func (b *Bureau) Sent() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Message(nil), b.sent...)
}

// Link returns the last link that a person got with a message that has this title.
func (b *Bureau) Link(to, title string) Link {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range slices.Backward(b.sent) {
		if m.To == to && m.Title == title && m.Link != "" {
			return LinkOf(m.Link)
		}
	}
	b.Fatalf("%s got no link for %s", to, title)
	return Link{}
}

// Link is a link, taken apart.
type Link struct{ URL, Instance, Page, Token string }

// LinkOf takes a link apart. Its instance's id has no characters that are escaped.
func LinkOf(url string) Link {
	rest, token, found := strings.Cut(url, "#")
	if !found {
		return Link{}
	}
	part := strings.Split(rest, "/")
	return Link{url, part[len(part)-2], part[len(part)-1], token}
}

// phone is the bureau as a Messenger.
type phone struct{ *Bureau }

// Send keeps a text message.
func (p phone) Send(_ context.Context, to, body string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages = append(p.messages, Text{to, body})
	return nil
}

var inText = regexp.MustCompile(`\d{10}`)

// Codes returns the codes that were sent to a phone, in order.
func (b *Bureau) Codes(to string) (codes []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		if m.To == to {
			codes = append(codes, inText.FindString(m.Body))
		}
	}
	return codes
}

// Buffer is a buffer that many may write to.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends to the buffer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was written.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
