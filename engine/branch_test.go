package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/history"
)

func TestBranchesGoSideBySide(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
		var chains []*engine.Task[int]
		for i := range 3 {
			chains = append(chains, engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				n, err := engine.CallActivity(ctx, double, i).Await()
				if err != nil {
					return 0, err
				}
				return engine.CallActivity(ctx, triple, n).Await()
			}))
		}
		return engine.WhenAll(ctx, chains...).Await()
	})
	if calls := d.live.Outstanding(); len(calls) != 3 {
		t.Fatalf("outstanding: %v", calls)
	}
	d.turn(d.result(2, "4"), d.result(0, "0")) // the second steps are 3 and 4, in this order
	calls := d.live.Outstanding()
	if len(calls) != 3 || calls[1].Name != "triple" || string(calls[1].Input) != "4" || string(calls[2].Input) != "0" {
		t.Fatalf("outstanding: %v", calls)
	}
	d.turn(d.result(1, "2"))
	d.turn(d.result(3, "12"), d.result(5, "6"), d.result(4, "0"))
	d.wantOutput(history.Completed, "[0,6,12]")
}

func TestABranchRunsAtOnceUntilItWaits(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		story := "begin"
		branch := engine.Go(ctx, func(ctx *engine.Context) (string, error) {
			story += " branch"
			text, err := engine.WaitForExternalEvent(ctx, answer).Await()
			story += " " + text
			return "result", err
		})
		done := engine.Go(ctx, func(*engine.Context) (int, error) { return 7, nil })
		story += fmt.Sprint(" main ", branch.Done(), done.Done())
		result, err := branch.Await()
		return story + " " + result, err
	})
	d.turn(d.event("Answer", `"answer"`))
	d.wantOutput(history.Completed, `"begin branch main false true answer result"`)
}

func TestBranchesGoOnInTheOrderInWhichTheirTasksAreDone(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
		var got []int
		var branches []engine.Awaitable
		for range 4 {
			branches = append(branches, engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				for {
					n, err := engine.WaitForExternalEvent(ctx, number).Await()
					if err != nil || n == 0 {
						return n, err
					}
					got = append(got, n)
				}
			}))
		}
		_, err := engine.WhenAllDone(ctx, branches...).Await()
		return got, err
	})
	var events []history.Event
	for n := range 20 {
		events = append(events, d.event("Number", fmt.Sprint(n+1)))
	}
	d.turn(events[:10]...)
	d.turn(events[10:]...)
	d.turn(d.event("Number", "0"), d.event("Number", "0"), d.event("Number", "0"))
	d.turn(d.event("Number", "0"))
	d.wantOutput(history.Completed, "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]")
}

// Branches that wait for the same go on in the order in which they began to wait.
func TestBranchesThatWaitForOneTaskGoOnInTheirOrder(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) ([]int, error) {
		gate := engine.WaitForExternalEvent(ctx, answer)
		var got []int
		var branches []engine.Awaitable
		for i := range 5 {
			branches = append(branches, engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				if i%2 == 1 { // these come to the gate later
					if _, err := engine.WaitForExternalEvent(ctx, number).Await(); err != nil {
						return 0, err
					}
				}
				_, err := gate.Await()
				got = append(got, i)
				return i, err
			}))
		}
		_, err := engine.WhenAllDone(ctx, branches...).Await()
		return got, err
	})
	d.turn(d.event("Number", "1"), d.event("Number", "2"))
	d.turn(d.event("Answer", `"open"`))
	d.wantOutput(history.Completed, "[0,2,4,1,3]")
}

// The waits of a branch that is canceled take no event, its deadline is dead, its
// activity is not asked for any more; and it may tidy up.
func TestACanceledBranchGivesUpWhatItBeganAndTidiesUp(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		var inside, inner error
		tidied := false
		branch := engine.Go(ctx, func(ctx *engine.Context) (int, error) {
			engine.CallActivity(ctx, double, 1, engine.RetryPolicy{})
			ctx.CreateTimer(ctx.Now().Add(time.Hour))
			nested := engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				var n int
				n, inner = engine.WaitForExternalEvent(ctx, number).Await()
				return n, inner
			})
			_, inside = engine.WaitForExternalEvent(ctx, number).Await()
			nested.Cancel()
			_, err := engine.CallActivity(ctx, triple, 2).Await()
			tidied = err == nil
			return 9, nil
		})
		deadline := ctx.CreateTimer(ctx.Now().Add(time.Minute))
		if engine.Select(ctx, branch, deadline) != deadline {
			return "", errors.New("the branch is done")
		}
		branch.Cancel()
		result, err := branch.Await()
		n, _ := engine.WaitForExternalEvent(ctx, number).Await()
		return fmt.Sprint(result, err == engine.ErrCanceled, n, inside == engine.ErrCanceled, inner == engine.ErrCanceled, tidied), nil
	})
	d.wake()
	if calls := d.live.Outstanding(); len(calls) != 1 || calls[0].Name != "triple" {
		t.Errorf("outstanding: %v", calls)
	}
	if next := d.live.NextTimer(); !next.IsZero() {
		t.Errorf("a timer is left for %v", next)
	}
	d.turn(d.result(d.live.Outstanding()[0].ID, "6"))
	d.turn(d.event("Number", "5"))
	d.wantOutput(history.Completed, `"0 true 5 true true true"`)
}

// A branch that waits for what others have begun goes on without it.
func TestACanceledBranchLeavesTheTasksOfOthers(t *testing.T) {
	for _, selects := range []bool{false, true} {
		d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
			outer := engine.WaitForExternalEvent(ctx, answer)
			how := "unwound"
			branch := engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				if selects {
					engine.Select(ctx, outer)
				}
				_, err := outer.Await()
				how = fmt.Sprint(err == engine.ErrCanceled)
				return 0, nil
			})
			if _, err := engine.WaitForExternalEvent(ctx, number).Await(); err != nil {
				return "", err
			}
			branch.Cancel()
			text, err := outer.Await()
			return how + " " + text, err
		})
		d.turn(d.event("Number", "1"))
		d.turn(d.event("Answer", `"here"`))
		d.wantOutput(history.Completed, map[bool]string{false: `"true here"`, true: `"unwound here"`}[selects])
	}
}

func TestBranchesEndWithTheOrchestration(t *testing.T) {
	unwound := 0
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		for range 3 {
			engine.Go(ctx, func(ctx *engine.Context) (any, error) {
				defer func() { unwound++ }()
				return ctx.CreateTimer(ctx.Now().Add(time.Hour)).Await()
			})
		}
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.turn(d.event("Answer", `"done"`))
	d.wantOutput(history.Completed, `"done"`)
	before := unwound
	d.live.Close()
	if !d.live.NextTimer().IsZero() || unwound != before+3 {
		t.Errorf("%d branches were put away, and the next timer is due %v", unwound-before, d.live.NextTimer())
	}
}

func TestWhatGoesWrongInABranchFailsTheOrchestration(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		engine.Go(ctx, func(ctx *engine.Context) (int, error) {
			engine.WaitForExternalEvent(ctx, number).Await()
			panic("over the edge")
		})
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	d.turn(d.event("Number", "1"))
	d.wantFailure(engine.KindPanic, "over the edge")
	if !strings.Contains(d.last.Failure.Stack, "branch_test.go") {
		t.Errorf("the stack is\n%s", d.last.Failure.Stack)
	}

	d = one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		engine.Go(ctx, func(*engine.Context) (int, error) { panic("at once") })
		return "", ctx.SetCustomStatus("the code goes on")
	})
	d.wantFailure(engine.KindPanic, "at once")
	if len(d.last.CustomStatus) != 0 {
		t.Errorf("custom status %s", d.last.CustomStatus)
	}

	d = one(t, "null", func(ctx *engine.Context, _ any) (int, error) {
		return engine.Go(ctx, func(*engine.Context) (int, error) { return 0, errors.New("no money") }).Await()
	})
	d.wantFailure(engine.KindError, "no money")
}

func TestABranchThatDoesNotFollowItsHistoryIsFound(t *testing.T) {
	next := double
	d := one(t, "null", func(ctx *engine.Context, _ any) (string, error) {
		engine.Go(ctx, func(ctx *engine.Context) (int, error) { return engine.CallActivity(ctx, next, 1).Await() })
		return engine.WaitForExternalEvent(ctx, answer).Await()
	})
	next = triple
	d.live = d.replay()
	d.turn(d.event("Answer", `""`))
	d.wantFailure(engine.KindNonDeterministic, `recorded: TaskScheduled "double"`, `asked for: TaskScheduled "triple"`)
}

func TestOnlyTheOrchestrationsOwnCodeMayWait(t *testing.T) {
	d := one(t, "null", func(ctx *engine.Context, _ any) (int, error) {
		other := engine.WaitForExternalEvent(ctx, number)
		return engine.CallActivity(ctx, double, 1, engine.RetryPolicy{Handle: func(error) bool {
			_, err := other.Await()
			return err == nil
		}}).Await()
	})
	d.fail("busy")
	d.wantFailure(engine.KindPanic, "only the code of the orchestration itself may wait")
}

func TestABranchMayContinueAsNew(t *testing.T) {
	d := one(t, "0", func(ctx *engine.Context, n int) (int, error) {
		if n == 1 {
			return engine.WaitForExternalEvent(ctx, number).Await()
		}
		return engine.Go(ctx, func(ctx *engine.Context) (int, error) {
			_, err := engine.WaitForExternalEvent(ctx, answer).Await()
			return 0, errors.Join(err, ctx.ContinueAsNew(1))
		}).Await()
	})
	d.turn(d.event("Number", "7"))
	d.turn(d.event("Answer", `""`))
	d.wantOutput(history.Completed, "7")
}

// Thousands of branches cost what thousands of calls do.
func TestThousandsOfBranchesMayRunAtOnce(t *testing.T) {
	const n = 1_000
	d := one(t, "null", func(ctx *engine.Context, _ any) (int, error) {
		var branches []*engine.Task[int]
		for i := range n {
			branches = append(branches, engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				first, err := engine.WaitForExternalEvent(ctx, number).Await()
				if err != nil {
					return 0, err
				}
				return engine.CallActivity(ctx, double, first+i).Await()
			}))
		}
		all, err := engine.WhenAll(ctx, branches...).Await()
		return len(all), err
	})
	var events, results []history.Event
	for i := range n {
		events = append(events, d.event("Number", fmt.Sprint(i)))
		results = append(results, d.result(int32(i), "1"))
	}
	d.turn(events...)
	d.turn(results...)
	d.wantOutput(history.Completed, fmt.Sprint(n))
}

// A worker that dies between any two steps of three chains, of which a deadline
// cancels the slowest, changes nothing.
func TestBranchesSurviveEveryCrash(t *testing.T) {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "race", func(ctx *engine.Context, _ any) (string, error) {
		var chains []*engine.Task[int]
		var tasks []engine.Awaitable
		for i := range 3 {
			chain := engine.Go(ctx, func(ctx *engine.Context) (int, error) {
				n, err := engine.CallActivity(ctx, double, i).Await()
				if err != nil {
					return 0, err
				}
				if i == 2 {
					return engine.WaitForExternalEvent(ctx, number).Await()
				}
				return engine.CallActivity(ctx, double, n).Await()
			})
			chains, tasks = append(chains, chain), append(tasks, chain)
		}
		deadline := ctx.CreateTimer(ctx.Now().Add(time.Hour))
		all := engine.WhenAllDone(ctx, tasks...)
		if engine.Select(ctx, all, deadline) == deadline {
			chains[2].Cancel()
		}
		results, err := engine.WhenAll(ctx, chains...).Await()
		return fmt.Sprint(results, errors.Is(err, engine.ErrCanceled)), nil
	})
	enginetest.EveryCrash(t, r, func(env *enginetest.Env) {
		enginetest.Fake(env, double, func(_ context.Context, n int) (int, error) { return 2 * n, nil }).Takes(time.Minute)
		got, err := enginetest.Run(env, engine.Orchestrator[any, string]("race"), nil)
		if err != nil || got != "[0 4 0] true" {
			env.Errorf("%s %v", got, err)
		}
	})
}
