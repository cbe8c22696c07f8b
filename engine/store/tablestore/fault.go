package tablestore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Mend lets an instance that has a Fault go on. It touches nothing but the columns
// that say so, so that nothing else of the instance need be understood. The
// doorbells come first.
func (s *Store) Mend(ctx context.Context, id string) error {
	return s.with("mend", id, func() error {
		for attempt := range maxSends {
			r, err := s.record(ctx, id)
			if err != nil || r.Fault == nil {
				return err
			}
			bells, err := s.ringAnew(ctx, r)
			if err != nil {
				return err
			}
			if err = s.unpark(ctx, r); !isConflict(err) {
				s.watches.Tell(id)
				return s.revealAll(ctx, bells, err)
			}
			s.removeAll(ctx, id, bells)
			if !s.sleep(ctx, rand.N(time.Millisecond<<min(attempt, 5))) && ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return errBusy
	})
}

// ringAnew puts doorbells for an instance and for each of its hands, to ring in a
// while.
func (s *Store) ringAnew(ctx context.Context, r *record) (bells []*message, err error) {
	rings := []ring{{Instance: r.ID}}
	for _, hand := range r.Hands {
		rings = append(rings, ring{Instance: r.ID, TakeOver: true, Receipt: hand.Receipt, Again: true, Heard: 1})
	}
	for _, ring := range rings {
		m, err := s.put(ctx, ring, s.o.Lease)
		if err != nil {
			return nil, err
		}
		bells = append(bells, m)
	}
	return bells, nil
}

// unpark takes the Fault off the row. The row has a new turn, as lists show the one
// before, and says that they do not show this.
func (s *Store) unpark(ctx context.Context, r *record) error {
	e := newEntity(encodeKey(r.ID), sentinelKey)
	e["RuntimeStatus"], e["Turn"] = r.Fault.Was.String(), strings.ReplaceAll(uuid.NewString(), "-", "")
	e[faultColumn], e[taskTriesColumn], e[unlistedColumn] = "", "", true
	e.setInt64(turnTriesColumn, 0)
	b := &batch{}
	b.merge(e, r.etag)
	_, err := b.submit(ctx, s.history)
	return err
}

// revealAll lets doorbells ring for what was written, or, if it is not known
// whether it was, leaves them to ring in a while.
func (s *Store) revealAll(ctx context.Context, bells []*message, err error) error {
	if err != nil {
		return fmt.Errorf("write the row: %w", err)
	}
	for _, m := range bells {
		if err := s.reveal(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) removeAll(ctx context.Context, id string, bells []*message) {
	for _, m := range bells {
		s.warn("delete a doorbell", id, s.remove(ctx, m))
	}
}
