package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/store"
)

// reading is a store that answers one read after another.
type reading struct {
	err   error
	reads int
}

func (r *reading) Get(context.Context, string) (store.Instance, error) {
	r.reads++
	return store.Instance{}, r.err
}

func TestTheAppIsReadyWhileItsStoreAnswersAndItsWorkerWorks(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		stopping bool
		status   int
		says     []string
	}{
		"well":              {store.ErrNotFound, false, http.StatusOK, []string{`"status":"ok"`, `"instances":3`, `"activities":2`, `"kept":7`, `"version":"unversioned"`}},
		"no store":          {errors.New("dial tcp 10.0.0.1: refused"), false, http.StatusServiceUnavailable, []string{`"status":"failing"`, `"store":"failing"`}},
		"a stop":            {store.ErrNotFound, true, http.StatusServiceUnavailable, []string{`"status":"stopping"`, `"store":"ok"`}},
		"an instance of it": {nil, false, http.StatusServiceUnavailable, []string{`"store":"failing"`}},
	} {
		h := &health{
			store: &reading{err: test.err}, log: slog.New(slog.DiscardHandler), now: time.Now,
			load: func() dispatch.Load {
				return dispatch.Load{Instances: 3, Activities: 2, Kept: 7, Stopping: test.stopping}
			},
		}
		w := httptest.NewRecorder()
		h.serve(w, httptest.NewRequest("GET", readyPath, nil))
		if w.Code != test.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		for _, part := range test.says {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s: %s does not say %s", name, w.Body, part)
			}
		}
		if strings.Contains(w.Body.String(), "10.0.0.1") {
			t.Errorf("%s: it tells anybody %s", name, w.Body)
		}
	}
}

// Whoever asks often makes no requests that cost.
func TestTheStoreIsLookedAtOnceInAWhile(t *testing.T) {
	r, now := &reading{err: store.ErrNotFound}, time.Now()
	h := &health{store: r, log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }, load: func() dispatch.Load { return dispatch.Load{} }}
	for range 100 {
		h.serve(httptest.NewRecorder(), httptest.NewRequest("GET", healthPath, nil))
	}
	if r.reads != 1 {
		t.Errorf("%d reads", r.reads)
	}
	now = now.Add(lookPause)
	r.err = errors.New("gone")
	w := httptest.NewRecorder()
	if h.serve(w, httptest.NewRequest("GET", healthPath, nil)); r.reads != 2 || w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d reads, %d", r.reads, w.Code)
	}
}

// Before the store is open the process is alive, and not ready; nobody waits for that answer.
func TestWhoAsksBeforeTheAppIsThereIsToldSo(t *testing.T) {
	mux := early()
	for path, want := range map[string]int{livePath: http.StatusOK, readyPath: http.StatusServiceUnavailable, healthPath: http.StatusServiceUnavailable} {
		w := httptest.NewRecorder()
		if mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil)); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if _, pattern := mux.Handler(httptest.NewRequest("POST", authenticatePath, nil)); pattern != "" {
		t.Errorf("%s is answered before there is an app", authenticatePath)
	}
}

func TestAnAppTellsHowItIs(t *testing.T) {
	s := open(t, t.TempDir(), true)
	for _, path := range []string{livePath, readyPath, healthPath} {
		s.want(200, "GET", path, "")
	}
}
