package tablestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Create makes a new instance with its first message.
func (s *Store) Create(ctx context.Context, id string, start history.Event, replace ...history.Status) error {
	defer s.watches.Tell(id)
	return s.with("create", id, func() error {
		if err := start.CheckSize(); err != nil {
			return err
		}
		bell, err := s.put(ctx, ring{Instance: id, Turn: start.Execution}, s.o.Lease)
		if err != nil {
			return err
		}
		_, _, err = s.begin(ctx, id, start, bell, "", replace)
		switch {
		case err == nil: // also when it was there: this call may have been repeated on its way
			return s.reveal(ctx, bell)
		case errors.Is(err, store.ErrExists), errors.Is(err, store.ErrTooLarge):
			s.warn("delete a doorbell", id, s.remove(ctx, bell))
		}
		return err
	})
}

// Send puts a message into the inbox.
func (s *Store) Send(ctx context.Context, id string, message history.Event) error {
	return s.with("send to", id, func() error {
		r, err := s.taking(ctx, id, message.Kind)
		if err == nil {
			err = message.CheckSize()
		}
		if err == nil {
			err = s.room(ctx, r, &message)
		}
		if errors.Is(err, errThere) {
			return nil
		}
		if err != nil {
			return err
		}
		bell, err := s.put(ctx, ring{Instance: id, Turn: message.Message}, s.o.Lease)
		if err != nil {
			return err
		}
		err = s.writeMessage(ctx, r, message, bell)
		switch {
		case err == nil:
			bell.Turn = "" // it is written
			return s.reveal(ctx, bell)
		case errors.Is(err, errThere):
			return s.reveal(ctx, bell)
		case errors.Is(err, store.ErrFinished), errors.Is(err, store.ErrTooMany), errors.Is(err, errBusy), errors.Is(err, store.ErrTooLarge):
			s.warn("delete a doorbell", id, s.remove(ctx, bell))
		}
		return err
	})
}

// errThere is returned by room for a message that is in the inbox.
var errThere = errors.New("the message waits in the inbox")

// room returns nil if an instance's inbox has room for a message, or else
// store.ErrTooMany or errThere. What the row counts is believed if there is room.
func (s *Store) room(ctx context.Context, r *record, message *history.Event) error {
	if !store.IsBounded(message) || s.o.MaxInbox < 0 || r.waiting < int64(s.o.MaxInbox) {
		return nil
	}
	shot, err := s.read(ctx, ofInstance(r.ID).and(where("RowKey", "ge", inboxPrefix)), "PartitionKey,RowKey,"+executionColumn+","+receiverColumn)
	if err != nil || shot.record == nil {
		return err // the next step finds out
	}
	waiting := shot.record.own(shot.inbox)
	switch key := inboxKey(message.Message); {
	case slices.ContainsFunc(waiting, func(e entity) bool { return e.row() == key }):
		return errThere
	case len(waiting) >= s.o.MaxInbox:
		return store.ErrTooMany
	}
	return nil
}

// maxSends is how often a message is tried to be written to an instance that
// changes all the time.
const maxSends = 20

// errBusy is returned for an instance that changed at every attempt to write a
// message. It was not written.
var errBusy = errors.New("the instance changes all the time")

// writeMessage writes a message for the execution that r is the row of, in one
// transaction with a change of the row: no turn that was made before it can be
// written after it, and nothing is written to what has ended.
func (s *Store) writeMessage(ctx context.Context, r *record, message history.Event, bell *message) error {
	e, err := r.encodeMessage(message)
	if err != nil {
		return err
	}
	large := newPayloads(r.ID, r.Execution)
	large.take(e)
	at, write := r.base(), (*batch).insert
	for attempt := range maxSends {
		if err = s.keep(ctx, r.ID, large, &at); err == nil {
			count := newEntity(encodeKey(r.ID), sentinelKey)
			count.setInt64(waitingColumn, at.Waiting+1)
			b := &batch{}
			b.merge(count, at.ETag)
			write(b, e)
			_, err = b.submit(ctx, s.history)
		}
		if !isConflict(err) {
			if err != nil {
				err = fmt.Errorf("write the message: %w", err)
			}
			return err
		}
		if !s.sleep(ctx, rand.N(time.Millisecond<<min(attempt, 5))) && ctx.Err() != nil {
			return ctx.Err()
		}
		// The row changed, perhaps by this very message, whose answer was lost.
		there, err := s.find(ctx, r, message.Message)
		switch {
		case there == nil:
			return err
		case !there.follows(r):
			s.leaveBlobs(ctx, r.ID, large, there)
			return store.ErrFinished
		case there.Takes(message.Kind) != nil:
			return there.Takes(message.Kind)
		case there.Execution != r.Execution:
			// It continued as new, and the message is for the one that follows.
			s.leaveBlobs(ctx, r.ID, large, there)
			if e, err = there.encodeMessage(message); err != nil {
				return err
			}
			r, large = there, newPayloads(r.ID, there.Execution)
			large.take(e)
		}
		if err := s.room(ctx, there, &message); err != nil {
			return err
		}
		if err := s.renew(ctx, bell); err != nil {
			return err
		}
		at = there.base()
		write = (*batch).put // what has its key is left over from another execution
	}
	return errBusy
}

// follows reports whether a row is of the same execution as another, or of one that
// follows it.
func (r *record) follows(other *record) bool {
	return cmp.Or(r.First, r.Execution) == cmp.Or(other.First, other.Execution)
}

// find looks for a message that may have been written for the execution that r is
// the row of, and handed on to one that follows it. It returns the row as it is, or nil: without an error if the message
// is there, and with ErrNotFound if the instance is not.
func (s *Store) find(ctx context.Context, r *record, message string) (*record, error) {
	shot, err := s.read(ctx, ofInstance(r.ID), "")
	switch {
	case err != nil:
		return nil, err
	case shot.record == nil:
		return nil, store.ErrNotFound
	}
	isIt := func(e entity) bool {
		var carried history.Carried
		return e.text("MessageId") == message || e.json("Carried", &carried) == nil && slices.Contains(carried.Seen, message)
	}
	if shot.record.follows(r) && (slices.ContainsFunc(shot.record.own(shot.history), isIt) || slices.ContainsFunc(shot.record.own(shot.inbox), isIt)) {
		return nil, nil
	}
	return shot.record, nil
}

// taking reads the row of an instance that takes messages of the kind.
func (s *Store) taking(ctx context.Context, id string, kind history.Kind) (*record, error) {
	r, err := s.record(ctx, id)
	if err == nil {
		err = r.Takes(kind)
	}
	return r, err
}

// Get returns the instance's row.
func (s *Store) Get(ctx context.Context, id string) (in store.Instance, err error) {
	err = s.with("get", id, func() error {
		in, err = s.instance(ctx, id)
		return err
	})
	return in, err
}

// History returns the history in order.
func (s *Store) History(ctx context.Context, id string) (events []history.Event, err error) {
	err = s.with("read the history of", id, func() error {
		state, err := s.load(ctx, id)
		events = state.History
		return err
	})
	return events, err
}

// Revoke counts up how often the links to an instance were made void. The row's
// etag changes with it, so no turn undoes it.
func (s *Store) Revoke(ctx context.Context, id string) error {
	return s.with("revoke the links to", id, func() error {
		for attempt := range maxSends {
			r, err := s.record(ctx, id)
			if err != nil {
				return err
			}
			count := newEntity(encodeKey(id), sentinelKey)
			count.setInt64(revokedColumn, int64(r.Revoked)+1)
			b := &batch{}
			b.merge(count, r.etag)
			if _, err := b.submit(ctx, s.history); !isConflict(err) {
				return err
			}
			if !s.sleep(ctx, rand.N(time.Millisecond<<min(attempt, 5))) && ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return errBusy
	})
}
