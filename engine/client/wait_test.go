package client_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Inside a synctest bubble time stands still while anybody works, so that what
// took no time was waited for by nobody.

func TestWaitReturnsAtOnceOnCompletion(t *testing.T) {
	for name, choose := range map[string]func(*hub) store.Instances{"worker": onWorker, "store": onStore} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, choose)
				h.begin(string(approve), "a", nil)
				began := time.Now()
				done := make(chan store.Instance)
				go func() {
					in, err := h.Wait(h.ctx(), "a")
					h.check(err)
					done <- in
				}()
				synctest.Wait()
				h.must(h.raise("a", "Approval", `"yes"`))
				h.settle()
				if in := <-done; in.Status != history.Completed || string(in.Output) != `"yes"` {
					t.Errorf("waited for %+v", in)
				}
				if d := time.Since(began); d != 0 {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

func TestWaitPollsAStoreThatTellsOfNothing(t *testing.T) {
	t.Run("store", func(t *testing.T) { waitPolls(t, onBare) })
	t.Run("worker", func(t *testing.T) { waitPolls(t, onMute) })
}

// onMute is a worker on a store that tells nobody of changes.
func onMute(h *hub) store.Instances {
	mute := struct {
		store.Instances
		store.Queue
	}{h.store, h.store}
	h.worker = dispatch.New(mute, registry(), dispatch.Options{})
	return h.worker.Instances()
}

func waitPolls(t *testing.T, choose func(*hub) store.Instances) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, choose)
		h.begin(string(approve), "a", nil)
		done := make(chan store.Instance)
		go func() {
			in, err := h.Wait(h.ctx(), "a")
			h.check(err)
			done <- in
		}()
		synctest.Wait()
		h.must(h.raise("a", "Approval", `"yes"`))
		h.settle()
		if in := <-done; in.Status != history.Completed || string(in.Output) != `"yes"` {
			t.Errorf("waited for %+v", in)
		}
	})
}

// telling is one instance in memory that counts who asks, and tells of changes.
type telling struct {
	store.Instances
	gets, watched, forgotten atomic.Int32

	mu      sync.Mutex
	row     store.Instance
	changed chan struct{}
}

func newTelling() *telling {
	return &telling{row: store.Instance{ID: "a"}, changed: make(chan struct{})}
}

func (s *telling) Get(ctx context.Context, _ string) (store.Instance, error) {
	s.gets.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.row, ctx.Err()
}

func (s *telling) Watch(string) (<-chan struct{}, func()) {
	s.watched.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed, func() { s.forgotten.Add(1) }
}

func (s *telling) change(status history.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.row.Status = status
	close(s.changed)
	s.changed = make(chan struct{})
}

func TestWaitAsksNobodyWhoTellsOfChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling()
		done := make(chan error)
		go func() {
			_, err := client.New(s, client.Options{}).Wait(t.Context(), "a")
			done <- err
		}()
		time.Sleep(time.Hour) // of the bubble, which passes at once
		if n := s.gets.Load(); n != 1 {
			t.Errorf("asked %d times while nothing changed, want once", n)
		}
		asked := s.gets.Load()
		s.change(history.Suspended)
		synctest.Wait()
		s.change(history.Terminated)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := s.gets.Load() - asked; n != 2 {
			t.Errorf("asked %d times for 2 changes", n)
		}
	})
}

func TestWaitStopsWatchingWhenItReturns(t *testing.T) {
	s := newTelling()
	c := client.New(s, client.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	for range 3 {
		if _, err := c.WaitFor(ctx, "a", func(store.Instance) bool { return true }); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	_, err := c.Wait(ctx, "a")
	wantError(t, "wait", err, context.Canceled)
	if s.watched.Load() != 4 || s.forgotten.Load() != 4 {
		t.Errorf("watched %d times, forgot %d", s.watched.Load(), s.forgotten.Load())
	}
}

func TestWaitGivesUpWithItsContext(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(approve), "a", "in")
		ctx, cancel := context.WithCancel(h.ctx())
		in, err := h.WaitFor(ctx, "a", func(store.Instance) bool { cancel(); return false })
		wantError(t, "wait", err, context.Canceled)
		if in.ID != "a" || in.Status != history.Running {
			t.Errorf("the last that was seen is %+v", in)
		}
	})
}

func TestWaitForWhatIsThere(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		_, err := h.Wait(h.ctx(), "a")
		wantError(t, "unknown", err, client.ErrNotFound)
		for _, status := range []string{"Completed", "Failed", "Terminated"} {
			h.bring(status, status)
			in, err := h.Wait(h.ctx(), status)
			h.must(err)
			if in.Status.String() != status {
				t.Errorf("%s: %+v", status, in)
			}
		}
	})
}

func TestWaitForASuspension(t *testing.T) {
	h := newHub(t, onWorker)
	h.begin(string(approve), "a", nil)
	looked := make(chan struct{}, 100)
	done := make(chan store.Instance)
	go func() {
		in, err := h.WaitFor(h.ctx(), "a", func(in store.Instance) bool {
			looked <- struct{}{}
			return in.Status == history.Suspended
		})
		h.check(err)
		done <- in
	}()
	<-looked
	h.must(h.Suspend(h.ctx(), "a", ""))
	if in := <-done; in.Status != history.Suspended {
		t.Errorf("waited for %+v", in)
	}
}

func TestWaitForAPurgedInstanceEnds(t *testing.T) {
	h := newHub(t, onWorker)
	h.begin(string(approve), "a", nil)
	looked := make(chan struct{}, 100)
	done := make(chan error)
	go func() {
		_, err := h.WaitFor(h.ctx(), "a", func(store.Instance) bool { looked <- struct{}{}; return false })
		done <- err
	}()
	<-looked
	h.must(h.Terminate(h.ctx(), "a", ""))
	h.must(h.Purge(h.ctx(), "a"))
	wantError(t, "wait", <-done, client.ErrNotFound)
}

// shared is a store whose instances others change, too.
type shared struct{ *telling }

func (shared) IsShared() bool { return true }

func TestWaitHearsOfChangesHereAtOnceAndLooksForThoseElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, change := range map[string]func(*telling){
			"here":      func(s *telling) { s.change(history.Completed) },
			"elsewhere": func(s *telling) { s.mu.Lock(); s.row.Status = history.Completed; s.mu.Unlock() },
		} {
			s := newTelling()
			done := make(chan error)
			go func() {
				_, err := client.New(shared{s}, client.Options{}).Wait(t.Context(), "a")
				done <- err
			}()
			synctest.Wait()
			began := time.Now()
			change(s)
			if err := <-done; err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > time.Second || took > 0 && name == "here" {
				t.Errorf("a change %s was heard after %v", name, took)
			}
		}
	})
}
