package twiliotest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// The account that a Server takes requests from when [Options] names no other. None of it is real.
const (
	AccountSid   = "AC0123456789abcdef0123456789abcdef"
	AuthToken    = "fake0token0fake0token0fake0token"
	ApiKeySid    = "SK0123456789abcdef0123456789abcdef"
	ApiKeySecret = "fake0secret0fake0secret0fake0sec"
	ServiceSid   = "VA0123456789abcdef0123456789abcdef"
	From         = "+15005550006"
)

// Options says how a Server behaves. The zero value works.
type Options struct {
	// AccountSid and AuthToken, or ApiKeySid and ApiKeySecret, are what requests must carry; empty means the constants of
	// the package. The AuthToken signs what the Server sends.
	AccountSid, AuthToken, ApiKeySid, ApiKeySecret string
	// ServiceSid is the one service of Verify.
	ServiceSid string
	// Transport carries what the Server sends to the addresses of others; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock of messages; nil means time.Now.
	Now func() time.Time
	// Logf takes the few lines the Server has to say; nil means nobody listens.
	Logf func(format string, args ...any)
}

// TB is the part of testing.TB that [New] uses.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Message is a message that the Server took. Callback is where its sender wants to be told what becomes of it, or empty.
type Message struct {
	Sid, To, From, Body string
	Callback            string
	At                  time.Time
}

// Server is a fake Twilio. It is safe for concurrent use.
type Server struct {
	options  Options
	contract *contract // nil when Twilio's document was not found
	http     *httptest.Server
	closing  chan struct{} // closed by Close, to release held requests
	close    sync.Once

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced when a message is taken
	messages   []Message
	requests   int
	scripts    map[string][]Answer
	violations []string
	verifying  []*verification
}

// New starts a Server for a test and closes it in the test's cleanup.
func New(tb TB) *Server {
	tb.Helper()
	s, err := Start(Options{Logf: tb.Logf})
	if err != nil {
		tb.Fatalf("start fake twilio: %v", err)
	}
	tb.Cleanup(s.Close)
	return s
}

// Start starts a Server, which the caller has to close. It fails when HOLDFAST_TWILIO_OPENAPI names a document that
// cannot be read.
func Start(o Options) (*Server, error) {
	o.AccountSid, o.AuthToken = cmp.Or(o.AccountSid, AccountSid), cmp.Or(o.AuthToken, AuthToken)
	o.ApiKeySid, o.ApiKeySecret = cmp.Or(o.ApiKeySid, ApiKeySid), cmp.Or(o.ApiKeySecret, ApiKeySecret)
	o.ServiceSid = cmp.Or(o.ServiceSid, ServiceSid)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	c, err := loadContract(o.Logf)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options:  o,
		contract: c,
		closing:  make(chan struct{}),
		changed:  make(chan struct{}),
		scripts:  map[string][]Answer{},
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return s, nil
}

// URL returns the address of the Server, without a trailing slash.
func (s *Server) URL() string { return s.http.URL }

// Close lets go of held requests and stops the Server; connections to it are refused from then on. It may be called
// more than once.
func (s *Server) Close() {
	s.close.Do(func() {
		close(s.closing)
		s.http.Close()
	})
}

// Script sets what the next requests to send to a number are answered, one answer each, after what was scripted
// before. Requests beyond the script succeed.
func (s *Server) Script(to string, answers ...Answer) { s.script(to, answers) }

// ScriptLists sets what the next requests for a list of messages are answered.
func (s *Server) ScriptLists(answers ...Answer) { s.script(lists, answers) }

// ScriptChecks sets what the next requests to compare a code are answered.
func (s *Server) ScriptChecks(answers ...Answer) { s.script(checks, answers) }

// The scripts that are for no number.
const lists, checks = "lists", "checks"

func (s *Server) script(name string, answers []Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[name] = append(s.scripts[name], answers...)
}

// Messages returns the messages taken so far, the oldest first. A message counts as taken even if the reply that says
// so was lost.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// MessagesFor returns the messages taken for one number, the oldest first.
func (s *Server) MessagesFor(to string) []Message {
	return slices.DeleteFunc(s.Messages(), func(m Message) bool { return m.To != to })
}

// Wait returns the messages for a number as soon as there are at least n of them, or the context's error.
func (s *Server) Wait(ctx context.Context, to string, n int) ([]Message, error) {
	for {
		changed := s.nextChange()
		if got := s.MessagesFor(to); len(got) >= n {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %d messages to %s, have %d: %w", n, to, len(s.MessagesFor(to)), ctx.Err())
		}
	}
}

// Requests returns how many requests have come in, whatever became of them.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Violations returns what was wrong with requests, in the order in which they came.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Server) nextChange() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// nextAnswer takes the next answer off a script.
func (s *Server) nextAnswer(name string) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	script := s.scripts[name]
	if len(script) == 0 {
		return Answer{}
	}
	s.scripts[name] = script[1:]
	return script[0]
}

func (s *Server) countRequest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
}

func (s *Server) addViolation(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, text)
}

// take keeps a message and tells whoever waits.
func (s *Server) take(m Message) Message {
	m.Sid, m.At = newSid("SM"), s.options.Now().UTC()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	close(s.changed)
	s.changed = make(chan struct{})
	return m
}

func newSid(prefix string) string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return prefix + hex.EncodeToString(id[:])
}
