package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// oracle works out what a program must have decided, from what its history says
// that reached it. It shares no code with the engine: it is a list of steps, a
// place in it, and what is waited for.
type oracle struct {
	id    string
	p     program
	at    int
	tasks []*promise
	race  *promise // of the step that waits for the first of several
	trace []string
	again *op // continues as new at the end

	now      time.Time
	next     int32 // number of the next action
	expected []history.Event

	run, lineage string // by what children go, and where they go on hearing
	calls        map[int32]*promise
	children     map[int32]*promise
	called       map[int32]history.Event // the calls of children without an end
	lineages     map[int32]string        // and by what they go
	timers       map[int32]*promise
	due          map[int32]time.Time
	waiting      map[string][]*promise
	kept         []history.Event

	begun, suspended, ended, recurses bool
	held, late                        []history.Event
	settled                           map[int32]bool

	status  history.Status
	output  json.RawMessage
	failure *history.Failure
	custom  json.RawMessage

	guess // of a turn that nobody sees
}

// promise is a task as the oracle sees it.
type promise struct {
	done   bool
	value  string
	kind   string // of an activity's or a child's failure
	forget func()
	then   []func()
	winner int
	unsure bool // it is done, and with what is not known

	could    func(value string) bool // whether it may have come to this by now
	deadline *promise
}

func newOracle(id string) *oracle {
	return &oracle{
		id: id, calls: map[int32]*promise{}, timers: map[int32]*promise{}, due: map[int32]time.Time{},
		children: map[int32]*promise{}, called: map[int32]history.Event{}, lineages: map[int32]string{},
		waiting: map[string][]*promise{}, settled: map[int32]bool{},
	}
}

// follow reads the events of one or more turns, and returns what is wrong with
// them.
func (o *oracle) follow(events []history.Event) error {
	for _, e := range events {
		switch {
		case e.Kind == history.OrchestratorStarted:
			if err := o.allDecided(); err != nil {
				return err
			}
			if e.Time.Before(o.now) {
				return fmt.Errorf("time goes back from %v to %v", o.now, e.Time)
			}
			o.now = e.Time
		case e.Kind.IsAction():
			if err := o.compare(e); err != nil {
				return err
			}
		case e.Kind == history.ExecutionRewound:
			if e.ID != o.next {
				return fmt.Errorf("its rewinding is number %d, not %d", e.ID, o.next)
			}
			o.next++
			o.lineage = e.Execution
		case e.Kind == history.ContinueAsNew:
			if err := o.checkLegacy(e); err != nil {
				return err
			}
		case e.Kind == history.ExecutionCompleted:
			if !o.ended || e.Status != o.status || string(e.Result) != string(o.output) || !alike(e.Failure, o.failure) {
				return fmt.Errorf("it ended as %v with %s %v, not as %v with %s %v", e.Status, e.Result, e.Failure, o.status, o.output, o.failure)
			}
		default:
			o.take(e)
		}
	}
	return o.allDecided()
}

func alike(a, b *history.Failure) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Kind == b.Kind && a.Message == b.Message)
}

func (o *oracle) allDecided() error {
	if len(o.expected) > 0 {
		return fmt.Errorf("%v number %d was not asked for", o.expected[0], o.expected[0].ID)
	}
	return nil
}

// compare holds a recorded action to the one that was expected.
func (o *oracle) compare(e history.Event) error {
	if len(o.expected) == 0 {
		return fmt.Errorf("%v number %d was asked for by nobody", e, e.ID)
	}
	want := o.expected[0]
	o.expected = o.expected[1:]
	if e.Kind != want.Kind || e.ID != want.ID || e.Name != want.Name || string(e.Input) != string(want.Input) || !e.FireAt.Equal(want.FireAt) || e.Attempt != want.Attempt || e.TaskID != want.TaskID ||
		e.InstanceID != want.InstanceID || e.Detached != want.Detached {
		return fmt.Errorf("%v number %d (try %d of %d) was asked for, not %v number %d (try %d of %d)", e, e.ID, e.Attempt, e.TaskID, want, want.ID, want.Attempt, want.TaskID)
	}
	return nil
}

// take lets a fact have its effect.
func (o *oracle) take(e history.Event) {
	o.note(e)
	switch {
	case o.ended && o.status == history.ContinuedAsNew:
		o.late = append(o.late, e) // for the next execution
		return
	case o.ended:
		return
	}
	switch e.Kind {
	case history.ExecutionTerminated:
		o.output, _ = json.Marshal(e.Reason) // a text is JSON
		o.ended, o.status = true, history.Terminated
		return
	case history.ExecutionSuspended:
		o.suspended = true
		return
	case history.ExecutionResumed:
		o.wakeUp()
		return
	}
	if o.suspended {
		o.held = append(o.held, e)
		if e.Kind != history.EventRaised && e.Kind != history.ExecutionStarted {
			o.settled[e.TaskID] = true
		}
		return
	}
	o.happen(e)
	o.goOn()
}

// note takes note of what does not depend on whether it has its effect now.
func (o *oracle) note(e history.Event) {
	switch e.Kind {
	case history.ExecutionStarted:
		o.run = cmp.Or(e.Origin, e.Execution)
		o.lineage = cmp.Or(o.lineage, o.run)
		if e.Carried != nil {
			o.custom = e.Carried.CustomStatus
		}
	case history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		delete(o.called, e.TaskID)
	case history.ExecutionTerminated:
		o.recurses = o.recurses || e.Recurse
	}
}

// wakeUp ends a suspension.
func (o *oracle) wakeUp() {
	held := o.held
	o.suspended, o.held = false, nil
	clear(o.settled)
	for _, e := range held {
		o.take(e)
	}
}

// happen settles what waits for a fact.
func (o *oracle) happen(e history.Event) {
	switch e.Kind {
	case history.ExecutionStarted:
		o.begun = true
		_ = json.Unmarshal(e.Input, &o.p) // the monitor reads it too
		o.trace = o.p.Before
	case history.TaskCompleted, history.TaskFailed:
		answer(o.calls, e, textOf(e.Result))
	case history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		answer(o.children, e, traceOf(e.Result))
	case history.TimerFired:
		if t := o.timers[e.TaskID]; t != nil {
			delete(o.timers, e.TaskID)
			t.settle("fired")
		}
	case history.EventRaised:
		if w := o.waiting[e.Name]; len(w) > 0 {
			o.waiting[e.Name] = w[1:]
			w[0].settle(textOf(e.Input))
			return
		}
		o.kept = append(o.kept, e)
	}
}

// answer settles a call with what came of it.
func answer(calls map[int32]*promise, e history.Event, value string) {
	t := calls[e.TaskID]
	if t == nil {
		return
	}
	delete(calls, e.TaskID)
	if e.Failure != nil {
		t.kind = e.Failure.Kind
		value = t.kind + " after 1"
	}
	t.settle(value)
}

// traceOf returns what an orchestration returned.
func traceOf(raw json.RawMessage) string {
	var trace []string
	_ = json.Unmarshal(raw, &trace) // programs return texts
	return inBrackets(trace)
}

func textOf(raw json.RawMessage) string {
	var text string
	_ = json.Unmarshal(raw, &text) // activities and people send texts
	return text
}

// goOn goes through the steps until one has to wait.
func (o *oracle) goOn() {
	for o.begun && !o.ended {
		if o.at == len(o.p.Ops) {
			o.finish()
			return
		}
		if !o.pass(o.p.Ops[o.at].among(len(o.tasks))) {
			return
		}
		o.at++
	}
}

// finish ends the execution, in favour of another if it continues as new.
func (o *oracle) finish() {
	if o.again == nil {
		o.output, _ = json.Marshal(o.trace) // texts are JSON
		o.ended, o.status = true, history.Completed
		return
	}
	for n := range o.tasks {
		o.trace = append(o.trace, "left "+o.leftOf(n))
	}
	o.output, _ = json.Marshal(o.p.heir(o.again.Program, o.trace)) // a program is JSON
	o.ended, o.status = true, history.ContinuedAsNew
}

// pass does a step, and reports false if it has to wait.
func (o *oracle) pass(s op) bool {
	switch s.Do {
	case doWork, doCharge:
		o.tasks = append(o.tasks, o.limited(o.call(s), s))
	case doChild:
		o.tasks = append(o.tasks, o.limited(o.call(s), s))
	case doTimer:
		o.tasks = append(o.tasks, o.timer(seconds(s.Seconds)))
	case doEvent:
		o.tasks = append(o.tasks, o.limited(o.wait(s.Name), s))
	case doAwait, doAll, doMust:
		return o.await(s)
	case doAny:
		return o.pick(s)
	case doCancel:
		o.tasks[s.Of[0]].cancel()
	case doBegin:
		o.begin(s)
	case doSend:
		text, _ := json.Marshal(mark(o.run, o.at)) // a text is JSON
		o.act(history.Event{Kind: history.EventSent, Name: s.Name, InstanceID: s.To, Input: text})
	case doAgain:
		o.again = &s
	case doStatus:
		o.custom = json.RawMessage(strconv.Itoa(len(o.trace)))
	case doNow:
		o.trace = append(o.trace, o.now.Format(time.RFC3339Nano))
	case doFail:
		o.fail(s.Name, s.Name)
	case doPanic:
		o.fail(engine.KindPanic, s.Name)
	}
	return true
}

// await waits for all of the step's tasks.
func (o *oracle) await(s op) bool {
	for i, n := range s.Of {
		if !o.isDone(n, len(o.trace)+i) {
			return false
		}
	}
	for _, n := range s.Of {
		o.trace = append(o.trace, o.tasks[n].value)
	}
	if s.Do == doMust && isWrong(o.tasks[s.Of[0]].value) {
		o.fail("must", "must")
	}
	return true
}

// begin asks for an instance that nobody waits for.
func (o *oracle) begin(s op) {
	created, id := o.offspring(s), "error"
	if created.InstanceID != o.id {
		created.Detached = true
		o.act(created)
		id = created.InstanceID
	}
	o.trace = append(o.trace, id)
}

// offspring is the action that begins another instance.
func (o *oracle) offspring(s op) history.Event {
	input, _ := json.Marshal(s.Program.tagged(mark(o.run, o.at))) // a program is JSON
	return history.Event{Kind: history.SubOrchestrationInstanceCreated, Name: string(play), InstanceID: cmp.Or(s.To, o.childID()), Input: input}
}

// childID is what an instance is called that the next action begins.
func (o *oracle) childID() string { return fmt.Sprintf("%s:%d", o.lineage, o.next) }

func (o *oracle) fail(kind, message string) {
	o.ended, o.status = true, history.Failed
	o.failure = &history.Failure{Kind: kind, Message: message}
}

// pick waits for the first of several tasks.
func (o *oracle) pick(s op) bool {
	if o.race == nil {
		race := &promise{}
		o.race = race
		for _, n := range s.Of {
			o.tasks[n].when(func() {
				if !race.done {
					race.winner = n
					race.settle("")
				}
			})
		}
	}
	if !o.race.done {
		o.guessWinner(s)
	}
	if !o.race.done {
		return false
	}
	o.trace = append(o.trace, "won by "+strconv.Itoa(o.race.winner))
	if o.race.winner != s.Of[0] {
		o.at += s.Skip
		o.at = min(o.at, len(o.p.Ops)-1)
	}
	o.race = nil
	return true
}

// act asks for an action.
func (o *oracle) act(e history.Event) int32 {
	e.ID = o.next
	o.next++
	o.expected = append(o.expected, e)
	return e.ID
}

func (o *oracle) timer(d time.Duration) *promise {
	at := o.now.Add(d)
	id := o.act(history.Event{Kind: history.TimerCreated, FireAt: at})
	t := &promise{forget: func() { delete(o.timers, id) }}
	t.could = func(value string) bool { return value == "fired" && !at.After(o.now) && id < o.unseen }
	o.timers[id], o.due[id] = t, at
	return t
}

func (o *oracle) wait(name string) *promise {
	t := &promise{could: func(value string) bool { return o.evidence.sent(name, value) }}
	if i := slices.IndexFunc(o.kept, func(e history.Event) bool { return e.Name == name }); i >= 0 {
		t.settle(textOf(o.kept[i].Input))
		o.kept = slices.Delete(slices.Clone(o.kept), i, i+1)
		return t
	}
	t.forget = func() {
		o.waiting[name] = slices.DeleteFunc(o.waiting[name], func(w *promise) bool { return w == t })
	}
	o.waiting[name] = append(o.waiting[name], t)
	return t
}

// limited gives a task a deadline.
func (o *oracle) limited(t *promise, s op) *promise {
	if s.Seconds == 0 || t.done {
		return t
	}
	deadline := o.timer(seconds(s.Seconds))
	t.deadline = deadline
	deadline.when(func() {
		if !t.done && deadline.value == "fired" {
			t.forget()
			t.settle("timeout")
		}
	})
	t.when(deadline.cancel)
	return t
}

// call asks for an activity or a child, again and again if it fails.
func (o *oracle) call(s op) *promise {
	e, calls := o.offspring, o.children
	if s.Do != doChild {
		e, calls = jobOf, o.calls
	}
	asked := e(s)
	if asked.InstanceID == o.id {
		return &promise{done: true, value: "error"}
	}
	try := func(n, first int32) (*promise, int32) {
		again := asked
		if again.InstanceID != "" && s.To == "" {
			again.InstanceID = o.childID()
		}
		if n > 1 {
			again.Attempt, again.TaskID = n, first
		}
		return o.ask(again, calls)
	}
	t, first := try(1, 0)
	if s.Tries == 0 {
		return t
	}
	whole := &promise{}
	o.repeat(whole, t, 1, s.Tries, func(n int32) *promise { t, _ := try(n, first); return t })
	return whole
}

// ask asks for something that is answered, and returns its number.
func (o *oracle) ask(e history.Event, calls map[int32]*promise) (*promise, int32) {
	e.ID = o.act(e)
	t := &promise{forget: func() { delete(calls, e.ID) }}
	t.could = func(value string) bool { return e.ID < o.unseen && o.evidence.answered(o, e, value) }
	calls[e.ID] = t
	if e.Kind == history.SubOrchestrationInstanceCreated {
		o.called[e.ID], o.lineages[e.ID] = e, o.lineage
	}
	return t, e.ID
}

// jobOf is the action that asks for an activity.
func jobOf(s op) history.Event {
	input, _ := json.Marshal(s.Job) // a job is JSON
	name := string(work)
	if s.Do == doCharge {
		name = string(charge)
	}
	return history.Event{Kind: history.TaskScheduled, Name: name, Input: input}
}

// repeat follows one try of a call, and makes the next.
func (o *oracle) repeat(whole, t *promise, n, most int, try func(int32) *promise) {
	whole.forget, whole.could = t.cancel, t.could
	t.when(func() {
		switch {
		case whole.done || t.value == "canceled":
		case t.kind == "":
			whole.settle(t.value)
		case n >= most || t.kind == engine.KindInterrupted:
			whole.settle(fmt.Sprintf("%s after %d", t.kind, n))
		default:
			pause := o.timer(retryPause)
			whole.forget = pause.cancel
			whole.could = func(string) bool { return false } // it takes another turn at least
			pause.when(func() {
				if pause.value == "fired" {
					o.repeat(whole, try(int32(n+1)), n+1, most, try)
				}
			})
		}
	})
}

func (t *promise) settle(value string) {
	if t.done {
		return
	}
	t.done, t.value = true, value
	then := t.then
	t.then = nil
	for _, f := range then {
		f()
	}
}

func (t *promise) when(f func()) {
	if t.done {
		f()
		return
	}
	t.then = append(t.then, f)
}

func (t *promise) cancel() {
	if !t.done && t.forget != nil {
		t.forget()
	}
	t.settle("canceled")
}

// standing is where the instance must stand.
func (o *oracle) standing() history.Status {
	switch {
	case o.ended:
		return o.status
	case o.suspended:
		return history.Suspended
	case !o.begun:
		return history.Pending
	}
	return history.Running
}

// wake is when the instance must be looked at next; zero for never.
func (o *oracle) wake() (next time.Time) {
	if o.ended {
		return next
	}
	for id := range o.timers {
		if at := o.due[id]; !o.settled[id] && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// outstanding reports whether an activity's call is waited for.
func (o *oracle) outstanding(id int32) bool {
	_, waits := o.calls[id]
	return waits && !o.settled[id] && !o.ended
}

// busy returns how many activities are waited for.
func (o *oracle) busy() (n int) {
	for id := range o.calls {
		if o.outstanding(id) {
			n++
		}
	}
	return n
}
