package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

const (
	call engine.Orchestrator[int, int] = "call"
	slow engine.Activity[int, int]     = "slow"
	gate engine.Orchestrator[int, int] = "gate"
	open engine.Event[int]             = "Open"
)

// shop is a worker that runs until it is stopped, on a folder, with an activity
// that does what the test says.
type shop struct {
	t      *testing.T
	store  *filestore.Store
	client *client.Client
	worker *dispatch.Worker
	cancel context.CancelFunc
	done   chan error
}

func newShop(t *testing.T, folder string, o dispatch.Options, activity func(context.Context, int) (int, error)) *shop {
	t.Helper()
	r := engine.NewRegistry()
	engine.AddActivity(r, slow, activity)
	engine.AddOrchestrator(r, call, func(ctx *engine.Context, n int) (int, error) {
		return engine.CallActivity(ctx, slow, n).Await()
	})
	engine.AddOrchestrator(r, gate, func(ctx *engine.Context, _ int) (int, error) {
		return engine.WaitForExternalEvent(ctx, open).Await()
	})
	return openShop(t, folder, o, r)
}

// openShop runs a worker that knows what is registered.
func openShop(t *testing.T, folder string, o dispatch.Options, r *engine.Registry) *shop {
	t.Helper()
	s, err := filestore.Open(folder, filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := dispatch.New(s, r, o)
	ctx, cancel := context.WithCancel(context.Background())
	shop := &shop{t: t, store: s, worker: w, client: client.New(w.Instances(), client.Options{}), cancel: cancel, done: make(chan error, 1)}
	go func() { shop.done <- w.Run(ctx) }()
	t.Cleanup(func() { shop.stop() })
	return shop
}

// stop stops the worker and closes the store.
func (s *shop) stop() {
	s.t.Helper()
	s.cancel()
	if err := <-s.done; err != nil {
		s.t.Error(err)
	}
	s.done <- nil
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

func (s *shop) start(name, id string, input int) {
	s.t.Helper()
	if _, err := s.client.Start(s.t.Context(), name, id, input); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) want(id string, status history.Status, output string) {
	s.t.Helper()
	in, err := s.client.Get(s.t.Context(), id)
	if err != nil || in.Status != status || string(in.Output) != output {
		s.t.Errorf("%s is %v with %q (%v), want %v with %q", id, in.Status, in.Output, err, status, output)
	}
}

func (s *shop) ends(id, output string) {
	s.t.Helper()
	if _, err := s.client.Wait(s.t.Context(), id); err != nil {
		s.t.Fatal(err)
	}
	s.want(id, history.Completed, output)
}

// begun waits until an instance is there.
func (s *shop) begun(id string) store.Instance {
	s.t.Helper()
	for {
		changed, done := s.client.Watch(id)
		in, err := s.client.Get(s.t.Context(), id)
		if !errors.Is(err, client.ErrNotFound) {
			done()
			return in
		}
		<-changed
		done()
	}
}

// What need not be finished here hears of a stop at once; the rest has its time, and the
// outcome of both is recorded.
func TestAnActivityHearsOfAStopBeforeItsTimeIsOver(t *testing.T) {
	running, release := make(chan struct{}, 2), make(chan struct{})
	folder := t.TempDir()
	s := newShop(t, folder, dispatch.Options{Grace: time.Hour}, func(ctx context.Context, n int) (int, error) {
		until, cancel := engine.UntilStop(ctx)
		defer cancel()
		running <- struct{}{}
		if n == 1 {
			<-until.Done()
			close(release)
			return 10, errors.Join(ctx.Err(), unless(context.Cause(until), engine.ErrStopping))
		}
		<-release
		return 20, nil
	})
	s.start("call", "heeds", 1)
	s.start("call", "goes on", 2)
	<-running
	<-running
	s.stop()
	s = newShop(t, folder, dispatch.Options{}, func(context.Context, int) (int, error) { return 0, errors.New("it ran twice") })
	s.ends("heeds", "10")
	s.ends("goes on", "20")
}

// unless returns an error that is another one than it should be.
func unless(got, want error) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("it is %v", got)
}

// Outside an activity nobody tells of a stop.
func TestWhatIsNoActivityHearsOfNoStop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	until, end := engine.UntilStop(ctx)
	if until.Err() != nil {
		t.Error(until.Err())
	}
	cancel()
	if <-until.Done(); context.Cause(until) != context.Canceled {
		t.Error(context.Cause(until))
	}
	end()
}

func TestNoMoreActivitiesRunThanAllowed(t *testing.T) {
	const limit, calls = 3, 40
	var running, most atomic.Int32
	s := newShop(t, t.TempDir(), dispatch.Options{Activities: limit}, func(_ context.Context, n int) (int, error) {
		now := running.Add(1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		runtime.Gosched()
		running.Add(-1)
		return n, nil
	})
	for i := range calls {
		s.start("call", fmt.Sprint(i), i)
	}
	for i := range calls {
		s.ends(fmt.Sprint(i), fmt.Sprint(i))
	}
	if most.Load() > limit {
		t.Errorf("%d ran at once, %d are allowed", most.Load(), limit)
	}
}

func TestStopLetsWhatIsInHandComeToItsEnd(t *testing.T) {
	folder := t.TempDir()
	entered, release := make(chan struct{}, 2), make(chan struct{})
	s := newShop(t, folder, dispatch.Options{Activities: 1, Grace: time.Hour}, func(_ context.Context, n int) (int, error) {
		entered <- struct{}{}
		<-release
		return n, nil
	})
	s.start("call", "running", 1)
	<-entered
	s.start("call", "queued", 2)
	s.cancel()
	close(release)
	if err := <-s.done; err != nil {
		t.Fatal(err)
	}
	s.done <- nil
	s.want("running", history.Completed, "1")
	s.want("queued", history.Completed, "2")
}

func TestWhatAStopCutsShortIsDoneLater(t *testing.T) {
	folder := t.TempDir()
	entered := make(chan struct{}, 1)
	s := newShop(t, folder, dispatch.Options{Grace: -1}, func(ctx context.Context, n int) (int, error) {
		entered <- struct{}{}
		<-ctx.Done()
		return 0, ctx.Err()
	})
	s.start("call", "a", 7)
	<-entered
	s.stop()
	again := newShop(t, folder, dispatch.Options{}, func(_ context.Context, n int) (int, error) { return n, nil })
	again.ends("a", "7")
}

func TestAStartMakesItsFirstTurnAndAnEventItsTurn(t *testing.T) {
	s := newShop(t, t.TempDir(), dispatch.Options{}, nil)
	s.start("gate", "a", 0)
	s.want("a", history.Running, "")
	if err := s.client.Raise(t.Context(), "a", "Open", client.Payload{Body: []byte("5")}); err != nil {
		t.Fatal(err)
	}
	s.want("a", history.Completed, "5")
}

func TestInstancesThatAreNotCachedAreReadAgain(t *testing.T) {
	s := newShop(t, t.TempDir(), dispatch.Options{Cached: 2}, nil)
	for i := range 10 {
		s.start("gate", fmt.Sprint(i), 0)
	}
	for i := range 10 {
		if err := s.client.Raise(t.Context(), fmt.Sprint(i), "Open", client.Payload{Body: []byte(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
		s.want(fmt.Sprint(i), history.Completed, fmt.Sprint(i))
	}
}

func TestAWorkerThatStoppedLeavesMessagesForOthers(t *testing.T) {
	folder := t.TempDir()
	s := newShop(t, folder, dispatch.Options{}, nil)
	s.start("gate", "a", 0)
	s.cancel()
	if err := <-s.done; err != nil {
		t.Fatal(err)
	}
	s.done <- nil
	if err := s.client.Raise(t.Context(), "a", "Open", client.Payload{Body: []byte("5")}); err != nil {
		t.Fatal(err)
	}
	s.want("a", history.Running, "")
	s.stop()
	again := newShop(t, folder, dispatch.Options{}, nil)
	again.ends("a", "5")
}

func TestWorkInHandIsKeptThroughALongActivity(t *testing.T) {
	s, err := filestore.Open(t.TempDir(), filestore.Options{Lease: 3 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var extended atomic.Int32
	several := make(chan struct{})
	faulty := &storetest.Faulty{Store: s, Choose: func(method string, _ int) storetest.Fault {
		if method == "Extend" && extended.Add(1) == 5 {
			close(several)
		}
		return storetest.None
	}}
	r := engine.NewRegistry()
	engine.AddActivity(r, slow, func(_ context.Context, n int) (int, error) { <-several; return n, nil }, engine.AtMostOnce())
	engine.AddOrchestrator(r, call, func(ctx *engine.Context, n int) (int, error) { return engine.CallActivity(ctx, slow, n).Await() })
	w := dispatch.New(faulty, r, dispatch.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	c := client.New(w.Instances(), client.Options{})
	if _, err := c.Start(t.Context(), "call", "a", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRunEndsWithTheErrorOfAStorageThatIsGone(t *testing.T) {
	s, err := filestore.Open(t.TempDir(), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var received atomic.Int32
	faulty := &storetest.Faulty{Store: s, Choose: func(method string, _ int) storetest.Fault {
		if method == "Receive" && received.Add(1) <= 3 {
			return storetest.Fail // passes
		}
		return storetest.None
	}}
	w := dispatch.New(faulty, engine.NewRegistry(), dispatch.Options{})
	done := make(chan error)
	go func() { done <- w.Run(t.Context()) }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, store.ErrClosed) || received.Load() <= 3 {
		t.Errorf("%v after %d calls", err, received.Load())
	}
}
