package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// program is an orchestration as data: one function plays it in the engine, and
// the oracle works out by itself what must come of it.
type program struct {
	// Tag is different for every start, by a person or an instance.
	Tag string `json:"tag"`
	Ops []op   `json:"ops"`
	// Before is the trace of the executions before this one.
	Before []string `json:"before,omitempty"`
}

// op is one step of a program. Those that ask for something make a task; tasks
// are numbered from 0.
type op struct {
	Do verb `json:"do"`
	// Name is that of the event, or the kind of the failure.
	Name string `json:"name,omitempty"`
	// Job is what the activity is told.
	Job *job `json:"job,omitempty"`
	// Seconds is how long a timer or a deadline is.
	Seconds int `json:"seconds,omitempty"`
	// Tries is how often a call is made at most.
	Tries int `json:"tries,omitempty"`
	// Of are the tasks that are awaited or given up.
	Of []int `json:"of,omitempty"`
	// Skip is how many steps are left out when another than the first task
	// won.
	Skip int `json:"skip,omitempty"`
	// Program is that of the instance which is begun, or of the next execution.
	Program *program `json:"program,omitempty"`
	// To is the instance that is sent to, or the id that one which is begun
	// gets; empty for one that nobody chose.
	To string `json:"to,omitempty"`
	// Drop says that events are not kept for the next execution.
	Drop bool `json:"drop,omitempty"`
}

// verb is what a step does.
type verb string

const (
	doWork   verb = "work"   // call an activity
	doCharge verb = "charge" // call one that runs at most once
	doChild  verb = "child"  // call a sub-orchestration
	doBegin  verb = "begin"  // begin one that nobody waits for
	doSend   verb = "send"   // send an event to an instance
	doAgain  verb = "again"  // continue as new at the end
	doTimer  verb = "timer"
	doEvent  verb = "event"
	doAwait  verb = "await"
	doMust   verb = "must" // await, and fail if the task failed
	doAny    verb = "any"
	doAll    verb = "all"
	doCancel verb = "cancel"
	doStatus verb = "status"
	doNow    verb = "now"
	doFail   verb = "fail"
	doPanic  verb = "panic"
)

// makesTask reports whether a step that does this makes a task.
func (v verb) makesTask() bool {
	switch v {
	case doWork, doCharge, doChild, doTimer, doEvent:
		return true
	}
	return false
}

// job is an activity's input.
type job struct {
	What  string `json:"what"`
	Fails bool   `json:"fails,omitempty"`
	// Heals says that it fails only until its instance is rewound.
	Heals bool `json:"heals,omitempty"`
}

const (
	play   engine.Orchestrator[program, []string] = "play"
	work   engine.Activity[job, string]           = "work"
	charge engine.Activity[job, string]           = "charge"
)

// kinded is an error with a kind of its own.
type kinded string

// Error is the kind.
func (e kinded) Error() string { return string(e) }

// Kind is asked by the engine.
func (e kinded) Kind() string { return string(e) }

// started is a task of a program that runs.
type started struct {
	engine.Awaitable
	await func() string // what it returned, or its error in a word
}

// startedAs returns a task, with words for what it returns.
func startedAs[T any](t *engine.Task[T], words func(T) string) started {
	return started{t, func() string {
		v, err := t.Await()
		return verdict(words(v), err)
	}}
}

func verdict(text string, err error) string {
	var failed *engine.TaskError
	switch {
	case err == nil:
		return text
	case errors.Is(err, engine.ErrTimeout):
		return "timeout"
	case errors.Is(err, engine.ErrCanceled):
		return "canceled"
	case errors.As(err, &failed):
		return fmt.Sprintf("%s after %d", failed.Kind(), failed.Attempts)
	}
	return "error"
}

// isWrong reports whether a task with this verdict has failed.
func isWrong(verdict string) bool {
	return verdict == "timeout" || verdict == "canceled" || verdict == "error" || strings.Contains(verdict, " after ") && verdict[0] != '['
}

func itself(text string) string     { return text }
func fired(struct{}) string         { return "fired" }
func inBrackets(of []string) string { return "[" + strings.Join(of, "; ") + "]" }

// scene is a program as it is played.
type scene struct {
	*engine.Context
	p     program
	at    int
	tasks []started
	trace []string
	next  *op // continues as new
}

// playProgram is the orchestration.
func playProgram(ctx *engine.Context, p program) (trace []string, err error) {
	s := &scene{Context: ctx, p: p, trace: p.Before}
	for ; s.at < len(p.Ops); s.at++ {
		o := p.Ops[s.at].among(len(s.tasks))
		if s.begins(o) {
			continue
		}
		if err := s.does(o); err != nil {
			return s.trace, err
		}
	}
	if s.next == nil {
		return s.trace, nil
	}
	s.told()
	next := p.heir(s.next.Program, s.trace)
	if s.next.Drop {
		return nil, ctx.ContinueAsNew(next, engine.DropEvents())
	}
	return nil, ctx.ContinueAsNew(next)
}

// begins does a step that makes a task, and reports whether it is one.
func (s *scene) begins(o op) bool {
	var t started
	switch o.Do {
	case doWork:
		t = startedAs(engine.CallActivity(s.Context, work, *o.Job, o.callOptions(s.Now())...), itself)
	case doCharge:
		t = startedAs(engine.CallActivity(s.Context, charge, *o.Job, o.callOptions(s.Now())...), itself)
	case doChild:
		t = startedAs(engine.CallSubOrchestrator(s.Context, play, s.offspring(o), o.childOptions(s.Now())...), inBrackets)
	case doTimer:
		t = startedAs(s.CreateTimer(s.Now().Add(seconds(o.Seconds))), fired)
	case doEvent:
		t = startedAs(engine.WaitForExternalEvent(s.Context, engine.Event[string](o.Name), o.waitOptions(s.Now())...), itself)
	default:
		return false
	}
	s.tasks = append(s.tasks, t)
	return true
}

// does does a step of another kind.
func (s *scene) does(o op) error {
	switch o.Do {
	case doAwait:
		s.tell(s.tasks[o.Of[0]].await())
	case doMust:
		v := s.tasks[o.Of[0]].await()
		s.tell(v)
		if isWrong(v) {
			return kinded("must")
		}
	case doAny:
		of := s.among(o)
		winner := engine.Select(s.Context, of...)
		if winner != of[0] {
			s.at += o.Skip
		}
		s.tell("won by " + strconv.Itoa(o.Of[slices.Index(of, winner)]))
	case doAll:
		engine.WhenAllDone(s.Context, s.among(o)...).Await()
		for _, n := range o.Of {
			s.tell(s.tasks[n].await())
		}
	case doCancel:
		s.tasks[o.Of[0]].Cancel()
	case doBegin:
		id, err := engine.StartOrchestrator(s.Context, play, s.offspring(o), engine.InstanceID(o.To))
		s.tell(verdict(id, err))
	case doSend:
		return engine.SendEvent(s.Context, o.To, engine.Event[string](o.Name), mark(s.ExecutionID(), s.at))
	case doAgain:
		s.next = &o
	case doStatus:
		return s.SetCustomStatus(len(s.trace))
	case doNow:
		s.tell(s.Now().Format(time.RFC3339Nano))
	case doFail:
		return kinded(o.Name)
	case doPanic:
		panic(o.Name)
	}
	return nil
}

func (s *scene) tell(text string) { s.trace = append(s.trace, text) }

// told tells what became of all tasks, as the next execution does not know.
func (s *scene) told() {
	for _, t := range s.tasks {
		if t.Done() {
			s.tell("left " + t.await())
		} else {
			s.tell("left waiting")
		}
	}
}

// among returns the tasks that a step is about.
func (s *scene) among(o op) (of []engine.Awaitable) {
	for _, n := range o.Of {
		of = append(of, s.tasks[n].Awaitable)
	}
	return of
}

// offspring is the program of an instance that a step begins.
func (s *scene) offspring(o op) program { return o.Program.tagged(mark(s.ExecutionID(), s.at)) }

// mark names what a step of an execution sends.
func mark(execution string, step int) string { return fmt.Sprintf("%s~%d", execution, step) }

// tagged returns the program with a tag.
func (p program) tagged(tag string) program {
	p.Tag = tag
	return p
}

// heir returns the program of the execution that follows this one with a trace.
func (p program) heir(next *program, trace []string) program {
	heir := next.tagged(p.Tag + "+")
	heir.Before = trace
	return heir
}

// among returns the step with the numbers of tasks that there are: some may have
// been left out. Without any, a step that needs one does nothing.
func (o op) among(tasks int) op {
	if len(o.Of) > 0 && tasks == 0 {
		return op{}
	}
	of := make([]int, len(o.Of))
	for i, n := range o.Of {
		of[i] = n % tasks
	}
	o.Of = of
	return o
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// retryPause is the pause between two tries of a call.
const retryPause = 5 * time.Second

func (o op) callOptions(now time.Time) (options []engine.CallOption) {
	if o.Tries > 0 {
		options = append(options, engine.RetryPolicy{MaxAttempts: o.Tries, InitialRetryInterval: retryPause})
	}
	if o.Seconds > 0 {
		options = append(options, engine.Until(now.Add(seconds(o.Seconds))))
	}
	return options
}

func (o op) childOptions(now time.Time) []engine.ChildOption {
	options := []engine.ChildOption{engine.InstanceID(o.To)}
	if o.Tries > 0 {
		options = append(options, engine.RetryPolicy{MaxAttempts: o.Tries, InitialRetryInterval: retryPause})
	}
	if o.Seconds > 0 {
		options = append(options, engine.Until(now.Add(seconds(o.Seconds))))
	}
	return options
}

func (o op) waitOptions(now time.Time) (options []engine.WaitOption) {
	if o.Seconds > 0 {
		options = append(options, engine.Until(now.Add(seconds(o.Seconds))))
	}
	return options
}

// String is the program as it is stored.
func (p program) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// registry returns a registry whose activities are those of a process.
func (p *process) registry() *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, play, playProgram)
	engine.AddActivity(r, work, p.perform)
	engine.AddActivity(r, charge, p.perform, engine.AtMostOnce())
	return r
}

// perform is an activity: it begins, has its effect, and ends, and anything may
// happen in between.
func (p *process) perform(ctx context.Context, j job) (string, error) {
	call := engine.CallOf(ctx)
	what := fmt.Sprintf("activity %s %d of %s", call.Name, call.Task, call.Instance)
	if err := p.w.reach(ctx, &point{who: p, what: what + " begins"}); err != nil {
		return "", err
	}
	result := p.w.monitor.effect(call, j)
	if err := p.w.reach(context.WithoutCancel(ctx), &point{who: p, what: what + " ends"}); err != nil {
		return "", err
	}
	rewound := call.Origin != call.Execution
	if j.Fails && !(j.Heals && rewound) {
		return "", kinded("refused")
	}
	return result, nil
}
