package sim

import (
	"slices"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// judge checks, when everything has come to rest, that nothing is left to be done
// and that everything happened that people were promised, and nothing else.
func (m *monitor) judge() {
	for _, id := range m.w.ids {
		state, exists := m.present[id]
		if !exists || state.Instance.Status.IsTerminal() {
			continue
		}
		o := m.lives[state.Instance.Execution].oracle
		switch {
		case len(state.Inbox) > 0:
			m.broke(3, id, "%v is still in the inbox", state.Inbox)
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
		if in, there := listed[id]; !there || in.Status != state.Instance.Status || in.Execution != state.Instance.Execution {
			m.broke(8, id, "it is listed as %v (%v), and is %v", in.Status, there, state.Instance.Status)
		}
	}
}

// isPresent reports whether the execution with a tag is the present one. One that
// has given way to another may have been refused: a start whose answer was lost, and
// which is repeated on its way, finds the other one.
func (m *monitor) isPresent(id, tag string) bool {
	state, exists := m.present[id]
	return exists && m.lives[state.Instance.Execution].p.Tag == tag
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
		for _, l := range m.order {
			if l.p.Tag == d.text {
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
	case raise, suspend, resume, terminate:
		n := len(m.recorded(d))
		switch {
		case d.err == nil && n == 0:
			m.broke(3, d.id, "%s with %q was accepted, and is recorded nowhere", d.act.do, d.text)
		case d.known && n > 0:
			m.broke(7, d.id, "%s with %q was refused (%v), and is recorded", d.act.do, d.text, d.err)
		case n > 1:
			m.broke(2, d.id, "%s with %q is recorded %d times", d.act.do, d.text, n)
		}
	}
}

// place is where an act is recorded.
type place struct {
	life, position int
}

// recorded finds an act in the histories.
func (m *monitor) recorded(d *deedDone) (places []place) {
	for _, l := range m.order {
		for i, e := range l.history {
			if e.Reason == d.text || e.Kind == history.EventRaised && textOf(e.Input) == d.text {
				places = append(places, place{l.number, i})
			}
		}
	}
	return places
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
			if len(first) == 1 && len(second) == 1 && first[0].life == second[0].life && first[0].position > second[0].position {
				m.broke(7, a.id, "%q was accepted before %q was sent, and is recorded after it", a.text, b.text)
			}
		}
	}
}
