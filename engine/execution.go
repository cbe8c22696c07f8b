package engine

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// Execution is one run of an orchestration, brought back to life from its
// history. It holds the orchestration's code in the middle of its Awaits, as
// coroutines, so that the next turn goes on from there; Close puts it away. It
// must not be used concurrently. Nothing in it is durable: what counts is the
// history, and an Execution whose decision was not committed must be thrown
// away.
type Execution struct {
	sender // who runs, and for whom
	o      ReplayOptions
	secret []string

	// Its code.
	begun   bool
	strands map[*strand]bool // those that have not ended
	running *strand          // nil if none is
	ready   []*strand        // to run, in order

	// What is being waited for.
	calls   map[int32]*call
	timers  map[int32]*timer
	waiting map[string][]*wait
	ends    map[string]*wait // how the last waits ended
	kept    map[string][]keptEvent
	held    []history.Event // came while suspended
	settled map[int32]bool  // tasks whose completion is among the held
	later   *history.Event  // the start, if the time to begin has not come
	missing error           // why the code cannot run here

	// Where it stands.
	now          time.Time
	replaying    bool
	suspended    bool
	refused      bool             // the code may not run here, and the execution fails
	leaving      bool             // the strands are being unwound
	catching     bool             // what came during a suspension is having its effect
	checking     bool             // a condition of a wait runs
	bulk         bulk             // of the history
	cut          *history.Failure // with which a history that is replayed ends, being full
	nextID       int32
	guids        int
	turns        int
	waits        int   // waits so far
	raised       int   // external events so far
	raisedBytes  int64 // and the size of their payloads
	customStatus json.RawMessage
	patches      map[string]bool            // whether the code takes a changed branch
	seen         map[string]int             // messages recorded so far, with their number
	recorded     map[int32]recordedEvent    // actions of the history being replayed
	actions      []history.Event            // actions asked for in this turn
	verdicts     map[string]history.Verdict // on the events of this turn
	keyed        map[string]keyed           // events with an idempotency key

	// How it ended.
	ended   bool
	status  history.Status
	output  json.RawMessage
	failure *history.Failure

	succession
	tracing
}

type call struct {
	task      *task
	scheduled history.Event
	lineage   string // what the result of a sub-orchestration must name
}

type timer struct {
	task      *task
	id        int32
	since, at time.Time
}

// created returns the action that asked for the timer.
func (t *timer) created() history.Event {
	return history.Event{Kind: history.TimerCreated, ID: t.id, Time: t.since, FireAt: t.at}
}

type recordedEvent struct {
	history.Event
	position int
}

// ReplayOptions says how Replay brings an execution back.
type ReplayOptions struct {
	// Logger receives what orchestrations log; nil discards it.
	Logger *slog.Logger
	// Version is that of the program's orchestrations: instances that they
	// begin get it, unless the call says another.
	Version string
	// Admit is asked whether an execution of a version may run here; nil
	// admits all. With an error no turn can be made but one that terminates
	// it, as with an orchestration that is not registered; an error that is
	// marked as [NonRetriable] fails the execution.
	Admit func(version string) error
	// MaxEvents is how many events the history of one execution may have, and
	// MaxBytes how large they may be together, counted by [history.Event.Size]:
	// 50,000 and 64 MiB. One that would have more fails, with KindHistoryFull. A
	// negative number is no bound.
	MaxEvents int
	MaxBytes  int64
}

// Replay brings the instance back to life from its history, which may be empty
// for one that has not begun. A history that the code does not follow makes the
// next turn a failure.
func (r *Registry) Replay(instance string, past []history.Event, o ReplayOptions) *Execution {
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = logger.With("instance", instance)
	x := r.newExecution(instance, o)
	if len(past) > 0 && past[len(past)-1].Kind == history.ContinueAsNew {
		x.inherit(past)
	} else {
		x.replay(past)
	}
	return x
}

func (r *Registry) newExecution(instance string, o ReplayOptions) *Execution {
	return &Execution{
		sender: sender{registry: r, instance: instance}, o: o,
		strands: map[*strand]bool{}, calls: map[int32]*call{}, timers: map[int32]*timer{},
		waiting: map[string][]*wait{}, ends: map[string]*wait{}, kept: map[string][]keptEvent{},
		verdicts: map[string]history.Verdict{}, keyed: map[string]keyed{},
		seen: map[string]int{}, settled: map[int32]bool{}, recorded: map[int32]recordedEvent{},
	}
}

// replay runs the code over the past, one event at a time.
func (x *Execution) replay(past []history.Event) {
	for i, e := range past {
		if e.Kind.IsAction() || e.Kind == history.ExecutionRewound {
			x.recorded[e.ID] = recordedEvent{e, i}
		}
		if e.Kind == history.GenericEvent {
			x.patch(e.Name, true)
		}
	}
	x.cut = cutOff(past)
	x.replaying = true
	for i := range past {
		x.take(&past[i])
	}
	x.replaying = false
	if x.missing != nil {
		x.nextID = nextAction(past)
	}
	if x.missing == nil && !x.refused && !isComplete(past) {
		x.checkAllAsked()
	}
	x.recorded = nil
}

// nextAction returns the number behind those of a history, whose code did not run.
func nextAction(past []history.Event) (next int32) {
	for i := range past {
		next = max(next, past[i].ID+1)
	}
	return next
}

// isComplete reports whether a history tells of its execution's end.
func isComplete(past []history.Event) bool {
	return len(past) > 0 && past[len(past)-1].Kind == history.ExecutionCompleted
}

// take lets one recorded event have its effect.
func (x *Execution) take(e *history.Event) {
	x.see(e.Message)
	x.note(e)
	if !x.catching {
		x.count(e)
	}
	switch {
	case x.suspended && !actsAtOnce(e.Kind):
		x.hold(*e)
		return
	case x.continues():
		x.leave(*e)
		return
	}
	switch e.Kind {
	case history.OrchestratorStarted:
		x.now = e.Time
		x.turns++
	case history.ExecutionStarted:
		x.start(*e)
	case history.TaskCompleted, history.SubOrchestrationInstanceCompleted:
		x.complete(e, history.Completed)
	case history.TaskFailed, history.SubOrchestrationInstanceFailed:
		x.complete(e, history.Failed)
	case history.TimerFired:
		x.fire(e)
	case history.EventRaised:
		x.raise(*e)
		x.resume()
	case history.ExecutionTerminated:
		x.terminate(e.Reason)
	case history.ExecutionSuspended:
		x.suspended = true
	case history.ExecutionResumed:
		x.unsuspend()
	case history.ExecutionRewound:
		x.since = x.now
	case history.ExecutionCompleted:
		x.nextID = e.ID + 1
		if x.cut != nil {
			x.end(history.Failed, nil, x.cut)
		}
	}
}

// count takes note of how much there is of the history, and of events in it.
func (x *Execution) count(e *history.Event) {
	x.bulk = x.bulk.plus(e)
	if e.Kind == history.EventRaised {
		x.raised++
		x.raisedBytes += int64(len(e.Input))
		x.hear(e)
	}
}

// actsAtOnce reports whether events of this kind have their effect although the
// execution is suspended.
func actsAtOnce(k history.Kind) bool {
	switch k {
	case history.OrchestratorStarted, history.ExecutionSuspended, history.ExecutionResumed, history.ExecutionTerminated:
		return true
	default:
		return false
	}
}

// hold keeps an event for the time after the suspension.
func (x *Execution) hold(e history.Event) {
	if e.Kind == history.EventRaised && !x.keeps(e) {
		return
	}
	x.held = append(x.held, e)
	if isResult(e.Kind) || e.Kind == history.TimerFired {
		x.settled[e.TaskID] = true
	}
}

// keeps reports whether an event that came during a suspension is kept for
// afterwards, and not refused because it is to be taken at once.
func (x *Execution) keeps(e history.Event) bool {
	switch {
	case e.Verdict != nil && e.Verdict.Refused():
		x.decide(e, *e.Verdict)
		return false
	case e.Strict:
		x.decide(e, history.Verdict{Outcome: history.NotWaiting, Reason: "the instance is suspended"})
		return false
	}
	x.verdicts[e.Message] = history.Verdict{Outcome: history.Kept}
	return true
}

// see takes note of a message, so that it is known if it comes again.
func (x *Execution) see(message string) {
	if message == "" {
		return
	}
	if _, known := x.seen[message]; !known {
		x.seen[message] = len(x.seen)
	}
}

// saw reports whether the message with this id was recorded: by this execution,
// or lately by one that continued as new.
func (x *Execution) saw(message string) bool {
	_, seen := x.seen[message]
	return seen
}

// start begins the execution, or waits for the time to do so.
func (x *Execution) start(e history.Event) {
	x.secret, x.started = e.Secret, e.Time
	x.succeed(e.Carried)
	if e.FireAt.After(x.now) {
		later := e // so that other starts cost nothing more
		x.later = &later
		return
	}
	x.begin(e)
}

// begin runs the orchestration's function.
func (x *Execution) begin(e history.Event) {
	x.later, x.since = nil, x.now
	o, ok := x.registry.orchestrators[e.Name]
	if !ok {
		x.missing = fmt.Errorf("run orchestration %q: %w", e.Name, ErrUnknownName)
		return
	}
	if x.o.Admit != nil {
		if err := x.o.Admit(e.Version); err != nil {
			x.turnAway(fmt.Errorf("run orchestration %q: %w", e.Name, err))
			return
		}
	}
	x.begun = true
	x.enter(x.strand(func() { x.run(o, e.Input) }))
	x.resume()
}

// turnAway keeps the code from running here: for now, or for good.
func (x *Execution) turnAway(why error) {
	failure := failureOf(why)
	if !failure.NonRetriable {
		x.missing = why
		return
	}
	x.refused = true
	x.end(history.Failed, nil, failure)
}

// complete settles a call; a result nobody waits for is ignored.
func (x *Execution) complete(e *history.Event, status history.Status) {
	c, ok := x.calls[e.TaskID]
	if !ok {
		return
	}
	delete(x.calls, e.TaskID)
	x.spanned(c.scheduled, e.Time, status, e.Failure)
	var err error
	if e.Failure != nil {
		err = &TaskError{Name: c.scheduled.Name, Instance: c.scheduled.InstanceID, Attempts: 1, Failure: *e.Failure}
	}
	c.task.settle(e.Result, err)
	x.resume()
}

func (x *Execution) fire(e *history.Event) {
	if e.TaskID == history.Outside && x.later != nil {
		x.begin(*x.later)
		return
	}
	t, ok := x.timers[e.TaskID]
	if !ok {
		return
	}
	delete(x.timers, e.TaskID)
	x.spanned(t.created(), e.Time, history.Completed, nil)
	t.task.settle(nil, nil)
	x.resume()
}

func (x *Execution) terminate(reason string) {
	output, _ := json.Marshal(reason)
	x.end(history.Terminated, output, nil)
}

// unsuspend lets what came during the pause have its effect, in order.
func (x *Execution) unsuspend() {
	x.suspended = false
	held := x.held
	x.held = nil
	clear(x.settled)
	x.catching = true
	for i := range held {
		x.take(&held[i])
	}
	x.catching = false
}

// ID returns the id of the run; empty before its start.
func (x *Execution) ID() string { return x.runID }

// Origin returns the id that the run goes by: its own, or, if it was rewound, that
// of the run before.
func (x *Execution) Origin() string { return x.execution }

// Status returns where the execution stands after the last turn.
func (x *Execution) Status() history.Status {
	switch {
	case x.ended:
		return x.status
	case x.suspended:
		return history.Suspended
	case !x.begun:
		return history.Pending
	default:
		return history.Running
	}
}

// Outstanding returns the TaskScheduled events of the activities whose results
// are waited for and not recorded yet, in order. They are not to be changed.
func (x *Execution) Outstanding() []*history.Event {
	if x.ended || len(x.calls) == 0 {
		return nil
	}
	events := make([]*history.Event, 0, len(x.calls))
	for _, id := range sortedKeys(x.calls) {
		if e := x.Waiting(id); e != nil {
			events = append(events, e)
		}
	}
	return events
}

// Waiting returns the TaskScheduled event of an activity if its result is waited
// for and not recorded yet, else nil. It is not to be changed.
func (x *Execution) Waiting(call int32) *history.Event {
	c := x.calls[call]
	if c == nil || x.ended || x.settled[call] || c.scheduled.Kind != history.TaskScheduled {
		return nil
	}
	return &c.scheduled
}

// NextTimer returns when the earliest timer is due that has not fired; the zero
// time if there is none.
func (x *Execution) NextTimer() time.Time {
	var next time.Time
	if x.ended {
		return next
	}
	if x.later != nil && !x.settled[history.Outside] {
		next = x.later.FireAt
	}
	for _, t := range x.timers {
		if x.settled[t.id] {
			continue
		}
		if next.IsZero() || t.at.Before(next) {
			next = t.at
		}
	}
	return next
}

// WaitingFor returns the names of the events that are waited for, in order.
func (x *Execution) WaitingFor() []string {
	var names []string
	for name, waits := range x.waiting {
		if len(waits) > 0 && !x.ended {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Close puts the orchestration's function away. It may be called more than
// once.
func (x *Execution) Close() {
	x.leaving = true
	for s := range x.strands {
		s.close()
	}
	clear(x.strands)
}
