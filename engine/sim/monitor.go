package sim

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

// monitor knows everything that ever was in storage, and says so when it breaks
// a promise.
type monitor struct {
	w       *world
	lives   map[string]*life // by execution
	order   []*life
	present map[string]store.State // what there is
	moments map[string][]moment
	calls   map[string]*activityCall
	begun   []*deedDone // acts that somebody does or did
	deeds   []*deedDone // those with an answer

	chains   map[string]*chain  // by the first execution
	programs map[string]program // that somebody decided to begin, by their tags
	sendings []*sending
}

// life is one execution.
type life struct {
	m         *monitor
	id        string
	execution string
	number    int
	p         program
	chain     *chain
	before    *life // the execution of the same chain before; nil if there was none, or nobody saw it
	past      int   // how much of the history is that of the one before
	given     map[string]bool

	history []history.Event
	encoded [][]byte
	inbox   []history.Event
	status  history.Status // at the last look, as the inbox
	oracle  *oracle
}

// moment is when an instance changed.
type moment struct {
	step   int
	exists bool
	in     store.Instance
}

// activityCall is what happened of an activity's call.
type activityCall struct {
	runs    int
	results []string
}

func newMonitor(w *world) *monitor {
	return &monitor{w: w, lives: map[string]*life{}, present: map[string]store.State{}, moments: map[string][]moment{}, calls: map[string]*activityCall{}, chains: map[string]*chain{}, programs: map[string]program{}}
}

// look compares what is stored of an instance with what was stored before. Any
// change may have taken a doorbell away.
func (m *monitor) look(id string) {
	if id != "" {
		m.compare(id)
	}
	m.checkBells()
}

func (m *monitor) compare(id string) {
	var state store.State
	var err error
	m.w.watch(func() { state, err = m.w.witness.Load(m.w.context, id, "") })
	before, existed := m.present[id]
	if errors.Is(err, store.ErrNotFound) {
		if existed {
			if !before.Instance.Status.IsTerminal() {
				m.broke(7, id, "it is gone, and had not ended")
			}
			delete(m.present, id)
			m.moments[id] = append(m.moments[id], moment{step: m.w.step})
		}
		return
	}
	if err != nil {
		m.broke(2, id, "it cannot be read: %v", err)
		return
	}
	if existed && before.Instance.Version == state.Instance.Version {
		return
	}
	m.moments[id] = append(m.moments[id], moment{m.w.step, true, state.Instance})
	m.present[id] = state
	l := m.lives[state.Instance.Execution]
	if l == nil {
		l = m.bear(state, before)
	}
	if last := m.lives[before.Instance.Execution]; last != nil && last.chain != l.chain && !before.Instance.Status.IsTerminal() {
		m.broke(7, id, "another execution took the place of one that had not ended")
	}
	m.grow(l, state)
	m.stand(l, state)
}

func (m *monitor) broke(promise int, id, format string, args ...any) {
	m.w.broke("promise %d, %s: %s", promise, id, fmt.Sprintf(format, args...))
}

// grow checks that the history was only added to, and by what must be added.
func (m *monitor) grow(l *life, state store.State) {
	var encoded [][]byte
	for _, e := range state.History {
		encoded = append(encoded, history.AppendEvents(nil, []history.Event{e}))
	}
	if len(encoded) < len(l.encoded) || !slices.EqualFunc(encoded[:len(l.encoded)], l.encoded, bytes.Equal) {
		m.broke(1, l.id, "its history was %v and is %v", l.history, state.History)
		return
	}
	added := state.History[len(l.history):]
	l.history, l.encoded = state.History, encoded
	if err := storetest.CheckHistory(state.History); err != nil {
		m.broke(5, l.id, "%v", err)
	}
	if len(added) > 0 {
		m.w.say(nil, fmt.Sprintf("history of %s: %v", l.id, added))
	}
	if err := l.oracle.follow(added); err != nil {
		m.broke(9, l.id, "%v", err)
	}
	if len(added) == len(state.History) && l.past > 0 {
		added = added[l.past:] // the rest is known
	}
	for _, e := range added {
		l.hear(e)
		m.checkEvent(l, e)
		m.decide(l, e, state.Instance)
	}
	m.checkInbox(l, state)
}

// checkInbox checks that what is taken from the inbox is in the history, and is
// not in both.
func (m *monitor) checkInbox(l *life, state store.State) {
	recorded := func(message history.Event) bool { return l.chain.messages[message.Message] }
	for _, e := range l.inbox {
		waits := slices.ContainsFunc(state.Inbox, func(other history.Event) bool { return other.Message == e.Message })
		if !waits && !recorded(e) && !m.mayVanish(l, e, state.Instance) {
			m.broke(3, l.id, "%v %s%s is neither in the inbox nor in the history", e, e.Input, e.Reason)
		}
	}
	for _, e := range state.Inbox {
		if m.isDeed(e.Message) && slices.ContainsFunc(l.history, func(other history.Event) bool { return other.Message == e.Message }) {
			m.broke(2, l.id, "%v %s%s is in the history and in the inbox", e, e.Input, e.Reason)
		}
		if !recorded(e) {
			m.checkMessage(l, e)
		}
	}
	l.inbox, l.status = state.Inbox, state.Instance.Status
}

// isDeed reports whether a person sent a message: what instances send may come
// again.
func (m *monitor) isDeed(message string) bool {
	return slices.ContainsFunc(m.begun, func(d *deedDone) bool { return d.message == message })
}

// checkEvent checks a new event against what happened outside.
func (m *monitor) checkEvent(l *life, e history.Event) {
	switch e.Kind {
	case history.TimerFired:
		if early := e.FireAt.Sub(m.w.now()); early > m.w.habits.skew {
			m.broke(6, l.id, "a timer fired %v early", early)
		}
	case history.TaskCompleted:
		if c := m.runsOf(l, e.TaskID); !slices.Contains(c.results, textOf(e.Result)) {
			m.broke(5, l.id, "%s is recorded for call %d, which returned %q", e.Result, e.TaskID, c.results)
		}
	case history.TaskFailed:
		scheduled := l.action(e.TaskID)
		if e.Failure.Kind == engine.KindInterrupted && scheduled.Name != string(charge) {
			m.broke(5, l.id, "call %d is interrupted, and may run twice", e.TaskID)
		}
		if c := m.runsOf(l, e.TaskID); e.Failure.Kind != engine.KindInterrupted && c.runs == 0 {
			m.broke(5, l.id, "call %d failed with %v and never ran", e.TaskID, e.Failure)
		}
	default:
		m.checkMessage(l, e)
	}
}

// runsOf returns what happened of an activity's call, before a rewinding too.
func (m *monitor) runsOf(l *life, task int32) activityCall {
	c := *m.call(l.execution, task)
	if l.past > 0 {
		before := m.runsOf(l.before, task)
		c.runs, c.results = c.runs+before.runs, slices.Concat(c.results, before.results)
	}
	return c
}

// action returns the event that asked for an action.
func (l *life) action(id int32) history.Event {
	i := slices.IndexFunc(l.history, func(e history.Event) bool { return e.Kind.IsAction() && e.ID == id })
	if i < 0 {
		return history.Event{}
	}
	return l.history[i]
}

// living returns the instances that have not ended.
func (m *monitor) living() (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(m.present)) {
		if !m.present[id].Instance.Status.IsTerminal() {
			ids = append(ids, id)
		}
	}
	return ids
}

// stand checks that the row says where the history has led.
func (m *monitor) stand(l *life, state store.State) {
	in, o := state.Instance, l.oracle
	switch {
	case in.Status != o.standing():
		m.broke(8, l.id, "it is said to be %v, and is %v", in.Status, o.standing())
	case string(in.CustomStatus) != string(o.custom):
		m.broke(8, l.id, "its custom status is %s, not %s", in.CustomStatus, o.custom)
	case string(in.Output) != string(o.output) || !alike(in.Failure, o.failure):
		m.broke(8, l.id, "its output is %s %v, not %s %v", in.Output, in.Failure, o.output, o.failure)
	case !in.Wake.Equal(o.wake()):
		m.broke(6, l.id, "it is to be woken at %v, not at %v", in.Wake, o.wake())
	case in.Events != len(state.History):
		m.broke(2, l.id, "it says that it has %d events, and has %d", in.Events, len(state.History))
	}
	held := map[int32]bool{}
	for _, hand := range in.Hands {
		for _, task := range hand.Tasks {
			held[task] = true
			if !o.outstanding(task) {
				m.broke(4, l.id, "call %d is in somebody's hands, and not outstanding", task)
			}
		}
	}
	if len(held) < o.busy() {
		m.broke(4, l.id, "%d calls are outstanding and %d in anybody's hands", o.busy(), len(held))
	}
}

func (m *monitor) call(execution string, task int32) *activityCall {
	key := fmt.Sprint(execution, "/", task)
	if m.calls[key] == nil {
		m.calls[key] = &activityCall{}
	}
	return m.calls[key]
}

// begin takes note that somebody does something.
func (m *monitor) begin(d *deedDone) {
	m.begun = append(m.begun, d)
	if d.act.do == start {
		m.programs[d.p.Tag] = d.p
	}
}

// effect takes note that an activity has its effect, and returns its result.
func (m *monitor) effect(call engine.Call, j job) string {
	l := m.lives[call.Execution]
	if l == nil || l.action(call.Task).Name != call.Name {
		m.broke(4, call.Instance, "activity %s %d has its effect, and nobody asked for it", call.Name, call.Task)
	}
	c := m.call(call.Execution, call.Task)
	c.runs++
	if call.Name == string(charge) && c.runs > 1 {
		m.broke(5, call.Instance, "activity %s %d, which runs at most once, ran again", call.Name, call.Task)
	}
	result := fmt.Sprintf("%s#%d", j.What, c.runs)
	c.results = append(c.results, result)
	return result
}

// during returns the states that an instance was in between two steps.
func (m *monitor) during(id string, from, to int) []moment {
	states := []moment{{}}
	for _, at := range m.moments[id] {
		switch {
		case at.step < from:
			states[0] = at
		case at.step <= to:
			states = append(states, at)
		}
	}
	return states
}

// hear checks an answer that a person got against what was stored meanwhile.
func (m *monitor) hear(d *deedDone) {
	m.deeds = append(m.deeds, d)
	if d.act.do == list {
		return
	}
	states := m.during(d.id, d.from, d.to)
	ever := func(what func(moment) bool) bool { return slices.ContainsFunc(states, what) }
	finished := func(s moment) bool { return s.exists && s.in.Status.IsTerminal() }
	absent := func(s moment) bool { return !s.exists }
	honest := true
	switch {
	case errors.Is(d.err, client.ErrNotFound):
		honest = ever(absent)
	case errors.Is(d.err, client.ErrExists), errors.Is(d.err, client.ErrActive):
		honest = ever(moment.isLiving) || ever(moment.owes)
	case errors.Is(d.err, client.ErrNotFailed):
		honest = ever(func(s moment) bool { return s.exists && s.in.Status != history.Failed })
	case errors.Is(d.err, client.ErrFinished):
		honest = ever(finished)
	case errors.Is(d.err, client.ErrSuspended):
		honest = ever(func(s moment) bool { return s.in.Status == history.Suspended })
	case errors.Is(d.err, client.ErrNotSuspended):
		honest = ever(func(s moment) bool { return s.isLiving() && s.in.Status != history.Suspended })
	case d.err != nil:
	case d.act.do == get, d.act.do == wait:
		honest = ever(func(s moment) bool { return s.exists && s.in.Version == d.got.Version })
	case d.act.do == purge:
		honest = ever(absent)
	case d.act.do == read:
		honest = ever(func(s moment) bool {
			return s.exists && s.in.Events == len(d.history) && m.isOf(s.in.Execution, d.history)
		})
	}
	if !honest {
		m.broke(7, d.id, "a person who %ss is told: %v, but it was %v", d.act.do, d.err, states)
	}
}

// isOf reports whether events are the beginning of an execution's history.
func (m *monitor) isOf(execution string, events []history.Event) bool {
	l := m.lives[execution]
	if l == nil || len(events) > len(l.encoded) {
		return false
	}
	for i, e := range events {
		if !bytes.Equal(history.AppendEvents(nil, []history.Event{e}), l.encoded[i]) {
			return false
		}
	}
	return true
}

// String describes a moment.
func (s moment) String() string {
	if !s.exists {
		return fmt.Sprintf("[%d: absent]", s.step)
	}
	return fmt.Sprintf("[%d: %v, %d events]", s.step, s.in.Status, s.in.Events)
}

// slack is how much later than its time a doorbell may ring: as long as the
// request that put it was under way, and a lease for whoever looked in vain.
func (m *monitor) slack() time.Duration {
	return m.w.habits.lease + 2*m.w.habits.skew + 5*time.Minute
}

// bells are the doorbells that an instance has, by when they ring.
type bells struct {
	plain, work []time.Time
}

// bells returns the doorbells there are, in the queue and in due rows.
func (w *world) bells() map[string]*bells {
	all := map[string]*bells{}
	of := func(id string) *bells {
		if all[id] == nil {
			all[id] = &bells{}
		}
		return all[id]
	}
	for _, message := range w.account.Messages(doorbells) {
		b := bellOf([]byte(message.Text))
		if b.TakeOver {
			of(b.Instance).work = append(of(b.Instance).work, message.Visible)
			continue
		}
		of(b.Instance).plain = append(of(b.Instance).plain, message.Visible)
	}
	for _, row := range w.account.Rows(hub + "Due") {
		id, _ := row.Columns["InstanceId"].(string)
		at, _ := row.Columns["FireAtExact"].(string)
		if due, err := time.Parse(time.RFC3339Nano, at); err == nil {
			of(id).plain = append(of(id).plain, due)
		}
	}
	return all
}

// checkBells checks that everything that must be looked at has a doorbell.
func (m *monitor) checkBells() {
	all := m.w.bells()
	for _, id := range slices.Sorted(maps.Keys(m.present)) {
		state := m.present[id]
		b, now := all[id], m.w.now()
		if b == nil {
			b = &bells{}
		}
		if len(b.work) > len(state.Instance.Hands) {
			b.plain = append(b.plain, b.work...) // what belongs to no hand rings as any other
		}
		rings := func(by time.Time) bool {
			return slices.ContainsFunc(b.plain, func(at time.Time) bool { return !at.After(by.Add(m.slack())) })
		}
		wake := state.Instance.Wake
		switch {
		case len(state.Inbox) > 0 && !rings(now):
			m.broke(3, id, "a message waits, and no doorbell rings for it")
		case !wake.IsZero() && wake.After(now) && !rings(wake), !wake.IsZero() && !wake.After(now) && !rings(now):
			m.broke(3, id, "a timer is due at %v, and no doorbell rings for it", wake)
		case len(state.Instance.Hands) > len(b.work):
			m.broke(3, id, "work is in %d hands, and %d doorbells ring if they go away", len(state.Instance.Hands), len(b.work))
		}
	}
}
