package enginetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// instance is an orchestration under test.
type instance struct {
	env   *Env
	id    string
	start history.Event // of the present execution
	first string        // the execution that was begun from outside
	past  []history.Event
	inbox []history.Event
	live  *engine.Execution
	asked map[string]bool // calls of activities that are under way

	status       history.Status
	output       json.RawMessage
	failure      *history.Failure
	customStatus json.RawMessage
}

// String names the instance in messages.
func (i *instance) String() string { return fmt.Sprintf("%q (instance %s)", i.start.Name, i.id) }

// begin makes the instance a new one.
func (i *instance) begin(start history.Event) {
	i.env.Helper()
	if !i.env.registry.HasOrchestrator(start.Name) {
		i.env.Fatalf("orchestration %q is not registered", start.Name)
	}
	i.putAway()
	*i = instance{env: i.env, id: i.id, start: start, first: start.Execution, inbox: []history.Event{start}, asked: map[string]bool{}, status: history.Pending}
}

// putAway drops what is in memory, as when the process dies.
func (i *instance) putAway() {
	if i.live != nil {
		i.live.Close()
		i.live = nil
	}
}

// alive returns the execution, brought back from its history if need be.
func (i *instance) alive() *engine.Execution {
	if i.live == nil {
		i.live = i.env.registry.Replay(i.id, i.past, engine.ReplayOptions{Logger: i.env.logger(), Version: i.env.Version})
	}
	return i.live
}

// wake returns when the instance must be looked at; the zero time for never.
func (i *instance) wake() time.Time {
	if i.status.IsTerminal() {
		return time.Time{}
	}
	return i.alive().NextTimer()
}

// work makes the turn that the inbox or a timer calls for. It reports whether
// there was one to make.
func (i *instance) work() bool {
	i.env.Helper()
	wake := i.wake()
	due := !wake.IsZero() && !wake.After(i.env.now)
	if len(i.inbox) == 0 && !due && i.status != history.ContinuedAsNew {
		return false
	}
	if i.status.IsTerminal() {
		i.inbox = nil
		return false
	}
	i.turn()
	return true
}

// turn makes one turn and lets follow what follows from it. A crash before it is
// written leaves the messages where they are.
func (i *instance) turn() {
	i.env.Helper()
	d, err := i.alive().Turn(i.env.now, i.inbox)
	if err != nil {
		i.env.Fatalf("make a turn of %s: %v", i, err)
	}
	i.checkDeterminism(d)
	if len(d.Events) == 0 {
		i.inbox = nil
		return
	}
	if i.env.crashes("before turn %d of %s was written", i.turns()+1, i) {
		return
	}
	i.write(d)
	sends := i.live.Sends(d.Events)
	lost := i.env.crashes("after turn %d of %s was written, before it had effects", i.turns(), i)
	i.env.deliver(i, sends)
	if len(sends) > 0 && i.env.crashes("after turn %d of %s sent its messages, before this was known", i.turns(), i) {
		i.env.deliver(i, sends)
	}
	i.call(lost)
}

// write makes a decision the instance's past.
func (i *instance) write(d engine.Decision) {
	if d.Begun != nil {
		i.past, i.start, i.asked = nil, *d.Begun, map[string]bool{}
	}
	i.past = append(i.past, d.Events...)
	i.inbox = nil
	i.status, i.output, i.failure, i.customStatus = d.Status, d.Output, d.Failure, d.CustomStatus
}

// turns returns how many turns the present execution made.
func (i *instance) turns() (n int) {
	for _, e := range i.past {
		if e.Kind == history.OrchestratorStarted {
			n++
		}
	}
	return n
}

// call begins the activities that were asked for. Of those that a dying process
// left behind it is not known whether they ran.
func (i *instance) call(lost bool) {
	i.env.Helper()
	for _, e := range i.alive().Outstanding() {
		call := engine.NewCall(i.id, i.start.Execution, e)
		key := fmt.Sprint(call.Execution, call.Task)
		if i.asked[key] {
			continue
		}
		i.asked[key] = true
		if lost && i.env.registry.RunsAtMostOnce(e.Name) {
			i.receive(i.interrupted(call))
			continue
		}
		i.env.schedule(i, call, *e)
	}
}

// interrupted is the outcome of an activity that must not run twice and that was
// begun by a process which died.
func (i *instance) interrupted(call engine.Call) history.Event {
	return history.Event{
		Kind: history.TaskFailed, ID: history.Outside, Time: i.env.now, TaskID: call.Task, Execution: call.Execution,
		Failure: &history.Failure{Kind: engine.KindInterrupted, Message: engine.ErrInterrupted.Error()},
	}
}

// receive puts a message into the inbox.
func (i *instance) receive(m history.Event) { i.inbox = append(i.inbox, m) }

// waitsFor says what an instance waits for that does not move.
func (i *instance) waitsFor() string {
	var what []string
	for _, name := range i.alive().WaitingFor() {
		what = append(what, fmt.Sprintf("event %q", name))
	}
	switch {
	case i.status == history.Suspended:
		return "somebody to resume it"
	case len(what) == 0:
		return "nothing that is known"
	default:
		return strings.Join(what, ", ")
	}
}

// maxReplayed is how many events one test replays to check determinism; after
// that only every thousandth turn is checked.
const maxReplayed = 200_000

// checkDeterminism makes the turn once more, from the history alone, and
// compares what was decided.
func (i *instance) checkDeterminism(got engine.Decision) {
	i.env.Helper()
	if i.env.replayed > maxReplayed && i.turns()%1000 != 0 {
		return
	}
	i.env.replayed += len(i.past)
	again := i.env.registry.Replay(i.id, i.past, engine.ReplayOptions{Version: i.env.Version})
	defer again.Close()
	want, err := again.Turn(i.env.now, i.inbox)
	if err != nil {
		i.env.Fatalf("make a turn of %s once more: %v", i, err)
	}
	if how := differ(got, want); how != "" {
		i.env.Fatalf("%s is not deterministic: when turn %d is replayed from its history, %s\n"+
			"An orchestration must not depend on clocks, randomness, the order of a map or anything outside; the determinism analyzer finds such things.\n%s",
			i, i.turns()+1, how, i.env.story(i))
	}
}

// differ says how two decisions about the same turn differ; empty if they don't.
func differ(a, b engine.Decision) string {
	for n := range max(len(a.Events), len(b.Events)) {
		first, second := at(a.Events, n), at(b.Events, n)
		if !reflect.DeepEqual(withoutStack(first), withoutStack(second)) {
			return fmt.Sprintf("it decides otherwise\nat first: %s\nreplayed: %s", inFull(first), inFull(second))
		}
	}
	if !slices.Equal(a.CustomStatus, b.CustomStatus) {
		return fmt.Sprintf("it sets another custom status\nat first: %s\nreplayed: %s", a.CustomStatus, b.CustomStatus)
	}
	return ""
}

func at(events []history.Event, n int) *history.Event {
	if n >= len(events) {
		return nil
	}
	return &events[n]
}

// withoutStack drops what depends on who called the code.
func withoutStack(e *history.Event) *history.Event {
	if e == nil || e.Failure == nil {
		return e
	}
	same, failure := *e, *e.Failure
	failure.Stack = ""
	same.Failure = &failure
	return &same
}

// inFull describes an event with all that it holds.
func inFull(e *history.Event) string {
	if e == nil {
		return "nothing"
	}
	text, err := json.Marshal(withoutStack(e))
	if err != nil {
		return e.String()
	}
	return string(text)
}
