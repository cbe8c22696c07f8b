package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// flow is something to be done while calls go wrong.
type flow struct {
	begin []beginning
	ended func(o *office) // checks what came of it
	// answer is what a person does when all have begun; nil if nobody does.
	answer func(o *office) error
}

type beginning struct {
	name, id string
	input    any
}

var (
	humanFlow = flow{
		[]beginning{{"human", "a", "Ann"}},
		func(o *office) { o.ended("a", history.Completed, `"yes"`) },
		func(o *office) error { return o.raise("a", "Reply", `"yes"`) },
	}
	familyFlow = flow{
		begin: []beginning{{"family", "parent", []string{"one", "two"}}},
		ended: func(o *office) { o.familyEnded("one", "two") },
	}
	loopingChildFlow = flow{
		begin: []beginning{{"calling", "parent", summons{"paying", "child", "book"}}},
		ended: func(o *office) {
			o.ended("child", history.Completed, `"paid"`)
			o.ended("parent", history.Completed, `"paid"`)
		},
	}
	eventsFlow = flow{
		begin: []beginning{{"order", "receiver", 3}, {"sending", "sender", mailing{"receiver", 0, 3}}},
		ended: func(o *office) {
			o.ended("sender", history.Completed, `"sent"`)
			o.ended("receiver", history.Completed, "[1,2,3]")
		},
	}
	loopFlow = flow{
		begin: []beginning{{"tally", "receiver", count{Want: 4}}, {"sending", "sender", mailing{"receiver", 0, 4}}},
		ended: func(o *office) { o.ended("receiver", history.Completed, "[1,2,3,4]") },
	}
	relayFlow = flow{
		begin: []beginning{{"tally", "receiver", count{Want: 3}}, {"relay", "sender", mailing{"receiver", 0, 3}}},
		ended: func(o *office) {
			o.ended("sender", history.Completed, `"sent"`)
			o.ended("receiver", history.Completed, "[1,2,3]")
		},
	}
)

// familyEnded checks a family and its children.
func (o *office) familyEnded(names ...string) {
	o.b.Helper()
	o.ended("parent", history.Completed, "")
	in, err := o.client.Get(o.b.ctx, "parent")
	o.b.must(err)
	var results []string
	o.b.must(json.Unmarshal(in.Output, &results))
	for i, name := range names {
		o.ended(fmt.Sprint(in.Execution, ":", i), history.Completed, "")
		if results[i] != name+" done" && results[i] != "interrupted" {
			o.b.Errorf("%s: %q", name, results[i])
		}
	}
}

// begin starts what is not there.
func (o *office) begin(s beginning) error {
	_, err := o.client.Get(o.b.ctx, s.id)
	if errors.Is(err, store.ErrNotFound) {
		_, err = o.client.Start(o.b.ctx, s.name, s.id, s.input)
	}
	return err
}

// sub returns a bench with an empty hub.
func (b *bench) sub() *bench {
	hub := &bench{T: b.T, harness: b.harness, ctx: b.ctx, now: b.clock()}
	hub.Hub = b.harness(b.T, hub.clock)
	return hub
}

// anyFault lets every single call of a flow go wrong in every way, with clients
// and a worker that try again, and a restart at the end.
func (b *bench) anyFault(f flow) {
	for _, fault := range []Fault{Fail, Lose, Repeat} {
		for at, more := 0, true; more; at++ {
			more = b.sub().runWithFault(f, fault, at)
			if b.Failed() {
				b.Fatalf("fault %d at call %d", fault, at)
			}
		}
	}
}

// runWithFault runs a flow in which the call number at goes wrong, and reports
// whether there were as many calls.
func (b *bench) runWithFault(f flow, fault Fault, at int) bool {
	faulty := &Faulty{Store: b.Store, Choose: func(_ string, n int) Fault {
		if n == at {
			return fault
		}
		return None
	}}
	before := b.newOffice(faulty)
	for _, s := range f.begin {
		b.again(func() error { return before.begin(s) })
		b.must(before.worker.Settle(b.ctx))
	}
	if f.answer != nil {
		b.again(func() error { return f.answer(before) })
		b.must(before.worker.Settle(b.ctx))
	}
	calls := faulty.Calls()
	b.crash()
	b.advance(2 * b.Store.Lease())
	b.goOn(f, before)
	return at < calls
}

// goOn does what is left of a flow after a crash, and checks what came of it.
func (b *bench) goOn(f flow, before *office) {
	o := b.newOffice(b.Store)
	for _, s := range f.begin {
		b.must(o.begin(s))
	}
	o.settle()
	f.ended(o)
	b.atMostOnce(before, o)
}

// atMostOnce checks how often each call of the at-most-once activity ran.
func (b *bench) atMostOnce(offices ...*office) {
	charged := map[string]int{}
	for _, o := range offices {
		o.count(charged)
	}
	for call, n := range charged {
		if n > 1 {
			b.Errorf("%s ran %d times", call, n)
		}
	}
}

// anyCrash lets a worker die after each of a flow's commits.
func (b *bench) anyCrash(f flow) {
	for after, more := 1, true; more; after++ {
		more = b.sub().runAndDie(f, after)
		if b.Failed() {
			b.Fatalf("dead after commit %d", after)
		}
	}
}

// runAndDie runs a flow until a worker has made so many commits and can do
// nothing more, and reports whether there were as many.
func (b *bench) runAndDie(f flow, after int) (died bool) {
	life := b.newLife(after)
	before := b.newOffice(&Faulty{Store: b.Store, Choose: life.begin, After: life.end})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, s := range f.begin {
			if before.begin(s) != nil || before.worker.Settle(b.ctx) != nil {
				return
			}
		}
	}()
	select {
	case <-life.dead:
		died = true
	case <-done:
	}
	b.crash()
	b.advance(2 * b.Store.Lease())
	b.goOn(f, before)
	return died
}

// life lets calls begin until so many commits were made.
type life struct {
	mu      sync.Mutex
	commits int           // to come
	calls   int           // under way
	dead    chan struct{} // closed when no call is under way any more
	buried  chan struct{} // calls that came too late rest until it is closed
}

func (b *bench) newLife(commits int) *life {
	l := &life{commits: commits, dead: make(chan struct{}), buried: make(chan struct{})}
	b.Cleanup(func() { close(l.buried) })
	return l
}

func (l *life) begin(string, int) Fault {
	l.mu.Lock()
	if l.commits > 0 {
		defer l.mu.Unlock()
		l.calls++
		return None
	}
	l.mu.Unlock()
	<-l.buried
	return Fail
}

func (l *life) end(method string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.dead:
		return
	default:
	}
	l.calls--
	if method == "Commit" {
		l.commits--
	}
	if l.commits <= 0 && l.calls == 0 {
		close(l.dead)
	}
}

// promiseRandomRelations lets two workers go on while any call may fail, lose
// its reply or be made twice.
func promiseRandomRelations(b *bench) {
	for seed := range uint64(randomRuns) {
		b.sub().randomRelations(seed)
		if b.Failed() {
			b.Fatalf("with seed %d", seed)
		}
	}
}

func (b *bench) randomRelations(seed uint64) {
	faults := newFaults(seed)
	offices := []*office{
		b.newOffice(&Faulty{Store: b.Store, Choose: faults.choose}),
		b.newOffice(&Faulty{Store: b.Store, Choose: faults.choose}),
	}
	begin := []beginning{
		{"order", "one", 3},
		{"tally", "two", count{Want: 6}},
		{"family", "parent", []string{"a", "b", "c"}},
		{"sending", "to one", mailing{"one", 0, 3}},
		{"relay", "to two", mailing{"two", 0, 6}},
	}
	for i, s := range begin {
		b.again(func() error { return offices[i%2].begin(s) })
	}
	for range randomRounds {
		if b.haveEnded(begin) {
			break
		}
		for _, o := range offices {
			o.tryWork()
		}
		b.advance(b.Store.Lease())
	}
	sound := b.newOffice(b.Store)
	sound.ended("one", history.Completed, "[1,2,3]")
	sound.ended("two", history.Completed, "[1,2,3,4,5,6]")
	sound.familyEnded("a", "b", "c")
	b.atMostOnce(offices...)
}

func (b *bench) haveEnded(begun []beginning) bool {
	for _, s := range begun {
		if in, err := b.Store.Get(b.ctx, s.id); err != nil || !in.Status.IsTerminal() {
			return false
		}
	}
	return true
}
