package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// request is what a process asked the storage account.
type request struct {
	method, url string
	header      http.Header
	body        []byte
	sent        time.Time
	answer      *http.Response // nil until it was served
}

// transport is the network as a process sees it.
type transport struct{ p *process }

var _ policy.Transporter = transport{}

// Do sends a request and waits for the answer. It is called by the SDK.
func (t transport) Do(r *http.Request) (*http.Response, error) {
	q := &request{method: r.Method, url: r.URL.String(), header: r.Header.Clone(), sent: t.p.w.now()}
	if r.Body != nil {
		var err error
		if q.body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	at := &point{who: t.p, what: describe(r, q.body), request: q}
	ctx, cancel := context.WithTimeout(r.Context(), t.p.w.patience(at))
	defer cancel()
	if err := t.p.w.reach(ctx, at); err != nil {
		return nil, err
	}
	q.answer.Request = r
	return q.answer, nil
}

// patience is how long an answer is waited for: for no two requests that are made
// at once equally long, to the nanosecond, or it would be left to the Go scheduler
// which of their senders goes on first.
func (s *stage) patience(p *point) time.Duration {
	s.mu.Lock()
	step := s.step
	s.mu.Unlock()
	h := fnv.New64a()
	fmt.Fprint(h, step, p.who.name(), p.what)
	return longestWay - time.Duration(h.Sum64()%uint64(tick))
}

// errReset is what a sender sees whose connection is cut.
var errReset = errors.New("connection reset by peer")

// deadError says that the process is dead, and that trying again is no use.
type deadError struct{}

// Error says so.
func (deadError) Error() string { return "the process is dead" }

// NonRetriable is asked by the SDK.
func (deadError) NonRetriable() {}

// longestWay is how long a request may be under way whose sender has given up.
const longestWay = 30 * time.Second

// deliver decides what becomes of a request, or of the answer to one.
func (w *world) deliver(p *point) {
	q, f := p.request, &w.weather
	switch {
	case p.gone && w.now().Sub(q.sent) > longestWay:
		w.take(p)
		w.tell(p, "never arrived")
	case p.gone:
		w.take(p)
		w.serve(q)
		w.tell(p, "arrived late: "+outcome(q.answer))
	case q.answer != nil && w.t.odds(f.lost):
		w.tell(p, "lost")
		w.release(p, errReset)
	case q.answer != nil:
		w.tell(p, outcome(q.answer))
		w.release(p, nil)
	case w.t.odds(f.reset):
		w.tell(p, "did not arrive")
		w.release(p, errReset)
	case w.t.odds(f.busy):
		w.tell(p, "refused: busy")
		q.answer = refusal(http.StatusServiceUnavailable, "ServerBusy")
		w.release(p, nil)
	case w.t.odds(f.late):
		w.tell(p, "connection cut, the request is under way")
		w.strand(p, errReset)
	case w.t.odds(f.lost):
		w.serve(q)
		w.tell(p, outcome(q.answer)+", but the answer is lost")
		w.release(p, errReset)
	case w.t.odds(f.vague):
		w.serve(q)
		w.tell(p, outcome(q.answer)+", but it is told that time ran out")
		q.answer = refusal(http.StatusInternalServerError, "OperationTimedOut")
		w.release(p, nil)
	case w.t.odds(f.slow):
		w.serve(q)
		w.tell(p, outcome(q.answer)+", the answer is under way")
		p.what, p.since = "answer to "+p.what, w.step
	default:
		w.serve(q)
		w.tell(p, outcome(q.answer))
		w.release(p, nil)
	}
}

// strand cuts the connection of a request that arrives all the same, later.
func (w *world) strand(p *point, err error) {
	w.mu.Lock()
	left := &point{who: p.who, what: p.what, request: p.request, since: w.step, gone: true}
	w.points = append(w.points, left)
	w.mu.Unlock()
	w.release(p, err)
}

// serve lets the account answer, and has everything checked that may have
// changed.
func (w *world) serve(q *request) {
	r, err := http.NewRequestWithContext(context.Background(), q.method, q.url, bytes.NewReader(q.body))
	if err == nil {
		r.Header = q.header
		q.answer, err = w.account.Do(r)
	}
	if err != nil {
		w.broke("the account cannot read a request: %v", err)
		q.answer = refusal(http.StatusBadRequest, "InvalidInput")
		return
	}
	if q.answer.StatusCode == http.StatusNotImplemented {
		w.broke("the account does not know %s %s", q.method, q.url)
	}
	if q.method != http.MethodGet {
		w.changed = w.now()
		w.monitor.look(instanceOf(q))
	}
}

// refusal is an answer of a service that is not well.
func refusal(status int, code string) *http.Response {
	body := fmt.Sprintf(`{"odata.error":{"code":%q,"message":{"lang":"en-US","value":"so it happens"}}}`, code)
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "X-Ms-Error-Code": {code}},
	}
}
