package tablestore

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

var (
	mixtures    = flag.Int("mixtures", 6, "how many mixtures of faults are tried")
	mixtureSeed = flag.Uint64("mixture", 1, "the seed of the first of them")
)

// deadReader receives what rings and dies, as a Functions host does that is
// killed: for ten minutes nobody else sees the messages.
func (d *desk) deadReader(most int32) int {
	d.Helper()
	hidden := int32(600)
	answer, err := d.store.queue.DequeueMessages(d.Context(), &azqueue.DequeueMessagesOptions{NumberOfMessages: &most, VisibilityTimeout: &hidden})
	d.must(err)
	return len(answer.Messages)
}

// A dead reader delays what it took, and loses nothing.
func TestWhatADeadReaderTookRingsInTenMinutes(t *testing.T) {
	for what, until := range map[string]func(d *desk){
		"start": func(d *desk) {
			d.must(starting("patient", "1s")(d.Context(), d))
		},
		"answer": func(d *desk) {
			d.must(starting("patient", "1000h")(d.Context(), d))
			d.work()
			d.must(raising(d.Context(), d))
		},
		"timer": func(d *desk) {
			d.must(starting("patient", "1h")(d.Context(), d))
			d.work()
			d.advance(55 * time.Minute)
			d.work()
			d.advance(5 * time.Minute)
		},
	} {
		t.Run(what, func(t *testing.T) {
			onBoth(t, func(t *testing.T, d *desk) {
				bareClient(d)
				until(d)
				if n := d.deadReader(maxReceived); n != 1 {
					t.Fatalf("%d doorbells ring", n)
				}
				d.advance(10*time.Minute - time.Second)
				d.work()
				if d.hasEnded("a") {
					t.Error("something rang that was hidden")
				}
				d.advance(time.Second)
				d.work()
				d.whole(plot{output: fmt.Sprint(what == "answer")})
			})
		})
	}
}

// Another doorbell does not wait for the one that a dead reader has.
func TestADeadReaderDelaysNothingElse(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		bareClient(d)
		d.must(starting("patient", "1000h")(t.Context(), d))
		if n := d.deadReader(maxReceived); n != 1 {
			t.Fatalf("%d doorbells ring", n)
		}
		d.must(raising(t.Context(), d))
		d.work()
		d.whole(plot{output: "true"})
	})
}

// crew is a number of workers whose requests go wrong at random, and who go away
// at random with whatever they have in hand.
type crew struct {
	*desk
	random  *rand.Rand
	faults  []*azuritetest.Faults
	workers []*colleague
	gone    []bool         // whose process went away in the middle of something
	charged map[string]int // how often each call of an at-most-once activity ran
	wrong   int            // requests that went wrong with workers that are gone
	deaths  int
}

const charge engine.Activity[string, string] = "charge"

// once calls an activity that must not run twice.
const once engine.Orchestrator[string, string] = "once"

func (c *crew) registry() *engine.Registry {
	r := newRegistry(func() {})
	engine.AddActivity(r, charge, func(ctx context.Context, what string) (string, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.charged[engine.CallOf(ctx).Key()]++
		return what, nil
	}, engine.AtMostOnce())
	engine.AddOrchestrator(r, once, func(ctx *engine.Context, what string) (string, error) {
		result, err := engine.CallActivity(ctx, charge, what).Await()
		if errors.Is(err, engine.ErrInterrupted) {
			return "interrupted", nil
		}
		return result, err
	})
	return r
}

// replace puts another worker in the place of the one that was there, on a
// machine whose clock is off by minutes.
func (c *crew) replace(i int, seed uint64) {
	c.Helper()
	if old := c.faults[i]; old != nil {
		c.deaths++
		c.wrong += len(old.Log())
	}
	f := &azuritetest.Faults{}
	w := c.hire(time.Duration(c.random.IntN(13)-6)*time.Minute, func(o *Options) {
		o.Client.PerRetryPolicies = slices.Concat(o.Client.PerRetryPolicies, []policy.Policy{f})
		o.Client.Retry = policy.RetryOptions{MaxRetries: int32(c.random.IntN(3)) - 1, RetryDelay: time.Microsecond, MaxRetryDelay: time.Second}
	})
	w.worker = dispatch.New(w.store, c.registry(), dispatch.Options{Cached: -1}) // synctest wants every coroutine to end
	w.client = client.New(w.worker.Instances(), client.Options{})
	last, choose := f.Requests()+200+c.random.IntN(400), azuritetest.Random(seed, faultsInHundred)
	f.Choose = func(n int, r *http.Request) azuritetest.Fault {
		if n >= last { // the process goes away
			w.store.Close()
			c.gone[i] = true
			return azuritetest.Unsent
		}
		return choose(n, r)
	}
	c.faults[i], c.workers[i], c.gone[i] = f, w, false
}

// The size of a mixture.
const (
	mixedWorkers    = 3
	mixedInstances  = 60
	faultsInHundred = 8
)

// kinds of instances in a mixture, what they get and how they may end.
var mixed = []struct {
	name    string
	input   any
	outputs []string
	raised  bool
}{
	{"verify", 0, []string{"true", "false"}, true},
	{"fanOut", 5, []string{"15"}, false},
	{"once", "x", []string{`"x"`, `"interrupted"`}, false},
	{"patient", "90m", []string{"true", "false"}, true},
	{"serial", 3, []string{"3"}, false},
	{"patient", "20m", []string{"false"}, false},
}

// Several workers, whose requests go wrong, whose clocks are wrong, who go away
// in the middle of their work, and a queue that others read too.
func TestAMixtureOfFaultsBreaksNoPromise(t *testing.T) {
	for i := range *mixtures {
		seed := *mixtureSeed + uint64(i)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &crew{
					desk: newDeskOn(t, inMemoryOptions, nil), random: rand.New(rand.NewPCG(seed, 0)), charged: map[string]int{},
					workers: make([]*colleague, mixedWorkers), faults: make([]*azuritetest.Faults, mixedWorkers), gone: make([]bool, mixedWorkers),
				}
				for i := range c.workers {
					c.replace(i, c.random.Uint64())
				}
				c.begin()
				for round := 0; !c.allEnded(); round++ {
					if round > 2000 {
						for _, id := range c.unfinished() {
							r, err := c.desk.store.record(t.Context(), id)
							t.Errorf("%s does not come to an end (%v): %+v", id, err, r)
						}
						t.Fatalf("%d doorbells and %d due rows are left", c.messages(), len(c.rows(c.desk.store.due)))
					}
					c.goOn()
				}
				c.check()
			})
		})
	}
}

func mixedID(i int) string { return fmt.Sprintf("%s-%02d", mixed[i%len(mixed)].name, i) }

// persist makes a call through any worker until it succeeds or was done before.
func (c *crew) persist(f func(*client.Client) error) {
	c.Helper()
	for range 200 {
		i := c.random.IntN(len(c.workers))
		if c.gone[i] {
			c.replace(i, c.random.Uint64())
		}
		err := f(c.workers[i].client)
		if err == nil || errors.Is(err, client.ErrExists) || errors.Is(err, client.ErrFinished) {
			return
		}
	}
	c.Fatal("it never succeeds")
}

func (c *crew) begin() {
	c.Helper()
	for i := range mixedInstances {
		c.persist(func(to *client.Client) error {
			_, err := to.Start(c.Context(), mixed[i%len(mixed)].name, mixedID(i), mixed[i%len(mixed)].input)
			return err
		})
	}
}

// goOn lets each worker do a few things, and something happen meanwhile.
func (c *crew) goOn() {
	c.Helper()
	for i := range c.workers {
		if c.gone[i] {
			c.replace(i, c.random.Uint64())
		}
		for range 4 {
			_, _ = c.workers[i].worker.Step(c.Context())
		}
	}
	if i := c.random.IntN(mixedInstances); mixed[i%len(mixed)].raised && c.random.IntN(3) == 0 {
		c.persist(func(to *client.Client) error { return to.Raise(c.Context(), mixedID(i), string(answer), yes) })
	}
	if c.random.IntN(20) == 0 {
		c.deadReader(5)
	}
	c.advance(time.Duration(c.random.IntN(60)) * time.Second)
}

func (c *crew) allEnded() bool { return len(c.unfinished()) == 0 }

// unfinished returns the ids of the instances that have not ended.
func (c *crew) unfinished() (ids []string) {
	c.Helper()
	for i := range mixedInstances {
		in, err := c.desk.store.Get(c.Context(), mixedID(i))
		if errors.Is(err, store.ErrNotFound) {
			c.Fatalf("%s, which was accepted, is not there", mixedID(i))
		}
		c.must(err)
		if !in.Status.IsTerminal() {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

// check lets all ring that is left, without faults, and reads the tables.
func (c *crew) check() {
	c.Helper()
	c.openWorker(c.o)
	for range 5 {
		c.advance(c.o.withDefaults().Horizon / 2)
		c.desk.work()
	}
	for i := range mixedInstances {
		in, err := c.desk.store.Get(c.Context(), mixedID(i))
		c.must(err)
		if in.Status != history.Completed || !slices.Contains(mixed[i%len(mixed)].outputs, string(in.Output)) {
			c.Errorf("%s is %v with %s (%v)", mixedID(i), in.Status, in.Output, in.Failure)
		}
	}
	for call, n := range c.charged {
		if n > 1 {
			c.Errorf("%s ran %d times", call, n)
		}
	}
	c.proved(mixedInstances)
	c.Logf("%d workers went away, and %d of their requests went wrong", c.deaths, c.wrong)
	if c.deaths < mixedWorkers || c.wrong < mixedInstances {
		c.Error("that is too little")
	}
}
