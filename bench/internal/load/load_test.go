package load

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
)

// memory is an engine that forgets everything.
type memory struct {
	signals *Signals
	mu      sync.Mutex
	ends    map[string]chan struct{}
}

func openMemory(_ context.Context, _ string, s *Signals) (Engine, error) {
	return &memory{signals: s, ends: map[string]chan struct{}{}}, nil
}

func (m *memory) end(id string) chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ends[id] == nil {
		m.ends[id] = make(chan struct{})
	}
	return m.ends[id]
}

func (m *memory) Start(_ context.Context, w Workload, id string) error {
	switch w {
	case Human, Pending:
		m.signals.Waits(id)
		m.signals.Waits(id) // as replay does
	case Timers:
		m.signals.Sleeps(id)
		time.AfterFunc(Nap, func() { m.signals.Wakes(id); close(m.end(id)) })
	default:
		close(m.end(id))
	}
	return nil
}

func (m *memory) Raise(_ context.Context, _ Workload, id string) error {
	close(m.end(id))
	return nil
}

func (m *memory) Wait(_ context.Context, _ Workload, id string) error {
	<-m.end(id)
	return nil
}

func (m *memory) Processes() []int { return nil }
func (m *memory) Close() error     { return nil }

func TestEveryWorkloadMeasuresWhatItIsFor(t *testing.T) {
	for w, measures := range map[Workload]func(Sample) float64{
		Sequence: func(s Sample) float64 { return s.P50 },
		FanOut:   func(s Sample) float64 { return s.FlowsPerSecond },
		Human:    func(s Sample) float64 { return s.RaiseP50 },
		Pending:  func(s Sample) float64 { return s.FlowsPerSecond },
		Timers:   func(s Sample) float64 { return s.LateP99 },
	} {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			task, err := json.Marshal(Task{Workload: w, Parallel: 4, Duration: 50 * time.Millisecond, Instances: 20})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := serve(openMemory, bytes.NewReader(task), &out); err != nil {
				t.Fatal(err)
			}
			var s Sample
			if err := json.Unmarshal(out.Bytes(), &s); err != nil || s.Flows == 0 || measures(s) <= 0 {
				t.Errorf("measured %s (%v)", strings.TrimSpace(out.String()), err)
			}
		})
	}
}
