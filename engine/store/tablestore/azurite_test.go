package tablestore

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// emulators is how many Azurites the tests use. An Azurite has one clock, so it
// serves one test at a time.
const emulators = 2

// azurite is the emulator as a process of its own, with a clock that stands
// still until a test moves it.
type azurite struct {
	process       *exec.Cmd
	folder        string
	tables, queue string // the endpoints

	mu    sync.Mutex
	clock time.Time
}

// pool holds the emulators that no test uses; one is nil until it is started.
var pool = make(chan *azurite, emulators)

// inUse knows which emulator a test has: every hub of it is on the same one.
var inUse sync.Map

func TestMain(m *testing.M) {
	for range emulators {
		pool <- nil
	}
	code := m.Run()
	for range emulators {
		if a := <-pool; a != nil {
			if err := a.stop(); err != nil {
				fmt.Fprintln(os.Stderr, "stop Azurite:", err)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// use returns the emulator of a test, which gives it back when it ends.
func use(t testing.TB) *azurite {
	t.Helper()
	if a, ok := inUse.Load(t); ok {
		return a.(*azurite)
	}
	script, library := parts(t)
	a := <-pool
	if a == nil {
		var err error
		if a, err = start(script, library); err != nil {
			pool <- nil
			t.Fatal("start Azurite:", err)
		}
	}
	inUse.Store(t, a)
	t.Cleanup(func() {
		inUse.Delete(t)
		pool <- a
	})
	return a
}

// parts returns what an emulator is made of, or skips the test.
func parts(t testing.TB) (script, library string) {
	t.Helper()
	script, err := filepath.Abs("../../../.ci/azurite/node_modules/azurite/dist/src/azurite.js")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(script); err != nil {
		t.Skip("Azurite is not installed; run npm ci in .ci/azurite")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("Node.js is not installed; Azurite needs version 20 or later")
	}
	for _, pattern := range []string{"/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1", "/usr/local/lib/faketime/libfaketime.so.1"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return script, found[0]
		}
	}
	t.Skip("libfaketime is not installed; on Debian it is the package faketime")
	return "", ""
}

// start starts an emulator and waits until it listens.
func start(script, library string) (*azurite, error) {
	folder, err := os.MkdirTemp("", "azurite")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	a := &azurite{folder: folder, queue: "http://127.0.0.1:" + ports[1], tables: "http://127.0.0.1:" + ports[2]}
	if err := a.setClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)); err != nil {
		return nil, err
	}
	a.process = exec.Command("node", script, "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--location", folder,
		"--blobHost", "127.0.0.1", "--blobPort", ports[0], "--queueHost", "127.0.0.1", "--queuePort", ports[1], "--tableHost", "127.0.0.1", "--tablePort", ports[2])
	a.process.Env = append(os.Environ(), "TZ=UTC", "LD_PRELOAD="+library, "FAKETIME_TIMESTAMP_FILE="+a.clockFile(), "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1")
	a.process.Stderr = os.Stderr
	output, err := a.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := a.process.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(output)
	for listening := 0; listening < 3; {
		if !lines.Scan() {
			return nil, errors.Join(errors.New("it ended"), a.process.Wait())
		}
		if strings.Contains(lines.Text(), "listen") && strings.Contains(lines.Text(), "success") {
			listening++
		}
	}
	go func() {
		for lines.Scan() {
		}
	}()
	return a, nil
}

func freePorts(n int) (ports []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// stop ends the emulator as it wants to be ended.
func (a *azurite) stop() error {
	if err := a.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = a.process.Wait() // how it ends does not matter
	return os.RemoveAll(a.folder)
}

func (a *azurite) clockFile() string { return filepath.Join(a.folder, "clock") }

// setClock makes it a certain time in the emulator, until the next call.
func (a *azurite) setClock(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.clock.Equal(now) {
		return nil
	}
	next := a.clockFile() + ".next"
	if err := os.WriteFile(next, []byte(now.UTC().Format("2006-01-02 15:04:05.000000000")+"\n"), 0o600); err != nil {
		return err
	}
	if err := os.Rename(next, a.clockFile()); err != nil {
		return err
	}
	a.clock = now
	return nil
}

// clockPolicy sets the emulator's clock to the test's before every request.
type clockPolicy struct {
	a   *azurite
	now func() time.Time
}

// Do is called by the SDK.
func (p clockPolicy) Do(r *policy.Request) (*http.Response, error) {
	if err := p.a.setClock(p.now()); err != nil {
		return nil, err
	}
	return r.Next()
}

var hubs atomic.Int64

// newOptions returns options for a new hub on the test's emulator.
func newOptions(t testing.TB, now func() time.Time) Options {
	a := use(t)
	o := Options{ConnectionString: developmentString(a.tables, a.queue), Hub: fmt.Sprint("hub", hubs.Add(1)), Now: now}
	o.Client.PerCallPolicies = []policy.Policy{clockPolicy{a, now}}
	return o
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
