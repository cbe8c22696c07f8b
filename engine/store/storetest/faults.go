package storetest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// faulted holds a test for each thing that package store says of instances that are
// parked, or may come to be.
var faulted = map[string]func(*bench){
	"a parked instance keeps what comes and does not ring":   faultKeeps,
	"a parked instance that is mended rings for its work":    faultMended,
	"a parked instance is purged":                            faultPurged,
	"what was begun in vain is in the row":                   faultTries,
	"mending has no effect on what is not parked":            faultNone,
	"a doorbell tells how often it was received in vain":     faultDeaths,
	"a doorbell for work in hand tells whether it was given": faultGiven,
}

// parkedAt returns a turn that parks an instance.
func (b *bench) parkedAt(id, token string) store.Turn {
	in := b.load(id).Instance
	in.Fault = &store.Fault{Reason: "it's <broken>", Since: b.clock(), Was: in.Status}
	in.Status, in.Wake, in.Turn = history.Suspended, time.Time{}, token
	return store.Turn{Base: in.Version, Instance: in}
}

func faultKeeps(b *bench) {
	b.create("a")
	waiting := b.turn(b.load("a"), "t1", func(in *store.Instance) { in.Wake = b.clock().Add(time.Hour) })
	waiting.Answered = []store.Doorbell{b.ring("a")}
	b.commit(waiting)
	parked := b.parkedAt("a", "t2")
	b.commit(parked)
	check := func() {
		b.Helper()
		in, err := b.Store.Get(b.ctx, "a")
		b.must(err)
		b.equal("fault", in.Fault, parked.Instance.Fault)
		b.equal("status", in.Status, history.Suspended)
		listed := b.list(store.Query{Bare: true, Statuses: []history.Status{history.Suspended}})
		if len(listed) != 1 || listed[0].Fault == nil || *listed[0].Fault != *in.Fault {
			b.Errorf("listed: %+v", listed)
		}
	}
	check()
	raised := b.message(history.EventRaised, "x", "1")
	b.must(b.Store.Send(b.ctx, "a", raised))
	for range 3 { // one may ring, and is released
		for _, bell := range b.receive() {
			b.must(b.Store.Release(b.ctx, bell))
		}
		b.crash()
		b.advance(2 * time.Hour)
	}
	for _, bell := range b.receive() {
		b.must(b.Store.Release(b.ctx, bell))
	}
	b.silent()
	check()
	state := b.load("a")
	b.equal("inbox", state.Inbox, []history.Event{raised})
	b.equal("events", len(state.History), 2)
	b.must(b.Store.Mend(b.ctx, "a"))
	b.ring("a")
	state = b.load("a")
	if in := state.Instance; in.Fault != nil || in.Status != history.Running || in.Version == parked.Instance.Version {
		b.Errorf("mended: %+v", in)
	}
	b.equal("inbox", state.Inbox, []history.Event{raised})
	next := b.turn(state, "t3", nil)
	b.commit(next)
	b.equal("listed", b.list(store.Query{})[0].Status, history.Running)
}

func faultMended(b *bench) {
	b.create("a")
	turn := b.turn(b.load("a"), "t1", func(in *store.Instance) {
		in.Hands = []store.Hand{{Receipt: "t1", Tasks: []int32{2, 3}}}
	})
	turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
	b.commit(turn)
	b.commit(b.parkedAt("a", "t2"))
	b.advance(2 * b.Store.Lease())
	for _, bell := range b.receive() {
		b.must(b.Store.Release(b.ctx, bell))
	}
	b.silent()
	b.must(b.Store.Mend(b.ctx, "a"))
	b.advance(b.Precision)
	var takeOver []store.Doorbell
	for _, bell := range b.receive() {
		if bell.TakeOver {
			takeOver = append(takeOver, bell)
		}
	}
	b.equal("doorbells for the hands", takeOver, []store.Doorbell{held(turn)})
}

func faultPurged(b *bench) {
	b.create("a")
	turn := b.turn(b.load("a"), "t1", func(in *store.Instance) { in.Hands = []store.Hand{{Receipt: "t1", Tasks: []int32{2}}} })
	turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
	b.commit(turn)
	b.want(b.Store.Purge(b.ctx, "a"), store.ErrActive)
	b.commit(b.parkedAt("a", "t2"))
	b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
	b.must(b.Store.Purge(b.ctx, "a"))
	_, err := b.Store.Get(b.ctx, "a")
	b.want(err, store.ErrNotFound)
	b.want(b.Store.Mend(b.ctx, "a"), store.ErrNotFound)
	b.equal("listed", len(b.list(store.Query{})), 0)
}

func faultTries(b *bench) {
	b.create("a")
	tries := []store.TaskTries{{Times: 1, Tasks: []int32{0, 1, 7}}, {Times: 3, Tasks: []int32{4}}}
	b.commit(b.turn(b.load("a"), "t1", func(in *store.Instance) { in.TurnTries, in.TaskTries = 2, tries }))
	b.crash()
	in := b.load("a").Instance
	b.equal("tries", []any{in.TurnTries, in.TaskTries}, []any{2, tries})
	b.commit(b.parkedAt("a", "t2"))
	b.must(b.Store.Mend(b.ctx, "a"))
	in = b.load("a").Instance
	b.equal("tries when mended", []any{in.TurnTries, len(in.TaskTries)}, []any{0, 0})
}

func faultNone(b *bench) {
	b.want(b.Store.Mend(b.ctx, "a"), store.ErrNotFound)
	b.create("a")
	before := b.load("a")
	b.must(b.Store.Mend(b.ctx, "a"))
	b.equal("state", b.load("a"), before)
}

// deaths returns those of the one doorbell that rings now.
func (b *bench) deaths() (int, store.Doorbell) {
	b.Helper()
	bells := b.receive()
	if len(bells) != 1 {
		b.Fatalf("%v ring", bells)
	}
	return bells[0].Deaths, bells[0]
}

func faultDeaths(b *bench) {
	b.create("a")
	lease := b.Store.Lease() + b.Precision
	for want := range 3 {
		got, _ := b.deaths()
		b.equal("deaths", got, want)
		b.advance(lease)
	}
	_, bell := b.deaths()
	b.must(b.Store.Pass(b.ctx, bell, time.Second))
	b.advance(time.Second + b.Precision)
	got, _ := b.deaths()
	b.equal("deaths after it was passed on", got, 0)
	b.advance(lease)
	got, _ = b.deaths()
	b.equal("deaths after that", got, 1)
	b.crash()
	b.advance(lease)
	if got, _ = b.deaths(); got < 1 {
		b.Errorf("%d deaths after a crash", got)
	}
}

func faultGiven(b *bench) {
	b.create("a")
	turn := b.turn(b.load("a"), "t1", func(in *store.Instance) { in.Hands = []store.Hand{{Receipt: "t1", Tasks: []int32{2}}} })
	turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
	b.commit(turn)
	lease := b.Store.Lease() + b.Precision
	b.advance(lease)
	got, bell := b.deaths()
	b.equal("deaths of one that held it", got, 1)
	b.must(b.Store.Extend(b.ctx, bell))
	b.advance(lease)
	got, bell = b.deaths()
	b.equal("deaths after a sign of life", got, 1)
	b.must(b.Store.Pass(b.ctx, bell, 0))
	b.advance(b.Precision)
	got, _ = b.deaths()
	b.equal("deaths after it was given", got, 0)
}

// poisons holds tests of what is parked rather than tried for ever.
var poisons = map[string]func(*bench){
	"2 a turn that kills its worker is parked":              faultTurn,
	"4 an activity that kills its worker is parked":         faultActivity,
	"2 a turn that panics is parked":                        faultPanic,
	"2 what cannot be understood is parked and terminated":  faultCorrupt,
	"4 what was given back by its worker is not suspicious": faultStops,
}

const deadly engine.Orchestrator[string, string] = "deadly"

func (o *office) addFaults() {
	engine.AddOrchestrator(o.registry, deadly, func(*engine.Context, string) (string, error) {
		o.b.harm() //determinism:allow because a turn that kills its worker is what the case is about
		return "alive", nil
	})
}

// harm never returns, as if the process had died, if that is asked for.
func (b *bench) harm() {
	if b.harmed != nil && !b.mended.Load() {
		b.harmed <- struct{}{}
		select {}
	}
}

// live lets a new worker work until it dies of what harms it, or has no more to do.
// It reports whether it died.
func (b *bench) live() bool {
	b.Helper()
	b.crash()
	b.advance(b.Store.Lease() + b.Precision)
	o := b.newOffice(b.Store)
	o.during = func(call engine.Call) {
		if call.Instance == "a" {
			b.harm()
		}
	}
	rested := make(chan error, 1)
	go func() {
		for worked, err := true, error(nil); worked; {
			if worked, err = o.worker.Step(b.ctx); err != nil {
				rested <- err
				return
			}
		}
		rested <- nil
	}()
	select {
	case <-b.harmed:
		return true
	case err := <-rested:
		b.must(err)
		return false
	}
}

// dies lets workers die until none does any more, and returns how many did, and the
// instance a as it is then.
func (b *bench) dies() (deaths int, in store.Instance) {
	b.Helper()
	for b.live() {
		if deaths++; deaths > 20 {
			b.Fatal("workers die without end")
		}
	}
	in, err := b.Store.Get(b.ctx, "a")
	b.must(err)
	return deaths, in
}

func (b *bench) isParked(in store.Instance, reason string) {
	b.Helper()
	if in.Fault == nil || !strings.Contains(in.Fault.Reason, reason) || in.Status != history.Suspended {
		b.Fatalf("%v %+v", in.Status, in.Fault)
	}
}

func faultTurn(b *bench) {
	b.harmed = make(chan struct{})
	bare := client.New(b.Store, client.Options{Now: b.clock})
	for _, start := range []struct{ name, id string }{{"deadly", "a"}, {"once", "b"}, {"once", "c"}} {
		_, err := bare.Start(b.ctx, start.name, start.id, "x")
		b.must(err)
	}
	deaths, in := b.dies()
	b.isParked(in, "a turn was begun 5 times")
	if deaths < 6 || deaths > 7 { // the first make it suspicious, and five are noted
		b.Errorf("%d deaths", deaths)
	}
	o := b.newOffice(b.Store)
	o.ended("b", history.Completed, "")
	o.ended("c", history.Completed, "")
	b.silent()
	b.mended.Store(true)
	b.must(o.client.Resume(b.ctx, "a", ""))
	o.settle()
	o.ended("a", history.Completed, `"alive"`)
	b.silent()
}

func faultActivity(b *bench) {
	b.harmed = make(chan struct{})
	bare := client.New(b.Store, client.Options{Now: b.clock})
	for _, id := range []string{"a", "b"} {
		_, err := bare.Start(b.ctx, "human", id, "x")
		b.must(err)
	}
	deaths, in := b.dies()
	b.isParked(in, `activity "notify" (call 0) was begun 5 times`)
	b.equal("deaths", deaths, 5)
	o := b.newOffice(b.Store)
	b.must(o.raise("b", "Reply", `"yes"`))
	o.ended("b", history.Completed, `"yes"`)
	b.must(o.raise("a", "Reply", `"kept"`))
	b.want(o.client.Suspend(b.ctx, "a", ""), client.ErrSuspended)
	b.mended.Store(true)
	b.must(o.client.Resume(b.ctx, "a", ""))
	b.advance(b.Precision)
	o.settle()
	o.ended("a", history.Completed, `"kept"`)
}

// broken is a store in which something is wrong with one instance.
type broken struct {
	store.Store
	id   string
	harm *atomic.Bool
	// corrupt says that its history cannot be read; else its turns panic.
	corrupt bool
}

// Commit calls the store's.
func (s *broken) Commit(ctx context.Context, turn store.Turn) (store.Version, error) {
	if !s.corrupt && s.harm.Load() && turn.Instance.ID == s.id && turn.Instance.Fault == nil {
		panic("something is nil")
	}
	return s.Store.Commit(ctx, turn)
}

// Load calls the store's.
func (s *broken) Load(ctx context.Context, id string, known store.Version) (store.State, error) {
	state, err := s.Store.Load(ctx, id, known)
	if s.corrupt && s.harm.Load() && id == s.id && err == nil {
		state.History = nil
		return state, store.ErrCorrupt
	}
	return state, err
}

func faultPanic(b *bench) {
	s := &broken{Store: b.Store, id: "a", harm: &atomic.Bool{}}
	o := b.newOffice(s)
	o.start("order", "a", 2)
	o.start("order", "b", 1)
	s.harm.Store(true)
	b.must(o.raise("a", "Next", "1")) // it is accepted, and waits
	o.settle()
	in, err := b.Store.Get(b.ctx, "a")
	b.must(err)
	b.isParked(in, "something is nil")
	b.must(o.raise("b", "Next", "1"))
	o.ended("b", history.Completed, "[1]")
	b.must(o.raise("a", "Next", "2"))
	o.settle()
	b.silent()
	s.harm.Store(false)
	b.must(o.client.Resume(b.ctx, "a", ""))
	o.settle()
	o.ended("a", history.Completed, "[1,2]")
}

func faultCorrupt(b *bench) {
	s := &broken{Store: b.Store, id: "child", harm: &atomic.Bool{}, corrupt: true}
	o := b.newOffice(s)
	o.start("calling", "a", summons{"human", "child", "Ann"})
	o.settle()
	s.harm.Store(true)
	b.crash()
	s.Store = b.Store
	o = b.newOffice(s)
	b.must(o.raise("child", "Reply", `"yes"`))
	o.settle()
	in, err := b.Store.Get(b.ctx, "child")
	b.must(err)
	b.isParked(in, store.ErrCorrupt.Error())
	b.must(o.client.Terminate(b.ctx, "child", "enough"))
	o.settle()
	in, err = b.Store.Get(b.ctx, "child")
	b.must(err)
	if in.Status != history.Terminated || in.Fault != nil || string(in.Output) != `"enough"` {
		b.Errorf("%v %s %+v", in.Status, in.Output, in.Fault)
	}
	parent, err := o.client.Get(b.ctx, "a")
	b.must(err)
	if parent.Status != history.Failed || !strings.Contains(parent.Failure.Message, "enough") {
		b.Errorf("the parent is %v %v", parent.Status, parent.Failure)
	}
	b.must(o.client.Purge(b.ctx, "child"))
}

// faultStops stops workers again and again while an activity runs.
func faultStops(b *bench) {
	entered := make(chan struct{})
	o := b.newOffice(b.Store)
	for range 8 {
		ctx, stop := context.WithCancel(b.ctx)
		o.worker = dispatch.New(b.Store, o.registry, dispatch.Options{Now: b.clock, Grace: -1})
		o.client = client.New(o.worker.Instances(), client.Options{Now: b.clock})
		o.during = func(engine.Call) { entered <- struct{}{}; select {} }
		stopped := make(chan error, 1)
		go func() { stopped <- o.worker.Run(ctx) }()
		if _, err := o.client.Start(b.ctx, "human", "a", "x"); err != nil && !errors.Is(err, client.ErrExists) {
			b.Fatal(err)
		}
		<-entered
		stop()
		b.must(<-stopped)
		b.advance(b.Precision)
		o = b.newOffice(b.Store)
	}
	o.settle()
	b.must(o.raise("a", "Reply", `"yes"`))
	o.ended("a", history.Completed, `"yes"`)
}
