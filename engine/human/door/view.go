package door

import (
	"context"
	"slices"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/store"
)

// State says what a page is for.
type State string

// The pages that there are.
const (
	Decide      State = "decide"        // the person may answer
	Decided     State = "decided"       // by the person, or by others
	Expired     State = "expired"       // too late
	Recalled    State = "recalled"      // the requester took it back
	Changed     State = "changed"       // the link is for what it was before
	NotYourTurn State = "not-your-turn" // others come first, or the person may not decide
	Locked      State = "locked"        // too many wrong codes
	Stopped     State = "stopped"       // an operator ended it
	Waiting     State = "waiting"       // the requester's, while it is decided
)

// View is what is on a page, and who looks at it.
type View struct {
	*approval.Standing
	State State
	// Text says what is the matter, in a sentence; empty for Decide and Waiting.
	Text string
	// NeedsCode says that an answer takes a code, and Code how that stands.
	NeedsCode bool
	Code      Code

	link     approval.Issued
	instance store.Instance
	record   approval.Record
}

// Person returns the id of whose page it is.
func (v *View) Person() string { return v.link.To }

// Stage returns the stage in which the person is asked; empty for the requester.
func (v *View) Stage() string { return v.link.Stage }

// MayRecall reports whether the page's person may take the request back.
func (v *View) MayRecall() bool {
	return v.Refuses(approval.Decision{By: v.link.To, Verb: approval.TakeBack}) == nil
}

// judge finds out what the page is for.
func (d *Door) judge(ctx context.Context, v *View) error {
	v.State, v.Text = v.stand()
	if v.State != Decide || !v.takesCode(v.link.Stage) {
		return nil
	}
	v.NeedsCode = true
	if d.codes == nil {
		v.State, v.Text = Locked, "This takes a code as well, and no codes can be sent here. Ask an operator."
		return nil
	}
	code, err := d.codes.Look(ctx, v.link.Token)
	if err != nil {
		return err
	}
	if v.Code = code; code.State == CodesOver {
		v.State, v.Text = Locked, "Too many codes were sent, or too many were wrong. Ask who sent you the link."
	}
	return nil
}

// takesCode reports whether an answer in a stage takes a code.
func (v *View) takesCode(stage string) bool {
	return slices.ContainsFunc(v.Request.Policy.Stages, func(s approval.Stage) bool { return s.Name == stage && s.Code })
}

// stand says how the request stands for the person.
func (v *View) stand() (State, string) {
	outcome := v.Standing.State.Outcome()
	if outcome == "" && v.instance.Status.IsTerminal() && v.instance.Status != history.Completed {
		return Stopped, "The request was stopped, and no answer counts any more."
	}
	if v.link.Stage == "" {
		return v.standForRequester(outcome)
	}
	r := v.Refuses(approval.Decision{By: v.link.To, Verb: approval.Approve, Stage: v.link.Stage})
	if r == nil {
		return Decide, ""
	}
	switch r.Reason {
	case approval.BadAnswer:
		return Decide, "" // there is a form to fill in
	case approval.TooLate:
		return Expired, r.Sentence()
	case approval.TakenBack:
		return Recalled, r.Sentence()
	case approval.Stale:
		return Changed, r.Sentence()
	case approval.AlreadyAnswered, approval.AlreadyDecided, approval.HandedOn:
		return Decided, r.Sentence()
	}
	return NotYourTurn, r.Sentence()
}

func (v *View) standForRequester(outcome approval.Outcome) (State, string) {
	results := v.Standing.State.Results()
	switch outcome {
	case "":
		return Waiting, ""
	case approval.Recalled:
		return Recalled, "You took the request back."
	case approval.Changed:
		return Changed, "The request was changed, and is decided anew."
	case approval.Expired, approval.Impossible:
		return Expired, "The request was not decided: " + results[len(results)-1].Why + "."
	}
	end := results[len(results)-1]
	if end.By == "" {
		return Decided, "It was " + string(outcome) + ": " + end.Why + "."
	}
	return Decided, "It was " + string(outcome) + " by " + end.By + "."
}
