package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed21523604/holdfast/bench/internal/machine"
)

// Sample is what was measured; what a workload does not measure is 0. Times are
// in milliseconds.
type Sample struct {
	Flows          int     `json:"flows"`
	FlowsPerSecond float64 `json:"flows_per_s"`
	P50            float64 `json:"p50_ms"`
	P99            float64 `json:"p99_ms"`
	RaiseP50       float64 `json:"raise_to_complete_p50_ms"`
	RaiseP99       float64 `json:"raise_to_complete_p99_ms"`
	LateP50        float64 `json:"late_p50_ms"`
	LateP99        float64 `json:"late_p99_ms"`
	WaitingBytes   float64 `json:"bytes_per_waiting_instance"`
	CPU            float64 `json:"cpu_us_per_flow"`
	Written        float64 `json:"disk_bytes_per_flow"`
	Flushes        float64 `json:"flushes_per_flow"`
	Others         float64 `json:"others_cpu_percent"`
}

// Fields lists every measure.
func (s *Sample) Fields() []*float64 {
	return []*float64{
		&s.FlowsPerSecond, &s.P50, &s.P99, &s.RaiseP50, &s.RaiseP99, &s.LateP50, &s.LateP99,
		&s.WaitingBytes, &s.CPU, &s.Written, &s.Flushes, &s.Others,
	}
}

// run is a task under way.
type run struct {
	Task
	engine  Engine
	signals *Signals
	next    atomic.Int64

	mu     sync.Mutex
	whole  []time.Duration // from start to end
	raised []time.Duration // from raise to end
	late   []time.Duration // of timers
}

func (r *run) measure(ctx context.Context) (s Sample, err error) {
	switch r.Workload {
	case Pending:
		return r.pending(ctx)
	case Timers:
		return r.timers(ctx)
	}
	if _, err := r.flows(ctx, r.Duration/3); err != nil {
		return s, err
	}
	r.whole, r.raised = nil, nil
	before, began := machine.Used(r.engine.Processes()...), time.Now()
	n, err := r.flows(ctx, r.Duration)
	if err != nil {
		return s, err
	}
	r.summarize(&s, n, time.Since(began), machine.Used(r.engine.Processes()...).Since(before))
	return s, nil
}

// summarize fills in the rates and the quantiles.
func (r *run) summarize(s *Sample, n int, took time.Duration, used machine.Usage) {
	per := func(x float64) float64 { return x / float64(n) }
	s.Flows, s.FlowsPerSecond = n, float64(n)/took.Seconds()
	s.P50, s.P99 = quantiles(r.whole)
	s.RaiseP50, s.RaiseP99 = quantiles(r.raised)
	s.LateP50, s.LateP99 = quantiles(r.late)
	s.CPU, s.Written, s.Flushes = per(float64(used.CPU.Microseconds())), per(float64(used.Written)), per(float64(used.Flushes))
	s.Others = used.Others(took)
}

func quantiles(times []time.Duration) (p50, p99 float64) {
	if len(times) == 0 {
		return 0, 0
	}
	slices.Sort(times)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return ms(times[len(times)/2]), ms(times[len(times)*99/100])
}

// flows runs instances one after the other on every caller until the time is
// up, at least one on each, and returns how many ended.
func (r *run) flows(ctx context.Context, d time.Duration) (n int, err error) {
	end := time.Now().Add(d)
	var ended atomic.Int64
	err = r.callers(r.Parallel, func() (bool, error) {
		err := r.flow(ctx)
		ended.Add(1)
		return time.Now().Before(end), err
	})
	return int(ended.Load()), err
}

// callers repeats f on so many goroutines until it reports false or fails.
func (r *run) callers(n int, f func() (more bool, err error)) error {
	var wait sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wait.Go(func() {
			for more := true; more && errs[i] == nil; {
				more, errs[i] = f()
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) newID() string { return fmt.Sprintf("%s-%07d", r.Workload, r.next.Add(1)) }

// flow runs one instance from its start to its end.
func (r *run) flow(ctx context.Context) error {
	id := r.newID()
	defer r.signals.forget(id)
	began := time.Now()
	if err := r.engine.Start(ctx, r.Workload, id); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if r.Workload == Human {
		return r.answer(ctx, id, began)
	}
	if err := r.engine.Wait(ctx, r.Workload, id); err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	r.took(&r.whole, time.Since(began))
	return nil
}

// answer raises the event as soon as the instance waits for it.
func (r *run) answer(ctx context.Context, id string, began time.Time) error {
	select {
	case <-r.signals.of(id).waits:
	case <-ctx.Done():
		return fmt.Errorf("it does not wait for its event: %w", ctx.Err())
	}
	raised := time.Now()
	if err := r.engine.Raise(ctx, r.Workload, id); err != nil {
		return fmt.Errorf("raise: %w", err)
	}
	if err := r.engine.Wait(ctx, r.Workload, id); err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	r.took(&r.raised, time.Since(raised))
	r.took(&r.whole, time.Since(began))
	return nil
}

func (r *run) took(times *[]time.Duration, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*times = append(*times, d)
}

// each calls f for every id, from all callers.
func (r *run) each(ids []string, f func(id string) error) error {
	var at atomic.Int64
	return r.callers(r.Parallel, func() (bool, error) {
		i := int(at.Add(1)) - 1
		if i >= len(ids) {
			return false, nil
		}
		return true, f(ids[i])
	})
}

func (r *run) ids() []string {
	ids := make([]string, r.Instances)
	for i := range ids {
		ids[i] = r.newID()
	}
	return ids
}

// pending lets many instances wait, weighs them, and then raises all.
func (r *run) pending(ctx context.Context) (s Sample, err error) {
	if err := r.warm(ctx); err != nil {
		return s, err
	}
	ids := r.ids()
	light, err := machine.Resident(r.engine.Processes()...)
	if err != nil {
		return s, err
	}
	start := func(id string) error {
		if err := r.engine.Start(ctx, r.Workload, id); err != nil {
			return fmt.Errorf("start: %w", err)
		}
		<-r.signals.of(id).waits
		r.signals.forget(id)
		return nil
	}
	if err := r.each(ids, start); err != nil {
		return s, err
	}
	heavy, err := machine.Resident(r.engine.Processes()...)
	if err != nil {
		return s, err
	}
	before, began := machine.Used(r.engine.Processes()...), time.Now()
	if err := r.each(ids, func(id string) error { return r.engine.Raise(ctx, r.Workload, id) }); err != nil {
		return s, fmt.Errorf("raise: %w", err)
	}
	if err := r.each(ids, func(id string) error { return r.engine.Wait(ctx, r.Workload, id) }); err != nil {
		return s, fmt.Errorf("wait: %w", err)
	}
	r.summarize(&s, len(ids), time.Since(began), machine.Used(r.engine.Processes()...).Since(before))
	s.WaitingBytes = float64(heavy-light) / float64(len(ids))
	return s, nil
}

// warm runs a few instances to their end, so that what an engine allocates once
// is not weighed.
func (r *run) warm(ctx context.Context) error {
	const few = 200
	ids := make([]string, few)
	for i := range ids {
		ids[i] = r.newID()
	}
	return r.each(ids, func(id string) error {
		if err := r.engine.Start(ctx, r.Workload, id); err != nil {
			return fmt.Errorf("start: %w", err)
		}
		return r.answer(ctx, id, time.Now())
	})
}

// timers lets many instances sleep at once, and measures how late they wake.
func (r *run) timers(ctx context.Context) (s Sample, err error) {
	ids := r.ids()
	before, began := machine.Used(r.engine.Processes()...), time.Now()
	if err := r.each(ids, func(id string) error { return r.engine.Start(ctx, r.Workload, id) }); err != nil {
		return s, fmt.Errorf("start: %w", err)
	}
	if err := r.each(ids, func(id string) error { return r.engine.Wait(ctx, r.Workload, id) }); err != nil {
		return s, fmt.Errorf("wait: %w", err)
	}
	used := machine.Used(r.engine.Processes()...).Since(before)
	for _, id := range ids {
		f := r.signals.of(id)
		r.late = append(r.late, f.woke.Sub(f.slept)-Nap)
	}
	r.summarize(&s, len(ids), time.Since(began), used)
	return s, nil
}
