package tablestore

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
)

func TestAChoreIsDoneByOneInEachPeriod(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := inMemoryOptions(t, func() time.Time { return now })
	one, two := open(t, o), open(t, o)
	for round := range 3 {
		taken := 0
		for _, s := range []*Store{one, two, one, two} {
			mine, err := s.TakeOn(t.Context(), "retention", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if mine {
				taken++
			}
		}
		if taken != 1 {
			t.Errorf("round %d: taken %d times", round, taken)
		}
		now = now.Add(time.Hour)
	}
	if hub, err := one.Describe(t.Context()); err != nil || hub.Timers != 0 {
		t.Errorf("%+v %v", hub, err)
	}
}

// Two workers run for three days in no time. What has ended goes after a day, and
// while nothing does, the chore costs little.
func TestRunningWorkersPurgeWhatWasKeptForLongEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quick engine.Orchestrator[int, int] = "quick"
		r := engine.NewRegistry()
		engine.AddOrchestrator(r, quick, func(_ *engine.Context, n int) (int, error) { return n, nil })
		o := inMemoryOptions(t, time.Now)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		for range 2 {
			w := dispatch.New(open(t, o), r, dispatch.Options{Retention: dispatch.Retention{Completed: 24 * time.Hour}})
			go func() { done <- w.Run(ctx) }()
		}
		c := client.New(open(t, o), client.Options{})
		if _, err := c.Start(t.Context(), string(quick), "a", 1); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Wait(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(23 * time.Hour)
		if _, err := c.Get(t.Context(), "a"); err != nil {
			t.Errorf("after 23 hours: %v", err)
		}
		time.Sleep(3 * time.Hour)
		if _, err := c.Get(t.Context(), "a"); err == nil {
			t.Error("it is there after 26 hours")
		}
		stop()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}
