package approval

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// ApprovalDecision brings a decision. Whoever raises it vouches for By and Via: it
// is for the door behind which people are known, and not for one that is open to
// the people who decide.
const ApprovalDecision engine.Event[Decision] = "ApprovalDecision"

// Ending is the result of an approval.
type Ending struct {
	Outcome Outcome `json:"outcome"`
	// Stages are those that came to an end, in order.
	Stages []Result `json:"stages"`
	// Decisions are all that were taken, in order.
	Decisions []Record `json:"decisions"`
	// Unsent are the notices that could not be sent.
	Unsent []Effect `json:"unsent,omitempty"`
	// Revision is how often the request was changed before, and Earlier are the
	// decisions on what it was then.
	Revision int      `json:"revision,omitempty"`
	Earlier  []Record `json:"earlier,omitempty"`
}

// Waiting is the custom status while an answer is awaited, and after that, with
// nothing but the Outcome, while the last notices are being sent.
type Waiting struct {
	Stage string `json:"stage,omitempty"`
	// WaitingFor are the ids of those who are to answer, at most MaxShown.
	WaitingFor []string `json:"waitingFor,omitempty"`
	// More is how many others there are.
	More  int       `json:"more,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Next is what happens at NextAt if nobody decides before: remind,
	// escalate, or what silence amounts to.
	Next   string    `json:"next,omitempty"`
	NextAt time.Time `json:"nextAt,omitzero"`
	// Outcome is how it ended.
	Outcome Outcome `json:"outcome,omitempty"`
}

// MaxShown is how many people a status names.
const MaxShown = 20

// Decide lets people decide on the request as its policy says and returns how it
// ended. It is an orchestration whose input is the request; the activities are
// registered by [AddApprovals].
//
// Decisions come as [ApprovalDecision]. Each is put to the request in the turn
// that records it, so of those that come at the same time one is the first; the
// others, when they ask for an answer, are told who decided and when. After a
// change of the request it continues as new, and the links that were given out
// are void.
func Decide(ctx *engine.Context, r Request) (Ending, error) {
	if err := r.check(false); err != nil {
		return Ending{}, err
	}
	f := &flow{ctx: ctx, request: r, digest: r.Digest(), state: NewState(&r.Policy, r.Requester)}
	for f.state.Outcome() == "" {
		if err := f.step(); err != nil {
			return Ending{}, err
		}
	}
	if f.state.Outcome() == Changed {
		return Ending{}, ctx.ContinueAsNew(f.next())
	}
	if err := ctx.SetCustomStatus(Waiting{Outcome: f.state.Outcome()}); err != nil {
		return Ending{}, err
	}
	ending := Ending{
		Outcome: f.state.Outcome(), Stages: f.state.Results(), Decisions: append([]Record{}, f.state.Records()...), Unsent: f.unsent(),
		Revision: r.Revision, Earlier: r.Earlier,
	}
	return ending, ctx.SetCustomStatus(nil)
}

// flow is an approval on its way.
type flow struct {
	ctx     *engine.Context
	request Request
	digest  string
	state   *State
	change  *Content // what the request is to be instead
	links   []Issued // those that were made, for the whole request
	notices []notice
}

// notice is one that is being sent.
type notice struct {
	effect Effect
	sent   *engine.Task[struct{}]
}

// next returns the request that follows after a change.
func (f *flow) next() Request {
	next := f.request
	next.Content, next.Revision = *f.change, next.Revision+1
	next.Replaced, next.Earlier = slices.Clone(next.Replaced), slices.Concat(next.Earlier, f.state.Records())
	next.Before = slices.Concat(next.Before, []Content{f.request.Content})
	for _, l := range f.links {
		next.Replaced = append(next.Replaced, l.Page)
	}
	return next
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
// a replay, and begins it. Links are made meanwhile for all who may be asked.
func (f *flow) open(stage int) error {
	policy := &f.request.Policy
	of := &policy.Stages[stage]
	timing := Timing{Stage: of.spans(), Calendar: policy.calendar(stage), Opened: f.ctx.Now()}
	planned := engine.CallActivity(f.ctx, ApprovalPlan, timing)
	made := f.makeLinks(f.state.eligible(of.everybody()))
	schedule, err := planned.Await()
	if err == nil {
		err = f.keepLinks(made)
	}
	if err != nil {
		return err
	}
	f.notify(f.state.Open(schedule))
	return nil
}

// makeLinks has links made for people in the present stage, and at first one for
// the requester.
func (f *flow) makeLinks(ids []string) *engine.Task[[]Issued] {
	questions := Questions{Digest: f.digest}
	if len(f.links) == 0 {
		questions.Of = append(questions.Of, Asked{To: f.state.requester})
	}
	for _, id := range ids {
		questions.Of = append(questions.Of, Asked{To: id, Stage: f.state.Stage()})
	}
	return engine.CallActivity(f.ctx, ApprovalLinks, questions)
}

func (f *flow) keepLinks(made *engine.Task[[]Issued]) error {
	issued, err := made.Await()
	f.links = append(f.links, issued...)
	return err
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
	var taken Decision
	var effects []Effect
	answer := engine.WaitForExternalEvent(f.ctx, ApprovalDecision,
		engine.From(strings.Join(f.state.Waiting(), ", ")),
		engine.Until(due, fmt.Sprintf("the policy %q, stage %q", f.request.Policy.Name, f.state.Stage())), engine.Then(next, f.state.inWords(what)),
		engine.Check(func(d Decision) (err error) {
			taken = d
			effects, err = f.judge(d, next)
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
	return f.follow(taken, effects)
}

// judge puts a decision to the request; next is when something happens by itself.
func (f *flow) judge(d Decision, next time.Time) ([]Effect, error) {
	if r := f.request.refuses(d, f.ctx.ExecutionID()); r != nil {
		return nil, r
	}
	return f.state.Apply(d, f.arrived(next))
}

// follow does what a decision leads to.
func (f *flow) follow(d Decision, effects []Effect) error {
	switch d.Verb {
	case Change:
		f.change = d.Content
	case Delegate:
		if err := f.keepLinks(f.makeLinks([]string{key(d.To)})); err != nil {
			return err
		}
	}
	f.notify(effects)
	return nil
}

// arrived returns when a decision came, as far as is known: at the time of the
// turn, but before what is due next, as the engine has put them in order.
func (f *flow) arrived(next time.Time) time.Time { return earliest(f.ctx.Now(), next) }

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
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

// patience is how a notice is sent again that could not be. A question is, while it is
// asked.
var patience = engine.RetryPolicy{MaxAttempts: 6, InitialRetryInterval: 10 * time.Second, BackoffCoefficient: 3, MaxRetryInterval: 15 * time.Minute}

// lastWords are how long it is tried to tell somebody that no answer is wanted, and the
// requester how it ended, as the ending waits for that: their links say so, too.
var lastWords = map[EffectKind]time.Duration{Withdraw: 2 * time.Minute, Tell: 20 * time.Minute}

// notify begins to tell people, without waiting: an answer may come before the
// last was told. Who is told that no answer is wanted is not asked any more.
func (f *flow) notify(effects []Effect) {
	for _, e := range effects {
		if e.Kind == Withdraw {
			f.hush(e.To)
		}
		policy := patience
		policy.RetryTimeout = lastWords[e.Kind]
		sent := engine.CallActivity(f.ctx, ApprovalNotify, f.noticeOf(e), policy)
		f.notices = append(f.notices, notice{e, sent})
	}
}

func (f *flow) noticeOf(e Effect) Notice {
	return Notice{
		Effect: e, Requester: f.request.Requester, Title: f.request.Content.Title, Revision: f.request.Revision,
		Digest: f.digest, Contact: f.request.Policy.Contact(e.To),
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
