package crashrun

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human"
)

// The orchestrations of the run.
const (
	verification engine.Orchestrator[human.Request, human.Verification] = "verification"
	approval     engine.Orchestrator[approvers, string]                 = "approval"
	fanOut       engine.Orchestrator[int, int]                          = "fanOut"
	family       engine.Orchestrator[int, int]                          = "family"
	child        engine.Orchestrator[int, int]                          = "child"
	loop         engine.Orchestrator[tally, []int]                      = "loop"
)

// What they call and wait for.
const (
	ask      engine.Activity[string, report] = "ask"
	square   engine.Activity[int, report]    = "square"
	decision engine.Event[string]            = "Decision"
	allow    engine.Event[int]               = "Allowance"
	next     engine.Event[int]               = "Next"
)

// report is what an activity returns: its result, and the name of the run that
// found it, by which a recorded result can be matched with a run.
type report struct {
	Value int    `json:"value"`
	Run   string `json:"run"`
}

// approvers are asked one after the other, each for as long as Patience says.
type approvers struct {
	Names    []string       `json:"names"`
	Patience human.Duration `json:"patience"`
}

// tally is what a loop knows of its events.
type tally struct {
	Seen []int `json:"seen"`
	Want int   `json:"want"`
}

// The sizes of the shapes.
const (
	fanOutWidth  = 20
	childrenEach = 3
	loopLength   = 10
)

// newRegistry returns the shapes, with activities that tell the world of every
// run.
func newRegistry(w *worldClient, sealer *human.Sealer) *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, verification, human.VerifyPhone, engine.SecretEvent(human.SmsChallengeResponse))
	human.AddPhoneVerification(r, w, sealer, verifyLimits)
	engine.AddActivity(r, ask, func(ctx context.Context, _ string) (report, error) { return w.run(ctx, 0) })
	engine.AddActivity(r, square, func(ctx context.Context, n int) (report, error) { return w.run(ctx, n*n) })
	engine.AddOrchestrator(r, approval, approve)
	engine.AddOrchestrator(r, fanOut, sumOfSquares)
	engine.AddOrchestrator(r, family, raiseFamily)
	engine.AddOrchestrator(r, child, growUp)
	engine.AddOrchestrator(r, loop, collect)
	return r
}

// verifyLimits let a verification outlast many kills.
var verifyLimits = human.Limits{
	Timeout: human.Duration(3 * time.Minute), Tries: human.MaxTries, Digits: 6, Sends: human.MaxSends, ResendDelay: human.Duration(time.Second),
}

// approve asks one after the other, and returns who decided.
func approve(ctx *engine.Context, a approvers) (string, error) {
	answer := engine.WaitForExternalEvent(ctx, decision)
	for _, name := range a.Names {
		if _, err := engine.CallActivity(ctx, ask, name).Await(); err != nil {
			return "", err
		}
		patience := ctx.CreateTimer(ctx.Now().Add(time.Duration(a.Patience)))
		winner, err := engine.WhenAny(ctx, answer, patience).Await()
		if err != nil {
			return "", err
		}
		if winner == answer {
			patience.Cancel()
			return answer.Await()
		}
	}
	return nobody, nil
}

// nobody is what an approval returns that nobody decided.
const nobody = "nobody"

// sumOfSquares adds the squares below n, each found by an activity.
func sumOfSquares(ctx *engine.Context, n int) (sum int, err error) {
	var calls []*engine.Task[report]
	for i := range n {
		calls = append(calls, engine.CallActivity(ctx, square, i))
	}
	found, err := engine.WhenAll(ctx, calls...).Await()
	for _, f := range found {
		sum += f.Value
	}
	return sum, err
}

// raiseFamily starts children, sends each an allowance, and adds what they make
// of it.
func raiseFamily(ctx *engine.Context, allowance int) (sum int, err error) {
	var children []*engine.Task[int]
	for i := range childrenEach {
		id := fmt.Sprintf("%s-child%d", ctx.InstanceID(), i)
		children = append(children, engine.CallSubOrchestrator(ctx, child, i, engine.InstanceID(id)))
		engine.SendEvent(ctx, id, allow, allowance)
	}
	made, err := engine.WhenAll(ctx, children...).Await()
	for _, m := range made {
		sum += m
	}
	return sum, err
}

// growUp squares the sum of its number and its allowance.
func growUp(ctx *engine.Context, n int) (int, error) {
	allowance, err := engine.WaitForExternalEvent(ctx, allow).Await()
	if err != nil {
		return 0, err
	}
	found, err := engine.CallActivity(ctx, square, n+allowance).Await()
	return found.Value, err
}

// collect takes an event and begins anew, until every one of them was seen.
func collect(ctx *engine.Context, t tally) ([]int, error) {
	n, err := engine.WaitForExternalEvent(ctx, next).Await()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(t.Seen, n) {
		t.Seen = append(t.Seen, n)
	}
	if len(t.Seen) == t.Want {
		slices.Sort(t.Seen)
		return t.Seen, nil
	}
	return nil, ctx.ContinueAsNew(t)
}

// plan is what the driver does with one instance.
type plan struct {
	id       string
	name     string // of the orchestration
	input    any
	unheard  bool // nobody answers the approval
	decision string
}

// plans returns n instances, a fifth of each shape.
func plans(n int, random *rand.Rand) []plan {
	all := make([]plan, n)
	for i := range all {
		p := plan{id: fmt.Sprintf("i%05d", i)}
		switch i % 5 {
		case 0:
			p.name, p.input = string(verification), human.Request{Number: fmt.Sprintf("+4477009%05d", i), Limits: &verifyLimits}
		case 1:
			p.unheard, p.decision = random.IntN(3) == 0, fmt.Sprintf("decided by %d", i)
			p.name, p.input = string(approval), approvers{Names: []string{"boss", "deputy", "head"}, Patience: human.Duration(2 * time.Second)}
		case 2:
			p.name, p.input = string(fanOut), fanOutWidth
		case 3:
			p.name, p.input = string(family), i
		case 4:
			p.name, p.input = string(loop), tally{Want: loopLength}
		}
		all[i] = p
	}
	return all
}

// outputs returns how the instance may end.
func (p plan) outputs() []any {
	switch p.name {
	case string(approval):
		return []any{p.decision, nobody}
	case string(fanOut):
		return []any{fanOutWidth * (fanOutWidth - 1) * (2*fanOutWidth - 1) / 6}
	case string(family):
		sum := 0
		for n := range childrenEach {
			sum += (n + p.input.(int)) * (n + p.input.(int))
		}
		return []any{sum}
	case string(loop):
		seen := make([]int, loopLength)
		for n := range seen {
			seen[n] = n
		}
		return []any{seen}
	}
	return nil
}
