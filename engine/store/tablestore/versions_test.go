package tablestore

import (
	"fmt"
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

func TestManySendersToOneInstanceAreAllHeard(t *testing.T) {
	const senders, each = 8, 5
	s := newHub(t)
	if _, err := s.Commit(t.Context(), store.Turn{Instance: store.Instance{ID: "a", Execution: "e", Turn: "t"}}); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for sender := range senders {
		wait.Go(func() {
			for i := range each {
				m := history.Event{Kind: history.EventRaised, ID: history.Outside, Name: "x", Message: fmt.Sprint("m", sender, "-", i)}
				if err := s.Send(t.Context(), "a", m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	state, err := s.Load(t.Context(), "a", "")
	if err != nil || len(state.Inbox) != senders*each {
		t.Errorf("%d messages of %d, %v", len(state.Inbox), senders*each, err)
	}
	if base, err := parseVersion(state.Instance.Version); err != nil || base.Waiting != senders*each {
		t.Errorf("the row counts %d messages, %v", base.Waiting, err)
	}
}

// handed is a turn with work in hand, and the doorbell for it.
func handed(base store.Version, token string) (store.Turn, store.Doorbell) {
	in := store.Instance{ID: "a", Execution: "e", Turn: token, Hands: []store.Hand{{Receipt: token}}}
	return store.Turn{Base: base, Instance: in, Hold: true}, store.Doorbell{Instance: "a", Receipt: token, TakeOver: true}
}

func TestOneMessageServesHandAfterHand(t *testing.T) {
	d := newDesk(t, nil)
	s := d.opened
	turn, bell := handed("", "t0")
	version, err := s.Commit(t.Context(), turn)
	d.must(err)
	for i := range 3 {
		turn, bell = handed(version, fmt.Sprint("t", i+1))
		turn.Answered = []store.Doorbell{{Instance: "a", Receipt: fmt.Sprint("t", i), TakeOver: true}}
		d.bill.take()
		version, err = s.Commit(t.Context(), turn)
		d.must(err)
		if n, log := d.bill.take(); n.all() != 1 {
			t.Errorf("%d requests for a turn: %s", n, log)
		}
	}
	d.advance(s.Lease())
	if bells, err := d.store.Receive(t.Context(), 10, 0); err != nil || len(bells) != 1 || bells[0].Receipt != bell.Receipt || !bells[0].TakeOver {
		t.Errorf("%v ring, want %v, %v", bells, bell, err)
	}
}

// A message that Azure took twice, because the first answer was lost, must not
// tell anybody to take over from a worker that is there.
func TestAMessageThatWasPutTwiceTakesNothingOver(t *testing.T) {
	f := &azuritetest.Faults{}
	d := newFaultyDesk(t, inMemoryOptions, f, 3)
	turn, bell := handed("", "t")
	f.Choose = azuritetest.At(f.Requests(), azuritetest.Unanswered)
	_, err := d.opened.Commit(t.Context(), turn)
	d.must(err)
	for range 4 {
		d.advance(d.store.Lease() / 2)
		d.must(d.opened.Extend(t.Context(), bell))
		if bells, err := d.store.Receive(t.Context(), 10, 0); len(bells) != 0 || err != nil {
			t.Errorf("%v ring, %v", bells, err)
		}
	}
	d.advance(d.store.Lease())
	if bells, err := d.store.Receive(t.Context(), 10, 0); err != nil || len(bells) != 1 || bells[0].Receipt != bell.Receipt || !bells[0].TakeOver {
		t.Errorf("%v ring, want %v, %v", bells, bell, err)
	}
}

func TestAStartWhoseAnswerWasLostRings(t *testing.T) {
	for at := range 4 {
		f := &azuritetest.Faults{}
		d := newFaultyDesk(t, inMemoryOptions, f, 3)
		f.Choose = azuritetest.At(f.Requests()+at, azuritetest.Unanswered)
		start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Message: "m", Name: "test", Execution: "e"}
		d.must(d.opened.Create(t.Context(), "a", start))
		if bells, err := d.store.Receive(t.Context(), 10, 0); err != nil || len(bells) != 1 {
			t.Errorf("request %d: %v ring, %v", at, bells, err)
		}
	}
}
