package tablestore

import (
	"context"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// Whoever wakes the workers is told of every time at which a doorbell rings, before
// the doorbell is there.
func TestWhoWakesWorkersIsToldBeforeADoorbellRings(t *testing.T) {
	now := someTime
	var s *Store
	told := map[time.Time]int{} // with how many messages there were
	o := inMemoryOptions(t, func() time.Time { return now })
	o.Rouse = func(ctx context.Context, at time.Time) {
		properties, err := s.queue.GetProperties(ctx, nil)
		if err != nil {
			t.Error(err)
		}
		told[at] = int(*properties.ApproximateMessagesCount)
	}
	s = open(t, o)
	start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Time: someTime, Message: "m", Name: "verify", Execution: "e"}
	if err := s.Create(t.Context(), "a", start); err != nil {
		t.Fatal(err)
	}
	if before, ok := told[now.Add(s.o.Lease)]; !ok || before != 0 {
		t.Errorf("of a doorbell that was put hidden it was told %v", told)
	}
	if _, ok := told[now]; !ok {
		t.Errorf("of a doorbell that was revealed it was told %v", told)
	}
	bells, err := s.Receive(t.Context(), 1, 0)
	if err != nil || len(bells) != 1 {
		t.Fatal(bells, err)
	}
	now = now.Add(time.Second)
	if err := s.Pass(t.Context(), bells[0], 7*time.Second); err != nil {
		t.Fatal(err)
	}
	if _, ok := told[now.Add(7*time.Second)]; !ok {
		t.Errorf("of a doorbell that was passed on it was told %v", told)
	}
}
