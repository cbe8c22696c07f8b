package door_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
)

// machines is on how many of them a crowd is served, all on one storage account; crowd is
// how many answer at once, each of eight people as often as the others.
const machines, crowd, people = 4, 64, 8

// rounds is how often they do: as often as HOLDFAST_CROWD_ROUNDS says.
var rounds = func() int {
	n, _ := strconv.Atoi(os.Getenv("HOLDFAST_CROWD_ROUNDS"))
	return cmp.Or(n, 15/slow)
}()

// 64 answers at once, by links and on several machines: each time one of them decides,
// and all the others are told who did, and when.
func TestOfManyLinksOnManyMachinesOneDecides(t *testing.T) {
	first := bureau.NewInAccount(t)
	var others []*bureau.Bureau
	for range machines {
		others = append(others, first.Another())
	}
	request := crowded()
	for round := range rounds {
		id := fmt.Sprint("request", round)
		first.Ask(id, request)
		answerAll(first, others, id, &request)
	}
}

// crowded is a request that the first of many decides.
func crowded() approval.Request {
	r := release("R")
	var staff []string
	for n := range people {
		staff = append(staff, fmt.Sprintf("p%d@example.org", n))
	}
	r.Policy.Stages = []approval.Stage{{Name: "first", Rules: []approval.Rule{{Of: staff, Need: approval.First}}, Deadline: approval.Elapsed(time.Hour)}}
	return r
}

// answerAll lets everybody answer at once, and holds what they are told to the one
// decision that there is then.
func answerAll(first *bureau.Bureau, others []*bureau.Bureau, id string, r *approval.Request) {
	first.Helper()
	in, err := first.Client.Get(first.Context(), id)
	first.Must(err)
	staff := r.Policy.Stages[0].Rules[0].Of
	errs, unclear := make([]error, crowd), make([]bool, crowd)
	now := make(chan struct{})
	var all sync.WaitGroup
	for n := range errs {
		asked := approval.Asked{To: staff[n%people], Stage: r.Policy.Stages[0].Name}
		l := bureau.LinkOf(approval.LinkOf(first.Links, id, in.Execution, r.Digest(), asked).Reveal())
		answer := door.Answer{Verb: []approval.Verb{approval.Approve, approval.Reject}[n/people%2], Comment: asked.To}
		all.Go(func() {
			<-now
			unclear[n], errs[n] = answerSurely(others[n/people%machines], l, answer)
		})
	}
	close(now)
	all.Wait()
	for _, b := range append(others, first) {
		b.Settle()
	}
	decided, taken, perhaps := decisionOf(first, id), 0, 0
	for n, err := range errs {
		var refusal *approval.Refusal
		switch by := staff[n%people]; {
		case err == nil && by == decided.By:
			taken++
		case unclear[n] && by == decided.By && reason(err) == string(approval.AlreadyAnswered):
			perhaps++
		case err == nil:
			first.Errorf("%s: %s was told to have decided, and it was %s", id, by, decided.By)
		case !errors.As(err, &refusal) || refusal.Reason != approval.AlreadyDecided && refusal.Reason != approval.AlreadyAnswered || refusal.By != decided.By || !refusal.At.Equal(decided.At):
			first.Errorf("%s: %s was told %+v", id, by, err)
		}
	}
	if taken > 1 || taken+perhaps == 0 {
		first.Errorf("%s: %d were told to have decided, and %d learnt it later", id, taken, perhaps)
	}
}

// answerSurely answers again when it is not known whether an answer counted, and reports
// whether that was so.
func answerSurely(b *bureau.Bureau, l bureau.Link, a door.Answer) (unclear bool, err error) {
	for {
		if err = answerAt(b, l.Instance, l.Page, l.Token, a); !errors.Is(err, door.ErrUnclear) {
			return unclear, err
		}
		unclear = true
	}
}

// decisionOf returns the one decision on a request.
func decisionOf(b *bureau.Bureau, id string) approval.Record {
	b.Helper()
	_, past, err := b.Client.Look(b.Context(), id)
	b.Must(err)
	standing, err := approval.Read(past, b.Now())
	b.Must(err)
	records := standing.State.Records()
	if len(records) != 1 {
		b.Fatalf("%s: %+v", id, records)
	}
	return records[0]
}
