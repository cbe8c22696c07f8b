package dispatch

import (
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// A worker whose own doorbell rings, as it was not quick enough to keep it quiet,
// takes its hand over as a whole and gives nothing of it away: the doorbell is
// answered, and nothing else would ring for what is given away.
func TestNothingIsGivenAwayOfAHandThatIsTakenOver(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, engine.Orchestrator[int, int]("o"), func(ctx *engine.Context, n int) (int, error) {
		return engine.CallActivity(ctx, engine.Activity[int, int]("act"), n).Await()
	})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	past := []history.Event{
		{Kind: history.OrchestratorStarted, ID: history.Outside, Time: now},
		{Kind: history.ExecutionStarted, ID: history.Outside, Time: now, Name: "o", Execution: "x", Input: []byte("1")},
		{Kind: history.TaskScheduled, ID: 0, Time: now, Name: "act", Input: []byte("1")},
	}
	held := store.Doorbell{Instance: "a", Receipt: "turn", TakeOver: true}
	for name, bells := range map[string][]store.Doorbell{
		"":                                   nil,
		"it rang":                            {held},
		"it rang as if its worker were dead": {{Instance: "a", Receipt: "turn", TakeOver: true, Deaths: 1}},
	} {
		s := &session{id: "a", held: held, row: store.Instance{Execution: "x", Hands: []store.Hand{{Receipt: "turn", Tasks: []int32{0}}}}}
		s.live = r.Replay("a", past, engine.ReplayOptions{})
		p := &plan{bells: bells, offered: []task{{"x", 0}}}
		(&Worker{}).give(s, p)
		if gives := len(p.given) > 0; gives != (bells == nil) {
			t.Errorf("%s: it gives %v away", name, p.given)
		}
		s.close()
	}
}
