package approval_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// bureau is approvals on a file store, whole.
type bureau struct {
	t      *testing.T
	worker *dispatch.Worker
	client *client.Client
	board  *board
}

func newBureau(t *testing.T) *bureau {
	t.Helper()
	b := &bureau{t: t, board: &board{}}
	s, err := filestore.Open(t.TempDir(), filestore.Options{})
	b.must(err)
	t.Cleanup(func() { s.Close() })
	b.worker = dispatch.New(s, newFlow(b.board), dispatch.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	b.client = client.New(b.worker.Instances(), client.Options{})
	return b
}

func (b *bureau) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// settle lets the worker do all there is to do now.
func (b *bureau) settle() {
	b.t.Helper()
	b.must(b.worker.Settle(b.t.Context()))
	for more := true; more; {
		var err error
		more, err = b.worker.Step(b.t.Context())
		b.must(err)
	}
}

// ask sends a decision that is to be taken at once.
func (b *bureau) ask(ctx context.Context, id string, d approval.Decision) (client.Answer, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return client.Answer{}, err
	}
	return b.client.Ask(ctx, id, string(approval.ApprovalDecision), client.Payload{Body: text})
}

// crowd is how many answer at once, each of eight people as often as the others, and
// rounds how often they do.
const crowd, rounds = 64, 1000 / slow

// Whoever answers when many do is either the one who decides, or told who is and
// when that was.
func TestOfManyDecisionsAtOnceTheFirstStandsAndAllAreToldWho(t *testing.T) {
	p := rules(rule(approval.First, staff...))
	p.Name, p.Stages[0].Deadline = "first", approval.BusinessDays(1)
	p.Calendar = always("UTC")
	const bureaus = 4 // which wait for the disk at the same time
	var decisions atomic.Int64
	var all sync.WaitGroup
	for range bureaus {
		b := newBureau(t)
		all.Go(func() {
			for round := range rounds / bureaus {
				id := fmt.Sprint("r", round)
				_, err := b.client.Start(t.Context(), string(approve), id, approval.Request{Policy: p, Requester: "zoe", Content: approval.Content{Title: "a matter"}})
				if err != nil {
					t.Error(err)
					return
				}
				b.settle()
				decisions.Add(int64(b.round(id)))
			}
		})
	}
	all.Wait()
	if n := decisions.Load(); n != rounds {
		t.Errorf("%d decisions in %d rounds", n, rounds)
	}
}

// round lets a crowd answer one request, checks what they are told, and returns
// how many were told that they decided.
func (b *bureau) round(id string) (taken int) {
	b.t.Helper()
	answers, errs := make([]client.Answer, crowd), make([]error, crowd)
	var all sync.WaitGroup
	now := make(chan struct{})
	for n := range crowd {
		all.Go(func() {
			<-now
			verb := approval.Approve
			if n%2 == 0 {
				verb = approval.Reject
			}
			answers[n], errs[n] = b.ask(b.t.Context(), id, says(staff[n%len(staff)], verb, "one"))
		})
	}
	close(now)
	all.Wait()
	b.settle()
	in, err := b.client.Get(b.t.Context(), id)
	b.must(err)
	var ending approval.Ending
	if in.Status != history.Completed || json.Unmarshal(in.Output, &ending) != nil || len(ending.Decisions) != 1 {
		b.t.Fatalf("%s is %s with %s", id, in.Status, in.Output)
	}
	decision := ending.Decisions[0]
	past, err := b.client.History(b.t.Context(), id)
	b.must(err)
	standing, err := approval.Read(past, b.client.Now())
	b.must(err)
	if records := standing.State.Records(); standing.State.Outcome() != ending.Outcome || len(records) != 1 || records[0].By != decision.By || !records[0].At.Equal(decision.At) {
		b.t.Errorf("read from the history: %s by %+v, and it is %s by %+v", standing.State.Outcome(), records, ending.Outcome, decision)
	}
	for n, answer := range answers {
		var by approval.Decision
		switch {
		case errs[n] != nil:
			b.t.Error(errs[n])
		case answer.Outcome == history.Taken:
			taken++
			if by := staff[n%len(staff)]; by != decision.By {
				b.t.Errorf("%s was told to have decided, and it was %s", by, decision.By)
			}
		case answer.Outcome != history.AlreadyDecided || json.Unmarshal(answer.Decision, &by) != nil || by.By != decision.By || answer.Wait.At.IsZero():
			b.t.Errorf("answered %+v with %s, and %s decided", answer.Verdict, answer.Decision, decision.By)
		}
	}
	return taken
}

// said is what an instance itself says of how it stands.
type said struct {
	waiting approval.Waiting
	ending  *approval.Ending
}

func (b *bureau) says(id string) (s said) {
	b.t.Helper()
	in, err := b.client.Get(b.t.Context(), id)
	b.must(err)
	if in.Status == history.Completed {
		b.must(json.Unmarshal(in.Output, &s.ending))
	} else {
		b.must(json.Unmarshal(in.CustomStatus, &s.waiting))
	}
	return s
}
