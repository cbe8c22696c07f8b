package tablestore

import (
	"context"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/engine/store"
)

// takeBack deletes the doorbells of a turn that was not written because of the row
// that is there, but for those that the row relies on: the turn may have been
// written and another after it, before it was repeated on its way. A due row stays
// as well, and the doorbells of an instance that there is not stay for its blobs.
func (c *commit) takeBack(ctx context.Context, there *record) {
	if c.creates && !c.large.begun.IsZero() {
		if there == nil {
			return
		}
		c.s.leaveBlobs(ctx, c.turn.Instance.ID, c.large, there)
	}
	c.s.warn("delete a doorbell", c.turn.Instance.ID, c.s.remove(ctx, c.cover))
	if c.wake != nil && (there == nil || refer(there.wakeBell).id != c.wake.id) {
		c.s.warn("delete a doorbell", c.turn.Instance.ID, c.s.remove(ctx, c.wake))
	}
	switch {
	case there != nil && there.handBells[c.mine.Receipt] != "":
	case c.held != nil:
		c.s.warn("delete a doorbell", c.turn.Instance.ID, c.s.silence(ctx, c.mine))
	case c.kept != store.Doorbell{}:
		c.s.held.forget(c.mine)
	}
}

// finish does what follows from a turn that is written. What fails is mended by
// the doorbells that are still there.
func (c *commit) finish(ctx context.Context) {
	s, id := c.s, c.turn.Instance.ID
	c.s.held.forget(c.kept)
	s.warn("hold on to work in hand", id, c.holdOn(ctx))
	c.ringNow(ctx)
	if err := c.ringForRest(ctx); err != nil {
		s.warn("ring for a message", id, err)
		return
	}
	messages := slices.DeleteFunc(slices.Clone(c.consumed), func(key string) bool { return !strings.HasPrefix(key, inboxPrefix) })
	if c.restarts && (!c.clears() || len(messages) < len(c.consumed)) {
		// Rows at their places may be those of a turn made since, so they are read first.
		s.removeBefore(ctx, &c.row, c.base, c.large.any())
	}
	if c.projects() {
		if err := s.project(ctx, &c.row, c.creates); err != nil {
			s.warn("write the projection", id, err)
			return
		}
		s.settleProjection(append(c.turn.Answered, c.mine)...)
	}
	if len(messages) > 0 {
		var rows []entity
		for _, key := range messages {
			rows = append(rows, newEntity(encodeKey(id), key))
		}
		s.warn("delete messages", id, s.removeRows(ctx, rows))
	}
	s.warn("delete the doorbell of a timer", id, c.removeWake(ctx))
	for _, bell := range c.answered {
		s.warn("delete a doorbell", id, s.silence(ctx, bell))
	}
	s.warn("delete a doorbell", id, s.remove(ctx, c.cover))
}

// ringForRest lets one of the answered doorbells ring for messages that the turn
// left in the inbox.
func (c *commit) ringForRest(ctx context.Context) error {
	if c.row.waiting == 0 || c.row.Status.IsTerminal() || c.row.Fault != nil {
		return nil
	}
	i := slices.IndexFunc(c.answered, func(bell store.Doorbell) bool { return !bell.TakeOver })
	if i < 0 {
		return nil // theirs are still there
	}
	bell := c.answered[i]
	c.answered = slices.Delete(c.answered, i, i+1)
	return c.s.reveal(ctx, messageOf(bell))
}

// ringNow sees to a Wake that has come, or may have rung before the turn was
// written.
func (c *commit) ringNow(ctx context.Context) {
	if c.wake == nil {
		return
	}
	if c.row.Wake.After(c.s.Now()) && c.wake.visible.After(c.s.o.Now()) {
		c.s.alarm(c.wake.visible)
		return
	}
	c.s.warn("ring for a timer", c.turn.Instance.ID, c.s.reveal(ctx, c.wake))
}

// removeWake deletes the doorbell of the base's Wake when it is not the row's
// any more.
func (c *commit) removeWake(ctx context.Context) error {
	bell := c.base.WakeBell
	if bell == "" || bell == c.row.wakeBell && c.base.wake().Equal(c.row.Wake) {
		return nil
	}
	if turn, isDue := dueTurn(bell); isDue {
		return c.removeDueRow(ctx, turn)
	}
	m := refer(bell)
	if slices.ContainsFunc(c.answered, func(a store.Doorbell) bool { return !a.TakeOver && messageOf(a).id == m.id }) {
		return nil
	}
	return c.s.remove(ctx, m)
}

// removeDueRow deletes the due row of the base's Wake, with the message that a
// sweep may have put for it, unless that is answered by the turn.
func (c *commit) removeDueRow(ctx context.Context, turn string) error {
	at, now := c.base.wake(), c.s.Now()
	partition, row := bucketKey(at), dueKey(at, c.turn.Instance.ID, turn)
	if c.answersWake(now) || at.After(now.Add(c.s.o.Horizon+sweepInterval)) {
		return c.s.removeDue(ctx, partition, row)
	}
	return c.s.removeSwept(ctx, partition, row)
}
