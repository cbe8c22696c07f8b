package approval_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/approval"
)

// What the history of a request tells is how the request stands: whom it waits for,
// what was decided and when, also where the custom status tells it.
func TestTheHistoryTellsHowARequestStands(t *testing.T) {
	b := newBureau(t)
	for seed := range uint64(40) {
		p := randomPolicy(rand.New(rand.NewPCG(seed, 0)))
		p.Calendar = always("UTC")
		r := rand.New(rand.NewPCG(seed, 1))
		id := fmt.Sprint("seed", seed)
		_, err := b.client.Start(t.Context(), string(approve), id, approval.Request{Policy: p, Requester: "rex", Content: approval.Content{Title: "a matter"}})
		b.must(err)
		for range 30 {
			b.settle()
			standing := b.read(id)
			if standing.State.Outcome() != "" {
				break
			}
			d := says(pick(r, staff...), pick(r, approval.Approve, approval.Approve, approval.Reject, approval.Delegate), standing.State.Stage())
			d.To = pick(r, staff...)
			refused := standing.Refuses(d)
			answer, err := b.ask(t.Context(), id, d)
			b.must(err)
			if taken := answer.Outcome == history.Taken; taken != (refused == nil) {
				t.Fatalf("%s: %+v is %s, and the history tells %v", id, d, answer.Outcome, refused)
			}
		}
		b.compare(id)
	}
}

func (b *bureau) read(id string) *approval.Standing {
	b.t.Helper()
	past, err := b.client.History(b.t.Context(), id)
	b.must(err)
	standing, err := approval.Read(past, b.client.Now())
	b.must(err)
	return standing
}

// compare holds what is read to what the instance itself says.
func (b *bureau) compare(id string) {
	b.t.Helper()
	b.settle()
	standing, said := b.read(id), b.says(id)
	switch s := standing.State; {
	case said.ending != nil:
		if s.Outcome() != said.ending.Outcome || !reflect.DeepEqual(s.Records(), said.ending.Decisions) && len(s.Records()) > 0 || !slices.Equal(s.Results(), said.ending.Stages) {
			b.t.Errorf("%s: read %q %+v %+v\nsaid %+v", id, s.Outcome(), s.Records(), s.Results(), said.ending)
		}
	case !slices.Equal(s.Waiting(), said.waiting.WaitingFor) || !s.Schedule().Due.Equal(said.waiting.Until) || s.Stage() != said.waiting.Stage:
		b.t.Errorf("%s: read %v until %v, said %+v", id, s.Waiting(), s.Schedule().Due, said.waiting)
	}
}

func TestOnlyTheHistoryOfAnApprovalIsOne(t *testing.T) {
	for name, past := range map[string][]history.Event{
		"none":          nil,
		"another input": {{Kind: history.ExecutionStarted, Input: []byte(`{"number":"+447700900123"}`)}},
		"no input":      {{Kind: history.ExecutionStarted}},
		"no start":      {{Kind: history.TaskCompleted}},
	} {
		if got, err := approval.Read(past, time.Now()); !errors.Is(err, approval.ErrNoRequest) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
