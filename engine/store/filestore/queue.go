package filestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// horizon is how far ahead due rows are kept in memory.
const horizon = 10 * time.Minute

// recover finds everything that must be looked at: work that was in hand when
// the last process went away, messages that wait, timers of the near future.
func (s *Store) recover() error {
	now := s.now()
	err := s.scan([]byte(inboxPrefix), after([]byte(inboxPrefix)), func(key, _ []byte) (bool, error) {
		id := inboxOwner(key)
		s.bells.inbox[id]++
		s.bells.put(id, now)
		return true, nil
	})
	if err != nil {
		return err
	}
	if err := s.recoverHands(now); err != nil {
		return err
	}
	if err := s.loadDue(now); err != nil {
		return err
	}
	s.bells.blame(now, s.deaths)
	return nil
}

// recoverHands rings for all work that was in hand.
func (s *Store) recoverHands(now time.Time) error {
	return s.scan([]byte(handsPrefix), after([]byte(handsPrefix)), func(key, _ []byte) (bool, error) {
		in, err := s.row(string(key[len(handsPrefix):]))
		for _, hand := range in.Hands {
			s.bells.hold(in.ID, hand.Receipt, now)
		}
		return true, err
	})
}

// inboxOwner returns the instance whose inbox a key belongs to.
func inboxOwner(key []byte) string {
	for i := len(inboxPrefix); i < len(key); i++ {
		if key[i] == 0 {
			return string(key[len(inboxPrefix):i])
		}
	}
	return ""
}

// loadDue brings the due rows of the next while into memory. A row that a
// commit puts meanwhile is brought by the one or by the other.
func (s *Store) loadDue(now time.Time) error {
	s.bells.mu.Lock()
	from := s.bells.loaded
	if from.Sub(now) > horizon/2 {
		s.bells.mu.Unlock()
		return nil
	}
	until := now.Add(horizon)
	s.bells.loaded = until
	s.bells.mu.Unlock()
	err := s.scan(dueKey(from, ""), dueKey(until, ""), func(key, _ []byte) (bool, error) {
		at, id := parseDue(key)
		s.bells.mu.Lock()
		defer s.bells.mu.Unlock()
		if e, ok := s.bells.byKey[id]; !ok || at.Before(e.at) {
			s.bells.put(id, at)
		}
		return true, nil
	})
	if err != nil {
		s.bells.mu.Lock()
		defer s.bells.mu.Unlock()
		s.bells.loaded = from // what was not read is read the next time
	}
	return err
}

// Receive returns doorbells that ring now, or waits for one.
func (s *Store) Receive(ctx context.Context, most int, wait time.Duration) ([]store.Doorbell, error) {
	end := s.now().Add(wait)
	for {
		now := s.now()
		var due []store.Doorbell
		var next time.Time
		err := s.with(ctx, func() error {
			if err := s.loadDue(now); err != nil {
				return err
			}
			due, next = s.bells.take(now, now.Add(s.lease), most)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("receive doorbells: %w", err)
		}
		if len(due) > 0 || !now.Before(end) {
			return due, nil
		}
		if next.IsZero() || next.After(end) {
			next = end
		}
		s.sleep(ctx, min(next.Sub(now), horizon/2))
	}
}

// sleep waits until a bell may have become due.
func (s *Store) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-s.bells.rung:
	case <-s.bells.over:
	}
}

// Load reads an instance with its inbox, and its history unless known is its
// version.
func (s *Store) Load(ctx context.Context, id string, known store.Version) (state store.State, err error) {
	err = s.view(ctx, "load", id, func() error {
		in, err := s.row(id)
		if err != nil {
			return err
		}
		state.Instance = in.Instance
		if state.Inbox, err = s.inbox(id); err != nil {
			return err
		}
		if sameTurn(state.Instance.Version, known) {
			state.Unchanged = true
			return nil
		}
		state.History, err = s.events(of(historyPrefix, id))
		return err
	})
	return state, err
}

// inbox reads the waiting messages, if memory says that there are any.
func (s *Store) inbox(id string) ([]history.Event, error) {
	if s.bells.waiting(id) == 0 {
		return nil, nil
	}
	return s.events(of(inboxPrefix, id))
}

// Commit writes a turn and its due rows in one batch.
func (s *Store) Commit(ctx context.Context, turn store.Turn) (store.Version, error) {
	id := turn.Instance.ID
	in := row{Instance: turn.Instance}
	err := s.change(ctx, "commit a turn of", id, func(old row) error {
		if old.Version != turn.Base {
			return store.ErrConflict
		}
		batch := s.db.NewBatch()
		defer batch.Close()
		if err := s.fill(batch, &old, &in, turn.Append); err != nil {
			return err
		}
		ends := in.Status.IsTerminal() || old.Execution != in.Execution
		left, err := s.consume(batch, turn, ends)
		if err != nil {
			return err
		}
		if err := s.write(batch); err != nil {
			return err
		}
		s.slots.of(id).keep(&in)
		s.ring(&turn, left)
		return nil
	})
	return in.version(), err
}

// fill puts the row, the new history and the due rows into the batch.
func (s *Store) fill(batch *pebble.Batch, old, in *row, events []history.Event) error {
	for i := range events {
		if err := events[i].CheckSize(); err != nil {
			return err
		}
	}
	position := old.Events
	if old.Version != "" && old.Execution != in.Execution {
		if err := s.deleteAll(batch, of(historyPrefix, in.ID)); err != nil {
			return err
		}
		position = 0
	}
	batch.Set(instanceKey(in.ID), encodeRow(in), nil)
	if len(events) > 0 {
		batch.Set(historyKey(in.ID, position), history.AppendEvents(nil, events), nil)
	}
	moveDue(batch, in.ID, old.Wake, in.Wake)
	switch {
	case len(in.Hands) > 0 && len(old.Hands) == 0:
		batch.Set(handsKey(in.ID), nil, nil)
	case len(in.Hands) == 0 && len(old.Hands) > 0:
		batch.Delete(handsKey(in.ID), nil)
	}
	return nil
}

// moveDue replaces one due row of the instance by another; a zero time is no
// row.
func moveDue(batch *pebble.Batch, id string, from, to time.Time) {
	if from.Equal(to) {
		return
	}
	if !from.IsZero() {
		batch.Delete(dueKey(from, id), nil)
	}
	if !to.IsZero() {
		batch.Set(dueKey(to, id), nil, nil)
	}
}

// consume takes messages out of the inbox and returns how many are left. The
// inbox of an execution that ends is emptied.
func (s *Store) consume(batch *pebble.Batch, turn store.Turn, ends bool) (left int, err error) {
	id := turn.Instance.ID
	waiting, err := s.inbox(id)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	consumed := map[string]bool{}
	for _, message := range turn.Consumed {
		consumed[message] = true
	}
	for _, e := range waiting {
		if !consumed[e.Message] && !ends {
			left++
			continue
		}
		batch.Delete(inboxKey(id, e.Message), nil)
	}
	return left, nil
}

// ring gives the instance the bells that a committed turn asks for and takes
// the answered ones away.
func (s *Store) ring(turn *store.Turn, left int) {
	id := turn.Instance.ID
	s.bells.mu.Lock()
	defer s.bells.mu.Unlock()
	if left > 0 {
		s.bells.inbox[id] = left
	} else {
		delete(s.bells.inbox, id)
	}
	if at := s.nextRing(&turn.Instance); at.IsZero() {
		s.bells.remove(id)
	} else {
		s.bells.put(id, at)
	}
	if turn.Hold {
		s.bells.hold(id, turn.Instance.Turn, s.now().Add(s.lease))
	}
	for _, d := range turn.Answered {
		if e := s.bells.find(d); e != nil && e.hand != "" {
			s.bells.remove(e.key)
		}
	}
}

// nextRing returns when the instance must be looked at next, as far as memory
// need know: zero if nothing but a distant timer is to come, or it is parked.
func (s *Store) nextRing(in *store.Instance) time.Time {
	if in.Fault != nil {
		return time.Time{}
	}
	if s.bells.inbox[in.ID] > 0 {
		return s.now()
	}
	if in.Wake.Before(s.bells.loaded) {
		return in.Wake
	}
	return time.Time{}
}

// Release takes a doorbell away that had no cause: the instance's own rings
// again when its row gives one.
func (s *Store) Release(ctx context.Context, d store.Doorbell) error {
	return s.view(ctx, "release the doorbell of", d.Instance, func() error {
		in, err := s.row(d.Instance)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		s.bells.mu.Lock()
		defer s.bells.mu.Unlock()
		e := s.bells.find(d)
		if e == nil {
			return nil
		}
		if at := s.nextRing(&in.Instance); at.IsZero() || e.hand != "" {
			s.bells.remove(e.key)
		} else {
			s.bells.postpone(e, at)
		}
		return nil
	})
}

// Pass lets a doorbell ring again after a while.
func (s *Store) Pass(_ context.Context, d store.Doorbell, after time.Duration) error {
	s.bells.mu.Lock()
	defer s.bells.mu.Unlock()
	if e := s.bells.find(d); e != nil {
		s.bells.postpone(e, s.now().Add(after))
		e.giveBack()
	}
	return nil
}

// Extend hides a doorbell for work in hand for another lease.
func (s *Store) Extend(_ context.Context, d store.Doorbell) error {
	s.bells.mu.Lock()
	defer s.bells.mu.Unlock()
	if e := s.bells.find(d); e != nil && e.hand != "" {
		s.bells.postpone(e, s.now().Add(s.lease))
	}
	return nil
}
