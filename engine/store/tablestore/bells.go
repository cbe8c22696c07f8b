package tablestore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/store"
)

// envelope is the text of a queue message.
type envelope struct {
	Holdfast ring `json:"holdfast"`
}

// ring says which instance to look at.
type ring struct {
	Instance string `json:"instance"`
	TakeOver bool   `json:"takeOver"`
}

func (r ring) text() (string, error) {
	b, err := json.Marshal(envelope{r})
	return string(b), err
}

// message is a doorbell in the queue as this process knows it.
type message struct {
	ring
	id, receipt string
	visible     time.Time // when it rings, or rang
}

const receiptSeparator = " "

// reference is a message as text.
func (m *message) reference() string { return m.id + receiptSeparator + m.receipt }

func (m *message) doorbell() store.Doorbell {
	return store.Doorbell{Instance: m.Instance, Receipt: m.reference(), TakeOver: m.TakeOver}
}

// messageOf returns the message that a doorbell was given for.
func messageOf(bell store.Doorbell) *message {
	m := refer(bell.Receipt)
	m.ring = ring{bell.Instance, bell.TakeOver}
	return m
}

func refer(reference string) *message {
	id, receipt, _ := strings.Cut(reference, receiptSeparator)
	return &message{id: id, receipt: receipt}
}

// seconds is a duration as the queue knows it, never shorter.
func seconds(d time.Duration) *int32 {
	n := int32((max(d, 0) + time.Second - 1) / time.Second)
	return &n
}

// put puts a message into the queue that rings after a while.
func (s *Store) put(ctx context.Context, r ring, hidden time.Duration) (*message, error) {
	text, err := r.text()
	if err != nil {
		return nil, err
	}
	forever := int32(-1)
	after := seconds(hidden)
	visible := s.o.Now().Add(time.Duration(*after) * time.Second)
	answer, err := s.queue.EnqueueMessage(ctx, text, &azqueue.EnqueueMessageOptions{TimeToLive: &forever, VisibilityTimeout: after})
	if err != nil {
		return nil, fmt.Errorf("put a doorbell: %w", err)
	}
	if len(answer.Messages) != 1 {
		return nil, fmt.Errorf("put a doorbell: %d messages are there", len(answer.Messages))
	}
	put := answer.Messages[0]
	return &message{ring: r, id: *put.MessageID, receipt: *put.PopReceipt, visible: visible}, nil
}

// hide lets a message ring after a while, counted from now; errors that isGone
// knows say that it is not ours any more.
func (s *Store) hide(ctx context.Context, m *message, d time.Duration) error {
	text, err := m.text()
	if err != nil {
		return err
	}
	after := seconds(d)
	visible := s.o.Now().Add(time.Duration(*after) * time.Second)
	answer, err := s.queue.UpdateMessage(ctx, m.id, m.receipt, text, &azqueue.UpdateMessageOptions{VisibilityTimeout: after})
	if err != nil {
		return fmt.Errorf("hide a doorbell: %w", err)
	}
	m.receipt, m.visible = *answer.PopReceipt, visible
	return nil
}

// reveal lets a message ring now. If somebody else has it or had it, they may
// have found no cause for it yet, and there is a new one.
func (s *Store) reveal(ctx context.Context, m *message) error {
	err := s.hide(ctx, m, 0)
	if isGone(err) {
		_, err = s.put(ctx, m.ring, 0)
	}
	if err == nil {
		s.poll.rings()
	}
	return err
}

// remove takes a message out of the queue, if it is still ours.
func (s *Store) remove(ctx context.Context, m *message) error {
	if m == nil || m.id == "" {
		return nil
	}
	err := s.held.use(m.id, func(h *heldBell) error {
		receipt := m.receipt
		if h.receipt != "" {
			receipt = h.receipt
		}
		_, err := s.queue.DeleteMessage(ctx, m.id, receipt, nil)
		return err
	})
	if err != nil && !isGone(err) {
		return fmt.Errorf("delete a doorbell: %w", err)
	}
	s.held.forget(m.id)
	return nil
}

// heldBells knows the pop receipts of the doorbells for work in hand, which
// change every time one is extended.
type heldBells struct {
	mu   sync.Mutex
	byID map[string]*heldBell
}

// heldBell is a doorbell that somebody in this process holds.
type heldBell struct {
	mu      sync.Mutex // held while a request uses the receipt
	receipt string
	until   time.Time
}

// pruneAbove is the number of held doorbells above which those are forgotten
// that were lost long ago.
const pruneAbove = 1000

func (h *heldBells) keep(m *message, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byID == nil {
		h.byID = map[string]*heldBell{}
	}
	if len(h.byID) >= pruneAbove {
		for id, bell := range h.byID {
			if bell.mu.TryLock() {
				if bell.until.Before(now) {
					delete(h.byID, id)
				}
				bell.mu.Unlock()
			}
		}
	}
	h.byID[m.id] = &heldBell{receipt: m.receipt, until: m.visible}
}

func (h *heldBells) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.byID, id)
}

// use calls f while nobody else uses the bell, with an empty one if it is not
// held here.
func (h *heldBells) use(id string, f func(*heldBell) error) error {
	h.mu.Lock()
	bell := h.byID[id]
	h.mu.Unlock()
	if bell == nil {
		return f(&heldBell{})
	}
	bell.mu.Lock()
	defer bell.mu.Unlock()
	return f(bell)
}

// extend hides a doorbell that is held for another lease, and reports whether
// it was still there. A doorbell that has at least spare left stays as it is.
func (s *Store) extend(ctx context.Context, bell store.Doorbell, spare time.Duration) (there bool, err error) {
	m := messageOf(bell)
	err = s.held.use(m.id, func(h *heldBell) error {
		if h.receipt == "" {
			return nil
		}
		if there = h.until.Sub(s.o.Now()) > spare; there {
			return nil
		}
		m.receipt = h.receipt
		err := s.hide(ctx, m, s.o.Lease)
		if there = err == nil; there {
			h.receipt, h.until = m.receipt, m.visible
		}
		return err
	})
	if isGone(err) {
		s.held.forget(m.id)
		return false, nil
	}
	return there, err
}
