package dispatch

import (
	"slices"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// rewind brings an instance that failed back to where it went wrong, if a message
// says so. It reports false if none does, or if it was done before.
func (w *Worker) rewind(s *session, p *plan, inbox []history.Event) (bool, error) {
	if s.row.Status != history.Failed || !slices.ContainsFunc(inbox, isRewinding) && !slices.ContainsFunc(p.messages, isRewinding) {
		return false, nil
	}
	past, err := w.store.History(w.context, s.id)
	if err != nil {
		return false, err
	}
	rewindings := untold(slices.Concat(inbox, p.messages), past)
	if len(rewindings) == 0 {
		return false, w.discard(s, p, inbox)
	}
	again, err := w.registry.Rewind(s.id, past, rewindings, w.replayOptions())
	if err != nil {
		return false, err
	}
	s.close()
	s.live = w.registry.Replay(s.id, again.Past, w.replayOptions())
	p.living, p.rewound, p.stale = true, again, inbox
	p.messages = slices.Concat(again.Messages, w.abandoned(s, again))
	return true, nil
}

// untold returns the rewindings among messages that the history does not tell of.
func untold(messages, past []history.Event) (rewindings []history.Event) {
	for _, m := range messages {
		told := func(e history.Event) bool { return tellsOf(e, m.Message) }
		if isRewinding(m) && !slices.ContainsFunc(past, told) && !slices.ContainsFunc(rewindings, told) {
			rewindings = append(rewindings, m)
		}
	}
	return rewindings
}

func isRewinding(m history.Event) bool { return m.Kind == history.ExecutionRewound }

// discard takes messages out of the inbox that are recorded already.
func (w *Worker) discard(s *session, p *plan, inbox []history.Event) error {
	for _, d := range p.accepted {
		d.answered(nil)
	}
	if len(inbox) == 0 {
		return nil
	}
	turn := store.Turn{Base: s.row.Version, Instance: s.row}
	turn.Instance.Turn = newToken()
	for _, m := range inbox {
		turn.Consumed = append(turn.Consumed, m.Message)
	}
	return w.write(s, turn)
}

// abandoned returns failures for the calls that had no result when the execution
// failed, of activities that must not run twice: whether they took effect is not
// known.
func (w *Worker) abandoned(s *session, again *engine.Rewound) []history.Event {
	var calls []history.Event
	for _, e := range s.live.Outstanding() {
		answered := slices.ContainsFunc(again.Messages, func(m history.Event) bool {
			return (m.Kind == history.TaskCompleted || m.Kind == history.TaskFailed) && m.TaskID == e.ID
		})
		if !answered && !again.Again[e.ID] && w.registry.RunsAtMostOnce(e.Name) {
			calls = append(calls, w.interruption(e.ID))
		}
	}
	return calls
}

// append returns what a turn adds to the history, or, if it replaces it, the whole.
func (p *plan) append(d engine.Decision) []history.Event {
	if p.rewound == nil || d.Begun != nil {
		return d.Events
	}
	return slices.Concat(p.rewound.Past, d.Events)
}
