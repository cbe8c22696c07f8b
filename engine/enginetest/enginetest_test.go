package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/history"
)

type (
	claim   struct{ Amount int }
	verdict struct {
		Approved bool
		Why      string
	}
)

const (
	expense  engine.Orchestrator[claim, verdict] = "Expense"
	family   engine.Orchestrator[int, int]       = "Family"
	kid      engine.Orchestrator[int, int]       = "Kid"
	counter  engine.Orchestrator[int, int]       = "Counter"
	payment  engine.Orchestrator[int, string]    = "Payment"
	askBoss  engine.Activity[claim, string]      = "AskBoss"
	double   engine.Activity[int, int]           = "Double"
	pay      engine.Activity[int, string]        = "Pay"
	approval engine.Event[verdict]               = "Approval"
	add      engine.Event[int]                   = "Add"
)

func approve(ctx *engine.Context, c claim) (verdict, error) {
	if _, err := engine.CallActivity(ctx, askBoss, c, engine.RetryPolicy{InitialRetryInterval: time.Hour}).Await(); err != nil {
		return verdict{}, err
	}
	if err := ctx.SetCustomStatus("asked"); err != nil {
		return verdict{}, err
	}
	answer := engine.WaitForExternalEvent(ctx, approval, engine.Until(ctx.Now().Add(72*time.Hour)))
	return answer.AwaitOr(verdict{Why: "nobody answered"})
}

func registry() *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, expense, approve)
	engine.AddOrchestrator(r, family, func(ctx *engine.Context, n int) (int, error) {
		one, two := engine.CallSubOrchestrator(ctx, kid, n), engine.CallSubOrchestrator(ctx, kid, n+1, engine.InstanceID("second"))
		results, err := engine.WhenAll(ctx, one, two).Await()
		if err != nil {
			return 0, err
		}
		return results[0] + results[1], nil
	})
	engine.AddOrchestrator(r, kid, func(ctx *engine.Context, n int) (int, error) {
		if n < 0 {
			return 0, errors.New("less than nothing")
		}
		return engine.CallActivity(ctx, double, n).Await()
	})
	engine.AddOrchestrator(r, counter, func(ctx *engine.Context, sum int) (int, error) {
		n, err := engine.WaitForExternalEvent(ctx, add).Await()
		if err != nil || n == 0 {
			return sum, err
		}
		return 0, ctx.ContinueAsNew(sum + n)
	})
	engine.AddOrchestrator(r, payment, func(ctx *engine.Context, n int) (string, error) {
		receipt, err := engine.CallActivity(ctx, pay, n).Await()
		if errors.Is(err, engine.ErrInterrupted) {
			return "not known", nil
		}
		return receipt, err
	})
	engine.AddActivity(r, double, func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	return r
}

func asked(context.Context, claim) (string, error) { return "asked", nil }

func TestTheClockJumpsOverIdleTime(t *testing.T) {
	env := enginetest.New(t, registry())
	enginetest.Fake(env, askBoss, asked)
	got, err := enginetest.Run(env, expense, claim{Amount: 250})
	if want := (verdict{Why: "nobody answered"}); err != nil || got != want || env.Elapsed() != 72*time.Hour {
		t.Errorf("%+v %v after %v", got, err, env.Elapsed())
	}
	if calls := enginetest.Calls(env, askBoss); !reflect.DeepEqual(calls, []claim{{Amount: 250}}) {
		t.Errorf("calls %+v", calls)
	}
}

func TestEventsComeAtTheirTime(t *testing.T) {
	for after, want := range map[time.Duration]verdict{
		48 * time.Hour: {Approved: true},
		72 * time.Hour: {Approved: true}, // at the very moment of the deadline
		73 * time.Hour: {Why: "nobody answered"},
	} {
		env := enginetest.New(t, registry())
		enginetest.Fake(env, askBoss, asked)
		enginetest.Raise(env, after, approval, verdict{Approved: true})
		if got, err := enginetest.Run(env, expense, claim{}); err != nil || got != want {
			t.Errorf("after %v: %+v %v", after, got, err)
		}
	}
}

func TestFakesMayFailAndTakeTime(t *testing.T) {
	env := enginetest.New(t, registry())
	n := 0
	enginetest.Fake(env, askBoss, func(ctx context.Context, _ claim) (string, error) {
		if n++; n != engine.CallOf(ctx).Attempt {
			t.Errorf("call %d is attempt %d", n, engine.CallOf(ctx).Attempt)
		}
		if n == 1 {
			return "", errors.New("on holiday")
		}
		return "asked", nil
	}).Takes(10 * time.Minute)
	instance := enginetest.Start(env, "e1", expense, claim{})
	env.Advance(20 * time.Minute)
	if n != 1 || env.Elapsed() != 20*time.Minute || instance.Status() != history.Running {
		t.Errorf("%d calls after %v, %v", n, env.Elapsed(), instance.Status())
	}
	env.Advance(time.Hour)
	var status string
	if instance.CustomStatus(&status); n != 2 || status != "asked" || !reflect.DeepEqual(instance.WaitingFor(), []string{"Approval"}) {
		t.Errorf("%d calls, status %q, waiting for %q", n, status, instance.WaitingFor())
	}
	if calls := enginetest.Calls(env, askBoss); len(calls) != 2 {
		t.Errorf("calls %+v", calls)
	}
}

func TestAFailureIsSeenAsACallerWould(t *testing.T) {
	env := enginetest.New(t, registry())
	enginetest.Fake(env, askBoss, func(context.Context, claim) (string, error) { return "", engine.NonRetriable(errors.New("fired")) })
	_, err := enginetest.Run(env, expense, claim{})
	var failed *engine.TaskError
	if !errors.As(err, &failed) || !strings.Contains(failed.Failure.Message, "fired") {
		t.Error(err)
	}
}

func TestChildrenRunOrAreFaked(t *testing.T) {
	env := enginetest.New(t, registry())
	if sum, err := enginetest.Run(env, family, 3); err != nil || sum != 14 {
		t.Errorf("%d %v", sum, err)
	}
	if second := enginetest.Find(env, "second"); second.Status() != history.Completed {
		t.Errorf("the second child is %v", second.Status())
	}
	env = enginetest.New(t, registry())
	enginetest.FakeChild(env, kid, func(_ context.Context, n int) (int, error) {
		if n == 4 {
			return 0, errors.New("no")
		}
		return n, nil
	}).Takes(time.Minute)
	if _, err := enginetest.Run(env, family, 3); err == nil || !strings.Contains(err.Error(), "no") || env.Elapsed() != time.Minute {
		t.Errorf("%v after %v", err, env.Elapsed())
	}
	if begun := enginetest.Children(env, kid); !reflect.DeepEqual(begun, []int{3, 4}) {
		t.Errorf("children %v", begun)
	}
}

func TestExecutionsFollowEachOther(t *testing.T) {
	env := enginetest.New(t, registry())
	for n := range 5 {
		enginetest.Raise(env, time.Duration(n)*time.Minute, add, 4-n)
	}
	sum, err := enginetest.Run(env, counter, 0)
	if err != nil || sum != 10 {
		t.Errorf("%d %v", sum, err)
	}
}

func TestAnInstanceIsControlledFromOutside(t *testing.T) {
	env := enginetest.New(t, registry())
	enginetest.Fake(env, askBoss, asked)
	env.Suspend(time.Hour)
	enginetest.Raise(env, 2*time.Hour, approval, verdict{Approved: true})
	env.Resume(3 * time.Hour)
	if got, err := enginetest.Run(env, expense, claim{}); err != nil || !got.Approved || env.Elapsed() != 3*time.Hour {
		t.Errorf("%+v %v after %v", got, err, env.Elapsed())
	}
	env = enginetest.New(t, registry())
	enginetest.Fake(env, askBoss, asked)
	env.Terminate(time.Hour, "enough")
	_, err := enginetest.Run(env, expense, claim{})
	if engine.KindOf(err) != engine.KindTerminated || !strings.Contains(err.Error(), "enough") {
		t.Error(err)
	}
}

func TestInstancesHaveTheVersionOfTheProgram(t *testing.T) {
	r := registry()
	engine.AddOrchestrator(r, "Version", func(ctx *engine.Context, depth int) (string, error) {
		if depth == 0 {
			return ctx.Version(), nil
		}
		return engine.CallSubOrchestrator(ctx, engine.Orchestrator[int, string]("Version"), depth-1).Await()
	})
	env := enginetest.New(t, r)
	env.Version = "2.0"
	if version, err := enginetest.Run(env, engine.Orchestrator[int, string]("Version"), 1); version != "2.0" || err != nil {
		t.Errorf("%q %v", version, err)
	}
}

func TestAnActivityAtTheRightTimeOnly(t *testing.T) {
	env := enginetest.New(t, registry())
	env.Terminate(time.Minute, "enough")
	enginetest.Fake(env, askBoss, func(context.Context, claim) (string, error) {
		t.Error("an activity ran for an instance that has ended")
		return "", nil
	}).Takes(time.Hour)
	_, _ = enginetest.Run(env, expense, claim{})
	env.Advance(2 * time.Hour)
}

// recorder is a test whose failures are looked at.
type recorder struct {
	testing.TB
	said strings.Builder
}

func (r *recorder) Helper()                   {}
func (r *recorder) Errorf(f string, a ...any) { fmt.Fprintf(&r.said, f+"\n", a...) }
func (r *recorder) Fatalf(f string, a ...any) { r.Errorf(f, a...); panic(r) }
func (r *recorder) Fatal(a ...any)            { r.Errorf("%s", fmt.Sprint(a...)); panic(r) }

// failing returns what a test says that fails.
func failing(t *testing.T, r *engine.Registry, test func(*enginetest.Env)) string {
	t.Helper()
	rec := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(rec) {
				panic(p)
			}
		}()
		test(enginetest.New(rec, r))
	}()
	if rec.said.Len() == 0 {
		t.Fatal("it did not fail")
	}
	return rec.said.String()
}

func TestFailuresSayWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		test func(*enginetest.Env)
		want []string
	}{
		"an event never comes": {func(env *enginetest.Env) {
			_, _ = enginetest.Run(env, counter, 0)
		}, []string{`"Counter" (instance test) waits for what never comes: event "Add"`, "started Counter 0"}},
		"nobody resumes it": {func(env *enginetest.Env) {
			env.Suspend(0)
			_, _ = enginetest.Run(env, counter, 0)
		}, []string{"somebody to resume it"}},
		"an activity is unknown": {func(env *enginetest.Env) {
			_, _ = enginetest.Run(env, expense, claim{})
		}, []string{`activity "AskBoss" is called`, "neither registered nor faked", "enginetest.Fake", "#0 call AskBoss"}},
		"an orchestration is unknown": {func(env *enginetest.Env) {
			_, _ = enginetest.Run(env, engine.Orchestrator[int, int]("Nobody"), 1)
		}, []string{`orchestration "Nobody" is not registered`}},
		"an instance is unknown": {func(env *enginetest.Env) { enginetest.Find(env, "nobody") }, []string{"there is no instance nobody"}},
		"an instance is begun twice": {func(env *enginetest.Env) {
			enginetest.Start(env, "a", counter, 1)
			enginetest.Start(env, "a", counter, 1)
		}, []string{"instance a has not ended"}},
		"nobody is there yet": {func(env *enginetest.Env) {
			enginetest.Raise(env, 0, add, 1)
			env.Advance(0)
		}, []string{"not begun"}},
	} {
		t.Run(name, func(t *testing.T) {
			said := failing(t, registry(), c.test)
			for _, part := range c.want {
				if !strings.Contains(said, part) {
					t.Errorf("%q lacks %q", said, part)
				}
			}
		})
	}
}

func TestWhatIsNotDeterministicIsFound(t *testing.T) {
	calls := 0
	for name, fn := range map[string]func(*engine.Context, int) (int, error){
		"a name": func(ctx *engine.Context, n int) (int, error) {
			calls++
			return engine.CallActivity(ctx, engine.Activity[int, int](fmt.Sprintf("Double%d", calls%2)), n).Await()
		},
		"an input": func(ctx *engine.Context, n int) (int, error) {
			calls++
			return engine.CallActivity(ctx, double, calls).Await()
		},
		"a time": func(ctx *engine.Context, n int) (int, error) {
			_, err := ctx.CreateTimer(time.Now().Add(time.Hour)).Await() //determinism:allow because this is what is to be found
			return 0, err
		},
		"a status": func(ctx *engine.Context, n int) (int, error) {
			calls++
			return 0, ctx.SetCustomStatus(calls)
		},
		"the number of calls": func(ctx *engine.Context, n int) (int, error) {
			if calls++; calls%2 == 0 {
				engine.CallActivity(ctx, double, 1)
			}
			return engine.CallActivity(ctx, double, 2).Await()
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls = 0
			r := registry()
			engine.AddOrchestrator(r, "Moody", fn)
			said := failing(t, r, func(env *enginetest.Env) {
				_, _ = enginetest.Run(env, engine.Orchestrator[int, int]("Moody"), 1)
			})
			if !strings.Contains(said, `"Moody" (instance test) is not deterministic`) || !strings.Contains(said, "at first:") || !strings.Contains(said, "replayed:") {
				t.Error(said)
			}
		})
	}
}

func TestEveryPlaceToCrashIsTried(t *testing.T) {
	var ran, worlds int
	enginetest.EveryCrash(t, registry(), func(env *enginetest.Env) {
		worlds++
		n := 0
		enginetest.Fake(env, askBoss, func(context.Context, claim) (string, error) {
			n++
			ran++
			if n == 1 {
				return "", errors.New("busy")
			}
			return "asked", nil
		})
		enginetest.Raise(env, 48*time.Hour, approval, verdict{Approved: true})
		enginetest.Start(env, "expense", expense, claim{Amount: 1})
		if sum, err := enginetest.Run(env, family, 1); err != nil || sum != 6 {
			env.Errorf("%d %v", sum, err)
		}
		env.Advance(100 * time.Hour)
		enginetest.Raise(env, 0, add, 1)
	})
	if worlds < 30 || ran <= 2*worlds {
		t.Errorf("%d worlds, %d runs of the activity: none was repeated", worlds, ran)
	}
}

func TestAnActivityThatRunsAtMostOnceIsInterrupted(t *testing.T) {
	r := registry()
	ran := 0
	engine.AddActivity(r, pay, func(context.Context, int) (string, error) { ran++; return "paid", nil }, engine.AtMostOnce())
	results := map[string]int{}
	enginetest.EveryCrash(t, r, func(env *enginetest.Env) {
		ran = 0
		result, err := enginetest.Run(env, payment, 1)
		if err != nil || ran > 1 {
			env.Errorf("%s %v after %d runs", result, err, ran)
		}
		results[result]++
		// This scenario ends otherwise when it was interrupted, and says so:
		// bring it to the same end.
		if result == "not known" {
			enginetest.Start(env, enginetest.DefaultID, payment, 1)
			if result, err := enginetest.Find(env, enginetest.DefaultID).Result(); err != nil || string(result) != `"paid"` {
				env.Errorf("%s %v", result, err)
			}
		}
	})
	if results["not known"] != 2 || results["paid"] < 3 {
		t.Errorf("results %v", results)
	}
}

func TestSavedHistoriesAreHeldToTheCode(t *testing.T) {
	dir := t.TempDir()
	env := enginetest.New(t, registry())
	enginetest.Fake(env, askBoss, asked)
	instance := enginetest.Start(env, "running", expense, claim{Amount: 7})
	env.Advance(time.Hour)
	instance.Save(filepath.Join(dir, "running.json"))
	if _, err := instance.Result(); err != nil {
		t.Fatal(err)
	}
	instance.Save(filepath.Join(dir, "ended.json"))
	for n := range 3 {
		enginetest.RaiseTo(env, "sum", 0, add, n)
	}
	enginetest.Start(env, "sum", counter, 0).Save(filepath.Join(dir, "sum.json"))
	enginetest.Replay(t, registry(), filepath.Join(dir, "*.json"))

	changed := engine.NewRegistry()
	engine.AddOrchestrator(changed, expense, func(ctx *engine.Context, c claim) (verdict, error) {
		if _, err := engine.CallActivity(ctx, askBoss, c).Await(); err != nil {
			return verdict{}, err
		}
		_, err := engine.CallActivity(ctx, double, 1).Await()
		return verdict{}, err
	})
	for _, name := range []string{"running.json", "ended.json"} {
		err := enginetest.Check(changed, open(t, filepath.Join(dir, name)))
		if err == nil || !strings.Contains(err.Error(), `asked for: TaskScheduled "Double"`) || !strings.Contains(err.Error(), "recorded: TimerCreated") || !strings.Contains(err.Error(), "started Expense") {
			t.Errorf("%s: %v", name, err)
		}
	}
	waits := engine.NewRegistry()
	engine.AddOrchestrator(waits, expense, func(ctx *engine.Context, c claim) (verdict, error) {
		if _, err := approve(ctx, c); err != nil {
			return verdict{}, err
		}
		return engine.WaitForExternalEvent(ctx, approval).Await()
	})
	err := enginetest.Check(waits, open(t, filepath.Join(dir, "ended.json")))
	if err == nil || !strings.Contains(err.Error(), "recorded: ExecutionCompleted Completed; asked for: nothing") {
		t.Error(err)
	}
}

func open(t *testing.T, file string) history.Saved {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	saved, err := history.ReadSaved(f)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// BenchmarkApproval measures a test of an approval that takes 72 hours.
func BenchmarkApproval(b *testing.B) {
	r := registry()
	for b.Loop() {
		env := enginetest.New(b, r)
		enginetest.Fake(env, askBoss, asked)
		if _, err := enginetest.Run(env, expense, claim{}); err != nil || env.Elapsed() != 72*time.Hour {
			b.Fatal(err)
		}
	}
}
