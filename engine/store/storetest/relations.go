package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Orchestrations that deal with others, and that continue as new.
const (
	family  engine.Orchestrator[[]string, []string] = "family"
	calling engine.Orchestrator[summons, string]    = "calling"
	sending engine.Orchestrator[mailing, string]    = "sending"
	tally   engine.Orchestrator[count, []int]       = "tally"
	relay   engine.Orchestrator[mailing, string]    = "relay"
	clock   engine.Orchestrator[int, string]        = "clock"
	spin    engine.Orchestrator[int, string]        = "spin"
)

// summons says whom to call: an orchestration that takes a text, with an id or
// without.
type summons struct{ Name, ID, Input string }

// mailing says how many numbers to send to an instance, counted from From + 1.
type mailing struct {
	To      string
	From, N int
}

// count is the state of a tally: numbers to come, and those that came.
type count struct {
	Want int
	Got  []int
}

// relations holds a test for what instances promise each other.
var relations = map[string]func(*bench){
	"3 whichever call goes wrong, a child's result comes back": func(b *bench) { b.anyFault(familyFlow) },
	"3 whichever call goes wrong, events arrive once":          func(b *bench) { b.anyFault(eventsFlow) },
	"3 whichever call goes wrong, a loop loses nothing":        func(b *bench) { b.anyFault(loopFlow) },
	"3 whichever call goes wrong, a loop sends once":           func(b *bench) { b.anyFault(relayFlow) },
	"3 instances hear of each other when calls go wrong":       promiseRandomRelations,
	"4 a child's result comes back":                            promiseChild,
	"4 a child's failure comes back":                           promiseChildFails,
	"4 a child that waits is answered anywhere":                promiseChildElsewhere,
	"4 a child whose parent's worker dies is begun":            func(b *bench) { b.anyCrash(familyFlow) },
	"4 events whose sender's worker dies are sent":             func(b *bench) { b.anyCrash(eventsFlow) },
	"4 a loop goes on when its worker dies":                    func(b *bench) { b.anyCrash(loopFlow) },
	"4 a loop that sends goes on when its worker dies":         func(b *bench) { b.anyCrash(relayFlow) },
	"4 a notice goes to the call that waits for it":            promiseStrangers,
	"4 termination goes to the children when it is told to":    promiseRecursive,
	"4 nobody is sent to who is not there":                     promiseNobody,
	"7 events go over to the next execution in order":          promiseCarried,
	"1 a loop keeps its history bounded":                       promiseLoop,
}

func addRelations(r *engine.Registry) {
	engine.AddOrchestrator(r, family, func(ctx *engine.Context, names []string) (results []string, err error) {
		var children []*engine.Task[string]
		for _, name := range names {
			children = append(children, engine.CallSubOrchestrator(ctx, once, name))
		}
		return engine.WhenAll(ctx, children...).Await()
	})
	engine.AddOrchestrator(r, calling, func(ctx *engine.Context, s summons) (string, error) {
		name := engine.Orchestrator[string, string](s.Name)
		return engine.CallSubOrchestrator(ctx, name, s.Input, engine.InstanceID(s.ID)).Await()
	})
	engine.AddOrchestrator(r, sending, func(ctx *engine.Context, m mailing) (string, error) {
		for i := range m.N {
			if err := engine.SendEvent(ctx, m.To, next, m.From+i+1); err != nil {
				return "", err
			}
		}
		return "sent", nil
	})
	engine.AddOrchestrator(r, tally, func(ctx *engine.Context, c count) ([]int, error) {
		if c.Want == 0 {
			return c.Got, nil
		}
		n, err := engine.WaitForExternalEvent(ctx, next).Await()
		if err != nil {
			return nil, err
		}
		return nil, ctx.ContinueAsNew(count{c.Want - 1, append(c.Got, n)})
	})
	engine.AddOrchestrator(r, relay, func(ctx *engine.Context, m mailing) (string, error) {
		if m.N == 0 {
			return "sent", nil
		}
		if err := engine.SendEvent(ctx, m.To, next, m.From+1); err != nil {
			return "", err
		}
		return "", ctx.ContinueAsNew(mailing{m.To, m.From + 1, m.N - 1})
	})
	engine.AddOrchestrator(r, clock, func(ctx *engine.Context, n int) (string, error) {
		if n == 0 {
			return "done", nil
		}
		if _, err := ctx.CreateTimer(ctx.Now().Add(time.Minute)).Await(); err != nil {
			return "", err
		}
		return "", ctx.ContinueAsNew(n - 1)
	})
	engine.AddOrchestrator(r, spin, func(ctx *engine.Context, n int) (string, error) {
		if n == 0 {
			return "done", nil
		}
		return "", ctx.ContinueAsNew(n - 1)
	})
}

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
	life := &life{commits: after, dead: make(chan struct{}), buried: make(chan struct{})}
	b.Cleanup(func() { close(life.buried) })
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

func promiseChild(b *bench) {
	o := b.newOffice(b.Store)
	o.start("calling", "parent", summons{"once", "child", "card"})
	o.settle()
	o.ended("child", history.Completed, `"card done"`)
	o.ended("parent", history.Completed, `"card done"`)
	b.silent()
	b.advance(2 * b.Store.Lease())
	b.silent()
	b.must(o.client.Purge(b.ctx, "child"))
	b.must(o.client.Purge(b.ctx, "parent"))
}

func promiseChildFails(b *bench) {
	o := b.newOffice(b.Store)
	for id, s := range map[string]summons{
		"fails":      {"nap", "", "no duration"},
		"of its own": {"nap", "of its own", "1h"},
		"no id":      {"nap", "a/b", "1h"},
	} {
		o.start("calling", id, s)
		o.settle()
		o.ended(id, history.Failed, "")
	}
	o.start("human", "taken", "Ann")
	o.start("calling", "taker", summons{"nap", "taken", "1h"})
	o.settle()
	in, err := o.client.Get(b.ctx, "taker")
	b.must(err)
	if in.Failure == nil || in.Failure.Kind != engine.KindIDTaken {
		b.Errorf("%+v", in)
	}
	o.start("calling", "waits", summons{"nap", "terminated", "1h"})
	o.settle()
	b.must(o.client.Terminate(b.ctx, "terminated", "enough"))
	o.settle()
	in, err = o.client.Get(b.ctx, "waits")
	b.must(err)
	if in.Failure == nil || in.Failure.Kind != engine.KindTerminated || !strings.Contains(in.Failure.Message, "enough") {
		b.Errorf("%+v", in)
	}
}

func promiseChildElsewhere(b *bench) {
	one, two := b.newOffice(b.Store), b.newOffice(b.Store)
	one.start("calling", "parent", summons{"human", "child", "Ann"})
	b.must(one.worker.Settle(b.ctx))
	b.must(two.raise("child", "Reply", `"yes"`))
	b.must(two.worker.Settle(b.ctx))
	two.ended("child", history.Completed, `"yes"`)
	two.ended("parent", history.Completed, `"yes"`)
	b.equal("turns that are left", b.quiet(one, two), true)
}

// quiet answers what rings, now and later, and reports whether it found nothing
// to do.
func (b *bench) quiet(offices ...*office) bool {
	before := b.load("parent").Instance.Version
	for range 3 {
		b.advance(b.Store.Lease())
		for _, o := range offices {
			o.work()
		}
	}
	return b.load("parent").Instance.Version == before
}

func promiseStrangers(b *bench) {
	o := b.newOffice(b.Store)
	o.start("calling", "parent", summons{"human", "child", "Ann"})
	o.settle()
	b.must(o.client.Terminate(b.ctx, "parent", ""))
	_, err := o.client.Start(b.ctx, "calling", "parent", summons{"human", "another", "Ann"})
	b.must(err)
	o.settle()
	b.must(o.raise("child", "Reply", `"for the first"`))
	o.settle()
	o.ended("child", history.Completed, `"for the first"`)
	o.ended("parent", history.Running, "")
	b.must(o.raise("another", "Reply", `"for the second"`))
	o.settle()
	o.ended("parent", history.Completed, `"for the second"`)
}

func promiseRecursive(b *bench) {
	o := b.newOffice(b.Store)
	o.start("calling", "grandparent", summons{"human", "only child", "Ann"})
	o.settle()
	b.must(o.client.Terminate(b.ctx, "grandparent", "enough"))
	o.settle()
	o.ended("only child", history.Running, "")

	o.start("human", "stranger", "Ann")
	for _, id := range []string{"a", "b"} {
		o.start("calling", id, summons{"human", "child of " + id, "Ann"})
	}
	o.start("calling", "c", summons{"human", "stranger", "Ann"})
	o.settle()
	b.must(o.client.Terminate(b.ctx, "a", "enough", client.Recursively()))
	o.settle()
	o.ended("a", history.Terminated, `"enough"`)
	o.ended("child of a", history.Terminated, `"enough"`)
	o.ended("child of b", history.Running, "")
	o.ended("stranger", history.Running, "")
}

func promiseNobody(b *bench) {
	o := b.newOffice(b.Store)
	o.start("sending", "a", mailing{"nobody", 0, 2})
	o.settle()
	o.ended("a", history.Completed, `"sent"`)
	o.start("sending", "b", mailing{"a", 0, 2})
	o.settle()
	o.ended("b", history.Completed, `"sent"`)
	_, err := o.client.Get(b.ctx, "nobody")
	b.want(err, store.ErrNotFound)
	b.advance(2 * b.Store.Lease())
	b.silent()
}

func promiseCarried(b *bench) {
	bare := client.New(b.Store, client.Options{Now: b.clock})
	_, err := bare.Start(b.ctx, "tally", "a", count{Want: 40})
	b.must(err)
	var want []int
	for i := range 30 {
		b.must(bare.Raise(b.ctx, "a", "Next", client.Payload{Body: []byte(fmt.Sprint(i))}))
		want = append(want, i)
	}
	o := b.newOffice(b.Store)
	o.work()
	for i := 30; i < 40; i++ {
		b.must(o.raise("a", "Next", fmt.Sprint(i)))
		want = append(want, i)
	}
	text, err := json.Marshal(want)
	b.must(err)
	o.ended("a", history.Completed, string(text))
}

func promiseLoop(b *bench) {
	o := b.newOffice(b.Store)
	o.start("clock", "a", 100)
	for range 100 {
		if n := len(b.load("a").History); n > 4 {
			b.Fatalf("%d events", n)
		}
		b.advance(time.Minute + b.Precision)
		o.work()
	}
	o.ended("a", history.Completed, `"done"`)
	o.start("spin", "b", 1000)
	o.ended("b", history.Completed, `"done"`)
	o.start("spin", "c", 1<<30)
	in, err := o.client.Get(b.ctx, "c")
	b.must(err)
	if in.Failure == nil || in.Failure.Kind != engine.KindNeverWaits {
		b.Errorf("%+v", in)
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
