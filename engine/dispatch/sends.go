package dispatch

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// maxSends is how many messages to other instances are on their way at once,
// and at once for one instance whose turn waits for them.
const (
	maxSends    = 64
	maxSendsNow = 16
)

// outgoing is what a session knows of the messages that its instance sends to
// others. It is guarded by Worker.mu.
type outgoing struct {
	queues  map[string][]letter // by receiver; one job is busy with each
	sending map[task]*sending   // what is in the queues, by what decided it
	sent    map[task]bool       // not in the queues, but still in a hand of the row
}

// letter is a message on its way, with the number of the event that decided it.
type letter struct {
	by task
	engine.Send
}

// sending is what one event decided to send: mostly one message.
type sending struct {
	left int
	lost bool // one of them was given up here
}

// send lets what the turn decided be sent, now that it is durable. What an
// execution sends that continues as new is sent before anything else happens,
// as its history is about to be replaced.
func (w *Worker) send(s *session, sends []engine.Send) error {
	if len(sends) == 0 {
		return nil
	}
	if s.row.Status == history.ContinuedAsNew {
		return w.sendNow(s, sends)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.queues == nil {
		s.queues, s.sending = map[string][]letter{}, map[task]*sending{}
	}
	for _, send := range sends {
		l := letter{task{s.row.Execution, send.Number}, send}
		if s.sending[l.by] == nil {
			s.sending[l.by] = &sending{}
		}
		s.sending[l.by].left++
		queue, busy := s.queues[send.To]
		s.queues[send.To] = append(queue, l)
		if !busy {
			w.sends.do(job{run: func() { w.sendAll(s, send.To) }, drop: func() { w.giveUp(s, send.To) }})
		}
	}
	return nil
}

// sendAll sends what an instance has for one receiver, in order. Each turn that
// it calls for is made here if it can be.
func (w *Worker) sendAll(s *session, to string) {
	for l := w.firstLetter(s, to); l != nil; l = w.nextLetter(s, to) {
		if !w.sendSurely(s.id, l.Send) {
			w.giveUp(s, to)
			return
		}
	}
}

// sendSurely tries until the message is durable. It reports false if the worker
// stops or the storage fails for good.
func (w *Worker) sendSurely(from string, send engine.Send) bool {
	for attempt := 1; ; attempt++ {
		err := w.sendOne(w.Instances(), from, send)
		if err == nil {
			return true
		}
		if isFinal(err) || !w.pause(w.context, attempt) {
			return false
		}
		w.o.Logger.Warn("send to another instance", "instance", from, "to", send.To, "message", send.Message.Kind.String(), "name", send.Message.Name, "attempt", attempt, "error", err)
	}
}

func (w *Worker) firstLetter(s *session, to string) *letter {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &s.queues[to][0]
}

// nextLetter takes note that the first letter for a receiver was sent, and
// returns the one behind it; nil if there is none.
func (w *Worker) nextLetter(s *session, to string) *letter {
	w.mu.Lock()
	s.arrive(s.queues[to][0].by, true)
	s.queues[to] = s.queues[to][1:]
	if len(s.queues[to]) > 0 {
		defer w.mu.Unlock()
		return &s.queues[to][0]
	}
	delete(s.queues, to)
	w.nothingToSend(s)
	return nil
}

// giveUp leaves what an instance has for a receiver to whoever takes it over.
func (w *Worker) giveUp(s *session, to string) {
	w.mu.Lock()
	for _, l := range s.queues[to] {
		s.arrive(l.by, false)
	}
	delete(s.queues, to)
	w.nothingToSend(s)
}

// arrive takes note that a letter was sent or given up. Worker.mu must be held.
func (s *session) arrive(by task, sent bool) {
	of := s.sending[by]
	of.left--
	of.lost = of.lost || !sent
	if of.left > 0 {
		return
	}
	delete(s.sending, by)
	if !of.lost {
		s.markSent(by)
	}
}

// markSent takes note that all that an event decided to send was sent.
// Worker.mu must be held.
func (s *session) markSent(by task) {
	if s.sent == nil {
		s.sent = map[task]bool{}
	}
	s.sent[by] = true
}

// nothingToSend lets the session write down what was sent when nothing is on
// its way any more. It releases Worker.mu, which must be held.
func (w *Worker) nothingToSend(s *session) {
	if len(s.sending) > 0 {
		w.mu.Unlock()
		return
	}
	s.mail = append(s.mail, &delivery{sent: true})
	mine := !s.busy
	s.busy = true
	w.mu.Unlock()
	if mine {
		w.work(s, 0)
	}
}

// sendOne brings a message to another instance. It is no error that there is no
// such instance, or that it has ended.
func (w *Worker) sendOne(to store.Instances, from string, send engine.Send) error {
	message := send.Message
	message.Time = w.o.Now().UTC().Round(0)
	err := w.bring(to, from, send, message)
	switch {
	case errors.Is(err, store.ErrOwing):
		return err // it will not be long
	case send.Refused != nil && (errors.Is(err, store.ErrExists) || message.Kind == history.ExecutionRewound && isNowhere(err)):
		return w.sendOne(to, from, engine.Send{To: from, Message: *send.Refused})
	case errors.Is(err, store.ErrExists), errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrFinished):
		w.o.Logger.Info("not sent", "instance", from, "to", send.To, "message", message.Kind.String(), "name", message.Name, "error", err)
		return nil
	}
	return err
}

// bring brings a message to the store. A rewinding is for a child, and not for who has
// its id since.
func (w *Worker) bring(to store.Instances, from string, send engine.Send, message history.Event) error {
	switch message.Kind {
	case history.ExecutionStarted:
		return to.Create(w.context, send.To, message)
	case history.ExecutionRewound:
		mine, err := w.isChild(send.To, from, send.Refused)
		if err != nil {
			return err
		}
		if !mine {
			return fmt.Errorf("rewind the child %s: %w", send.To, store.ErrNotFound)
		}
	}
	return to.Send(w.context, send.To, message)
}

// believed leaves out of an instance's messages what is told of children that were
// not begun, and were. Two workers may send the same start: one that is told that
// the id is taken says so late, when the other's try has begun the child. The
// messages are no longer to be used.
func (w *Worker) believed(id string, messages []history.Event) ([]history.Event, error) {
	var failed error
	heard := slices.DeleteFunc(messages, func(m history.Event) bool {
		begun, err := w.wasBegun(id, &m)
		failed = errors.Join(failed, err)
		return begun
	})
	return heard, failed
}

// wasBegun reports whether a message says that a child was not begun which is there.
func (w *Worker) wasBegun(id string, m *history.Event) (bool, error) {
	if m.Kind != history.SubOrchestrationInstanceFailed || m.InstanceID == "" {
		return false, nil
	}
	return w.isChild(m.InstanceID, id, m)
}

// isChild reports whether an instance is the one that was begun for the call that a
// result of a parent's is for.
func (w *Worker) isChild(id, parent string, result *history.Event) (bool, error) {
	child, err := w.store.Get(w.context, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCorrupt) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the child %s: %w", id, err)
	}
	of := child.Parent
	return of != nil && of.Instance == parent && of.Execution == result.Execution && of.Task == result.TaskID, nil
}

// isNowhere reports whether a message has nobody to reach.
func isNowhere(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrFinished)
}

// sendFirst sends what earlier turns decided and what must be sent before this
// one is durable: what was in the hands of a worker that is gone, what must not
// be overtaken by what this turn sends, and everything when the history is
// replaced, as it could not be found again.
func (w *Worker) sendFirst(s *session, p *plan, replaced bool) error {
	due := w.dueFirst(s, p, replaced)
	if len(due) == 0 {
		return nil
	}
	past, err := w.store.History(w.context, s.id)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(past, func(e history.Event) bool {
		return e.Kind == history.ExecutionStarted && e.Execution == s.row.Execution
	}) {
		return fmt.Errorf("find what instance %s has to send: %w", s.id, store.ErrConflict)
	}
	sends := slices.DeleteFunc(w.registry.Sends(s.id, past), func(send engine.Send) bool { return !due[send.Number] })
	return w.sendNow(s, sends)
}

// dueFirst returns the numbers of what must be sent before the turn is durable.
func (w *Worker) dueFirst(s *session, p *plan, replaced bool) map[int32]bool {
	var due map[int32]bool
	for _, hand := range s.row.Hands {
		gone := slices.ContainsFunc(p.bells, func(b store.Doorbell) bool { return b.TakeOver && b.Receipt == hand.Receipt })
		for _, n := range w.unsent(s, hand) {
			if !replaced && (!gone && len(p.sends) == 0 || w.isSending(s, n)) {
				continue
			}
			if due == nil {
				due = map[int32]bool{}
			}
			due[n] = true
		}
	}
	return due
}

func (w *Worker) isSending(s *session, number int32) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.sending[task{s.row.Execution, number}] != nil
}

// sendNow sends while the session's turn waits. The messages go straight to the
// store: a turn must not wait for that of another instance, which may be waiting
// for this one.
func (w *Worker) sendNow(s *session, sends []engine.Send) error {
	queues := map[string][]engine.Send{}
	var receivers []string
	for _, send := range sends {
		if queues[send.To] == nil {
			receivers = append(receivers, send.To)
		}
		queues[send.To] = append(queues[send.To], send)
	}
	errs := make(chan error, len(receivers))
	places := make(chan struct{}, maxSendsNow)
	var wait sync.WaitGroup
	for _, to := range receivers {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			errs <- w.sendInOrder(s.id, queues[to])
		})
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return fmt.Errorf("send to other instances: %w", err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, send := range sends {
		s.markSent(task{s.row.Execution, send.Number})
	}
	return nil
}

func (w *Worker) sendInOrder(from string, sends []engine.Send) error {
	for _, send := range sends {
		if err := w.sendOne(w.store, from, send); err != nil {
			return err
		}
	}
	return nil
}

// rest sees to an instance that has ended: it sends what a worker that is gone
// left, and writes down what was sent.
func (w *Worker) rest(s *session, p *plan) error {
	if err := w.sendFirst(s, p, false); err != nil {
		return err
	}
	if !w.hasSent(s) {
		return w.release(s, p)
	}
	turn := store.Turn{Base: s.row.Version, Instance: s.row, Answered: w.answeredBy(s, p)}
	turn.Instance.Turn = newToken()
	turn.Instance.Hands, turn.Hold = w.hands(s, p, turn)
	return w.write(s, turn)
}

// unsent returns the sends of a hand that are not known to be made.
func (w *Worker) unsent(s *session, hand store.Hand) []int32 {
	if len(hand.Sends) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(hand.Sends), func(n int32) bool { return s.sent[task{s.row.Execution, n}] })
}

// hasSent reports whether a hand of the row has something that was sent, while
// nothing is on its way: time to write it down.
func (w *Worker) hasSent(s *session) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(s.sent) > 0 && len(s.sending) == 0 && slices.ContainsFunc(s.row.Hands, func(hand store.Hand) bool {
		return slices.ContainsFunc(hand.Sends, func(n int32) bool { return s.sent[task{s.row.Execution, n}] })
	})
}

// forgetSent forgets what no hand of the row, which was just written, has any
// more.
func (w *Worker) forgetSent(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for t := range s.sent {
		if t.execution != s.row.Execution || !slices.ContainsFunc(s.row.Hands, func(hand store.Hand) bool { return slices.Contains(hand.Sends, t.number) }) {
			delete(s.sent, t)
		}
	}
}
