package door_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// passage is a request that rests between its two stages until the second is let in.
type passage struct {
	*testing.T
	client *client.Client
	door   *door.Door
	letIn  chan struct{}
}

func newPassage(t *testing.T) *passage {
	t.Helper()
	p := &passage{T: t, letIn: make(chan struct{})}
	s, err := filestore.Open(t.TempDir(), filestore.Options{})
	p.must(err)
	t.Cleanup(func() { s.Close() })
	w := dispatch.New(s, p.registry(), dispatch.Options{Cached: -1, Logger: slog.New(slog.DiscardHandler)})
	p.client = client.New(w.Instances(), client.Options{})
	p.door = door.New(door.Options{Client: p.client})
	_, err = p.client.Start(t.Context(), string(bureau.Approval), "request", release("R"))
	p.must(err)
	synctest.Wait() // until the first stage has begun
	for _, id := range []string{ann, bob} {
		_, err := p.answer(id, "team")
		p.must(err)
	}
	return p
}

// registry has the orchestration with activities that tell nobody, and plan all stages
// but the first only when it is let in.
func (p *passage) registry() *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, bureau.Approval, approval.Decide)
	engine.AddActivity(r, approval.ApprovalPlan, func(_ context.Context, t approval.Timing) (approval.Schedule, error) {
		if t.Stage.Name != "team" {
			<-p.letIn
		}
		return approval.Plan(&approval.Policy{Stages: []approval.Stage{t.Stage}}, 0, t.Opened)
	})
	engine.AddActivity(r, approval.ApprovalLinks, func(context.Context, approval.Questions) ([]approval.Issued, error) { return nil, nil })
	engine.AddActivity(r, approval.ApprovalNotify, func(context.Context, approval.Notice) (struct{}, error) { return struct{}{}, nil })
	return r
}

func (p *passage) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *passage) answer(id, stage string) (approval.Record, error) {
	return p.door.AnswerAs(p.Context(), "request", door.Person{ID: id, Via: approval.ViaOperator}, door.About{Stage: stage}, door.Answer{Verb: approval.Approve})
}

// Whoever answers in the moment between two stages is not told that the next has not
// begun: the answer waits for it.
func TestAnAnswerBetweenTwoStagesWaitsForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPassage(t)
		told := make(chan string, 2)
		for _, stage := range []string{"", "boss"} {
			go func() {
				_, err := p.answer(dora, stage)
				told <- reason(err)
			}()
		}
		synctest.Wait()
		if n := len(told); n > 0 {
			t.Errorf("%d were told something before the stage began", n)
		}
		close(p.letIn)
		got := []string{<-told, <-told}
		if slices.Sort(got); !slices.Equal(got, []string{"", string(approval.AlreadyAnswered)}) {
			t.Errorf("told %q", got)
		}
		synctest.Wait()
	})
}

// A stage that does not begin in time takes no answer, and that is what is told; nor
// does one wait that is for another stage.
func TestAStageThatDoesNotBeginTakesNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPassage(t)
		for _, test := range []struct{ id, stage, want string }{
			{dora, "", string(approval.NotYourTurn)}, {carol, "team", string(approval.AlreadyDecided)}, {ann, "team", string(approval.AlreadyAnswered)}, {dora, "none", string(approval.BadAnswer)},
		} {
			began := p.client.Now()
			if _, err := p.answer(test.id, test.stage); reason(err) != test.want || test.stage != "" && p.client.Now() != began {
				t.Errorf("%s in %q after %v: %v", test.id, test.stage, p.client.Now().Sub(began), err)
			}
		}
		close(p.letIn)
		synctest.Wait()
	})
}
