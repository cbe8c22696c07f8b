package tablestore

import (
	"context"
	"slices"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// beginning is a start on its way into storage: a pending instance with the start
// in its inbox.
type beginning struct {
	s       *Store
	row     record
	message entity
	large   *payloads
}

func (s *Store) newBeginning(id string, start history.Event, first string) (*beginning, error) {
	b := &beginning{s: s, large: newPayloads(id, start.Execution), row: record{Instance: store.NewInstance(id, &start), waiting: 1, unlisted: true}}
	b.row.First = first
	var err error
	if b.message, err = b.row.encodeMessage(start); err != nil {
		return nil, err
	}
	row, err := b.row.sentinel(s.o.Hub)
	if err != nil {
		return nil, err
	}
	b.large.take(b.message)
	b.row.large = b.large.take(row)
	return b, nil
}

// begin writes a pending instance with its start in the inbox, in place of one
// that gives way. It reports false when the start's own execution is there. The
// doorbell was put for it.
//
// first is the First of the instance, if the start is that of an execution which
// follows others.
func (s *Store) begin(ctx context.Context, id string, start history.Event, bell *message, first string, replace []history.Status) (r *record, created bool, err error) {
	b, err := s.newBeginning(id, start, first)
	if err != nil {
		return nil, false, err
	}
	over := &snapshot{}
	if b.large.any() {
		// What is there must know of blobs before they are.
		if over, err = s.readInbox(ctx, id); err != nil {
			return nil, false, err
		}
	}
	for range maxReads {
		switch there := over.record; {
		case there == nil:
		case there.Execution == start.Execution, there.First == start.Execution:
			return there, false, nil
		default:
			if err := there.GivesWay(replace); err != nil {
				s.leaveBlobs(ctx, id, b.large, there)
				return nil, false, err
			}
		}
		if err = b.write(ctx, over); err == nil {
			b.finish(ctx, over)
			return &b.row, true, nil
		}
		if !isConflict(err) {
			return nil, false, err
		}
		if over, err = s.readInbox(ctx, id); err != nil {
			return nil, false, err
		}
		// After the reading: whoever takes the message away from now on changes
		// the row that was read.
		if err := s.renew(ctx, bell); err != nil {
			return nil, false, err
		}
	}
	return nil, false, errTorn
}

// before is the base of a row that replaces what is there, if anything is.
func (shot *snapshot) before() base {
	switch {
	case shot.record != nil:
		return shot.record.base()
	case shot.grave != nil:
		return shot.grave.base()
	}
	return base{}
}

// write writes the row and the start's message over what was there.
func (b *beginning) write(ctx context.Context, over *snapshot) error {
	at := over.before()
	if err := b.s.keep(ctx, b.row.ID, b.large, &at); err != nil {
		return err
	}
	b.row.blobs = at.Blobs || b.large.any()
	if over.record != nil {
		b.row.generation = at.nextGeneration()
	}
	row, err := b.row.sentinel(b.s.o.Hub)
	if err != nil {
		return err
	}
	t := &batch{}
	if at.ETag == "" {
		t.insert(row)
	} else {
		t.replace(row, at.ETag)
	}
	t.put(b.message)
	b.row.etag, err = t.submit(ctx, b.s.history)
	return err
}

// finish does what follows from a start that is written.
func (b *beginning) finish(ctx context.Context, over *snapshot) {
	b.s.warn("write the projection", b.row.ID, b.s.project(ctx, &b.row, over.row == nil))
	if over.row != nil {
		b.s.removeBefore(ctx, &b.row, over.before(), b.large.any())
	}
}

// removeBefore deletes what is left of the executions before the row's. With
// blobs, the row's own execution has some.
func (s *Store) removeBefore(ctx context.Context, r *record, before base, blobs bool) {
	now := s.o.Now()
	s.warn("delete what is left of the execution before", r.ID, s.removeStale(ctx, r))
	if !before.Blobs {
		return
	}
	wait, err := s.sweepBlobs(ctx, r.ID, r.Execution, before.Execution, now)
	s.warn("delete the blobs of the execution before", r.ID, err)
	r.blobs = blobs || wait > 0 || err != nil // the next turn writes it
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
