package receipt

import (
	"bytes"
	"encoding/json"

	"github.com/seed21523604/holdfast/engine/history"
)

// Reader tells who raised an event, and how that is known, as far as its payload
// says; empty for what it does not know.
type Reader func(event string, payload json.RawMessage) (who, how string)

// Entries returns what happened by a history. Turns, timers and records of the
// engine's own are left out.
func Entries(past []history.Event, read Reader) ([]Entry, error) {
	scheduled := map[int32]string{}
	var all []Entry
	for _, e := range past {
		if e.Kind == history.TaskScheduled || e.Kind == history.SubOrchestrationInstanceCreated {
			scheduled[e.ID] = e.Name
		}
		entry, ok := entryOf(e, scheduled, read)
		if !ok {
			continue
		}
		content, err := compact(entry.Content)
		if err != nil {
			return nil, err
		}
		entry.At, entry.Content = e.Time.UTC(), content
		all = append(all, entry)
	}
	return all, nil
}

// entryOf returns the entry for an event, if it has one.
func entryOf(e history.Event, scheduled map[int32]string, read Reader) (Entry, bool) {
	switch e.Kind {
	case history.ExecutionStarted:
		return Entry{What: Begun, Name: e.Name, Content: e.Input}, true
	case history.TaskScheduled, history.SubOrchestrationInstanceCreated:
		return Entry{What: Sent, Name: e.Name, Content: e.Input}, true
	case history.TaskCompleted, history.SubOrchestrationInstanceCompleted:
		return Entry{What: Done, Name: scheduled[e.TaskID], Content: e.Result}, true
	case history.TaskFailed, history.SubOrchestrationInstanceFailed:
		return Entry{What: NotDone, Name: scheduled[e.TaskID], Verdict: e.Failure.String()}, true
	case history.EventRaised:
		who, how := read(e.Name, e.Input)
		return Entry{What: Answered, Name: e.Name, Who: who, How: how, Verdict: verdictOf(e), Content: e.Input}, true
	case history.ExecutionSuspended:
		return Entry{What: Paused, Verdict: e.Reason}, true
	case history.ExecutionResumed:
		return Entry{What: Resumed, Verdict: e.Reason}, true
	case history.ExecutionTerminated:
		return Entry{What: Stopped, Verdict: e.Reason}, true
	case history.ExecutionCompleted:
		return Entry{What: Ended, Verdict: e.Status.String(), Content: e.Result}, true
	}
	return Entry{}, false
}

// verdictOf returns what became of an event in a word, and why.
func verdictOf(e history.Event) string {
	switch {
	case e.Verdict == nil:
		return string(history.Taken)
	case e.Verdict.Reason != "":
		return string(e.Verdict.Outcome) + ": " + e.Verdict.Reason
	}
	return string(e.Verdict.Outcome)
}

// compact returns a JSON text without white space, as a line has it.
func compact(text json.RawMessage) (json.RawMessage, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	err := json.Compact(&b, text)
	return b.Bytes(), err
}
