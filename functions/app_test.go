package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/functions/internal/phone"
	"github.com/seed21523604/holdfast/functions/settings"
)

// site is the whole app in this process, on a real listener.
type site struct {
	t       *testing.T
	app     *app
	address string
	stop    func()
}

// open starts the app on the folder with the given environment.
func open(t *testing.T, folder string, local bool, env ...string) *site {
	t.Helper()
	lookup := environment(append(env, "DataFolder="+folder, "Address=127.0.0.1:0"))
	values, _, err := settings.Load(nil, lookup)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(t.Context(), values, options{Logger: slog.New(slog.DiscardHandler), Address: listener.Addr().String(), Local: local})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.serve(ctx, openFront(listener, a.log)) }()
	stopped := false
	s := &site{t: t, app: a, address: listener.Addr().String(), stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}}
	t.Cleanup(s.stop)
	return s
}

func environment(pairs []string) func(string) (string, bool) {
	m := map[string]string{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

// do sends a request. A path may be a whole URL; a header is "Name: value".
func (s *site) do(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = s.app.url + path
	}
	r, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return w, string(b)
}

func (s *site) want(status int, method, path, body string, headers ...string) string {
	s.t.Helper()
	w, answer := s.do(method, path, body, headers...)
	if w.StatusCode != status {
		s.t.Errorf("%s %s %q: %d %s, want %d", method, path, body, w.StatusCode, answer, status)
	}
	return answer
}

// links are the management URLs of an instance.
type links struct {
	ID                    string
	StatusQueryGetURI     string
	SendEventPostURI      string
	TerminatePostURI      string
	PurgeHistoryDeleteURI string
	RestartPostURI        string
	SuspendPostURI        string
	ResumePostURI         string
	ResendPostURI         string
}

func (s *site) authenticate(number string) links {
	s.t.Helper()
	w, body := s.do("POST", authenticatePath, fmt.Sprintf(`{"number":%q}`, number))
	var l links
	if err := json.Unmarshal([]byte(body), &l); err != nil || w.StatusCode != http.StatusAccepted {
		s.t.Fatalf("%d %s", w.StatusCode, body)
	}
	if w.Header.Get("Location") != l.StatusQueryGetURI || w.Header.Get("Retry-After") != "10" {
		s.t.Errorf("headers %v", w.Header)
	}
	return l
}

// readLinks reads the body of the answer to a start.
func readLinks(t *testing.T, body string) (l links) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &l); err != nil || l.ID == "" {
		t.Fatalf("%s", body)
	}
	return l
}

// linksOf reads the answer to a start.
func linksOf(t *testing.T, w *httptest.ResponseRecorder) (l links) {
	t.Helper()
	if w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return readLinks(t, w.Body.String())
}

// code waits until a message for the number is on the simulated phone.
func (s *site) code(number string) string {
	s.t.Helper()
	for {
		var messages []phone.Message
		if err := json.Unmarshal([]byte(s.want(200, "GET", messagesPath, "")), &messages); err != nil {
			s.t.Fatal(err)
		}
		for _, m := range messages {
			if m.To == number {
				return codeIn(m.Body)
			}
		}
	}
}

// waiting returns the status of an instance once it waits for the code: a moment
// after the message came, when that is recorded.
func (s *site) waiting(l links) string {
	s.t.Helper()
	for {
		if status := s.want(202, "GET", l.StatusQueryGetURI, ""); strings.Contains(status, "waitingFor") || s.t.Failed() {
			return status
		}
	}
}

func (l links) event() string {
	return strings.Replace(l.SendEventPostURI, "{eventName}", "SmsChallengeResponse", 1)
}

const number = "+447700900123"

func TestVerificationFromStartToEnd(t *testing.T) {
	s := open(t, t.TempDir(), true)
	l := s.authenticate(number)
	s.want(202, "GET", l.StatusQueryGetURI, "")
	s.want(202, "POST", l.event(), `"not it"`, "Content-Type: application/json")
	s.waiting(l)
	s.want(202, "POST", l.event(), s.code(number), "Content-Type: application/x-www-form-urlencoded")
	answer := s.want(200, "GET", l.StatusQueryGetURI, "")
	if !strings.Contains(answer, `"output":{"verified":true,"outcome":"verified","tries":2}`) {
		t.Error(answer)
	}
	s.want(200, "GET", strings.Replace(l.StatusQueryGetURI, "/runtime/webhooks/durabletask/instances", "/Runtime/WebHooks/DurableTask/Instances", 1), "")
	s.want(410, "POST", l.event(), `"1"`)
	s.want(410, "POST", l.TerminatePostURI, "")
	s.want(200, "DELETE", l.PurgeHistoryDeleteURI, "")
	s.want(404, "GET", l.StatusQueryGetURI, "")
	s.want(404, "POST", l.event(), `"1"`)
}

func TestEveryLinkOfAStartedVerificationWorks(t *testing.T) {
	s := open(t, t.TempDir(), true)
	l := s.authenticate(number)
	s.code(number)
	s.want(202, "POST", l.SuspendPostURI, "")
	if answer := s.want(202, "GET", l.StatusQueryGetURI, ""); !strings.Contains(answer, `"Suspended"`) {
		t.Error(answer)
	}
	s.want(202, "POST", l.ResumePostURI, "")
	s.want(412, "DELETE", l.PurgeHistoryDeleteURI, "")
	s.want(202, "POST", strings.Replace(l.TerminatePostURI, "{text}", "enough", 1), "")
	if answer := s.want(200, "GET", l.StatusQueryGetURI, ""); !strings.Contains(answer, `"Terminated"`) || !strings.Contains(answer, `"output":"enough"`) {
		t.Error(answer)
	}
	again := s.want(202, "POST", l.RestartPostURI, "")
	if strings.Contains(again, l.ID) {
		t.Error("restarted under the same id", again)
	}
	s.want(200, "DELETE", l.PurgeHistoryDeleteURI, "")
}

func TestAuthenticateReadsANumberHoweverItIsWritten(t *testing.T) {
	s := open(t, t.TempDir(), true)
	for _, good := range []string{
		"?number=%2B447700900123", "?number=+447700900123", "?number=447700900123", "?number=%2B44+7700+900-123",
	} {
		answer := s.want(202, "POST", authenticatePath+good, "")
		var l links
		_ = json.Unmarshal([]byte(answer), &l)
		if status := s.want(202, "GET", l.StatusQueryGetURI, ""); !strings.Contains(status, `"number":"+447700900123"`) {
			t.Errorf("%s: %s", good, status)
		}
	}
	for _, bad := range []struct{ query, body string }{
		{"", ""}, {"", " \n"}, {"?number=", ""}, {"?number=%2B", ""}, {"?number=hello", ""}, {"?number=%2B12", ""}, {"?number=%2B0447700900123", ""},
		{"?number=%2B44770090012345678", ""}, {"", `{"number":""}`}, {"", `{}`}, {"", `{"number":17}`}, {"", `{"number":`}, {"", "number=1"},
		{"", `{"number":"+447700900123","number":"+447700900124"}`}, {"", `{"number":"+447700900123","to":"me"}`}, {"", `{"number":"+447700900123"} {}`},
	} {
		answer := s.want(400, "POST", authenticatePath+bad.query, bad.body)
		if !strings.Contains(answer, "+447700900123") {
			t.Errorf("%v: the answer does not say what a number looks like: %s", bad, answer)
		}
	}
	s.want(413, "POST", authenticatePath, `{"number":"`+strings.Repeat("1", 100_000)+`"}`)
	s.want(405, "GET", authenticatePath+"?number=%2B447700900123", "")
}

func TestRequestsUnderAnotherNameOrFromAnotherPageAreRefused(t *testing.T) {
	s := open(t, t.TempDir(), true)
	s.want(421, "GET", messagesPath, "", "Host: evil.example")
	s.want(421, "GET", "/", "", "Host: 127.0.0.1.evil.example:7071")
	s.want(403, "POST", authenticatePath+"?number=%2B447700900123", "", "Origin: https://evil.example")
	s.want(403, "POST", backupPath, "", "Origin: null")
	s.want(202, "POST", authenticatePath+"?number=%2B447700900123", "", "Origin: "+s.app.url)
	s.want(200, "GET", "/", "", "Host: localhost")
	s.want(200, "GET", "/", "", "Host: [::1]:7071")
}

func TestLinksBeginWithThePublicURL(t *testing.T) {
	s := open(t, t.TempDir(), true, "PublicBaseUrl=https://verify.example/")
	local := "http://" + s.address
	w, body := s.do("POST", local+authenticatePath+"?number=%2B447700900123", "", "Host: verify.example", "X-Forwarded-Host: evil.example")
	want := "https://verify.example" + localPath + "/instances/"
	if !strings.HasPrefix(w.Header.Get("Location"), want) || strings.Contains(body, "evil") {
		t.Errorf("%d %v %s", w.StatusCode, w.Header, body)
	}
	s.want(421, "GET", local+"/", "", "Host: evil.example")
}

func TestLocalPathsAreThereInALocalRunOnly(t *testing.T) {
	s := open(t, t.TempDir(), false)
	for _, path := range []string{phonePath, messagesPath} {
		s.want(404, "GET", path, "")
	}
	s.want(404, "POST", backupPath, "")
	s.authenticate(number)
}

func TestAVerificationOutlivesTheProcess(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, true)
	l := s.authenticate(number)
	code := s.code(number)
	before := s.waiting(l)
	s.stop()
	again := open(t, folder, true)
	move := func(url string) string { return strings.Replace(url, s.app.url, again.app.url, 1) }
	if after := again.want(202, "GET", move(l.StatusQueryGetURI), ""); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	again.want(202, "POST", move(l.event()), code)
	if answer := again.want(200, "GET", move(l.StatusQueryGetURI), ""); !strings.Contains(answer, `"verified":true`) {
		t.Error(answer)
	}
}

func TestABackupIsMadeWhileTheAppRunsAndCanBeOpened(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, true)
	l := s.authenticate(number)
	code := s.code(number)
	s.waiting(l)
	var made struct{ Folder string }
	if err := json.Unmarshal([]byte(s.want(201, "POST", backupPath, "")), &made); err != nil {
		t.Fatal(err)
	}
	s.want(202, "POST", l.event(), code)
	copied := open(t, made.Folder, true)
	move := func(url string) string { return strings.Replace(url, s.app.url, copied.app.url, 1) }
	copied.want(202, "GET", move(l.StatusQueryGetURI), "")
	copied.want(202, "POST", move(l.event()), code)
	if answer := copied.want(200, "GET", move(l.StatusQueryGetURI), ""); !strings.Contains(answer, `"verified":true`) {
		t.Error(answer)
	}
}

func TestASecondProcessOnTheFolderIsToldSo(t *testing.T) {
	s := open(t, t.TempDir(), true)
	values, _, err := settings.Load([]string{"-data", s.app.folder}, environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	_, err = newApp(t.Context(), values, options{Logger: slog.New(slog.DiscardHandler), Address: "127.0.0.1:1"})
	if err == nil || !strings.Contains(advised(err, values).Error(), store.ErrInUse.Error()) || !strings.Contains(advised(err, values).Error(), "-data") {
		t.Errorf("%v", err)
	}
}

func TestTheKeyIsKeptToItsOwner(t *testing.T) {
	s := open(t, t.TempDir(), true)
	info, err := os.Stat(filepath.Join(s.app.folder, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestTheCommandLine(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for _, c := range []struct {
		name string
		args []string
		env  []string
		code int
		says []string
	}{
		{"settings", []string{"settings"}, []string{"SmsVerifyTries=7", "TwilioAuthToken=abc0123456789", "TwilioAccountSid=AC0123456789abcdef0123456789abcdef", "TwilioPhoneNumber=+15005550006"},
			exitOK, []string{"SmsVerifyTimeout", "5m", "30s", "10m", "default", "env", "***"}},
		{"settings by flag", []string{"settings", "-sms-verify-timeout", "2m"}, nil, exitOK, []string{"2m", "flag"}},
		{"help", []string{"-h"}, nil, exitOK, []string{"-addr", "-data"}},
		{"unknown command", []string{"dance"}, nil, exitUsage, []string{"dance", "settings"}},
		{"unknown flag", []string{"-dance"}, nil, exitUsage, []string{"dance"}},
		{"out of bounds", nil, []string{"SmsVerifyTimeout=1h", "SmsVerifyDigits=3"}, exitUsage, []string{"SmsVerifyTimeout", "10m", "SmsVerifyDigits"}},
		{"not loopback", []string{"-addr", "0.0.0.0:0", "-data", folder}, nil, exitFailure, []string{"loopback", "127.0.0.1:7071"}},
		{"no port", []string{"-addr", "127.0.0.1", "-data", folder}, nil, exitUsage, []string{"127.0.0.1:7071"}},
		{"port taken", []string{"-addr", busy.Addr().String(), "-data", folder}, nil, exitFailure, []string{"in use", "-addr"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), c.args, environment(c.env), stdio{strings.NewReader(""), &out, &out}); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, part := range c.says {
				if !strings.Contains(out.String(), part) {
					t.Errorf("it does not say %q:\n%s", part, out.String())
				}
			}
			if strings.Contains(out.String(), "abc0123456789") {
				t.Error("it shows a secret")
			}
		})
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("a run that was refused made the data folder")
	}
}
