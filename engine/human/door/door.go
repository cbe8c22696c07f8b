package door

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/links"
	"github.com/seed21523604/holdfast/engine/store"
)

// The errors of a Door, besides an *[approval.Refusal].
var (
	// ErrNoLink is returned for what opens no page: there is no such request, or
	// the link is not one of it. Which of these it is nobody is told.
	ErrNoLink = errors.New("this link is not good, or not any more")
	// ErrToken is returned for a link of which the end is missing or wrong.
	ErrToken = errors.New("the link is not complete")
	// ErrUnclear is returned when it is not known in time whether an answer
	// counted. The same answer may be given again.
	ErrUnclear = errors.New("it is not known yet whether the answer counted")
)

// Options says what a Door needs. Client is required.
type Options struct {
	Client *client.Client
	// Codes sends codes to phones, for the stages that want one; without it nobody
	// answers by a link there.
	Codes Codes
}

// Door is where decisions come in. Its methods may be called concurrently.
type Door struct {
	client *client.Client
	codes  Codes
}

// New returns a Door.
func New(o Options) *Door { return &Door{client: o.Client, codes: o.Codes} }

// patience is how long an answer waits for its effect.
const patience = 20 * time.Second

// Answer is what somebody says.
type Answer struct {
	Verb    approval.Verb              `json:"verb"`
	To      string                     `json:"to,omitempty"`
	Comment string                     `json:"comment,omitempty"`
	Fields  map[string]json.RawMessage `json:"fields,omitempty"`
	Content *approval.Content          `json:"content,omitempty"`
	// Code is the one-time code, if one is wanted.
	Code string `json:"code,omitempty"`
}

// Person is somebody who is known by other means than a link.
type Person struct {
	ID  string
	Via approval.Via
}

// About says what an answer is about, by somebody who has no link that says it.
type About struct {
	// Stage is that in which they were asked; empty for the present one.
	Stage string `json:"stage,omitempty"`
	// Digest is that of what they were shown; empty if they were shown nothing,
	// and answer whatever it is.
	Digest string `json:"digest,omitempty"`
	// Execution is the run in which they were asked; empty for whichever there is.
	Execution string `json:"execution,omitempty"`
}

// Show returns what is on the page of a link, of which page is the secret for
// reading. There is no Standing on it if the link is for what the request was before. The
// errors are ErrNoLink and those of the store.
func (d *Door) Show(ctx context.Context, instance, page string) (*View, error) {
	v, err := d.look(ctx, instance)
	if err != nil {
		return nil, err
	}
	for _, l := range v.Links {
		if l.Shows(page) {
			v.link = l
			return v, d.judge(ctx, v)
		}
	}
	for _, replaced := range v.Request.Replaced {
		if links.IsPage(replaced, page) {
			return &View{State: Changed, Text: "The request was changed after this link was sent, and will be decided anew. Whoever is asked has a new link."}, nil
		}
	}
	return nil, ErrNoLink
}

// Answer takes an answer by the link whose page v is, of which token is the secret for
// answering. v is what is on the page then. With an *[approval.Refusal] the answer had
// no effect, and the refusal says why: [CodeWanted], [CodeWrong] and [CodeLocked] among
// the reasons that approvals have. The other errors are ErrToken, ErrUnclear, ErrNoLink for
// a request that was removed since, and those of the store.
func (d *Door) Answer(ctx context.Context, v *View, token string, a Answer) error {
	switch {
	case v.Standing == nil:
		return &approval.Refusal{Reason: approval.Stale, Text: v.Text}
	case !v.link.Opens(token):
		return ErrToken
	case v.State == Stopped:
		return &approval.Refusal{Reason: approval.TooLate, Text: v.Text}
	}
	decision := a.decision(approval.Decision{By: v.link.To, Via: approval.ViaLink, Stage: v.link.Stage, Digest: v.Digest, Execution: v.Execution})
	if err := d.refuses(ctx, v, decision); err != nil {
		return err
	}
	if v.NeedsCode {
		if err := d.checkCode(ctx, v, a.Code); err != nil {
			return err
		}
		decision.Via = approval.ViaCode
	}
	err := d.decide(ctx, v, decision)
	return cmp.Or(err, d.judge(ctx, v))
}

// AnswerAs takes an answer by somebody who is known, and returns the record of it. It
// returns ErrNoLink where there is no such request, or an error as Answer does. The number
// that a text message comes from can be made up, so one is not enough where a link alone
// is not.
func (d *Door) AnswerAs(ctx context.Context, instance string, who Person, about About, a Answer) (approval.Record, error) {
	v, err := d.look(ctx, instance)
	if err != nil {
		return approval.Record{}, err
	}
	decision := a.decision(approval.Decision{
		By: who.ID, Via: who.Via, Stage: cmp.Or(about.Stage, v.Standing.State.Stage()), Digest: about.Digest, Execution: cmp.Or(about.Execution, v.Execution),
	})
	if err := d.refuses(ctx, v, decision); err != nil {
		return approval.Record{}, err
	}
	if who.Via == approval.ViaMessage && v.takesCode(decision.Stage) {
		return approval.Record{}, &approval.Refusal{Reason: CodeWanted, Text: "this takes a code as well: answer by the link that you were sent"}
	}
	if err := d.decide(ctx, v, decision); err != nil {
		return approval.Record{}, err
	}
	return v.record, nil
}

// decision fills in what the person says.
func (a *Answer) decision(d approval.Decision) approval.Decision {
	d.Verb, d.To, d.Comment, d.Fields, d.Content = a.Verb, a.To, a.Comment, a.Fields, a.Content
	return d
}

// look reads the request of an instance.
func (d *Door) look(ctx context.Context, instance string) (*View, error) {
	in, past, err := d.client.Look(ctx, instance)
	if errors.Is(err, client.ErrNotFound) {
		return nil, ErrNoLink
	}
	if err != nil {
		return nil, err
	}
	standing, err := approval.Read(past, d.client.Now())
	if err != nil {
		return nil, ErrNoLink
	}
	return &View{Standing: standing, instance: in}, nil
}

// refuses returns the refusal of a decision that has no effect. Between two stages a
// request takes no answers for a moment; it waits for the next then.
func (d *Door) refuses(ctx context.Context, v *View, decision approval.Decision) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		r := v.Refuses(decision)
		if r == nil {
			return nil
		}
		if !v.isPreparing(decision.Stage) || r.Reason != approval.NotYourTurn || d.awaitChange(ctx, v) != nil {
			return r
		}
		if err := d.lookAgain(ctx, v); err != nil {
			return err
		}
	}
}

// isPreparing reports whether a stage is the next, and has not begun.
func (v *View) isPreparing(stage string) bool {
	_, is := v.Standing.State.ToOpen()
	return is && !v.instance.Status.IsTerminal() && v.Standing.State.Stage() == stage
}

// awaitChange waits until the instance has changed.
func (d *Door) awaitChange(ctx context.Context, v *View) error {
	seen := v.instance.Version
	_, err := d.client.WaitFor(ctx, v.instance.ID, func(in store.Instance) bool { return in.Version != seen })
	return err
}

// decide brings a decision to the request, and reads how it stands then. Where the
// request takes no answers for a moment, it waits for the next.
func (d *Door) decide(ctx context.Context, v *View, decision approval.Decision) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := json.Marshal(decision)
	if err != nil {
		return fmt.Errorf("write a decision: %w", err)
	}
	for {
		answer, err := d.client.Ask(ctx, v.instance.ID, string(approval.ApprovalDecision), client.Payload{Body: body})
		switch {
		case ctx.Err() != nil, err == nil && answer.Outcome == "":
			return ErrUnclear
		case errors.Is(err, client.ErrNotFound):
			return ErrNoLink // it was removed since it was looked at
		case err != nil:
			return err
		}
		if err := d.lookAgain(ctx, v); err != nil {
			return err
		}
		if answer.Outcome == history.Taken {
			v.record = v.recordOf(decision)
			return nil
		}
		if err := d.refuses(ctx, v, decision); err != nil {
			return err
		}
		if answer.Outcome != history.NotWaiting || v.instance.Status.IsTerminal() {
			return &approval.Refusal{Reason: approval.NotAllowed, Text: cmp.Or(answer.Reason, "the request takes no answers")}
		}
		if d.awaitChange(ctx, v) != nil {
			return ErrUnclear
		}
	}
}

// lookAgain reads how the request stands now, with other content if it was changed.
func (d *Door) lookAgain(ctx context.Context, v *View) error {
	now, err := d.look(ctx, v.instance.ID)
	if err != nil {
		return err
	}
	v.Standing, v.instance = now.Standing, now.instance
	return nil
}

// recordOf returns the record of a decision that was taken.
func (v *View) recordOf(decision approval.Decision) approval.Record {
	all := slices.Concat(v.Request.Earlier, v.Standing.State.Records())
	for _, record := range slices.Backward(all) {
		if record.Verb == decision.Verb && approval.SamePerson(record.By, decision.By) {
			return record
		}
	}
	return approval.Record{Decision: decision}
}
