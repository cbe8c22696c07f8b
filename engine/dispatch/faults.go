package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// suspicious is how many deaths of workers in a row make that suspicious which
// they had begun. From then on it is written down, before it is begun, that it is.
const suspicious = 2

// maxFaultReason is how many bytes say why an instance is parked.
const maxFaultReason = 2000

var (
	// errQueued is returned for a turn that must wait for another suspicious one.
	errQueued = errors.New("other turns that workers may have died of are made first")
	// errParked keeps the code of an instance from running that is parked.
	errParked = errors.New("the instance is parked")
	// errUnwanted tells whoever is about to begin a call that nobody waits for it.
	errUnwanted = errors.New("nobody waits for the call any more")
)

// panicError is a panic of what makes a turn, and not of the orchestration's code.
type panicError struct{ value any }

// Error says what the panic said.
func (e *panicError) Error() string { return fmt.Sprintf("the turn panicked: %v", e.value) }

// wornError says that something was begun as often as may be.
type wornError struct{ what string }

// Error says what was.
func (e *wornError) Error() string { return e.what }

// guarded makes a turn, and an error of a panic.
func (w *Worker) guarded(s *session, mail []*delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.o.Logger.Error("a turn panicked", "instance", s.id, "panic", p, "stack", string(debug.Stack()))
			err = &panicError{p}
		}
	}()
	return w.turn(s, mail)
}

// isHopeless reports whether a turn failed so often, for a reason that time does
// not mend, that it is not tried again.
func (w *Worker) isHopeless(err error, attempt int) bool {
	var panicked *panicError
	var worn *wornError
	poisoned := errors.As(err, &panicked) || errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrTooLarge)
	return errors.As(err, &worn) || poisoned && attempt >= w.o.Tries
}

// setAside parks an instance whose turn is hopeless. If the turn was to take
// messages that are not durable yet, they may be what is wrong: then they go to the
// inbox, or back to their senders, and the turn is made once more for what is left.
// It returns results of activities.
func (w *Worker) setAside(id string, mail []*delivery, why error) (results []*delivery) {
	fresh := slices.ContainsFunc(mail, func(d *delivery) bool { return d.isMessage() && !d.isResult() && !d.done })
	results = w.handOver(id, mail, why)
	if fresh {
		return results
	}
	if err := w.park(id, why, bellsOf(mail)); err != nil {
		w.o.Logger.Error("park an instance", "instance", id, "failure", why, "error", err)
	}
	return results
}

// park writes down that an instance is parked, and why, and takes doorbells away.
// It needs nothing of the instance but its row.
func (w *Worker) park(id string, why error, bells []store.Doorbell) error {
	reason := why.Error()
	if len(reason) > maxFaultReason {
		reason = reason[:maxFaultReason]
	}
	for {
		in, err := w.store.Get(w.context, id)
		if err != nil {
			return err
		}
		if in.Fault != nil || in.Status.IsTerminal() && errors.Is(why, store.ErrCorrupt) {
			return w.releaseAll(bells)
		}
		in.Fault = &store.Fault{Reason: strings.ToValidUTF8(reason, ""), Since: w.o.Now().UTC().Round(0), Was: in.Status}
		in.Status, in.Wake, in.Turn = history.Suspended, time.Time{}, newToken()
		_, err = w.store.Commit(w.context, store.Turn{Base: in.Version, Instance: in, Answered: bells})
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err == nil {
			w.o.Logger.Error("parked", "instance", id, "orchestration", in.Name, "failure", why)
		}
		return err
	}
}

// parked deals with what reaches an instance that is parked: it waits in the inbox,
// and nothing rings for it. But a termination ends the instance, without running
// its code.
func (w *Worker) parked(s *session, p *plan, inbox []history.Event) error {
	if slices.ContainsFunc(slices.Concat(inbox, p.messages), func(m history.Event) bool { return m.Kind == history.ExecutionTerminated }) {
		if err := w.step(s, p, inbox); !errors.Is(err, errParked) && !errors.Is(err, engine.ErrUnknownName) {
			return err
		}
	}
	for _, d := range p.tried {
		d.answered(errParked)
	}
	for _, d := range p.accepted {
		message := d.message
		if d.isResult() {
			message.Message = fmt.Sprintf("result-%s-%d", message.Execution, message.TaskID)
		}
		err := w.store.Send(w.context, s.id, message)
		if !isSettled(err) {
			return err
		}
		d.answered(err)
	}
	if err := w.releaseAll(p.bells); err != nil {
		return err
	}
	return w.letGo(s)
}

// isSettled reports whether it is settled what becomes of a message.
func isSettled(err error) bool {
	return err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrFinished) || errors.Is(err, store.ErrTooMany) || errors.Is(err, store.ErrTooLarge)
}

func (w *Worker) releaseAll(bells []store.Doorbell) error {
	for _, bell := range bells {
		if err := w.store.Release(w.context, bell); err != nil {
			return err
		}
	}
	return nil
}

// remains is a history made of an instance's row alone, of an instance whose own
// cannot be understood: enough for it to be terminated and for its parent to hear
// of that.
func remains(in *store.Instance) []history.Event {
	return []history.Event{
		{Kind: history.OrchestratorStarted, ID: int32(in.Events), Time: in.Updated}, // what follows has higher numbers than what there was
		{
			Kind: history.ExecutionStarted, ID: history.Outside, Time: in.Created, Name: in.Name, Execution: in.Execution, Origin: in.First,
			Input: in.Input, Parent: in.Parent, Version: in.CodeVersion, Tags: in.Tags, Secret: in.Secret,
		},
	}
}

// takeNote writes down that a turn is about to be made, if workers may have died of
// it; or finds that this was so too often. Suspicious turns that did not come to
// their end before are made one at a time, so that one which kills its worker does
// not make others look guilty.
func (w *Worker) takeNote(s *session, mail []*delivery) error {
	deaths := 0
	for _, d := range mail {
		deaths = max(deaths, d.bell.Deaths)
	}
	row := s.row
	switch {
	case s.noted, row.Fault != nil, deaths < suspicious && row.TurnTries == 0:
		return nil
	case !w.registry.HasOrchestrator(row.Name) || w.admit(row.CodeVersion) != nil:
		return nil // it is for another worker
	case row.TurnTries >= w.o.Tries:
		return &wornError{fmt.Sprintf("a turn was begun %d times, and each time the worker went away in the midst of it", row.TurnTries)}
	case row.TurnTries > 0 && !w.enterLane(s):
		return errQueued
	}
	row.TurnTries++
	row.Turn = newToken()
	version, err := w.store.Commit(w.context, store.Turn{Base: row.Version, Instance: row})
	if err != nil {
		return err
	}
	w.o.Logger.Warn("make a turn that workers may have died of", "instance", s.id, "orchestration", row.Name, "attempt", row.TurnTries)
	row.Version = version
	s.row, s.noted = row, true
	return nil
}

// enterLane waits for its turn among suspicious ones, for a part of a lease at most.
func (w *Worker) enterLane(s *session) bool {
	if w.isInLane(s) {
		return true
	}
	timer := time.NewTimer(w.store.Lease() / 4)
	defer timer.Stop()
	select {
	case w.lane <- struct{}{}:
	case <-timer.C:
		return false
	case <-w.context.Done():
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.inLane = true
	return true
}

func (w *Worker) isInLane(s *session) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.inLane
}

// leaveLane lets the next suspicious turn be made, if this was one.
func (w *Worker) leaveLane(s *session) {
	s.noted = false
	w.freeLane(s)
}

func (w *Worker) freeLane(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.inLane {
		s.inLane = false
		<-w.lane
	}
}

// isOld reports whether the row must be written although the turn did nothing: it
// says that the turn was begun, or does not say when it is to be looked at next,
// as after it was parked.
func isOld(s *session) bool {
	return s.row.TurnTries > 0 || !s.live.NextTimer().Equal(s.row.Wake)
}

// replay brings the execution back, without its code if the instance is parked.
func (w *Worker) replay(s *session, past []history.Event) {
	s.close()
	o := w.replayOptions()
	if s.row.Fault != nil {
		o.Admit = func(string) error { return errParked }
	}
	defer w.runCode(s)()
	s.live = w.registry.Replay(s.id, past, o)
}

// decide lets the execution make its decision. That of an instance which is parked
// knows nothing but the end.
func (w *Worker) decide(s *session, messages []history.Event) (engine.Decision, error) {
	defer w.runCode(s)()
	d, err := s.live.Turn(w.o.Now(), messages)
	if s.row.Fault != nil {
		d.CustomStatus, d.External = s.row.CustomStatus, s.row.External
	}
	return d, err
}

// runCode takes note that the orchestration's code begins to run, and returns what
// takes note that it rests again.
func (w *Worker) runCode(s *session) func() {
	s.code.Store(w.runs.Add(1))
	return func() { s.code.Store(0) }
}

// stuck returns the sessions whose code has been running for longer than it may.
// It is called once in an interval, and counts calls rather than time: time may
// have gone by while the whole process stood still.
func (w *Worker) stuck(interval time.Duration) (list []*session) {
	if w.o.MaxTurn < 0 {
		return nil
	}
	most := int(max(w.o.MaxTurn/interval, 1))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sessions {
		code := s.code.Load()
		if code == 0 || code != s.seen {
			s.seen, s.looks = code, 0
			continue
		}
		if s.looks++; s.looks == most {
			list = append(list, s)
		}
	}
	return list
}

// parkStuck parks an instance whose code does not come to a wait. The turn that it
// is in, should it ever end, is not written then.
func (w *Worker) parkStuck(s *session) {
	w.freeLane(s)
	why := fmt.Errorf("the code of a turn has been running for %v and did not come to a wait: does it loop, or wait for something else than the engine's tasks?", w.o.MaxTurn)
	if err := w.park(s.id, why, nil); err != nil {
		w.o.Logger.Error("park an instance", "instance", s.id, "failure", why, "error", err)
	}
}

// triesOf returns how often calls were begun in vain, by their numbers.
func triesOf(list []store.TaskTries) map[int32]int {
	if len(list) == 0 {
		return nil
	}
	tries := map[int32]int{}
	for _, t := range list {
		for _, number := range t.Tasks {
			tries[number] = t.Times
		}
	}
	return tries
}

// taskTries is what the row says after the turn of calls that were begun in vain:
// one more of those that a worker which died may have begun, until they are
// suspicious, and of those that are about to be begun in spite of that.
func taskTries(s *session, p *plan) (list []store.TaskTries) {
	if len(s.row.TaskTries)+len(p.died)+len(p.tried) == 0 {
		return nil
	}
	before := triesOf(s.row.TaskTries)
	times := map[int][]int32{}
	for _, e := range s.live.Outstanding() {
		n := before[e.ID]
		tried := slices.ContainsFunc(p.tried, func(d *delivery) bool { return *d.try == task{s.live.ID(), e.ID} })
		if tried || p.died[e.ID] && n < suspicious {
			n++
		}
		if n > 0 {
			times[n] = append(times[n], e.ID)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(times)) {
		list = append(list, store.TaskTries{Times: n, Tasks: times[n]})
	}
	return list
}

// begins looks at the calls that are about to be begun although workers may have
// died of them: whether they are still wanted, and not begun too often.
func (w *Worker) begins(s *session, p *plan) error {
	if len(p.tried) == 0 {
		return nil
	}
	tries := triesOf(s.row.TaskTries)
	p.tried = slices.DeleteFunc(p.tried, func(d *delivery) bool {
		if s.waiting(d.try.number) == nil || d.try.execution != s.live.ID() {
			d.answered(errUnwanted)
		}
		return d.done
	})
	for _, d := range p.tried {
		if n := tries[d.try.number]; n >= w.o.Tries {
			return &wornError{fmt.Sprintf("activity %q (call %d) was begun %d times, and each time the worker went away in the midst of it", s.waiting(d.try.number).Name, d.try.number, n)}
		}
	}
	return nil
}

// try runs an activity that workers may have died of, when the row says that it is
// about to be begun. No other such activity runs meanwhile.
func (w *Worker) try(ctx context.Context, call engine.Call, scheduled *history.Event, at *history.Trace) {
	d := &delivery{try: &task{call.Execution, call.Task}}
	if err := w.deliver(ctx, call.Instance, d); err != nil {
		w.abandon(call)
		return
	}
	w.o.Logger.Warn("run an activity that workers may have died of", "instance", call.Instance, "activity", call.Name, "task", call.Task)
	w.perform(ctx, call, scheduled, at, func(s *session) { w.work(s, 0) })
}
