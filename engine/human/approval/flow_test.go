package approval_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/human/approval"
)

const approve engine.Orchestrator[approval.Request, approval.Ending] = "Approve"

// board is a Notifier that keeps what it is told.
type board struct {
	mu      sync.Mutex
	notices map[string]approval.Notice // by the key of the call
	order   []string
	fail    func(approval.Notice) error
}

func (b *board) Notify(ctx context.Context, n approval.Notice) error {
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
	}
	b.notices[key] = n
	return nil
}

// lines writes what was told: what, to whom.
func (b *board) lines() (lines []string) {
	for _, key := range b.order {
		lines = append(lines, string(b.notices[key].Kind)+" "+b.notices[key].To)
	}
	return lines
}

func newFlow(b *board) *engine.Registry {
	b.notices = map[string]approval.Notice{}
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, approve, approval.Decide)
	approval.AddApprovals(r, b)
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
	return approval.Request{Policy: p, Requester: "rex", Title: "Release 7"}
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

func TestABadRequestFailsAtOnce(t *testing.T) {
	for name, change := range map[string]func(*approval.Request){
		"requester": func(r *approval.Request) { r.Requester = "" },
		"title":     func(r *approval.Request) { r.Title = "" },
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
