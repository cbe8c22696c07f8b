package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
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
	// MaxBody is the most bytes of a request body that are read; 64 KiB.
	MaxBody int64
	// Logger receives what went wrong inside; nil discards it.
	Logger *slog.Logger
}

// API is an http.Handler for the paths below that of Options.URL.
type API struct {
	client *client.Client
	o      Options
	origin string // scheme and host of Options.URL
	path   string // and its path, escaped
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
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	return &API{client: c, o: o, origin: u.Scheme + "://" + u.Host, path: strings.TrimSuffix(u.EscapedPath(), "/")}, nil
}

// call is one request, taken apart.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	query url.Values // names in lower case
}

// ServeHTTP answers a management request. Paths are matched without regard to
// case; segments are decoded after they were split. What is not known is 404.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if segments, ok := a.segments(r.URL); ok {
		if handle := a.route(r.Method, segments); handle != nil {
			handle(&call{w: w, r: r, query: lowerNames(r.URL.Query())})
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

// segments returns the decoded parts of the path below the API's own.
func (a *API) segments(u *url.URL) ([]string, bool) {
	path := u.EscapedPath()
	if len(path) <= len(a.path) || path[len(a.path)] != '/' || !strings.EqualFold(path[:len(a.path)], a.path) {
		return nil, false
	}
	segments := strings.Split(strings.Trim(path[len(a.path):], "/"), "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil {
			return nil, false
		}
		segments[i] = decoded
	}
	return segments, true
}

// route returns what answers a method and path; nil if nothing does.
func (a *API) route(method string, s []string) func(*call) {
	first := strings.ToLower(s[0])
	switch {
	case first == "orchestrators" && method == http.MethodPost && len(s) == 2:
		return func(c *call) { a.start(c, s[1], "") }
	case first == "orchestrators" && method == http.MethodPost && len(s) == 3:
		return func(c *call) { a.start(c, s[1], s[2]) }
	case first != "instances" || len(s) < 2 || s[1] == "":
		return nil
	case method == http.MethodGet && len(s) == 2:
		return func(c *call) { a.status(c, s[1]) }
	case method == http.MethodDelete && len(s) == 2:
		return func(c *call) { a.purge(c, s[1]) }
	case method == http.MethodPost && len(s) == 4 && strings.EqualFold(s[2], "raiseEvent"):
		return func(c *call) { a.raise(c, s[1], s[3]) }
	case method == http.MethodPost && len(s) == 3:
		return a.operation(strings.ToLower(s[2]), s[1])
	}
	return nil
}

// operation returns what answers a POST to an instance.
func (a *API) operation(name, id string) func(*call) {
	switch name {
	case "terminate":
		return func(c *call) { a.accepted(c, a.client.Terminate(c.r.Context(), id, c.query.Get("reason"))) }
	case "suspend":
		return func(c *call) { a.accepted(c, a.client.Suspend(c.r.Context(), id, c.query.Get("reason"))) }
	case "resume":
		return func(c *call) { a.accepted(c, a.client.Resume(c.r.Context(), id, c.query.Get("reason"))) }
	case "restart":
		return func(c *call) { a.restart(c, id) }
	}
	return nil
}

func lowerNames(query url.Values) url.Values {
	lower := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		lower[strings.ToLower(name)] = append(lower[strings.ToLower(name)], query[name]...)
	}
	return lower
}

// flag reads a query parameter that is true or false.
func (c *call) flag(name string, otherwise bool) bool {
	switch strings.ToLower(c.query.Get(name)) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	default:
		return otherwise
	}
}

func (a *API) start(c *call, name, id string) {
	if a.o.Orchestrators != nil && !slices.Contains(a.o.Orchestrators, name) {
		c.refuse(http.StatusBadRequest, "The function "+quote(name)+" doesn't exist or is not an orchestrator function. Known orchestrators: "+strings.Join(a.o.Orchestrators, ", ")+".")
		return
	}
	input, err := a.body(c)
	if err == nil && len(input) > 0 && !json.Valid(input) {
		err = client.ErrBadPayload
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	if len(input) == 0 {
		input = []byte("null")
	}
	id, err = a.client.Start(c.r.Context(), name, id, json.RawMessage(input))
	if err != nil {
		a.fail(c, err)
		return
	}
	a.Started(c.w, id)
}

func (a *API) raise(c *call, id, event string) {
	body, err := a.body(c)
	if err == nil {
		err = a.client.Raise(c.r.Context(), id, event, client.Payload{Body: body, MediaType: c.r.Header.Get("Content-Type")})
	}
	a.accepted(c, err)
}

func (a *API) restart(c *call, id string) {
	id, err := a.client.Restart(c.r.Context(), id, c.flag("restartwithnewinstanceid", true))
	switch {
	case errors.Is(err, client.ErrNotFound):
		c.refuse(http.StatusBadRequest, "InstanceId does not match a valid orchestration instance.")
	case err != nil:
		a.fail(c, err)
	default:
		a.Started(c.w, id)
	}
}

func (a *API) purge(c *call, id string) {
	if err := a.client.Purge(c.r.Context(), id); err != nil {
		a.fail(c, err)
		return
	}
	c.answer(http.StatusOK, map[string]int{"instancesDeleted": 1})
}

// body reads the request's body, which may not be over the limit.
func (a *API) body(c *call) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, a.o.MaxBody))
}

func (a *API) accepted(c *call, err error) {
	if err != nil {
		a.fail(c, err)
		return
	}
	c.w.WriteHeader(http.StatusAccepted)
}

// fail answers with the status that an error stands for.
func (a *API) fail(c *call, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, client.ErrNotFound):
		c.w.WriteHeader(http.StatusNotFound)
	case errors.Is(err, client.ErrFinished):
		c.w.WriteHeader(http.StatusGone)
	case errors.Is(err, client.ErrBadName):
		c.refuse(http.StatusBadRequest, "This is not the name of an event. Put the name in the URL, such as .../raiseEvent/SmsChallengeResponse, and the payload in the body.")
	case errors.Is(err, client.ErrMediaType):
		c.refuse(http.StatusBadRequest, "Only application/json request content is supported. With curl, add: -H 'Content-Type: application/json'")
	case errors.Is(err, client.ErrBadPayload):
		c.refuseFor(http.StatusBadRequest, "Invalid JSON content", err)
	case errors.Is(err, history.ErrBadID):
		c.refuseFor(http.StatusBadRequest, "One or more of the arguments submitted is incorrect", err)
	case errors.As(err, &tooLarge):
		c.refuseFor(http.StatusRequestEntityTooLarge, "The request body is too large", err)
	case errors.Is(err, client.ErrExists):
		c.refuse(http.StatusConflict, "A non-terminal instance with this instance ID already exists.")
	case errors.Is(err, client.ErrActive):
		c.answer(http.StatusPreconditionFailed, "The instance has not ended; terminate it first.")
	case errors.Is(err, client.ErrSuspended), errors.Is(err, client.ErrNotSuspended):
		c.refuseFor(http.StatusInternalServerError, "Something went wrong while processing your request", err)
	default:
		a.o.Logger.Error("management request", "method", c.r.Method, "error", err)
		c.refuse(http.StatusInternalServerError, "Something went wrong while processing your request")
	}
}

// refuse answers with an error in the form of the original's.
func (c *call) refuse(status int, message string) {
	c.answer(status, refusal{Message: message})
}

func (c *call) refuseFor(status int, message string, err error) {
	c.answer(status, refusal{Message: message, ExceptionMessage: err.Error()})
}

type refusal struct {
	Message          string
	ExceptionMessage string `json:",omitempty"`
}

func (c *call) answer(status int, body any) { answer(c.w, status, body) }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the caller is gone
}

func quote(s string) string { return "'" + s + "'" }
