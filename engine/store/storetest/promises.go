package storetest

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// promises holds tests for the engine's ten promises, but for the last, which runs alone.
var promises = map[string]func(*bench){
	"1 history only grows":                                 promiseHistoryGrows,
	"2 a turn commits whole or not at all":                 promiseWhole,
	"2 two workers make every turn once":                   promiseTwoWorkers,
	"2 a worker recognises its own commit":                 promiseOwnCommit,
	"3 nothing accepted is lost in a crash":                promiseNothingLost,
	"3 nothing is lost whichever call goes wrong":          func(b *bench) { b.anyFault(humanFlow) },
	"3 nothing is lost when calls go wrong at random":      promiseRandomFaults,
	"4 effects follow the commit":                          promiseEffectsFollow,
	"4 a crash is repaired by the next ring":               promiseRepair,
	"5 a result is recorded once":                          promiseResultOnce,
	"5 an at-most-once activity never runs twice":          promiseAtMostOnce,
	"6 a timer never fires early":                          promiseTimers,
	"6 an overdue timer fires at once":                     promiseOverdue,
	"6 a canceled timer is dead":                           promiseDeadTimers,
	"7 an honest answer":                                   promiseHonest,
	"7 events are kept from creation to the end":           promiseKept,
	"8 status tells the truth":                             promiseTruth,
	"5 nor while its instance is suspended":                promiseAtMostOnceSuspended,
	"5 no result is lost with the replies of many commits": promiseManyResults,
	"5 a worker takes over what it is told to":             promiseTakeOverOne,
	"5 an activity starts anew with its execution":         promiseAnew,
	"5 large payloads go every way":                        promiseLargePayloads,
	"5 a result too large to be kept fails its call":       promiseTooLargeResult,
	"4 a worker that takes over from itself is watched":    promiseOwnBell,
	"6 timers of any time work":                            promiseAnyTime,
	"6 an instance begins when it is time":                 promiseBegin,
	"2 what is replaced while it runs is gone":             promiseReplaced,
	"7 events are taken in the order of acceptance":        promiseOrder,
	"7 falsy payloads go every way":                        promiseFalsy,
	"7 an answer is not from memory":                       promiseFresh,
	"7 what was recorded is not refused":                   promiseRecorded,
	"7 the unknown can be terminated":                      promiseUnknown,
	"9 deterministic replay":                               promiseReplay,
}

func promiseHistoryGrows(b *bench) {
	o := b.newOffice(b.Store)
	o.start("order", "a", 10)
	var before []history.Event
	for i := range 10 {
		b.must(o.raise("a", "Next", fmt.Sprint(i)))
		now, err := o.client.History(b.ctx, "a")
		b.must(err)
		if len(now) <= len(before) {
			b.Fatalf("%d events after %d", len(now), len(before))
		}
		if len(before) > 0 {
			b.equal("what was there before", now[:len(before)], before)
		}
		before = now
	}
	o.ended("a", history.Completed, "[0,1,2,3,4,5,6,7,8,9]")
}

func promiseWhole(b *bench) {
	b.create("a")
	b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
	second := b.turn(b.load("a"), "t2", func(in *store.Instance) { in.Wake = b.clock() })
	first := b.turn(b.load("a"), "t1", nil)
	first.Consumed = first.Consumed[:1]
	b.commit(first)
	b.receive()
	before := b.load("a")
	b.refused(second)
	b.equal("state after a refused turn", b.load("a"), before)
	if len(before.Inbox) != 1 {
		b.Errorf("inbox %v", before.Inbox)
	}
}

func promiseTwoWorkers(b *bench) {
	const events = 60
	one, two := b.newOffice(b.Store), b.newOffice(b.Store)
	one.start("order", "a", events)
	var wait sync.WaitGroup
	for w, o := range []*office{one, two} {
		wait.Go(func() {
			for i := range events / 2 {
				if err := o.raise("a", "Next", fmt.Sprint(w*events/2+i)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wait.Wait()
	one.settle()
	two.settle()
	one.ended("a", history.Completed, "")
	in, err := one.client.Get(b.ctx, "a")
	b.must(err)
	var got []int
	b.must(json.Unmarshal(in.Output, &got))
	slices.Sort(got)
	for i, v := range got {
		if i != v {
			b.Fatalf("the events taken are %v", got)
		}
	}
}

func promiseOwnCommit(b *bench) {
	var commits atomic.Int32
	faulty := &Faulty{Store: b.Store, Choose: func(method string, _ int) Fault {
		if method == "Commit" && commits.Add(1)%2 == 1 {
			return Lose
		}
		return None
	}}
	o := b.newOffice(faulty)
	o.start("order", "a", 3)
	for i := range 3 {
		b.must(o.raise("a", "Next", fmt.Sprint(i)))
	}
	o.ended("a", history.Completed, "[0,1,2]")
	if n := commits.Load(); n != 4 {
		b.Errorf("%d commits for 4 turns", n)
	}
}

func promiseNothingLost(b *bench) {
	b.must(b.Store.Create(b.ctx, "a", history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Message: "m0", Name: "order", Execution: "e", Input: json.RawMessage("2"), Time: b.clock()}))
	b.crash()
	b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "Next", "1")))
	b.crash()
	o := b.newOffice(b.Store)
	o.work()
	b.must(o.raise("a", "Next", "2"))
	b.crash()
	o = b.newOffice(b.Store)
	o.ended("a", history.Completed, "[1,2]")
	b.silent()
}

func promiseEffectsFollow(b *bench) {
	var refuse atomic.Bool
	faulty := &Faulty{Store: b.Store, Choose: func(method string, _ int) Fault {
		if refuse.Load() && method != "Receive" {
			return Fail
		}
		return None
	}}
	o := b.newOffice(faulty)
	o.during = func(call engine.Call) {
		events, err := b.Store.History(b.ctx, call.Instance)
		if err != nil || !slices.ContainsFunc(events, func(e history.Event) bool { return e.Kind == history.TaskScheduled && e.ID == call.Task }) {
			b.Errorf("the activity runs before its turn is durable: %v %v", events, err)
		}
	}
	refuse.Store(true)
	if _, err := o.client.Start(b.ctx, "human", "a", "Ann"); err == nil {
		b.Error("a start that was not written succeeded")
	}
	b.must(o.worker.Settle(b.ctx))
	if o.most() != 0 {
		b.Error("an activity ran for a turn that was not written")
	}
	refuse.Store(false)
	o.start("human", "a", "Ann")
	b.must(o.worker.Settle(b.ctx))
	b.equal("runs", o.most(), 1)
}

func promiseRepair(b *bench) {
	o := b.newOffice(b.Store)
	o.during = func(engine.Call) { select {} } // the process dies in the activity
	o.start("human", "a", "Ann")
	b.crash()
	b.advance(b.Store.Lease())
	o = b.newOffice(b.Store)
	o.work()
	b.equal("runs after the crash", o.most(), 1)
	b.must(o.raise("a", "Reply", `"yes"`))
	o.ended("a", history.Completed, `"yes"`)
}

func promiseResultOnce(b *bench) {
	// The first worker is slow; its work is taken over while it goes on.
	release, entered := make(chan struct{}), make(chan struct{})
	slow, fast := b.newOffice(b.Store), b.newOffice(b.Store)
	slow.during = func(engine.Call) { close(entered); <-release }
	slow.start("human", "a", "Ann")
	<-entered
	b.advance(b.Store.Lease())
	fast.work()
	b.equal("runs elsewhere", fast.most(), 1)
	close(release)
	slow.settle()
	b.must(fast.raise("a", "Reply", `"yes"`))
	fast.ended("a", history.Completed, `"yes"`)
}

func promiseAtMostOnce(b *bench) {
	o := b.newOffice(b.Store)
	ran := make(chan struct{})
	o.during = func(engine.Call) { close(ran); select {} }
	o.start("once", "a", "card")
	<-ran
	b.crash()
	b.advance(b.Store.Lease())
	o = b.newOffice(b.Store)
	o.work()
	b.equal("runs after the crash", o.most(), 0)
	o.ended("a", history.Completed, `"interrupted"`)
	o.start("once", "b", "card")
	o.settle()
	o.ended("b", history.Completed, `"card done"`)
}

func promiseTimers(b *bench) {
	for _, length := range []time.Duration{time.Millisecond, time.Minute, time.Hour, 400 * 24 * time.Hour} {
		o := b.newOffice(b.Store)
		id := length.String()
		o.start("nap", id, length.String())
		for _, part := range []time.Duration{length / 2, length - length/2 - 1} {
			b.advance(part)
			o.work()
			in, err := o.client.Get(b.ctx, id)
			b.must(err)
			if in.Status != history.Running {
				b.Fatalf("%v: %v before its time", length, in.Status)
			}
			b.crash()
			o = b.newOffice(b.Store)
		}
		b.advance(1 + b.Precision)
		o.work()
		o.ended(id, history.Completed, `"rested"`)
	}
}

func promiseOverdue(b *bench) {
	b.newOffice(b.Store).start("nap", "a", "1h")
	b.crash()
	b.advance(1000 * time.Hour)
	o := b.newOffice(b.Store)
	o.work()
	o.ended("a", history.Completed, `"rested"`)
}

func promiseDeadTimers(b *bench) {
	o := b.newOffice(b.Store)
	o.start("human", "answered", "Ann")
	o.start("nap", "terminated", "1h")
	o.settle()
	b.must(o.raise("answered", "Reply", `"yes"`))
	b.must(o.client.Terminate(b.ctx, "terminated", "enough"))
	b.advance(2 * time.Hour)
	b.silent()
	b.crash()
	b.silent()
	o = b.newOffice(b.Store)
	o.ended("answered", history.Completed, `"yes"`)
	o.ended("terminated", history.Terminated, `"enough"`)
}

func promiseHonest(b *bench) {
	o := b.newOffice(b.Store)
	b.want(o.raise("nobody", "Reply", `1`), client.ErrNotFound)
	b.want(o.client.Terminate(b.ctx, "nobody", ""), client.ErrNotFound)
	o.start("order", "a", 1)
	_, err := o.client.Start(b.ctx, "order", "a", 1)
	b.want(err, client.ErrExists)
	b.want(o.raise("a", "Next", `{`), client.ErrBadPayload)
	b.must(o.raise("a", "Next", `7`))
	b.want(o.raise("a", "Next", `8`), client.ErrFinished)
	b.want(o.client.Terminate(b.ctx, "a", ""), client.ErrFinished)
	b.want(o.client.Suspend(b.ctx, "a", ""), client.ErrFinished)
	o.ended("a", history.Completed, "[7]")
	b.must(o.client.Purge(b.ctx, "a"))
	b.want(o.raise("a", "Next", `9`), client.ErrNotFound)
}

func promiseKept(b *bench) {
	// Before the first turn, by a client that has no worker.
	bare := client.New(b.Store, client.Options{Now: b.clock})
	_, err := bare.Start(b.ctx, "human", "a", "Ann")
	b.must(err)
	b.must(bare.Raise(b.ctx, "a", "reply", client.Payload{Body: []byte(`"nearly"`)}))
	b.must(bare.Raise(b.ctx, "a", "Reply", client.Payload{Body: []byte(`"first"`)}))
	b.must(bare.Raise(b.ctx, "a", "Reply", client.Payload{Body: []byte(`"second"`)}))
	o := b.newOffice(b.Store)
	o.settle()
	o.ended("a", history.Completed, `"first"`)
	events, err := o.client.History(b.ctx, "a")
	b.must(err)
	names := ""
	for _, e := range events {
		if e.Kind == history.EventRaised {
			names += e.Name + " "
		}
	}
	b.equal("events recorded", names, "reply Reply Reply ")
}

func promiseTruth(b *bench) {
	o := b.newOffice(b.Store)
	check := func(want history.Status) {
		b.Helper()
		in, err := o.client.Get(b.ctx, "a")
		b.must(err)
		b.equal("status", in.Status, want)
		in.Messages = 0 // a list does not tell it
		page, err := o.client.List(b.ctx, store.Query{})
		b.must(err)
		listed := []store.Instance{in}
		if b.Projected {
			listed = steady(listed)
			page.Instances = steady(page.Instances)
		}
		b.equal("list", page.Instances, listed)
	}
	_, err := client.New(b.Store, client.Options{Now: b.clock}).Start(b.ctx, "order", "a", 1)
	b.must(err)
	check(history.Pending)
	o.work()
	check(history.Running)
	b.must(o.client.Suspend(b.ctx, "a", "lunch"))
	check(history.Suspended)
	b.want(o.client.Suspend(b.ctx, "a", ""), client.ErrSuspended)
	b.must(o.raise("a", "Next", "5"))
	check(history.Suspended)
	b.must(o.client.Resume(b.ctx, "a", ""))
	check(history.Completed)
	id, err := o.client.Restart(b.ctx, "a", false)
	b.must(err)
	b.equal("restarted id", id, "a")
	check(history.Running)
	b.want(o.client.Resume(b.ctx, "a", ""), client.ErrNotSuspended)
	b.must(o.client.Terminate(b.ctx, "a", "enough"))
	check(history.Terminated)
	b.crash()
	o = b.newOffice(b.Store)
	check(history.Terminated)
}

// steady returns instances without what changes while their status does not.
func steady(list []store.Instance) []store.Instance {
	for i := range list {
		in := &list[i]
		in.CustomStatus, in.Updated, in.Wake, in.Hands, in.Events, in.Turn, in.Version = nil, time.Time{}, time.Time{}, nil, 0, "", ""
		in.External = history.External{}
	}
	return list
}

func promiseReplay(b *bench) {
	b.newOffice(b.Store).start("nap", "a", "1h")
	registry := engine.NewRegistry()
	engine.AddOrchestrator(registry, nap, func(ctx *engine.Context, d string) (string, error) {
		return engine.CallActivity(ctx, notify, d).Await()
	})
	w := dispatch.New(b.Store, registry, dispatch.Options{Now: b.clock})
	b.advance(time.Hour)
	_, err := w.Step(b.ctx)
	b.must(err)
	in, err := b.Store.Get(b.ctx, "a")
	b.must(err)
	if in.Status != history.Failed || in.Failure.Kind != engine.KindNonDeterministic ||
		!strings.Contains(in.Failure.Message, "TimerCreated") || !strings.Contains(in.Failure.Message, `TaskScheduled "notify"`) {
		b.Errorf("%v %v", in.Status, in.Failure)
	}
}

func promiseWaiting(b *bench) {
	o := b.newOffice(b.Store)
	o.worker = dispatch.New(b.Store, o.registry, dispatch.Options{Now: b.clock, Cached: -1})
	o.client = client.New(o.worker.Instances(), client.Options{Now: b.clock})
	before := runtime.NumGoroutine()
	faulty := &Faulty{Store: b.Store}
	for i := range 500 {
		o.start("order", fmt.Sprint(i), 1)
	}
	b.must(o.worker.Settle(b.ctx))
	if now := runtime.NumGoroutine(); now > before+50 { // the store may have begun some of its own
		b.Errorf("%d goroutines more for 500 waiting instances", now-before)
	}
	b.Store = faulty
	b.silent()
	b.equal("calls made for them", faulty.Calls(), 1)
}
