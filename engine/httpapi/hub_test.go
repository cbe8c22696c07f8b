package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

// base is where the API says it is; basePath is its path.
const (
	basePath = "/runtime/webhooks/durabletask"
	base     = "https://hub.example" + basePath
)

// The names of these tests.
const (
	echo    engine.Orchestrator[json.RawMessage, json.RawMessage] = "Echo"    // returns its input
	approve engine.Orchestrator[json.RawMessage, json.RawMessage] = "Approve" // returns the payload of an Approval
	verify  engine.Orchestrator[json.RawMessage, engine.Sealed]   = "Verify"  // returns the seal of a Code
	broken  engine.Orchestrator[json.RawMessage, json.RawMessage] = "Broken"  // fails
	steps   engine.Orchestrator[int, int]                         = "Steps"   // two activities, a timer, an event
	family  engine.Orchestrator[string, int]                      = "Family"  // deals with other instances
	later                                                         = "Later"   // may be started, and no worker knows it
	hold    engine.Orchestrator[int, int]                         = "Hold"    // an activity that takes until the test says so

	again engine.Orchestrator[int, int]    = "Again" // continues as new with each approval
	quiz  engine.Orchestrator[int, string] = "Quiz"  // a number above the input, three tries, five minutes; then a Vote

	double engine.Activity[int, int] = "Double"
	halve  engine.Activity[int, int] = "Halve" // fails with an odd number
	held   engine.Activity[int, int] = "Hold"

	approval engine.Event[json.RawMessage] = "Approval"
	code     engine.Event[engine.Sealed]   = "SmsChallengeResponse"
)

var orchestrators = []string{"Again", "Approve", "Broken", "Echo", "Family", "Hold", "Later", "Quiz", "Steps", "Verify"}

// oddError has a kind.
type oddError int

func (e oddError) Error() string { return fmt.Sprintf("%d is odd", int(e)) }
func (oddError) Kind() string    { return "odd" }

func registry(began chan<- struct{}, release <-chan struct{}) *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, echo, func(_ *engine.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	engine.AddOrchestrator(r, approve, func(ctx *engine.Context, _ json.RawMessage) (json.RawMessage, error) {
		if err := ctx.SetCustomStatus(map[string]string{"waitingFor": string(approval)}); err != nil {
			return nil, err
		}
		return engine.WaitForExternalEvent(ctx, approval).Await()
	})
	engine.AddOrchestrator(r, verify, func(ctx *engine.Context, _ json.RawMessage) (engine.Sealed, error) {
		return engine.WaitForExternalEvent(ctx, code).Await()
	}, engine.SecretEvent(code))
	engine.AddOrchestrator(r, broken, func(*engine.Context, json.RawMessage) (json.RawMessage, error) {
		return nil, errors.New("it broke")
	})
	engine.AddOrchestrator(r, steps, runSteps)
	engine.AddOrchestrator(r, quiz, runQuiz)
	engine.AddOrchestrator(r, again, func(ctx *engine.Context, n int) (int, error) {
		if _, err := engine.WaitForExternalEvent(ctx, approval).Await(); err != nil {
			return 0, err
		}
		return n, ctx.ContinueAsNew(n + 1)
	})
	engine.AddOrchestrator(r, family, runFamily)
	engine.AddActivity(r, double, func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	engine.AddActivity(r, halve, func(_ context.Context, n int) (int, error) {
		if n%2 != 0 {
			return 0, oddError(n)
		}
		return n / 2, nil
	})
	engine.AddOrchestrator(r, hold, func(ctx *engine.Context, n int) (int, error) { return engine.CallActivity(ctx, held, n).Await() })
	engine.AddActivity(r, held, func(_ context.Context, n int) (int, error) {
		began <- struct{}{}
		<-release
		return n, nil
	})
	return r
}

// ballot is the payload of a Vote.
type ballot struct {
	Yes bool   `json:"yes"`
	By  string `json:"by"`
}

const (
	guess engine.Event[int]    = "Guess"
	vote  engine.Event[ballot] = "Vote"
)

func runQuiz(ctx *engine.Context, least int) (string, error) {
	_, err := engine.WaitForExternalEvent(ctx, guess,
		engine.Until(ctx.Now().Add(5*time.Minute), "the rules"), engine.From("the candidate"), engine.Tries(3),
		engine.Then(ctx.Now().Add(2*time.Minute), "the candidate is reminded"),
		engine.Check(func(n int) error {
			if n <= least {
				return fmt.Errorf("%d is too low", n)
			}
			return nil
		})).Await()
	won := "won"
	if err != nil {
		won = "lost: " + err.Error()
	}
	ballot, err := engine.WaitForExternalEvent(ctx, vote).Await()
	return fmt.Sprintf("%s, %v", won, ballot.Yes), err
}

func runSteps(ctx *engine.Context, n int) (int, error) {
	if _, err := engine.CallActivity(ctx, double, n).Await(); err != nil {
		return 0, err
	}
	if _, err := engine.CallActivity(ctx, halve, n).Await(); err != nil && engine.KindOf(err) != "odd" {
		return 0, err
	}
	if _, err := ctx.CreateTimer(ctx.Now().Add(time.Hour)).Await(); err != nil {
		return 0, err
	}
	if _, err := engine.WaitForExternalEvent(ctx, approval).Await(); err != nil {
		return 0, err
	}
	return 10 * n, nil
}

// runFamily has a child that returns, one that fails and one that waits, and
// tells one more instance.
func runFamily(ctx *engine.Context, id string) (int, error) {
	if err := engine.SendEvent(ctx, id, approval, json.RawMessage("7")); err != nil {
		return 0, err
	}
	if _, err := engine.CallSubOrchestrator(ctx, echo, json.RawMessage("1"), engine.InstanceID(id+"-echo")).Await(); err != nil {
		return 0, err
	}
	if _, err := engine.CallSubOrchestrator(ctx, broken, json.RawMessage("2"), engine.InstanceID(id+"-broken")).Await(); err == nil {
		return 0, errors.New("it did not break")
	}
	_, err := engine.CallSubOrchestrator(ctx, approve, json.RawMessage("3"), engine.InstanceID(id+"-approve")).Await()
	return 8, err
}

func seal(instance, event string, _ []byte) (json.RawMessage, error) {
	return json.Marshal("sealed for " + instance + ", " + event)
}

func digitsOnly(payload []byte) bool {
	return len(payload) > 0 && strings.Trim(string(payload), `0123456789"`) == ""
}

// clock is one that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// hub is the API with all that is behind it.
type hub struct {
	*httpapi.API
	t      testing.TB
	clock  *clock
	worker *dispatch.Worker
	client *client.Client
	path   string // of the API
	store  store.Store
	folder string             // of the store, if it is in one
	cloud  *azuretest.Account // of the store, if it is in one
	began  chan struct{}      // tells that an activity Hold runs
	hold   chan struct{}      // closed to let the activity Hold return
}

// newHub opens a hub in a folder, with options other than the usual ones if
// change says so.
func newHub(t testing.TB, change ...func(*httpapi.Options)) *hub {
	t.Helper()
	return newHubIn(t, inFolder, client.Options{}, change...)
}

// newHubIn opens a hub in a store of the test's choice, whose client has limits.
func newHubIn(t testing.TB, open func(*hub), limits client.Options, change ...func(*httpapi.Options)) *hub {
	t.Helper()
	h := &hub{t: t, began: make(chan struct{}, 100), hold: make(chan struct{}), clock: &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 987_654_300, time.UTC)}}
	open(h)
	t.Cleanup(func() { h.store.Close() })
	r := registry(h.began, h.hold)
	h.worker = dispatch.New(h.store, r, dispatch.Options{Now: h.clock.Now})
	limits.Secret, limits.Seal, limits.Suspect, limits.Now = r.SecretEvents, seal, digitsOnly, h.clock.Now
	h.client = client.New(h.worker.Instances(), limits)
	o := httpapi.Options{URL: base, Orchestrators: orchestrators, Runs: h.worker.Runs, MaxBody: 256}
	o.Receipt = func(w io.Writer, in store.Instance, past []history.Event) error {
		_, err := fmt.Fprintf(w, "{\"of\":%q,\"events\":%d}\n", in.ID, len(past))
		return err
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	h.API, err = httpapi.New(h.client, o)
	h.must(err)
	u, err := url.Parse(o.URL)
	h.must(err)
	h.path = strings.TrimSuffix(u.EscapedPath(), "/")
	return h
}

// inFolder opens the store in a folder of the hub's own.
func inFolder(h *hub) {
	var err error
	h.folder = h.t.TempDir()
	h.store, err = filestore.Open(h.folder, filestore.Options{Now: h.clock.Now})
	h.must(err)
}

// inCloud opens the store in a storage account of the hub's own, in memory. It is
// as strict as the real one.
func inCloud(h *hub) {
	h.cloud = azuretest.New(azuretest.Options{Now: h.clock.Now})
	h.store = openCloud(h, h.cloud)
}

// openCloud opens a store that reaches the hub's account in the given way.
func openCloud(h *hub, transport policy.Transporter) store.Store {
	o := tablestore.Options{ConnectionString: h.cloud.ConnectionString(), Hub: "hub", Now: h.clock.Now}
	o.Client.Transport, o.Client.Retry = transport, policy.RetryOptions{MaxRetries: -1}
	s, err := tablestore.Open(h.t.Context(), o)
	h.must(err)
	return s
}

func (h *hub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// settle lets the worker do all there is to do now.
func (h *hub) settle() {
	h.t.Helper()
	h.must(h.worker.Settle(h.t.Context()))
	for more := true; more; {
		var err error
		more, err = h.worker.Step(h.t.Context())
		h.must(err)
	}
}

// ask sends a request to a path below that of the API, and lets come to rest
// what follows from it.
func (h *hub) ask(method, path, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, basePath+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return h.send(r)
}

func (h *hub) send(r *http.Request) *httptest.ResponseRecorder {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.serve(w, r)
	h.settle()
	return w
}

// serve serves a request. A panic is an error of the test, and so is an answer
// that is not in the OpenAPI document.
func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	h.t.Helper()
	defer func() {
		if p := recover(); p != nil {
			h.t.Errorf("%s %s: panic: %v", r.Method, r.URL, p)
		}
	}()
	h.ServeHTTP(w, r)
	if answer, ok := w.(*httptest.ResponseRecorder); ok {
		h.check(r, answer)
	}
}

// check holds an answer to the OpenAPI document.
func (h *hub) check(r *http.Request, answer *httptest.ResponseRecorder) {
	h.t.Helper()
	path, ours := r.URL.EscapedPath(), false
	if len(path) > len(h.path) {
		ours = path[len(h.path)] == '/' && strings.EqualFold(path[:len(h.path)], h.path)
		path = path[len(h.path):]
	}
	if !ours {
		path = ""
	}
	if err := theContract().hold(r.Method, path, answer); err != nil {
		h.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
}

// want sends a request and checks the status of the answer.
func (h *hub) want(status int, method, path, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	w := h.ask(method, path, body)
	if w.Code != status {
		h.t.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	return w
}

// bring makes an instance that is in the given status.
func (h *hub) bring(status, id string) {
	h.t.Helper()
	orchestration := map[string]string{"Pending": later, "Completed": string(echo), "Failed": string(broken)}[status]
	if orchestration == "" {
		orchestration = string(approve)
	}
	if status == "unknown" {
		return
	}
	h.want(http.StatusAccepted, "POST", "/orchestrators/"+orchestration+"/"+url.PathEscape(id), "")
	switch status {
	case "Suspended":
		h.want(http.StatusAccepted, "POST", "/instances/"+id+"/suspend", "")
	case "Terminated":
		h.want(http.StatusAccepted, "POST", "/instances/"+id+"/terminate", "")
	}
	in, err := h.client.Get(h.t.Context(), id)
	h.must(err)
	if got := in.Status.String(); got != status {
		h.t.Fatalf("%s is %s", id, got)
	}
}
