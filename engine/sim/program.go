package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// program is an orchestration as data: one function plays it in the engine, and
// the oracle works out by itself what must come of it.
type program struct {
	// Tag is different for every start.
	Tag string `json:"tag"`
	Ops []op   `json:"ops"`
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
}

// verb is what a step does.
type verb string

const (
	doWork   verb = "work"   // call an activity
	doCharge verb = "charge" // call one that runs at most once
	doTimer  verb = "timer"
	doEvent  verb = "event"
	doAwait  verb = "await"
	doAny    verb = "any"
	doAll    verb = "all"
	doCancel verb = "cancel"
	doStatus verb = "status"
	doNow    verb = "now"
	doFail   verb = "fail"
	doPanic  verb = "panic"
)

// job is an activity's input.
type job struct {
	What  string `json:"what"`
	Fails bool   `json:"fails,omitempty"`
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
	text  *engine.Task[string] // nil for a timer
	timer *engine.Timer
}

// await returns what the task returned, or its error in a word.
func (s started) await() string {
	if s.timer != nil {
		_, err := s.timer.Await()
		return verdict("fired", err)
	}
	text, err := s.text.Await()
	return verdict(text, err)
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
	return "error: " + err.Error()
}

// playProgram is the orchestration.
func playProgram(ctx *engine.Context, p program) (trace []string, err error) {
	var tasks []started
	text := func(t *engine.Task[string]) { tasks = append(tasks, started{Awaitable: t, text: t}) }
	for at := 0; at < len(p.Ops); at++ {
		o := p.Ops[at].among(len(tasks))
		of := make([]engine.Awaitable, len(o.Of))
		for i, n := range o.Of {
			of[i] = tasks[n].Awaitable
		}
		switch o.Do {
		case doWork:
			text(engine.CallActivity(ctx, work, *o.Job, o.callOptions(ctx)...))
		case doCharge:
			text(engine.CallActivity(ctx, charge, *o.Job, o.callOptions(ctx)...))
		case doTimer:
			t := ctx.CreateTimer(ctx.Now().Add(seconds(o.Seconds)))
			tasks = append(tasks, started{Awaitable: t, timer: t})
		case doEvent:
			text(engine.WaitForExternalEvent(ctx, engine.Event[string](o.Name), o.waitOptions(ctx)...))
		case doAwait:
			trace = append(trace, tasks[o.Of[0]].await())
		case doAny:
			winner := engine.Select(ctx, of...)
			if winner != of[0] {
				at += o.Skip
			}
			trace = append(trace, "won by "+strconv.Itoa(o.Of[slices.Index(of, winner)]))
		case doAll:
			engine.WhenAllDone(ctx, of...).Await()
			for _, n := range o.Of {
				trace = append(trace, tasks[n].await())
			}
		case doCancel:
			tasks[o.Of[0]].Cancel()
		case doStatus:
			if err := ctx.SetCustomStatus(len(trace)); err != nil {
				return trace, err
			}
		case doNow:
			trace = append(trace, ctx.Now().Format(time.RFC3339Nano))
		case doFail:
			return trace, kinded(o.Name)
		case doPanic:
			panic(o.Name)
		}
	}
	return trace, nil
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

func (o op) callOptions(ctx *engine.Context) (options []engine.CallOption) {
	if o.Tries > 0 {
		options = append(options, engine.RetryPolicy{MaxAttempts: o.Tries, InitialRetryInterval: retryPause})
	}
	if o.Seconds > 0 {
		options = append(options, engine.Until(ctx.Now().Add(seconds(o.Seconds))))
	}
	return options
}

func (o op) waitOptions(ctx *engine.Context) (options []engine.WaitOption) {
	if o.Seconds > 0 {
		options = append(options, engine.Until(ctx.Now().Add(seconds(o.Seconds))))
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
	if j.Fails {
		return "", kinded("refused")
	}
	return result, nil
}
