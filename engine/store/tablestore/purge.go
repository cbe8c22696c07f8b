package tablestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store"
)

// purgedColumn says that an instance is gone. Its row stays as a grave until all
// that belonged to it is gone too, so that this is not forgotten in a crash: who
// comes upon the grave goes on, and who starts an instance in its place takes
// over what it says of blobs.
const purgedColumn = "Purged"

// purgeColumns are those that a purge needs.
const purgeColumns = "PartitionKey,RowKey,Timestamp," + executionColumn + "," + receiverColumn + ",EventType,RuntimeStatus,Hands," + faultColumn + "," + blobsColumn + "," + purgedColumn

// errHalf is returned by a step of a purge that found something else than was
// read.
var errHalf = errors.New("the instance changed while it was purged")

// Purge removes an instance that has ended, or is parked. At any moment it is there or it is not; what is
// left of one that is not, a later purge, a doorbell or the next instance of the
// same id removes.
func (s *Store) Purge(ctx context.Context, id string, executions ...string) error {
	defer s.watches.Tell(id)
	return s.with("purge", id, func() error {
		projection, err := s.projection(ctx, id)
		if err != nil {
			return err
		}
		for range maxReads {
			shot, err := s.read(ctx, ofInstance(id), purgeColumns)
			if err != nil {
				return err
			}
			if r := shot.record; r != nil && len(executions) > 0 && (!slices.Contains(executions, r.Execution) || slices.ContainsFunc(r.own(shot.inbox), isRewinding)) {
				return store.ErrActive
			}
			err = s.purge(ctx, id, shot, projection, false)
			if !isConflict(err) {
				return err
			}
		}
		return errHalf
	})
}

// purge removes what was read of an instance. covered says that a doorbell will
// ring for what is written of it afterwards.
func (s *Store) purge(ctx context.Context, id string, shot *snapshot, projection entity, covered bool) error {
	now := s.o.Now()
	switch {
	case shot.row == nil && projection == nil && len(shot.history)+len(shot.inbox) == 0:
		return store.ErrNotFound
	case shot.row == nil:
		_, err := s.removeRest(ctx, id, shot, now)
		if err := errors.Join(err, s.unproject(ctx, id, projection.text(executionColumn), projection.etag())); err != nil {
			return err // and not that there is none: something of it is left
		}
		return store.ErrNotFound
	case shot.grave != nil:
	case shot.record.Fault == nil && !shot.record.Status.IsTerminal():
		return store.ErrActive
	case shot.record.Fault == nil && len(shot.record.Hands) > 0:
		return fmt.Errorf("%w: %w", store.ErrActive, store.ErrOwing)
	case projection == nil && !covered:
		// Whoever made the instance is about to list it, and may come too late.
		if _, err := s.put(ctx, ring{Instance: id}, s.o.Lease); err != nil {
			return err
		}
		return s.purge(ctx, id, shot, projection, true)
	case !shot.record.blobs && len(shot.history)+len(shot.inbox) < maxOperations:
		if err := s.purgeAtOnce(ctx, shot); err != nil {
			return err
		}
		return s.unproject(ctx, id, shot.record.Execution, projection.etag())
	default:
		if err := s.bury(ctx, shot); err != nil {
			return err
		}
	}
	wait, err := s.removeRest(ctx, id, shot, now)
	if err == nil && wait > 0 {
		_, err = s.put(ctx, ring{Instance: id}, wait)
	}
	return errors.Join(err, s.unproject(ctx, id, shot.grave.Execution, projection.etag()))
}

// purgeAtOnce removes an instance that fits into one transaction.
func (s *Store) purgeAtOnce(ctx context.Context, shot *snapshot) error {
	b := &batch{}
	b.remove(shot.row.partition(), sentinelKey, shot.row.etag())
	for _, e := range append(shot.history, shot.inbox...) {
		b.remove(e.partition(), e.row(), "")
	}
	_, err := b.submit(ctx, s.history)
	return err
}

// bury makes a grave of the row.
func (s *Store) bury(ctx context.Context, shot *snapshot) error {
	e := newEntity(shot.row.partition(), sentinelKey)
	e.setText(executionColumn, shot.record.Execution)
	e[purgedColumn] = true
	if shot.record.blobs {
		e[blobsColumn] = true
	}
	b := &batch{}
	b.replace(e, shot.row.etag())
	etag, err := b.submit(ctx, s.history)
	if err != nil {
		return err
	}
	e["odata.etag"] = etag
	shot.record = nil
	return shot.take(e)
}

// clearUp removes what is left of an instance that is gone, its place in the lists
// too, and returns how long some of it must be waited for.
func (s *Store) clearUp(ctx context.Context, id string) (wait time.Duration, err error) {
	now := s.o.Now()
	projection, err := s.projection(ctx, id)
	if err != nil {
		return 0, err
	}
	shot, err := s.read(ctx, ofInstance(id), purgeColumns)
	if err != nil || shot.record != nil {
		return 0, err // it is there again
	}
	if wait, err = s.removeRest(ctx, id, shot, now); err != nil {
		return wait, err
	}
	return wait, s.unproject(ctx, id, projection.text(executionColumn), projection.etag())
}

// removeRest removes what is left of an instance that was gone at a moment. It
// returns how long some of it must be waited for, as it may belong to one that is
// about to be; the grave stays until then.
func (s *Store) removeRest(ctx context.Context, id string, shot *snapshot, gone time.Time) (wait time.Duration, err error) {
	if err := s.removeRows(ctx, append(shot.history, shot.inbox...)); err != nil {
		return 0, err
	}
	dead := ""
	if shot.grave != nil {
		dead = shot.grave.Execution
	}
	if shot.grave == nil || shot.grave.blobs {
		if wait, err = s.sweepBlobs(ctx, id, "", dead, gone); err != nil || wait > 0 {
			return wait, err
		}
	}
	if shot.grave == nil {
		return 0, nil
	}
	return 0, s.removeRows(ctx, []entity{shot.row})
}

// unproject takes an instance off the lists, unless its projection was written
// again for another execution.
func (s *Store) unproject(ctx context.Context, id, execution, etag string) error {
	s.projected.set(id, "", "")
	for range maxReads {
		if etag == "" {
			return nil
		}
		match := azcore.ETag(etag)
		_, err := s.instances.DeleteEntity(ctx, encodeKey(id), "", &aztables.DeleteEntityOptions{IfMatch: &match})
		if !isConflict(err) {
			return err
		}
		e, err := s.projection(ctx, id)
		if err != nil {
			return err
		}
		if etag = e.etag(); e.text(executionColumn) != execution {
			return nil
		}
	}
	return nil
}
