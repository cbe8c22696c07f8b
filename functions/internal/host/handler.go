package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// Function is what runs when the host invokes a function. When it returns nil the invocation has succeeded, and a queue's message
// is deleted; with an error the message is seen again, up to maxDequeueCount times, and then goes to the poison queue. So what
// will fail for ever is logged and answered with nil. Its context ends at the watchdog's time.
type Function func(ctx context.Context, in *Invocation) error

// Options are what a handler is made of.
type Options struct {
	// Functions are those that are invoked by an envelope, by their names.
	Functions map[string]Function
	// HTTP answers all other requests; nil answers 404.
	HTTP http.Handler
	// Timeout is the host's functionTimeout; 0 if it has none.
	Timeout time.Duration
	// MaxBody is how large an envelope may be, in bytes; 1 MiB. A queue's message of 64 KiB is twice that in an envelope, at most.
	MaxBody int64
	// Logger receives a line for each invocation that failed; nil discards them.
	Logger *slog.Logger
}

// Handler is what the host calls. It may be used by any number of goroutines.
type Handler struct{ o Options }

// New returns a handler.
func New(o Options) *Handler {
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.HTTP == nil {
		o.HTTP = http.NotFoundHandler()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Handler{o}
}

// ErrCutOff is the cause with which the context of an invocation ends that has run too long.
var ErrCutOff = errors.New("the invocation was cut off, before the host would have killed the process with all others")

// Limit returns how long an invocation may run under a functionTimeout: three quarters of it. 0 is for ever.
func Limit(timeout time.Duration) time.Duration { return timeout / 4 * 3 }

// grace is how long an invocation whose context has ended has to return: a third of what is left until the host would kill the process.
func grace(timeout time.Duration) time.Duration { return timeout / 12 }

// ServeHTTP runs a function, or hands the request on.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	function, ours := h.o.Functions[strings.TrimPrefix(r.URL.Path, "/")]
	if !ours {
		ctx, cancel := h.limited(r.Context())
		defer cancel()
		h.o.HTTP.ServeHTTP(w, r.WithContext(ctx))
		return
	}
	if isFromOutside(r) {
		respond(w, http.StatusNotFound, nil)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		respond(w, http.StatusMethodNotAllowed, nil)
		return
	}
	h.serveInvocation(w, r, function)
}

// serveInvocation reads an envelope, runs the function and answers.
func (h *Handler) serveInvocation(w http.ResponseWriter, r *http.Request, function Function) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	log := h.o.Logger.With("function", name, "invocation", r.Header.Get(InvocationHeader))
	r.Body = http.MaxBytesReader(w, r.Body, h.o.MaxBody)
	in, err := readInvocation(name, r)
	if err != nil {
		log.Error("an invocation could not be read", "error", err)
		respond(w, statusOf(err), nil)
		return
	}
	// The server's own time for an answer is meant for people's requests. Where it cannot be moved, there is none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	if err = h.invoke(r.Context(), function, in); err != nil {
		log.Error("an invocation failed", "error", err)
	}
	respond(w, statusOf(err), in.lines())
}

// limited returns a context that ends at the watchdog's time.
func (h *Handler) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if h.o.Timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, Limit(h.o.Timeout), ErrCutOff)
}

// invoke runs the function and waits for it, but not much longer than its context lasts. What does not return then is left behind.
func (h *Handler) invoke(ctx context.Context, function Function, in *Invocation) error {
	ctx, cancel := h.limited(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := errEnded
		defer func() { done <- err }()
		err = h.isolated(ctx, function, in)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	last := time.NewTimer(grace(h.o.Timeout))
	defer last.Stop()
	select {
	case err := <-done:
		return err
	case <-last.C:
		return context.Cause(ctx)
	}
}

var (
	errPanic = errors.New("the function panicked")
	errEnded = errors.New("the function ended its goroutine")
)

// isolated runs the function so that its panic is an error of its own invocation only.
func (h *Handler) isolated(ctx context.Context, function Function, in *Invocation) (err error) {
	defer func() {
		if p := recover(); p != nil {
			h.o.Logger.Error("a function panicked", "function", in.Function, "invocation", in.ID, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return function(ctx, in)
}

// proxied are headers that the host's own calls do not have, and those that it passes on from callers do.
var proxied = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-Url", "X-Original-Host", "X-Arr-Ssl", "X-Site-Deployment-Id"}

// isFromOutside reports whether a request was made by a caller of the app and not by the host.
func isFromOutside(r *http.Request) bool {
	for _, name := range proxied {
		if len(r.Header.Values(name)) > 0 {
			return true
		}
	}
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = r.Host
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return !strings.EqualFold(name, "localhost") && (ip == nil || !ip.IsLoopback())
}

// statusOf returns what an invocation that ended so is answered with. Whatever is not 2xx is a failure to the host; which it is, is
// for people who read the host's log.
func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrEnvelope):
		return http.StatusBadRequest
	case errors.Is(err, ErrCutOff), errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// answer is the body of every answer. The host waits for ever for an answer of 2xx whose body is not an object. There are no
// outputs, as the host takes a string in them that happens to be base64 for bytes.
type answer struct {
	Outputs map[string]any
	Logs    []string
}

// respond answers the host.
func respond(w http.ResponseWriter, status int, logs []string) {
	body, err := json.Marshal(answer{Outputs: map[string]any{}, Logs: append([]string{}, logs...)})
	if err != nil { // strings are always encoded
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the host is gone
}
