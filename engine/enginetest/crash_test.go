package enginetest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine"
)

// listener is a test whose failures are looked at.
type listener struct {
	testing.TB
	cleanups []func()
	said     strings.Builder
}

func (l *listener) Cleanup(f func())          { l.cleanups = append(l.cleanups, f) }
func (l *listener) Helper()                   {}
func (l *listener) Failed() bool              { return l.said.Len() > 0 }
func (l *listener) Errorf(f string, a ...any) { fmt.Fprintf(&l.said, f+"\n", a...) }
func (l *listener) Log(a ...any)              { fmt.Fprintln(&l.said, a...) }

func TestAnotherEndAfterACrashIsFound(t *testing.T) {
	const sloppy engine.Orchestrator[int, int] = "Sloppy"
	r, runs := engine.NewRegistry(), 0
	engine.AddActivity(r, "Count", func(context.Context, int) (int, error) { runs++; return runs, nil })
	engine.AddOrchestrator(r, sloppy, func(ctx *engine.Context, _ int) (int, error) {
		return engine.CallActivity(ctx, engine.Activity[int, int]("Count"), 0).Await()
	})
	scenario := func(env *Env) {
		runs = 0
		_, _ = Run(env, sloppy, 1)
	}
	var found []string
	everyCrash(t, r, scenario, func(_ string, test func(testing.TB)) {
		l := &listener{TB: t}
		test(l)
		for _, f := range l.cleanups {
			f()
		}
		if l.Failed() {
			found = append(found, l.said.String())
		}
	})
	if len(found) != 1 || !strings.Contains(found[0], "the process died after activity Count ran") || !strings.Contains(found[0], "Output:2") || !strings.Contains(found[0], "without a crash it is {Status:Completed Output:1") {
		t.Errorf("found %q", found)
	}
}
