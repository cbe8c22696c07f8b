package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// gambler is an orchestration whose every step is drawn from a seed, branches
// included; all branches draw from the same source, so what it asks for depends
// on the very order in which they go on.
type gambler struct {
	draw  *rand.Rand
	story []int
	steps int
}

func gamble(ctx *engine.Context, seed uint64) ([]int, error) {
	g := &gambler{draw: rand.New(rand.NewPCG(seed, 1)), steps: 40}
	err := g.play(ctx, 0)
	return g.story, err
}

// play makes steps until there are none left for anybody.
func (g *gambler) play(ctx *engine.Context, depth int) error {
	var tasks []engine.Awaitable
	for g.steps > 0 {
		g.steps--
		if len(tasks) > 3 {
			tasks = tasks[1:]
		}
		switch step := g.draw.IntN(9); {
		case step == 0 && depth < 3:
			tasks = append(tasks, engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				return depth, g.play(ctx, depth+1)
			}))
		case step <= 2:
			tasks = append(tasks, engine.CallActivity(ctx, double, g.draw.IntN(9), engine.RetryPolicy{MaxAttempts: 2}))
		case step == 3:
			tasks = append(tasks, engine.WaitForExternalEvent(ctx, number, engine.Until(ctx.Now().Add(time.Duration(g.draw.IntN(90))*time.Minute))))
		case step == 4:
			tasks = append(tasks, engine.CallSubOrchestrator(ctx, kid, depth))
		case step == 5 && len(tasks) > 1:
			tasks = append(tasks, engine.WhenAny(ctx, tasks[0], tasks[1]), engine.WhenAllDone(ctx, tasks[0], tasks[1]))
		case step == 6 && len(tasks) > 0:
			tasks[g.draw.IntN(len(tasks))].Cancel()
		case len(tasks) > 0:
			first := engine.Select(ctx, tasks...)
			g.story = append(g.story, depth, int(ctx.Now().Sub(epoch)/time.Minute), g.draw.IntN(100))
			if _, ok := first.(*engine.Task[int]); ok && g.draw.IntN(3) == 0 {
				return errors.New("enough")
			}
		}
	}
	return nil
}

// Whatever an orchestration does, one that lived through its turns and one that was
// read again decide alike: the desk makes every turn with both.
func TestRandomProgramsAreReplayedAlike(t *testing.T) {
	ended := map[history.Status]int{}
	for seed := range uint64(300) {
		d := one(t, fmt.Sprint(seed), gamble)
		draw := rand.New(rand.NewPCG(seed, 2))
		for turn := 0; turn < 60 && !d.last.Status.IsTerminal(); turn++ {
			d.now = d.now.Add(time.Duration(draw.IntN(10)) * time.Minute)
			d.turn(d.happenings(draw)...)
		}
		if f := d.last.Failure; f != nil && f.Kind != engine.KindError {
			t.Fatalf("seed %d: %v", seed, f)
		}
		ended[d.last.Status]++
		d.live.Close()
	}
	if ended[history.Completed] < 50 || ended[history.Failed] < 20 {
		t.Errorf("they ended %v, which shows little", ended)
	}
}

// happenings returns some of what may come next: results, failures, notices of
// children, events, a pause.
func (d *desk) happenings(draw *rand.Rand) (messages []history.Event) {
	for _, call := range d.live.Outstanding() {
		switch draw.IntN(4) {
		case 0:
			messages = append(messages, d.result(call.ID, "1"))
		case 1:
			messages = append(messages, history.Event{Kind: history.TaskFailed, ID: history.Outside, Time: d.now, TaskID: call.ID, Failure: &history.Failure{Kind: "busy"}})
		}
	}
	for _, e := range d.past {
		if e.Kind == history.SubOrchestrationInstanceCreated && draw.IntN(6) == 0 {
			messages = append(messages, d.notice(e.ID, "1", nil))
		}
	}
	for range draw.IntN(3) {
		messages = append(messages, d.event("Number", fmt.Sprint(draw.IntN(100))))
	}
	switch draw.IntN(12) {
	case 0:
		messages = append(messages, d.message(history.Event{Kind: history.ExecutionSuspended}))
	case 1, 2, 3:
		messages = append(messages, d.message(history.Event{Kind: history.ExecutionResumed}))
	}
	draw.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
	return messages
}
