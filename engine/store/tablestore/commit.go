package tablestore

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// commit is a turn on its way into storage: first the new doorbells, then the
// turn, then away with the old doorbells.
type commit struct {
	s         *Store
	turn      *store.Turn
	base      base
	creates   bool // there is no instance yet
	restarts  bool // there is one, of another execution
	continues bool // and that has not ended
	row       record
	rows      []entity  // of the history
	large     *payloads // of row and rows
	consumed  []string  // RowKeys that go: in the inbox, and of the execution before
	going     int       // how many of them the last transaction takes away
	mends     bool      // the worker before may not have written the projection

	mine store.Doorbell // that for work in hand, if the turn holds any
	held *heldBell      // put for it
	kept store.Doorbell // the one before, whose message rings for it now

	wake     *message // put for Wake
	cover    *message // rings if the projection is not written
	answered []store.Doorbell
}

// Commit writes a turn.
func (s *Store) Commit(ctx context.Context, turn store.Turn) (version store.Version, err error) {
	defer s.watches.Tell(turn.Instance.ID)
	err = s.with("commit a turn of", turn.Instance.ID, func() error {
		c, err := s.newCommit(&turn)
		if err != nil {
			return err
		}
		if err := c.make(ctx); err != nil {
			return asConflict(err)
		}
		version = c.row.version()
		return nil
	})
	return version, err
}

func (s *Store) newCommit(turn *store.Turn) (*commit, error) {
	id, execution := turn.Instance.ID, turn.Instance.Execution
	c := &commit{
		s: s, turn: turn, mine: store.Doorbell{Instance: id, Receipt: turn.Instance.Turn, TakeOver: true},
		row: record{Instance: turn.Instance, attempt: uuid.NewString()}, large: newPayloads(id, execution),
		creates: turn.Base == "", answered: slices.Clone(turn.Answered),
	}
	if !c.creates {
		var err error
		if c.base, err = parseVersion(turn.Base); err != nil {
			return nil, err
		}
		c.restarts = c.base.Execution != execution
		before, _ := history.ParseStatus(c.base.Status)
		c.continues = c.restarts && !before.IsTerminal()
	}
	consumes := map[string]bool{}
	for _, message := range turn.Consumed {
		if !consumes[message] {
			c.consumed = append(c.consumed, inboxKey(message))
		}
		consumes[message] = true
	}
	c.mends = slices.ContainsFunc(turn.Answered, func(bell store.Doorbell) bool { return bell.TakeOver && s.owesProjection(bell) }) ||
		c.base.Unlisted && !s.projected.shows(turn.Instance.ID, c.base.Turn)
	c.row.unlisted = c.projects()
	return c, c.encode(consumes)
}

// encode makes the rows of the turn, with their large texts on the way to blobs.
// Those that the same execution has in its row or its inbox are there.
func (c *commit) encode(consumes map[string]bool) error {
	if c.restarts {
		c.row.generation = c.base.nextGeneration()
	} else {
		c.row.generation, c.row.begins = c.base.Generation, c.base.Begins
		for _, digest := range c.base.Large {
			c.large.stored[c.large.nameOf(digest)] = true
		}
	}
	position := c.row.begins
	if !c.restarts {
		position += int64(c.base.Events)
	}
	for i, event := range c.turn.Append {
		if err := event.CheckSize(); err != nil {
			return err
		}
		e, err := c.row.encodeEvent(historyKey(position+int64(i)), event)
		if err != nil {
			return err
		}
		moved := c.large.take(e)
		if !c.restarts && event.Message != "" && consumes[event.Message] {
			c.large.know(moved)
		}
		c.rows = append(c.rows, e)
	}
	row, err := c.row.sentinel(c.s.o.Hub)
	c.row.large = c.large.take(row)
	c.row.blobs = c.base.Blobs || c.large.any()
	return err
}

func (c *commit) make(ctx context.Context) error {
	if err := c.beginLarge(ctx); err != nil {
		return err
	}
	if err := c.ring(ctx); err != nil {
		return err
	}
	if c.clears() {
		c.consumed = append(c.consumed, c.stale()...)
	}
	err := c.write(ctx)
	if isConflict(err) && c.creates && c.isOnGrave(ctx) {
		err = c.write(ctx)
	}
	var there *record
	if isConflict(err) {
		var unread error
		if there, unread = c.look(ctx); unread != nil {
			return err // and the doorbells ring
		}
		if c.isIn(there) {
			c.consumed, err = c.consumed[c.going:], nil
		}
	}
	switch {
	case err == nil:
		c.finish(ctx)
	case isConflict(err) || errors.Is(err, store.ErrTooLarge):
		c.takeBack(ctx, there)
	}
	return err
}

// keep puts the turn's payloads into blobs.
func (c *commit) keep(ctx context.Context) error {
	return c.s.keep(ctx, c.turn.Instance.ID, c.large, &c.base)
}

// neverTag is an etag that no row has.
const neverTag = `W/"datetime'1970-01-01T00%3A00%3A00.0000000Z'"`

// isOnGrave lets a new instance take the place of one whose purge did not come to
// its end, and reports whether there is one.
func (c *commit) isOnGrave(ctx context.Context) bool {
	shot, err := c.s.readInbox(ctx, c.turn.Instance.ID)
	if err != nil || shot.grave == nil {
		return false
	}
	c.creates, c.restarts, c.base = false, true, shot.grave.base()
	c.row.blobs = c.row.blobs || c.base.Blobs
	return true
}

// look reads the row that a conflict was with; nil if there is none.
func (c *commit) look(ctx context.Context) (*record, error) {
	there, err := c.s.record(ctx, c.turn.Instance.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return there, err
}

// isIn reports whether the row that is there is this very call's, whose answer
// was lost and whose request was repeated.
func (c *commit) isIn(there *record) bool {
	if there == nil || there.attempt != c.row.attempt {
		return false
	}
	c.row.etag = there.etag
	if there.waiting != c.row.waiting {
		// A message came since, which whoever made this turn does not know.
		c.row.etag = neverTag
	}
	return true
}

// beginLarge makes room for an execution whose first turn is too large for one
// transaction. That of a new instance has its start written as a message, so that
// there is a row to guard the others. That of an instance which is there goes
// behind the rows of the execution before, which count until it is whole.
func (c *commit) beginLarge(ctx context.Context) error {
	switch {
	case !c.creates && !c.restarts || c.fits():
		return nil
	case c.creates:
		return c.beginFirst(ctx)
	}
	c.row.begins = c.base.Begins + int64(c.base.Events)
	for i, e := range c.rows {
		e["RowKey"] = historyKey(c.row.begins + int64(i))
	}
	return nil
}

// beginFirst makes the instance with its start in the inbox, for the turn to go
// on from there.
func (c *commit) beginFirst(ctx context.Context) error {
	at := slices.IndexFunc(c.turn.Append, func(e history.Event) bool { return e.Kind == history.ExecutionStarted })
	if at < 0 {
		return store.ErrTooLarge
	}
	start, id := c.turn.Append[at], c.turn.Instance.ID
	bell, err := c.s.put(ctx, ring{Instance: id, Turn: start.Execution}, c.s.o.Lease)
	if err != nil {
		return err
	}
	r, created, err := c.s.begin(ctx, id, start, bell, c.row.First, nil)
	switch {
	case errors.Is(err, store.ErrExists):
		c.s.warn("delete a doorbell", id, c.s.remove(ctx, bell))
		return store.ErrConflict
	case err == nil && !created:
		return store.ErrConflict // the doorbell stays, as this call may have been repeated on its way
	}
	if err != nil {
		return err
	}
	c.answered = append(c.answered, bell.doorbell())
	c.consumed = append(c.consumed, inboxKey(start.Message))
	c.creates = false
	c.base = r.base()
	c.large.know(r.large)
	c.row.blobs, c.row.generation = c.row.blobs || r.blobs, r.generation
	return nil
}

// fits reports whether the turn's rows go into one transaction, with room for the
// row and what is consumed.
func (c *commit) fits() bool {
	b := &batch{}
	for _, e := range c.rows {
		b.put(e)
	}
	return b.err == nil && b.fits(maxEntity) && len(b.actions)+len(c.consumed) < maxOperations
}

// ring puts the doorbells that the turn calls for.
func (c *commit) ring(ctx context.Context) error {
	if err := c.ringForWork(ctx); err != nil {
		return err
	}
	if err := c.ringForWake(ctx); err != nil {
		return err
	}
	_, isDue := dueTurn(c.base.WakeBell)
	soon := c.base.WakeBell != "" && !isDue
	if !c.projects() || c.turn.Hold || len(c.answered) > 0 || c.wake != nil || soon {
		return nil
	}
	var err error
	c.cover, err = c.s.put(ctx, ring{Instance: c.turn.Instance.ID, Turn: c.turn.Instance.Turn}, c.s.o.Lease)
	return err
}

// ringForWork sees to a doorbell that rings if this worker goes away, and passes
// those of other hands on. The message of one that the worker has is kept.
func (c *commit) ringForWork(ctx context.Context) error {
	for _, hand := range c.row.Hands {
		if id, ok := c.base.HandBells[hand.Receipt]; ok {
			c.setHandBell(hand.Receipt, id)
		}
	}
	if !c.turn.Hold {
		return nil
	}
	held, err := c.findHeld(ctx)
	if err == nil && held == nil {
		held, err = c.s.putHeld(ctx, c.mine, false)
		c.held = held
	}
	if err != nil {
		return err
	}
	c.setHandBell(c.mine.Receipt, held.id)
	c.lendTo(held)
	return nil
}

// lendTo lets a doorbell for work in hand owe the projection until it is
// written, so that whoever answers it writes it.
func (c *commit) lendTo(held *heldBell) {
	if c.projects() {
		held.owes.Store(true)
	}
}

func (c *commit) setHandBell(receipt, id string) {
	if c.row.handBells == nil {
		c.row.handBells = map[string]string{}
	}
	c.row.handBells[receipt] = id
}

// findHeld returns the message that can ring for the turn's hand: the one that
// the same turn put before, or an answered one that has enough of its lease
// left. nil if there is none.
func (c *commit) findHeld(ctx context.Context) (*heldBell, error) {
	if held := c.s.held.get(c.mine); held != nil {
		c.answered = slices.DeleteFunc(c.answered, func(bell store.Doorbell) bool { return bell.TakeOver && c.s.held.get(bell) == held })
		return held, nil
	}
	for i, bell := range c.answered {
		if !bell.TakeOver {
			continue
		}
		held, err := c.s.extend(ctx, bell, c.s.o.Lease/2)
		if err != nil {
			return nil, err
		}
		if held != nil {
			c.kept = bell
			c.s.held.keep(c.mine, held, c.s.o.Now())
			c.answered = slices.Delete(c.answered, i, i+1)
			return held, nil
		}
	}
	return nil, nil
}

// keepRinging sees to it that the doorbell for work in hand has enough of its
// lease left when the row is written that relies on it: if what came before took
// long, it may have rung and been taken away, as there was no such row.
func (c *commit) keepRinging(ctx context.Context) error {
	if !c.turn.Hold {
		return nil
	}
	held, err := c.s.extend(ctx, c.mine, c.s.o.Lease/2)
	if err != nil || held != nil {
		return err
	}
	if held, err = c.s.putHeld(ctx, c.mine, false); err != nil {
		return err
	}
	c.held = held
	c.setHandBell(c.mine.Receipt, held.id)
	c.lendTo(held)
	return nil
}

// holdOn sees to it that the doorbell for work in hand is still there, which may
// have rung before the turn was written.
func (c *commit) holdOn(ctx context.Context) error {
	if !c.turn.Hold {
		return nil
	}
	held, err := c.s.extend(ctx, c.mine, 0)
	if err == nil && held == nil {
		held, err = c.s.putHeld(ctx, c.mine, true)
	}
	if err == nil {
		c.lendTo(held)
	}
	return err
}

// ringForWake sees to a doorbell for the row's Wake.
func (c *commit) ringForWake(ctx context.Context) (err error) {
	in, now := &c.row.Instance, c.s.Now()
	wait := in.Wake.Sub(now)
	switch {
	case in.Wake.IsZero() || in.Status.IsTerminal():
		return nil
	case in.Wake.Equal(c.base.wake()) && c.base.WakeBell != "" && !c.answersWake(now):
		c.row.wakeBell = c.base.WakeBell
		return nil
	case wait > c.s.o.Horizon:
		c.row.wakeBell = byDueRow + in.Turn
		return c.s.putDue(ctx, in)
	case wait <= 0:
		wait = c.s.o.Lease // until the turn is written
	}
	if c.wake, err = c.s.put(ctx, ring{Instance: in.ID, Turn: in.Turn}, wait); err != nil {
		return err
	}
	c.row.wakeBell = c.wake.reference()
	return nil
}

// answersWake reports whether one of the answered doorbells may be that for the
// base's Wake.
func (c *commit) answersWake(now time.Time) bool {
	if len(c.answered) > 0 && !c.base.wake().After(now) {
		return true
	}
	before := record{Instance: store.Instance{Wake: c.base.wake()}, wakeBell: c.base.WakeBell}
	return slices.ContainsFunc(c.answered, func(bell store.Doorbell) bool {
		return !bell.TakeOver && before.ringsBy(messageOf(bell), now.Add(c.s.o.Horizon))
	})
}

// projects reports whether the turn changes the status, or makes blobs disappear
// that the projection may name, so that it is written, or the one before it may
// not have been. The moment between two executions is no change.
func (c *commit) projects() bool {
	changes := c.base.Status != c.row.Status.String() && c.row.Status != history.ContinuedAsNew || c.base.Faulted != (c.row.Fault != nil)
	return c.creates || c.mends || c.restarts && !c.continues || changes || c.continues && c.base.Blobs
}

// write makes the transaction, or, for a turn that is too large for one, the
// transactions before it.
func (c *commit) write(ctx context.Context) error {
	for {
		if err := c.keep(ctx); err != nil {
			return err
		}
		if err := c.keepRinging(ctx); err != nil {
			return err
		}
		c.row.waiting = 0
		if !c.restarts {
			c.row.waiting = max(0, c.base.Waiting-int64(len(c.consumed)))
		}
		row, err := c.row.sentinel(c.s.o.Hub)
		if err != nil {
			return err
		}
		b := c.guard(row)
		n := 0
		for n < len(c.rows) && b.err == nil {
			next := *b
			next.put(c.rows[n])
			if next.err != nil && n > 0 {
				break
			}
			*b = next
			n++
		}
		if n < len(c.rows) {
			if err := c.writeSurplus(ctx, c.rows[:n]); err != nil {
				return err
			}
			c.rows = c.rows[n:]
			continue
		}
		retry, err := c.writeLast(ctx, b)
		if !retry {
			return err
		}
	}
}

// clears reports whether the turn takes away all that is left of the execution
// before, as it knows what there is.
func (c *commit) clears() bool { return c.continues && !c.base.Blobs }

// stale returns the RowKeys of the execution before that the turn does not write
// over.
func (c *commit) stale() (keys []string) {
	first, end := c.row.begins, c.row.begins+int64(len(c.rows))
	for at := c.base.Begins; at < c.base.Begins+int64(c.base.Events); at++ {
		if at < first || at >= end {
			keys = append(keys, historyKey(at))
		}
	}
	return keys
}

// guard begins the transaction that writes the row.
func (c *commit) guard(row entity) *batch {
	b := &batch{}
	if c.creates {
		b.insert(row)
	} else {
		b.replace(row, c.base.ETag)
	}
	return b
}

// writeSurplus writes history rows that do not count yet, guarded by the row,
// which gets a new etag and stays as it is otherwise.
func (c *commit) writeSurplus(ctx context.Context, rows []entity) error {
	guard := newEntity(encodeKey(c.turn.Instance.ID), sentinelKey)
	guard["IsCheckpointComplete"] = false
	b := &batch{}
	b.merge(guard, c.base.ETag)
	for _, e := range rows {
		b.put(e)
	}
	etag, err := b.submit(ctx, c.s.history)
	if err == nil {
		c.base.ETag = etag
	}
	return err
}

// writeLast makes the transaction that writes the row, with as much of the inbox
// as there is room for. It is to be made again without a message that is not
// there.
func (c *commit) writeLast(ctx context.Context, b *batch) (again bool, err error) {
	first := len(b.actions)
	for c.going = 0; c.going < len(c.consumed) && b.fits(maxKey); c.going++ {
		b.remove(encodeKey(c.turn.Instance.ID), c.consumed[c.going], "")
	}
	c.row.etag, err = b.submit(ctx, c.s.history)
	var refused *batchError
	if errors.As(err, &refused) && refused.code == codeRowMissing && refused.index >= first {
		at := refused.index - first
		c.consumed = slices.Delete(c.consumed, at, at+1)
		return true, nil
	}
	if err == nil {
		c.consumed = c.consumed[c.going:]
	}
	return false, err
}
