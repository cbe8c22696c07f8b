package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// The orchestrations of these tests.
const (
	echo    engine.Orchestrator[json.RawMessage, json.RawMessage] = "Echo"    // returns its input
	approve engine.Orchestrator[json.RawMessage, json.RawMessage] = "Approve" // returns the payload of an Approval
	verify  engine.Orchestrator[json.RawMessage, []string]        = "Verify"  // returns the seal of a Code, and waits for a Note first
	broken  engine.Orchestrator[json.RawMessage, json.RawMessage] = "Broken"  // fails
	nobody                                                        = "Nobody"  // no worker knows it
)

const (
	approval engine.Event[json.RawMessage] = "Approval"
	note     engine.Event[json.RawMessage] = "AmountOfMoney"
	secret   engine.Event[engine.Sealed]   = "SmsChallengeResponse"
)

func registry() *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, echo, func(_ *engine.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	engine.AddOrchestrator(r, approve, func(ctx *engine.Context, _ json.RawMessage) (json.RawMessage, error) {
		return engine.WaitForExternalEvent(ctx, approval).Await()
	})
	engine.AddOrchestrator(r, verify, func(ctx *engine.Context, _ json.RawMessage) ([]string, error) {
		first, err := engine.WaitForExternalEvent(ctx, note).Await()
		if err != nil {
			return nil, err
		}
		code, err := engine.WaitForExternalEvent(ctx, secret).Await()
		return []string{string(first), string(code)}, err
	}, engine.SecretEvent(secret))
	addQuiz(r)
	addPages(r)
	engine.AddOrchestrator(r, broken, func(*engine.Context, json.RawMessage) (json.RawMessage, error) {
		return nil, errors.New("it broke")
	})
	return r
}

// seal stands for the real thing: nobody finds the payload in a hash.
func seal(instance, event string, payload []byte) (json.RawMessage, error) {
	return json.Marshal(fmt.Sprintf("sealed:%x", sha256.Sum256([]byte(instance+"|"+event+"|"+string(payload)))))
}

// digitsOnly suspects a payload of digits.
func digitsOnly(payload []byte) bool {
	return len(payload) > 0 && strings.Trim(string(payload), `0123456789"`) == ""
}

// clock is one that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// hub is a file store with a worker, and a client on the one or the other.
type hub struct {
	*client.Client
	t      *testing.T
	folder string
	store  *filestore.Store
	worker *dispatch.Worker
}

// bare is a store without anything that tells of changes.
type bare struct{ store.Instances }

// newHub opens a hub. choose says what of it the client works on.
func newHub(t *testing.T, choose func(*hub) store.Instances, change ...func(*client.Options)) *hub {
	t.Helper()
	h := &hub{t: t, folder: t.TempDir()}
	now := newClock().Now
	var err error
	if h.store, err = filestore.Open(h.folder, filestore.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.store.Close() })
	r := registry()
	h.worker = dispatch.New(h.store, r, dispatch.Options{Now: now})
	o := client.Options{Secret: r.SecretEvents, Seal: seal, Suspect: digitsOnly, Now: now}
	for _, c := range change {
		c(&o)
	}
	h.Client = client.New(choose(h), o)
	return h
}

func onWorker(h *hub) store.Instances { return h.worker.Instances() }
func onStore(h *hub) store.Instances  { return h.store }
func onBare(h *hub) store.Instances   { return bare{h.store} }

// everywhere runs a test with a client on a worker, on a store, and on a store
// that tells nobody of changes: its answers are the same.
func everywhere(t *testing.T, test func(t *testing.T, h *hub), change ...func(*client.Options)) {
	for name, choose := range map[string]func(*hub) store.Instances{"worker": onWorker, "store": onStore, "bare": onBare} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHub(t, choose, change...))
		})
	}
}

// settle lets the worker do all there is to do now.
func (h *hub) settle() {
	h.t.Helper()
	h.must(h.worker.Settle(h.ctx()))
	for more := true; more; {
		var err error
		more, err = h.worker.Step(h.ctx())
		h.must(err)
	}
}

func (h *hub) ctx() context.Context { return h.t.Context() }

func (h *hub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// begin starts an instance and lets it come to rest.
func (h *hub) begin(orchestration, id string, input any) {
	h.t.Helper()
	got, err := h.Start(h.ctx(), orchestration, id, input)
	h.must(err)
	if got != id {
		h.t.Fatalf("started %q as %q", id, got)
	}
	h.settle()
}

// bring makes an instance that is in the given status, and returns its id.
func (h *hub) bring(status, id string) {
	h.t.Helper()
	switch status {
	case "unknown":
	case "Pending":
		h.begin(nobody, id, "in")
	case "Running", "Suspended", "Terminated":
		h.begin(string(approve), id, "in")
	case "Completed":
		h.begin(string(echo), id, "in")
	case "Failed":
		h.begin(string(broken), id, "in")
	default:
		h.t.Fatalf("no way to bring an instance to %s", status)
	}
	switch status {
	case "Suspended":
		h.must(h.Suspend(h.ctx(), id, ""))
	case "Terminated":
		h.must(h.Terminate(h.ctx(), id, "enough"))
	}
	h.settle()
	if status != "unknown" {
		h.wantStatus(id, status)
	}
}

func (h *hub) get(id string) store.Instance {
	h.t.Helper()
	in, err := h.Get(h.ctx(), id)
	h.must(err)
	return in
}

func (h *hub) wantStatus(id, status string) {
	h.t.Helper()
	if got := h.get(id).Status.String(); got != status {
		h.t.Fatalf("instance %s is %s, want %s", id, got, status)
	}
}

// wantOutput checks that an instance has completed with the JSON text.
func (h *hub) wantOutput(id, output string) {
	h.t.Helper()
	h.settle()
	in := h.get(id)
	if in.Status != history.Completed || string(in.Output) != output {
		h.t.Errorf("instance %s is %s with %s, want Completed with %s", id, in.Status, in.Output, output)
	}
}

// raise sends an event with a payload called JSON.
func (h *hub) raise(id, event, payload string) error {
	return h.Raise(h.ctx(), id, event, client.Payload{Body: []byte(payload), MediaType: "application/json"})
}

// dump returns all that the store keeps, by its own account and as the files
// of its folder.
func (h *hub) dump() []byte {
	h.t.Helper()
	var all bytes.Buffer
	h.must(h.store.Dump(&all))
	files, err := filepath.Glob(filepath.Join(h.folder, "*"))
	h.must(err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			return h.dump() // what was in the file is in another
		}
		h.must(err)
		all.Write(text)
	}
	return all.Bytes()
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error %v, want %v", what, got, want)
	}
}

// check is must for goroutines other than the test's own.
func (h *hub) check(err error) {
	if err != nil {
		h.t.Error(err)
	}
}
