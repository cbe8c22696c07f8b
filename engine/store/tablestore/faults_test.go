package tablestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

// fault is what happens to a request on its way.
type fault int

const (
	reset fault = iota // it does not arrive
	lost               // it has its effect, and the answer does not arrive
	busy               // it is refused for the moment
	vague              // it has its effect, and the answer is that it took too long
	dead               // this one and all after it do not arrive
)

var faultNames = map[fault]string{reset: "connection reset", lost: "answer lost", busy: "server busy", vague: "timed out", dead: "process gone"}

var errReset = errors.New("connection reset by peer, on purpose")

// saboteur lets one request go wrong.
type saboteur struct {
	fault fault
	at    int // the number of the request; -1 for none

	died func() // called when the fault is dead

	mu sync.Mutex
	n  int
}

func (s *saboteur) arm(f fault, at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.at, s.n = f, at, 0
}

func (s *saboteur) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// Do is called by the SDK for every attempt.
func (s *saboteur) Do(r *policy.Request) (*http.Response, error) {
	s.mu.Lock()
	f, hit := s.fault, s.at >= 0 && (s.n == s.at || s.n > s.at && s.fault == dead)
	s.n++
	s.mu.Unlock()
	switch {
	case !hit:
		return r.Next()
	case f == dead:
		s.died()
	case f == busy:
		return refusedBy(r, http.StatusServiceUnavailable, "ServerBusy"), nil
	case f == lost || f == vague:
		answer, err := r.Next()
		if err != nil {
			return nil, err
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if f == vague {
			return refusedBy(r, http.StatusInternalServerError, "OperationTimedOut"), nil
		}
	}
	return nil, errReset
}

// refusedBy is an answer as Azure gives it when it is not well.
func refusedBy(r *policy.Request, status int, code string) *http.Response {
	body := fmt.Sprintf(`{"odata.error":{"code":%q,"message":{"lang":"en-US","value":"on purpose"}}}`, code)
	return &http.Response{
		StatusCode: status, Request: r.Raw(), Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/json"}, "X-Ms-Error-Code": {code}},
	}
}

// newFaultyDesk returns a desk whose worker's requests go through the saboteur.
func newFaultyDesk(t *testing.T, s *saboteur, retries int32) *desk {
	return newDesk(t, func(o *Options) {
		o.Client.PerRetryPolicies = append(o.Client.PerRetryPolicies, s)
		o.Client.Retry = policy.RetryOptions{MaxRetries: retries, RetryDelay: time.Microsecond, MaxRetryDelay: time.Microsecond}
	})
}

// again makes a call until it succeeds, as a caller does who got an error.
func (d *desk) again(what string, f func() error) {
	d.Helper()
	var err error
	for range 4 {
		if err = f(); err == nil || errors.Is(err, client.ErrExists) || errors.Is(err, client.ErrFinished) {
			return
		}
	}
	d.Fatalf("%s: %v", what, err)
}

func (d *desk) startAgain() {
	d.Helper()
	d.again("start", func() error { _, err := d.client.Start(d.Context(), string(verify), "a", 0); return err })
	d.must(d.worker.Settle(d.Context()))
}

func (d *desk) raiseAgain() {
	d.Helper()
	d.again("raise", func() error {
		return d.client.Raise(d.Context(), "a", string(answer), client.Payload{Body: []byte(`"yes"`)})
	})
	d.must(d.worker.Settle(d.Context()))
}

// whole lets every doorbell that may be left ring and checks that all is as it
// would be without faults.
func (d *desk) whole() {
	d.Helper()
	for range 3 {
		d.advance(d.opened.o.Horizon / 2)
		d.work()
	}
	d.ended("a", "true")
	events, err := d.store.History(d.Context(), "a")
	d.must(err)
	if err := storetest.CheckHistory(events); err != nil {
		d.Error(err)
	}
	page, err := d.store.List(d.Context(), store.Query{})
	d.must(err)
	if len(page.Instances) != 1 {
		d.Errorf("%d instances are listed", len(page.Instances))
	}
}

func TestEveryRequestMayGoWrong(t *testing.T) {
	for _, retries := range []int32{-1, 3} {
		for _, f := range []fault{reset, lost, busy, vague} {
			t.Run(fmt.Sprintf("%s, %d retries", faultNames[f], max(retries, 0)), func(t *testing.T) {
				for at, more := 0, true; more && !t.Failed(); at++ {
					s := &saboteur{at: -1}
					d := newFaultyDesk(t, s, retries)
					s.arm(f, at)
					d.startAgain()
					d.raiseAgain()
					more = s.requests() > at
					s.arm(f, -1)
					d.openWorker(d.o)
					d.whole()
					if t.Failed() {
						t.Logf("it was request %d", at)
					}
				}
			})
		}
	}
}

// A client without a worker leaves everything to doorbells.
func TestEveryRequestOfABareClientMayGoWrong(t *testing.T) {
	for _, retries := range []int32{-1, 3} {
		for _, f := range []fault{reset, lost, busy, vague} {
			t.Run(fmt.Sprintf("%s, %d retries", faultNames[f], max(retries, 0)), func(t *testing.T) {
				for at, more := 0, true; more && !t.Failed(); at++ {
					s := &saboteur{at: -1}
					d := newFaultyDesk(t, s, retries)
					d.client = client.New(d.opened, client.Options{Now: d.clock})
					s.arm(f, at)
					d.startAgain()
					d.raiseAgain()
					more = s.requests() > at
					s.arm(f, -1)
					d.openWorker(d.o)
					d.whole()
					if t.Failed() {
						t.Logf("it was request %d", at)
					}
				}
			})
		}
	}
}

func TestEveryRequestMayBeTheLast(t *testing.T) {
	for at, more := 0, true; more && !t.Failed(); at++ {
		s := &saboteur{at: -1}
		d := newFaultyDesk(t, s, -1)
		ctx, cancel := context.WithCancel(t.Context())
		gone := d.opened
		s.died = func() { gone.Close(); cancel() }
		s.arm(dead, at)
		_, started := d.client.Start(ctx, string(verify), "a", 0)
		raised := errors.New("not tried")
		if started == nil {
			_ = d.worker.Settle(ctx)
			raised = d.client.Raise(ctx, "a", string(answer), client.Payload{Body: []byte(`"yes"`)})
		}
		_ = d.worker.Settle(ctx)
		more = ctx.Err() != nil
		cancel()
		d.openWorker(d.o)
		d.advance(2 * d.store.Lease())
		_, err := d.store.Get(t.Context(), "a")
		if started == nil && err != nil {
			t.Errorf("request %d: a start that was accepted is gone: %v", at, err)
		}
		if started != nil {
			d.startAgain()
		}
		d.work()
		if raised != nil {
			d.raiseAgain()
		}
		d.whole()
		if t.Failed() {
			t.Logf("it was request %d", at)
		}
	}
}
