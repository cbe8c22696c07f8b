package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// watched notes how a store is used by a purge of many, and lets it go wrong.
type watched struct {
	store.Instances
	// fails is called before a purge; nil lets all go well.
	fails func(id string) error
	// gaps is how many empty pages come before each page.
	gaps int

	mu               sync.Mutex
	lists, now, most int
	between          map[string]int // empty pages given out at a place
}

// List lets empty pages come first, as Azure may.
func (w *watched) List(ctx context.Context, q store.Query) (store.Page, error) {
	w.mu.Lock()
	w.lists++
	given := w.between[q.After]
	w.between[q.After]++
	w.mu.Unlock()
	if given < w.gaps && q.After != "" {
		return store.Page{Next: q.After}, nil
	}
	page, err := w.Instances.List(ctx, q)
	for _, in := range page.Instances {
		if in.Input != nil || in.Output != nil {
			return page, errors.New("what is purged is read first")
		}
	}
	return page, err
}

// Purge counts how many are under way.
func (w *watched) Purge(ctx context.Context, id string, executions ...string) error {
	w.mu.Lock()
	w.now++
	w.most = max(w.most, w.now)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.now--
		w.mu.Unlock()
	}()
	if w.fails != nil {
		if err := w.fails(id); err != nil {
			return err
		}
	}
	return w.Instances.Purge(ctx, id)
}

func watch(h *hub) *watched { return &watched{Instances: h.store, between: map[string]int{}} }

// all returns the ids of all instances.
func (h *hub) all(q store.Query) (ids []string) {
	h.t.Helper()
	for {
		page, err := h.List(h.ctx(), q)
		h.must(err)
		for _, in := range page.Instances {
			ids = append(ids, in.ID)
		}
		if q.After = page.Next; q.After == "" {
			return ids
		}
	}
}

func TestPurgeManyRemovesWhatHasEndedAndIsAskedFor(t *testing.T) {
	statuses := []string{"Pending", "Running", "Suspended", "Completed", "Failed", "Terminated"}
	for name, purge := range map[string]struct {
		query store.Query
		left  int
	}{
		"all":             {store.Query{}, 6},
		"a status":        {store.Query{Statuses: []history.Status{history.Failed}}, 10},
		"living ones too": {store.Query{Statuses: []history.Status{history.Running, history.Completed}}, 10},
		"living ones":     {store.Query{Statuses: []history.Status{history.Running, history.Pending, history.Suspended}}, 12},
		"a prefix":        {store.Query{IDPrefix: "a-"}, 9},
		"a name":          {store.Query{Name: "Echo"}, 10},
		"a past":          {store.Query{CreatedTo: newClock().Now().Add(-1)}, 12},
		"a limit":         {store.Query{Limit: 1}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, onWorker)
			for _, status := range statuses {
				h.bring(status, "a-"+status)
				h.bring(status, "b-"+status)
			}
			n, err := h.PurgeMany(h.ctx(), purge.query)
			h.must(err)
			if left := h.all(store.Query{}); len(left) != purge.left || n != 12-purge.left {
				t.Errorf("%d were purged and %q are left, want %d", n, left, purge.left)
			}
		})
	}
}

// What is to be done before a purge is done before it, of what has ended only; and where it
// cannot be done, the instance stays.
func TestWhatIsToBeDoneBeforeAPurgeIsDoneBeforeIt(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	refused := errors.New("not yet")
	everywhere(t, func(t *testing.T, h *hub) {
		for id, status := range map[string]string{"a": "Completed", "b": "Failed", "c": "Running", "stays": "Completed"} {
			h.bring(status, id)
		}
		h.check(h.Purge(t.Context(), "a"))
		if err := h.Purge(t.Context(), "stays"); !errors.Is(err, refused) {
			t.Error(err)
		}
		if err := h.Purge(t.Context(), "c"); !errors.Is(err, client.ErrActive) {
			t.Error(err)
		}
		if _, err := h.PurgeMany(t.Context(), store.Query{}); !errors.Is(err, refused) {
			t.Error(err)
		}
		if left := h.all(store.Query{}); !slices.Contains(left, "stays") || !slices.Contains(left, "c") || slices.Contains(left, "a") {
			t.Errorf("left are %v", left)
		}
	}, func(o *client.Options) {
		o.BeforePurge = func(_ context.Context, in store.Instance) error {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, in.ID)
			if in.ID == "stays" {
				return refused
			}
			return nil
		}
	})
	t.Cleanup(func() {
		if slices.Contains(asked, "c") || !slices.Contains(asked, "a") {
			t.Errorf("asked about %v", asked)
		}
	})
}

// The same holds for a start in the place of what has ended, and is not done for one that is
// refused, or repeated.
func TestWhatIsToBeDoneBeforeAPurgeIsDoneBeforeAStartInItsPlace(t *testing.T) {
	refused := errors.New("not yet")
	var mu sync.Mutex
	asked := map[string]int{} // by execution
	everywhere(t, func(t *testing.T, h *hub) {
		runs := map[string]string{}
		for id, status := range map[string]string{"a": "Completed", "b": "Failed", "c": "Running", "stays": "Completed"} {
			h.bring(status, id)
			in, err := h.Get(t.Context(), id)
			h.must(err)
			runs[id] = in.Execution
		}
		_, err := h.Restart(t.Context(), "a", false, client.AsExecution("second"))
		h.check(err)
		_, err = h.Start(t.Context(), string(approve), "b", 1, client.AsExecution("another"))
		h.check(err)
		_, err = h.Start(t.Context(), string(approve), "b", 1, client.AsExecution("another"))
		h.check(err)
		if _, err := h.Start(t.Context(), string(echo), "c", 1); !errors.Is(err, client.ErrExists) {
			t.Error(err)
		}
		if _, err := h.Restart(t.Context(), "stays", false); !errors.Is(err, refused) {
			t.Error(err)
		}
		if in, err := h.Get(t.Context(), "stays"); err != nil || in.Execution != runs["stays"] {
			t.Errorf("%v: it is the run %s", err, in.Execution)
		}
		_, err = h.Start(t.Context(), string(echo), "new", 1)
		h.check(err)
		mu.Lock()
		defer mu.Unlock()
		if asked[runs["a"]] != 1 || asked[runs["b"]] != 1 || asked[runs["c"]] != 0 || asked[runs["stays"]] != 1 || asked["another"] != 0 {
			t.Errorf("asked about %v of %v", asked, runs)
		}
	}, func(o *client.Options) {
		o.BeforePurge = func(_ context.Context, in store.Instance) error {
			mu.Lock()
			defer mu.Unlock()
			asked[in.Execution]++
			if in.ID == "stays" {
				return refused
			}
			return nil
		}
	})
}

func TestPurgeManyWorksThroughThousands(t *testing.T) {
	const instances = 5000
	h := newHub(t, onWorker)
	var made atomic.Int64
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for n := made.Add(1); n <= instances; n = made.Add(1) {
				_, err := h.Start(h.ctx(), string(echo), fmt.Sprint("instance-", n), n)
				h.check(err)
			}
		})
	}
	wait.Wait()
	w := watch(h)
	w.gaps = 2
	n, err := client.New(w, client.Options{}).PurgeMany(h.ctx(), store.Query{})
	h.must(err)
	if n != instances || len(h.all(store.Query{})) != 0 {
		t.Errorf("%d of %d were purged", n, instances)
	}
	if w.most < 2 || w.most > 16 || w.lists < 10 {
		t.Errorf("%d purges at a time, %d pages", w.most, w.lists)
	}
}

func TestPurgeManyGoesOnAfterAnError(t *testing.T) {
	h := newHub(t, onWorker)
	for i := range 40 {
		h.begin(string(echo), fmt.Sprintf("%02d", i), i)
	}
	w := watch(h)
	broken := errors.New("broken")
	w.fails = func(id string) error {
		if id == "20" {
			return broken
		}
		return nil
	}
	first, err := client.New(w, client.Options{}).PurgeMany(h.ctx(), store.Query{})
	wantError(t, "a purge that fails", err, broken)
	w.fails = nil
	second, err := client.New(w, client.Options{}).PurgeMany(h.ctx(), store.Query{})
	h.must(err)
	if first+second != 40 || second == 0 {
		t.Errorf("%d and %d were purged", first, second)
	}
}

// An instance may be purged or started anew between the list and its own purge.
func TestPurgeManyLeavesAloneWhatChanged(t *testing.T) {
	h := newHub(t, onWorker)
	for _, id := range []string{"again", "gone", "here"} {
		h.begin(string(echo), id, nil)
	}
	w := watch(h)
	w.fails = func(id string) error {
		switch id {
		case "gone":
			return h.store.Purge(h.ctx(), id)
		case "again":
			_, err := h.Start(h.ctx(), string(approve), id, nil)
			return err
		}
		return nil
	}
	n, err := client.New(w, client.Options{}).PurgeMany(h.ctx(), store.Query{})
	h.must(err)
	if left := h.all(store.Query{}); n != 1 || len(left) != 1 || left[0] != "again" {
		t.Errorf("%d were purged, %q are left", n, left)
	}
	h.wantStatus("again", "Running")
}
