package dispatch

import (
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
)

// worthOffering is how many times Patience the calls of a worker must be going
// to wait, at the rate at which it begins them, before others are offered them.
const worthOffering = 10

// offer is what a session gives away of its work in hand: calls that wait for a
// place and were not begun.
type offer struct {
	withdrawn bool
	calls     []task
}

// expectBacklog sees to it that the worker looks after a while whether calls wait
// here that others could run. Worker.mu must be held.
func (w *Worker) expectBacklog() {
	if !w.shares || w.expecting || w.activities.backlog() <= w.o.Activities {
		return
	}
	w.expecting = true
	w.activities.begun()
	time.AfterFunc(w.o.Patience, w.offerBacklog)
}

// offerBacklog lets those instances offer calls to other workers whose calls will
// wait here for long.
func (w *Worker) offerBacklog() {
	if w.context.Err() != nil {
		return
	}
	w.mu.Lock()
	w.expecting = false
	w.keep = w.o.Activities + worthOffering*w.activities.begun()
	crowded := w.activities.behind(w.keep)
	w.expectBacklog()
	w.mu.Unlock()
	for _, id := range crowded {
		if s, mine, err := w.post(id, &delivery{offer: &offer{}}); err == nil && mine {
			go w.work(s, 0)
		}
	}
}

// withdraw takes the calls of a session from those that wait for a place, once.
// Calls that must not run twice stay: who took them over could not tell that
// they were not begun.
func (w *Worker) withdraw(s *session, o *offer) []task {
	if o.withdrawn {
		return o.calls
	}
	o.withdrawn = true
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.activities.withdraw(s.id, w.keep) {
		s.finish(j.call)
		o.calls = append(o.calls, j.call)
	}
	return o.calls
}

// give decides which calls of the session's own hand its turn gives away: none if
// the hand is not there any more, or is taken over as a whole.
func (w *Worker) give(s *session, p *plan) {
	isTakenOver := slices.ContainsFunc(p.bells, func(b store.Doorbell) bool { return b.TakeOver && b.Receipt == s.held.Receipt })
	if len(p.offered) == 0 || s.held == (store.Doorbell{}) || isTakenOver {
		return
	}
	at := slices.IndexFunc(s.row.Hands, func(h store.Hand) bool { return h.Receipt == s.held.Receipt })
	if at < 0 {
		return
	}
	offered := map[task]bool{}
	for _, t := range p.offered {
		offered[t] = true
	}
	p.givenBy = s.held
	for _, number := range s.unfinished(s.row.Hands[at]) {
		if offered[task{s.row.Execution, number}] {
			p.given = append(p.given, number)
		}
	}
}

// split divides the session's own hand: what is given away stays with its
// doorbell, which is not answered but passed on, and the rest joins mine.
func split(hand store.Hand, given []int32, mine *store.Hand) store.Hand {
	rest := given // in the order of the hand
	for _, number := range hand.Tasks {
		if len(rest) > 0 && rest[0] == number {
			rest = rest[1:]
			continue
		}
		mine.Tasks = append(mine.Tasks, number)
	}
	mine.Sends = append(mine.Sends, hand.Sends...)
	return store.Hand{Receipt: hand.Receipt, Tasks: given}
}

// decline takes those doorbells out of the plan that ask a worker with calls
// waiting to take over more than it has places for. They are for others.
func (w *Worker) decline(s *session, p *plan) {
	if !w.shares || w.activities.backlog() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p.bells = slices.DeleteFunc(p.bells, func(bell store.Doorbell) bool {
		at := slices.IndexFunc(s.row.Hands, func(h store.Hand) bool { return bell.TakeOver && h.Receipt == bell.Receipt })
		if at < 0 || !w.isTooMuch(s, p, s.row.Hands[at]) {
			return false
		}
		p.declined = append(p.declined, bell)
		return true
	})
}

// isTooMuch reports whether a hand has nothing but calls that would wait here, and
// that may run elsewhere. Worker.mu must be held.
func (w *Worker) isTooMuch(s *session, p *plan, hand store.Hand) bool {
	if len(hand.Sends) > 0 {
		return false
	}
	var calls int
	for _, number := range hand.Tasks {
		call, waits := p.before[number]
		switch {
		case !waits:
		case s.isRunning(task{s.row.Execution, number}), w.registry.RunsAtMostOnce(call.Name):
			return false
		default:
			calls++
		}
	}
	return w.activities.backlog()+calls > w.o.Activities
}

// declinedFor is how long a doorbell that was declined is kept from ringing here
// again at once.
const declinedFor = time.Second

// pass sees to the doorbells that a turn leaves to other workers.
func (w *Worker) pass(s *session, p *plan) {
	if len(p.given) > 0 {
		w.o.Logger.Info("offer calls to other workers", "instance", s.id, "calls", len(p.given))
		w.passOn(w.context, []store.Doorbell{p.givenBy}, 0)
	}
	if len(p.declined) > 0 {
		w.passOn(w.context, p.declined, declinedFor)
		w.mu.Lock()
		w.declines++
		w.mu.Unlock()
	}
}

// letOthers waits before the next doorbells are received, longer each time, if
// the last ones were declined: what rings is for others, who ask less often.
func (w *Worker) letOthers(done <-chan struct{}) {
	w.mu.Lock()
	if w.activities.backlog() == 0 {
		w.declines = 0
	}
	declines := w.declines
	w.mu.Unlock()
	if declines == 0 {
		return
	}
	timer := time.NewTimer(min(declinedFor<<min(declines, 16), pollInterval))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.activities.emptied:
	case <-done:
	}
}
