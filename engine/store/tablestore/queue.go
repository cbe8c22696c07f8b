package tablestore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// maxReceived is how many messages Azure hands out in one answer.
const maxReceived = 32

// poller says when the queue is looked at: at once when something was put here,
// otherwise less and less often.
type poller struct {
	mu     sync.Mutex
	pause  time.Duration
	next   time.Time
	alarms alarms // when what was put here rings
	swept  time.Time
	rung   chan struct{} // holds a token when a receiver should think again
}

func newPoller() poller { return poller{rung: make(chan struct{}, 1)} }

// signal lets a receiver that waits think again.
func (p *poller) signal() {
	select {
	case p.rung <- struct{}{}:
	default:
	}
}

// rings says that something rings now.
func (p *poller) rings() {
	p.mu.Lock()
	p.pause, p.next = 0, time.Time{}
	p.mu.Unlock()
	p.signal()
}

// found takes note of a poll.
func (p *poller) found(now time.Time, any bool, floor, ceiling time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if any {
		p.pause, p.next = 0, now
		return
	}
	p.pause = min(max(2*p.pause, floor), ceiling)
	p.next = now.Add(p.pause)
}

// heard forgets the alarms up to now. If there were any, the queue is looked at
// again soon, as its clock may be a little behind.
func (p *poller) heard(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alarms.passed(now) {
		p.pause = 0
	}
}

// wait returns how long the queue need not be looked at.
func (p *poller) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.next
	if at, any := p.alarms.first(); any && at.Before(next) {
		next = at
	}
	return next.Sub(now)
}

// Receive returns doorbells that ring now, or waits for one.
func (s *Store) Receive(ctx context.Context, most int, wait time.Duration) ([]store.Doorbell, error) {
	bells, err := s.receive(ctx, most, wait)
	if err != nil && !errors.Is(err, store.ErrClosed) {
		err = fmt.Errorf("receive doorbells: %w", asGone(brief(err)))
	}
	return bells, err
}

func (s *Store) receive(ctx context.Context, most int, wait time.Duration) ([]store.Doorbell, error) {
	now := s.o.Now()
	end := now.Add(wait)
	look := wait <= 0
	for {
		select {
		case <-s.closed:
			return nil, store.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		default:
		}
		pause := s.poll.wait(now)
		if look || pause <= 0 {
			bells, err := s.look(ctx, most, now)
			if err != nil || len(bells) > 0 {
				return bells, err
			}
			pause = s.poll.wait(now)
		}
		if !now.Before(end) {
			return nil, nil
		}
		rest := end.Sub(now)
		look = s.sleep(ctx, min(pause, rest)) && pause <= rest
		now = s.o.Now()
	}
}

// sleep waits, and reports whether it did so to the end.
func (s *Store) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.poll.rung:
	case <-ctx.Done():
	case <-s.closed:
	}
	return false
}

// look sweeps the due rows when it is time and asks the queue.
func (s *Store) look(ctx context.Context, most int, now time.Time) (bells []store.Doorbell, err error) {
	if err := s.sweep(ctx, now); err != nil {
		return nil, err
	}
	s.poll.heard(now)
	var found []*message
	for got := maxReceived; len(found) < most && got == maxReceived; {
		var messages []*message
		if messages, got, err = s.dequeue(ctx, min(most-len(found), maxReceived)); err != nil {
			break
		}
		for _, m := range messages {
			found = s.addDistinct(ctx, found, m)
		}
	}
	for _, m := range found {
		bells = append(bells, m.doorbell())
	}
	if len(bells) > 0 {
		s.warn("receive more doorbells", "", err)
		err = nil
	}
	s.poll.found(now, len(bells) > 0, s.o.PollFloor, s.o.PollCeiling)
	return bells, err
}

// addDistinct adds a message to those that were received, or deletes one of two
// that one look answers. The other is still there.
func (s *Store) addDistinct(ctx context.Context, found []*message, m *message) []*message {
	i := slices.IndexFunc(found, m.saysTheSame)
	if i < 0 {
		return append(found, m)
	}
	second := m
	if found[i].Turn == "" {
		second, found[i] = found[i], m
	}
	s.warn("delete a second doorbell", m.Instance, s.remove(ctx, second))
	return found
}

// saysTheSame reports whether one look answers two messages, and not each has a
// turn of its own that relies on it.
func (m *message) saysTheSame(other *message) bool {
	one, two := m.ring, other.ring
	one.Heard, two.Heard = 0, 0
	if one.Turn == "" || two.Turn == "" {
		one.Turn, two.Turn = "", ""
	}
	return one == two
}

// dequeue asks for messages, and returns how many there were with those that
// are not doorbells.
func (s *Store) dequeue(ctx context.Context, most int) (messages []*message, got int, err error) {
	number := int32(most)
	until := s.o.Now().Add(s.o.Lease)
	answer, err := s.queue.DequeueMessages(ctx, &azqueue.DequeueMessagesOptions{NumberOfMessages: &number, VisibilityTimeout: seconds(s.o.Lease)})
	if err != nil {
		return nil, 0, err
	}
	for _, d := range answer.Messages {
		m := &message{id: *d.MessageID, receipt: *d.PopReceipt, visible: until, born: *d.InsertionTime}
		var e envelope
		if d.MessageText == nil || json.Unmarshal([]byte(*d.MessageText), &e) != nil || e.Holdfast.Instance == "" {
			s.o.Logger.Warn("a message in the queue is no doorbell; it is deleted", "message", m.id)
			s.warn("delete a message", "", s.remove(ctx, m))
			continue
		}
		m.ring = e.Holdfast
		if d.DequeueCount != nil {
			m.received = *d.DequeueCount
		}
		if m.TakeOver {
			found, err := s.handOf(ctx, m)
			if err != nil {
				s.warn("receive a doorbell, which will ring again", m.Instance, err)
				continue
			}
			if !found {
				s.warn("release a doorbell", m.Instance, s.release(ctx, m))
				continue
			}
			held := newHeldBell(m)
			held.owes.Store(true)
			s.held.keep(m.doorbell(), held, s.o.Now())
		}
		messages = append(messages, m)
	}
	return messages, len(answer.Messages), nil
}

// Load reads an instance with its inbox, and its history unless known is its
// version.
func (s *Store) Load(ctx context.Context, id string, known store.Version) (state store.State, err error) {
	err = s.with("load", id, func() error {
		if known != "" {
			shot, err := s.readInbox(ctx, id)
			if err != nil {
				return err
			}
			if shot.record == nil {
				return store.ErrNotFound
			}
			if sameTurn(shot.record.Version, known) {
				state, err = s.stateBut(ctx, shot)
				state.Unchanged = true
				if !errors.Is(err, errTorn) {
					return err
				}
			}
		}
		state, err = s.load(ctx, id)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrCorrupt) {
		return store.State{}, err
	}
	return state, err
}

// Extend hides a doorbell for work in hand for another lease.
func (s *Store) Extend(ctx context.Context, bell store.Doorbell) error {
	if bell == (store.Doorbell{}) {
		return nil
	}
	return s.with("extend the doorbell of", bell.Instance, func() error {
		_, err := s.extend(ctx, bell, s.o.Lease)
		return err
	})
}

// Pass lets a doorbell ring again after a while, for whoever receives it.
func (s *Store) Pass(ctx context.Context, bell store.Doorbell, after time.Duration) error {
	if bell == (store.Doorbell{}) {
		return nil
	}
	return s.with("pass on the doorbell of", bell.Instance, func() error {
		m := messageOf(bell)
		if bell.TakeOver {
			h := s.held.get(bell)
			if h == nil {
				return nil
			}
			h.lock()
			defer h.unlock()
			s.held.forget(bell)
			m = &h.message
			m.Heard = m.received + 1 // it was given up, and will be received once more
		}
		if err := s.hide(ctx, m, after); err != nil && !isGone(err) {
			return err
		}
		return nil
	})
}

// Release takes a doorbell away that had no cause, or leaves it for the one
// that its instance gives.
func (s *Store) Release(ctx context.Context, bell store.Doorbell) error {
	if bell == (store.Doorbell{}) {
		return nil
	}
	return s.with("release the doorbell of", bell.Instance, func() error {
		if bell.TakeOver {
			if err := s.mend(ctx, bell.Instance); err != nil {
				return err
			}
			return s.silence(ctx, bell)
		}
		return s.release(ctx, messageOf(bell))
	})
}

// mend writes the projection of an instance, which may not be written when a
// doorbell for work in hand is released: its worker is gone, or does not know
// what became of its turn.
func (s *Store) mend(ctx context.Context, id string) error {
	r, err := s.record(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = s.project(ctx, r, false)
	}
	return err
}

// release takes a message away that rang without a cause, or leaves it for the
// one that its instance gives.
func (s *Store) release(ctx context.Context, m *message) error {
	put := m.ring
	m.ring = ring{Instance: m.Instance, Turn: cmp.Or(m.Turn, m.Receipt)}
	kept, err := s.keptByCause(ctx, m, put)
	if err != nil || kept {
		return err
	}
	return s.remove(ctx, m)
}

// keptByCause looks whether there is something to ring for, and lets the
// message ring for it; as it was put, if that may be under way yet. Otherwise it
// mends what a crash may have left undone: that is what a doorbell without cause
// may have been there for.
func (s *Store) keptByCause(ctx context.Context, m *message, put ring) (kept bool, err error) {
	for range maxReads {
		if kept, err = s.lookForCause(ctx, m, put); !isConflict(err) {
			return kept, err
		}
	}
	return kept, err
}

// lookForCause is keptByCause for an instance that does not change meanwhile,
// which would be a conflict.
func (s *Store) lookForCause(ctx context.Context, m *message, put ring) (bool, error) {
	shot, err := s.readInbox(ctx, m.Instance)
	if err != nil {
		return false, err
	}
	now, r := s.Now(), shot.record
	switch {
	case r == nil && m.isYoung(now):
		m.ring = put // it may be about to be
		return true, s.hideIfOurs(ctx, m, s.o.Lease)
	case r == nil:
		wait, err := s.clearUp(ctx, m.Instance)
		if err != nil || wait == 0 {
			return false, err
		}
		return true, s.hideIfOurs(ctx, m, wait)
	case r.Fault != nil:
		if err := s.fence(ctx, r, m); err != nil {
			return false, err
		}
		return false, s.project(ctx, r, false)
	case r.relies(m, put):
		m.ring = put // its turn was written a moment ago
		return true, s.hideIfOurs(ctx, m, s.o.Lease)
	case r.Status.IsTerminal() && !slices.ContainsFunc(r.own(shot.inbox), isRewinding):
		if err := s.fence(ctx, r, m); err != nil {
			return false, err
		}
		if err := s.removeRows(ctx, shot.inbox); err != nil {
			return false, err
		}
		return false, s.project(ctx, r, false)
	}
	if put.TakeOver {
		// Whatever it rings for next, it is not that turn's work.
		if err := s.fence(ctx, r, m); err != nil {
			return false, err
		}
		m.Turn = ""
	}
	switch {
	case len(r.own(shot.inbox)) > 0, !r.Wake.IsZero() && !r.Wake.After(now):
		return true, s.reveal(ctx, m)
	case r.ringsBy(m, now.Add(s.o.Horizon)):
		return true, s.hideIfOurs(ctx, m, r.Wake.Sub(now))
	}
	if err := s.fence(ctx, r, m); err != nil {
		return false, err
	}
	return false, s.project(ctx, r, false)
}

// isRewinding reports whether a message is for an instance that failed.
func isRewinding(e entity) bool { return e.text("EventType") == history.ExecutionRewound.String() }

// fence sees to it that the turn which relies on a message will not be written
// when the message is gone. If the row is not that turn's, the turn may be under
// way yet; a change of the row makes it a conflict.
func (s *Store) fence(ctx context.Context, r *record, m *message) (err error) {
	if m.Turn == "" || m.Turn == r.Turn {
		return nil
	}
	guard := newEntity(encodeKey(r.ID), sentinelKey)
	guard["IsCheckpointComplete"] = true
	b := &batch{}
	b.merge(guard, r.etag)
	r.etag, err = b.submit(ctx, s.history)
	return err
}

// hideIfOurs lets a message ring after a while, unless somebody else has it.
func (s *Store) hideIfOurs(ctx context.Context, m *message, d time.Duration) error {
	err := s.hide(ctx, m, d)
	if isGone(err) {
		return nil
	}
	return err
}

// ringsBy reports whether the message may be the one that rings for the row's
// Wake: its own, or one that a sweep put for a Wake before the horizon.
func (r *record) ringsBy(m *message, horizon time.Time) bool {
	if r.Wake.IsZero() {
		return false
	}
	if _, isDue := dueTurn(r.wakeBell); isDue {
		return !r.Wake.After(horizon)
	}
	return refer(r.wakeBell).id == m.id
}
