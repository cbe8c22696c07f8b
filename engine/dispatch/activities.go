package dispatch

import (
	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// interrupted returns a failure for every call of an activity that must not run
// twice and was in the hands of a worker that is gone.
func (w *Worker) interrupted(s *session, before map[int32]history.Event) []history.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var failed []history.Event
	for id, call := range before {
		if s.running[id] || !w.registry.RunsAtMostOnce(call.Name) {
			continue
		}
		failed = append(failed, history.Event{
			Kind: history.TaskFailed, ID: history.Outside, Time: w.o.Now(), TaskID: id,
			Failure: &history.Failure{Kind: engine.KindInterrupted, Message: engine.ErrInterrupted.Error()},
		})
	}
	return failed
}

// run starts the activities that the turn asked for, and those that were taken
// over.
func (w *Worker) run(s *session, before map[int32]history.Event, takeOver bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.live == nil || w.stopping {
		return
	}
	for _, e := range s.live.Outstanding() {
		if _, old := before[e.ID]; s.running[e.ID] || old && !takeOver {
			continue
		}
		if s.running == nil {
			s.running = map[int32]bool{}
		}
		s.running[e.ID] = true
		call := engine.Call{Instance: s.id, Execution: s.row.Execution, Task: e.ID, Name: e.Name}
		w.activities.do(job{run: func() { w.perform(call, e) }, drop: func() { w.abandon(call) }})
	}
}

// perform runs an activity and brings its result to the instance.
func (w *Worker) perform(call engine.Call, scheduled history.Event) {
	result, failure := w.registry.RunActivity(w.context, call, scheduled.Input)
	if failure != nil && w.context.Err() != nil {
		w.abandon(call) // cut short by the stop, which is no result
		return
	}
	done := history.Event{Kind: history.TaskCompleted, ID: history.Outside, Time: w.o.Now().UTC(), TaskID: call.Task, Execution: call.Execution, Result: result}
	if failure != nil {
		done.Kind, done.Failure = history.TaskFailed, failure
	}
	s, mine, err := w.post(call.Instance, &delivery{message: done})
	if err == nil && mine {
		w.work(s, 0)
	}
}
