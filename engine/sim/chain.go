package sim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// chain is what began with one start: executions that continued as new, and
// that were rewound.
type chain struct {
	id     string
	tag    string
	number int
	parent *history.Parent
	lives  []*life
	// messages are those that it is known to have had, and texts counts the
	// events by what is in them.
	messages map[string]bool
	texts    map[string]int
	dropped  int // the last step at which events may have been left behind unseen
	rewound  int // the last at which it was rewound
}

// chainOf returns the chain that an execution belongs to.
func (m *monitor) chainOf(l *life, in store.Instance) *chain {
	root := cmp.Or(in.First, in.Execution)
	c := m.chains[root]
	if c == nil {
		c = &chain{
			id: in.ID, tag: strings.TrimRight(l.p.Tag, "+"), number: len(m.chains) + 1, parent: in.Parent,
			messages: map[string]bool{}, texts: map[string]int{},
		}
		m.chains[root] = c
	}
	return c
}

// bear takes note of an execution that nobody saw before.
func (m *monitor) bear(state, before store.State) *life {
	in := state.Instance
	l := &life{m: m, id: in.ID, execution: in.Execution, number: len(m.order) + 1, oracle: newOracle(in.ID), given: map[string]bool{}}
	if err := json.Unmarshal(in.Input, &l.p); err != nil {
		m.broke(2, in.ID, "its input is %s: %v", in.Input, err)
	}
	l.oracle.evidence, l.oracle.p = l, l.p
	m.lives[in.Execution] = l
	m.order = append(m.order, l)
	m.w.say(nil, fmt.Sprintf("%s begins to live as %s", in.ID, l.p.Tag))
	l.chain = m.chainOf(l, in)
	if len(l.chain.lives) == 0 {
		m.checkBirth(l)
	}
	prev := m.lives[before.Instance.Execution]
	if prev != nil && prev.chain == l.chain {
		l.before, l.inbox, l.status = prev, prev.inbox, prev.status
	} else if len(l.chain.lives) > 0 {
		m.broke(7, l.id, "an execution that had gone comes back")
	}
	l.chain.lives = append(l.chain.lives, l)
	m.place(l, state)
	return l
}

// place checks that an execution may take the place of the one before.
func (m *monitor) place(l *life, state store.State) {
	start := startOf(state.History)
	continued := start.Carried != nil
	for _, id := range l.seen(state.History) {
		l.chain.messages[id] = true
	}
	switch {
	case l.before == nil && continued:
		m.checkHeir(m.ancestor(l), l, state)
	case l.before == nil:
	case l.before.oracle.status == history.Failed:
		l.chain.rewound = m.w.step
		m.checkRewound(l, state.History)
	case continued:
		m.checkHeir(l.before.oracle, l, state)
	default:
		m.broke(7, l.id, "another execution took the place of one that had not ended")
	}
}

// startOf returns the start of an execution; the zero event if it is not recorded.
func startOf(events []history.Event) history.Event {
	for _, e := range events {
		if e.Kind == history.ExecutionStarted {
			return e
		}
	}
	return history.Event{}
}

// seen returns the messages that an execution knows of those before.
func (l *life) seen(events []history.Event) []string {
	if c := startOf(events).Carried; c != nil {
		return c.Seen
	}
	return nil
}

// ancestor returns the oracle of the first execution of a chain that nobody saw;
// nil if it is not known what it was.
func (m *monitor) ancestor(l *life) *oracle {
	p, known := m.programs[l.chain.tag]
	if !known || m.isRestarted(l.id) {
		return nil
	}
	o := newOracle(l.id)
	o.p, o.begun, o.evidence = p, true, l
	return o
}

// checkHeir checks that an execution is the one that had to follow, and that it
// has what was left to it: in order and once.
func (m *monitor) checkHeir(o *oracle, l *life, state store.State) {
	if o == nil {
		return
	}
	first := firstTurn(state.History)
	unseen := !o.ended
	last, err := o.succeed(l.p, state.Instance.Input, first[0].Time)
	if err != nil {
		m.broke(9, l.id, "%v", err)
		return
	}
	if unseen || last != o {
		l.chain.dropped = m.w.step
	}
	if custom := startOf(first).Carried.CustomStatus; string(custom) != string(last.custom) {
		m.broke(8, l.id, "its custom status was %s and is %s", last.custom, custom)
	}
	given := last.legacy()
	var got []string
	for _, e := range first {
		if e.Message != "" && e.Kind != history.ExecutionStarted && len(got) < len(given) {
			got = append(got, e.Message)
		}
	}
	for _, e := range given {
		l.given[e.Message] = true
	}
	if !slices.Equal(got, idsOf(given)) {
		m.broke(3, l.id, "it is left %v, and has %v", given, first)
	}
}

// firstTurn returns the events of a history's first turn.
func firstTurn(events []history.Event) []history.Event {
	for i, e := range events {
		if i > 0 && e.Kind == history.OrchestratorStarted {
			return events[:i]
		}
	}
	return events
}

// checkRewound checks that an execution that goes on from where one failed has all
// that went well there.
func (m *monitor) checkRewound(l *life, events []history.Event) {
	old := l.before.history
	end := lastTurnOf(old)
	l.past = lastTurnOf(events)
	for _, e := range old {
		l.given[e.Message] = true
	}
	if startOf(events).Carried != nil && startOf(old).Message != startOf(events).Message {
		l.past = 0
		l.chain.dropped = m.w.step
		return // it continued as new at once
	}
	at := 0
	for _, e := range old[:end] {
		switch {
		case at < l.past && sameRun(e, events[at]):
			at++
		case !isFailure(e):
			m.broke(1, l.id, "it was rewound, and of %v there is no more", e)
			return
		}
	}
	if at != l.past {
		m.broke(1, l.id, "it was rewound, and %v is new in what was before", events[at])
	}
	for _, e := range old[end:] {
		kept := slices.ContainsFunc(events[l.past:], func(other history.Event) bool { return sameRun(e, other) })
		stays := e.Message != "" && e.Kind != history.ExecutionRewound || e.Kind == history.TaskCompleted
		if !kept && stays && !isFailure(e) {
			m.broke(1, l.id, "it was rewound, and of %v, which did not fail, there is no more", e)
		}
	}
	m.checkFailures(l, events[:l.past])
}

// checkFailures checks that the code went on from every failure that is left in
// a history which was rewound.
func (m *monitor) checkFailures(l *life, past []history.Event) {
	for i, e := range past {
		if !isFailure(e) {
			continue
		}
		without := slices.Delete(slices.Clone(past), i, i+1)
		if newOracle(l.id).follow(without) == nil {
			m.broke(9, l.id, "it was rewound, and %v is left, which nobody went on from", e)
		}
	}
}

// isFailure reports whether a failure can be undone by making the call again.
func isFailure(e history.Event) bool {
	switch e.Kind {
	case history.TaskFailed:
		return true
	case history.SubOrchestrationInstanceFailed:
		return e.Failure.Kind != engine.KindTerminated && e.Failure.Kind != engine.KindIDTaken
	}
	return false
}

// lastTurnOf returns where the last turn of a history begins.
func lastTurnOf(events []history.Event) (at int) {
	for i, e := range events {
		if e.Kind == history.OrchestratorStarted {
			at = i
		}
	}
	return at
}

// sameRun reports whether two events are the same, but for the ids of a run.
func sameRun(a, b history.Event) bool {
	for _, e := range []*history.Event{&a, &b} {
		if e.Kind == history.ExecutionStarted || e.Kind == history.TaskCompleted {
			e.Execution, e.Origin = "", ""
		}
	}
	return bytes.Equal(history.AppendEvents(nil, []history.Event{a}), history.AppendEvents(nil, []history.Event{b}))
}

// isRestarted reports whether somebody began an instance anew with what it had.
func (m *monitor) isRestarted(id string) bool {
	return slices.ContainsFunc(m.begun, func(d *deedDone) bool { return d.act.do == restart && d.id == id })
}

// hear takes note of the messages that an execution recorded, none of which it may
// have had before.
func (l *life) hear(e history.Event) {
	if e.Message == "" {
		return
	}
	c := l.chain
	if c.messages[e.Message] && !l.given[e.Message] {
		l.m.broke(2, l.id, "%v %s is recorded once more", e, e.Input)
	}
	if !c.messages[e.Message] && e.Kind == history.EventRaised {
		c.texts[textOf(e.Input)]++
	}
	delete(l.given, e.Message)
	c.messages[e.Message] = true
}
