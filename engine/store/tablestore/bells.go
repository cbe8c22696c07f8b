package tablestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	TakeOver bool   `json:"takeOver,omitempty"`
	// Receipt is that of the hand which the message was put for, if it is to
	// be taken over. The row may have passed the message on to a later hand.
	Receipt string `json:"receipt,omitempty"`
	// Again says that the message stands in for the one that the row knows.
	Again bool `json:"again,omitempty"`
	// Heard is how many receptions of the message there were when somebody was
	// last heard of who had received or held it.
	Heard int64 `json:"heard,omitempty"`
	// Turn is the token of the turn that relies on the message and may not be
	// written yet.
	Turn string `json:"turn,omitempty"`
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
	born        time.Time // when it was put, if it was received
	received    int64     // how often it was
}

// deaths returns how often in a row whoever had the message was not heard of again.
// Who puts one for work in hand has it before it is received.
func (m *message) deaths() int {
	n := m.received - m.Heard
	if !m.TakeOver {
		n--
	}
	return int(max(n, 0))
}

const receiptSeparator = " "

// reference is a message as text.
func (m *message) reference() string { return m.id + receiptSeparator + m.receipt }

// maxFlight is longer than a request can be under way: the SDK gives up on one
// after 30 seconds, and so does Azure.
const maxFlight = 2 * time.Minute

// isYoung reports whether what the message was put for may be under way yet.
func (m *message) isYoung(now time.Time) bool { return now.Sub(m.born) < maxFlight }

func (m *message) doorbell() store.Doorbell {
	if m.TakeOver {
		return store.Doorbell{Instance: m.Instance, Receipt: m.Receipt, TakeOver: true, Deaths: m.deaths()}
	}
	receipt := []string{m.id, m.receipt, formatTime(m.born), strconv.FormatInt(m.received, 10), m.Turn}
	return store.Doorbell{Instance: m.Instance, Receipt: strings.Join(receipt, receiptSeparator), Deaths: m.deaths()}
}

// messageOf returns the message that a doorbell was given for which is not for
// work in hand.
func messageOf(bell store.Doorbell) *message {
	m := refer(bell.Receipt)
	m.Instance = bell.Instance
	if fields := strings.SplitN(bell.Receipt, receiptSeparator, 5); len(fields) == 5 {
		m.born, _ = parseTime(fields[2]) // as they were formatted here
		m.received, _ = strconv.ParseInt(fields[3], 10, 64)
		m.Turn = fields[4]
	}
	return m
}

// refer returns the message of a reference, or of a text that begins with one.
func refer(reference string) *message {
	fields := append(strings.Split(reference, receiptSeparator), "")
	return &message{id: fields[0], receipt: fields[1]}
}

// seconds is a duration as the queue knows it, never shorter.
func seconds(d time.Duration) *int32 {
	n := int32((max(d, 0) + time.Second - 1) / time.Second)
	return &n
}

// ringsAt returns when a message rings that is about to be hidden for so many
// seconds, of which it tells who wants to know.
func (s *Store) ringsAt(ctx context.Context, seconds int32) time.Time {
	at := s.o.Now().Add(time.Duration(seconds) * time.Second)
	if s.o.Rouse != nil {
		s.o.Rouse(ctx, at)
	}
	return at
}

// put puts a message into the queue that rings after a while.
func (s *Store) put(ctx context.Context, r ring, hidden time.Duration) (*message, error) {
	text, err := r.text()
	if err != nil {
		return nil, err
	}
	forever := int32(-1)
	after := seconds(hidden)
	visible := s.ringsAt(ctx, *after)
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
	m.Heard = max(m.Heard, m.received)
	text, err := m.text()
	if err != nil {
		return err
	}
	after := seconds(d)
	visible := s.ringsAt(ctx, *after)
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

// renew sees to it that a message rings for what was not written at the first
// attempt: if its time may have come, it may have been found without cause.
func (s *Store) renew(ctx context.Context, m *message) error {
	if m.visible.Sub(s.o.Now()) > s.o.Lease/2 {
		return nil
	}
	err := s.hide(ctx, m, s.o.Lease)
	if !isGone(err) {
		return err
	}
	again, err := s.put(ctx, m.ring, s.o.Lease)
	if err == nil {
		*m = *again
	}
	return err
}

// remove takes a message out of the queue, if it is still ours.
func (s *Store) remove(ctx context.Context, m *message) error {
	if m == nil || m.id == "" {
		return nil
	}
	if _, err := s.queue.DeleteMessage(ctx, m.id, m.receipt, nil); err != nil && !isGone(err) {
		return fmt.Errorf("delete a doorbell: %w", err)
	}
	return nil
}

// silence takes away what rings a doorbell. That for work in hand stays if this
// process does not know it: when it rings, no hand will be its own.
func (s *Store) silence(ctx context.Context, bell store.Doorbell) error {
	if !bell.TakeOver {
		return s.remove(ctx, messageOf(bell))
	}
	h := s.held.get(bell)
	if h == nil {
		return nil
	}
	h.lock()
	defer h.unlock()
	if !s.held.isShared(h) {
		if err := s.remove(ctx, &h.message); err != nil {
			return err
		}
	}
	s.held.forget(bell)
	return nil
}

// heldBells knows the messages of the doorbells for work in hand that this
// process put or received.
type heldBells struct {
	mu     sync.Mutex
	byBell map[store.Doorbell]*heldBell // without their Deaths
}

// heldBell is a message for work in hand. Its pop receipt changes every time it
// is extended.
type heldBell struct {
	// busy is full while a request uses the pop receipt. It is a channel, for
	// which testing/synctest knows that who waits for it is idle.
	busy chan struct{}
	message
	// owes says that the projection may not be written, as the worker which put
	// the message went away or could not; so whoever answers it does.
	owes atomic.Bool
	// doorbells are how many know the message: one, or two while it is passed on
	// to a turn of which nobody knows whether it was written. Guarded by
	// heldBells.mu.
	doorbells int
}

func newHeldBell(m *message) *heldBell {
	return &heldBell{busy: make(chan struct{}, 1), message: *m}
}

func (h *heldBell) lock()   { h.busy <- struct{}{} }
func (h *heldBell) unlock() { <-h.busy }

// isLost reports whether the message rang by now, for somebody else.
func (h *heldBell) isLost(now time.Time) bool {
	select {
	case h.busy <- struct{}{}:
		defer h.unlock()
		return h.visible.Before(now)
	default:
		return false
	}
}

// pruneAbove is the number of held doorbells above which those are forgotten
// that were lost long ago.
const pruneAbove = 1000

func (h *heldBells) get(bell store.Doorbell) *heldBell {
	h.mu.Lock()
	defer h.mu.Unlock()
	bell.Deaths = 0
	return h.byBell[bell]
}

// keep remembers the message of a doorbell.
func (h *heldBells) keep(bell store.Doorbell, held *heldBell, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byBell == nil {
		h.byBell = map[store.Doorbell]*heldBell{}
	}
	if len(h.byBell) >= pruneAbove {
		for other, old := range h.byBell {
			if old.isLost(now) {
				h.drop(other)
			}
		}
	}
	bell.Deaths = 0
	h.drop(bell)
	h.byBell[bell] = held
	held.doorbells++
}

// drop forgets a doorbell. mu must be held.
func (h *heldBells) drop(bell store.Doorbell) {
	if held := h.byBell[bell]; held != nil {
		held.doorbells--
		delete(h.byBell, bell)
	}
}

func (h *heldBells) forget(bell store.Doorbell) {
	h.mu.Lock()
	defer h.mu.Unlock()
	bell.Deaths = 0
	h.drop(bell)
}

// isShared reports whether several doorbells have this message.
func (h *heldBells) isShared(held *heldBell) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return held.doorbells > 1
}

// putHeld puts a message for work in hand into the queue.
func (s *Store) putHeld(ctx context.Context, bell store.Doorbell, again bool) (*heldBell, error) {
	m, err := s.put(ctx, ring{Instance: bell.Instance, TakeOver: true, Receipt: bell.Receipt, Again: again}, s.o.Lease)
	if err != nil {
		return nil, err
	}
	held := newHeldBell(m)
	s.held.keep(bell, held, s.o.Now())
	return held, nil
}

// owesProjection reports whether the projection may be older than the turn that
// a doorbell for work in hand was put for.
func (s *Store) owesProjection(bell store.Doorbell) bool {
	h := s.held.get(bell)
	return h != nil && h.owes.Load()
}

// settleProjection takes note that the projection is written.
func (s *Store) settleProjection(bells ...store.Doorbell) {
	for _, bell := range bells {
		if h := s.held.get(bell); h != nil {
			h.owes.Store(false)
		}
	}
}

// extend hides a doorbell for work in hand for another lease, and returns its
// message; nil if it is not there any more, or not known here. A doorbell that
// has more than spare left stays as it is.
func (s *Store) extend(ctx context.Context, bell store.Doorbell, spare time.Duration) (*heldBell, error) {
	h := s.held.get(bell)
	if h == nil {
		return nil, nil
	}
	h.lock()
	defer h.unlock()
	if h.visible.Sub(s.o.Now()) > spare {
		return h, nil
	}
	err := s.hide(ctx, &h.message, s.o.Lease)
	if isGone(err) {
		s.held.forget(bell)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// handOf finds the hand that a received message is to have taken over, and gives
// the message its receipt. It reports false if there is none: the work came to
// its end, or the turn was not written, or the message was put twice.
func (s *Store) handOf(ctx context.Context, m *message) (bool, error) {
	r, err := s.record(ctx, m.Instance)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read whose work is to be taken over: %w", err)
	}
	receipt, found := r.handOf(m, m.ring)
	if found {
		m.Receipt = receipt
	}
	return found, nil
}

// handOf returns the receipt of the hand that a message rings for, if it was put as
// the ring says.
func (r *record) handOf(m *message, put ring) (receipt string, found bool) {
	for _, hand := range r.Hands {
		if r.handBells[hand.Receipt] == m.id || put.Again && put.Receipt == hand.Receipt {
			return hand.Receipt, true
		}
	}
	return "", false
}

// relies reports whether there is a hand that a message rings for.
func (r *record) relies(m *message, put ring) bool {
	_, found := r.handOf(m, put)
	return put.TakeOver && found
}
