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
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/store"
)

// unwell answers requests as an account does that refuses some of them.
type unwell struct {
	empty
	// refuses returns the reason why a request is refused, with its status
	// and seconds to wait; an empty reason if it is not.
	refuses func(*http.Request) (status int, code string, wait int)

	mu       sync.Mutex
	requests int // since refuses was set
}

// set makes the account refuse otherwise, and returns how many requests were
// made until then.
func (u *unwell) set(refuses func(*http.Request) (status int, code string, wait int)) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := u.requests
	u.refuses, u.requests = refuses, 0
	return n
}

// Do is called by the SDK instead of the network.
func (u *unwell) Do(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests++
	status, code, wait := u.refuses(r)
	if code == "" {
		return u.empty.Do(r)
	}
	body := fmt.Sprintf(`{"odata.error":{"code":%q}}`, code)
	header := http.Header{"Content-Type": {"application/json"}, "X-Ms-Error-Code": {code}}
	if wait > 0 {
		header.Set("Retry-After", fmt.Sprint(wait))
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// options returns options for a hub in the account, on no network.
func (u *unwell) options() Options {
	o := Options{ConnectionString: "UseDevelopmentStorage=true", Hub: "hub"}
	o.Client.Transport = u
	return o
}

// well refuses nothing.
func well(*http.Request) (status int, code string, wait int) { return 0, "", 0 }

func TestARefusedRequestIsMadeAgainWhenAzureSaysSo(t *testing.T) {
	for _, tt := range []struct {
		status, seconds int
		requests        int
	}{
		{http.StatusServiceUnavailable, 20, 2},
		{http.StatusTooManyRequests, 20, 2},
		{http.StatusServiceUnavailable, 60, 2},
		{http.StatusServiceUnavailable, 61, 1}, // that long, nobody waits
	} {
		synctest.Test(t, func(t *testing.T) {
			u := &unwell{refuses: well}
			s := open(t, u.options())
			u.set(func(*http.Request) (int, string, int) {
				if u.requests == 1 {
					return tt.status, "ServerBusy", tt.seconds
				}
				return http.StatusNotFound, codeRowMissing, 0
			})
			began := time.Now()
			_, err := s.Get(t.Context(), "a")
			took := time.Since(began)
			n := u.set(well)
			if n != tt.requests || errors.Is(err, store.ErrNotFound) != (tt.requests == 2) {
				t.Errorf("%d with %d seconds: %d requests, %v", tt.status, tt.seconds, n, err)
			}
			if want := time.Duration(tt.seconds*(tt.requests-1)) * time.Second; took != want {
				t.Errorf("%d with %d seconds: it took %v, want %v", tt.status, tt.seconds, took, want)
			}
		})
	}
}

// An account that refuses everything for an hour is not asked all the time, and
// the worker goes on when it is well again.
func TestAThrottledWorkerDoesNotSpin(t *testing.T) {
	for _, wait := range []int{0, 10, 120} {
		synctest.Test(t, func(t *testing.T) {
			u := &unwell{refuses: well}
			s := open(t, u.options())
			u.set(func(*http.Request) (int, string, int) { return http.StatusServiceUnavailable, "ServerBusy", wait })
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- dispatch.New(s, newRegistry(func() {}), dispatch.Options{}).Run(ctx) }()
			time.Sleep(time.Hour)
			const most = 9 * 60
			n := u.set(well)
			t.Logf("%d requests in an hour with a Retry-After of %d s", n, wait)
			if n > most {
				t.Errorf("%d requests in an hour with a Retry-After of %d s, more than %d", n, wait, most)
			}
			time.Sleep(2 * time.Minute)
			if u.set(well) == 0 {
				t.Error("it does not go on")
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNobodyWaitsForAHubThatIsNotWantedAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &unwell{refuses: func(*http.Request) (int, string, int) { return http.StatusConflict, codeTableBeingDeleted, 0 }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := Open(ctx, u.options()); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// Somebody deletes the hub while a worker runs.
func TestAWorkerEndsWithItsHub(t *testing.T) {
	for what, remove := range map[string]func(d *desk) error{
		"all": func(d *desk) error {
			return errors.Join(d.drop(d.store.history), d.drop(d.store.instances), d.drop(d.store.due), d.dropQueue())
		},
		"queue": func(d *desk) error { return d.dropQueue() },
		"due":   func(d *desk) error { return d.drop(d.store.due) },
	} {
		t.Run(what, func(t *testing.T) {
			d := newDesk(t, nil)
			d.start("verify", "a", 0)
			d.must(remove(d))
			if err := d.worker.Run(t.Context()); !errors.Is(err, store.ErrGone) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

func (d *desk) drop(table *aztables.Client) error {
	_, err := table.Delete(d.Context(), nil)
	return err
}

func (d *desk) dropQueue() error {
	_, err := d.store.queue.Delete(d.Context(), nil)
	return err
}

func TestCallsToAHubThatIsGoneSaySo(t *testing.T) {
	d := newDesk(t, nil)
	d.start("verify", "a", 0)
	d.must(errors.Join(d.drop(d.store.history), d.drop(d.store.instances)))
	start := func() error { _, err := d.client.Start(t.Context(), "verify", "b", 0); return err }
	get := func() error { _, err := d.client.Get(t.Context(), "a"); return err }
	list := func() error { _, err := d.store.List(t.Context(), store.Query{}); return err }
	past := func() error { _, err := d.store.History(t.Context(), "a"); return err }
	raise := func() error { return d.client.Raise(t.Context(), "a", string(answer), yes) }
	for name, call := range map[string]func() error{
		"start": start, "get": get, "list": list, "history": past, "raise": raise,
		"purge": func() error { return d.store.Purge(t.Context(), "a") },
	} {
		if err := call(); !errors.Is(err, store.ErrGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
