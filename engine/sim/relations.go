package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// sending is something that an execution decided to send to another instance: an
// event, or the start of one.
type sending struct {
	history.Event
	from    *life
	lineage string
	step    int
}

// decide takes note of what an execution decided to send, and checks that it is
// in somebody's hands.
func (m *monitor) decide(l *life, e history.Event, in store.Instance) {
	notice := e.Kind == history.ExecutionCompleted && in.Parent != nil
	if !notice && (e.InstanceID == "" || !e.Kind.IsAction()) {
		return
	}
	if !slices.ContainsFunc(in.Hands, func(h store.Hand) bool { return slices.Contains(h.Sends, e.ID) }) {
		m.broke(4, l.id, "%v was decided, and is in nobody's hands", e)
	}
	if notice {
		return
	}
	m.sendings = append(m.sendings, &sending{Event: e, from: l, lineage: l.oracle.lineage, step: m.w.step})
	if e.Kind == history.SubOrchestrationInstanceCreated {
		m.programs[tagIn(e)] = programIn(e)
	}
}

// sendingOf returns the decision about a call; nil if there was none.
func (m *monitor) sendingOf(lineage string, task int32) *sending {
	for _, s := range m.sendings {
		if s.lineage == lineage && s.ID == task {
			return s
		}
	}
	return nil
}

// checkBirth checks that somebody decided that an instance begins, and that it
// begins once.
func (m *monitor) checkBirth(l *life) {
	c := l.chain
	if c.parent == nil {
		_, known := m.programs[c.tag]
		if !known {
			m.broke(4, l.id, "it begins as %s, and nobody decided that", c.tag)
		}
		return
	}
	s := m.sendingOf(c.parent.Execution, c.parent.Task)
	if s == nil || s.Detached || s.InstanceID != l.id || tagIn(s.Event) != c.tag || s.from.id != c.parent.Instance {
		m.broke(4, l.id, "it begins for call %d of %s, and nobody decided that", c.parent.Task, c.parent.Instance)
		return
	}
	if begun := m.childrenOf(s); len(begun) > 0 {
		m.broke(2, l.id, "it begins for call %d of %s, for which there was one", c.parent.Task, c.parent.Instance)
	}
}

// childrenOf returns the chains that were begun for a decision.
func (m *monitor) childrenOf(s *sending) (begun []*chain) {
	for _, l := range m.order {
		c := l.chain
		mine := c != nil && len(c.lives) > 0 && c.lives[0] == l && c.id == s.InstanceID
		if mine && (s.Detached && c.parent == nil && c.tag == tagIn(s.Event) ||
			c.parent != nil && c.parent.Execution == s.lineage && c.parent.Task == s.ID) {
			begun = append(begun, c)
		}
	}
	return begun
}

// checkMessage checks a message from another instance against what that decided.
func (m *monitor) checkMessage(l *life, e history.Event) {
	switch {
	case e.Kind == history.EventRaised && e.InstanceID != "":
		if m.sentTo(l.id, e.Name, textOf(e.Input)) < l.chain.texts[textOf(e.Input)] {
			m.broke(4, l.id, "%v %s of %s was not decided, or not so often", e, e.Input, e.InstanceID)
		}
	case e.Kind == history.SubOrchestrationInstanceCompleted, e.Kind == history.SubOrchestrationInstanceFailed:
		m.checkNotice(l, e)
	case e.Kind == history.ExecutionTerminated && e.Parent != nil:
		p := m.lives[e.Parent.Execution]
		if p == nil || !slices.ContainsFunc(p.chain.lives, func(l *life) bool { return l.oracle.status == history.Terminated && l.oracle.recurses }) {
			m.broke(4, l.id, "it is terminated for %s, which was not", e.Parent.Instance)
		}
	}
}

// sentTo returns how often an event was decided to be sent to an instance.
func (m *monitor) sentTo(id, name, text string) (n int) {
	for _, s := range m.sendings {
		if s.Kind == history.EventSent && s.InstanceID == id && s.Name == name && textOf(s.Input) == text {
			n++
		}
	}
	for _, d := range m.begun {
		if d.act.do == raise && d.id == id && d.name == name && d.text == text {
			n++
		}
	}
	return n
}

// checkNotice checks what an execution is told of the end of a child.
func (m *monitor) checkNotice(l *life, e history.Event) {
	s := m.sendingOf(e.Execution, e.TaskID)
	if s == nil {
		m.broke(4, l.id, "call %d is said to have ended, and nobody made it", e.TaskID)
		return
	}
	begun := m.childrenOf(s)
	for _, c := range begun {
		for _, child := range c.lives {
			if child.endedAs(e) {
				return
			}
		}
	}
	taken := e.Failure != nil && e.Failure.Kind == engine.KindIDTaken
	gone := e.Failure != nil && e.Failure.Kind == engine.KindTerminated && l.chain.rewound > 0
	switch {
	case taken && (len(begun) == 0 || l.chain.rewound > 0) && m.wasTaken(s): // or taken before it was rewound
	case gone:
	default:
		m.broke(5, l.id, "call %d is said to have come to %s %v, and did not", e.TaskID, e.Result, e.Failure)
	}
}

// endedAs reports whether an execution ended as its parent is told.
func (l *life) endedAs(e history.Event) bool {
	o := l.oracle
	switch {
	case !o.ended:
		return false
	case o.status == history.Terminated:
		return e.Failure != nil && e.Failure.Kind == engine.KindTerminated && e.Failure.Message == textOf(o.output)
	}
	return string(e.Result) == string(o.output) && alike(e.Failure, o.failure)
}

// wasTaken reports whether the id that an instance was to get may have been
// another's when it was to begin.
func (m *monitor) wasTaken(s *sending) bool {
	return slices.ContainsFunc(m.during(s.InstanceID, s.step, m.w.step), func(at moment) bool { return at.isLiving() || at.owes() })
}

func (s moment) isLiving() bool { return s.exists && !s.in.Status.IsTerminal() }
func (s moment) owes() bool     { return s.exists && len(s.in.Hands) > 0 }

// sent and answered are an oracle's evidence.
func (l *life) sent(name, text string) bool {
	if l.chain.texts[text] >= l.m.sentTo(l.id, name, text) {
		return false
	}
	l.chain.texts[text]++
	return true
}

func (l *life) answered(o *oracle, call history.Event, value string) bool {
	after := fmt.Sprintf(" after %d", max(1, call.Attempt))
	kind, failed := strings.CutSuffix(value, after)
	if call.Kind == history.SubOrchestrationInstanceCreated {
		return l.childCameTo(o.lineages[call.ID], call.ID, kind, failed)
	}
	c := l.m.call(l.execution, call.ID)
	switch {
	case !failed:
		return slices.Contains(c.results, value)
	case kind == engine.KindInterrupted:
		return call.Name == string(charge)
	}
	return c.runs > 0
}

// childCameTo reports whether a child may have come to this.
func (l *life) childCameTo(lineage string, call int32, value string, failed bool) bool {
	s := l.m.sendingOf(lineage, call)
	if s == nil {
		return false
	}
	for _, c := range l.m.childrenOf(s) {
		for _, child := range c.lives {
			o := child.oracle
			same := !failed && o.status == history.Completed && traceOf(o.output) == value
			fell := failed && (o.status == history.Terminated && value == engine.KindTerminated || o.failure != nil && o.failure.Kind == value)
			if o.ended && (same || fell) {
				return true
			}
		}
	}
	return failed && (value == engine.KindIDTaken && l.m.wasTaken(s) || value == engine.KindTerminated && l.chain.rewound > 0)
}

// checkRelations checks, when everything has come to rest, that what was decided
// has come about.
func (m *monitor) checkRelations() {
	for _, s := range m.sendings {
		if s.Kind == history.EventSent {
			m.checkSent(s)
		} else {
			m.checkBegun(s)
		}
	}
	for _, l := range m.order {
		if o := l.oracle; o.status == history.Terminated && o.recurses {
			m.checkOrphans(l)
		}
	}
	for _, id := range m.living() {
		m.checkChildren(m.lives[m.present[id].Instance.Execution])
	}
}

// checkSent checks that an event has reached its receiver, if that lives.
func (m *monitor) checkSent(s *sending) {
	text, n := textOf(s.Input), 0
	for _, c := range m.chains {
		if c.id == s.InstanceID {
			n = max(n, c.texts[text])
			if c.dropped >= s.step {
				return
			}
		}
	}
	fell := slices.ContainsFunc(m.during(s.InstanceID, s.step, m.w.step), func(at moment) bool { return !at.isLiving() })
	if n < m.sentTo(s.InstanceID, s.Name, text) && !fell {
		m.broke(4, s.from.id, "%v %s was decided, and did not arrive", s, text)
	}
}

// checkBegun checks that an instance was begun, if its id was free.
func (m *monitor) checkBegun(s *sending) {
	begun := len(m.childrenOf(s))
	restarted := s.Detached && m.isRestarted(s.InstanceID)
	switch {
	case begun == 0 && !m.wasTaken(s):
		m.broke(4, s.from.id, "%v was decided, and it never began", s)
	case begun > 1 && !restarted:
		m.broke(2, s.from.id, "%v was decided, and it began %d times", s, begun)
	}
}

// checkOrphans checks that the children of an execution that was terminated with
// them have ended.
func (m *monitor) checkOrphans(l *life) {
	for _, call := range slices.Sorted(maps.Keys(l.oracle.called)) {
		s := m.sendingOf(l.oracle.lineages[call], call)
		if s == nil {
			continue
		}
		for _, c := range m.childrenOf(s) {
			state, exists := m.present[c.id]
			if exists && m.lives[state.Instance.Execution].chain == c && !state.Instance.Status.IsTerminal() && c.rewound == 0 {
				m.broke(4, c.id, "it goes on, and was to be terminated with %s", l.id)
			}
		}
	}
}

// checkChildren checks that what a living execution waits for still goes on.
func (m *monitor) checkChildren(l *life) {
	o := l.oracle
	for _, call := range slices.Sorted(maps.Keys(o.children)) {
		if o.settled[call] {
			continue
		}
		e := o.called[call]
		state, exists := m.present[e.InstanceID]
		p := state.Instance.Parent
		if !exists || state.Instance.Status.IsTerminal() || p == nil || p.Execution != o.lineages[call] || p.Task != call {
			m.broke(4, l.id, "it waits for %s, which has gone", e.InstanceID)
		}
	}
}

// mayVanish reports whether a message need not be recorded, as nobody waits for it
// or it is known.
func (m *monitor) mayVanish(l *life, e history.Event, in store.Instance) bool {
	switch e.Kind {
	case history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		_, waits := l.oracle.children[e.TaskID]
		return !waits || l.oracle.settled[e.TaskID] || l.oracle.ended || e.Execution != l.oracle.lineages[e.TaskID]
	case history.ExecutionRewound:
		return in.Status != history.Failed || l.status != history.Failed // it need not be rewound, or needed not
	case history.ExecutionTerminated:
		return e.Parent != nil && (in.Parent == nil || *e.Parent != *in.Parent)
	}
	return false
}

// tagIn and programIn read what an action begins.
func tagIn(e history.Event) string { return programIn(e).Tag }

func programIn(e history.Event) (p program) {
	_ = json.Unmarshal(e.Input, &p) // the oracle has seen that it is a program
	return p
}
