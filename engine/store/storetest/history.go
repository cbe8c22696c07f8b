package storetest

import (
	"fmt"

	"github.com/seed21523604/holdfast/engine/history"
)

// CheckHistory returns an error when a history breaks one of the rules that
// hold for every one: it begins with a turn and one start, actions are numbered
// without a gap, what is completed was asked for before and only once, timers
// do not fire early, and nothing follows the end.
func CheckHistory(events []history.Event) error {
	var actions int32
	asked, answered := map[int32]history.Event{}, map[int32]bool{}
	messages, rewindings := map[string]bool{}, map[int32]bool{}
	first := 1 // where the start stands: behind the rewindings of a first turn
	for first < len(events) && events[first].Kind == history.ExecutionRewound {
		first++
	}
	for i, e := range events {
		wrong := func(what string) error { return fmt.Errorf("event %d, %s: %s", i, e, what) }
		switch {
		case i == 0 && e.Kind != history.OrchestratorStarted:
			return wrong("a history begins with a turn")
		case e.Kind == history.ExecutionStarted && i != first:
			return wrong("the start comes first and once")
		case (e.Kind == history.ExecutionCompleted || e.Kind == history.ContinueAsNew) && i != len(events)-1:
			return wrong("something follows the end")
		case e.Message != "" && messages[e.Message]:
			return wrong("the message is recorded twice")
		}
		messages[e.Message] = true
		asks, answers := e.Kind.IsAction(), answersTo[e.Kind]
		if e.Kind == history.ExecutionRewound {
			rewindings[e.ID] = true
		}
		for rewindings[actions] {
			actions++
		}
		if asks && e.ID != actions {
			return wrong(fmt.Sprintf("its number is %d, not %d", e.ID, actions))
		}
		if asks {
			asked[e.ID] = e
			actions++
		}
		if e.Kind == history.ExecutionStarted && !e.FireAt.IsZero() {
			asked[history.Outside] = history.Event{Kind: history.TimerCreated, FireAt: e.FireAt}
		}
		if answers == 0 {
			continue
		}
		q, ok := asked[e.TaskID]
		switch {
		case !ok || answered[e.TaskID] || q.Kind != answers:
			return wrong("it answers nothing that was asked for")
		case e.Kind == history.TimerFired && e.Time.Before(q.FireAt):
			return wrong("it fired early")
		}
		answered[e.TaskID] = true
	}
	return nil
}

// answersTo says which kind of action an event of a kind completes.
var answersTo = map[history.Kind]history.Kind{
	history.TaskCompleted:                     history.TaskScheduled,
	history.TaskFailed:                        history.TaskScheduled,
	history.TimerFired:                        history.TimerCreated,
	history.SubOrchestrationInstanceCompleted: history.SubOrchestrationInstanceCreated,
	history.SubOrchestrationInstanceFailed:    history.SubOrchestrationInstanceCreated,
}
