package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/functions/settings"
)

// pipes is a listener in memory. Unlike those of the system, its connections
// obey a bubble's clock.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// A caller who is slow, or who does not take the answer, is hung up on after
// exactly as long as the table says.
func TestTheServerDoesNotWaitForThoseWhoAreSlow(t *testing.T) {
	const get, post = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
	for name, test := range map[string]struct {
		send  string
		reads bool
		want  time.Duration
	}{
		"headers": {send: "GET / HTTP/1.1\r\nHost: x\r\n", reads: true, want: headerTime},
		"body":    {send: post + "1", reads: true, want: readTime},
		"answer":  {send: get, want: writeTime},
		"next":    {send: get, reads: true, want: idleTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener, done := newPipes(), make(chan struct{}, 1)
				server := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = w.Write(make([]byte, 100_000))
					done <- struct{}{}
				}), slog.New(slog.DiscardHandler))
				go func() { _ = server.Serve(listener) }()
				conn, began := listener.dial(), time.Now()
				if _, err := io.WriteString(conn, test.send); err != nil {
					t.Fatal(err)
				}
				if test.reads {
					_, _ = io.Copy(io.Discard, conn) // until the server hangs up
				} else {
					<-done
				}
				if got := time.Since(began); got != test.want {
					t.Errorf("the server waited for %v, want %v", got, test.want)
				}
				conn.Close()
				server.Close()
			})
		})
	}
}

func TestHeadersMayBeSoLargeAndNoLarger(t *testing.T) {
	s := open(t, t.TempDir(), true)
	s.want(200, "GET", "/", "", "X-Large: "+strings.Repeat("x", maxHeader))
	s.want(431, "GET", "/", "", "X-Large: "+strings.Repeat("x", maxHeader+8<<10))
}

// sheltering are the headers that every answer has.
var sheltering = map[string]string{
	"Cache-Control":                "no-store",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

func TestEveryAnswerOfTheAppIsShelteredAndNoneIsForOtherOrigins(t *testing.T) {
	s := open(t, t.TempDir(), true)
	for _, r := range [][]string{
		{"GET", "/"}, {"GET", "/nothing"}, {"PUT", "/"}, {"GET", authenticatePath}, {"POST", authenticatePath}, {"POST", authenticatePath + "?number=%2B447700900123"},
		{"GET", phonePath}, {"GET", messagesPath}, {"PUT", messagesPath}, {"GET", localPath + "/instances"}, {"GET", localPath + "/instances/x"}, {"GET", localPath}, {"POST", backupPath},
		{"GET", "/", "Host: evil.example"}, {"POST", backupPath, "Origin: https://evil.example"}, {"GET", localPath + "/instances", "Origin: https://evil.example"},
		{"OPTIONS", localPath + "/instances", "Origin: https://evil.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: x-functions-key"},
		{"OPTIONS", authenticatePath, "Origin: https://evil.example", "Access-Control-Request-Method: POST"},
	} {
		w, _ := s.do(r[0], r[1], "", r[2:]...)
		for name, value := range sheltering {
			if w.Header.Get(name) != value {
				t.Errorf("%v: %d, %s: %q", r, w.StatusCode, name, w.Header.Get(name))
			}
		}
		if !strings.Contains(w.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%v: %v", r, w.Header)
		}
		for name := range w.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%v: %s", r, name)
			}
		}
	}
}

// logged is what an app logs.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

// Whatever is sent to the app, and whatever goes wrong in it, its log has no
// key, token, code, guess or number.
func TestNoSecretGetsIntoTheLogOfTheApp(t *testing.T) {
	const operatorKey, token, guess = "5c1a0e6d9b7f43aab1d8", "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln", "7373737373" // so many digits that no id has them by chance
	log := &logged{}
	app := logging(t, log, "OperatorKey="+operatorKey, "EntraTenantId=11111111-2222-3333-4444-555555555555", "EntraAudience=api://holdfast", "EntraAuthority=https://127.0.0.1:1")
	var l links
	secrets := []string{operatorKey, token, guess, number}
	drive := func(n int) {
		do := func(method, target string, headers ...string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, target, strings.NewReader(guess))
			r.Host = strings.TrimPrefix(app.url, "http://")
			r.Header.Set("Content-Type", "application/json")
			for _, header := range headers {
				name, value, _ := strings.Cut(header, ": ")
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			app.handler.ServeHTTP(w, r)
			return w
		}
		if w := do("POST", authenticatePath+"?number=%2B"+number[1:]); n == 0 {
			l = linksOf(t, w)
			for _, link := range []string{l.StatusQueryGetURI, l.SendEventPostURI, l.TerminatePostURI} {
				_, code, _ := strings.Cut(link, "code=")
				secrets = append(secrets, code)
			}
		}
		for _, link := range []string{
			l.StatusQueryGetURI, l.event(), l.TerminatePostURI, l.RestartPostURI, l.SuspendPostURI, l.ResumePostURI, l.PurgeHistoryDeleteURI,
			app.url + localPath + "/instances/" + l.ID + "/raiseEvent/" + guess, app.url + localPath + "/instances", app.url + localPath + "/orchestrators/SmsVerify",
			app.url + localPath + "/entities/" + guess, app.url + phonePath, app.url + messagesPath, app.url + backupPath, app.url + "/" + guess,
		} {
			for _, method := range []string{"GET", "POST", "DELETE"} {
				do(method, link)
				do(method, link, "X-Functions-Key: "+operatorKey)
				do(method, link, "X-Functions-Key: "+operatorKey+"x", "Prefer: wait=1")
				do(method, link, "Authorization: Bearer "+token)
				do(method, link, "Cookie: key="+operatorKey, "Origin: https://"+operatorKey+".example")
			}
		}
	}
	drive(0)
	if err := app.store.Close(); err != nil { // from here on everything goes wrong
		t.Fatal(err)
	}
	before := log.Len()
	drive(1)
	if log.Len() < before+1000 {
		t.Errorf("hardly anything was logged: %s", log)
	}
	for _, secret := range secrets {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
}

// logging makes an app that writes everything there is to say into a log.
func logging(t *testing.T, log io.Writer, env ...string) *app {
	t.Helper()
	values, _, err := settings.Load(nil, environment(append(env, "DataFolder="+t.TempDir(), "LogLevel=debug")))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a, err := newApp(t.Context(), values, options{Logger: logger, Address: "127.0.0.1:7071", Local: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	worked := make(chan error, 1)
	go func() { worked <- a.worker.Run(ctx) }()
	t.Cleanup(func() { stop(); <-worked })
	return a
}
