package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

const (
	// defaultLimit is the size of a page that names none.
	defaultLimit = 100
	// maxLooks is how many rows are looked at for one page.
	maxLooks = 10_000
)

// Create makes a new instance with its first message.
func (s *Store) Create(ctx context.Context, id string, start history.Event, replace ...history.Status) error {
	return s.change(ctx, "create", id, func(old row) error {
		if err := start.CheckSize(); err != nil {
			return err
		}
		if old.Version != "" {
			if old.Execution == start.Execution || old.First == start.Execution {
				return nil
			}
			if err := old.GivesWay(replace); err != nil {
				return err
			}
		}
		in := row{Instance: store.NewInstance(id, &start)}
		batch := s.db.NewBatch()
		defer batch.Close()
		if old.Version != "" {
			if err := s.clear(batch, id); err != nil {
				return err
			}
			moveDue(batch, id, old.Wake, in.Wake)
			if len(old.Hands) > 0 {
				batch.Delete(handsKey(id), nil)
			}
		}
		batch.Set(instanceKey(id), encodeRow(&in), nil)
		batch.Set(inboxKey(id, start.Message), history.AppendEvents(nil, []history.Event{start}), nil)
		if err := s.write(batch); err != nil {
			return err
		}
		s.bells.mu.Lock()
		defer s.bells.mu.Unlock()
		s.bells.inbox[id] = 1
		s.bells.put(id, s.now())
		return nil
	})
}

// clear removes the history and the inbox of an instance that exists. The keys
// are removed one by one: a range that was removed would slow down every later
// read of the whole store.
func (s *Store) clear(batch *pebble.Batch, id string) error {
	for _, prefix := range []string{historyPrefix, inboxPrefix} {
		if err := s.deleteAll(batch, of(prefix, id)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) deleteAll(batch *pebble.Batch, prefix []byte) error {
	return s.scan(prefix, after(prefix), func(key, _ []byte) (bool, error) {
		return true, batch.Delete(key, nil)
	})
}

// Send puts a message into the inbox.
func (s *Store) Send(ctx context.Context, id string, message history.Event) error {
	return s.change(ctx, "send to", id, func(old row) error {
		switch {
		case old.Version == "":
			return store.ErrNotFound
		case old.Takes(message.Kind) != nil:
			return old.Takes(message.Kind)
		}
		if err := message.CheckSize(); err != nil {
			return err
		}
		key := inboxKey(id, message.Message)
		if _, found, err := s.read(key); found || err != nil {
			return err
		}
		if store.IsBounded(&message) && s.isFull(id) {
			return store.ErrTooMany
		}
		old.sent++
		batch := s.db.NewBatch()
		defer batch.Close()
		batch.Set(instanceKey(id), encodeRow(&old), nil)
		batch.Set(key, history.AppendEvents(nil, []history.Event{message}), nil)
		if err := s.write(batch); err != nil {
			return err
		}
		s.bells.mu.Lock()
		defer s.bells.mu.Unlock()
		s.bells.inbox[id]++
		s.bells.put(id, s.now())
		return nil
	})
}

// isFull reports whether as many messages wait for an instance as may.
func (s *Store) isFull(id string) bool { return s.most >= 0 && s.bells.waiting(id) >= s.most }

// Revoke counts up how often the links to an instance were made void. It counts
// as a message does for the version, so that no turn undoes it.
func (s *Store) Revoke(ctx context.Context, id string) error {
	return s.change(ctx, "revoke the links to", id, func(old row) error {
		if old.Version == "" {
			return store.ErrNotFound
		}
		old.Revoked++
		old.sent++
		batch := s.db.NewBatch()
		defer batch.Close()
		batch.Set(instanceKey(id), encodeRow(&old), nil)
		return s.write(batch)
	})
}

// Mend lets an instance that has a Fault go on.
func (s *Store) Mend(ctx context.Context, id string) error {
	return s.change(ctx, "mend", id, func(old row) error {
		switch {
		case old.Version == "":
			return store.ErrNotFound
		case old.Fault == nil:
			return nil
		}
		old.Status, old.Fault, old.TurnTries, old.TaskTries = old.Fault.Was, nil, 0, nil
		old.sent++
		batch := s.db.NewBatch()
		defer batch.Close()
		batch.Set(instanceKey(id), encodeRow(&old), nil)
		if err := s.write(batch); err != nil {
			return err
		}
		s.bells.mu.Lock()
		defer s.bells.mu.Unlock()
		s.bells.put(id, s.now())
		for _, hand := range old.Hands {
			s.bells.hold(id, hand.Receipt, s.now()).giveBack()
		}
		return nil
	})
}

// change calls f with the instance's row while nobody else may change it, and
// tells those who watch it. The row's Version is empty if there is none.
func (s *Store) change(ctx context.Context, verb, id string, f func(old row) error) error {
	err := s.with(ctx, func() error {
		slot := s.slots.of(id)
		slot.Lock()
		defer slot.Unlock()
		old, err := s.row(id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		slot.last = row{}
		return f(old)
	})
	if err != nil {
		return fmt.Errorf("%s instance %s: %w", verb, id, err)
	}
	s.watches.Tell(id)
	return nil
}

// view calls f while nobody may change the instance.
func (s *Store) view(ctx context.Context, verb, id string, f func() error) error {
	err := s.with(ctx, func() error {
		slot := s.slots.of(id)
		slot.RLock()
		defer slot.RUnlock()
		return f()
	})
	if err != nil {
		return fmt.Errorf("%s instance %s: %w", verb, id, err)
	}
	return nil
}

// with calls f if the store is open and the caller still there.
func (s *Store) with(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	return f()
}

// Get returns the instance's row.
func (s *Store) Get(ctx context.Context, id string) (in store.Instance, err error) {
	err = s.view(ctx, "get", id, func() error {
		stored, err := s.row(id)
		in = stored.Instance
		in.Messages = s.bells.waiting(id)
		return err
	})
	return in, err
}

// History returns the history in order.
func (s *Store) History(ctx context.Context, id string) (events []history.Event, err error) {
	err = s.view(ctx, "read the history of", id, func() error {
		if _, err := s.row(id); err != nil {
			return err
		}
		events, err = s.events(of(historyPrefix, id))
		return err
	})
	return events, err
}

// List returns a page of instances, which took a look at so many rows at most. A
// row may be shown a moment before it is durable.
func (s *Store) List(ctx context.Context, q store.Query) (page store.Page, err error) {
	err = s.with(ctx, func() error {
		page, err = s.list(&q)
		return err
	})
	if err != nil {
		return store.Page{}, fmt.Errorf("list instances: %w", err)
	}
	return page, nil
}

func (s *Store) list(q *store.Query) (page store.Page, err error) {
	last, err := store.DecodePlace(q.After)
	if err != nil || !utf8.ValidString(q.IDPrefix) {
		return page, err
	}
	from, to := instanceKey(q.IDPrefix), after(instanceKey(q.IDPrefix))
	if q.After != "" {
		from = slices.MaxFunc([][]byte{from, append(instanceKey(last), 0)}, bytes.Compare)
	}
	limit, looks := q.Limit, 0
	if limit <= 0 {
		limit = defaultLimit
	}
	err = s.scan(from, to, func(_, value []byte) (bool, error) {
		if len(page.Instances) == limit || looks == maxLooks {
			page.Next = store.EncodePlace(last)
			return false, nil
		}
		looks++
		in, err := decodeRow(slices.Clone(value))
		if err != nil {
			return false, err
		}
		last = in.ID
		if !q.Matches(&in.Instance) {
			return true, nil
		}
		if q.Bare {
			in.Strip()
		}
		page.Instances = append(page.Instances, in.Instance)
		return true, nil
	})
	return page, err
}

// Purge removes an instance that has ended, or is parked.
func (s *Store) Purge(ctx context.Context, id string, executions ...string) error {
	return s.change(ctx, "purge", id, func(old row) error {
		waiting, err := s.inbox(id)
		switch {
		case err != nil && !errors.Is(err, store.ErrCorrupt):
			return err
		case old.Version == "":
			return store.ErrNotFound
		case len(executions) > 0 && (!slices.Contains(executions, old.Execution) || slices.ContainsFunc(waiting, isRewinding)):
			return store.ErrActive
		case old.Fault != nil:
		case !old.Status.IsTerminal():
			return store.ErrActive
		case len(old.Hands) > 0:
			return fmt.Errorf("%w: %w", store.ErrActive, store.ErrOwing)
		}
		batch := s.db.NewBatch()
		defer batch.Close()
		if err := s.clear(batch, id); err != nil {
			return err
		}
		batch.Delete(instanceKey(id), nil)
		if len(old.Hands) > 0 {
			batch.Delete(handsKey(id), nil)
		}
		if err := s.write(batch); err != nil {
			return err
		}
		s.bells.forget(&old.Instance)
		return nil
	})
}

func isRewinding(e history.Event) bool { return e.Kind == history.ExecutionRewound }

// row returns an instance's row. Its slot must be locked.
func (s *Store) row(id string) (row, error) {
	if last := &s.slots.of(id).last; last.ID == id && id != "" {
		return *last, nil
	}
	value, found, err := s.read(instanceKey(id))
	if err != nil {
		return row{}, err
	}
	if !found {
		return row{}, store.ErrNotFound
	}
	return decodeRow(value)
}

// read returns a copy of what is stored under key.
func (s *Store) read(key []byte) (value []byte, found bool, err error) {
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	value = slices.Clone(v)
	return value, true, closer.Close()
}

// events reads all events stored under keys with the prefix.
func (s *Store) events(prefix []byte) (events []history.Event, err error) {
	err = s.scan(prefix, after(prefix), func(_, value []byte) (bool, error) {
		events, err = history.DecodeEvents(events, slices.Clone(value))
		return true, err
	})
	return events, err
}

// scan calls f with each key from one up to before another, until it returns
// false. What f is given is only good until it returns.
func (s *Store) scan(from, to []byte, f func(key, value []byte) (bool, error)) (err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if more, err := f(it.Key(), value); err != nil || !more {
			return err
		}
	}
	return nil
}

// Dump writes every key and value of the hub as it is stored, for a search
// through all that is kept.
func (s *Store) Dump(w io.Writer) error {
	return s.with(context.Background(), func() error {
		return s.scan(nil, []byte{0xff}, func(key, value []byte) (bool, error) {
			_, err := fmt.Fprintf(w, "%s\n%s\n", key, value)
			return true, err
		})
	})
}
