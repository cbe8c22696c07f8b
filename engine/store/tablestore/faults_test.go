package tablestore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// optioner returns options for a new hub on a storage account with a test's clock.
type optioner func(t testing.TB, now func() time.Time) Options

// newFaultyDesk returns a desk whose worker's requests may go wrong, and are
// tried again at once so many times.
func newFaultyDesk(t *testing.T, on optioner, f *azuritetest.Faults, retries int32) *desk {
	return newDeskOn(t, on, func(o *Options) {
		o.Client.PerRetryPolicies = append(o.Client.PerRetryPolicies, f)
		o.Client.Retry = policy.RetryOptions{MaxRetries: retries, RetryDelay: time.Microsecond, MaxRetryDelay: time.Second}
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

// whole lets every doorbell that may be left ring and checks that all is as it
// would be without faults.
func (d *desk) whole(p plot) {
	d.Helper()
	for _, c := range d.hired {
		d.must(c.worker.Settle(d.Context()))
	}
	for range 3 {
		d.advance(d.opened.o.Horizon / 2)
		d.work()
	}
	d.advance(2 * orphanAge) // until what is left of blobs is nobody's
	d.work()
	d.ended("a", p.output)
	for id, output := range p.others {
		d.ended(id, output)
	}
	d.proved(p.instances())
}

// plot is a flow in which requests go wrong: what its client does, and how the
// instances end, which are that with the id a, others, and children of which
// nobody knows the id.
type plot struct {
	name, output string
	steps        []func(ctx context.Context, d *desk) error
	others       map[string]string
	children     int
}

// instances is how many there are at the end.
func (p plot) instances() int { return 1 + len(p.others) + p.children }

func starting(name string, input any) func(context.Context, *desk) error {
	return func(ctx context.Context, d *desk) error {
		_, err := d.client.Start(ctx, name, "a", input)
		return err
	}
}

// startingOnce starts an instance that is not there, even if it has ended.
func startingOnce(name, id string, input any) func(context.Context, *desk) error {
	return func(ctx context.Context, d *desk) error {
		if _, err := d.store.Get(d.Context(), id); err == nil {
			return nil
		}
		_, err := d.client.Start(ctx, name, id, input)
		return err
	}
}

func raising(ctx context.Context, d *desk) error {
	return d.client.Raise(ctx, "a", string(answer), yes)
}

var plots = []plot{
	{name: "verification", output: "true", steps: []func(context.Context, *desk) error{starting("verify", 0), raising}},
	{name: "verification without an answer", output: "false", steps: []func(context.Context, *desk) error{starting("verify", 0)}},
	{name: "fan-out", output: "10", steps: []func(context.Context, *desk) error{starting("fanOut", 4)}},
	{name: "sub-orchestrations", output: "3", children: 2, steps: []func(context.Context, *desk) error{startingOnce("parent", "a", 2)}},
	{
		name: "loops", output: "[3,2,1]", others: map[string]string{"b": "true"},
		steps: []func(context.Context, *desk) error{startingOnce("gather", "a", nil), startingOnce("relay", "b", 3)},
	},
}

// run lets the client do everything, as often as needed.
func (p plot) run(d *desk) {
	d.Helper()
	for i, step := range p.steps {
		d.again(fmt.Sprint("step ", i), func() error { return step(d.Context(), d) })
		d.must(d.worker.Settle(d.Context()))
	}
}

// bareClient lets the desk's client leave everything to doorbells.
func bareClient(d *desk) { d.client = client.New(d.opened, client.Options{Now: d.clock}) }

// ownWorker leaves the desk as it is: its worker makes the client's turns.
func ownWorker(*desk) {}

// clients are the ways in which a desk's client may work.
var clients = map[string]func(*desk){"own worker": ownWorker, "bare client": bareClient}

// chooser returns what happens to the requests of a desk's worker.
type chooser func(d *desk, at int) func(n int, r *http.Request) azuritetest.Fault

// everyRequest runs a flow once for each of its requests, at which choose says
// what happens.
func (p plot) everyRequest(t *testing.T, on optioner, retries int32, prepare func(*desk), choose chooser) {
	for at, more := 0, true; more && !t.Failed(); at++ {
		f := &azuritetest.Faults{}
		d := newFaultyDesk(t, on, f, retries)
		prepare(d)
		before := f.Requests()
		f.Set(choose(d, before+at))
		p.run(d)
		more = f.Requests() > before+at
		f.Set(nil)
		d.openWorker(d.o)
		d.whole(p)
		d.emptied(p.instances())
		if t.Failed() {
			t.Logf("it was request %d: %q", at, f.Log())
		}
	}
}

// goingWrong lets a request go wrong in one way.
func goingWrong(fault azuritetest.Fault) chooser {
	return func(_ *desk, at int) func(int, *http.Request) azuritetest.Fault { return azuritetest.At(at, fault) }
}

func TestEveryRequestMayGoWrong(t *testing.T) {
	for name, prepare := range clients {
		for _, p := range plots {
			for _, retries := range []int32{-1, 3} {
				for _, fault := range azuritetest.AllFaults() {
					t.Run(fmt.Sprintf("%s, %s, %v, %d retries", p.name, name, fault, max(retries, 0)), func(t *testing.T) {
						t.Parallel()
						p.everyRequest(t, inMemoryOptions, retries, prepare, goingWrong(fault))
					})
				}
			}
		}
	}
}

// The same on Azurite, where it takes longer, with what the SDK repeats.
func TestEveryRequestToAzuriteMayGoWrong(t *testing.T) {
	for _, p := range plots {
		for _, fault := range []azuritetest.Fault{azuritetest.Unanswered, azuritetest.Busy, azuritetest.Doubled} {
			t.Run(fmt.Sprintf("%s, %v", p.name, fault), func(t *testing.T) {
				t.Parallel()
				p.everyRequest(t, newOptions, 3, ownWorker, goingWrong(fault))
			})
		}
	}
}

// Somebody else is faster, before any of the requests: the row is not as it was
// read, or there is one that was not.
func TestEveryRequestMayBeOvertaken(t *testing.T) {
	for who, overtake := range map[string]func(*colleague){
		"a start": func(c *colleague) {
			if _, err := c.store.Get(c.Context(), "a"); errors.Is(err, store.ErrNotFound) {
				_, _ = c.bare().Start(c.Context(), "verify", "a", 0)
			}
		},
		"a message":  func(c *colleague) { _ = c.bare().Raise(c.Context(), "a", "Other", yes) },
		"a turn":     func(c *colleague) { _ = c.client.Raise(c.Context(), "a", "Other", yes) },
		"a worker":   func(c *colleague) { c.work() },
		"the answer": func(c *colleague) { _ = c.bare().Raise(c.Context(), "a", string(answer), yes) },
		"a suspension": func(c *colleague) {
			_ = c.client.Suspend(c.Context(), "a", "")
			_ = c.client.Resume(c.Context(), "a", "")
		},
	} {
		for name, prepare := range clients {
			t.Run(fmt.Sprintf("%s by %s", name, who), func(t *testing.T) {
				t.Parallel()
				plots[0].everyRequest(t, inMemoryOptions, 3, prepare, func(d *desk, at int) func(int, *http.Request) azuritetest.Fault {
					other := d.hire(0, nil)
					return func(n int, _ *http.Request) azuritetest.Fault {
						if n == at {
							overtake(other)
						}
						return azuritetest.None
					}
				})
			})
		}
	}
}

// The process is gone at any of its requests, and another one comes.
func TestEveryRequestMayBeTheLast(t *testing.T) {
	for name, prepare := range clients {
		for _, p := range plots {
			t.Run(p.name+", "+name, func(t *testing.T) {
				t.Parallel()
				for at, more := 0, true; more && !t.Failed(); at++ {
					if more = p.lastRequest(t, prepare, at); t.Failed() {
						t.Logf("it was request %d", at)
					}
				}
			})
		}
	}
}

// lastRequest runs a flow with a process that is gone at a request, and reports
// whether there were so many. What was not accepted by then is tried again.
func (p plot) lastRequest(t *testing.T, prepare func(*desk), at int) bool {
	f := &azuritetest.Faults{}
	d := newFaultyDesk(t, inMemoryOptions, f, -1)
	prepare(d)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gone, before := d.opened, f.Requests()
	f.Set(func(n int, _ *http.Request) azuritetest.Fault {
		if n < before+at {
			return azuritetest.None
		}
		gone.Close()
		cancel()
		return azuritetest.Unsent
	})
	accepted := 0
	for accepted < len(p.steps) && p.steps[accepted](ctx, d) == nil {
		accepted++
		_ = d.worker.Settle(ctx)
	}
	more := ctx.Err() != nil
	f.Set(nil)
	d.openWorker(d.o)
	d.advance(2 * d.store.Lease())
	if _, err := d.store.Get(t.Context(), "a"); accepted > 0 && err != nil {
		t.Errorf("a start that was accepted is gone: %v", err)
	}
	d.work()
	plot{steps: p.steps[accepted:]}.run(d)
	d.whole(p)
	d.emptied(p.instances())
	return more
}
