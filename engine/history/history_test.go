package history_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// sample holds one event of every kind with every field that kind uses.
func sample() []history.Event {
	at := time.Date(2026, 11, 23, 20, 47, 35, 123456789, time.UTC)
	return []history.Event{
		{Kind: history.OrchestratorStarted, ID: history.Outside, Time: at},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Message: "m1", Name: "SmsVerify", Execution: "e1",
			Input: json.RawMessage(`{"number":"+447700900123"}`), Secret: []string{"SmsChallengeResponse", ""}},
		{Kind: history.TaskScheduled, ID: 0, Time: at, Name: "SmsChallenge", Input: json.RawMessage(`null`)},
		{Kind: history.TaskScheduled, ID: 3, Time: at, Name: "SmsChallenge", Input: json.RawMessage(`null`), Attempt: 2, TaskID: 1},
		{Kind: history.TaskCompleted, ID: history.Outside, TaskID: 0, Time: at, Result: json.RawMessage(`""`)},
		{Kind: history.TaskFailed, ID: history.Outside, TaskID: 7, Time: at, Failure: &history.Failure{Kind: "panic", Message: "boom", Stack: "a\nb", NonRetriable: true}},
		{Kind: history.TaskFailed, ID: history.Outside, TaskID: 8, Time: at, Failure: &history.Failure{}},
		{Kind: history.TimerCreated, ID: 1, Time: at, FireAt: at.Add(400 * 24 * time.Hour)},
		{Kind: history.TimerFired, ID: history.Outside, TaskID: 1, Time: at, FireAt: at},
		{Kind: history.SubOrchestrationInstanceCreated, ID: 2, Time: at, Name: "Child", InstanceID: "e1:2", Input: json.RawMessage(`1`)},
		{Kind: history.SubOrchestrationInstanceCreated, ID: 3, Time: at, Name: "Child", InstanceID: "own", Detached: true},
		{Kind: history.SubOrchestrationInstanceCompleted, ID: history.Outside, Time: at, Message: "n1", Execution: "e1", TaskID: 2, Result: json.RawMessage(`""`)},
		{Kind: history.SubOrchestrationInstanceFailed, ID: history.Outside, Time: at, TaskID: 9, Failure: &history.Failure{Kind: "k", RetryAfter: 30 * time.Second}},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Name: "Child", Execution: "e2", Parent: &history.Parent{Instance: "p", Execution: "e1", Name: "P", Task: 2}},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Parent: &history.Parent{}, Carried: &history.Carried{}},
		{Kind: history.EventSent, ID: 4, Time: at, Name: "Go", InstanceID: "other", Input: json.RawMessage(`false`)},
		{Kind: history.EventRaised, ID: history.Outside, Time: at, Message: "s1", Name: "Go", InstanceID: "p", Input: json.RawMessage(`0`)},
		{Kind: history.ContinueAsNew, ID: 5, Time: at, Status: history.ContinuedAsNew, Result: json.RawMessage(`7`),
			Carried: &history.Carried{Events: []string{"m2", ""}, CustomStatus: json.RawMessage(`"x"`), Seen: []string{"m1"}, Idle: 3, Actions: 7, Version: "1.3"}},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Version: "1.2", Tags: map[string]string{"team": "red", "": ""}, FireAt: at},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Execution: "e2", Origin: "e1"},
		{Kind: history.ExecutionRewound, ID: 4, Time: at, Message: "m9", Execution: "e2", Reason: "try again"},
		{Kind: history.GenericEvent, ID: 9, Time: at, Name: "ask twice"},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: at, Trace: &history.Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", State: "a=1"}},
		{Kind: history.EventRaised, ID: history.Outside, Time: at, Trace: &history.Trace{}},
		{Kind: history.ExecutionTerminated, ID: history.Outside, Time: at, Recurse: true, Parent: &history.Parent{Instance: "p", Task: -1}},
		{Kind: history.EventRaised, ID: history.Outside, Time: at, Message: "m2", Name: "Größe 📏", Input: json.RawMessage(`false`)},
		{Kind: history.EventRaised, ID: history.Outside, Time: at, Message: "key-x", Name: "Code", Input: json.RawMessage(`1`), Strict: true,
			Verdict: &history.Verdict{Outcome: history.Rejected, Reason: "too low", Tries: 5, Tried: 2}},
		{Kind: history.EventRaised, ID: history.Outside, Time: at, Strict: true, Verdict: &history.Verdict{}},
		{Kind: history.ExecutionSuspended, ID: history.Outside, Time: at, Message: "m3", Reason: "lunch"},
		{Kind: history.ExecutionResumed, ID: history.Outside, Time: at, Message: "m4"},
		{Kind: history.ExecutionTerminated, ID: history.Outside, Time: at, Message: "m5", Reason: "enough"},
		{Kind: history.ExecutionCompleted, ID: 2, Time: at, Status: history.Terminated, Result: json.RawMessage(`0`)},
		{},
	}
}

func TestEventsSurviveEncoding(t *testing.T) {
	want := sample()
	got, err := history.DecodeEvents(nil, history.AppendEvents(nil, want))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decoded\n%+v\nwant\n%+v", got, want)
	}
}

func TestEncodedListsCanBeJoined(t *testing.T) {
	events := sample()
	joined := history.AppendEvents(history.AppendEvents(nil, events[:3]), events[3:])
	got, err := history.DecodeEvents(nil, joined)
	if err != nil || !reflect.DeepEqual(got, events) {
		t.Errorf("decoded %v, %v", got, err)
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	// Field 200 of the event, once as a number, once as bytes and once as a
	// fixed 64-bit value, as a newer version might write it.
	newer := []byte{0x08, 15, 0xc0, 0x0c, 5, 0xc2, 0x0c, 2, 'h', 'i', 0xc1, 0x0c, 1, 2, 3, 4, 5, 6, 7, 8}
	b := append([]byte{0x0a, byte(len(newer))}, newer...)
	got, err := history.DecodeEvents(nil, b)
	if err != nil || len(got) != 1 || got[0].Kind != history.EventRaised {
		t.Errorf("decoded %v, %v", got, err)
	}
}

func TestTruncatedBytesAreCorrupt(t *testing.T) {
	whole := history.AppendEvents(nil, sample()[1:2])
	for n := 1; n < len(whole); n++ {
		if _, err := history.DecodeEvents(nil, whole[:n]); !errors.Is(err, history.ErrCorrupt) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func FuzzDecodeEvents(f *testing.F) {
	f.Add(history.AppendEvents(nil, sample()))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := history.DecodeEvents(nil, b)
		if err != nil {
			return
		}
		again, err := history.DecodeEvents(nil, history.AppendEvents(nil, events))
		if err != nil {
			t.Fatalf("decode what was encoded: %v", err)
		}
		if len(again) != len(events) {
			t.Fatalf("%d events became %d", len(events), len(again))
		}
	})
}

func TestStatusWordsParseBack(t *testing.T) {
	for s := history.Running; s <= history.Suspended; s++ {
		got, ok := history.ParseStatus(s.String())
		if !ok || got != s {
			t.Errorf("%v parsed as %v, %v", s, got, ok)
		}
	}
	for _, word := range []string{"", "running", "Status(9)"} {
		if _, ok := history.ParseStatus(word); ok {
			t.Errorf("%q parsed", word)
		}
	}
}

func TestInstanceIDRules(t *testing.T) {
	good := []string{"a", "...", ".a", "7b59154ae666471993659902ed0ba742", "order 17+2%20:@=~", "été", strings.Repeat("x", 256), strings.Repeat("é", 256)}
	for _, id := range good {
		if err := history.CheckID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	bad := []string{"", ".", "..", "@a", "a/b", `a\b`, "a#b", "a?b", "a\x00", "a\n", "a\u007f", "a\u0085", "a\xff", strings.Repeat("x", 257)}
	for _, id := range bad {
		if err := history.CheckID(id); !errors.Is(err, history.ErrBadID) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestSavedHistoriesReadBack(t *testing.T) {
	want := history.Saved{Instance: "a", Events: sample()[:len(sample())-1]}
	var file strings.Builder
	if err := want.Write(&file); err != nil {
		t.Fatal(err)
	}
	got, err := history.ReadSaved(strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.Events {
		if !reflect.DeepEqual(compact(t, got.Events[i]), want.Events[i]) {
			t.Errorf("read\n%+v\nwant\n%+v", got.Events[i], want.Events[i])
		}
	}
}

// compact takes the indentation of the file out of an event's payloads.
func compact(t *testing.T, e history.Event) history.Event {
	t.Helper()
	payloads := []*json.RawMessage{&e.Input, &e.Result}
	if e.Carried != nil {
		payloads = append(payloads, &e.Carried.CustomStatus)
	}
	for _, p := range payloads {
		if len(*p) == 0 {
			continue
		}
		var b bytes.Buffer
		if err := json.Compact(&b, *p); err != nil {
			t.Fatal(err)
		}
		*p = b.Bytes()
	}
	return e
}

func TestASavedHistoryMustBeWellFormed(t *testing.T) {
	for _, text := range []string{"", "{}", `{"events":[]}`, `{"events":[{"kind":"Unheard"}]}`, `{"events":[{"kind":"EventRaised","status":"Fine"}]}`, `{"events":[{"kind":"EventRaised","newer":1}]}`} {
		if s, err := history.ReadSaved(strings.NewReader(text)); err == nil {
			t.Errorf("%s was read as %+v", text, s)
		}
	}
}

func TestAHistoryCanBeReadByPeople(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	late := at.Add(72 * time.Hour)
	events := []history.Event{
		{Kind: history.OrchestratorStarted, Time: at},
		{Kind: history.ExecutionStarted, Name: "Expense", Input: json.RawMessage(`{"amount":250}`)},
		{Kind: history.TaskScheduled, ID: 0, Name: "AskBoss", Input: json.RawMessage(`"` + strings.Repeat("x", 50) + `"`)},
		{Kind: history.TimerCreated, ID: 1, FireAt: late},
		{Kind: history.OrchestratorStarted, Time: late},
		{Kind: history.TaskFailed, TaskID: 0, Failure: &history.Failure{Kind: "busy", Message: "later"}},
		{Kind: history.TaskScheduled, ID: 2, Name: "AskBoss", Attempt: 2},
		{Kind: history.SubOrchestrationInstanceCreated, ID: 3, Name: "Kid", InstanceID: "k", Input: json.RawMessage("1")},
		{Kind: history.SubOrchestrationInstanceCompleted, TaskID: 3, Result: json.RawMessage("null")},
		{Kind: history.TimerFired, TaskID: 1, FireAt: late},
		{Kind: history.EventRaised, Name: "Approval", Input: json.RawMessage("false"), InstanceID: "k"},
		{Kind: history.EventSent, ID: 4, Name: "Done", InstanceID: "k", Input: json.RawMessage("0")},
		{Kind: history.ExecutionSuspended, Reason: "lunch"},
		{Kind: history.ExecutionResumed},
		{Kind: history.ContinueAsNew, Result: json.RawMessage("2")},
		{Kind: history.ExecutionCompleted, Status: history.Completed, Result: json.RawMessage("true")},
		{Kind: history.ExecutionCompleted, Status: history.Failed, Failure: &history.Failure{Kind: "panic", Message: "boom"}},
	}
	var out strings.Builder
	if err := history.Print(&out, events, history.PrintOptions{Payload: 20}); err != nil {
		t.Fatal(err)
	}
	const want = `         +0s  is 2026-01-02 03:04:05 UTC
         +0s  started Expense {"amount":250}
              #0 call AskBoss "xxxxxxxxxxxxxxxxxxx…
              #1 timer until +72h0m0s
    +72h0m0s  #0 AskBoss failed: busy: later
              #2 call AskBoss (attempt 2 of #0)
              #3 begin Kid 1 as instance k
              #3 Kid returned null
              #1 timer fired
              event Approval false from instance k
              #4 sent event Done 0 to instance k
              suspended: lunch
              resumed
              continued as new 2
              Completed true
              Failed: panic: boom
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	if err := history.Print(&out, events, history.PrintOptions{Payload: -1}); err != nil || strings.Contains(out.String(), "250") || strings.Contains(out.String(), "later") {
		t.Errorf("payloads are shown:\n%s%v", out.String(), err)
	}
}
