package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// The size of a run in which calls go wrong at random.
const (
	randomRuns   = 8
	randomFlows  = 12
	randomFaults = 10 // of a hundred calls
	randomRounds = 200
)

// promiseRandomFaults lets two workers and their clients go on, trying again
// what failed, while any call may fail, lose its reply or be made twice. In the
// end every flow has ended, each activity that must not run twice has not, and
// every history is well formed.
func promiseRandomFaults(b *bench) {
	for seed := range uint64(randomRuns) {
		hub := &bench{T: b.T, harness: b.harness, ctx: b.ctx, now: b.clock()}
		hub.Hub = b.harness(b.T, hub.clock)
		hub.randomFlows(seed)
		if b.Failed() {
			b.Fatalf("with seed %d", seed)
		}
	}
}

func (b *bench) randomFlows(seed uint64) {
	faults := newFaults(seed)
	offices := []*office{
		b.newOffice(&Faulty{Store: b.Store, Choose: faults.choose}),
		b.newOffice(&Faulty{Store: b.Store, Choose: faults.choose}),
	}
	names := []string{"many", "human", "once"}
	inputs := []any{4, "Ann", "card"}
	for i := range randomFlows {
		b.again(func() error {
			_, err := offices[i%2].client.Start(b.ctx, names[i%3], fmt.Sprint(i), inputs[i%3])
			return err
		})
	}
	for round := range randomRounds {
		if b.allEnded() {
			break
		}
		for i, o := range offices {
			o.tryWork()
			human := fmt.Sprint((round*2+i)%randomFlows/3*3 + 1)
			b.again(func() error { return o.raise(human, "Reply", `"yes"`) })
		}
		b.advance(b.Store.Lease())
	}
	sound := b.newOffice(b.Store)
	for i := range randomFlows {
		sound.ended(fmt.Sprint(i), history.Completed, "")
	}
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

// again does what is tried until it succeeds or was done before.
func (b *bench) again(f func() error) {
	b.Helper()
	for range randomRounds {
		err := f()
		if err == nil || errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrFinished) {
			return
		}
	}
	b.Error("it never succeeds")
}

func (b *bench) allEnded() bool {
	for i := range randomFlows {
		if in, err := b.Store.Get(b.ctx, fmt.Sprint(i)); err != nil || !in.Status.IsTerminal() {
			return false
		}
	}
	return true
}

// tryWork answers the doorbells that can be received.
func (o *office) tryWork() {
	for range randomFlows {
		if worked, err := o.worker.Step(o.b.ctx); !worked && err == nil {
			break
		}
	}
	o.b.must(o.worker.Settle(o.b.ctx))
}

// count adds up how often each call of the at-most-once activity ran here.
func (o *office) count(charged map[string]int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for call, n := range o.charged {
		charged[call] += n
	}
}

// faults chooses faults at random.
type faults struct {
	mu     sync.Mutex
	random *rand.Rand
}

func newFaults(seed uint64) *faults { return &faults{random: rand.New(rand.NewPCG(seed, 1))} }

func (f *faults) choose(string, int) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.random.IntN(100) >= randomFaults {
		return None
	}
	return Fault(1 + f.random.IntN(3))
}
