package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/store"
)

// The paths at which the app is asked how it is.
const (
	healthPath = "/api/health"       // all that can be said
	livePath   = "/api/health/live"  // whether the process answers
	readyPath  = "/api/health/ready" // whether it can work
)

// The words for how the app is.
const (
	healthy  = "ok"
	starting = "starting"
	failing  = "failing"
	stopping = "stopping"
)

const (
	// lookTime is how long the store may take to answer one read.
	lookTime = 2 * time.Second
	// lookPause is for how long an answer of the store stands for the next, so
	// that nobody who asks often makes requests that cost.
	lookPause = 5 * time.Second
)

// noInstance is asked for to see whether the store answers. A start is never
// given an id like that.
const noInstance = "health/there-is-no-such-instance"

// health tells how the app is. Anybody may ask, so it says nothing of whom it
// works for or where.
type health struct {
	store interface {
		Get(ctx context.Context, id string) (store.Instance, error)
	}
	load func() dispatch.Load
	log  *slog.Logger
	now  func() time.Time

	mu     sync.Mutex
	looked time.Time
	answer bool // of the store, when it was last looked at
}

// report is the answer.
type report struct {
	Status  string    `json:"status"`
	Version string    `json:"version"`
	Store   string    `json:"store,omitempty"`
	Engine  *workload `json:"engine,omitempty"`
}

// workload is what the worker has to do.
type workload struct {
	Instances  int `json:"instances"`  // with something under way in this process
	Activities int `json:"activities"` // that run here
	Kept       int `json:"kept"`       // instances that wait, ready in memory
}

// serveLive says that the process answers.
func serveLive(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, report{Status: healthy, Version: version})
}

// serveStarting says that the app is not ready yet.
func serveStarting(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	answerJSON(w, http.StatusServiceUnavailable, report{Status: starting, Version: version})
}

// serve says how the app is. Whoever is not to be sent requests answers 503.
func (h *health) serve(w http.ResponseWriter, r *http.Request) {
	load := h.load()
	answer := report{
		Status: healthy, Version: version, Store: healthy,
		Engine: &workload{Instances: load.Instances, Activities: load.Activities, Kept: load.Kept},
	}
	if load.Stopping {
		answer.Status = stopping
	}
	if !h.storeAnswers(r.Context()) {
		answer.Status, answer.Store = failing, failing
	}
	status := http.StatusOK
	if answer.Status != healthy {
		status = http.StatusServiceUnavailable
	}
	answerJSON(w, status, answer)
}

// storeAnswers reports whether the store does, or did a moment ago.
func (h *health) storeAnswers(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.now(); h.looked.IsZero() || now.Sub(h.looked) >= lookPause {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
		defer cancel()
		_, err := h.store.Get(ctx, noInstance)
		if h.answer = errors.Is(err, store.ErrNotFound); !h.answer {
			h.log.Warn("the store does not answer", "error", err)
		}
		h.looked = now
	}
	return h.answer
}
