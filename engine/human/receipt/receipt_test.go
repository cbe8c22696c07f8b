package receipt_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/receipt"
)

var at = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func signer(t *testing.T, secret byte) *receipt.Signer {
	t.Helper()
	s, err := receipt.NewSigner(bytes.Repeat([]byte{secret}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// past is a history with everything that a receipt tells of.
func past() []history.Event {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	return []history.Event{
		{Kind: history.OrchestratorStarted, Time: at},
		{Kind: history.ExecutionStarted, Time: at, Name: "Expense", Execution: "x", Input: raw(`{ "amount": 250, "for": "<b>träns\u202e" }`)},
		{Kind: history.TaskScheduled, Time: at, ID: 0, Name: "AskBoss", Input: raw(`{"to":"boss","shown":"250 EUR"}`)},
		{Kind: history.TimerCreated, Time: at, ID: 1},
		{Kind: history.TaskCompleted, Time: at.Add(time.Second), TaskID: 0, Result: raw(`"sent"`)},
		{Kind: history.EventRaised, Time: at.Add(time.Minute), Name: "Approval", Input: raw(`{"by":"boss","yes":false}`), Verdict: &history.Verdict{Outcome: history.Rejected, Reason: "no comment"}},
		{Kind: history.EventRaised, Time: at.Add(2 * time.Minute), Name: "Approval", Input: raw(`{"by":"boss","yes":true}`)},
		{Kind: history.ExecutionSuspended, Time: at.Add(3 * time.Minute), Reason: "audit"},
		{Kind: history.ExecutionResumed, Time: at.Add(4 * time.Minute)},
		{Kind: history.TaskScheduled, Time: at.Add(4 * time.Minute), ID: 2, Name: "Pay"},
		{Kind: history.TaskFailed, Time: at.Add(5 * time.Minute), TaskID: 2, Failure: &history.Failure{Kind: "bank", Message: "closed"}},
		{Kind: history.ExecutionCompleted, Time: at.Add(6 * time.Minute), Status: history.Completed, Result: raw(`{"paid":false}`)},
	}
}

func boss(_ string, payload json.RawMessage) (who, how string) {
	var p struct{ By string }
	_ = json.Unmarshal(payload, &p)
	return p.By, "a link that was sent to them"
}

func write(t *testing.T, s *receipt.Signer, past []history.Event) []byte {
	t.Helper()
	entries, err := receipt.Entries(past, boss)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Write(&b, receipt.Header{Hub: "h", Instance: "i", Execution: "x", Orchestration: "Expense"}, entries, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAReceiptTellsWhatWasShownWhoDecidedHowThatIsKnownAndWhen(t *testing.T) {
	s := signer(t, 1)
	text := write(t, s, past())
	r, err := receipt.Verify(text, s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range r.Entries {
		line := fmt.Sprintf("%s %s %s %s/%s %s %s", e.At.Format("15:04:05"), e.What, e.Name, e.Who, e.How, e.Verdict, e.Content)
		told = append(told, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		`12:00:00 begun Expense / {"amount":250,"for":"<b>träns\u202e"}`,
		`12:00:00 sent AskBoss / {"to":"boss","shown":"250 EUR"}`,
		`12:00:01 done AskBoss / "sent"`,
		`12:01:00 answered Approval boss/a link that was sent to them rejected: no comment {"by":"boss","yes":false}`,
		`12:02:00 answered Approval boss/a link that was sent to them taken {"by":"boss","yes":true}`,
		`12:03:00 paused / audit`,
		`12:04:00 resumed /`,
		`12:04:00 sent Pay /`,
		`12:05:00 notDone Pay / bank: closed`,
		`12:06:00 ended / Completed {"paid":false}`,
	}
	if strings.Join(told, "\n") != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if again := write(t, s, past()); !bytes.Equal(again, text) {
		t.Error("another receipt of the same is another")
	}
}

// Every byte of a receipt is changed, in several ways until there are ten thousand
// changes (a fifth of that with the race detector), and each is found in its own line.
// Only the first has no hash, which the second line has for it; and where a line end is
// changed, or becomes one, two lines are no lines any more.
func TestNoByteOfAReceiptCanBeChanged(t *testing.T) {
	s := signer(t, 1)
	text := write(t, s, past())
	changes, wanted := 0, 10_000
	if raceEnabled {
		wanted /= 5
	}
	for bit := 0; changes < wanted; bit++ {
		for i := range text {
			changed := bytes.Clone(text)
			changed[i] ^= 1 << (bit % 8)
			if bit >= 8 {
				changed[i] = byte(bit * 31)
			}
			if changed[i] == text[i] {
				continue
			}
			changes++
			_, err := receipt.Verify(changed, "")
			var wrong *receipt.Error
			if !errors.As(err, &wrong) {
				t.Fatalf("byte %d from %q to %q: %v", i, text[i], changed[i], err)
			}
			line := 1 + bytes.Count(text[:i], []byte("\n"))
			found := wrong.Line == line || line == 1 && wrong.Line == 2
			if isEnd := text[i] == '\n' || changed[i] == '\n'; !found && (!isEnd || wrong.Line > line+1) {
				t.Fatalf("byte %d of line %d from %q to %q: %v", i, line, text[i], changed[i], err)
			}
		}
	}
}

func TestNoLineCanBeLeftOutPutInOrMoved(t *testing.T) {
	s := signer(t, 1)
	text := write(t, s, past())
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines = lines[:len(lines)-1]
	join := func(lines ...[][]byte) []byte { return bytes.Join(slices.Concat(lines...), nil) }
	for i := range lines {
		if _, err := receipt.Verify(join(lines[:i], lines[i+1:]), ""); err == nil {
			t.Errorf("without line %d", i+1)
		}
		if _, err := receipt.Verify(join(lines[:i+1], lines[i:]), ""); err == nil {
			t.Errorf("with line %d twice", i+1)
		}
		if _, err := receipt.Verify(join(lines[:i]), ""); err == nil {
			t.Errorf("cut off before line %d", i+1)
		}
		if i > 0 {
			if _, err := receipt.Verify(join(lines[:i-1], lines[i:i+1], lines[i-1:i], lines[i+1:]), ""); err == nil {
				t.Errorf("with lines %d and %d the wrong way round", i, i+1)
			}
		}
	}
	for n := range text {
		if _, err := receipt.Verify(text[:n], ""); err == nil {
			t.Errorf("cut off after %d bytes", n)
		}
	}
}

func TestAnotherKeyIsNoticed(t *testing.T) {
	mine, theirs := signer(t, 1), signer(t, 2)
	text := write(t, theirs, past())
	if _, err := receipt.Verify(text, mine.PublicKey()); !errors.Is(err, receipt.ErrKey) {
		t.Error(err)
	}
	if _, err := receipt.Verify(text, ""); err != nil {
		t.Error(err)
	}
}

// Who has a receipt of before finds out what was changed in the store since.
func TestALaterReceiptThatContradictsAnEarlierIsNoticed(t *testing.T) {
	s := signer(t, 1)
	read := func(past []history.Event) *receipt.Receipt {
		r, err := receipt.Verify(write(t, s, past), "")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	earlier, later := read(past()[:7]), read(past())
	if err := later.Continues(earlier); err != nil {
		t.Error(err)
	}
	if err := earlier.Continues(later); !errors.Is(err, receipt.ErrOther) {
		t.Error(err)
	}
	changed := past()
	changed[6].Input = json.RawMessage(`{"by":"boss","yes":false}`)
	if err := read(changed).Continues(earlier); !errors.Is(err, receipt.ErrOther) || !strings.Contains(err.Error(), "entry 5") {
		t.Error(err)
	}
}
