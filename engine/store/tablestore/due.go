package tablestore

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store"
)

// sweepInterval is how far apart two looks at the due rows are at least.
const sweepInterval = time.Minute

// maxAlarms is how many times of rings to come are remembered.
const maxAlarms = 10000

// putDue writes the row that stands for a Wake too far ahead for the queue.
func (s *Store) putDue(ctx context.Context, in *store.Instance) error {
	e := newEntity(bucketKey(in.Wake), dueKey(in.Wake, in.ID, in.Turn))
	e.setText("InstanceId", in.ID)
	e.setTime("FireAt", in.Wake)
	e.setText("Turn", in.Turn)
	text, err := e.encode()
	if err != nil {
		return err
	}
	if _, err := s.due.UpsertEntity(ctx, text, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace}); err != nil {
		return fmt.Errorf("put a due row: %w", err)
	}
	return nil
}

func (s *Store) removeDue(ctx context.Context, partition, row string) error {
	if _, err := s.due.DeleteEntity(ctx, partition, row, nil); err != nil && !hasCode(err, codeRowMissing) {
		return fmt.Errorf("delete a due row: %w", err)
	}
	return nil
}

// messageColumn of a due row tells which message rings for it, once there is one.
const messageColumn = "Message"

// removeSwept deletes a due row and, if a sweep put one, the message for it.
func (s *Store) removeSwept(ctx context.Context, partition, row string) error {
	answer, err := s.due.GetEntity(ctx, partition, row, nil)
	if hasCode(err, codeRowMissing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a due row: %w", err)
	}
	e, err := decodeEntity(answer.Value)
	if err != nil {
		return err
	}
	if err := s.remove(ctx, refer(e.text(messageColumn))); err != nil {
		return err
	}
	return s.removeDue(ctx, partition, row)
}

// sweep puts a message into the queue for each due row before the horizon, at
// most once in an interval.
func (s *Store) sweep(ctx context.Context, now time.Time) error {
	s.poll.mu.Lock()
	before := s.poll.swept
	if !before.IsZero() && now.Sub(before) < sweepInterval {
		s.poll.mu.Unlock()
		return nil
	}
	s.poll.swept = now
	s.poll.mu.Unlock()
	err := s.moveDue(ctx, s.Now())
	if err != nil {
		s.poll.mu.Lock()
		s.poll.swept = before
		s.poll.mu.Unlock()
		return fmt.Errorf("sweep the due rows: %w", err)
	}
	return nil
}

// moveDue rings for every due row before the horizon that nothing rings for yet.
// The row stays until its timer has fired or is canceled, so that its message can
// be found. One that stays for longer has lost its turn or its message: it rings
// once more and is deleted.
func (s *Store) moveDue(ctx context.Context, now time.Time) error {
	horizon := now.Add(s.o.Horizon)
	return query(ctx, s.due, where("PartitionKey", "le", bucketKey(horizon)), "", func(e entity) error {
		at, moved := e.time("FireAt"), e.text(messageColumn) != ""
		if at.After(horizon) || moved && at.After(now.Add(-s.o.Horizon)) {
			return nil
		}
		m, err := s.put(ctx, ring{Instance: e.text("InstanceId"), Turn: e.text("Turn")}, at.Sub(now))
		if err != nil {
			return err
		}
		s.alarm(m.visible)
		if moved {
			return s.removeDue(ctx, e.partition(), e.row())
		}
		return s.markMoved(ctx, e, m)
	})
}

// markMoved writes into a due row which message rings for it. If the row is not
// as it was, it was canceled or another sweep was faster, and the message is
// taken back.
func (s *Store) markMoved(ctx context.Context, e entity, m *message) error {
	mark := newEntity(e.partition(), e.row())
	mark.setText(messageColumn, m.reference())
	text, err := mark.encode()
	if err != nil {
		return err
	}
	match := azcore.ETag(e.etag())
	_, err = s.due.UpdateEntity(ctx, text, &aztables.UpdateEntityOptions{IfMatch: &match, UpdateMode: aztables.UpdateModeMerge})
	if isConflict(err) {
		return s.remove(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("mark a due row: %w", err)
	}
	return nil
}

// alarm remembers that something rings at a time, for this process to look.
func (s *Store) alarm(at time.Time) {
	s.poll.mu.Lock()
	defer s.poll.mu.Unlock()
	if first, any := s.poll.alarms.first(); !any || at.Before(first) {
		s.poll.signal()
	}
	if len(s.poll.alarms) < maxAlarms {
		heap.Push(&s.poll.alarms, at)
	}
}

// alarms is a heap.Interface with the earliest time first.
type alarms []time.Time

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].Before(a[j]) }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }

// Push is called by container/heap.
func (a *alarms) Push(x any) { *a = append(*a, x.(time.Time)) }

// Pop is called by container/heap.
func (a *alarms) Pop() any {
	last := len(*a) - 1
	at := (*a)[last]
	*a = (*a)[:last]
	return at
}

func (a alarms) first() (at time.Time, any bool) {
	if len(a) == 0 {
		return time.Time{}, false
	}
	return a[0], true
}

// passed forgets the times up to now, and reports whether there were any.
func (a *alarms) passed(now time.Time) (any bool) {
	for len(*a) > 0 && !(*a)[0].After(now) {
		heap.Pop(a)
		any = true
	}
	return any
}
