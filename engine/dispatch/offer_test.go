package dispatch_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

const fan engine.Orchestrator[int, int] = "fan"

// gang is workers that run on one hub in memory, in virtual time, with places
// for a few activities each.
type gang struct {
	*testing.T
	account *azuretest.Account
	members []*member
	running sync.WaitGroup
	once    bool // the activity must not run twice
	took    time.Duration
}

// member is one worker of a gang.
type member struct {
	client   *client.Client
	ran      map[int]int // how often each call was run
	now      atomic.Int32
	most     int32
	requests atomic.Int64
	stop     context.CancelFunc
	mu       sync.Mutex
}

// Do is called by the SDK for every attempt.
func (m *member) Do(r *policy.Request) (*http.Response, error) {
	m.requests.Add(1)
	return r.Next()
}

// work is the activity: it takes its time.
func (m *member) work(took time.Duration) func(context.Context, int) (int, error) {
	return func(ctx context.Context, n int) (int, error) {
		m.mu.Lock()
		m.ran[n]++
		m.most = max(m.most, m.now.Add(1))
		m.mu.Unlock()
		defer m.now.Add(-1)
		select {
		case <-time.After(took):
			return n, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// hire lets one more worker run.
func (g *gang) hire(places int) *member {
	g.Helper()
	m := &member{ran: map[int]int{}}
	o := tablestore.Options{ConnectionString: g.account.ConnectionString(), Hub: "hub"}
	o.Client.Transport = g.account
	o.Client.PerRetryPolicies = []policy.Policy{m}
	s, err := tablestore.Open(g.Context(), o)
	if err != nil {
		g.Fatal(err)
	}
	r := engine.NewRegistry()
	var how []engine.ActivityOption
	if g.once {
		how = append(how, engine.AtMostOnce())
	}
	engine.AddActivity(r, slow, m.work(g.took), how...)
	engine.AddOrchestrator(r, fan, func(ctx *engine.Context, n int) (int, error) {
		var all []*engine.Task[int]
		for i := range n {
			all = append(all, engine.CallActivity(ctx, slow, i))
		}
		results, err := engine.WhenAll(ctx, all...).Await()
		return len(results), err
	})
	w := dispatch.New(s, r, dispatch.Options{Activities: places})
	m.client = client.New(w.Instances(), client.Options{})
	var ctx context.Context
	ctx, m.stop = context.WithCancel(g.Context())
	g.members = append(g.members, m)
	g.running.Go(func() {
		if err := w.Run(ctx); err != nil {
			g.Error(err)
		}
	})
	return m
}

// fanOut runs an instance to its end and returns how long that took.
func (g *gang) fanOut(calls int) time.Duration {
	g.Helper()
	began := time.Now()
	c := g.members[0].client
	if _, err := c.Start(g.Context(), string(fan), "a", calls); err != nil {
		g.Fatal(err)
	}
	in, err := c.Wait(g.Context(), "a")
	if err != nil || in.Status != history.Completed || string(in.Output) != fmt.Sprint(calls) {
		g.Errorf("%s %s %v %v", in.Status, in.Output, in.Failure, err)
	}
	return time.Since(began)
}

func (g *gang) end() {
	for _, m := range g.members {
		m.stop()
	}
	g.running.Wait()
}

// runs returns how often each of n calls was run, by all.
func (g *gang) runs(n int) []int {
	sums := make([]int, n)
	for _, m := range g.members {
		for call, times := range m.ran {
			sums[call] += times
		}
	}
	return sums
}

// A hundred calls of a minute each would take one worker with ten places ten
// minutes. Two that do nothing hear of it.
func TestWorkThatWaitsForAPlaceIsRunByWorkersThatHaveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gang{T: t, account: azuretest.New(azuretest.Options{}), took: time.Minute}
		for range 3 {
			g.hire(10)
		}
		time.Sleep(10 * time.Minute) // the workers ask as rarely as they can
		for _, m := range g.members {
			m.requests.Store(0)
		}
		took := g.fanOut(100)
		g.end()
		if took > 6*time.Minute {
			t.Errorf("it took %v, though three workers can do it in four minutes and hear of it within half a minute", took)
		}
		for _, m := range g.members {
			t.Logf("%d calls, at most %d at once, %d requests", len(m.ran), m.most, m.requests.Load())
			if len(m.ran) < 20 || m.most > 10 {
				t.Errorf("a worker ran %d calls, at most %d at once", len(m.ran), m.most)
			}
		}
		if runs := g.runs(100); slices.Max(runs) != 1 || slices.Min(runs) != 1 {
			t.Errorf("the calls were run so often: %v", runs)
		}
	})
}

// A worker that is alone is not kept from its work by offering it, and asks for
// little while it does.
func TestAWorkerThatIsAloneDoesWhatItOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gang{T: t, account: azuretest.New(azuretest.Options{}), took: time.Minute}
		m := g.hire(10)
		took := g.fanOut(100)
		g.end()
		t.Logf("%v, %d requests", took, m.requests.Load())
		if took > 12*time.Minute {
			t.Errorf("it took %v instead of ten minutes", took)
		}
		if runs := g.runs(100); slices.Max(runs) != 1 {
			t.Errorf("the calls were run so often: %v", runs)
		}
	})
}

func TestQuickWorkIsNotOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gang{T: t, account: azuretest.New(azuretest.Options{}), took: 300 * time.Millisecond}
		g.hire(10)
		other := g.hire(10)
		g.fanOut(100)
		g.end()
		if len(other.ran) > 0 {
			t.Errorf("%d calls of three seconds' work were offered", len(other.ran))
		}
	})
}

// Who takes over a call that must not run twice records that it was interrupted,
// as it cannot tell whether it was. So such calls are not given away.
func TestACallThatMustNotRunTwiceIsNotOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gang{T: t, account: azuretest.New(azuretest.Options{}), took: time.Minute, once: true}
		g.hire(10)
		other := g.hire(10)
		g.fanOut(50)
		g.end()
		if len(other.ran) > 0 {
			t.Errorf("%d calls were offered", len(other.ran))
		}
		if runs := g.runs(50); slices.Max(runs) != 1 || slices.Min(runs) != 1 {
			t.Errorf("the calls were run so often: %v", runs)
		}
	})
}
