package sim

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

const (
	hub       = "sim"
	doorbells = "sim-doorbells"
)

// world is one run.
type world struct {
	*stage
	t       *tape
	weather weather
	habits  habits

	account   *azuretest.Account
	witness   *tablestore.Store
	processes []*process
	ids       []string
	monitor   *monitor
	context   context.Context
	cancel    context.CancelFunc

	witnessing bool // the witness is asking
	over       bool // goroutines are being ended

	busy    int       // people who have not done everything yet; guarded by stage.mu
	changed time.Time // when storage changed last
	story   []line
	broken  []string
}

// Report is what came of a run.
type Report struct {
	// Broken says what went wrong; empty if nothing did.
	Broken []string
	// Steps is how many choices of who goes on were made.
	Steps int

	choices []int
	story   []line
}

// Run runs the world of a seed.
func Run(t *testing.T, seed uint64) *Report { return run(t, record(seed)) }

func run(t *testing.T, choices *tape) (r *Report) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(choices)
		w.storm()
		if len(w.broken) == 0 {
			w.calm()
		}
		if len(w.broken) == 0 {
			w.monitor.judge()
		}
		w.end()
		r = &Report{Broken: w.broken, Steps: w.step, choices: choices.recorded, story: w.story}
	})
	return r
}

// newWorld makes a world in which nothing has happened.
func newWorld(t *tape) *world {
	w := &world{stage: newStage(), t: t, weather: t.forecast(), habits: t.habits()}
	w.context, w.cancel = context.WithCancel(context.Background())
	w.account = azuretest.New(azuretest.Options{Now: w.now, Choose: w.freedom})
	w.monitor = newMonitor(w)
	o := tablestore.Options{ConnectionString: w.account.ConnectionString(), Hub: hub, Now: w.now}
	o.Client.Transport = w.account
	var err error
	w.watch(func() { w.witness, err = tablestore.Open(w.context, o) })
	if err != nil {
		w.broke("open the hub: %v", err)
	}
	w.ids = []string{"a", "b", "c"}[:1+t.choose(3)]
	for i := range w.habits.workers {
		w.add(&process{worker: true, skew: w.habits.skew * time.Duration(i%3-1)})
	}
	if w.habits.bare {
		w.add(&process{})
	}
	for person := range 1 + t.choose(3) {
		acts := t.script(person, w.ids)
		w.busy++
		go w.live(person, acts)
	}
	return w
}

func (w *world) add(p *process) {
	p.w, p.number = w, len(w.processes)+1
	w.processes = append(w.processes, p.start())
}

// watch lets the witness look, who sees everything.
func (w *world) watch(f func()) {
	w.witnessing = true
	defer func() { w.witnessing = false }()
	f()
}

// freedom makes the account's choices.
func (w *world) freedom(what azuretest.Freedom, n int) int {
	switch {
	case w.witnessing:
		return 0
	case what == azuretest.NextMessage:
		return w.t.choose(n)
	case w.t.odds(w.weather.short):
		return w.t.choose(n)
	}
	return 0
}

// The length of a run, in steps.
const (
	longestStorm = 1500
	longestCalm  = 20000
)

// storm lets everything happen until people have done what they wanted to, and
// a little longer.
func (w *world) storm() {
	rest := w.t.choose(60)
	for len(w.broken) == 0 && w.step < longestStorm {
		w.begin()
		w.mu.Lock()
		busy := w.busy > 0
		w.mu.Unlock()
		if !busy {
			if rest--; rest < 0 {
				return
			}
		}
		if !w.fate() {
			w.next(w.t.choose)
		}
	}
}

// begin begins a step.
func (w *world) begin() {
	w.align()
	w.step++
	for i, p := range w.processes {
		if p.isOver() && !p.dead {
			p.die() // what is left of it
			w.align()
		}
		if p.isOver() && !p.restart.After(w.now()) {
			w.processes[i] = p.start()
			w.align()
		}
	}
	w.reap()
}

// reap decides about points whose goroutines have gone away: a request may still
// be under way.
func (w *world) reap() {
	for _, p := range w.ready(func(p *point) bool { return p.gone && p.pass != nil }) {
		if p.request == nil || p.request.answer != nil || !w.t.odds(0) {
			w.take(p)
			continue
		}
		p.pass = nil
		w.tell(p, "its sender has given up")
	}
}

// fate lets something happen to a process or to time, and reports whether it did.
func (w *world) fate() bool {
	f := &w.weather
	switch {
	case w.t.odds(f.crash):
		p := w.processes[w.t.choose(len(w.processes))]
		if p.dead || p.isOver() {
			return false
		}
		w.say(p, "dies")
		p.restart = w.now().Add(oneOf(w.t, time.Second, 0, w.habits.lease/2, 2*w.habits.lease))
		p.die()
	case w.t.odds(f.stop):
		p := w.processes[w.t.choose(len(w.processes))]
		if p.dead || p.isOver() {
			return false
		}
		w.say(p, "is told to stop")
		p.restart = w.now().Add(time.Second)
		p.cancel()
	case w.t.odds(f.pause):
		p := w.processes[w.t.choose(len(w.processes))]
		d := oneOf(w.t, time.Second, 5*time.Second, w.habits.lease, 2*w.habits.lease)
		w.say(p, fmt.Sprintf("stands still for %v", d))
		p.paused = w.now().Add(d)
	case w.t.odds(f.wait):
		d := oneOf(w.t, tick, time.Second, 4*time.Second, w.habits.lease/2, w.habits.lease+time.Second, 2*time.Minute)
		w.say(nil, fmt.Sprintf("%v go by", d))
		time.Sleep(d)
	default:
		return false
	}
	return true
}

// next lets somebody go on, or time go by if nobody can.
func (w *world) next(choose func(int) int) {
	now := w.now()
	ready := w.ready(func(p *point) bool { return p.who == nil || p.gone || !p.who.paused.After(now) })
	if len(ready) == 0 {
		w.idle(time.Minute)
		return
	}
	p := ready[choose(len(ready))]
	if p.request != nil {
		w.deliver(p)
		return
	}
	w.tell(p, "")
	w.release(p, nil)
}

// calm lets the weather clear, and everything come to rest.
func (w *world) calm() {
	w.weather = weather{}
	w.say(nil, "the weather clears")
	w.changed = w.now()
	fresh := w.t.choose(2) == 1
	for _, p := range w.processes {
		p.paused = time.Time{}
		if fresh && !p.dead && !p.isOver() {
			p.die()
		}
		p.restart = w.now()
	}
	first := func(int) int { return 0 }
	for end := w.step + longestCalm; len(w.broken) == 0 && !w.isQuiet(); {
		if w.step > end {
			w.broke("promise 10: it never comes to rest")
			return
		}
		w.begin()
		w.next(first)
	}
}

// isQuiet reports whether nothing has changed for so long that nothing will.
func (w *world) isQuiet() bool {
	since := w.changed
	later := func(at time.Time) {
		if at.After(since) {
			since = at
		}
	}
	for _, state := range w.monitor.present {
		if !state.Instance.Status.IsTerminal() {
			later(state.Instance.Wake)
		}
	}
	for _, bells := range w.bells() {
		for _, at := range slices.Concat(bells.plain, bells.work) {
			later(at)
		}
	}
	longest := 2*w.habits.lease + 2*w.habits.ceiling + 2*time.Minute + 2*w.habits.skew
	return w.now().Sub(since) > longest
}

// end lets all goroutines end.
func (w *world) end() {
	w.over = true
	w.cancel()
	for _, p := range w.processes {
		if !p.dead {
			p.die()
		}
	}
	for _, p := range w.ready(func(p *point) bool { return p.pass != nil && !p.gone }) {
		w.release(p, deadError{})
	}
	for _, p := range w.processes {
		<-p.ended
	}
	w.witness.Close()
	synctest.Wait()
}

// broke takes note of something that is wrong.
func (w *world) broke(format string, args ...any) {
	if w.over {
		return
	}
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(w.broken, text) {
		w.broken = append(w.broken, text)
		w.say(nil, "WRONG: "+text)
	}
}
