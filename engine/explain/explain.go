package explain

import (
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Explanation is why an instance is where it is. Times are UTC.
type Explanation struct {
	Instance string `json:"instanceId"`
	Name     string `json:"name"`
	Version  string `json:"version,omitempty"`
	Status   string `json:"runtimeStatus"`
	// Sentence says it in one sentence.
	Sentence string `json:"sentence"`
	// Begins is when it is to begin, if that was put off and it has not begun.
	Begins time.Time `json:"begins,omitzero"`
	// Suspended tells of the suspension under way.
	Suspended *Suspended `json:"suspended,omitempty"`
	// Fault tells why it is parked: something that its history cannot tell went
	// wrong with it again and again. Its status is Suspended then.
	Fault *Fault `json:"fault,omitempty"`
	// TurnTries is how often its next turn was begun by workers that went away in
	// the midst of it, as far as they took note of it.
	TurnTries int `json:"turnTries,omitempty"`
	// Waits are the external events that are waited for; of very many not all,
	// which MoreWaits says.
	Waits     []Wait `json:"waits,omitempty"`
	MoreWaits bool   `json:"moreWaits,omitempty"`
	// Calls are the activities and sub-orchestrations that have not answered.
	// Of a sub-orchestration that was given up nothing is written down, so it is
	// among them until it ends. They are 64 at most; MoreCalls is how many there
	// are besides.
	Calls     []Call `json:"calls,omitempty"`
	MoreCalls int    `json:"moreCalls,omitempty"`
	// Timer is when the earliest timer fires, deadlines and the pauses between
	// attempts among them; zero if there is none.
	Timer time.Time `json:"timer,omitzero"`
	// PausedAfter is the call whose failure led to that timer: a pause before
	// the next attempt, as a retry policy or the code makes one.
	PausedAfter *FailedCall `json:"pausedAfter,omitempty"`
	// Unattended tells of a turn that is due and was not made.
	Unattended *Unattended `json:"unattended,omitempty"`
	// Kept are events that had no effect so far, and why; MoreKept is how many
	// there are besides.
	Kept     []Kept `json:"kept,omitempty"`
	MoreKept int    `json:"moreKept,omitempty"`
	// NotTaken are the latest events that had no effect, or failed the
	// condition of a wait; 20 at most.
	NotTaken []NotTaken `json:"notTaken,omitempty"`
	// Failure tells what failed.
	Failure *Failure `json:"failure,omitempty"`
	// Parent is who waits for its end, if it serves as a sub-orchestration.
	Parent *Parent `json:"parent,omitempty"`
	// Owes says that it has ended and what it sent is not known to have arrived.
	// Until it has, it cannot be purged or begun anew.
	Owes bool `json:"owes,omitempty"`
	// Advice says what can be done where no action alone helps.
	Advice string `json:"advice,omitempty"`
	// Actions are what can be done from outside, the most useful first.
	Actions []Action `json:"actions,omitempty"`
}

// Suspended tells of a suspension.
type Suspended struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
}

// Fault tells why an instance is parked.
type Fault struct {
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
	// Messages is how many messages wait until it is resumed.
	Messages int `json:"messages,omitempty"`
}

// Wait is an external event that is waited for.
type Wait struct {
	history.Wait
	// TriesLeft is how many events may still be tried; nil is no limit.
	TriesLeft *int `json:"triesLeft,omitempty"`
	// Over says that the deadline has passed, and no turn was made since or the
	// instance is suspended.
	Over bool `json:"over,omitempty"`
}

// Call is an activity or a sub-orchestration that was called and has not
// answered.
type Call struct {
	Name string `json:"name"`
	// Instance is the sub-orchestration's; empty for an activity.
	Instance string    `json:"instanceId,omitempty"`
	Since    time.Time `json:"since"`
	// Attempt counts the attempts of a call that is made again when it fails.
	Attempt int `json:"attempt"`
	// Tries is how often it was begun by workers that went away in the midst of
	// it, as far as they took note of it.
	Tries int `json:"tries,omitempty"`
}

// Unattended tells of a turn that is due and was not made.
type Unattended struct {
	// Messages is how many messages wait for it, Since when a timer was due;
	// zero for none.
	Messages int       `json:"messages,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	// Reason says why the worker of whoever explains leaves it to others; empty
	// if it does not, or there is none.
	Reason string `json:"reason,omitempty"`
}

// Kept are the events of one name that had no effect so far.
type Kept struct {
	history.KeptEvents
	// Meant is the name that they were probably meant for; it may be empty.
	Meant string `json:"meant,omitempty"`
	// Reason says why they are kept.
	Reason string `json:"reason"`
}

// NotTaken is an event that had no effect, or failed the condition of a wait.
type NotTaken struct {
	Event   string          `json:"event"`
	At      time.Time       `json:"at"`
	Outcome history.Outcome `json:"outcome"`
	Reason  string          `json:"reason,omitempty"`
}

// Parent is an instance that called another as a sub-orchestration.
type Parent struct {
	Name     string `json:"name"`
	Instance string `json:"instanceId"`
}

// Failure tells what failed.
type Failure struct {
	Kind    string    `json:"kind"`
	Message string    `json:"message"`
	At      time.Time `json:"at"`
	// Call is the call that failed last before, if none succeeded since.
	Call *FailedCall `json:"call,omitempty"`
}

// FailedCall is a call that failed.
type FailedCall struct {
	Name string `json:"name"`
	// Instance is the sub-orchestration's; empty for an activity.
	Instance string    `json:"instanceId,omitempty"`
	At       time.Time `json:"at"`
	Attempt  int       `json:"attempt"`
	Kind     string    `json:"kind"`
	Message  string    `json:"message,omitempty"`
}

// Options say how an instance is explained. The zero value works.
type Options struct {
	// Now is the time as which the instance is looked at.
	Now time.Time
	// Runs returns why the worker of whoever explains leaves an orchestration
	// of a version to others, as dispatch.Worker.Runs does; nil if nothing is
	// known of a worker.
	Runs func(orchestration, version string) error
	// Discreet leaves out what people and code said for those who may read the
	// history: the reasons of suspensions, of faults and of events that were not
	// taken, and the messages of calls that failed.
	Discreet bool
}

// Of explains an instance by its row and history.
func Of(in store.Instance, past []history.Event, o Options) Explanation {
	if o.Discreet {
		past = discreet(past)
	}
	e := Explanation{
		Instance: in.ID, Name: in.Name, Version: in.CodeVersion, Status: in.Status.String(),
		Waits: waits(in.External, o.Now), MoreWaits: in.External.More,
		Kept: kept(in.External), MoreKept: in.External.MoreKept, NotTaken: notTaken(past),
	}
	if in.Parent != nil {
		e.Parent = &Parent{in.Parent.Name, in.Parent.Instance}
	}
	e.Owes = in.Status.IsTerminal() && in.Owes()
	switch {
	case in.Failure != nil:
		e.Failure = &Failure{Kind: in.Failure.Kind, Message: in.Failure.Message, At: in.Completed, Call: lastFailed(past)}
	case !in.Status.IsTerminal():
		e.running(&in, past, o)
	}
	e.Sentence = printable(sentence(&e, &in))
	e.Advice = advice(&e, &in)
	e.Actions = actions(&e, &in)
	return e
}

// running finds what an instance that has not ended waits for besides events.
func (e *Explanation) running(in *store.Instance, past []history.Event, o Options) {
	e.Timer, e.Calls = in.Wake.UTC(), calls(in, past)
	e.MoreCalls = max(0, len(e.Calls)-maxCalls)
	e.Calls = e.Calls[:len(e.Calls)-e.MoreCalls]
	if in.Status == history.Pending || isPutOff(past, in.Wake) {
		e.Begins, e.Timer = e.Timer, time.Time{}
	}
	e.Fault, e.TurnTries = fault(in, o.Discreet), in.TurnTries
	if e.Suspended = suspension(in, past); e.Suspended != nil {
		e.Kept = append(e.Kept, heldBack(past)...)
	}
	e.PausedAfter = pausedAfter(past, in.Wake)
	if isDue(e, in, o.Now) {
		e.Unattended = unattended(in, o)
	}
}

// isDue reports whether a turn could be made that was not.
func isDue(e *Explanation, in *store.Instance, now time.Time) bool {
	if in.Fault != nil {
		return false
	}
	overdue := !in.Wake.IsZero() && !in.Wake.After(now)
	idle := len(e.Waits) == 0 && len(e.Calls) == 0 && in.Wake.IsZero() && e.Suspended == nil
	return in.Messages > 0 || overdue || idle
}

func unattended(in *store.Instance, o Options) *Unattended {
	u := &Unattended{Messages: in.Messages}
	if !in.Wake.IsZero() && !in.Wake.After(o.Now) {
		u.Since = in.Wake.UTC()
	}
	if o.Runs != nil {
		if err := o.Runs(in.Name, in.CodeVersion); err != nil {
			u.Reason = err.Error()
		}
	}
	return u
}
