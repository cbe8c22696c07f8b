package approval_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
)

// start is when all requests begin.
var start = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

// request is a request that a test drives.
type request struct {
	t      *testing.T
	policy *approval.Policy
	*approval.State
	effects []approval.Effect
}

func newRequest(t *testing.T, p approval.Policy, requester string) *request {
	t.Helper()
	if p.Name == "" {
		p.Name = "test"
	}
	for i := range p.Stages {
		if p.Stages[i].Deadline.IsZero() {
			p.Stages[i].Deadline = approval.Elapsed(24 * time.Hour)
		}
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	r := &request{t: t, policy: &p, State: approval.NewState(&p, requester)}
	r.open(start)
	return r
}

// open begins the stage that is to begin, if there is one.
func (r *request) open(at time.Time) {
	r.t.Helper()
	stage, ok := r.ToOpen()
	if !ok {
		return
	}
	schedule, err := approval.Plan(r.policy, stage, at)
	if err != nil {
		r.t.Fatal(err)
	}
	r.effects = append(r.effects, r.Open(schedule)...)
}

// advance lets time pass, stage by stage.
func (r *request) advance(to time.Time) {
	r.t.Helper()
	for {
		at, _, ok := r.Next()
		if !ok || at.After(to) {
			return
		}
		r.effects = append(r.effects, r.Advance(at)...)
		r.open(at)
	}
}

// does lets somebody do something, in words: after how long since the start, who,
// what, to whom, and the reason of the refusal if there is to be one:
//
//	1h ann delegate bob
//	2h ann approve : handed-on
//	3h bob approve @ stage : not-your-turn
func (r *request) does(line string) {
	r.t.Helper()
	words, reason, _ := strings.Cut(line, " : ")
	words, stage, named := strings.Cut(words, " @ ")
	part := strings.Fields(words)
	after, err := time.ParseDuration(part[0])
	if err != nil {
		r.t.Fatal(err)
	}
	r.advance(start.Add(after - 1))
	d := approval.Decision{By: part[1], Verb: approval.Verb(part[2]), Stage: r.Stage(), Comment: "because"}
	if named {
		d.Stage = stage
	}
	if len(part) > 3 {
		d.To = part[3]
	}
	effects, err := r.Apply(d, start.Add(after))
	r.effects = append(r.effects, effects...)
	got := ""
	if refusal := (*approval.Refusal)(nil); errors.As(err, &refusal) {
		got = string(refusal.Reason)
	}
	if got != reason {
		r.t.Errorf("%s: got %q (%v), want %q", line, got, err, reason)
	}
	r.open(start.Add(after))
}

func rule(need approval.Need, of ...string) approval.Rule { return approval.Rule{Of: of, Need: need} }

func one(stage approval.Stage) approval.Policy {
	stage.Name = "one"
	return approval.Policy{Stages: []approval.Stage{stage}}
}

func rules(all ...approval.Rule) approval.Policy { return one(approval.Stage{Rules: all}) }

func TestHowRequestsAreDecided(t *testing.T) {
	withVeto := one(approval.Stage{Rules: []approval.Rule{rule(2, "ann", "bob", "carol")}, Veto: []string{"lea", "bob"}})
	sequential := approval.Policy{Stages: []approval.Stage{
		{Name: "one", Rules: []approval.Rule{rule(approval.All, "ann")}}, {Name: "two", Rules: []approval.Rule{rule(approval.All, "bob")}},
	}}
	distinct := approval.Policy{Separation: approval.Separation{DistinctStages: true}, Stages: []approval.Stage{
		{Name: "one", Rules: []approval.Rule{rule(1, "ann", "bob")}}, {Name: "two", Rules: []approval.Rule{rule(1, "ann", "bob", "carol")}},
	}}
	groups := approval.Policy{
		Stages: []approval.Stage{{Name: "one", Rules: []approval.Rule{rule(2, "group:finance", "ann"), rule(1, "group:legal")}}},
		Groups: map[string][]string{"finance": {"ann", "Bob", "rex", "carol"}, "legal": {"lea", "bob"}},
	}
	tests := map[string]struct {
		policy approval.Policy
		lines  []string
		want   approval.Outcome
		by     string
		after  time.Duration
	}{
		"one approves":                    {rules(rule(approval.All, "ann")), []string{"1h ann approve"}, approval.Approved, "ann", time.Hour},
		"one rejects":                     {rules(rule(approval.All, "ann")), []string{"1h ann reject"}, approval.Rejected, "ann", time.Hour},
		"the first stands":                {rules(rule(approval.All, "ann")), []string{"1h ann reject", "2h ann approve : already-answered"}, approval.Rejected, "ann", time.Hour},
		"case does not count":             {rules(rule(approval.All, "Ann")), []string{"1h aNN approve"}, approval.Approved, "ann", time.Hour},
		"all":                             {rules(rule(approval.All, "ann", "bob")), []string{"1h bob approve", "2h bob reject : already-answered", "3h ann approve"}, approval.Approved, "ann", 3 * time.Hour},
		"all, one rejects":                {rules(rule(approval.All, "ann", "bob")), []string{"1h bob reject", "2h ann approve : already-decided"}, approval.Rejected, "bob", time.Hour},
		"the first approves":              {rules(rule(approval.First, "ann", "bob")), []string{"1h bob approve", "2h ann reject : already-decided"}, approval.Approved, "bob", time.Hour},
		"the first rejects":               {rules(rule(approval.First, "ann", "bob")), []string{"1h bob reject", "2h ann approve : already-decided"}, approval.Rejected, "bob", time.Hour},
		"two of three":                    {rules(rule(2, "ann", "bob", "carol")), []string{"1h ann approve", "2h bob reject", "3h carol approve"}, approval.Approved, "carol", 3 * time.Hour},
		"two of three cannot be":          {rules(rule(2, "ann", "bob", "carol")), []string{"1h ann reject", "2h bob reject", "3h carol approve : already-decided"}, approval.Rejected, "bob", 2 * time.Hour},
		"one of two rejects":              {rules(rule(1, "ann", "bob")), []string{"1h ann reject", "2h bob approve"}, approval.Approved, "bob", 2 * time.Hour},
		"two rules":                       {rules(rule(1, "ann", "bob"), rule(approval.All, "carol")), []string{"1h ann approve", "2h bob reject : already-decided", "3h carol approve"}, approval.Approved, "carol", 3 * time.Hour},
		"one answer in two rules":         {rules(rule(2, "ann", "bob"), rule(1, "ann")), []string{"1h ann approve", "2h bob approve"}, approval.Approved, "bob", 2 * time.Hour},
		"a stranger":                      {rules(rule(approval.All, "ann")), []string{"1h eve approve : not-asked", "2h ann approve"}, approval.Approved, "ann", 2 * time.Hour},
		"an unknown verb":                 {rules(rule(approval.All, "ann")), []string{"1h ann agree : bad-answer", "2h ann approve"}, approval.Approved, "ann", 2 * time.Hour},
		"groups":                          {groups, []string{"1h bob approve", "2h carol approve"}, approval.Approved, "carol", 2 * time.Hour},
		"the requester in a group":        {groups, []string{"1h rex approve : barred", "2h REX approve : barred", "3h bob approve", "4h ann approve"}, approval.Approved, "ann", 4 * time.Hour},
		"a veto":                          {withVeto, []string{"1h ann approve", "2h lea reject", "3h carol approve : already-decided"}, approval.Rejected, "lea", 2 * time.Hour},
		"a veto with a seat":              {withVeto, []string{"1h bob reject", "2h carol approve : already-decided"}, approval.Rejected, "bob", time.Hour},
		"no objection":                    {withVeto, []string{"1h lea approve", "2h ann approve", "3h carol approve"}, approval.Approved, "carol", 3 * time.Hour},
		"a veto too late":                 {withVeto, []string{"1h ann approve", "2h carol approve", "3h lea reject : already-decided"}, approval.Approved, "carol", 2 * time.Hour},
		"one after another":               {sequential, []string{"1h bob approve @ two : not-your-turn", "2h bob approve : not-asked", "3h ann approve", "4h ann approve @ one : already-answered", "5h bob approve"}, approval.Approved, "bob", 5 * time.Hour},
		"the first stage rejects":         {sequential, []string{"1h ann reject", "2h bob approve @ two : already-decided"}, approval.Rejected, "ann", time.Hour},
		"for another stage":               {sequential, []string{"1h ann approve @ three : bad-answer", "2h ann approve", "3h bob approve @ one : already-decided"}, "", "", 0},
		"distinct stages":                 {distinct, []string{"1h ann approve", "2h ann approve : barred", "3h bob approve"}, approval.Approved, "bob", 3 * time.Hour},
		"recalled":                        {rules(rule(approval.All, "ann")), []string{"1h eve recall : not-allowed", "2h rex recall", "3h ann approve : taken-back"}, approval.Recalled, "rex", 2 * time.Hour},
		"nobody answers":                  {rules(rule(approval.All, "ann")), []string{"24h eve approve : not-asked", "24h1m ann approve : too-late"}, approval.Expired, "", 24 * time.Hour},
		"at the deadline":                 {rules(rule(approval.All, "ann")), []string{"24h ann approve"}, approval.Approved, "ann", 24 * time.Hour},
		"silence rejects":                 {one(approval.Stage{Rules: []approval.Rule{rule(2, "ann", "bob")}, Silence: approval.RejectSilently}), []string{"1h ann approve", "25h bob approve : already-decided"}, approval.Rejected, "", 24 * time.Hour},
		"silence approves":                {one(approval.Stage{Rules: []approval.Rule{rule(2, "ann", "bob", "carol")}, Silence: approval.ApproveSilently}), []string{"1h ann reject", "25h bob reject : already-decided"}, approval.Approved, "", 24 * time.Hour},
		"nobody may decide":               {rules(rule(approval.All, "rex")), nil, approval.Impossible, "", 0},
		"too few may decide":              {rules(rule(2, "rex", "ann")), nil, approval.Impossible, "", 0},
		"silence of nobody":               {one(approval.Stage{Rules: []approval.Rule{rule(approval.All, "rex")}, Silence: approval.ApproveSilently, Escalate: []approval.Rung{{After: approval.Elapsed(time.Hour), To: []string{"cfo"}}}}), []string{"25h cfo approve : too-late"}, approval.Expired, "", 24 * time.Hour},
		"their own request is allowed":    {approval.Policy{Stages: rules(rule(approval.All, "rex")).Stages, Separation: approval.Separation{SelfApproval: true}}, []string{"1h rex approve"}, approval.Approved, "rex", time.Hour},
		"only the requester is a manager": {one(approval.Stage{Rules: []approval.Rule{rule(approval.All, "rex")}, Escalate: []approval.Rung{{After: approval.Elapsed(time.Hour), To: []string{"rex"}}, {After: approval.Elapsed(2 * time.Hour), To: []string{"cfo"}}}}), []string{"1m cfo approve"}, approval.Approved, "cfo", time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, test.policy, "Rex")
			for _, line := range test.lines {
				r.does(line)
			}
			checkEnd(t, r, test.want, test.by, test.after)
		})
	}
}

func checkEnd(t *testing.T, r *request, want approval.Outcome, by string, after time.Duration) {
	t.Helper()
	if r.Outcome() != want {
		t.Fatalf("ended %q, want %q: %+v", r.Outcome(), want, r.Results())
	}
	if want == "" {
		return
	}
	if results := r.Results(); results[len(results)-1].By != by || !results[len(results)-1].At.Equal(start.Add(after)) {
		t.Errorf("ended by %+v, want %s after %v", results[len(results)-1], by, after)
	}
}

func TestDelegation(t *testing.T) {
	free := approval.Policy{Stages: rules(rule(2, "ann", "bob", "carol")).Stages, Delegation: approval.Delegation{Depth: 2}}
	once := free
	once.Delegation = approval.Delegation{Depth: 1, To: []string{"dan", "rex"}}
	tests := map[string]struct {
		policy approval.Policy
		lines  []string
		want   approval.Outcome
	}{
		"handed on":             {free, []string{"1h ann delegate dan", "2h ann approve : handed-on", "3h dan approve", "4h bob approve"}, approval.Approved},
		"twice":                 {free, []string{"1h ann delegate dan", "2h dan delegate eve", "3h eve delegate fay : not-allowed", "4h eve approve", "5h bob approve"}, approval.Approved},
		"no way back":           {free, []string{"1h ann delegate dan", "2h dan delegate ann : bad-delegate"}, ""},
		"to oneself":            {free, []string{"1h ann delegate Ann : bad-delegate"}, ""},
		"to nobody":             {free, []string{"1h ann delegate : bad-delegate"}, ""},
		"to a group":            {free, []string{"1h ann delegate group:x : bad-delegate"}, ""},
		"to the requester":      {free, []string{"1h ann delegate REX : bad-delegate"}, ""},
		"two seats in one":      {free, []string{"1h ann delegate bob : bad-delegate"}, ""},
		"two to the same":       {free, []string{"1h ann delegate dan", "2h bob delegate dan : bad-delegate"}, ""},
		"to who had a seat":     {free, []string{"1h ann delegate dan", "2h bob delegate ann : bad-delegate"}, ""},
		"to who has answered":   {free, []string{"1h ann approve", "2h bob delegate ann : bad-delegate"}, ""},
		"what one has not":      {free, []string{"1h eve delegate dan : not-asked"}, ""},
		"what one has answered": {free, []string{"1h ann approve", "2h ann delegate dan : already-answered"}, ""},
		"not to others":         {once, []string{"1h ann delegate eve : bad-delegate", "2h ann delegate dan", "3h dan delegate rex : not-allowed"}, ""},
		"not at all":            {rules(rule(2, "ann", "bob")), []string{"1h ann delegate dan : not-allowed"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, test.policy, "rex")
			for _, line := range test.lines {
				r.does(line)
			}
			if r.Outcome() != test.want {
				t.Errorf("ended %q, want %q", r.Outcome(), test.want)
			}
		})
	}
}

func TestADecisionTellsForWhomItWasMade(t *testing.T) {
	p := approval.Policy{Stages: rules(rule(1, "ann", "bob")).Stages, Delegation: approval.Delegation{Depth: 2}}
	r := newRequest(t, p, "rex")
	r.does("1h ann delegate dan")
	r.does("2h dan delegate eve")
	r.does("3h eve approve")
	if last := r.Records()[2]; last.By != "eve" || !slices.Equal(last.For, []string{"ann"}) || !last.At.Equal(start.Add(3*time.Hour)) {
		t.Errorf("%+v", last)
	}
}

// timeline writes effects as lines: after how long, what, to whom.
func (r *request) timeline() (lines []string) {
	for _, e := range r.effects {
		lines = append(lines, fmt.Sprintf("%v %s %s", e.At.Sub(start), e.Kind, e.To))
	}
	return lines
}

func TestRemindersAndTheLadder(t *testing.T) {
	ladder := func(power approval.Power) approval.Policy {
		return one(approval.Stage{
			Rules:    []approval.Rule{rule(2, "ann", "bob")},
			Remind:   &approval.Reminders{After: approval.Elapsed(4 * time.Hour), Every: approval.Elapsed(10 * time.Hour), Most: 5},
			Escalate: []approval.Rung{{After: approval.Elapsed(8 * time.Hour), To: []string{"cfo", "ann", "rex"}, Power: power}, {After: approval.Elapsed(48 * time.Hour), To: []string{"ceo"}}},
		})
	}
	tests := map[string]struct {
		policy approval.Policy
		lines  []string
		want   approval.Outcome
		last   []string // of the effects
	}{
		"nobody answers": {ladder(approval.Decides), []string{"25h ann approve : too-late"}, approval.Expired, []string{
			"0s ask ann", "0s ask bob", "4h0m0s remind ann", "4h0m0s remind bob", "8h0m0s ask cfo", "8h0m0s ask ann",
			"14h0m0s remind ann", "14h0m0s remind bob", "14h0m0s remind cfo", "24h0m0s withdraw ann", "24h0m0s withdraw bob", "24h0m0s withdraw cfo", "24h0m0s tell rex",
		}},
		"who has answered is not reminded": {ladder(approval.Decides), []string{"1h ann approve", "9h cfo approve"}, approval.Approved, []string{
			"4h0m0s remind bob", "8h0m0s ask cfo", "9h0m0s withdraw bob", "9h0m0s tell rex",
		}},
		"the rung rejects":                {ladder(approval.Decides), []string{"1h ann approve", "9h cfo reject", "10h bob approve : already-decided"}, approval.Rejected, []string{"9h0m0s withdraw bob", "9h0m0s tell rex"}},
		"before the rung":                 {ladder(approval.Decides), []string{"8h cfo approve : not-asked"}, "", []string{"4h0m0s remind ann", "4h0m0s remind bob"}},
		"a silent one has the rung's too": {ladder(approval.Decides), []string{"9h ann approve"}, approval.Approved, []string{"9h0m0s withdraw bob", "9h0m0s withdraw cfo", "9h0m0s tell rex"}},
		"one fills one seat":              {ladder(approval.Fills), []string{"9h cfo approve", "10h ann approve : already-decided", "11h bob approve"}, approval.Approved, []string{"9h0m0s withdraw ann", "11h0m0s tell rex"}},
		"who fills may reject":            {ladder(approval.Fills), []string{"9h cfo reject"}, approval.Rejected, []string{"9h0m0s withdraw ann", "9h0m0s withdraw bob", "9h0m0s tell rex"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, test.policy, "rex")
			for _, line := range test.lines {
				r.does(line)
			}
			got := r.timeline()
			if r.Outcome() != test.want || !slices.Equal(got[max(0, len(got)-len(test.last)):], test.last) {
				t.Errorf("ended %q, want %q, with\n%s", r.Outcome(), test.want, strings.Join(got, "\n"))
			}
		})
	}
}

func TestRecallIsAsThePolicySays(t *testing.T) {
	for recall, lines := range map[approval.Recall][]string{
		"":                     {"1h ann approve", "2h rex recall"},
		approval.RecallUnheard: {"1h ann approve", "2h rex recall : not-allowed"},
		approval.RecallNever:   {"2h rex recall : not-allowed"},
	} {
		p := rules(rule(2, "ann", "bob"))
		p.Recall = recall
		r := newRequest(t, p, "rex")
		for _, line := range lines {
			r.does(line)
		}
	}
}

func TestTheFormIsHeldTo(t *testing.T) {
	p := everything()
	p.Stages, p.Delegation = rules(rule(1, "ann")).Stages, approval.Delegation{}
	raw := func(pairs ...string) map[string]json.RawMessage {
		fields := map[string]json.RawMessage{}
		for i := 0; i < len(pairs); i += 2 {
			fields[pairs[i]] = json.RawMessage(pairs[i+1])
		}
		return fields
	}
	tests := map[string]struct {
		verb    approval.Verb
		comment string
		fields  map[string]json.RawMessage
		field   string // that is wrong; empty if nothing is
		text    string
	}{
		"well":                   {approval.Approve, "", raw("amount", "12.5"), "", ""},
		"well rejected":          {approval.Reject, "no", raw("why", `"not needed"`), "", ""},
		"missing":                {approval.Approve, "", nil, "amount", "Amount approved is missing"},
		"no number":              {approval.Approve, "", raw("amount", `"12"`), "amount", "Amount approved is no number"},
		"null":                   {approval.Approve, "", raw("amount", `null`), "amount", "Amount approved is no number"},
		"too little":             {approval.Approve, "", raw("amount", `-1`), "amount", "Amount approved is less than 0"},
		"too much":               {approval.Approve, "", raw("amount", `1e7`), "amount", "Amount approved is more than 1e+06"},
		"for the other answer":   {approval.Reject, "no", raw("amount", "1"), "amount", "Amount approved is asked for only of those who approve"},
		"no choice":              {approval.Reject, "no", raw("why", `"other"`), "why", "why is none of the choices: too expensive, not needed"},
		"not asked for":          {approval.Approve, "", raw("amount", "1", "x", "1"), "x", "x is not asked for"},
		"too long":               {approval.Approve, "", raw("amount", "1", "note", `"`+strings.Repeat("x", 101)+`"`), "note", "note is too long: use at most 100 characters"},
		"no text":                {approval.Approve, "", raw("amount", "1", "note", `{}`), "note", "note is no text"},
		"no reason":              {approval.Reject, " ", nil, "comment", "the comment is missing: give a reason"},
		"control characters":     {approval.Reject, "a\x1b[2J", nil, "comment", "the comment is not plain text: leave out characters that cannot be seen"},
		"lines are plain":        {approval.Reject, "a\r\nb", nil, "", ""},
		"much too long a reason": {approval.Reject, strings.Repeat("ü", approval.MaxText+1), nil, "comment", "the comment is too long: use at most 2000 characters"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRequest(t, p, "rex")
			_, err := r.Apply(approval.Decision{By: "ann", Verb: test.verb, Stage: "one", Comment: test.comment, Fields: test.fields}, start.Add(time.Hour))
			refusal := (*approval.Refusal)(nil)
			if test.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.As(err, &refusal) || refusal.Reason != approval.BadAnswer || refusal.Field != test.field || refusal.Text != test.text || r.Outcome() != "" {
				t.Errorf("got %v, want %s", err, test.text)
			}
		})
	}
}

func TestALaterDeciderIsToldWhoDecidedAndWhen(t *testing.T) {
	r := newRequest(t, rules(rule(1, "ann", "bob")), "rex")
	r.does("1h ann approve")
	_, err := r.Apply(approval.Decision{By: "bob", Verb: approval.Reject, Stage: "one"}, start.Add(2*time.Hour))
	refusal := (*approval.Refusal)(nil)
	if !errors.As(err, &refusal) || refusal.By != "ann" || !refusal.At.Equal(start.Add(time.Hour)) ||
		refusal.Text != `the stage "one" was approved by ann at 2026-11-25 10:00:00 UTC` {
		t.Errorf("%+v", err)
	}
}

func TestARungIsNeverEarlierThanTheOneBelow(t *testing.T) {
	p := one(approval.Stage{Rules: []approval.Rule{rule(approval.All, "ann")}, Deadline: approval.Elapsed(8 * time.Hour), Escalate: []approval.Rung{
		{After: approval.Elapsed(4 * time.Hour), To: []string{"cfo"}}, {After: approval.Elapsed(2 * time.Hour), To: []string{"ceo"}},
	}})
	schedule, err := approval.Plan(&p, 0, start)
	if want := start.Add(4 * time.Hour); err != nil || len(schedule.Rungs) != 2 || !schedule.Rungs[0].Equal(want) || !schedule.Rungs[1].Equal(want) {
		t.Errorf("%v, %v", schedule, err)
	}
}
