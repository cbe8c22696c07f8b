package enginetest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/seed21523604/holdfast/engine"
)

// crash is where the process dies in a run of [EveryCrash].
type crash struct {
	at    int // the number of the place; -1 for nowhere
	n     int // places passed so far
	where string
}

// crashes reports whether the process dies here. What it had in memory is lost
// then.
func (e *Env) crashes(place string, a ...any) bool {
	e.crash.n++
	if e.crash.n-1 != e.crash.at {
		return false
	}
	e.crash.where = fmt.Sprintf(place, a...)
	for _, i := range e.order {
		i.putAway()
	}
	return true
}

// outcome is how an instance ended, as far as anybody outside can tell.
type outcome struct {
	Status, Output, Failure string
}

func (e *Env) outcomes() map[string]outcome {
	all := map[string]outcome{}
	for _, i := range e.order {
		all[i.id] = outcome{i.status.String(), string(i.output), i.failure.String()}
	}
	return all
}

// EveryCrash runs the scenario once as it is, and then once for every place in it
// at which the process may die: before a turn is written, after it is and before
// its effects, after messages were sent, after an activity ran. What is in memory
// is lost then, and the work goes on from what was written, as another process
// would go on. The scenario is a test like any other: it registers fakes, raises
// events and runs orchestrations in the world it is given, and may check what it
// likes. Each instance must stand at the end as it does without a crash.
//
// An activity may have run twice, unless it is registered engine.AtMostOnce: then
// its call fails with engine.ErrInterrupted.
func EveryCrash(t *testing.T, r *engine.Registry, scenario func(*Env)) {
	t.Helper()
	everyCrash(t, r, scenario, func(name string, test func(testing.TB)) {
		t.Run(name, func(t *testing.T) { test(t) })
	})
}

// everyCrash is EveryCrash with a way to run a part of the test.
func everyCrash(t testing.TB, r *engine.Registry, scenario func(*Env), run func(name string, test func(testing.TB))) {
	t.Helper()
	calm := New(t, r)
	scenario(calm)
	want := calm.outcomes()
	for at := range calm.crash.n {
		run(fmt.Sprintf("crash_%d", at), func(t testing.TB) {
			e := New(t, r)
			e.crash.at = at
			t.Cleanup(func() {
				if t.Failed() {
					t.Log("the process died " + e.crash.where)
				}
			})
			scenario(e)
			compare(e, want)
		})
	}
}

// compare checks that all instances ended as they should have.
func compare(e *Env, want map[string]outcome) {
	e.Helper()
	for id, got := range e.outcomes() {
		if !reflect.DeepEqual(got, want[id]) {
			e.Errorf("instance %s is %+v at the end; without a crash it is %+v\n%s", id, got, want[id], e.story(e.byID[id]))
		}
	}
	for id := range want {
		if !slices.ContainsFunc(e.order, func(i *instance) bool { return i.id == id }) {
			e.Errorf("instance %s was not begun; without a crash it is", id)
		}
	}
}
