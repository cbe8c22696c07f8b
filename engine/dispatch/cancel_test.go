package dispatch_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// untilStopped is an activity that runs until it is told to stop.
func untilStopped(entered, stopped chan<- struct{}) func(context.Context, int) (int, error) {
	return func(ctx context.Context, _ int) (int, error) {
		entered <- struct{}{}
		<-ctx.Done()
		stopped <- struct{}{}
		return 0, ctx.Err()
	}
}

func TestTerminationReachesARunningActivity(t *testing.T) {
	entered, stopped := make(chan struct{}, 1), make(chan struct{}, 1)
	s := newShop(t, t.TempDir(), dispatch.Options{}, untilStopped(entered, stopped))
	s.start("call", "a", 1)
	<-entered
	if err := s.client.Terminate(t.Context(), "a", "enough"); err != nil {
		t.Fatal(err)
	}
	<-stopped
	s.want("a", history.Terminated, `"enough"`)
	if err := s.worker.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A client that has only the store leaves the termination in the inbox; a worker
// elsewhere takes it, and the one whose activity runs finds out when it extends
// its doorbell.
func TestTerminationElsewhereReachesARunningActivity(t *testing.T) {
	disk, err := filestore.Open(t.TempDir(), filestore.Options{Lease: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	entered, stopped := make(chan struct{}, 1), make(chan struct{}, 1)
	r := engine.NewRegistry()
	engine.AddActivity(r, slow, untilStopped(entered, stopped))
	engine.AddOrchestrator(r, call, func(ctx *engine.Context, n int) (int, error) { return engine.CallActivity(ctx, slow, n).Await() })
	here, there := dispatch.New(deaf{disk}, r, dispatch.Options{}), dispatch.New(disk, r, dispatch.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- here.Run(ctx) }()
	if _, err := client.New(here.Instances(), client.Options{}).Start(t.Context(), "call", "a", 1); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := client.New(there.Instances(), client.Options{}).Terminate(t.Context(), "a", "enough"); err != nil {
		t.Fatal(err)
	}
	<-stopped
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// deaf is a store whose doorbells are not heard.
type deaf struct{ dispatch.Store }

func (d deaf) Receive(ctx context.Context, _ int, _ time.Duration) ([]store.Doorbell, error) {
	<-ctx.Done()
	return nil, nil
}

// In virtual time the deadline comes when the activity has begun and waits, however slow
// the machine is.
func TestADeadlineReachesARunningActivity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered, stopped := make(chan struct{}, 1), make(chan struct{}, 1)
		r := engine.NewRegistry()
		engine.AddActivity(r, slow, untilStopped(entered, stopped))
		engine.AddOrchestrator(r, call, func(ctx *engine.Context, n int) (int, error) {
			_, err := engine.CallActivity(ctx, slow, n, engine.Until(ctx.Now().Add(time.Minute))).Await()
			if err != engine.ErrTimeout {
				return 0, err
			}
			return engine.WaitForExternalEvent(ctx, open).Await()
		})
		w := dispatch.New(onAccount(t), r, dispatch.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		c := client.New(w.Instances(), client.Options{})
		if _, err := c.Start(t.Context(), string(call), "a", 1); err != nil {
			t.Fatal(err)
		}
		<-entered
		<-stopped
		if err := c.Raise(t.Context(), "a", string(open), client.Payload{Body: []byte("5")}); err != nil {
			t.Fatal(err)
		}
		if in, err := c.Get(t.Context(), "a"); err != nil || in.Status != history.Completed || string(in.Output) != "5" {
			t.Errorf("%+v %v", in, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAnActivityThatEndsItsGoroutineFails(t *testing.T) {
	s := newShop(t, t.TempDir(), dispatch.Options{Activities: 1}, func(_ context.Context, n int) (int, error) {
		if n == 1 {
			runtime.Goexit()
		}
		return n, nil
	})
	s.start("call", "a", 1)
	if in, err := s.client.Wait(t.Context(), "a"); err != nil || in.Status != history.Failed || in.Failure.Kind != engine.KindPanic {
		t.Errorf("%+v %v", in, err)
	}
	s.start("call", "b", 2) // there is still a place to run in
	s.ends("b", "2")
}
