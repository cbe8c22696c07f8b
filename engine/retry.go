package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// RetryPolicy is a [CallOption] and a [ChildOption] that makes a call again when it failed. Each
// attempt is an action of its own, with the input of the first, and each pause
// between two is a durable timer, so neither a restart nor a week's pause costs
// an attempt. When no attempt is left, the task fails with the last one's
// [TaskError].
//
// A failure that its activity marked with [NonRetriable] is not tried again. Where the
// error of an activity has a method RetryAfter, as one may have that was told when to
// come again, the pause is at least that long, within MaxRetryInterval.
type RetryPolicy struct {
	// MaxAttempts is how often the call is made at most, the first time
	// included; 3.
	MaxAttempts int
	// InitialRetryInterval is the pause before the second attempt; 1 second.
	InitialRetryInterval time.Duration
	// BackoffCoefficient is what one pause is multiplied with to make the
	// next; 1. It may not be less than 1.
	BackoffCoefficient float64
	// MaxRetryInterval is the longest pause; zero is no limit. (The six days
	// of Durable Functions are a limit of its timers, which ours don't have.)
	MaxRetryInterval time.Duration
	// RetryTimeout ends the attempts: none begins that much later than the
	// first was asked for. Zero is no limit. It doesn't cut an attempt short;
	// AttemptTimeout and [Until] do.
	RetryTimeout time.Duration
	// AttemptTimeout ends each attempt that has no result so much later than it
	// was asked for: with ErrTimeout, which is a failure like others. The
	// activity is told to stop, but may have taken effect; a sub-orchestration
	// goes on. Zero is no limit.
	AttemptTimeout time.Duration
	// Handle reports whether a failure is worth another attempt. It must be
	// pure, as it is asked again at every replay: the same error must always
	// get the same answer. nil stands for all failures but [ErrInterrupted],
	// as nobody knows whether the effect of that call took place.
	Handle func(error) bool
}

func (p RetryPolicy) setCall(o *callOptions)   { o.retry = &p }
func (p RetryPolicy) setChild(o *childOptions) { o.retry = &p }

// check returns what is wrong with the policy.
func (p *RetryPolicy) check() error {
	switch {
	case p.MaxAttempts < 0:
		return fmt.Errorf("retry policy: MaxAttempts is %d, which is less than one", p.MaxAttempts)
	case p.InitialRetryInterval < 0, p.MaxRetryInterval < 0, p.RetryTimeout < 0, p.AttemptTimeout < 0:
		return errors.New("retry policy: an interval or time-out is negative")
	case p.BackoffCoefficient != 0 && !(p.BackoffCoefficient >= 1):
		return fmt.Errorf("retry policy: BackoffCoefficient is %v, which is less than 1", p.BackoffCoefficient)
	}
	return nil
}

// wants reports whether a call that failed n times, at last like this, may be made
// again.
func (p *RetryPolicy) wants(n int, err error) bool {
	most := p.MaxAttempts
	if most == 0 {
		most = 3
	}
	var failure *TaskError
	switch {
	case n >= most || errors.As(err, &failure) && failure.Failure.NonRetriable:
		return false
	case p.Handle != nil:
		return p.Handle(err)
	default:
		return !errors.Is(err, ErrInterrupted)
	}
}

// longest is a pause that no instance outlives, and that time can count.
const longest = 100 * 365 * 24 * time.Hour

// pause returns how long to wait after n failed attempts, at least as long as was asked
// for.
func (p *RetryPolicy) pause(n int, asked time.Duration) time.Duration {
	pause, most := p.InitialRetryInterval, p.MaxRetryInterval
	if pause == 0 {
		pause = time.Second
	}
	if most == 0 {
		most = longest
	}
	exact := float64(pause)
	for i := 1; i < n && p.BackoffCoefficient > 1 && exact < float64(most); i++ {
		exact *= p.BackoffCoefficient
	}
	return min(max(time.Duration(min(exact, float64(most))), asked), most)
}

// retrial is a call with a policy, under way.
type retrial struct {
	x       *Execution
	policy  RetryPolicy
	begin   attempt
	first   int32     // the number of the first attempt's action
	since   time.Time // when it was asked for
	n       int32     // attempts so far
	current *task     // the attempt, or the pause after it
	outcome *task
}

// retry returns the outcome of a call that is made again as the policy says.
// The first attempt is given.
func (x *Execution) retry(p RetryPolicy, t *task, first int32, begin attempt) *task {
	r := &retrial{x: x, policy: p, begin: begin, first: first, since: x.now, n: 1, outcome: x.newTask(nil)}
	r.outcome.forget = func() {
		current := r.current
		r.current = nil
		current.Cancel()
	}
	r.try(t)
	return r.outcome
}

// try follows an attempt, which has its time.
func (r *retrial) try(t *task) {
	if r.policy.AttemptTimeout > 0 {
		r.x.limit(t, r.x.now.Add(r.policy.AttemptTimeout))
	}
	r.follow(t, r.judge)
}

// follow goes on with f when t is done, unless the call was given up.
func (r *retrial) follow(t *task, f func(*task)) {
	r.current = t
	t.whenDone(func() {
		if r.current == t {
			r.x.aside(func() { f(t) })
		}
	})
}

// judge ends the call with an attempt's outcome, or begins the pause before the
// next.
func (r *retrial) judge(t *task) {
	var failure *TaskError
	var asked time.Duration
	failed := errors.As(t.err, &failure)
	if failed {
		failure.Attempts, asked = int(r.n), failure.RetryAfter()
	}
	if failed || errors.Is(t.err, ErrTimeout) {
		pause := r.policy.pause(int(r.n), asked)
		late := r.policy.RetryTimeout != 0 && r.x.now.Add(pause).Sub(r.since) > r.policy.RetryTimeout
		if !late && r.policy.wants(int(r.n), t.err) {
			r.follow(r.x.timer(r.x.now.Add(pause)), r.again)
			return
		}
	}
	r.outcome.settle(t.result, t.err)
}

// again makes the next attempt.
func (r *retrial) again(*task) {
	r.n++
	t, _ := r.begin(r.n, r.first)
	r.try(t)
}

// aside runs f, which may ask for actions, while the orchestration's own code
// rests. Whatever goes wrong in it ends the execution as if it had happened
// there.
func (x *Execution) aside(f func()) {
	if x.ended || x.leaving {
		return
	}
	defer func() {
		p := recover()
		if _, ok := p.(unwinding); !ok && p != nil {
			x.end(history.Failed, nil, panicFailure(p))
		}
	}()
	f()
}
