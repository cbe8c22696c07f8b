package dispatch

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// session is this process's dealings with one instance: the mail that waits for
// a turn, and what is in memory of it. There is at most one for an instance;
// one goroutine at a time is busy with it.
type session struct {
	id string

	// Guarded by Worker.mu.
	mail    []*delivery
	busy    bool
	running map[task]context.CancelFunc // activities in hand
	held    store.Doorbell              // for the work in hand
	inLane  bool                        // the worker's lane is taken by its turn
	seen    uint64                      // the code that ran at the last look
	looks   int                         // looks in a row that found it
	outgoing

	// code numbers what the orchestration's code is being run for; zero if it is
	// not.
	code atomic.Uint64

	// Belongs to whoever is busy.
	lends  bool              // the goroutine is that of an activity's job, which ends with the turn
	lent   bool              // a job is to follow that one
	noted  bool              // the row says that this turn was begun
	tried  []string          // turns that would hold work and may have been written
	untold *turned           // the last turn, if it may have been written
	known  bool              // row is believed to be the present one
	fresh  bool              // it was read for this very turn
	row    store.Instance    // its Version is empty if there is no instance
	live   *engine.Execution // nil, or at the row's version
}

// task is one call of an activity. Calls are numbered anew in each execution.
type task struct {
	execution string
	number    int32
}

// isRunning reports whether the activity of a call is in hand here. Worker.mu
// must be held.
func (s *session) isRunning(t task) bool { return s.running[t] != nil }

// delivery is something that reached the session: a message, a doorbell, a call to
// be begun, or nothing but a reason to look at what is stored, or that all is sent.
type delivery struct {
	message  history.Event
	bell     store.Doorbell
	look     bool
	sent     bool // nothing is being sent for the instance any more
	offer    *offer
	try      *task // the call that is to be begun, as soon as the row says so
	create   bool
	replace  []history.Status // in which an instance gives way to the one to be created
	tried    bool             // a create was tried on trust
	unsure   bool             // a commit that would have recorded it seems to have failed
	unsureOf string           // and was one of the execution that began as this one
	done     bool             // nothing is left to be done about it
	// answer is what became of the message, and is there with the outcome.
	answer store.Answer
	// reply gets the outcome; nil when nobody waits for it.
	reply chan error
}

func (d *delivery) isBell() bool { return d.bell != store.Doorbell{} }

func (d *delivery) isMessage() bool {
	return !d.look && !d.sent && d.offer == nil && d.try == nil && !d.isBell()
}

// answered tells whoever waits for the delivery what became of it.
func (d *delivery) answered(err error) {
	if d.reply != nil && !d.done {
		d.reply <- err
	}
	d.done = true
}

// forget drops what is in memory of the instance.
func (s *session) forget() {
	s.close()
	s.known, s.row = false, store.Instance{}
}

// isLiving reports whether the row is that of an instance that has not ended.
func (s *session) isLiving() bool { return s.row.Version != "" && !s.row.Status.IsTerminal() }

// outstanding returns the calls of activities that have no result yet.
func (s *session) outstanding() map[int32]*history.Event {
	if s.live == nil {
		return nil
	}
	events := s.live.Outstanding()
	if len(events) == 0 {
		return nil
	}
	calls := make(map[int32]*history.Event, len(events))
	for _, e := range events {
		calls[e.ID] = e
	}
	return calls
}

// waiting returns the call of an activity if it has no result yet, else nil.
func (s *session) waiting(call int32) *history.Event {
	if s.live == nil {
		return nil
	}
	return s.live.Waiting(call)
}

func (s *session) close() {
	if s.live != nil {
		s.live.Close()
		s.live = nil
	}
}

// post leaves a delivery with its instance's session. It reports whether the
// caller must see to it, because nobody else is busy with the session.
func (w *Worker) post(id string, d *delivery) (s *session, mine bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s = w.sessions[id]
	if w.stopping && s == nil {
		return nil, false, errStopped
	}
	if s == nil {
		s = w.uncache(id)
		w.sessions[id] = s
	}
	s.mail = append(s.mail, d)
	mine = !s.busy
	s.busy = true
	return s, mine, nil
}

// uncache returns the session that was kept live for the instance, or a new
// one.
func (w *Worker) uncache(id string) *session {
	if e, ok := w.cached[id]; ok {
		delete(w.cached, id)
		return w.recent.Remove(e).(*session)
	}
	return &session{id: id}
}

// pickUp takes the mail of a session. Without any it reports false, and the
// session is nobody's business any more: it stays if activities are running or
// something is being sent, else it is kept live or put away.
func (w *Worker) pickUp(s *session) ([]*delivery, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(s.mail) > 0 {
		mail := s.mail
		s.mail = nil
		for _, d := range mail {
			s.finish(d.finishes())
		}
		return mail, true
	}
	s.busy = false
	if len(s.running) > 0 || len(s.sending) > 0 {
		return nil, false
	}
	delete(w.sessions, s.id)
	w.cache(s)
	if len(w.sessions) == 0 && w.idle != nil {
		close(w.idle)
		w.idle = nil
	}
	return nil, false
}

// finish takes note that an activity is not in hand any more. Worker.mu must be
// held.
func (s *session) finish(t task) {
	if cancel := s.running[t]; cancel != nil {
		cancel()
		delete(s.running, t)
	}
}

// putBack leaves the messages of the mail for the next turn that this one did not
// carry.
func (w *Worker) putBack(s *session, mail []*delivery) {
	rest := slices.DeleteFunc(mail, func(d *delivery) bool { return d.done || !d.isMessage() })
	w.mu.Lock()
	defer w.mu.Unlock()
	s.mail = append(rest, s.mail...)
}

// finishes returns the call whose result a delivery brings; none if it brings
// something else.
func (d *delivery) finishes() task {
	if d.isResult() {
		return task{d.message.Execution, d.message.TaskID}
	}
	return task{}
}

func (d *delivery) isResult() bool {
	return d.message.Kind == history.TaskCompleted || d.message.Kind == history.TaskFailed
}

// cache keeps a session live, and puts the one away that moved longest ago.
func (w *Worker) cache(s *session) {
	if w.stopping || s.live == nil || s.row.Status.IsTerminal() || w.o.Cached <= 0 {
		s.close()
		return
	}
	w.cached[s.id] = w.recent.PushFront(s)
	if w.recent.Len() > w.o.Cached {
		oldest := w.recent.Remove(w.recent.Back()).(*session)
		delete(w.cached, oldest.id)
		oldest.close()
	}
}

// deliver brings a message to its instance and waits until it is durable or
// refused. When nobody else is busy with the instance, the caller's goroutine
// makes the turn, and its context does not cut that short.
func (w *Worker) deliver(ctx context.Context, id string, d *delivery) error {
	d.reply = make(chan error, 1)
	s, mine, err := w.post(id, d)
	if err != nil {
		return err
	}
	if mine {
		w.work(s, 1)
	}
	select {
	case err := <-d.reply:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-d.reply: // it came at the same moment
		return err
	default:
		return ctx.Err()
	}
}

// abandon takes note that an activity in hand will bring no result here.
func (w *Worker) abandon(call engine.Call) {
	w.mu.Lock()
	s := w.sessions[call.Instance]
	s.finish(task{call.Execution, call.Task})
	mine := !s.busy
	s.busy = true
	w.mu.Unlock()
	if mine {
		w.work(s, 0)
	}
}

// postAll leaves doorbells with their instances' sessions, and returns those
// sessions that the caller must see to. Doorbells of one instance are answered by
// one turn.
func (w *Worker) postAll(bells []store.Doorbell) (mine []*session) {
	for _, bell := range bells {
		if s, ok, err := w.post(bell.Instance, &delivery{bell: bell}); err == nil && ok {
			mine = append(mine, s)
		}
	}
	return mine
}

// work makes turns while there is mail. After so many rounds (0 is no limit) it
// leaves the rest to another goroutine, so that a caller is not kept.
func (w *Worker) work(s *session, rounds int) {
	s.lends, s.lent = false, false
	w.makeTurns(s, rounds)
}

// workAfter does the same at the end of an activity's job. One of the activities
// that the turn asks for then follows on the goroutine of that job.
func (w *Worker) workAfter(s *session) {
	s.lends, s.lent = true, false
	w.makeTurns(s, 0)
}

func (w *Worker) makeTurns(s *session, rounds int) {
	for n := 1; ; n++ {
		mail, more := w.pickUp(s)
		if !more {
			return
		}
		if s.lent {
			s.lent = false
			w.activities.spread()
		}
		w.attend(s, mail)
		if n == rounds {
			go w.work(s, 0)
			return
		}
	}
}
