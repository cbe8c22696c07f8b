package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/human/reply"
)

// messageAnswers bring answers by text message to approvals.
type messageAnswers struct{ door *door.Door }

var verbs = map[reply.Verb]approval.Verb{reply.Approve: approval.Approve, reply.Reject: approval.Reject}

// Decide brings an answer to the approval that its reference stands for. The first
// answer of a person stands, so a message that comes again decides nothing more, and
// is told so.
func (d messageAnswers) Decide(ctx context.Context, _ string, r reply.Request, answer reply.Reply) (says string, settled bool, err error) {
	who := door.Person{ID: r.Person, Via: approval.ViaMessage}
	about := door.About{Stage: r.Stage, Digest: r.Digest, Execution: r.Execution}
	_, err = d.door.AnswerAs(ctx, r.Instance, who, about, door.Answer{Verb: verbs[answer.Verb], Comment: answer.Reason})
	var refusal *approval.Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Sentence(), refusal.Reason != approval.BadAnswer && refusal.Reason != door.CodeWanted, nil
	case errors.Is(err, door.ErrNoLink):
		return "The request is gone.", true, nil
	case err != nil:
		return "", false, err
	}
	return fmt.Sprintf("Noted, you %s: %s", verbs[answer.Verb], r.Title), true, nil
}

// referenceOf returns the reference by which a person answers a notice by text
// message, or "" for a notice that wants no answer, and for a person who has so many
// open that they answer by the link.
func referenceOf(ctx context.Context, book *reply.Book, n approval.Notice, phone string) (string, error) {
	if n.Kind != approval.Ask && n.Kind != approval.Remind {
		return "", nil
	}
	call := engine.CallOf(ctx)
	r := reply.Request{
		Instance: call.Instance, Execution: cmp.Or(call.Origin, call.Execution), Person: n.To,
		Stage: n.Stage, Digest: n.Digest, Title: notify.Clean(n.Title), Until: n.Until,
	}
	ref, err := book.Open(ctx, phone, fmt.Sprintf("%q %q %q %q %q", r.Instance, r.Execution, r.Person, r.Stage, r.Digest), r)
	if errors.Is(err, reply.ErrFull) {
		return "", nil
	}
	return ref, err
}
