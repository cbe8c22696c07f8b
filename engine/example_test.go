package engine_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// An orchestration is turned by hand here, to show what the engine does: it
// takes messages and says what to write down. In a program, package dispatch
// does this.
func Example() {
	const (
		hello    engine.Orchestrator[string, string] = "Hello"
		ask      engine.Activity[string, string]     = "Ask"
		answered engine.Event[string]                = "Answered"
	)
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, hello, func(ctx *engine.Context, who string) (string, error) {
		if _, err := engine.CallActivity(ctx, ask, who).Await(); err != nil {
			return "", err
		}
		answer := engine.WaitForExternalEvent(ctx, answered)
		deadline := ctx.CreateTimer(ctx.Now().Add(72 * time.Hour))
		if engine.Select(ctx, answer, deadline) == deadline {
			return who + " did not answer", nil
		}
		deadline.Cancel()
		return answer.Await()
	})

	x := r.Replay("instance-1", nil, engine.ReplayOptions{})
	defer x.Close()
	at := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	for _, message := range []history.Event{
		{Kind: history.ExecutionStarted, Name: string(hello), Input: json.RawMessage(`"Ann"`)},
		{Kind: history.TaskCompleted, TaskID: 0, Result: json.RawMessage(`"asked"`)},
		{Kind: history.EventRaised, Name: string(answered), Input: json.RawMessage(`"yes"`)},
	} {
		decision, _ := x.Turn(at, []history.Event{message})
		fmt.Println(decision.Status, decision.Events)
	}
	// Output:
	// Running [OrchestratorStarted ExecutionStarted "Hello" TaskScheduled "Ask"]
	// Running [OrchestratorStarted TaskCompleted TimerCreated for 2026-01-04T09:00:00Z]
	// Completed [OrchestratorStarted EventRaised "Answered" ExecutionCompleted]
}
