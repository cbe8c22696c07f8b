package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
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
	asking  engine.Orchestrator[summons, string]    = "asking"
	sending engine.Orchestrator[mailing, string]    = "sending"
	tally   engine.Orchestrator[count, []int]       = "tally"
	relay   engine.Orchestrator[mailing, string]    = "relay"
	pair    engine.Orchestrator[string, string]     = "pair"
	paying  engine.Orchestrator[string, string]     = "paying"
	leaving engine.Orchestrator[int, string]        = "leaving"
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
	"3 whichever call goes wrong, a looping child comes back":  func(b *bench) { b.anyFault(loopingChildFlow) },
	"4 a looping child whose worker dies comes back once":      func(b *bench) { b.anyCrash(loopingChildFlow) },
	"3 whichever call goes wrong, events arrive once":          func(b *bench) { b.anyFault(eventsFlow) },
	"3 whichever call goes wrong, a loop loses nothing":        func(b *bench) { b.anyFault(loopFlow) },
	"3 whichever call goes wrong, a loop sends once":           func(b *bench) { b.anyFault(relayFlow) },
	"3 instances hear of each other when calls go wrong":       promiseRandomRelations,
	"4 a child's result comes back":                            promiseChild,
	"4 a child's failure comes back":                           promiseChildFails,
	"4 a child that waits is answered anywhere":                promiseChildElsewhere,
	"4 a child that is purged is not missed by its parent":     promisePurgedChild,
	"4 a child of a call made elsewhere is answered here":      promiseChildOfElsewhere,
	"4 a child whose parent's worker dies is begun":            func(b *bench) { b.anyCrash(familyFlow) },
	"4 events whose sender's worker dies are sent":             func(b *bench) { b.anyCrash(eventsFlow) },
	"4 a loop goes on when its worker dies":                    func(b *bench) { b.anyCrash(loopFlow) },
	"4 a loop that sends goes on when its worker dies":         func(b *bench) { b.anyCrash(relayFlow) },
	"4 a notice goes to the call that waits for it":            promiseStrangers,
	"4 termination goes to the children when it is told to":    promiseRecursive,
	"4 nobody is sent to who is not there":                     promiseNobody,
	"4 what one worker sends does not overtake another's":      promiseSendOrder,
	"4 what is on its way is not sent again":                   promiseOnItsWay,
	"4 an id is free when its last instance owes nothing":      promiseOwing,
	"5 an activity starts anew with a loop":                    promiseLoopAnew,
	"7 what a loop recorded is not refused":                    promiseLoopRecorded,
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
	engine.AddOrchestrator(r, asking, func(ctx *engine.Context, s summons) (string, error) {
		if _, err := engine.WaitForExternalEvent(ctx, reply).Await(); err != nil {
			return "", err
		}
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
	engine.AddOrchestrator(r, pair, func(ctx *engine.Context, to string) (string, error) {
		if err := engine.SendEvent(ctx, to, next, 1); err != nil {
			return "", err
		}
		if _, err := engine.WaitForExternalEvent(ctx, reply).Await(); err != nil {
			return "", err
		}
		return "sent", engine.SendEvent(ctx, to, next, 2)
	})
	engine.AddOrchestrator(r, paying, func(ctx *engine.Context, what string) (string, error) {
		if what == "paid" {
			return what, nil
		}
		if _, err := engine.CallActivity(ctx, charge, what).Await(); err != nil && !errors.Is(err, engine.ErrInterrupted) {
			return "", err
		}
		return "", ctx.ContinueAsNew("paid")
	})
	engine.AddOrchestrator(r, leaving, func(ctx *engine.Context, n int) (string, error) {
		left := engine.CallActivity(ctx, notify, fmt.Sprint("call ", n))
		if n == 0 {
			return left.Await()
		}
		if _, err := engine.WaitForExternalEvent(ctx, reply).Await(); err != nil {
			return "", err
		}
		return "", ctx.ContinueAsNew(n - 1)
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

// promisePurgedChild purges a child whose parent goes on, and is read again from
// its history afterwards.
func promisePurgedChild(b *bench) {
	open := func() *office {
		o := b.newOffice(b.Store)
		engine.AddOrchestrator(o.registry, "patient", func(ctx *engine.Context, what string) (string, error) {
			paid, err := engine.CallSubOrchestrator(ctx, once, what, engine.InstanceID("child")).Await()
			if err != nil {
				return "", err
			}
			answer, err := engine.WaitForExternalEvent(ctx, reply).Await()
			return paid + ", " + answer, err
		})
		return o
	}
	o := open()
	o.start("patient", "parent", "card")
	o.settle()
	b.must(o.client.Purge(b.ctx, "child"))
	b.crash()
	o = open()
	b.must(o.raise("parent", "Reply", `"thanks"`))
	o.settle()
	o.ended("parent", history.Completed, `"card done, thanks"`)
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

// promiseChildOfElsewhere holds workers to not taking a message for nothing because
// what they have in memory is out of date.
func promiseChildOfElsewhere(b *bench) {
	one, two := b.newOffice(b.Store), b.newOffice(b.Store)
	one.start("asking", "parent", summons{"human", "child", "Ann"})
	b.must(one.worker.Settle(b.ctx))
	b.must(two.raise("parent", "Reply", `"ask her"`))
	b.must(two.worker.Settle(b.ctx))
	b.must(one.raise("child", "Reply", `"yes"`))
	b.must(one.worker.Settle(b.ctx))
	one.ended("parent", history.Completed, `"yes"`)
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

// mustDie returns an office whose worker dies after so many commits.
func (b *bench) mustDie(commits int) *office {
	l := b.newLife(commits)
	return b.newOffice(&Faulty{Store: b.Store, Choose: l.begin, After: l.end})
}

func promiseSendOrder(b *bench) {
	dies, lives := b.mustDie(1), b.newOffice(b.Store)
	lives.start("order", "receiver", 2)
	dies.start("pair", "sender", "receiver")
	b.must(lives.raise("sender", "Reply", `""`))
	b.must(lives.worker.Settle(b.ctx))
	lives.ended("receiver", history.Completed, "[1,2]")
}

// promiseOnItsWay lets a turn send something while the message of the turn before
// is held up at its receiver.
func promiseOnItsWay(b *bench) {
	var sends atomic.Int32
	o := b.newOffice(&Faulty{Store: b.Store, Choose: func(method string, _ int) Fault {
		if method == "Send" {
			sends.Add(1)
		}
		return None
	}})
	entered, release := make(chan struct{}), make(chan struct{})
	engine.AddOrchestrator(o.registry, "slow", func(ctx *engine.Context, _ any) ([]int, error) {
		first, err := engine.WaitForExternalEvent(ctx, next).Await()
		if err != nil {
			return nil, err
		}
		if !ctx.IsReplaying() {
			close(entered) //determinism:allow because the test must hold this turn
			<-release      //determinism:allow because the test must hold this turn
		}
		second, err := engine.WaitForExternalEvent(ctx, next).Await()
		return []int{first, second}, err
	})
	o.start("slow", "receiver", nil)
	o.start("pair", "sender", "receiver")
	<-entered
	b.must(o.raise("sender", "Reply", `""`))
	close(release)
	o.settle()
	o.ended("receiver", history.Completed, "[1,2]")
	b.equal("messages through the inbox", sends.Load(), int32(0))
}

func promiseOwing(b *bench) {
	// The parent is elsewhere, so its child owes it a notice when its worker dies.
	tried := make(chan string, 100)
	lives, dies := b.newOffice(&Faulty{Store: b.Store, After: func(method string) {
		if method == "Create" {
			tried <- method
		}
	}}), b.mustDie(1)
	lives.start("calling", "parent", summons{"human", "child", "Ann"})
	b.must(lives.worker.Settle(b.ctx))
	b.must(dies.raise("child", "Reply", `"yes"`))
	lives.start("calling", "another", summons{"nobody knows it", "child", ""})
	<-tried
	b.advance(b.Store.Lease())
	lives.work()
	lives.ended("parent", history.Completed, `"yes"`)
	lives.ended("another", history.Running, "")
	in, err := lives.client.Get(b.ctx, "child")
	b.must(err)
	b.equal("the child is now", in.Name, "nobody knows it")
}

func promiseLoopAnew(b *bench) {
	o := b.newOffice(b.Store)
	entered, release := make(chan struct{}, 2), make(chan struct{})
	o.during = func(call engine.Call) {
		entered <- struct{}{}
		<-release
	}
	o.start("leaving", "a", 1)
	<-entered
	b.must(o.raise("a", "Reply", `""`))
	<-entered
	close(release)
	o.settle()
	o.ended("a", history.Completed, `"call 0 done"`)
}

// promiseLoopRecorded lets the reply of a commit be lost, and the read that would
// tell, when the turn ended the execution that had the message.
func promiseLoopRecorded(b *bench) {
	var refuse atomic.Bool
	o := b.newOffice(&Faulty{Store: b.Store, Choose: func(method string, n int) Fault {
		switch {
		case method == "Commit" && n > 1:
			refuse.Store(true)
			return Lose
		case method == "Get" && refuse.CompareAndSwap(true, false):
			return Fail
		}
		return None
	}})
	o.start("tally", "a", count{Want: 1})
	b.must(o.raise("a", "Next", "1"))
	o.ended("a", history.Completed, "[1]")
}
