package receipt_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/receipt"
)

// headOf returns the head that is kept of a history.
func headOf(t *testing.T, s *receipt.Signer, h receipt.Header, past []history.Event) receipt.Head {
	t.Helper()
	entries, err := receipt.Entries(past, boss)
	if err != nil {
		t.Fatal(err)
	}
	head, err := s.Head(h, entries, at.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(head)
	if err != nil || strings.Contains(string(text), "boss") || json.Unmarshal(text, &head) != nil {
		t.Fatalf("%s %v", text, err)
	}
	return head
}

// Of a history that is gone its head tells which receipt is the last, and which were made
// before, of another history or by another.
func TestAHeadTellsTheLastReceipt(t *testing.T) {
	s := signer(t, 1)
	this := receipt.Header{Hub: "h", Instance: "i", Execution: "x", Orchestration: "Expense"}
	other := this
	other.Execution = "y"
	changed := slices.Clone(past())
	changed[6].Input = json.RawMessage(`{"by":"boss","yes":false}`)
	forged := headOf(t, s, this, past())
	forged.Seal.Entries--
	for name, test := range map[string]struct {
		past []history.Event
		head receipt.Head
		want error
	}{
		"the last":          {past(), headOf(t, s, this, past()), nil},
		"earlier":           {past()[:7], headOf(t, s, this, past()), receipt.ErrEarlier},
		"of more":           {past(), headOf(t, s, this, past()[:7]), receipt.ErrOther},
		"another history":   {changed, headOf(t, s, this, past()), receipt.ErrOther},
		"another run":       {past(), headOf(t, s, other, past()), receipt.ErrOther},
		"signed by another": {past(), headOf(t, signer(t, 2), this, past()), receipt.ErrKey},
	} {
		r, err := receipt.Verify(write(t, s, test.past), s.PublicKey())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.IsLast(test.head); !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		var wrong *receipt.Error
		if err := r.IsLast(forged); !errors.As(err, &wrong) {
			t.Errorf("a forged head: %v", err)
		}
	}
}
