package httpapi

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Options says where the API is and what it accepts.
type Options struct {
	// URL is where the API is reached from outside, without a slash at the
	// end: https://host/runtime/webhooks/durabletask. The links handed out
	// begin with it, whatever a request says of the host it was sent to.
	URL string
	// Hub is the task hub named in links; "Holdfast" if it is empty.
	Hub string
	// Orchestrators are the names that may be started. If it is nil, any may
	// be, and one that nobody knows waits for a worker that does.
	Orchestrators []string
	// Reserved are the events that come in by doors of their own, behind which it
	// is known who sends them. Nobody raises them by the API.
	Reserved []string
	// Runs returns why the worker of this process leaves an orchestration of a
	// version to others, as dispatch.Worker.Runs does, for those who ask why an
	// instance waits; nil if there is no worker.
	Runs func(orchestration, version string) error
	// MaxBody is the most bytes of a request body that are read; 64 KiB.
	MaxBody int64
	// MaxFollowers is how many may follow live what happens, a quarter of them
	// one instance; 100. A negative number is none.
	MaxFollowers int
	// Doorkeeper decides who may do what. If it is nil, whoever reaches the
	// API may do everything: put it on a loopback address then.
	Doorkeeper *Doorkeeper
	// Receipt writes a receipt of what has happened to an instance, for
	// operators; nil makes none.
	Receipt func(w io.Writer, in store.Instance, past []history.Event) error
	// Logger receives what went wrong inside; nil discards it.
	Logger *slog.Logger
}

// API is an http.Handler for the paths below that of Options.URL.
type API struct {
	client    *client.Client
	o         Options
	origin    string // scheme and host of Options.URL
	path      string // and its path, escaped
	following *following
}

// New returns the API over a client. It returns an error when the URL is not
// an absolute one.
func New(c *client.Client, o Options) (*API, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	if !u.IsAbs() || u.Host == "" {
		return nil, errors.New("the management API needs an absolute URL, not " + o.URL)
	}
	if o.Hub == "" {
		o.Hub = "Holdfast"
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 10
	}
	if o.MaxFollowers == 0 {
		o.MaxFollowers = 100
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	return &API{
		client: c, o: o, origin: u.Scheme + "://" + u.Host, path: strings.TrimSuffix(u.EscapedPath(), "/"),
		following: newFollowing(c, o.Logger, o.MaxFollowers),
	}, nil
}

// Stop sends away who follows live what happens, before the server is shut down,
// which waits for those who have no whole answer yet.
func (a *API) Stop() { a.following.stop() }

// call is one request, taken apart.
type call struct {
	w        http.ResponseWriter
	r        *http.Request
	query    url.Values // names in lower case
	id, name string     // what stands in the path in place of {id} and {name}

	client *client.Client // does what the caller may
	link   *stamp         // of the link by which the caller came; else nil
	keeper *Doorkeeper    // who let the caller in by it; else nil
}

// safe are the headers of every answer. They keep what it says and the link by
// which it was asked for out of caches, other sites and other people's pages. No
// other origin is ever allowed to read an answer.
var safe = map[string]string{
	"Cache-Control":                "no-store",
	"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

// Shelter sets the headers that every answer of the API has, for the answers of
// an app that serves it: they keep an answer, and the link by which it was asked
// for, out of caches and of other sites' pages.
func Shelter(h http.Header) {
	for name, value := range safe {
		h.Set(name, value)
	}
}

// ServeHTTP answers a management request. What is not known is 404.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	Shelter(w.Header())
	segments, ok := a.segments(r.URL)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	route, id, name, ok := find(r.Method, segments)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	c := &call{w: w, r: r, query: lowerNames(r.URL.Query()), id: id, name: name}
	if a.admit(c, route) {
		route.handle(a, c)
	}
}
