package dispatch_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

// onAccount returns a store on a storage account in memory, which a test in a bubble of
// synctest may use.
func onAccount(t *testing.T) *tablestore.Store {
	t.Helper()
	account := azuretest.New(azuretest.Options{})
	o := tablestore.Options{ConnectionString: account.ConnectionString(), Hub: "hub"}
	o.Client.Transport = account
	s, err := tablestore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Of starts that come together only one can be made, but the others are not told
// that there is an instance before that is durable.
func TestAStartIsNotRefusedForOneThatIsNotDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onAccount(t)
		all := make(chan struct{})
		broken := &storetest.Faulty{Store: s, Choose: func(method string, _ int) storetest.Fault {
			if method == "Commit" || method == "Create" {
				<-all
				return storetest.Fail
			}
			return storetest.None
		}}
		r := engine.NewRegistry()
		engine.AddOrchestrator(r, gate, func(ctx *engine.Context, _ int) (int, error) {
			return engine.WaitForExternalEvent(ctx, open).Await()
		})
		c := client.New(dispatch.New(broken, r, dispatch.Options{}).Instances(), client.Options{})
		var starts sync.WaitGroup
		for range 5 {
			starts.Go(func() {
				_, err := c.Start(t.Context(), string(gate), "a", 1)
				if err == nil || errors.Is(err, client.ErrExists) {
					t.Errorf("a start that was not written is answered with %v", err)
				}
			})
		}
		synctest.Wait() // the first is being written, the others wait
		close(all)
		starts.Wait()
		if _, err := s.Get(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the instance is there: %v", err)
		}
	})
}

// A termination that was written, of which the answer was lost and the instance
// purged since, was not refused: what became of it is not known any more.
func TestAMessageIsNotRefusedByAnInstanceThatIsGoneSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := onAccount(t)
		var lost bool
		losing := &storetest.Faulty{Store: s, Choose: func(method string, _ int) storetest.Fault {
			switch {
			case method == "Commit" && !lost:
				lost = true
				return storetest.Lose
			case method == "Get" && lost:
				if err := s.Purge(t.Context(), "a"); err != nil && !errors.Is(err, store.ErrNotFound) {
					t.Error(err)
				}
			}
			return storetest.None
		}}
		r := engine.NewRegistry()
		engine.AddOrchestrator(r, gate, func(ctx *engine.Context, _ int) (int, error) {
			return engine.WaitForExternalEvent(ctx, open).Await()
		})
		if _, err := client.New(dispatch.New(s, r, dispatch.Options{Cached: -1}).Instances(), client.Options{}).Start(t.Context(), string(gate), "a", 1); err != nil {
			t.Fatal(err)
		}
		err := dispatch.New(losing, r, dispatch.Options{Cached: -1}).Instances().Send(t.Context(), "a", history.Event{Kind: history.ExecutionTerminated, ID: history.Outside, Message: "m1"})
		if err == nil || errors.Is(err, store.ErrNotFound) || !lost {
			t.Errorf("the sender is told %v", err)
		}
	})
}

// The commit that recorded a rewinding seems to have failed, and the storage lets nobody
// look after that: the rewinding is not put into the inbox as well.
func TestAMessageThatIsRecordedIsNotPutIntoTheInboxToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := azuretest.New(azuretest.Options{})
		o := tablestore.Options{ConnectionString: account.ConnectionString(), Hub: "hub"}
		o.Client.Transport = account
		s, err := tablestore.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		r := engine.NewRegistry()
		engine.AddOrchestrator(r, call, func(ctx *engine.Context, n int) (int, error) { return n, errors.New("no") })
		if _, err := client.New(dispatch.New(s, r, dispatch.Options{Cached: -1}).Instances(), client.Options{}).Start(t.Context(), string(call), "a", 1); err != nil {
			t.Fatal(err)
		}
		var lost atomic.Bool
		losing := &storetest.Faulty{Store: s, Choose: func(method string, _ int) storetest.Fault {
			switch {
			case method == "Commit" && lost.CompareAndSwap(false, true):
				return storetest.Lose
			case lost.Load() && (method == "Load" || method == "Get"):
				return storetest.Fail
			}
			return storetest.None
		}}
		rewinding := history.Event{Kind: history.ExecutionRewound, ID: history.Outside, Message: "m1", Execution: "again", Time: time.Now()}
		if err := dispatch.New(losing, r, dispatch.Options{Cached: -1}).Instances().Send(t.Context(), "a", rewinding); err != nil || !lost.Load() {
			t.Fatalf("lost %t, and the sender is told %v", lost.Load(), err)
		}
		state, err := s.Load(t.Context(), "a", "")
		if err != nil || len(state.Inbox) != 0 || !slices.ContainsFunc(state.History, func(e history.Event) bool { return e.Message == "m1" }) {
			t.Errorf("the inbox has %v, the history %v (%v)", state.Inbox, state.History, err)
		}
	})
}

// A worker that was told that the id of a child is taken says so when another's try has
// begun the child: that counts, and the parent waits for it.
func TestALateRefusalOfAChildThatWasBegunIsNotBelieved(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, gate, func(ctx *engine.Context, _ int) (int, error) {
		return engine.WaitForExternalEvent(ctx, open).Await()
	})
	engine.AddOrchestrator(r, call, func(ctx *engine.Context, n int) (int, error) {
		return engine.CallSubOrchestrator(ctx, gate, n, engine.InstanceID("child")).Await()
	})
	s := openShop(t, t.TempDir(), dispatch.Options{}, r)
	s.start(string(call), "parent", 1)
	child := s.begun("child")
	late := history.Event{
		Kind: history.SubOrchestrationInstanceFailed, ID: history.Outside, Time: time.Now(), Message: client.NewID(),
		TaskID: child.Parent.Task, Execution: child.Parent.Execution, InstanceID: "child", Failure: &history.Failure{Kind: engine.KindIDTaken},
	}
	if err := s.worker.Instances().Send(t.Context(), "parent", late); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Raise(t.Context(), "child", string(open), client.Payload{Body: []byte("7")}); err != nil {
		t.Fatal(err)
	}
	s.ends("parent", "7")
}
