package tablestore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

// shift is several workers that run on one hub in memory, in the virtual time of
// testing/synctest.
type shift struct {
	*testing.T
	o       Options
	bare    *client.Client // leaves everything to doorbells
	workers []*mate
	stop    func()
	running sync.WaitGroup
}

// mate is one worker of a shift.
type mate struct {
	requests atomic.Int64
	worked   atomic.Int64 // activities that it ran
	client   *client.Client
}

// Do is called by the SDK for every attempt.
func (h *mate) Do(r *policy.Request) (*http.Response, error) {
	h.requests.Add(1)
	return r.Next()
}

// newShift starts workers. It is to be ended before the test.
func newShift(t *testing.T, workers int, change func(*Options)) *shift {
	a := azuretest.New(azuretest.Options{})
	s := &shift{T: t, o: Options{ConnectionString: a.ConnectionString(), Hub: "shift"}}
	s.o.Client.Transport = a
	if change != nil {
		change(&s.o)
	}
	s.bare = client.New(open(t, s.o), client.Options{})
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	for range workers {
		h := &mate{}
		o := s.o
		o.Client.PerRetryPolicies = slices.Concat(o.Client.PerRetryPolicies, []policy.Policy{h})
		w := dispatch.New(open(t, o), newRegistry(func() { h.worked.Add(1) }), dispatch.Options{})
		h.client = client.New(w.Instances(), client.Options{})
		s.workers = append(s.workers, h)
		s.running.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	return s
}

func (s *shift) end() {
	s.stop()
	s.running.Wait()
}

// patients starts instances that wait for an answer, each through another worker.
func (s *shift) patients(n int) {
	s.Helper()
	for i := range n {
		if _, err := s.workers[i%len(s.workers)].client.Start(s.Context(), "patient", fmt.Sprint(i), "2000h"); err != nil {
			s.Fatal(err)
		}
	}
}

// untilEnded returns how long it takes from now on until an instance has ended.
func (s *shift) untilEnded(id string) time.Duration {
	s.Helper()
	began := time.Now()
	for range 10 * 3600 {
		in, err := s.bare.Get(s.Context(), id)
		if err != nil {
			s.Fatal(err)
		}
		if in.Status.IsTerminal() {
			return time.Since(began)
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Fatalf("%s does not end", id)
	return 0
}

// Three workers in whose hub many instances wait ask for nothing but what rings
// and what is due.
func TestWorkersWithNothingToDoAskRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShift(t, 3, nil)
		defer s.end()
		s.patients(60)
		time.Sleep(3 * time.Minute) // they become idle
		before := make([]int64, len(s.workers))
		for i, h := range s.workers {
			before[i] = h.requests.Load()
		}
		const minutes = 120
		time.Sleep(minutes * time.Minute)
		for i, h := range s.workers {
			n := h.requests.Load() - before[i]
			t.Logf("worker %d makes %.2f requests a minute", i, float64(n)/minutes)
			if n > idleMost*minutes {
				t.Errorf("worker %d made %d requests in %d minutes", i, n, minutes)
			}
		}
	})
}

// An event that a client without a worker raises for an instance that a worker
// left long ago is heard within the poll interval.
func TestARaisedEventIsHeardWithinThePollInterval(t *testing.T) {
	for _, ceiling := range []time.Duration{time.Second, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := newShift(t, 3, func(o *Options) { o.PollCeiling = ceiling })
			defer s.end()
			const events = 6
			s.patients(events)
			for i := range events {
				time.Sleep(time.Hour + time.Duration(i)*ceiling/5)
				if err := s.bare.Raise(t.Context(), fmt.Sprint(i), string(answer), yes); err != nil {
					t.Fatal(err)
				}
				if took := s.untilEnded(fmt.Sprint(i)); took > ceiling+time.Second {
					t.Errorf("with polls %v apart, an event was heard after %v", ceiling, took)
				}
			}
		})
	}
}

// A worker that can make the turn makes it in the call, though another one had
// the instance: it reads it, once, and writes it.
func TestARaisedEventIsHeardAtOnceByTheWorkerItReaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShift(t, 3, nil)
		defer s.end()
		s.patients(3)
		time.Sleep(time.Hour)
		synctest.Wait()
		for i := range 3 {
			other := s.workers[(i+1)%3]
			began, before := time.Now(), other.requests.Load()
			if err := other.client.Raise(t.Context(), fmt.Sprint(i), string(answer), yes); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if n := other.requests.Load() - before; n > 9 {
				t.Errorf("%d requests", n)
			}
			if in, err := s.bare.Get(t.Context(), fmt.Sprint(i)); err != nil || !in.Status.IsTerminal() || time.Since(began) > 0 {
				t.Errorf("after %v it is %v, %v", time.Since(began), in.Status, err)
			}
		}
	})
}

// No worker owns a part of the hub: what comes by a doorbell is done by whoever
// looks next, and in the long run that is everybody.
func TestDoorbellsAreSpreadOverWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShift(t, 3, nil)
		defer s.end()
		const instances = 300
		random := rand.New(rand.NewPCG(1, 2))
		for i := range instances {
			time.Sleep(time.Duration(random.Int64N(int64(10 * time.Minute))))
			if _, err := s.bare.Start(t.Context(), "serial", fmt.Sprint(i), 1); err != nil {
				t.Fatal(err)
			}
			s.untilEnded(fmt.Sprint(i))
		}
		for i, h := range s.workers {
			n := h.worked.Load()
			t.Logf("worker %d took %d of %d instances", i, n, instances)
			if n < instances/20 {
				t.Errorf("worker %d took %d of %d instances", i, n, instances)
			}
		}
	})
}
