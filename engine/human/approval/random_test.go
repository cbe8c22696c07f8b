package approval_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
)

// place is a seat as the oracle knows it.
type place struct {
	rule   int // or veto, decide, fill
	held   []string
	answer approval.Verb
}

const (
	veto   = -1
	decide = -2
	fill   = -3
)

// oracle decides requests by brute force: after every answer it tries all that
// those could still say who have not answered. What is the same in every case is
// decided.
type oracle struct {
	p         *approval.Policy
	requester string
	stage     int
	opened    time.Time
	places    []*place
	first     map[int]approval.Verb // the first answer in a rule
	vacant    map[int]bool
	rung      int
	answered  map[string]int // by person, the stage in which they decided
	results   []approval.Result
	outcome   approval.Outcome
}

func (o *oracle) of() *approval.Stage { return &o.p.Stages[o.stage] }

// may returns those of the names who may decide, each once.
func (o *oracle) may(names []string) (ids []string) {
	for _, id := range o.named(names) {
		stage, did := o.answered[id]
		own := id == o.requester && !o.p.Separation.SelfApproval
		if !own && !(did && stage < o.stage && o.p.Separation.DistinctStages) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// named puts the members of groups in their places.
func (o *oracle) named(names []string) (ids []string) {
	for _, name := range names {
		if group, isGroup := strings.CutPrefix(name, "group:"); isGroup {
			ids = append(ids, o.p.Groups[group]...)
		} else {
			ids = append(ids, name)
		}
	}
	return ids
}

func (o *oracle) open(at time.Time) {
	o.opened, o.places, o.rung, o.first, o.vacant = at, nil, 0, map[int]approval.Verb{}, map[int]bool{}
	for i, rule := range o.of().Rules {
		ids := o.may(rule.Of)
		o.vacant[i] = len(ids) == 0 || len(ids) < int(rule.Need)
		for _, id := range ids {
			o.places = append(o.places, &place{rule: i, held: []string{id}})
		}
	}
	for _, id := range o.may(o.of().Veto) {
		o.places = append(o.places, &place{rule: veto, held: []string{id}})
	}
	if !slices.Contains([]bool{o.vacant[0], o.vacant[1], o.vacant[2]}, true) {
		return
	}
	for !slices.ContainsFunc(o.places, func(p *place) bool { return p.rule == decide }) {
		if o.rung == len(o.of().Escalate) {
			o.end(approval.Impossible, "", at)
			return
		}
		o.climb()
	}
}

// climb asks the people of the next rung.
func (o *oracle) climb() {
	rung := o.of().Escalate[o.rung]
	o.rung++
	for _, id := range o.may(rung.To) {
		was := slices.ContainsFunc(o.places, func(p *place) bool { return slices.Contains(p.held, id) })
		switch {
		case rung.Power == approval.Fills && !was:
			o.places = append(o.places, &place{rule: fill, held: []string{id}})
		case rung.Power != approval.Fills && (!was || len(o.wanted(id)) > 0):
			o.places = append(o.places, &place{rule: decide, held: []string{id}})
		}
	}
}

// wanted returns the places of a person whose answers could still matter.
func (o *oracle) wanted(id string) (places []*place) {
	for _, p := range o.places {
		if p.held[len(p.held)-1] != id || p.answer != "" {
			continue
		}
		if p.rule < 0 || !o.isCertain(p.rule) {
			places = append(places, p)
		}
	}
	return places
}

// ways returns what can become of a rule: true for approved, false for rejected.
func (o *oracle) ways(rule int) map[bool]bool {
	need := o.of().Rules[rule].Need
	if o.vacant[rule] {
		return map[bool]bool{true: true, false: true}
	}
	if need == approval.First && o.first[rule] != "" {
		return map[bool]bool{o.first[rule] == approval.Approve: true}
	}
	yes, seats, open := 0, 0, 0
	for _, p := range o.places {
		if p.rule != rule {
			continue
		}
		seats++
		switch p.answer {
		case approval.Approve:
			yes++
		case "":
			open++
		}
	}
	ways := map[bool]bool{}
	for said := range 1 << open {
		all := yes
		for bit := range open {
			all += said >> bit & 1
		}
		switch need {
		case approval.All:
			ways[all == seats] = true
		case approval.First:
			ways[true], ways[false] = true, true
		default:
			ways[all >= int(need)] = true
		}
	}
	return ways
}

func (o *oracle) isCertain(rule int) bool { return len(o.ways(rule)) == 1 }

// settled tries all that can become of the rules together.
func (o *oracle) settled() (approved, certain bool) {
	outcomes := map[bool]bool{true: true}
	for rule := range o.of().Rules {
		next := map[bool]bool{}
		for so := range outcomes {
			for way := range o.ways(rule) {
				next[so && way] = true
			}
		}
		outcomes = next
	}
	return outcomes[true], len(outcomes) == 1
}

// end ends the stage, and the request unless the next stage begins.
func (o *oracle) end(outcome approval.Outcome, by string, at time.Time) {
	o.results = append(o.results, approval.Result{Stage: o.of().Name, Outcome: outcome, By: by, At: at})
	if outcome != approval.Approved || o.stage == len(o.p.Stages)-1 {
		o.outcome = outcome
		return
	}
	o.stage++
	o.open(at)
}

// span returns how long a span of the policies made here is.
func span(s approval.Span) time.Duration {
	d, err := time.ParseDuration(s.String())
	if err != nil {
		panic(err)
	}
	return d
}

// pass lets happen what is due before a time.
func (o *oracle) pass(to time.Time) {
	for o.outcome == "" {
		at, rung := o.opened.Add(span(o.of().Deadline)), false
		if o.rung < len(o.of().Escalate) {
			if up := o.opened.Add(span(o.of().Escalate[o.rung].After)); up.Before(at) {
				at, rung = up, true
			}
		}
		if !at.Before(to) {
			return
		}
		vacant := o.vacant[0] || o.vacant[1] || o.vacant[2]
		switch silence := o.of().Silence; {
		case rung:
			o.climb()
		case silence == approval.RejectSilently:
			o.end(approval.Rejected, "", at)
		case silence == approval.ApproveSilently && !vacant:
			o.end(approval.Approved, "", at)
		default:
			o.end(approval.Expired, "", at)
		}
	}
}

// apply reports whether a decision has an effect, and lets it.
func (o *oracle) apply(d approval.Decision, at time.Time) bool {
	o.pass(at)
	if o.outcome != "" {
		return false
	}
	if d.Verb == approval.TakeBack {
		if d.By != o.requester || o.p.Recall == approval.RecallNever || o.p.Recall == approval.RecallUnheard && len(o.answered) > 0 {
			return false
		}
		o.end(approval.Recalled, d.By, at)
		return true
	}
	mine := o.wanted(d.By)
	if len(mine) == 0 || d.Stage != o.of().Name {
		return false
	}
	if d.Verb == approval.Delegate {
		return o.delegate(d, mine)
	}
	if !o.isFilledIn(d) {
		return false
	}
	o.answered[d.By] = o.stage
	for _, p := range mine {
		o.write(p, d.Verb)
	}
	for _, p := range mine {
		if p.rule == veto && d.Verb == approval.Reject {
			o.end(approval.Rejected, d.By, at)
			return true
		}
	}
	for _, p := range mine {
		if p.rule == decide {
			o.end(map[approval.Verb]approval.Outcome{approval.Approve: approval.Approved, approval.Reject: approval.Rejected}[d.Verb], d.By, at)
			return true
		}
	}
	if approved, certain := o.settled(); certain && approved {
		o.end(approval.Approved, d.By, at)
	} else if certain {
		o.end(approval.Rejected, d.By, at)
	}
	return true
}

// isFilledIn reports whether an answer has a reason where it takes one, and says yes or no to
// the only question that forms made here have.
func (o *oracle) isFilledIn(d approval.Decision) bool {
	if d.Comment == "" && (o.p.Comment == approval.CommentRequired || o.p.Comment == approval.CommentOnReject && d.Verb == approval.Reject) {
		return false
	}
	said, given := d.Fields["sure"]
	isAsked := len(o.p.Form) > 0 && (o.p.Form[0].When == "" || o.p.Form[0].When == d.Verb)
	if !given {
		return !isAsked || !o.p.Form[0].Required
	}
	return isAsked && (string(said) == "true" || string(said) == "false")
}

// write gives a place an answer, or the places that it fills.
func (o *oracle) write(p *place, answer approval.Verb) {
	p.answer = answer
	if p.rule >= 0 && o.first[p.rule] == "" {
		o.first[p.rule] = answer
	}
	if p.rule != fill {
		return
	}
	for rule := range o.of().Rules {
		if o.isCertain(rule) {
			continue
		}
		for _, other := range o.places {
			if other.rule == rule && other.answer == "" {
				o.write(other, answer)
				break
			}
		}
	}
}

func (o *oracle) delegate(d approval.Decision, mine []*place) bool {
	for _, p := range mine {
		if len(p.held) > o.p.Delegation.Depth {
			return false
		}
	}
	for _, p := range o.places {
		if slices.Contains(p.held, d.To) {
			return false
		}
	}
	allowed := len(o.p.Delegation.To) == 0 || slices.Contains(o.named(o.p.Delegation.To), d.To)
	if len(o.may([]string{d.To})) == 0 || !allowed {
		return false
	}
	for _, p := range mine {
		p.held = append(p.held, d.To)
	}
	return true
}

// nobody requests what only a test asks about.
const nobody = "nobody"

var staff = []string{"ann", "bob", "carol", "dan", "eve", "fay", "gus", "rex"}

// some returns some of the staff.
func some(r *rand.Rand, least, most int) []string {
	order := r.Perm(len(staff))
	var ids []string
	for _, i := range order[:least+r.IntN(most-least+1)] {
		ids = append(ids, staff[i])
	}
	return ids
}

// someOf returns some of the staff, and at times groups of the policy among them, so
// that somebody may be named twice.
func someOf(r *rand.Rand, p *approval.Policy, least, most int) []string {
	names := some(r, least, most)
	for _, group := range slices.Sorted(maps.Keys(p.Groups)) {
		if r.IntN(3) == 0 {
			names[r.IntN(len(names))] = "group:" + group
		}
	}
	return names
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomPolicy returns any policy without business time, which has tests of its
// own.
func randomPolicy(r *rand.Rand) approval.Policy {
	p := approval.Policy{
		Name:       "random",
		Separation: approval.Separation{SelfApproval: r.IntN(4) == 0, DistinctStages: r.IntN(3) == 0},
		Delegation: approval.Delegation{Depth: r.IntN(4)},
	}
	if r.IntN(2) == 0 {
		p.Groups = map[string][]string{"few": some(r, 1, 2), "many": some(r, 2, 4)}
	}
	if r.IntN(3) == 0 {
		p.Delegation.To = someOf(r, &p, 1, 5)
	}
	for n := range 1 + r.IntN(3) {
		s := approval.Stage{
			Name: fmt.Sprint("stage ", n), Deadline: approval.Elapsed(time.Duration(2+r.IntN(10)) * time.Hour),
			Silence: pick(r, approval.Expire, approval.RejectSilently, approval.ApproveSilently),
		}
		for range 1 + r.IntN(3) {
			of := someOf(r, &p, 1, 4)
			most := len((&oracle{p: &p, requester: nobody}).may(of))
			s.Rules = append(s.Rules, approval.Rule{Of: of, Need: pick(r, approval.All, approval.First, approval.Need(1+r.IntN(most)))})
		}
		if r.IntN(2) == 0 {
			s.Remind = &approval.Reminders{
				After: approval.Elapsed(time.Duration(20+r.IntN(60)) * time.Minute), Every: approval.Elapsed(time.Duration(20+r.IntN(30)) * time.Minute), Most: 1 + r.IntN(20),
			}
		}
		if r.IntN(2) == 0 {
			s.Veto = someOf(r, &p, 1, 2)
		}
		after := time.Hour
		for range r.IntN(3) {
			after += time.Duration(r.IntN(180)) * time.Minute
			s.Escalate = append(s.Escalate, approval.Rung{After: approval.Elapsed(after), To: someOf(r, &p, 1, 2), Power: pick(r, "", approval.Decides, approval.Fills)})
		}
		p.Stages = append(p.Stages, s)
	}
	p.Recall = pick(r, "", approval.RecallAnytime, approval.RecallUnheard, approval.RecallNever)
	p.Comment = pick(r, "", approval.CommentOptional, approval.CommentOnReject, approval.CommentRequired)
	if r.IntN(2) == 0 {
		p.Form = []approval.Field{{Name: "sure", Type: approval.BooleanField, Required: r.IntN(2) == 0, When: pick(r, "", approval.Approve, approval.Reject)}}
	}
	return p
}

// fillIn gives an answer a reason and fields, mostly as the policy wants them.
func fillIn(r *rand.Rand, p *approval.Policy, d *approval.Decision) {
	if r.IntN(8) > 0 {
		d.Comment = "as agreed"
	}
	wanted := len(p.Form) > 0 && (p.Form[0].When == "" || p.Form[0].When == d.Verb)
	if wanted != (r.IntN(8) == 0) {
		d.Fields = map[string]json.RawMessage{"sure": json.RawMessage(pick(r, "true", "true", "false", "1", `"true"`, "null"))}
	}
}

// 300 policies, each with many who decide at random, against the oracle.
func TestRandomPoliciesAgainstABruteForceOracle(t *testing.T) {
	outcomes, taken := map[approval.Outcome]int{}, 0
	for seed := range uint64(300) {
		for n := range uint64(runs) { // 5,100 in all, without the race detector
			outcome, effects := runRandom(t, seed, n)
			outcomes[outcome]++
			taken += effects
		}
		if t.Failed() {
			return
		}
	}
	for _, outcome := range []approval.Outcome{approval.Approved, approval.Rejected, approval.Expired, approval.Recalled, approval.Impossible} {
		if outcomes[outcome] < runs {
			t.Errorf("only %d of the requests ended %q, so the test says little about that", outcomes[outcome], outcome)
		}
	}
	t.Logf("%d decisions taken; ended: %v", taken, outcomes)
}

// runRandom puts random decisions to a random policy and to the oracle.
func runRandom(t *testing.T, seed, n uint64) (outcome approval.Outcome, taken int) {
	p := randomPolicy(rand.New(rand.NewPCG(seed, 0)))
	r := rand.New(rand.NewPCG(seed, n+1))
	request := newRequest(t, p, "rex")
	o := &oracle{p: &p, requester: "rex", answered: map[string]int{}}
	o.open(start)
	var script []string
	now := start
	for range 60 {
		now = now.Add(time.Duration(r.IntN(40)) * time.Minute)
		d := approval.Decision{By: pick(r, staff...), Verb: pick(r, approval.Approve, approval.Approve, approval.Approve, approval.Approve, approval.Reject, approval.Delegate), Stage: p.Stages[min(o.stage, len(p.Stages)-1)].Name}
		if r.IntN(150) == 0 {
			d = approval.Decision{By: pick(r, "rex", "ann"), Verb: approval.TakeBack}
		}
		if d.Verb == approval.Delegate {
			d.To = pick(r, append(staff, "zoe")...)
		} else {
			fillIn(r, &p, &d)
		}
		want := o.apply(d, now)
		request.advance(now.Add(-1))
		effects, err := request.Apply(d, now)
		request.effects = append(request.effects, effects...)
		request.open(now)
		script = append(script, fmt.Sprintf("%v %s %s %s @ %s: %v", now.Sub(start), d.By, d.Verb, d.To, d.Stage, err))
		if (err == nil) != want || request.Outcome() != o.outcome || !sameResults(request.Results(), o.results) {
			t.Errorf("seed %d/%d: the oracle says %v, %q, %+v\nbut it is %q, %+v\n%+v\n%s", seed, n, want, o.outcome, o.results, request.Outcome(), request.Results(), p, lines(script))
			return request.Outcome(), taken
		}
		if want {
			taken++
		}
	}
	checkSeparation(t, &p, request)
	end := now.Add(100 * time.Hour)
	request.advance(end)
	checkPressure(t, request)
	if o.pass(end.Add(1)); request.Outcome() != o.outcome || !sameResults(request.Results(), o.results) {
		t.Errorf("seed %d/%d: at the end the oracle says %q, but it is %q", seed, n, o.outcome, request.Outcome())
	}
	return request.Outcome(), taken
}

// checkSeparation holds what was decided to what holds for all policies: nobody
// decides on their own request, or twice in a stage, or in two stages that are to
// be kept apart.
func checkSeparation(t *testing.T, p *approval.Policy, r *request) {
	t.Helper()
	decided := map[string][]string{} // by person, the stages
	for _, record := range r.Records() {
		if record.Verb == approval.TakeBack {
			continue
		}
		if record.By == "rex" && !p.Separation.SelfApproval || record.To == "rex" && !p.Separation.SelfApproval {
			t.Errorf("a requester took part: %+v", record)
		}
		if record.Verb == approval.Delegate {
			continue
		}
		before := decided[record.By]
		if slices.Contains(before, record.Stage) || p.Separation.DistinctStages && len(before) > 0 {
			t.Errorf("%s decided in %v, and again: %+v", record.By, before, record)
		}
		decided[record.By] = append(before, record.Stage)
	}
}

// checkPressure holds what people were told to what anybody may be told: within an hour
// three messages about one question.
func checkPressure(t *testing.T, r *request) {
	t.Helper()
	type question struct{ to, stage string }
	told := map[question][]time.Time{}
	for _, e := range r.effects {
		if e.Kind != approval.Ask && e.Kind != approval.Remind {
			continue
		}
		q := question{e.To, e.Stage}
		told[q] = append(told[q], e.At)
		if n := len(told[q]); n > approval.MaxMessages && e.At.Sub(told[q][n-1-approval.MaxMessages]) < time.Hour {
			t.Errorf("%s was told too often in the stage %q: %v", e.To, e.Stage, told[q])
		}
	}
}

// sameResults compares all but the words.
func sameResults(a, b []approval.Result) bool {
	return slices.EqualFunc(a, b, func(a, b approval.Result) bool {
		return a.Stage == b.Stage && a.Outcome == b.Outcome && a.By == b.By && a.At.Equal(b.At)
	})
}

func lines(script []string) (text string) {
	for _, line := range script {
		text += line + "\n"
	}
	return text
}
