package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpcall"
	"github.com/seed21523604/holdfast/engine/store"
)

// What docs/porting.md shows is here, so it compiles; what can be run is run.

const (
	Human    engine.Orchestrator[string, string] = "Human"
	Send     engine.Activity[string, string]     = "Send"
	Charge   engine.Activity[int, string]        = "Charge"
	Child    engine.Orchestrator[int, string]    = "Child"
	Approval engine.Event[bool]                  = "Approval"
	Work     engine.Event[int]                   = "Work"
)

func send(ctx context.Context, phone string) (string, error) {
	return phone + " " + engine.CallOf(ctx).Name, nil
}

// human is the shape that every engine's first sample has.
func human(ctx *engine.Context, phone string) (string, error) {
	code, err := engine.CallActivity(ctx, Send, phone).Await()
	if err != nil {
		return "", err
	}
	approved, err := engine.WaitForExternalEvent(ctx, Approval, engine.Until(ctx.Now().Add(90*time.Second))).Await()
	if errors.Is(err, engine.ErrTimeout) {
		return "too late", nil
	}
	return fmt.Sprint(code, " ", approved), err
}

// selects receives numbers until a timer fires.
func selects(ctx *engine.Context, _ any) (sum int, err error) {
	timer := ctx.CreateTimer(ctx.Now().Add(time.Hour))
	for {
		event := engine.WaitForExternalEvent(ctx, Work)
		switch engine.Select(ctx, event, timer) {
		case event:
			n, err := event.Await()
			if err != nil {
				return 0, err
			}
			sum += n
		case timer:
			event.Cancel()
			return sum, nil
		}
	}
}

// calls has one of everything that is called.
func calls(ctx *engine.Context, items []int) (string, error) {
	retry := engine.RetryPolicy{MaxAttempts: 5, InitialRetryInterval: time.Second, BackoffCoefficient: 2, MaxRetryInterval: time.Minute, RetryTimeout: time.Hour,
		AttemptTimeout: 10 * time.Minute,
		Handle:         func(err error) bool { return engine.KindOf(err) != "no-money" }}
	receipt, err := engine.CallActivity(ctx, Charge, 10, retry).Await()
	if err != nil {
		return "", err
	}
	result, err := engine.CallSubOrchestrator(ctx, Child, 1, engine.InstanceID("child-1"), retry).Await()
	if err != nil {
		return "", err
	}
	id, err := engine.StartOrchestrator(ctx, Child, 2, engine.InstanceID("child-2"))
	if err != nil {
		return "", err
	}
	if err := engine.SendEvent(ctx, "another", Work, 3); err != nil {
		return "", err
	}
	if err := ctx.SetCustomStatus(map[string]string{"receipt": receipt}); err != nil {
		return "", err
	}
	ctx.Logger().Info("charged", "replaying", ctx.IsReplaying(), "version", ctx.Version(), "key", ctx.NewGUID())
	if ctx.Patched("greet") {
		result = "hello " + result
	}
	var tasks []*engine.Task[string]
	for _, item := range items {
		tasks = append(tasks, engine.CallActivity(ctx, Charge, item))
	}
	receipts, err := engine.WhenAll(ctx, tasks...).Await()
	return fmt.Sprint(ctx.InstanceID(), result, id, receipts), err
}

// branches has a group of branches and a scope that is canceled.
func branches(ctx *engine.Context, items []int) (string, error) {
	var group []engine.Awaitable
	for _, item := range items {
		branch := engine.Go(ctx, func(ctx *engine.Context) (string, error) {
			if _, err := ctx.CreateTimer(ctx.Now().Add(time.Minute)).Await(); err != nil {
				return "", err
			}
			return engine.CallActivity(ctx, Charge, item).Await()
		})
		group = append(group, branch)
	}
	if _, err := engine.WhenAllDone(ctx, group...).Await(); err != nil {
		return "", err
	}
	scope := engine.Go(ctx, func(ctx *engine.Context) (bool, error) {
		return engine.WaitForExternalEvent(ctx, Approval).Await()
	})
	first, err := engine.WhenAny(ctx, scope, ctx.CreateTimer(ctx.Now().Add(time.Hour))).Await()
	scope.Cancel()
	return fmt.Sprint(len(group), " ", first == scope), err
}

// total is one of many that never end.
func total(ctx *engine.Context, sum int) (int, error) {
	wait := engine.WaitForExternalEvent(ctx, Work)
	if !wait.Done() {
		if err := ctx.SetCustomStatus(sum); err != nil {
			return 0, err
		}
	}
	n, err := wait.Await()
	if err != nil || n == 0 {
		return sum, err
	}
	return sum, ctx.ContinueAsNew(sum+n, engine.DropEvents())
}

// request calls a service and waits until its answer is not 202.
func request(ctx *engine.Context, _ any) (int, error) {
	response, err := httpcall.Do(ctx, httpcall.Request{To: "factory", Method: "POST", URL: "/jobs", Timeout: time.Hour})
	return response.StatusCode, err
}

// once asks for an approval, and takes the default when there is none.
func once(ctx *engine.Context, _ any) (bool, error) {
	return engine.WaitForExternalEvent(ctx, Approval, engine.Until(ctx.Now().Add(time.Hour))).AwaitOr(false)
}

func register(r *engine.Registry) {
	engine.AddOrchestrator(r, Human, human)
	engine.AddActivity(r, Send, send)
}

// manage is what a client does.
func manage(ctx context.Context, c *client.Client, at time.Time) error {
	id, err := c.Start(ctx, string(Human), "human-1", "+447700900123", client.BeginAt(at), client.Tags(map[string]string{"team": "red"}), client.Version("1.2"))
	if err != nil {
		return err
	}
	_, err = c.Start(ctx, string(Human), "singleton", nil, client.Replace(client.NonRunningStates...))
	raised := c.Raise(ctx, id, string(Approval), client.Payload{Body: []byte("true")})
	suspended, resumed := c.Suspend(ctx, id, "lunch"), c.Resume(ctx, id, "back")
	terminated := c.Terminate(ctx, id, "enough", client.Recursively())
	instance, waited := c.Wait(ctx, id)
	instance, got := c.Get(ctx, id)
	page, listed := c.List(ctx, store.Query{Statuses: []history.Status{instance.Status}, Limit: 100})
	events, read := c.History(ctx, page.Instances[0].ID)
	rewound := c.Rewind(ctx, id, "mended")
	_, restarted := c.Restart(ctx, id, true)
	purged := c.Purge(ctx, id)
	n, many := c.PurgeMany(ctx, store.Query{CreatedTo: events[0].Time})
	return errors.Join(err, raised, suspended, resumed, terminated, waited, got, listed, read, rewound, restarted, purged, many, fmt.Errorf("%d", n))
}

var _ = manage

func TestWhatIsPortedRuns(t *testing.T) {
	r := engine.NewRegistry()
	register(r)
	engine.AddActivity(r, Charge, func(_ context.Context, n int) (string, error) { return fmt.Sprint("receipt ", n), nil })
	engine.AddOrchestrator(r, Child, func(_ *engine.Context, n int) (string, error) { return fmt.Sprint("child ", n), nil })
	engine.AddOrchestrator(r, "selects", selects)
	engine.AddOrchestrator(r, "calls", calls)
	engine.AddOrchestrator(r, "branches", branches)
	engine.AddOrchestrator(r, "total", total)
	engine.AddOrchestrator(r, "request", request)
	engine.AddOrchestrator(r, "once", once)
	ported(t, r, Human, "+44", "+44 Send true", func(env *enginetest.Env) { enginetest.Raise(env, time.Minute, Approval, true) })
	ported(t, r, Human, "+44", "too late", func(*enginetest.Env) {})
	ported(t, r, "selects", any(nil), 7, func(env *enginetest.Env) {
		enginetest.Raise(env, time.Minute, Work, 3)
		enginetest.Raise(env, 2*time.Minute, Work, 4)
	})
	ported(t, r, "calls", []int{1, 2}, "testhello child 1child-2[receipt 1 receipt 2]", func(*enginetest.Env) {})
	ported(t, r, "branches", []int{1, 2, 3}, "3 false", func(*enginetest.Env) {})
	ported(t, r, "total", 1, 6, func(env *enginetest.Env) {
		for i, n := range []int{2, 3, 0} {
			enginetest.Raise(env, time.Duration(i)*time.Minute, Work, n)
		}
	})
	ported(t, r, "request", any(nil), 200, func(env *enginetest.Env) {
		enginetest.Fake(env, httpcall.Activity, func(context.Context, httpcall.Request) (httpcall.Response, error) {
			return httpcall.Response{StatusCode: 200}, nil
		})
	})
	ported(t, r, "once", any(nil), false, func(*enginetest.Env) {})
}

// ported runs an orchestration in a world of its own.
func ported[In any, Out comparable](t *testing.T, r *engine.Registry, name engine.Orchestrator[In, Out], input In, want Out, prepare func(*enginetest.Env)) {
	t.Helper()
	env := enginetest.New(t, r)
	prepare(env)
	if got, err := enginetest.Run(env, name, input); err != nil || got != want {
		t.Errorf("%s returned %v, %v; want %v", name, got, err, want)
	}
}

// TestTheCodeInThePortingGuideCompiles finds every piece of Go of ours that
// docs/porting.md shows in this file, which compiles.
func TestTheCodeInThePortingGuideCompiles(t *testing.T) {
	guide, err := os.ReadFile("../docs/porting.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("porting_test.go")
	if err != nil {
		t.Fatal(err)
	}
	compiled, found := oneLine(string(source)), 0
	for _, piece := range ours(string(guide)) {
		found++
		if !strings.Contains(compiled, oneLine(piece)) {
			t.Errorf("porting_test.go does not have\n%s", piece)
		}
	}
	if found < 60 {
		t.Errorf("%d pieces were found, want 60 or more", found)
	}
}

var (
	block = regexp.MustCompile("(?s)```go\n(.*?)```")
	code  = regexp.MustCompile("`([^`]+)`")
)

// ours returns the code of ours in the guide: blocks, and what is more than a word
// in the second column of a table.
func ours(guide string) (pieces []string) {
	for _, m := range block.FindAllStringSubmatch(guide, -1) {
		pieces = append(pieces, m[1])
	}
	for line := range strings.Lines(guide) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) < 3 {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
			if strings.ContainsAny(m[1], "(.") {
				pieces = append(pieces, m[1])
			}
		}
	}
	return pieces
}

// oneLine returns a text with all white space made one space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
