// Package httpcall lets an orchestration make HTTP requests that survive
// restarts, as callHttp of Durable Functions does. [Do] sends a request from an
// activity and, when the answer is 202 with a Location, asks there again, with a
// durable timer between two requests, until there is another answer. Nothing is
// held while it waits.
//
// # Who may be called
//
// A request is data, and data may come from anybody. So the program says who may
// be called. A request names one of [Options.Destinations], which are trusted,
// and to which the program may add credentials that stand in no history. Other
// URLs are refused unless [Options.Public] allows them. Then only https is, and
// only to addresses of the public internet: a name is resolved once, the
// addresses are checked, and what was checked is what is dialed, so that a name
// which resolves to one thing now and another then gains nothing. A redirection
// is never followed, a proxy never asked, and a Location elsewhere is a new
// request, checked like the first.
//
// # What is written down
//
// A request and its answer stand in the history as they are, so they must not
// hold secrets; Set-Cookie headers are left out.
package httpcall

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// The names that [Add] registers, which are those of Durable Functions.
const (
	// Activity makes one request and returns its answer, whatever the status.
	Activity engine.Activity[Request, Response] = "BuiltIn::HttpActivity"
	// Orchestration is Do as an orchestration of its own, which can be called
	// several times at once and raced with other tasks.
	Orchestration engine.Orchestrator[Request, Response] = "BuiltIn::Http"
)

// The kinds of failure of the activity.
const (
	// KindRefused says that the program does not allow the request. Trying
	// again does not help.
	KindRefused = "http-refused"
	// KindUnavailable says that there was no answer: no connection, no name,
	// or no time left. Whether the request was taken is not known.
	KindUnavailable = "http-unavailable"
	// KindUnreadable says that the answer is over the limit, or no text.
	// Trying again does not help.
	KindUnreadable = "http-unreadable"
	// KindStatus says that the answer's status is one of Request.RetryOn.
	KindStatus = "http-status"
)

// Request is a request to be made.
type Request struct {
	// Method is GET if it is empty.
	Method string `json:"method,omitempty"`
	// To names a destination of the program; URL is then a path below its
	// own, and may have a query. Where an answer sends the caller must be
	// below it too.
	To string `json:"to,omitempty"`
	// URL is absolute when there is no To.
	URL string `json:"uri"`
	// Header is sent as it is; it must not hold secrets. An Idempotency-Key
	// that stays the same in every attempt is added to what is not a GET or
	// HEAD, unless there is one, and the W3C trace context of an activity that
	// is traced, unless there is one.
	Header http.Header `json:"headers,omitempty"`
	// Content is the body.
	Content string `json:"content,omitempty"`
	// NoPolling returns a 202 as it is.
	NoPolling bool `json:"noPolling,omitempty"`
	// Timeout ends the call, its polling included, with engine.ErrTimeout.
	// Zero is no limit.
	Timeout time.Duration `json:"timeout,omitempty"`
	// RetryOn are statuses that are failures of the activity, of
	// KindStatus, and so a matter for a RetryPolicy. Other statuses, those of
	// 400 and more included, are answers.
	RetryOn []int `json:"retryOn,omitempty"`
}

// Response is the answer to a request.
type Response struct {
	StatusCode int         `json:"statusCode"`
	Header     http.Header `json:"headers,omitempty"`
	Content    string      `json:"content,omitempty"`
}

// JSON reads the content into v.
func (r Response) JSON(v any) error {
	if err := json.Unmarshal([]byte(r.Content), v); err != nil {
		return fmt.Errorf("read the content of an HTTP answer: %w", err)
	}
	return nil
}

// pollInterval is the pause before a request is made again whose answer did not
// say when; that of Durable Functions.
const pollInterval = 30 * time.Second

// Do makes the request and returns the answer. While that is 202 with a
// Location, it asks there with GET and the same headers, Retry-After later, which
// may be seconds or a date, and 30 seconds if there is none. The options are
// those of every single request. The error is a *engine.TaskError of one of the
// kinds above, or engine.ErrTimeout.
func Do(ctx *engine.Context, r Request, options ...engine.CallOption) (Response, error) {
	e := newExchange(ctx, r, options)
	for {
		response, err := e.ask(ctx)
		if err != nil || !e.goesOn(response) {
			return response, err
		}
		if err := e.pause(ctx, response); err != nil {
			return response, err
		}
	}
}

// exchange is a call under way: what is asked next.
type exchange struct {
	Request
	deadline time.Time // zero for none
	options  []engine.CallOption
}

func newExchange(ctx *engine.Context, r Request, options []engine.CallOption) *exchange {
	e := &exchange{Request: r, options: options}
	if r.Timeout > 0 {
		e.deadline = ctx.Now().Add(r.Timeout)
	}
	return e
}

// ask makes one request.
func (e *exchange) ask(ctx *engine.Context) (Response, error) {
	options := e.options
	if !e.deadline.IsZero() {
		options = append(options[:len(options):len(options)], engine.Until(e.deadline))
	}
	return engine.CallActivity(ctx, Activity, e.Request, options...).Await()
}

// goesOn reports whether the answer sends the caller elsewhere, and makes that
// the next request.
func (e *exchange) goesOn(response Response) bool {
	location := response.Header.Get("Location")
	if response.StatusCode != http.StatusAccepted || location == "" || e.NoPolling {
		return false
	}
	e.Request = e.Request.following(location)
	return true
}

// pause waits as long as the answer says.
func (e *exchange) pause(ctx *engine.Context, response Response) error {
	at := ctx.Now().Add(retryAfter(response.Header.Get("Retry-After"), ctx.Now()))
	if !e.deadline.IsZero() && at.After(e.deadline) {
		at = e.deadline
	}
	if _, err := ctx.CreateTimer(at).Await(); err != nil {
		return err
	}
	if !e.deadline.IsZero() && !ctx.Now().Before(e.deadline) {
		return engine.ErrTimeout
	}
	return nil
}

// retryAfter reads a Retry-After header: a number of seconds or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return max(time.Duration(seconds)*time.Second, time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), time.Second)
	}
	return pollInterval
}

// following returns the request that asks at a Location: a GET without a body,
// and to another origin without the headers that let the caller in here.
func (r Request) following(location string) Request {
	next := Request{To: r.To, URL: location, Header: r.Header.Clone(), Timeout: r.Timeout, RetryOn: r.RetryOn}
	next.Header.Del("X-Functions-Key")
	next.Header.Del("Content-Type")
	next.Header.Del("Idempotency-Key")
	here, errHere := url.Parse(r.URL)
	there, errThere := url.Parse(location)
	if r.To == "" && (errHere != nil || errThere != nil || !sameOrigin(here, there)) {
		next.Header.Del("Authorization")
		next.Header.Del("Cookie")
	}
	return next
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }
