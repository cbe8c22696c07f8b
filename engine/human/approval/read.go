package approval

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// ErrNoRequest is returned by Read for the history of something else.
var ErrNoRequest = errors.New("this is not an approval")

// Standing is a request as it stands, as the history of its instance tells.
type Standing struct {
	Request Request
	// Execution is the run, or the one by whose ids it goes.
	Execution string
	// Digest is that of what people are shown.
	Digest string
	State  *State
	// Links are those that were made for the present revision.
	Links []Issued
}

// Read returns how a request stands at a time, from the history of an instance
// whose orchestration is [Decide]. It makes the same steps as that did, and those
// that are due by then. It returns ErrNoRequest.
func Read(past []history.Event, at time.Time) (*Standing, error) {
	r := &reader{calls: map[int32]string{}}
	for i := range past {
		if err := r.read(&past[i]); err != nil {
			return nil, err
		}
	}
	if r.standing == nil {
		return nil, ErrNoRequest
	}
	r.standing.State.Advance(at)
	return r.standing, nil
}

// reader follows a history.
type reader struct {
	standing *Standing
	now      time.Time
	calls    map[int32]string // the activities by the number of the call
	early    []Decision       // those that came while a stage was being prepared
}

func (r *reader) read(e *history.Event) error {
	switch e.Kind {
	case history.ExecutionStarted:
		return r.begin(e)
	case history.OrchestratorStarted:
		r.now = e.Time
	case history.TaskScheduled:
		r.calls[e.ID] = e.Name
	case history.TaskCompleted:
		return r.finish(r.calls[e.TaskID], e.Result)
	case history.TimerFired:
		if r.standing != nil {
			r.standing.State.Advance(e.FireAt)
		}
	case history.EventRaised:
		if e.Name == string(ApprovalDecision) && (e.Verdict == nil || !e.Verdict.Refused() && e.Verdict.Outcome != history.Rejected) {
			r.hear(e)
		}
	}
	return nil
}

// begin reads the request that a run was begun with.
func (r *reader) begin(e *history.Event) error {
	var request Request
	if json.Unmarshal(e.Input, &request) != nil || request.check(false) != nil {
		return ErrNoRequest
	}
	*r = reader{calls: r.calls, standing: &Standing{
		Request: request, Execution: cmp.Or(e.Origin, e.Execution), Digest: request.Digest(), State: NewState(&request.Policy, request.Requester),
	}}
	return nil
}

// finish takes the result of an activity.
func (r *reader) finish(activity string, result json.RawMessage) error {
	if r.standing == nil {
		return ErrNoRequest
	}
	switch activity {
	case string(ApprovalPlan):
		var schedule Schedule
		if err := json.Unmarshal(result, &schedule); err != nil {
			return fmt.Errorf("read the schedule of a stage: %w", err)
		}
		if _, ok := r.standing.State.ToOpen(); ok {
			r.standing.State.Open(schedule)
		}
		r.catchUp()
	case string(ApprovalLinks):
		var issued []Issued
		if err := json.Unmarshal(result, &issued); err != nil {
			return fmt.Errorf("read the links of a stage: %w", err)
		}
		r.standing.Links = append(r.standing.Links, issued...)
	}
	return nil
}

// hear takes a decision.
func (r *reader) hear(e *history.Event) {
	var d Decision
	if r.standing == nil || json.Unmarshal(e.Input, &d) != nil {
		return
	}
	r.early = append(r.early, d)
	r.catchUp()
}

// catchUp puts the decisions to the request that came so far. One that it refuses,
// as it did then, has no effect.
func (r *reader) catchUp() {
	for len(r.early) > 0 {
		next, _, waits := r.standing.State.Next()
		if !waits {
			return
		}
		d := r.early[0]
		r.early = r.early[1:]
		if r.standing.Request.refuses(d, r.standing.Execution) == nil {
			_, _ = r.standing.State.Apply(d, earliest(r.now, next))
		}
	}
}

// Refuses says why a decision has no effect on the request as it stands; nil if it
// has one.
func (s *Standing) Refuses(d Decision) *Refusal {
	if s.State.Outcome() == "" || d.Verb == Change {
		if r := s.Request.refuses(d, s.Execution); r != nil {
			return r
		}
	}
	return s.State.Refuses(d)
}
