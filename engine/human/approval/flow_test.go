package approval_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/links"
)

const approve engine.Orchestrator[approval.Request, approval.Ending] = "Approve"

// board is a Notifier that keeps what it is told.
type board struct {
	mu      sync.Mutex
	notices map[string]approval.Notice // by the key of the call
	links   map[string]string          // by the same
	order   []string
	fail    func(approval.Notice) error
}

func (b *board) Notify(ctx context.Context, n approval.Notice, link links.Link) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		if err := b.fail(n); err != nil {
			return err
		}
	}
	key := engine.CallOf(ctx).Key()
	if _, told := b.notices[key]; !told {
		b.order = append(b.order, key)
	} else if b.links[key] != link.Reveal() {
		return fmt.Errorf("%s gets another link when told again", n.To)
	}
	b.notices[key], b.links[key] = n, link.Reveal()
	return nil
}

// linksTo returns the links that went to a person, in order.
func (b *board) linksTo(id string) (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range b.order {
		if b.notices[key].To == id && b.links[key] != "" {
			all = append(all, b.links[key])
		}
	}
	return all
}

// maker makes the links of these tests.
var maker, _ = links.New(make([]byte, links.KeySize), "https://app.example/api/approve")

// lines writes what was told: what, to whom.
func (b *board) lines() (lines []string) {
	for _, key := range b.order {
		lines = append(lines, string(b.notices[key].Kind)+" "+b.notices[key].To)
	}
	return lines
}

func newFlow(b *board) *engine.Registry {
	b.notices, b.links = map[string]approval.Notice{}, map[string]string{}
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, approve, approval.Decide)
	approval.AddApprovals(r, b, maker)
	return r
}

// gate asks two of three, and goes up after two hours.
func gate() approval.Request {
	p := approval.Policy{Name: "gate", Stages: []approval.Stage{
		{
			Name: "one", Rules: []approval.Rule{rule(2, "ann", "bob", "carol")}, Veto: []string{"sam"}, Deadline: approval.Elapsed(4 * time.Hour),
			Remind:   &approval.Reminders{After: approval.Elapsed(time.Hour), Most: 1},
			Escalate: []approval.Rung{{After: approval.Elapsed(2 * time.Hour), To: []string{"cfo"}}},
		},
		{Name: "two", Rules: []approval.Rule{rule(approval.All, "dora")}, Deadline: approval.Elapsed(4 * time.Hour), Silence: approval.RejectSilently},
	}}
	return approval.Request{Policy: p, Requester: "rex", Content: approval.Content{Title: "Release 7"}}
}

func says(by string, verb approval.Verb, stage string) approval.Decision {
	return approval.Decision{By: by, Verb: verb, Stage: stage}
}

func TestAnApprovalOnTheEngine(t *testing.T) {
	type said struct {
		after time.Duration
		what  approval.Decision
	}
	tests := map[string]struct {
		said    []said
		want    approval.Outcome
		by      string
		elapsed time.Duration
		told    []string
	}{
		"both stages approve": {
			[]said{{time.Minute, says("ann", approval.Approve, "one")}, {2 * time.Minute, says("eve", approval.Approve, "one")}, {3 * time.Minute, says("bob", approval.Approve, "one")}, {5 * time.Minute, says("dora", approval.Approve, "two")}},
			approval.Approved, "dora", 5 * time.Minute,
			[]string{"ask ann", "ask bob", "ask carol", "ask sam", "withdraw carol", "withdraw sam", "ask dora", "tell rex"},
		},
		"a veto": {
			[]said{{time.Minute, says("ann", approval.Approve, "one")}, {2 * time.Minute, says("sam", approval.Reject, "one")}},
			approval.Rejected, "sam", 2 * time.Minute,
			[]string{"ask ann", "ask bob", "ask carol", "ask sam", "withdraw bob", "withdraw carol", "tell rex"},
		},
		"nobody answers": {
			nil, approval.Expired, "", 4 * time.Hour,
			[]string{"ask ann", "ask bob", "ask carol", "ask sam", "remind ann", "remind bob", "remind carol", "ask cfo", "withdraw ann", "withdraw bob", "withdraw carol", "withdraw sam", "withdraw cfo", "tell rex"},
		},
		"the ladder, then silence": {
			[]said{{3 * time.Hour, says("cfo", approval.Approve, "one")}},
			approval.Rejected, "", 7 * time.Hour,
			[]string{"ask ann", "ask bob", "ask carol", "ask sam", "remind ann", "remind bob", "remind carol", "ask cfo", "withdraw ann", "withdraw bob", "withdraw carol", "withdraw sam", "ask dora", "withdraw dora", "tell rex"},
		},
		"recalled": {
			[]said{{time.Minute, approval.Decision{By: "rex", Verb: approval.TakeBack}}},
			approval.Recalled, "rex", time.Minute,
			[]string{"ask ann", "ask bob", "ask carol", "ask sam", "withdraw ann", "withdraw bob", "withdraw carol", "withdraw sam", "tell rex"},
		},
		"at the deadline": {
			[]said{{time.Minute, says("ann", approval.Approve, "one")}, {4 * time.Hour, says("bob", approval.Approve, "one")}, {8 * time.Hour, says("dora", approval.Approve, "two")}},
			approval.Approved, "dora", 8 * time.Hour, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := &board{}
			env := enginetest.New(t, newFlow(b))
			for _, s := range test.said {
				enginetest.Raise(env, s.after, approval.ApprovalDecision, s.what)
			}
			ending, err := enginetest.Run(env, approve, gate())
			if err != nil || ending.Outcome != test.want || ending.Stages[len(ending.Stages)-1].By != test.by || env.Elapsed() != test.elapsed {
				t.Errorf("%v after %v: %+v", err, env.Elapsed(), ending)
			}
			if got := b.lines(); test.told != nil && !slices.Equal(got, test.told) {
				t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.told, "\n"))
			}
		})
	}
}

func TestAnApprovalSurvivesEveryCrash(t *testing.T) {
	b := &board{}
	enginetest.EveryCrash(t, newFlow(b), func(env *enginetest.Env) {
		enginetest.Raise(env, time.Minute, approval.ApprovalDecision, says("ann", approval.Approve, "one"))
		enginetest.Raise(env, 150*time.Minute, approval.ApprovalDecision, says("cfo", approval.Approve, "one"))
		enginetest.Raise(env, 151*time.Minute, approval.ApprovalDecision, says("dora", approval.Approve, "two"))
		ending, err := enginetest.Run(env, approve, gate())
		if err != nil || ending.Outcome != approval.Approved || len(ending.Decisions) != 3 {
			env.Errorf("%v: %+v", err, ending)
		}
	})
}

func TestANoticeThatCannotBeSentIsToldInTheResult(t *testing.T) {
	b := &board{fail: func(n approval.Notice) error {
		if n.To == "bob" {
			return errors.New("there is no bob")
		}
		return nil
	}}
	env := enginetest.New(t, newFlow(b))
	enginetest.Raise(env, 90*time.Minute, approval.ApprovalDecision, says("sam", approval.Reject, "one"))
	ending, err := enginetest.Run(env, approve, gate())
	if err != nil || ending.Outcome != approval.Rejected || len(ending.Unsent) != 3 || ending.Unsent[0].To != "bob" {
		t.Errorf("%v: %+v", err, ending)
	}
}

// later is the error of a way that wants to be left alone for hours.
type later struct{ error }

func (later) RetryAfter() time.Duration { return 3 * time.Hour }

// What is decided goes on, although somebody can't be told that no answer is wanted any more.
func TestTheEndingHardlyWaitsForWhoeverCannotBeTold(t *testing.T) {
	for kind, most := range map[approval.EffectKind]time.Duration{approval.Withdraw: 2 * time.Minute, approval.Tell: 20 * time.Minute} {
		for name, err := range map[string]error{"down": errors.New("no route"), "limited": later{errors.New("too many")}} {
			b := &board{fail: func(n approval.Notice) error {
				if n.Kind == kind {
					return err
				}
				return nil
			}}
			env := enginetest.New(t, newFlow(b))
			enginetest.Raise(env, 10*time.Minute, approval.ApprovalDecision, says("sam", approval.Reject, "one"))
			ending, err := enginetest.Run(env, approve, gate())
			if err != nil || ending.Outcome != approval.Rejected || len(ending.Unsent) == 0 || env.Elapsed() > 10*time.Minute+most {
				t.Errorf("%s, %s: %v after %v: %+v", kind, name, err, env.Elapsed(), ending)
			}
		}
	}
}

func TestABadRequestFailsAtOnce(t *testing.T) {
	for name, change := range map[string]func(*approval.Request){
		"requester": func(r *approval.Request) { r.Requester = "" },
		"title":     func(r *approval.Request) { r.Content.Title = "" },
		"deadline":  func(r *approval.Request) { r.Policy.Stages[0].Deadline = approval.Span{} },
	} {
		request := gate()
		change(&request)
		b := &board{}
		env := enginetest.New(t, newFlow(b))
		if ending, err := enginetest.Run(env, approve, request); err == nil || !strings.Contains(err.Error(), name+" is") || len(b.order) > 0 {
			t.Errorf("%s: %+v, %v, told %v", name, ending, err, b.lines())
		}
	}
}

// The worker was late: a decision that came in time counts, whenever its turn is.
func TestADecisionInTimeCountsHoweverLateItsTurnIs(t *testing.T) {
	env := enginetest.New(t, newFlow(&board{}))
	enginetest.Raise(env, time.Minute, approval.ApprovalDecision, says("ann", approval.Approve, "one"))
	env.Suspend(3 * time.Hour)
	enginetest.Raise(env, 4*time.Hour-1, approval.ApprovalDecision, says("bob", approval.Approve, "one"))
	env.Resume(5 * time.Hour)
	enginetest.Raise(env, 6*time.Hour, approval.ApprovalDecision, says("dora", approval.Approve, "two"))
	ending, err := enginetest.Run(env, approve, gate())
	if err != nil || ending.Outcome != approval.Approved || ending.Stages[0].By != "bob" || ending.Stages[0].At.After(enginetest.Epoch.Add(4*time.Hour)) {
		t.Errorf("%v: %+v", err, ending)
	}
}

// Who could not be asked so far is not asked after it is decided.
func TestAQuestionThatIsNoLongerOpenIsNotSent(t *testing.T) {
	b := &board{fail: func(n approval.Notice) error {
		if n.To == "bob" && n.Kind == approval.Ask {
			return errors.New("bob is out")
		}
		return nil
	}}
	env := enginetest.New(t, newFlow(b))
	enginetest.Raise(env, time.Minute, approval.ApprovalDecision, says("sam", approval.Reject, "one"))
	ending, err := enginetest.Run(env, approve, gate())
	if err != nil || len(ending.Unsent) > 0 || env.Elapsed() != time.Minute {
		t.Errorf("%v after %v: %+v", err, env.Elapsed(), ending)
	}
}

// A reminder repeats the link of the question, another stage has another one, and
// who is told that no answer is wanted has none.
func TestThereIsOneLinkForEachPersonAndQuestion(t *testing.T) {
	b := &board{}
	env := enginetest.New(t, newFlow(b))
	enginetest.Raise(env, 90*time.Minute, approval.ApprovalDecision, says("ann", approval.Approve, "one"))
	enginetest.Raise(env, 91*time.Minute, approval.ApprovalDecision, says("bob", approval.Approve, "one"))
	if _, err := enginetest.Run(env, approve, gate()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for id, want := range map[string]int{"ann": 2, "bob": 2, "carol": 2, "sam": 1, "dora": 1, "rex": 1} {
		all := b.linksTo(id)
		if len(all) != want || len(slices.Compact(all)) != 1 {
			t.Errorf("%s got %q", id, all)
			continue
		}
		if other, taken := seen[all[0]]; taken {
			t.Errorf("%s and %s have one link", id, other)
		}
		seen[all[0]] = id
	}
}

// release8 is what the requester wants instead.
var release8 = approval.Content{Title: "Release 8", Details: []approval.Detail{{Label: "Why", Text: "7 is broken"}}}

func changesTo(to approval.Content) approval.Decision {
	return approval.Decision{By: "rex", Via: approval.ViaLink, Verb: approval.Change, Content: &to}
}

func TestAChangedRequestIsDecidedAnewWithNewLinks(t *testing.T) {
	b := &board{}
	env := enginetest.New(t, newFlow(b))
	old, request := says("bob", approval.Approve, "one"), gate()
	old.Digest = request.Digest()
	enginetest.Raise(env, time.Minute, approval.ApprovalDecision, says("ann", approval.Approve, "one"))
	enginetest.Raise(env, 2*time.Minute, approval.ApprovalDecision, changesTo(release8))
	enginetest.Raise(env, 3*time.Minute, approval.ApprovalDecision, old)
	enginetest.Raise(env, 4*time.Minute, approval.ApprovalDecision, says("sam", approval.Reject, "one"))
	ending, err := enginetest.Run(env, approve, request)
	if err != nil || ending.Outcome != approval.Rejected || ending.Revision != 1 || len(ending.Decisions) != 1 || ending.Decisions[0].By != "sam" {
		t.Errorf("%v: %+v", err, ending)
	}
	if len(ending.Earlier) != 2 || ending.Earlier[0].By != "ann" || ending.Earlier[1].Verb != approval.Change {
		t.Errorf("what was before: %+v", ending.Earlier)
	}
	if all := b.linksTo("ann"); len(all) != 2 || all[0] == all[1] {
		t.Errorf("ann got %q", all)
	}
}

func TestWhoMayChangeARequestAndHow(t *testing.T) {
	long := approval.Content{Title: "x", Details: []approval.Detail{{Label: "y", Text: strings.Repeat("é", 2001)}}}
	for name, test := range map[string]struct {
		change approval.Decision
		recall approval.Recall
		taken  bool
	}{
		"the requester":         {changesTo(release8), "", true},
		"another":               {approval.Decision{By: "ann", Verb: approval.Change, Content: &release8}, "", false},
		"to nothing":            {approval.Decision{By: "rex", Verb: approval.Change}, "", false},
		"to what is too long":   {changesTo(long), "", false},
		"to what is not seen":   {changesTo(approval.Content{Title: "Pay \u202e001"}), "", false},
		"where it is forbidden": {changesTo(release8), approval.RecallNever, false},
		"after an answer":       {changesTo(release8), approval.RecallUnheard, false},
	} {
		request := gate()
		request.Policy.Recall = test.recall
		env := enginetest.New(t, newFlow(&board{}))
		enginetest.Raise(env, time.Minute, approval.ApprovalDecision, says("ann", approval.Approve, "one"))
		enginetest.Raise(env, 2*time.Minute, approval.ApprovalDecision, test.change)
		enginetest.Raise(env, 3*time.Minute, approval.ApprovalDecision, says("sam", approval.Reject, "one"))
		ending, err := enginetest.Run(env, approve, request)
		if err != nil || (ending.Revision == 1) != test.taken {
			t.Errorf("%s: %+v, %v", name, ending, err)
		}
	}
}

func TestARequestIsChangedThreeTimesAtMost(t *testing.T) {
	env := enginetest.New(t, newFlow(&board{}))
	for n := range 5 {
		enginetest.Raise(env, time.Duration(n+1)*time.Minute, approval.ApprovalDecision, changesTo(approval.Content{Title: fmt.Sprint("Release ", n)}))
	}
	ending, err := enginetest.Run(env, approve, gate())
	if err != nil || ending.Revision != approval.MaxRevisions || len(ending.Earlier) != approval.MaxRevisions {
		t.Errorf("%+v, %v", ending, err)
	}
}

// All that happens to a request happens in one that survives every crash: it is handed
// on, changed, escalated, and decided in two stages.
func TestAnEventfulApprovalSurvivesEveryCrash(t *testing.T) {
	request := gate()
	request.Policy.Delegation.Depth = 1
	b := &board{}
	enginetest.EveryCrash(t, newFlow(b), func(env *enginetest.Env) {
		hands := says("ann", approval.Delegate, "one")
		hands.To = "fay"
		enginetest.Raise(env, time.Minute, approval.ApprovalDecision, hands)
		enginetest.Raise(env, 2*time.Minute, approval.ApprovalDecision, says("fay", approval.Approve, "one"))
		enginetest.Raise(env, 3*time.Minute, approval.ApprovalDecision, changesTo(release8))
		enginetest.Raise(env, 4*time.Minute, approval.ApprovalDecision, says("bob", approval.Approve, "one"))
		enginetest.Raise(env, 200*time.Minute, approval.ApprovalDecision, says("cfo", approval.Approve, "one"))
		enginetest.Raise(env, 201*time.Minute, approval.ApprovalDecision, says("bob", approval.Approve, "one"))
		enginetest.Raise(env, 202*time.Minute, approval.ApprovalDecision, says("dora", approval.Approve, "two"))
		ending, err := enginetest.Run(env, approve, request)
		if err != nil || ending.Outcome != approval.Approved || len(ending.Decisions) != 3 || len(ending.Earlier) != 3 {
			env.Errorf("%v: %+v", err, ending)
		}
	})
}
