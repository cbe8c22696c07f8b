package engine_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// verification is an orchestration of the usual shape: an activity, then an
// event raced with a timer.
func verification() *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "verify", func(ctx *engine.Context, n int) (bool, error) {
		if _, err := engine.CallActivity(ctx, double, n).Await(); err != nil {
			return false, err
		}
		reply := engine.WaitForExternalEvent(ctx, answer)
		deadline := ctx.CreateTimer(ctx.Now().Add(5 * time.Minute))
		winner, err := engine.WhenAny(ctx, reply, deadline).Await()
		deadline.Cancel()
		return winner == reply, err
	})
	return r
}

var verificationMessages = []history.Event{
	{Kind: history.ExecutionStarted, Message: "a", Name: "verify", Execution: "e", Input: json.RawMessage("1")},
	{Kind: history.TaskCompleted, TaskID: 0, Result: json.RawMessage("2")},
	{Kind: history.EventRaised, Message: "b", Name: "Answer", Input: json.RawMessage(`"x"`)},
}

// BenchmarkTurn measures a turn of an execution that stays in memory: three
// turns make a whole verification.
func BenchmarkTurn(b *testing.B) {
	r := verification()
	b.ReportAllocs()
	turns := 0
	for b.Loop() {
		x := r.Replay("i", nil, engine.ReplayOptions{})
		for _, m := range verificationMessages {
			if _, err := x.Turn(epoch, []history.Event{m}); err != nil {
				b.Fatal(err)
			}
			turns++
		}
		if x.Status() != history.Completed {
			b.Fatal(x.Status())
		}
		x.Close()
	}
	b.ReportMetric(float64(turns)/b.Elapsed().Seconds(), "turns/s")
}

// BenchmarkReplay measures what it costs to bring an instance back from its
// history, per event recorded.
func BenchmarkReplay(b *testing.B) {
	for _, calls := range []int{3, 300, 3000} {
		r := engine.NewRegistry()
		engine.AddOrchestrator(r, "sequence", func(ctx *engine.Context, n int) (int, error) {
			for i := range n {
				if _, err := engine.CallActivity(ctx, double, i).Await(); err != nil {
					return 0, err
				}
			}
			return engine.WaitForExternalEvent(ctx, number).Await()
		})
		past := sequence(b, r, calls)
		b.Run(map[int]string{3: "short", 300: "long", 3000: "very-long"}[calls], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x := r.Replay("i", past, engine.ReplayOptions{})
				if len(x.WaitingFor()) != 1 {
					b.Fatal("it does not wait")
				}
				x.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(past)), "ns/event")
		})
	}
}

// sequence makes the history of n calls one after another.
func sequence(b *testing.B, r *engine.Registry, n int) []history.Event {
	input, _ := json.Marshal(n)
	x := r.Replay("i", nil, engine.ReplayOptions{})
	defer x.Close()
	message := history.Event{Kind: history.ExecutionStarted, Message: "a", Name: "sequence", Execution: "e", Input: input}
	var past []history.Event
	for i := range n + 1 {
		d, err := x.Turn(epoch, []history.Event{message})
		if err != nil {
			b.Fatal(err)
		}
		past = append(past, d.Events...)
		message = history.Event{Kind: history.TaskCompleted, TaskID: int32(i), Result: json.RawMessage("1")}
	}
	return past
}
