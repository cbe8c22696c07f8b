package approval_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
)

// organisation is who works where: everybody has a manager, somebody who stands in for
// them, and a department. Neither has an order: managers may be managed by those whom
// they manage, and people stand in for each other in circles.
type organisation struct {
	people            []string
	manager, deputies map[string]string
	department        map[string][]string
}

func randomOrganisation(r *rand.Rand) *organisation {
	o := &organisation{manager: map[string]string{}, deputies: map[string]string{}, department: map[string][]string{}}
	for n := range 4 + r.IntN(16) {
		o.people = append(o.people, fmt.Sprintf("p%d@example.org", n))
	}
	for _, id := range o.people {
		o.manager[id], o.deputies[id] = pick(r, o.people...), pick(r, o.people...)
		name := fmt.Sprint("department", r.IntN(3))
		o.department[name] = append(o.department[name], spelled(r, id))
	}
	return o
}

// spelled writes an id in one of the ways in which it is the same.
func spelled(r *rand.Rand, id string) string {
	return pick(r, id, strings.ToUpper(id), strings.ToUpper(id[:1])+id[1:])
}

// above returns the managers of somebody, up to so many, who may come to be the same or
// those who are managed.
func (o *organisation) above(r *rand.Rand, id string, most int) (ids []string) {
	for range most {
		if id = o.manager[id]; slices.ContainsFunc(ids, func(other string) bool { return strings.EqualFold(other, id) }) {
			break
		}
		ids = append(ids, spelled(r, id))
	}
	return ids
}

// policy asks the managers of a person, then a department, and goes up to other managers.
func (o *organisation) policy(r *rand.Rand, requester string) approval.Policy {
	p := approval.Policy{Name: "organisation", Groups: o.department, Delegation: approval.Delegation{Depth: r.IntN(approval.MaxDepth + 1)}}
	p.Separation.DistinctStages = r.IntN(3) == 0
	groups := make([]string, 0, len(o.department))
	for name := range o.department {
		groups = append(groups, "group:"+name)
	}
	slices.Sort(groups)
	if r.IntN(3) == 0 {
		p.Delegation.To = []string{pick(r, groups...), spelled(r, requester)}
	}
	for n, of := range [][]string{o.above(r, requester, 1+r.IntN(3)), {pick(r, groups...)}, append(o.above(r, pick(r, o.people...), 2), pick(r, groups...))} {
		s := approval.Stage{
			Name: fmt.Sprint("stage ", n), Deadline: approval.Elapsed(12 * time.Hour), Rules: []approval.Rule{{Of: of, Need: pick(r, approval.All, approval.First, 1)}},
			Remind:   &approval.Reminders{After: approval.Elapsed(time.Hour), Every: approval.Elapsed(time.Hour), Most: 3},
			Escalate: []approval.Rung{{After: approval.Elapsed(4 * time.Hour), To: []string{pick(r, groups...)}, Power: pick(r, approval.Decides, approval.Fills)}, {After: approval.Elapsed(8 * time.Hour), To: o.above(r, requester, 4)}},
		}
		if r.IntN(2) == 0 {
			s.Veto = []string{pick(r, groups...)}
		}
		p.Stages = append(p.Stages, s)
	}
	return p
}

// 5,000 organisations, in each of which everybody hands on what they are asked to whom
// they can, back, in circles and to the requester: no requester ever comes to decide,
// and no seat is handed on more often than three times, or twice to the same person.
func TestInNoOrganisationDoesARequesterComeToDecide(t *testing.T) {
	counts := map[approval.Reason]int{}
	deepest := 0
	for seed := range uint64(5000 / slow) {
		r := rand.New(rand.NewPCG(seed, 25))
		o := randomOrganisation(r)
		requester := pick(r, o.people...)
		c := &hands{request: newRequest(t, o.policy(r, requester), spelled(r, requester)), requester: requester, o: o, refused: counts}
		c.run(r)
		deepest = max(deepest, c.check())
		if t.Failed() {
			t.Fatalf("organisation %d: %+v, %+v", seed, o, c.Records())
		}
	}
	for _, reason := range []approval.Reason{"", approval.BadDelegate, approval.NotAllowed} {
		if counts[reason] < 1000/slow {
			t.Errorf("only %d times %q", counts[reason], reason)
		}
	}
	if deepest != approval.MaxDepth {
		t.Errorf("what was handed on most often was so %d times", deepest)
	}
	t.Logf("handing on: %v", counts)
}

// hands are a request that is handed on.
type hands struct {
	*request
	requester string
	o         *organisation
	refused   map[approval.Reason]int // of those who hand on; "" if it was taken
}

// run lets people hand on, and decide, until the request has ended.
func (h *hands) run(r *rand.Rand) {
	for now := start; h.Outcome() == ""; now = now.Add(time.Duration(1+r.IntN(50)) * time.Minute) {
		h.advance(now.Add(-1))
		by := pick(r, append(h.Waiting(), h.requester)...)
		d := approval.Decision{By: spelled(r, by), Verb: approval.Delegate, Stage: h.Stage(), To: spelled(r, pick(r, h.o.deputies[by], h.o.manager[by], h.requester, by, pick(r, h.o.people...)))}
		if r.IntN(8) == 0 {
			d.Verb, d.To = pick(r, approval.Approve, approval.Reject), ""
		}
		effects, err := h.Apply(d, now)
		h.effects = append(h.effects, effects...)
		h.open(now)
		if d.Verb == approval.Delegate {
			h.refused[reasonOf(err)]++
		}
	}
}

func reasonOf(err error) approval.Reason {
	if r, ok := err.(*approval.Refusal); ok {
		return r.Reason
	}
	return ""
}

// check looks at who was asked, and who decided, and returns how often a seat was handed
// on at most.
func (h *hands) check() (deepest int) {
	h.t.Helper()
	for _, e := range h.effects {
		if e.To == h.requester && e.Kind != approval.Tell {
			h.t.Errorf("the requester is told to decide: %+v", e)
		}
	}
	type place struct{ stage, id string }
	depth, gave := map[place]int{}, map[place]bool{}
	for _, record := range h.Records() {
		if record.By == h.requester || record.To == h.requester {
			h.t.Errorf("the requester took part: %+v", record)
		}
		if record.Verb != approval.Delegate {
			continue
		}
		from, to := place{record.Stage, record.By}, place{record.Stage, record.To}
		if _, again := depth[to]; again || gave[to] || from == to {
			h.t.Errorf("it comes back to who had it: %+v", record)
		}
		gave[from], depth[to] = true, depth[from]+1
		if deepest = max(deepest, depth[to]); deepest > min(h.policy.Delegation.Depth, 3) {
			h.t.Errorf("it was handed on %d times: %+v", deepest, record)
		}
	}
	return deepest
}
