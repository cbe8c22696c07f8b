package sim

import (
	"cmp"
	"maps"
	"slices"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// judge checks, when everything has come to rest, that nothing is left to be done
// and that everything happened that people were promised, and nothing else.
func (m *monitor) judge() {
	for _, id := range slices.Sorted(maps.Keys(m.present)) {
		state := m.present[id]
		o := m.lives[state.Instance.Execution].oracle
		switch {
		case len(state.Inbox) > 0:
			m.broke(3, id, "%v is still in the inbox", state.Inbox)
		case state.Instance.Owes():
			m.broke(4, id, "it has something to send: %v", state.Instance.Hands)
		case state.Instance.Status == history.ContinuedAsNew:
			m.broke(3, id, "it continued as new, and the next execution has not begun")
		case state.Instance.Status.IsTerminal():
		case !o.wake().IsZero():
			m.broke(6, id, "a timer that was due at %v has not fired", o.wake())
		case o.busy() > 0:
			m.broke(4, id, "%d activities have no result", o.busy())
		case !o.begun && !o.suspended:
			m.broke(3, id, "it was never begun")
		}
	}
	for _, message := range m.w.account.Messages(doorbells) {
		m.w.broke("promise 10: a doorbell is left: %s", message.Text)
	}
	for _, row := range m.w.account.Rows(hub + "Due") {
		// One whose message was put stays for the length of a horizon, in case
		// the message is lost.
		if row.Columns["Message"] == nil {
			m.w.broke("promise 10: a due row is left: %v", row)
		}
	}
	m.checkList()
	m.checkRelations()
	for _, d := range m.deeds {
		m.checkDeed(d)
	}
	m.checkOrder()
}

// checkList checks that lists show what there is.
func (m *monitor) checkList() {
	var page store.Page
	var err error
	m.w.watch(func() { page, err = m.w.witness.List(m.w.context, store.Query{}) })
	if err != nil {
		m.w.broke("promise 8: the list cannot be read: %v", err)
		return
	}
	listed := map[string]store.Instance{}
	for _, in := range page.Instances {
		listed[in.ID] = in
		if _, exists := m.present[in.ID]; !exists && !m.isHalfPurged(in.ID) {
			m.broke(8, in.ID, "it is listed, and does not exist")
		}
	}
	for id, state := range m.present {
		// A list may show an execution before, as one that continues as new writes
		// nothing there.
		in, there := listed[id]
		same := m.chains[cmp.Or(in.First, in.Execution)] == m.lives[state.Instance.Execution].chain
		if !there || in.Status != state.Instance.Status || !same {
			m.broke(8, id, "it is listed as %v (%v), and is %v", in.Status, there, state.Instance.Status)
		}
	}
}

// isPresent reports whether the execution with a tag is the present one. One that
// has given way to another may have been refused: a start whose answer was lost, and
// which is repeated on its way, finds the other one.
func (m *monitor) isPresent(id, tag string) bool {
	state, exists := m.present[id]
	return exists && m.lives[state.Instance.Execution].chain.tag == tag
}

// isHalfPurged reports whether somebody does not know whether an instance is
// purged. They would purge it again, which puts the list right.
func (m *monitor) isHalfPurged(id string) bool {
	return slices.ContainsFunc(m.deeds, func(d *deedDone) bool {
		return d.act.do == purge && d.id == id && d.err != nil && !d.known
	})
}

// checkDeed checks that what a person was told was so in the end.
func (m *monitor) checkDeed(d *deedDone) {
	switch d.act.do {
	case start:
		n := 0
		for _, c := range m.chains {
			if c.tag == d.text {
				n++
			}
		}
		restarts := slices.ContainsFunc(m.deeds, func(other *deedDone) bool { return other.act.do == restart && other.id == d.id })
		tries := 0
		for _, other := range m.deeds {
			if other.act.do == start && other.text == d.text && (other.err == nil || !other.known) {
				tries++
			}
		}
		switch {
		case d.err == nil && n == 0:
			m.broke(3, d.id, "its start as %s was accepted, and it never was", d.text)
		case d.known && tries == 0 && n > 0 && m.isPresent(d.id, d.text):
			m.broke(7, d.id, "its start as %s was refused (%v), and it was", d.text, d.err)
		case n > tries && !restarts:
			m.broke(2, d.id, "it was started %d times as %s", n, d.text)
		}
	case raise, suspend, resume, terminate, rewind:
		n := 0
		for _, c := range m.chains {
			if c.messages[d.message] {
				n++
			}
		}
		switch {
		case d.err == nil && n == 0 && (d.act.do != rewind || m.standsStill(d)):
			m.broke(3, d.id, "%s with %q was accepted, and is recorded nowhere", d.act.do, d.text)
		case d.known && n > 0:
			m.broke(7, d.id, "%s with %q was refused (%v), and is recorded", d.act.do, d.text, d.err)
		case n > 1:
			m.broke(2, d.id, "%s with %q is recorded %d times", d.act.do, d.text, n)
		}
	}
}

// standsStill reports whether an instance is as failed as it was when somebody
// wanted to have it rewound.
func (m *monitor) standsStill(d *deedDone) bool {
	return !slices.ContainsFunc(m.during(d.id, d.from, m.w.step), func(s moment) bool { return !s.exists || s.in.Status != history.Failed })
}

// place is where an act is recorded.
type place struct {
	chain          *chain
	life, position int
}

// recorded finds an act in the histories; nil if nobody saw it there.
func (m *monitor) recorded(d *deedDone) *place {
	for _, l := range m.order {
		for i, e := range l.history {
			if e.Message != "" && e.Message == d.message {
				return &place{l.chain, l.number, i}
			}
		}
	}
	return nil
}

// checkOrder checks that of two messages to one execution the one that was
// accepted before the other was sent is recorded before it.
func (m *monitor) checkOrder() {
	for _, a := range m.deeds {
		for _, b := range m.deeds {
			if a.err != nil || b.err != nil || a.id != b.id || a.to >= b.from {
				continue
			}
			first, second := m.recorded(a), m.recorded(b)
			if first == nil || second == nil || first.chain != second.chain {
				continue
			}
			if cmp.Or(cmp.Compare(first.life, second.life), cmp.Compare(first.position, second.position)) > 0 {
				m.broke(7, a.id, "%q was accepted before %q was sent, and is recorded after it", a.text, b.text)
			}
		}
	}
}
