package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/reply"
)

// messageAnswers bring answers by text message to approvals.
type messageAnswers struct {
	door   *door.Door
	client *client.Client
}

var verbs = map[reply.Verb]approval.Verb{reply.Approve: approval.Approve, reply.Reject: approval.Reject}

// Decide brings an answer to the approval that its reference stands for. The first
// answer of a person stands, so a message that comes again decides nothing more, and
// is told so. What takes a code as well is not decided by a message alone: the number
// that it comes from can be forged.
func (d messageAnswers) Decide(ctx context.Context, _ string, r reply.Request, answer reply.Reply) (says string, settled bool, err error) {
	risky, err := d.takesCode(ctx, r)
	if risky || err != nil {
		return "This takes a code as well: open the link that you were sent.", false, err
	}
	who := door.Person{ID: r.Person, Via: approval.ViaMessage}
	about := door.About{Stage: r.Stage, Digest: r.Digest}
	_, err = d.door.AnswerAs(ctx, r.Instance, who, about, door.Answer{Verb: verbs[answer.Verb], Comment: answer.Reason})
	var refusal *approval.Refusal
	switch {
	case errors.As(err, &refusal):
		return capital(refusal.Text) + ".", refusal.Reason != approval.BadAnswer, nil
	case errors.Is(err, door.ErrNoLink):
		return "The request is gone.", true, nil
	case err != nil:
		return "", false, err
	}
	return fmt.Sprintf("Noted, you %s: %s", map[reply.Verb]string{reply.Approve: "approve", reply.Reject: "reject"}[answer.Verb], r.Title), true, nil
}

// takesCode reports whether the stage that a person is asked in takes a code.
func (d messageAnswers) takesCode(ctx context.Context, r reply.Request) (bool, error) {
	_, past, err := d.client.Look(ctx, r.Instance)
	if errors.Is(err, client.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	standing, err := approval.Read(past, d.client.Now())
	if err != nil {
		return false, nil // it is something else, which the door says
	}
	return slices.ContainsFunc(standing.Request.Policy.Stages, func(s approval.Stage) bool { return s.Code && s.Name == r.Stage }), nil
}

// referenceOf returns the reference by which a person answers a notice by text
// message, or "" for a notice that wants no answer, and for a person who has so many
// open that they answer by the link.
func referenceOf(ctx context.Context, book *reply.Book, n approval.Notice, phone string) (string, error) {
	if n.Kind != approval.Ask && n.Kind != approval.Remind {
		return "", nil
	}
	r := reply.Request{Instance: engine.CallOf(ctx).Instance, Person: n.To, Stage: n.Stage, Digest: n.Digest, Title: n.Title, Until: n.Until}
	ref, err := book.Open(ctx, phone, fmt.Sprintf("%q %q %q %q", r.Instance, r.Person, r.Stage, r.Digest), r)
	if errors.Is(err, reply.ErrFull) {
		return "", nil
	}
	return ref, err
}
