package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// runVariable makes the test binary the app itself, so that a test can start
// and kill a real process.
const runVariable = "HOLDFAST_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is the app as a process of its own, which can be killed and started
// again on the same folder and address.
type process struct {
	t       *testing.T
	folder  string
	address string
	env     []string
	log     safeBuffer // everything it ever printed

	mu      sync.Mutex
	command *exec.Cmd
	up      chan struct{} // closed while the process answers
	ended   chan error
}

// newProcess prepares a process whose messages go to the fake Twilio. It is
// stopped when the test ends.
func newProcess(t *testing.T, tw *twiliotest.Server, env ...string) *process {
	t.Helper()
	p := &process{t: t, folder: t.TempDir(), address: freeAddress(t), up: make(chan struct{})}
	p.env = append(os.Environ(), runVariable+"=1",
		"TwilioApiUrl="+tw.URL(), "TwilioAccountSid="+twiliotest.AccountSid,
		"TwilioAuthToken="+twiliotest.AuthToken, "TwilioPhoneNumber="+twiliotest.From)
	p.env = append(p.env, withoutLimits...)
	p.env = append(p.env, env...)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the process printed:\n%s", p.log.String())
		}
	})
	return p
}

// withoutLimits are settings with which nothing that is sent is counted but the
// verifications of each phone.
var withoutLimits = []string{"SmsCountries=*", "SmsPrefixHourly=0", "SmsCallerHourly=0", "SmsPersonHourly=0", "SmsRequestHourly=0", "SmsDaily=0", "SmsDailyBudget=0", "SmsBreakerSends=0", "SmsPhoneHourly=100"}

// inAzurite returns the settings for a new hub in the emulator.
func inAzurite(e *azuritetest.Emulator) []string {
	return []string{
		"AzureWebJobsStorage=" + e.ConnectionString(), "TaskHubName=" + azuritetest.NewHub(), "TaskHubOwner=test",
		"VerificationKey=" + base64.StdEncoding.EncodeToString(human.NewKey()), "DoorbellLease=5s", "MaxQueuePollingInterval=1s",
	}
}

// emulator starts an emulator for this test alone, which is skipped if it lacks what that takes.
func emulator(t *testing.T, o azuritetest.Options) *azuritetest.Emulator {
	t.Helper()
	e, err := azuritetest.Start(o)
	if errors.Is(err, azuritetest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// freeAddress returns an address that nobody listens on. Its port is below those that the
// system gives to whoever asks for any, so that nobody has it when a process that was killed
// is started on it again.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

// start starts the process and returns when it is ready.
func (p *process) start() {
	p.t.Helper()
	command := exec.Command(os.Args[0], "-addr", p.address, "-data", p.folder)
	command.Env = p.env
	out, err := command.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	command.Stderr = &p.log
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		p.follow(out, ready)
		ended <- command.Wait()
	}()
	select {
	case <-ready:
	case err := <-ended:
		p.t.Errorf("the process did not start: %v\n%s", err, p.log.String())
		ended <- err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.command, p.ended = command, ended
	close(p.up)
}

// values are the settings that the process runs with.
func (p *process) values() settings.Values {
	p.t.Helper()
	values, _, err := settings.Load([]string{"-addr", p.address, "-data", p.folder}, environment(p.env))
	if err != nil {
		p.t.Fatal(err)
	}
	return values
}

// open opens what the process keeps, which must not run if that is a folder.
func (p *process) open() store.Keeper {
	p.t.Helper()
	s, err := openState(p.t.Context(), p.values(), stateOptions{Existing: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { s.Close() })
	return s
}

// says runs another command with the process's settings and returns all that it
// prints.
func (p *process) says(args ...string) string {
	p.t.Helper()
	var out bytes.Buffer
	args = append(args, "-data", p.folder)
	if code := run(p.t.Context(), args, environment(p.env), stdio{strings.NewReader(""), &out, &out}); code != exitOK {
		p.t.Errorf("%q: exit code %d\n%s", args, code, out.String())
	}
	return out.String()
}

// follow keeps what the process prints, and closes ready when it has said what
// to type next.
func (p *process) follow(out io.Reader, ready chan struct{}) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(&p.log, lines.Text())
		if ready != nil && strings.HasPrefix(lines.Text(), "Type next") {
			close(ready)
			ready = nil
		}
	}
}

// kill kills the process with signal 9, if it runs, and waits until it is gone.
func (p *process) kill() { p.end(os.Kill) }

// end sends a signal and returns how the process ended.
func (p *process) end(signal os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.command == nil {
		return nil
	}
	p.up = make(chan struct{})
	_ = p.command.Process.Signal(signal)
	err := <-p.ended
	p.command = nil
	return err
}

// request sends a request as soon as the process is up, and again when it was
// killed meanwhile. It returns the status and the body.
func (p *process) request(method, path, body string) (int, []byte) {
	return p.requestAs("application/json", method, path, body)
}

// requestAs is request with a body of another media type.
func (p *process) requestAs(kind, method, path, body string) (int, []byte) {
	for {
		p.mu.Lock()
		up := p.up
		p.mu.Unlock()
		<-up
		status, answer, err := p.once(kind, method, path, body)
		if err == nil {
			return status, answer
		}
	}
}

func (p *process) once(kind, method, path, body string) (int, []byte, error) {
	r, err := http.NewRequest(method, "http://"+p.address+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", kind)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer w.Body.Close()
	answer, err := io.ReadAll(w.Body)
	return w.StatusCode, answer, err
}

// status reads an instance's status.
func (p *process) status(id string) (s status, code int) {
	code, body := p.request(http.MethodGet, localPath+"/instances/"+id, "")
	_ = json.Unmarshal(body, &s)
	return s, code
}

// status is what the tests read of a status query.
type status struct {
	RuntimeStatus string
	CustomStatus  *struct {
		TriesLeft int
		Until     string
	}
	Output struct {
		Verified bool
		Outcome  string
		Tries    int
	}
}

func (s status) ended() bool {
	return s.RuntimeStatus == "Completed" || s.RuntimeStatus == "Failed" || s.RuntimeStatus == "Terminated"
}

// codeIn returns the code in a message's text.
func codeIn(body string) string {
	_, rest, _ := strings.Cut(body, "code is ")
	code, _, _ := strings.Cut(rest, ".")
	return code
}

// safeBuffer is a bytes.Buffer for several writers.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends to the buffer.
func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

// String returns what was written so far.
func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
