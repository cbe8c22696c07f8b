package reply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Incoming is a message from a phone, by somebody who has verified that it comes
// from there.
type Incoming struct {
	// ID is the same when the message comes again.
	ID string
	// From is the phone's number.
	From, Body string
}

// Decider brings an answer to who waits for it.
type Decider interface {
	// Decide tells what became of it, in a sentence for the person, and whether
	// the request needs no other answer of theirs. With the same id it has one
	// effect and gives one answer.
	Decide(ctx context.Context, id string, r Request, answer Reply) (says string, settled bool, err error)
}

// Subscriber takes note of who wants no messages.
type Subscriber interface {
	// Subscribe says whether messages are wanted at a number.
	Subscribe(ctx context.Context, number string, wanted bool) error
}

// Listener hears messages.
type Listener struct {
	Book       *Book
	Decider    Decider
	Subscriber Subscriber
}

// Hear does what a message wants and returns what to answer, or "" for nothing:
// Twilio itself answers those who opt out or in, or want help. A message that
// comes again has no other effect and the same answer.
func (l *Listener) Hear(ctx context.Context, m Incoming) (says string, err error) {
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	answer := Parse(m.Body)
	switch answer.Verb {
	case OptOut, OptIn:
		return "", l.Subscriber.Subscribe(ctx, m.From, answer.Verb == OptIn)
	case Help:
		return "", nil
	}
	open, err := l.Book.Requests(ctx, m.From)
	if err != nil {
		return "", err
	}
	if answer.Verb == Unclear {
		return howTo(open), nil
	}
	i := slices.IndexFunc(open, func(r Request) bool { return r.Ref == answer.Ref })
	switch {
	case i < 0:
		return fmt.Sprintf("No open request has the reference %s. %s", answer.Ref, howTo(open)), nil
	case namesAnother(open, answer):
		return "One answer in each message, please. " + howTo(open), nil
	}
	return l.decide(ctx, m, open[i], answer)
}

// namesAnother reports whether what follows an answer has the reference of another request,
// so that it may be meant for both.
func namesAnother(open []Request, answer Reply) bool {
	words := strings.FieldsFunc(strings.ToUpper(answer.Reason), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	return slices.ContainsFunc(open, func(r Request) bool {
		return r.Ref != answer.Ref && slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(w, r.Ref) })
	})
}

func (l *Listener) decide(ctx context.Context, m Incoming, r Request, answer Reply) (string, error) {
	says, settled, err := l.Decider.Decide(ctx, m.ID, r, answer)
	if err == nil && settled && !r.Settled {
		err = l.Book.Close(ctx, m.From, r.Ref)
	}
	return says, err
}

// shown is how many requests an answer lists.
const shown = 3

// howTo says how to answer what is open.
func howTo(requests []Request) string {
	open := slices.DeleteFunc(slices.Clone(requests), func(r Request) bool { return r.Settled })
	if len(open) == 0 {
		return "Nothing waits for an answer from this number."
	}
	var lines []string
	for _, r := range open[:min(len(open), shown)] {
		lines = append(lines, strings.TrimSpace(r.Ref+" "+r.Title))
	}
	if more := len(open) - shown; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("Answer A or R and the reference: A %s approves, R %s and a reason rejects. Open: %s.", open[0].Ref, open[0].Ref, strings.Join(lines, "; "))
}
