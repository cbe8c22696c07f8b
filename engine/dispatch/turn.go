package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// maxAttempts is how often a turn is tried before its messages go to the inbox
// or back to their senders; results and offers are kept and tried again.
const maxAttempts = 5

// attend makes the turn that a batch of mail calls for, again and again until
// it is durable or nothing is left to be carried.
func (w *Worker) attend(s *session, mail []*delivery) {
	defer w.leaveLane(s)
	for attempt := 1; ; attempt++ {
		err := w.guarded(s, mail)
		if err == nil {
			w.forgetLeft(s.id)
			w.putBack(s, mail)
			return
		}
		s.forget()
		switch {
		case isFinal(err):
			w.handOver(s.id, mail, err)
			return
		case errors.Is(err, engine.ErrUnknownName), errors.Is(err, errVersion):
			w.leave(s.id, mail, err)
			return
		case errors.Is(err, errQueued):
			w.handOver(s.id, mail, err)
			w.passOn(w.context, bellsOf(mail), firstPass)
			return
		case w.isHopeless(err, attempt):
			if mail = w.setAside(s.id, mail, err); len(mail) == 0 {
				return
			}
		}
		w.o.Telemetry.Missed(err)
		if attempt >= maxAttempts {
			w.o.Logger.Error("make a turn", "instance", s.id, "attempt", attempt, "error", err)
			if mail = w.handOver(s.id, mail, err); len(mail) == 0 {
				return
			}
		}
		if !errors.Is(err, store.ErrConflict) && !w.pause(w.context, attempt) {
			w.handOver(s.id, mail, err)
			return
		}
	}
}

// maxPause is how long a worker waits at most before it tries again what the
// storage refused. A store that is asked for less does not recover from more.
const maxPause = 30 * time.Second

// pause waits longer from one attempt to the next, from 10 ms on. It reports
// false when the context ended.
func (w *Worker) pause(ctx context.Context, attempt int) bool {
	return sleep(ctx, min(10*time.Millisecond<<min(attempt, 12), maxPause))
}

// sleep waits, and reports whether the context goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// handOver gives up on making the turn here. Messages go to the inbox, where
// any worker finds them; a doorbell stays hidden and rings again after its
// lease. What it returns are results of activities, and offers of calls, which
// exist only here.
func (w *Worker) handOver(id string, mail []*delivery, why error) (results []*delivery) {
	for _, d := range mail {
		switch {
		case d.isResult(), d.offer != nil:
			results = append(results, d)
		case d.try != nil:
			d.answered(why)
		case d.done || !d.isMessage():
		case d.create:
			d.answered(w.store.Create(w.context, id, d.message, d.replace...))
		default:
			d.answered(unlessDurable(why, w.sendOn(id, d)))
		}
	}
	return results
}

// sendOn puts a message into the inbox, unless a commit that seems to have failed has
// recorded it.
func (w *Worker) sendOn(id string, d *delivery) error {
	if !d.unsure {
		return w.store.Send(w.context, id, d.message)
	}
	recorded, err := w.store.History(w.context, id)
	if err == nil && !slices.ContainsFunc(recorded, func(e history.Event) bool { return tellsOf(e, d.message.Message) }) {
		err = w.store.Send(w.context, id, d.message)
	}
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("send to instance %s: %w", id, errReplaced)
	}
	return err
}

// unlessDurable is what a sender is told: nothing went wrong if the message got
// into the inbox, else why no turn was made either.
func unlessDurable(why, err error) error {
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrFinished) || errors.Is(err, store.ErrTooMany) {
		return err
	}
	return errors.Join(why, err)
}

// turn makes one turn with the mail. After an error nothing of the mail has
// been answered, unless for good, and what is in memory must be dropped.
func (w *Worker) turn(s *session, mail []*delivery) error {
	inbox, err := w.load(s, mail)
	if err != nil {
		return err
	}
	p := w.plan(s, mail)
	if s.row.Fault != nil && p.start == nil {
		return w.parked(s, p, inbox)
	}
	if !p.living {
		rewound, err := w.rewind(s, p, inbox)
		if err != nil {
			return err
		}
		if !rewound {
			w.hush(s)
			return w.rest(s, p)
		}
		inbox = nil
	}
	if p.start != nil {
		s.close()
		s.live = w.registry.Replay(s.id, nil, w.replayOptions())
		p.stale, inbox = inbox, nil
	}
	for {
		if err := w.step(s, p, inbox); err != nil || s.row.Status != history.ContinuedAsNew {
			return err
		}
		p, inbox = &plan{living: true}, nil
	}
}

// step makes a turn of one execution, and lets follow what follows from it.
func (w *Worker) step(s *session, p *plan, inbox []history.Event) error {
	if p.rewound == nil {
		p.before = s.outstanding()
		w.decline(s, p)
		w.takeOver(s, p)
	}
	p.began = time.Now()
	heard, err := w.believed(s.id, slices.Concat(inbox, p.messages, w.interrupted(p)))
	if err != nil {
		return err
	}
	decision, err := w.decide(s, heard)
	if err != nil {
		return err
	}
	if err := w.begins(s, p); err != nil {
		return err
	}
	if decision.Begun != nil {
		p.before, p.taken = nil, nil // those of another execution
	}
	p.sends = s.live.Sends(decision.Events)
	if err := w.sendFirst(s, p, p.start != nil || p.rewound != nil || decision.Begun != nil); err != nil {
		return err
	}
	w.give(s, p)
	if len(decision.Events)+len(inbox)+len(p.taken)+len(p.given)+len(p.tried) > 0 || w.hasSent(s) || isOld(s) {
		err = w.commit(s, p, inbox, decision)
	} else if len(p.messages) > 0 && !s.fresh {
		// Nobody waits for them; but if what is in memory is out of date, no commit
		// would tell.
		err = fmt.Errorf("take messages of instance %s from memory: %w", s.id, store.ErrConflict)
	} else {
		err = w.release(s, p)
	}
	if err != nil {
		return err
	}
	for _, d := range p.accepted {
		d.answer.Verdict, d.answer.Known = s.live.Verdict(d.message)
		d.answer.Instance = s.row
		d.answered(nil)
	}
	for _, d := range p.tried {
		d.answered(nil)
	}
	w.pass(s, p)
	w.hush(s)
	w.run(s, p)
	return w.send(s, p.sends)
}

// load brings the session up to date and returns the inbox. A doorbell means
// that there may be something in it. Without one, an instance that was living
// when it was last seen is taken on trust, as the commit will tell; and so is
// that a start is the first, once.
func (w *Worker) load(s *session, mail []*delivery) (inbox []history.Event, err error) {
	s.fresh = !w.trusts(s, mail)
	if !s.fresh {
		return nil, nil
	}
	known := s.row.Version
	if s.live == nil || s.row.Fault != nil {
		known = ""
	}
	state, err := w.store.Load(w.context, s.id, known)
	switch {
	case errors.Is(err, store.ErrNotFound):
		s.forget()
		s.known = true
		return nil, nil
	case errors.Is(err, store.ErrCorrupt) && state.Instance.Fault != nil:
		state.History = remains(&state.Instance)
	case err != nil:
		return nil, err
	}
	s.row, s.known = state.Instance, true
	w.recognise(s)
	w.tellLate(s)
	s.settle(mail, state.History)
	byAcceptance(state.Inbox)
	ended := s.row.Status.IsTerminal()
	if !ended || slices.ContainsFunc(state.Inbox, isRewinding) {
		if err := w.takeNote(s, mail); err != nil {
			return nil, err
		}
	}
	if state.Unchanged {
		return state.Inbox, nil
	}
	s.close()
	if ended {
		return state.Inbox, nil
	}
	w.replay(s, state.History)
	return state.Inbox, nil
}

// byAcceptance puts messages into the order of their acceptance. Their ids sort so
// too, but for those that stand for an idempotency key. The start was the first,
// whatever the clock of who sent another one right after it.
func byAcceptance(inbox []history.Event) {
	slices.SortStableFunc(inbox, func(a, b history.Event) int {
		if first := cmp.Compare(rank(a), rank(b)); first != 0 {
			return first
		}
		return a.Time.Compare(b.Time)
	})
}

func rank(e history.Event) int {
	if e.Kind == history.ExecutionStarted {
		return 0
	}
	return 1
}

// settle answers the messages that were recorded by a commit which seemed to
// have failed. Results have no senders: whether they are recorded, the execution
// knows.
func (s *session) settle(mail []*delivery, recorded []history.Event) {
	for _, d := range mail {
		id := d.message.Message
		if !d.unsure || id == "" {
			continue
		}
		at := slices.IndexFunc(recorded, func(e history.Event) bool { return tellsOf(e, id) })
		if at < 0 {
			continue
		}
		d.answer.Instance = s.row
		d.answer.Verdict, d.answer.Known = recorded[at].Judged(id)
		d.answered(nil)
	}
}

// tellsOf reports whether an event is a message, or says that an execution
// before had it.
func tellsOf(e history.Event, message string) bool {
	return e.Message == message || e.Carried != nil && slices.Contains(e.Carried.Seen, message)
}

// trusts reports whether a turn may be made without looking at the store.
func (w *Worker) trusts(s *session, mail []*delivery) bool {
	for _, d := range mail {
		if !d.isMessage() && !d.sent && d.offer == nil || d.unsure || d.create && s.known {
			return false
		}
	}
	if s.row.Fault != nil || s.row.TurnTries > 0 {
		return false
	}
	first := mail[0]
	if s.known && (s.isLiving() || first.sent && len(mail) == 1) {
		return true
	}
	if s.known || !first.create || first.tried || first.done {
		return false
	}
	first.tried = true
	return true
}

// plan is what a batch of mail means for an instance as it stands.
type plan struct {
	start    *history.Event // begins a new execution
	messages []history.Event
	accepted []*delivery
	bells    []store.Doorbell
	stale    []history.Event // messages for an execution that gives way
	rewound  *engine.Rewound // the execution goes on from where it failed
	offered  []task          // calls to be given away
	living   bool
	began    time.Time

	tried []*delivery    // calls to be begun, of which the row is to take note
	died  map[int32]bool // calls that may have been begun by a worker which died

	before map[int32]*history.Event // calls without a result before the turn
	taken  map[int32]*history.Event // those of them that are taken over
	sends  []engine.Send            // what the turn decided to send

	given    []int32          // calls that the turn gives away
	givenBy  store.Doorbell   // rings for them
	declined []store.Doorbell // for work that others are to take over
}

// plan sorts the mail into what the turn will carry and what is answered at
// once.
func (w *Worker) plan(s *session, mail []*delivery) *plan {
	p := &plan{living: s.isLiving()}
	exists := s.row.Version != ""
	execution, first := s.row.Execution, s.row.First
	for _, d := range mail {
		switch {
		case d.done:
			continue
		case d.look, d.sent:
			continue
		case d.offer != nil:
			p.offered = append(p.offered, w.withdraw(s, d.offer)...)
			continue
		case d.try != nil:
			p.tried = append(p.tried, d)
			continue
		case !d.isMessage():
			p.bells = append(p.bells, d.bell)
			continue
		case d.create && exists && d.message.Execution == execution && p.start != nil:
			p.accepted = append(p.accepted, d) // the same start twice in one batch
			continue
		case d.create && exists && (d.message.Execution == execution || d.message.Execution == first):
			d.answered(nil)
			continue
		case d.create && p.start != nil:
			continue // what becomes of the start before it is not durable yet
		case d.create && exists && !s.row.MayGo(d.replace):
			d.answered(fmt.Errorf("create instance %s: %w", s.id, store.ErrExists))
			continue
		case d.create:
			p.messages = nil // they were for an execution that gives way
			p.start, p.living, exists, execution, first = &d.message, true, true, d.message.Execution, ""
		case !exists && !d.unsure:
			d.answered(fmt.Errorf("send to instance %s: %w", s.id, store.ErrNotFound))
			continue
		case d.unsure && (!exists || p.start == nil && d.unsureOf != origin(s.row)):
			d.answered(fmt.Errorf("send to instance %s: %w", s.id, errReplaced))
			continue
		case !p.living && s.row.Takes(d.message.Kind) != nil:
			d.answered(fmt.Errorf("send to instance %s: %w", s.id, store.ErrFinished))
			continue
		}
		p.messages = append(p.messages, d.message)
		p.accepted = append(p.accepted, d)
	}
	return p
}

// release answers doorbells for which there was nothing to write down, and lets
// go of the session's own when nothing is in hand any more.
func (w *Worker) release(s *session, p *plan) error {
	for _, bell := range p.bells {
		answer := w.store.Release
		if w.isWaitedFor(s, bell) {
			// It rang although the work goes on here.
			answer = w.store.Extend
			if !w.isWaitedFor(s, s.held) {
				w.hold(s, bell)
			}
		}
		if err := answer(w.context, bell); err != nil {
			return err
		}
	}
	if w.isWaitedFor(s, s.held) {
		return nil
	}
	return w.letGo(s)
}

// isWaitedFor reports whether work of the hand with this doorbell is not done, or
// not written down as done.
func (w *Worker) isWaitedFor(s *session, bell store.Doorbell) bool {
	if bell == (store.Doorbell{}) {
		return false
	}
	for _, hand := range s.row.Hands {
		if hand.Receipt == bell.Receipt && (len(s.unfinished(hand)) > 0 || len(hand.Sends) > 0) {
			return true
		}
	}
	return false
}

// hold makes bell the session's own, and returns the one it had before.
func (w *Worker) hold(s *session, bell store.Doorbell) (before store.Doorbell) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, s.held = s.held, bell
	return before
}

// letGo releases the doorbell that the session holds.
func (w *Worker) letGo(s *session) error {
	if bell := w.hold(s, store.Doorbell{}); bell != (store.Doorbell{}) {
		return w.store.Release(w.context, bell)
	}
	return nil
}

// errReplaced tells a sender that nobody knows whether an execution took the
// message that is not there any more.
var errReplaced = errors.New("the instance was purged or begun anew meanwhile; whether it took the message before is not known")

// origin returns the execution that an instance's row began as, before it continued
// as new.
func origin(row store.Instance) string { return cmp.Or(row.First, row.Execution) }

// commit makes the decision durable.
func (w *Worker) commit(s *session, p *plan, inbox []history.Event, d engine.Decision) error {
	turn := store.Turn{Base: s.row.Version, Append: p.append(d), Answered: w.answeredBy(s, p)}
	for _, e := range slices.Concat(p.stale, inbox) {
		turn.Consumed = append(turn.Consumed, e.Message)
	}
	turn.Instance = w.nextRow(s, p, d)
	turn.Instance.Hands, turn.Hold = w.hands(s, p, turn)
	err := w.write(s, turn)
	took := time.Since(p.began)
	if err != nil {
		for _, d := range p.accepted {
			d.unsure, d.unsureOf = true, origin(turn.Instance)
		}
		s.untold = &turned{turn.Instance, d, took}
		return err
	}
	w.log(s, d)
	w.o.Telemetry.Turned(s.row, d, took)
	return nil
}

// answeredBy returns the doorbells that a commit makes superfluous.
func (w *Worker) answeredBy(s *session, p *plan) []store.Doorbell {
	if s.held == (store.Doorbell{}) || len(p.given) > 0 {
		return p.bells
	}
	return append(p.bells, s.held)
}

// write commits a turn.
func (w *Worker) write(s *session, turn store.Turn) error {
	version, err := w.store.Commit(w.context, turn)
	sure := err == nil
	if err != nil {
		if version, err = w.isMine(s, turn.Instance.Turn, err); err != nil {
			if turn.Hold {
				s.tried = append(s.tried, turn.Instance.Turn)
			}
			return err
		}
	}
	s.row, s.known = turn.Instance, sure // a message may have come before isMine looked
	s.row.Version = version
	w.forgetSent(s)
	held := store.Doorbell{}
	if turn.Hold {
		held = s.doorbell(turn.Instance.Turn)
	}
	w.hold(s, held)
	s.tried = nil
	return nil
}

// doorbell returns that of the hand which a turn of this worker holds.
func (s *session) doorbell(turn string) store.Doorbell {
	return store.Doorbell{Instance: s.id, Receipt: turn, TakeOver: true}
}

// recognise finds out that a turn was written which seemed to have failed, and
// makes the doorbell for its work the session's own.
func (w *Worker) recognise(s *session) {
	for _, hand := range s.row.Hands {
		if slices.Contains(s.tried, hand.Receipt) {
			w.hold(s, s.doorbell(hand.Receipt))
			s.tried = nil
			return
		}
	}
}

// isMine finds out whether a commit that seems to have failed was made after
// all: an answer may be lost, and a repeated request meets its own first.
func (w *Worker) isMine(s *session, token string, failed error) (store.Version, error) {
	if isFinal(failed) {
		return "", failed
	}
	now, err := w.store.Get(w.context, s.id)
	if err != nil || now.Turn != token {
		return "", failed
	}
	return now.Version, nil
}

// nextRow is the instance's row after the turn.
func (w *Worker) nextRow(s *session, p *plan, d engine.Decision) store.Instance {
	row := s.row
	if p.start != nil {
		row = store.NewInstance(s.id, p.start)
	}
	if d.Begun != nil {
		first, revoked := cmp.Or(row.First, row.Execution), row.Revoked
		row = store.NewInstance(s.id, d.Begun)
		row.First, row.Revoked = first, revoked
	}
	if p.rewound != nil {
		row.First = cmp.Or(row.First, row.Execution)
		row.Execution, row.Events = p.rewound.Run, len(p.rewound.Past)
	}
	if len(d.Events) > 0 {
		row.Updated = d.Events[0].Time
	}
	row.Status, row.Output, row.Failure, row.CustomStatus, row.External = d.Status, d.Output, d.Failure, d.CustomStatus, d.External
	row.Completed = time.Time{}
	if d.Status.IsTerminal() {
		row.Completed = row.Updated
	}
	row.Wake = s.live.NextTimer()
	row.Fault, row.TurnTries, row.TaskTries = nil, 0, taskTries(s, p)
	row.Events += len(d.Events)
	row.Turn = newToken()
	return row
}

func (w *Worker) log(s *session, d engine.Decision) {
	id, execution, name := s.id, s.row.Execution, s.row.Name
	if w.o.Logger.Enabled(w.context, slog.LevelDebug) {
		w.o.Logger.Debug("turn", "instance", id, "execution", execution, "orchestration", name, "status", d.Status.String(), "events", len(d.Events))
	}
	if d.HalfFull {
		w.o.Logger.Warn("the history is half full; the orchestration should continue as new", "instance", id, "execution", execution, "orchestration", name, "events", s.row.Events)
	}
	switch {
	case d.Failure != nil:
		w.o.Logger.Warn("failed", "instance", id, "execution", execution, "orchestration", name, "failure", d.Failure.String())
	case d.Status.IsTerminal():
		w.o.Logger.Info("ended", "instance", id, "execution", execution, "orchestration", name, "status", d.Status.String())
	}
}
