package tablestore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Create makes a new instance with its first message.
func (s *Store) Create(ctx context.Context, id string, start history.Event) error {
	return s.with("create", id, func() error {
		bell, err := s.put(ctx, ring{Instance: id}, s.o.Lease)
		if err != nil {
			return err
		}
		_, _, err = s.begin(ctx, id, start)
		switch {
		case err == nil: // also when it was there: this call may have been repeated on its way
			return s.reveal(ctx, bell)
		case errors.Is(err, store.ErrExists), errors.Is(err, ErrTooLarge):
			s.warn("delete a doorbell", id, s.remove(ctx, bell))
		}
		return err
	})
}

// begin writes a pending instance with its start in the inbox, in place of one
// that has ended. It reports false when the start's own execution is there.
func (s *Store) begin(ctx context.Context, id string, start history.Event) (r *record, created bool, err error) {
	r = &record{Instance: store.Instance{
		ID: id, Execution: start.Execution, Name: start.Name, Status: history.Pending,
		Input: start.Input, Secret: start.Secret, Created: start.Time, Updated: start.Time,
		Turn: start.Execution,
	}, waiting: 1}
	over := &snapshot{}
	for range maxReads {
		if r.etag, err = s.writeStart(ctx, r, start, over); err == nil {
			s.warn("write the projection", id, s.project(ctx, r, over.record == nil))
			if over.record != nil {
				s.warn("delete what is left of the execution before", id, s.removeStale(ctx, r))
			}
			return r, true, nil
		}
		if !isConflict(err) {
			return nil, false, err
		}
		if over, err = s.readInbox(ctx, id); err != nil {
			return nil, false, err
		}
		switch there := over.record; {
		case there == nil:
		case there.Execution == start.Execution, there.First == start.Execution:
			return there, false, nil
		case !there.Status.IsTerminal():
			return nil, false, store.ErrExists
		case len(there.Hands) > 0:
			return nil, false, fmt.Errorf("%w: %w", store.ErrExists, store.ErrOwing)
		default:
			r.generation = there.generation + 1
		}
	}
	return nil, false, errTorn
}

// writeStart writes the row and the start's message over what was there.
func (s *Store) writeStart(ctx context.Context, r *record, start history.Event, over *snapshot) (etag string, err error) {
	row, err := r.sentinel(s.o.Hub)
	if err != nil {
		return "", err
	}
	message, err := r.encodeMessage(start)
	if err != nil {
		return "", err
	}
	b := &batch{}
	if over.record == nil {
		b.insert(row)
	} else {
		b.replace(row, over.record.etag)
	}
	b.put(message)
	return b.submit(ctx, s.history)
}

// removeStale deletes the rows of executions before this one.
func (s *Store) removeStale(ctx context.Context, r *record) error {
	shot, err := s.read(ctx, ofInstance(r.ID), "PartitionKey,RowKey,Timestamp,"+executionColumn+","+receiverColumn)
	if err != nil || shot.record == nil || shot.record.Execution != r.Execution {
		return err // another one came later
	}
	rows := append(shot.history, shot.inbox...)
	return s.removeRows(ctx, slices.DeleteFunc(rows, func(e entity) bool { return e.execution() == r.Execution }))
}

// Send puts a message into the inbox.
func (s *Store) Send(ctx context.Context, id string, message history.Event) error {
	return s.with("send to", id, func() error {
		r, err := s.living(ctx, id)
		if err != nil {
			return err
		}
		bell, err := s.put(ctx, ring{Instance: id}, s.o.Lease)
		if err != nil {
			return err
		}
		err = s.writeMessage(ctx, r, message)
		switch {
		case err == nil:
			return s.reveal(ctx, bell)
		case errors.Is(err, store.ErrFinished), errors.Is(err, store.ErrNotFound), errors.Is(err, errBusy), errors.Is(err, ErrTooLarge):
			s.warn("delete a doorbell", id, s.remove(ctx, bell))
		}
		return err
	})
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
func (s *Store) writeMessage(ctx context.Context, r *record, message history.Event) error {
	e, err := r.encodeMessage(message)
	if err != nil {
		return err
	}
	at, write := r.base(), (*batch).insert
	for attempt := range maxSends {
		count := newEntity(encodeKey(r.ID), sentinelKey)
		count.setInt64(waitingColumn, at.Waiting+1)
		b := &batch{}
		b.merge(count, at.ETag)
		write(b, e)
		if _, err = b.submit(ctx, s.history); !isConflict(err) {
			if err != nil {
				err = fmt.Errorf("write the message: %w", err)
			}
			return err
		}
		if !s.sleep(ctx, rand.N(time.Millisecond<<min(attempt, 5))) && ctx.Err() != nil {
			return ctx.Err()
		}
		// The row changed, perhaps by this very message, whose answer was lost.
		state, err := s.load(ctx, r.ID)
		isIt := func(e history.Event) bool { return e.Message == message.Message }
		switch {
		case err != nil:
			return err
		case state.Instance.Execution != r.Execution:
			return store.ErrFinished
		case slices.ContainsFunc(state.Inbox, isIt), slices.ContainsFunc(state.History, isIt):
			return nil
		case state.Instance.Status.IsTerminal():
			return store.ErrFinished
		}
		if at, err = parseVersion(state.Instance.Version); err != nil {
			return err
		}
		write = (*batch).put // what has its key is left over from another execution
	}
	return errBusy
}

// living reads the row of an instance that has not ended.
func (s *Store) living(ctx context.Context, id string) (*record, error) {
	r, err := s.record(ctx, id)
	if err == nil && r.Status.IsTerminal() {
		err = store.ErrFinished
	}
	return r, err
}

// Get returns the instance's row.
func (s *Store) Get(ctx context.Context, id string) (in store.Instance, err error) {
	err = s.with("get", id, func() error {
		r, err := s.record(ctx, id)
		if err != nil {
			return err
		}
		in = r.Instance
		return nil
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

// Purge removes an ended instance: the row first, so that nobody reads the
// rest, and at last its projection, if it is still that of what was removed.
func (s *Store) Purge(ctx context.Context, id string) error {
	return s.with("purge", id, func() error {
		projection, err := s.projectionTag(ctx, id)
		if err != nil {
			return err
		}
		shot, err := s.read(ctx, ofInstance(id), "")
		if err != nil {
			return err
		}
		switch r := shot.record; {
		case r == nil:
			err = store.ErrNotFound // and what a purge left is removed
		case !r.Status.IsTerminal():
			return store.ErrActive
		case len(r.Hands) > 0:
			return fmt.Errorf("%w: %w", store.ErrActive, store.ErrOwing)
		default:
			b := &batch{}
			b.remove(encodeKey(id), sentinelKey, r.etag)
			if _, err := b.submit(ctx, s.history); err != nil {
				return err
			}
		}
		rest := append(shot.history, shot.inbox...)
		return errors.Join(err, s.removeRows(ctx, rest), s.unproject(ctx, id, projection))
	})
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

// projectionTag returns the etag of an instance's projection; empty if there is
// none.
func (s *Store) projectionTag(ctx context.Context, id string) (string, error) {
	answer, err := s.instances.GetEntity(ctx, encodeKey(id), "", nil)
	if err != nil && !hasCode(err, codeRowMissing) {
		return "", fmt.Errorf("read the projection: %w", err)
	}
	return string(answer.ETag), nil
}

// unproject takes an instance off the lists, unless its projection was written
// again.
func (s *Store) unproject(ctx context.Context, id, etag string) error {
	s.projected.set(id, "")
	if etag == "" {
		return nil
	}
	match := azcore.ETag(etag)
	_, err := s.instances.DeleteEntity(ctx, encodeKey(id), "", &aztables.DeleteEntityOptions{IfMatch: &match})
	if err != nil && !isConflict(err) {
		return fmt.Errorf("delete the projection: %w", err)
	}
	return nil
}
