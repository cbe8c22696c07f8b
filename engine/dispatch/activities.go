package dispatch

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// takeOver finds the calls that were in the hands of workers which are gone, as the
// doorbells say, and which of them may have been begun by one that died: as they
// are begun in their order, no more than run at once.
func (w *Worker) takeOver(s *session, p *plan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.taken, p.died = map[int32]*history.Event{}, map[int32]bool{}
	for _, hand := range s.row.Hands {
		i := slices.IndexFunc(p.bells, func(b store.Doorbell) bool { return b.TakeOver && b.Receipt == hand.Receipt })
		if i < 0 {
			continue
		}
		for _, number := range hand.Tasks {
			call, waits := p.before[number]
			if !waits || s.isRunning(task{s.row.Execution, number}) {
				continue
			}
			p.taken[number] = call
			if p.bells[i].Deaths > 0 && len(p.died) < w.o.Activities && !w.registry.RunsAtMostOnce(call.Name) {
				p.died[number] = true
			}
		}
	}
}

// interrupted returns a failure for every call that is taken over of an activity
// that must not run twice, in the order of the calls.
func (w *Worker) interrupted(p *plan) []history.Event {
	var failed []history.Event
	for _, number := range slices.Sorted(maps.Keys(p.taken)) {
		if w.registry.RunsAtMostOnce(p.taken[number].Name) {
			failed = append(failed, w.interruption(number))
		}
	}
	return failed
}

// interruption is the failure of a call that was cut short.
func (w *Worker) interruption(call int32) history.Event {
	return history.Event{
		Kind: history.TaskFailed, ID: history.Outside, Time: w.o.Now().UTC(), TaskID: call,
		Failure: &history.Failure{Kind: engine.KindInterrupted, Message: engine.ErrInterrupted.Error()},
	}
}

// inHand returns the calls that are in this worker's hands after the turn: those
// it asked for, those that are running, and those that are taken over.
func (w *Worker) inHand(s *session, p *plan) []int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.live == nil {
		return nil
	}
	var numbers []int32
	for _, e := range s.live.Outstanding() {
		_, old := p.before[e.ID]
		_, taken := p.taken[e.ID]
		if !old || taken || s.isRunning(task{s.live.ID(), e.ID}) {
			numbers = append(numbers, e.ID)
		}
	}
	return numbers
}

// hands returns what the row will say of work in hand: that of this worker anew,
// with whatever the doorbells that it answers stood for, and that of others as it
// was; without what has come to an end.
func (w *Worker) hands(s *session, p *plan, turn store.Turn) (hands []store.Hand, hold bool) {
	mine := store.Hand{Receipt: turn.Instance.Turn, Tasks: w.inHand(s, p)}
	for _, send := range p.sends {
		mine.Sends = append(mine.Sends, send.Number)
	}
	for _, hand := range s.row.Hands {
		hand.Tasks, hand.Sends = s.unfinished(hand), w.unsent(s, hand)
		switch {
		case turn.Instance.Execution != s.row.Execution || len(hand.Tasks)+len(hand.Sends) == 0:
		case len(p.given) > 0 && hand.Receipt == p.givenBy.Receipt:
			hands = append(hands, split(hand, p.given, &mine))
		case slices.ContainsFunc(turn.Answered, func(b store.Doorbell) bool { return b.TakeOver && b.Receipt == hand.Receipt }):
			mine.Tasks = append(mine.Tasks, hand.Tasks...)
			mine.Sends = append(mine.Sends, hand.Sends...)
		default:
			hands = append(hands, hand)
		}
	}
	if len(mine.Tasks)+len(mine.Sends) == 0 {
		return hands, false
	}
	mine.Tasks, mine.Sends = inOrder(mine.Tasks), inOrder(mine.Sends)
	return append(hands, mine), true
}

// inOrder sorts numbers and leaves out repetitions.
func inOrder(numbers []int32) []int32 {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// unfinished returns the tasks of a hand that have no outcome yet.
func (s *session) unfinished(hand store.Hand) []int32 {
	return slices.DeleteFunc(slices.Clone(hand.Tasks), func(number int32) bool { return s.waiting(number) == nil })
}

// run starts the activities that the turn asked for, and those that were taken
// over.
func (w *Worker) run(s *session, p *plan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.live == nil || w.context.Err() != nil {
		return
	}
	tries := triesOf(s.row.TaskTries)
	for _, e := range s.live.Outstanding() {
		key := task{s.live.ID(), e.ID}
		_, old := p.before[e.ID]
		_, taken := p.taken[e.ID]
		if s.isRunning(key) || old && (!taken || w.registry.RunsAtMostOnce(e.Name)) {
			continue
		}
		if s.running == nil {
			s.running = map[task]context.CancelFunc{}
		}
		ctx, cancel := context.WithCancel(w.context)
		s.running[key] = cancel
		call := engine.NewCall(s.id, s.live.ID(), e)
		call.Origin = s.live.Origin()
		at := s.live.TraceOf(e)
		if tries[e.ID] >= suspicious {
			w.trials.do(job{run: func() { w.try(ctx, call, e, at) }, drop: func() { w.abandon(call) }})
			continue
		}
		w.begin(s, job{
			run: func() { w.perform(ctx, call, e, at, w.workAfter) }, drop: func() { w.abandon(call) },
			instance: s.id, call: key, stays: w.registry.RunsAtMostOnce(e.Name),
		})
	}
	w.expectBacklog()
}

// begin has an activity run: the first that a turn asks for on the goroutine that
// makes the turn, if that has nothing else to do then, as its stack is large enough
// already.
func (w *Worker) begin(s *session, j job) {
	if s.lends && !s.lent {
		s.lent = true
		w.activities.follow(j)
		return
	}
	w.activities.do(j)
}

// hush tells the activities to stop whose results nobody waits for any more.
func (w *Worker) hush(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(s.running) == 0 {
		return
	}
	living := s.isLiving()
	for t, cancel := range s.running {
		if !living || t.execution != s.row.Execution || s.waiting(t.number) == nil {
			cancel()
		}
	}
}

// perform runs an activity and brings its result to the instance, even if it
// ends the goroutine it runs on. Work makes the turn for the result.
func (w *Worker) perform(ctx context.Context, call engine.Call, scheduled *history.Event, at *history.Trace, work func(*session)) {
	if ctx.Err() != nil {
		w.abandon(call)
		return
	}
	ctx, ended := w.o.Telemetry.Activity(ctx, call, at, max(w.o.Now().Sub(scheduled.Time), 0))
	var result json.RawMessage
	failure := &history.Failure{Kind: engine.KindPanic, Message: "the activity ended its goroutine instead of returning, as runtime.Goexit does"}
	defer func() {
		ended(failure)
		w.report(ctx, call, result, failure, work)
	}()
	result, failure = w.registry.RunActivity(ctx, call, scheduled.Input)
}

// report brings the outcome of an activity to its instance. One that was told
// to stop has none: either nobody waits for it, or it will be run again.
func (w *Worker) report(ctx context.Context, call engine.Call, result json.RawMessage, failure *history.Failure, work func(*session)) {
	if failure != nil && ctx.Err() != nil {
		w.abandon(call)
		return
	}
	done := history.Event{Kind: history.TaskCompleted, ID: history.Outside, Time: w.o.Now().UTC(), TaskID: call.Task, Execution: call.Execution, Result: result}
	if failure != nil {
		done.Kind, done.Failure = history.TaskFailed, failure
	}
	s, mine, err := w.post(call.Instance, &delivery{message: done})
	if err == nil && mine {
		work(s)
	}
}
