package explain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/explain"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

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

// place makes a new hub, which may be opened again and again.
type place func(t *testing.T, now func() time.Time) func() (store.Store, error)

// inFolder is a hub in a folder.
func inFolder(t *testing.T, now func() time.Time) func() (store.Store, error) {
	folder := t.TempDir()
	return func() (store.Store, error) { return filestore.Open(folder, filestore.Options{Now: now}) }
}

// inAccount is a hub in a storage account in memory.
func inAccount(t *testing.T, now func() time.Time) func() (store.Store, error) {
	a := azuretest.New(azuretest.Options{Now: now})
	o := tablestore.Options{ConnectionString: a.ConnectionString(), Hub: "stuck", Now: now}
	o.Client.Transport = a
	return func() (store.Store, error) { return tablestore.Open(t.Context(), o) }
}

// unwell is a store in which something is wrong with some instances: their turns
// panic, or their history cannot be understood.
type unwell struct {
	store.Store
	poisoned, damaged map[string]bool
}

// Commit calls the store's.
func (u *unwell) Commit(ctx context.Context, turn store.Turn) (store.Version, error) {
	if u.poisoned[turn.Instance.ID] && turn.Instance.Fault == nil {
		panic("something is nil")
	}
	return u.Store.Commit(ctx, turn)
}

// Load calls the store's.
func (u *unwell) Load(ctx context.Context, id string, known store.Version) (store.State, error) {
	state, err := u.Store.Load(ctx, id, known)
	if err == nil && u.damaged[id] {
		state.History, err = nil, store.ErrCorrupt
	}
	return state, err
}

// History calls the store's.
func (u *unwell) History(ctx context.Context, id string) ([]history.Event, error) {
	if u.damaged[id] {
		return nil, store.ErrCorrupt
	}
	return u.Store.History(ctx, id)
}

// scene is a hub in which something gets stuck.
type scene struct {
	t       *testing.T
	clock   *clock
	reopen  func() (store.Store, error)
	store   *unwell
	worker  *dispatch.Worker
	client  *client.Client // on the worker
	mail    *client.Client // on the bare store, as where no worker is
	began   chan struct{}  // an activity that takes long has begun
	release chan struct{}
}

func newScene(t *testing.T, on place) *scene {
	s := &scene{t: t, clock: &clock{now: noon}, began: make(chan struct{}, 10), release: make(chan struct{})}
	s.reopen = on(t, s.clock.Now)
	s.open("old", dispatch.Options{})
	t.Cleanup(func() {
		close(s.release)
		s.must(s.worker.Settle(context.Background()))
		s.must(s.store.Close())
	})
	return s
}

// open starts a worker with the old code or the new, in place of the one before.
func (s *scene) open(code string, o dispatch.Options) {
	s.t.Helper()
	if s.store != nil {
		s.must(s.store.Close())
	}
	opened, err := s.reopen()
	s.must(err)
	s.store = &unwell{opened, map[string]bool{}, map[string]bool{}}
	sealer, err := human.NewSealer([]byte(strings.Repeat("k", human.KeySize)))
	s.must(err)
	r := s.registry(code, sealer)
	o.Now = s.clock.Now
	s.worker = dispatch.New(s.store, r, o)
	options := client.Options{Secret: r.SecretEvents, Seal: sealer.Seal, Suspect: human.LooksLikeCode, Now: s.clock.Now}
	s.client, s.mail = client.New(s.worker.Instances(), options), client.New(s.store, options)
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// settle lets the worker do all there is to do now.
func (s *scene) settle() {
	s.t.Helper()
	s.must(s.worker.Settle(s.t.Context()))
	s.step()
}

// step lets the worker do what has fallen due, which may be to end an activity.
func (s *scene) step() {
	s.t.Helper()
	for more := true; more; {
		var err error
		more, err = s.worker.Step(s.t.Context())
		s.must(err)
	}
}

// words are those of a line of the script.
type words []string

func (w words) at(n int) string {
	if n < len(w) {
		return w[n]
	}
	return ""
}

// from returns the rest of the line.
func (w words) from(n int) string { return strings.Join(w[min(n, len(w)):], " ") }

// payload returns the rest of the line as JSON; null if there is none.
func (w words) payload(n int) json.RawMessage {
	if text := w.from(n); text != "" {
		return json.RawMessage(text)
	}
	return json.RawMessage("null")
}

// do does one line of the script and returns what there is to tell. Its verbs:
//
//	start NAME ID [INPUT]     hold NAME ID    the same, until its activity runs
//	post NAME ID [VERSION]                    the same, where no worker is
//	later NAME ID DURATION                    begins so much later
//	raise ID EVENT [PAYLOAD]  ask ID EVENT [PAYLOAD]   wants to be taken at once
//	mail ID EVENT [PAYLOAD]                   raised where no worker is
//	suspend ID [REASON]       resume ID       terminate ID [REASON]
//	advance DURATION          away DURATION   no worker does what falls due
//	deploy CODE [VERSION]     strict VERSION  fails what has another version
//	kill                                      the worker, without another in its place
//	bound N                                   a worker with a bound on histories
//	flood ID N                                with N events of different names
//	poison ID                 damage ID       its turns panic; its history is ruined
//	explain ID                glimpse ID      as whoever has a link sees it
func (s *scene) do(line string) []string {
	s.t.Helper()
	w, ctx := words(strings.Split(line, " ")), s.t.Context()
	switch w[0] {
	case "explain":
		return s.explain(w.at(1), explain.Options{})
	case "glimpse":
		return s.explain(w.at(1), explain.Options{Discreet: true})
	case "away":
		s.clock.advance(s.duration(w.at(1)))
		return nil
	case "poison", "damage":
		s.store.poisoned[w.at(1)], s.store.damaged[w.at(1)] = w[0] == "poison", w[0] == "damage"
		return nil
	case "mail":
		s.must(s.mail.Raise(ctx, w.at(1), w.at(2), client.Payload{Body: w.payload(3)}))
		return nil
	case "post":
		_, err := s.mail.Start(ctx, w.at(1), w.at(2), nil, client.Version(w.at(3)))
		s.must(err)
		return nil
	case "hold":
		_, err := s.client.Start(ctx, w.at(1), w.at(2), w.payload(3))
		s.must(err)
		<-s.began
		return nil
	case "kill":
		s.open("old", dispatch.Options{}) // which does nothing
		return nil
	case "deploy":
		s.open(w.at(1), dispatch.Options{Version: w.at(2)})
	case "strict":
		s.open("new", dispatch.Options{Version: w.at(1), Match: dispatch.MatchStrict, FailMismatch: true})
	case "bound":
		n, err := strconv.Atoi(w.at(1))
		s.must(err)
		s.open("old", dispatch.Options{MaxHistoryEvents: n})
	case "advance":
		s.clock.advance(s.duration(w.at(1)))
		s.step()
		return nil
	default:
		s.must(s.act(w))
	}
	s.settle()
	return nil
}

// act does what a client does.
func (s *scene) act(w words) error {
	s.t.Helper()
	ctx, id := s.t.Context(), w.at(1)
	switch w[0] {
	case "start":
		_, err := s.client.Start(ctx, w.at(1), w.at(2), w.payload(3))
		return err
	case "later":
		_, err := s.client.Start(ctx, w.at(1), w.at(2), nil, client.BeginAt(s.clock.Now().Add(s.duration(w.at(3)))))
		return err
	case "raise":
		return s.client.Raise(ctx, id, w.at(2), client.Payload{Body: w.payload(3)})
	case "ask":
		_, err := s.client.Ask(ctx, id, w.at(2), client.Payload{Body: w.payload(3)})
		return err
	case "flood":
		n, err := strconv.Atoi(w.at(2))
		for i := range n {
			err = errors.Join(err, s.client.Raise(ctx, id, fmt.Sprintf("Event%d", i+1), client.Payload{}))
		}
		return err
	case "suspend":
		return s.client.Suspend(ctx, id, w.from(2))
	case "resume":
		return s.client.Resume(ctx, id, "")
	case "terminate":
		return s.client.Terminate(ctx, id, w.from(2))
	}
	s.t.Fatalf("no such verb: %s", w[0])
	return nil
}

func (s *scene) duration(text string) time.Duration {
	s.t.Helper()
	d, err := time.ParseDuration(text)
	s.must(err)
	return d
}

// explain returns the lines of an explanation.
func (s *scene) explain(id string, o explain.Options) []string {
	s.t.Helper()
	in, past, err := s.client.Look(s.t.Context(), id)
	s.must(err)
	o.Now, o.Runs = s.clock.Now(), s.worker.Runs
	e := explain.Of(in, past, o)
	e.SetCommands(explain.Place{URL: "http://hub"})
	var text strings.Builder
	s.must(e.Write(&text))
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = "| " + lines[i]
	}
	return lines
}
