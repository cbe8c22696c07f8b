package approval

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// The names under which approvals are known.
const (
	// ApprovalDecision brings a decision. Whoever raises it vouches for By: it
	// is for the door behind which people are known, and not for one that is
	// open to the people who decide.
	ApprovalDecision engine.Event[Decision] = "ApprovalDecision"
	// ApprovalPlan plans a stage.
	ApprovalPlan engine.Activity[Timing, Schedule] = "ApprovalPlan"
	// ApprovalNotify tells a person something.
	ApprovalNotify engine.Activity[Notice, struct{}] = "ApprovalNotify"
)

// Request is the input of an approval. The policy is a part of it, so a change of
// policies does not reach what is running.
type Request struct {
	Policy Policy `json:"policy"`
	// Requester is the id of who wants something.
	Requester string `json:"requester"`
	// Title says what, in a line.
	Title string `json:"title"`
}

// ErrRequest is returned by Decide for a request without a requester or a title.
var ErrRequest = errors.New("the request is not complete")

// Check returns ErrRequest or ErrPolicy with what is wrong with the request.
func (r *Request) Check() error { return r.check(true) }

func (r *Request) check(zones bool) error {
	c := checks{}
	c.person("requester", r.Requester)
	c.name("title", r.Title)
	if len(c.problems) > 0 {
		return fmt.Errorf("%w: %w", ErrRequest, errors.Join(c.problems...))
	}
	return r.Policy.check(zones)
}

// Ending is the result of an approval.
type Ending struct {
	Outcome Outcome `json:"outcome"`
	// Stages are those that came to an end, in order.
	Stages []Result `json:"stages"`
	// Decisions are all that were taken, in order.
	Decisions []Record `json:"decisions"`
	// Unsent are the notices that could not be sent.
	Unsent []Effect `json:"unsent,omitempty"`
}

// Waiting is the custom status while an answer is awaited.
type Waiting struct {
	Stage string `json:"stage"`
	// WaitingFor are the ids of those who are to answer, at most MaxShown.
	WaitingFor []string `json:"waitingFor"`
	// More is how many others there are.
	More  int       `json:"more,omitempty"`
	Until time.Time `json:"until"`
	// Next is what happens at NextAt if nobody decides before: remind,
	// escalate, or what silence amounts to.
	Next   string    `json:"next"`
	NextAt time.Time `json:"nextAt"`
}

// MaxShown is how many people a status names.
const MaxShown = 20

// Timing is what the schedule of a stage is made from.
type Timing struct {
	Stage    Stage     `json:"stage"` // its spans only
	Calendar *Calendar `json:"calendar,omitempty"`
	Opened   time.Time `json:"opened"`
}

// Notice is something to tell a person about a request.
type Notice struct {
	Effect
	Requester string `json:"requester"`
	Title     string `json:"title"`
}

// Notifier tells people. What it is given may come more than once, after a crash
// or a failure: the context holds the engine's Call, whose Key is the same then.
type Notifier interface {
	Notify(ctx context.Context, n Notice) error
}

// AddApprovals registers the activities of Decide.
func AddApprovals(r *engine.Registry, n Notifier) {
	engine.AddActivity(r, ApprovalPlan, func(_ context.Context, t Timing) (Schedule, error) {
		return Plan(&Policy{Stages: []Stage{t.Stage}, Calendar: t.Calendar}, 0, t.Opened)
	})
	engine.AddActivity(r, ApprovalNotify, func(ctx context.Context, notice Notice) (struct{}, error) {
		return struct{}{}, n.Notify(ctx, notice)
	})
}

// Decide lets people decide on the request as its policy says and returns how it
// ended. It is an orchestration, or a part of one; the activities are registered
// by [AddApprovals].
//
// Decisions come as [ApprovalDecision]. Each is put to the request in the turn
// that records it, so of those that come at the same time one is the first; the
// others, when they ask for an answer, are told who decided and when.
func Decide(ctx *engine.Context, r Request) (Ending, error) {
	if err := r.check(false); err != nil {
		return Ending{}, err
	}
	f := &flow{ctx: ctx, request: r, state: NewState(&r.Policy, r.Requester)}
	for f.state.Outcome() == "" {
		if err := f.step(); err != nil {
			return Ending{}, err
		}
	}
	ending := Ending{Outcome: f.state.Outcome(), Stages: f.state.Results(), Decisions: f.state.Records(), Unsent: f.unsent()}
	return ending, ctx.SetCustomStatus(nil)
}

// flow is an approval on its way.
type flow struct {
	ctx     *engine.Context
	request Request
	state   *State
	notices []notice
}

// notice is one that is being sent.
type notice struct {
	effect Effect
	sent   *engine.Task[struct{}]
}

// step begins a stage, or waits for the next thing to happen.
func (f *flow) step() error {
	if stage, ok := f.state.ToOpen(); ok {
		return f.open(stage)
	}
	if err := f.show(); err != nil {
		return err
	}
	return f.wait()
}

// open plans a stage, by an activity as the rules of time zones may be others at
// a replay, and begins it.
func (f *flow) open(stage int) error {
	policy := &f.request.Policy
	timing := Timing{Stage: policy.Stages[stage].spans(), Calendar: policy.calendar(stage), Opened: f.ctx.Now()}
	schedule, err := engine.CallActivity(f.ctx, ApprovalPlan, timing).Await()
	if err != nil {
		return err
	}
	f.notify(f.state.Open(schedule))
	return nil
}

// spans returns the stage without its people.
func (s *Stage) spans() Stage {
	spans := Stage{Name: s.Name, Deadline: s.Deadline, Remind: s.Remind}
	for _, rung := range s.Escalate {
		spans.Escalate = append(spans.Escalate, Rung{After: rung.After})
	}
	return spans
}

// wait lets the first of these happen: a decision is taken, a reminder or an
// escalation is due, or the deadline comes.
func (f *flow) wait() error {
	next, what, _ := f.state.Next()
	due := f.state.Schedule().Due
	var effects []Effect
	answer := engine.WaitForExternalEvent(f.ctx, ApprovalDecision,
		engine.From(strings.Join(f.state.Waiting(), ", ")),
		engine.Until(due, fmt.Sprintf("the policy %q, stage %q", f.request.Policy.Name, f.state.Stage())), engine.Then(next, f.state.inWords(what)),
		engine.Check(func(d Decision) (err error) {
			effects, err = f.state.Apply(d, f.arrived(next))
			return err
		}))
	if next.Before(due) {
		timer := f.ctx.CreateTimer(next)
		if engine.Select(f.ctx, answer, timer) == timer {
			answer.Cancel()
			f.notify(f.state.Advance(next))
			return nil
		}
		timer.Cancel()
	}
	_, err := answer.Await()
	switch {
	case errors.Is(err, engine.ErrTimeout):
		f.notify(f.state.Advance(due))
		return nil
	case err != nil:
		return err
	}
	f.notify(effects)
	return nil
}

// arrived returns when a decision came, as far as is known: at the time of the
// turn, but before what is due next, as the engine has put them in order.
func (f *flow) arrived(next time.Time) time.Time {
	if now := f.ctx.Now(); now.Before(next) {
		return now
	}
	return next
}

// show sets the custom status.
func (f *flow) show() error {
	next, what, _ := f.state.Next()
	w := Waiting{Stage: f.state.Stage(), WaitingFor: f.state.Waiting(), Until: f.state.Schedule().Due, Next: what, NextAt: next}
	if most := len(w.WaitingFor); most > MaxShown {
		w.WaitingFor, w.More = w.WaitingFor[:MaxShown], most-MaxShown
	}
	return f.ctx.SetCustomStatus(w)
}

// patience is how a notice is sent again that could not be.
var patience = engine.RetryPolicy{MaxAttempts: 6, InitialRetryInterval: 10 * time.Second, BackoffCoefficient: 3, MaxRetryInterval: 15 * time.Minute}

// notify begins to tell people, without waiting: an answer may come before the
// last was told. Who is told that no answer is wanted is not asked any more.
func (f *flow) notify(effects []Effect) {
	for _, e := range effects {
		if e.Kind == Withdraw {
			f.hush(e.To)
		}
		sent := engine.CallActivity(f.ctx, ApprovalNotify, Notice{e, f.request.Requester, f.request.Title}, patience)
		f.notices = append(f.notices, notice{e, sent})
	}
}

// hush gives up what a person is still to be told.
func (f *flow) hush(id string) {
	for _, n := range f.notices {
		if n.effect.To == id {
			n.sent.Cancel()
		}
	}
}

// unsent waits until all notices are sent or given up, and returns those that
// are.
func (f *flow) unsent() (unsent []Effect) {
	for _, n := range f.notices {
		if _, err := n.sent.Await(); err != nil && !errors.Is(err, engine.ErrCanceled) {
			f.ctx.Logger().Warn("a notice could not be sent", "kind", n.effect.Kind, "error", engine.KindOf(err))
			unsent = append(unsent, n.effect)
		}
	}
	return unsent
}
