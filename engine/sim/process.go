package sim

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
)

// horizon is how far ahead timers wait in the queue.
const horizon = 2 * time.Minute

// process is a program that runs on some machine: a worker with a client, or a
// client alone. When it has died, or ended, another takes its place.
type process struct {
	w      *world
	number int // from 1
	worker bool
	skew   time.Duration // of its clock

	dead      bool            // guarded by stage.mu
	paused    time.Time       // it stands still until then
	restart   time.Time       // when another takes its place
	instances store.Instances // as a client in the process sees them
	store     *tablestore.Store
	context   context.Context
	cancel    context.CancelFunc
	ended     chan struct{} // closed when it has ended
}

// name is that of the process in stories.
func (p *process) name() string {
	switch {
	case p == nil:
		return ""
	case p.worker:
		return "worker " + string(rune('0'+p.number))
	}
	return "client " + string(rune('0'+p.number))
}

// now is the process's clock.
func (p *process) now() time.Time { return p.w.now().Add(p.skew) }

// options are how the process uses the storage account.
func (p *process) options() tablestore.Options {
	o := tablestore.Options{
		ConnectionString: p.w.account.ConnectionString(), Hub: hub, Now: p.now,
		Lease: p.w.habits.lease, Horizon: horizon, PollCeiling: p.w.habits.ceiling,
	}
	o.Client.Transport = transport{p}
	// A delay that is longer than the longest has no chance in it.
	o.Client.Retry = policy.RetryOptions{MaxRetries: p.w.habits.retries, RetryDelay: time.Hour, MaxRetryDelay: 200 * time.Millisecond, TryTimeout: 30 * time.Second}
	return o
}

// start starts a process in the place of p. It goes on in goroutines of its own.
func (p *process) start() *process {
	n := &process{w: p.w, number: p.number, worker: p.worker, skew: p.skew, ended: make(chan struct{})}
	n.context, n.cancel = context.WithCancel(context.Background())
	n.w.say(n, "starts")
	go n.run()
	return n
}

// isOver reports whether the process has ended.
func (p *process) isOver() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// run opens the hub and works on it until the process dies or is stopped.
func (p *process) run() {
	defer close(p.ended)
	s, err := tablestore.Open(p.context, p.options())
	for ; err != nil; s, err = tablestore.Open(p.context, p.options()) {
		if p.context.Err() != nil {
			return
		}
		time.Sleep(time.Second)
	}
	p.store = s
	if !p.worker {
		p.instances = s
		<-p.context.Done()
		return
	}
	h := p.w.habits
	w := dispatch.New(s, p.registry(), dispatch.Options{Activities: h.parallel, Turns: h.turns, Cached: h.cached, Grace: 5 * time.Second})
	p.instances = w.Instances()
	if err := w.Run(p.context); err != nil && !p.dead {
		p.w.broke("%s gave up: %v", p.name(), err)
	}
}

// die ends the process in the middle of whatever it does. What it has sent may
// still be under way.
func (p *process) die() {
	p.w.mu.Lock()
	p.dead = true
	p.w.mu.Unlock()
	for _, point := range p.w.ready(func(other *point) bool { return other.who == p && !other.gone }) {
		if point.request != nil && point.request.answer == nil && p.w.t.odds(0) {
			p.w.strand(point, deadError{})
			continue
		}
		p.w.release(point, deadError{})
	}
	if p.store != nil {
		p.store.Close()
	}
	p.cancel()
}
