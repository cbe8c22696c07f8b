package explain_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/explain"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestWhatAnEndedInstanceHasNotSentIsTold(t *testing.T) {
	in := store.Instance{ID: "a", Name: "Child", Status: history.Completed, Completed: noon, Hands: []store.Hand{{Receipt: "r", Sends: []int32{0}}}}
	e := explain.Of(in, nil, explain.Options{Now: noon})
	if !e.Owes || !strings.Contains(e.Advice, "still has something to send") {
		t.Errorf("%+v", e)
	}
	in.Hands = nil
	if e = explain.Of(in, nil, explain.Options{Now: noon}); e.Owes || e.Advice != "" {
		t.Errorf("%+v", e)
	}
}

func TestAWideFanOutIsToldInFewWords(t *testing.T) {
	in := store.Instance{ID: "a", Name: "Gather", Status: history.Running, Hands: []store.Hand{{Receipt: "r"}}}
	var past []history.Event
	for i := range int32(1000) {
		past = append(past, history.Event{Kind: history.TaskScheduled, ID: i, Name: "Hold", Time: noon})
		in.Hands[0].Tasks = append(in.Hands[0].Tasks, i)
	}
	e := explain.Of(in, past, explain.Options{Now: noon})
	text, err := json.Marshal(e)
	if err != nil || len(text) > 10_000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if len(e.Calls)+e.MoreCalls != 1000 || !strings.HasSuffix(e.Sentence, "; and 995 more.") {
		t.Errorf("%d and %d calls: %s", len(e.Calls), e.MoreCalls, e.Sentence)
	}
}

func TestAnInstanceBetweenTwoExecutionsWaitsForAWorker(t *testing.T) {
	in := store.Instance{ID: "a", Name: "Loop", Status: history.ContinuedAsNew}
	e := explain.Of(in, nil, explain.Options{Now: noon})
	if e.Unattended == nil || !strings.HasPrefix(e.Sentence, "Its next turn is due, and no worker has made it") {
		t.Errorf("%+v", e)
	}
}

func TestASuspensionBeganWhenItBegan(t *testing.T) {
	in := store.Instance{ID: "a", Name: "Approve", Status: history.Suspended}
	past := []history.Event{
		{Kind: history.ExecutionSuspended, Time: noon, Reason: "first"},
		{Kind: history.EventRaised, Time: noon.Add(time.Second), Name: "Early"},
		{Kind: history.ExecutionSuspended, Time: noon.Add(time.Minute), Reason: "second"}, // two asked at once
	}
	e := explain.Of(in, past, explain.Options{Now: noon.Add(time.Hour)})
	if !e.Suspended.Since.Equal(noon) || e.Suspended.Reason != "first" || len(e.Kept) != 1 {
		t.Errorf("%+v %+v", e.Suspended, e.Kept)
	}
}

func TestWorkersThatWentAwayAreCounted(t *testing.T) {
	in := store.Instance{
		ID: "a", Name: "Work", Status: history.Running, TurnTries: 2,
		Hands: []store.Hand{{Receipt: "r", Tasks: []int32{0}}}, TaskTries: []store.TaskTries{{Times: 1, Tasks: []int32{0}}},
	}
	past := []history.Event{{Kind: history.TaskScheduled, Name: "Hold", Time: noon}}
	e := explain.Of(in, past, explain.Options{Now: noon})
	var text strings.Builder
	if err := e.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, told := range []string{
		"the activity 'Hold', called at 2026-11-23T12:00:00Z and begun once by workers that went away meanwhile.",
		"Its next turn was begun 2 times by workers that went away in the midst of it.",
	} {
		if !strings.Contains(text.String(), told) {
			t.Errorf("%s is not told:\n%s", told, text.String())
		}
	}
}
