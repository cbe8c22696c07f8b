package host

import (
	"net/http"
	"sync"
	"time"
)

// Patience is how long a request waits for the door to open before it is answered 503. The host waits for longer than that.
const Patience = 30 * time.Second

// Door is what serves from the first moment on. Until it is opened it answers the host's question whether somebody is there, GET /, by
// itself and at once, as it does what it was told to answer early, and lets all else wait.
type Door struct {
	early   *http.ServeMux
	once    sync.Once
	opened  chan struct{}
	handler http.Handler
}

// NewDoor returns a door that is closed. While it is, early answers the requests that it has a pattern for.
func NewDoor(early *http.ServeMux) *Door { return &Door{early: early, opened: make(chan struct{})} }

func (d *Door) isOpen() bool {
	select {
	case <-d.opened:
		return true
	default:
		return false
	}
}

// Open lets requests through to the handler. Only the first call counts.
func (d *Door) Open(handler http.Handler) {
	d.once.Do(func() {
		d.handler = handler
		close(d.opened)
	})
}

// ServeHTTP lets through, waits or answers.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !d.isOpen() && d.answers(w, r) {
		return
	}
	patience := time.NewTimer(Patience)
	defer patience.Stop()
	select {
	case <-d.opened:
		d.handler.ServeHTTP(w, r)
	case <-r.Context().Done():
	case <-patience.C:
		w.Header().Set("Retry-After", "5")
		respond(w, http.StatusServiceUnavailable, nil)
	}
}

// answers answers what need not wait, and reports whether it did.
func (d *Door) answers(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		w.WriteHeader(http.StatusNoContent) // the host takes any answer
		return true
	}
	handler, pattern := d.early.Handler(r)
	if pattern == "" {
		return false
	}
	handler.ServeHTTP(w, r)
	return true
}
