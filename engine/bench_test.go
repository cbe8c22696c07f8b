package engine_test

import (
	"encoding/json"
	"fmt"
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
	for _, length := range []int{10, 1_000, 10_000} {
		b.Run(fmt.Sprint(length, "-events"), func(b *testing.B) {
			w := newWheel(b, 1, length)
			b.ReportAllocs()
			for b.Loop() {
				x := w.r.Replay("i", w.past, engine.ReplayOptions{})
				if len(x.Outstanding()) != 1 {
					b.Fatal("it asks for nothing")
				}
				x.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(w.past)), "ns/event")
		})
	}
}

// BenchmarkTurnByHistory measures one turn with some new results: of an execution
// that stays in memory, whose cost follows what is new, and of one that is read
// again, whose cost follows its history too.
func BenchmarkTurnByHistory(b *testing.B) {
	for _, length := range []int{100, 10_000} {
		for _, news := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("history=%d/new=%d/cached", length, news), func(b *testing.B) {
				w := newWheel(b, news, length)
				b.ReportAllocs()
				for b.Loop() {
					w.turn()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(news), "ns/new-event")
			})
		}
		b.Run(fmt.Sprintf("history=%d/new=1/read-again", length), func(b *testing.B) {
			w := newWheel(b, 1, length)
			b.ReportAllocs()
			for b.Loop() {
				x := w.r.Replay("i", w.past, engine.ReplayOptions{})
				if _, err := x.Turn(epoch, w.results()); err != nil {
					b.Fatal(err)
				}
				x.Close()
			}
		})
	}
}

// TestATurnInMemoryCostsWhatIsNew compares what turns of a short and of a long
// history allocate.
func TestATurnInMemoryCostsWhatIsNew(t *testing.T) {
	short, long := newWheel(t, 10, 100), newWheel(t, 10, 10_000)
	few, many := testing.AllocsPerRun(200, short.turn), testing.AllocsPerRun(200, long.turn)
	if many > few*1.2 {
		t.Errorf("a turn makes %v allocations after 100 events and %v after 10,000", few, many)
	}
}

// wheel is an orchestration that asks for activities, so many at a time, for
// ever; past is its history when it was made.
type wheel struct {
	tb    testing.TB
	r     *engine.Registry
	x     *engine.Execution
	width int
	next  int32
	past  []history.Event
}

// newWheel returns a wheel with a history of at least the length.
func newWheel(tb testing.TB, width, length int) *wheel {
	w := &wheel{tb: tb, r: engine.NewRegistry(), width: width}
	engine.AddOrchestrator(w.r, "wheel", func(ctx *engine.Context, _ any) (int, error) {
		for {
			calls := make([]*engine.Task[int], width)
			for i := range calls {
				calls[i] = engine.CallActivity(ctx, double, i)
			}
			if _, err := engine.WhenAll(ctx, calls...).Await(); err != nil {
				return 0, err
			}
		}
	})
	w.x = w.r.Replay("i", nil, engine.ReplayOptions{})
	tb.Cleanup(w.x.Close)
	messages := []history.Event{{Kind: history.ExecutionStarted, Message: "a", Name: "wheel", Execution: "e"}}
	for len(w.past) < length {
		w.past = append(w.past, w.decide(messages).Events...)
		messages = w.results()
		w.next += int32(width)
	}
	w.next -= int32(width)
	return w
}

// results returns those that are waited for.
func (w *wheel) results() []history.Event {
	results := make([]history.Event, w.width)
	for i := range results {
		results[i] = history.Event{Kind: history.TaskCompleted, ID: history.Outside, TaskID: w.next + int32(i), Result: json.RawMessage("1")}
	}
	return results
}

func (w *wheel) decide(messages []history.Event) engine.Decision {
	d, err := w.x.Turn(epoch, messages)
	if err != nil || len(d.Events) < 2 {
		w.tb.Fatal(d, err)
	}
	return d
}

// turn makes one turn.
func (w *wheel) turn() {
	w.decide(w.results())
	w.next += int32(w.width)
}
