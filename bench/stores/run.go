package main

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/bench/internal/machine"
)

// run measures flows at the task's number of goroutines, after a third of the
// duration spent warming up.
func (t task) run(st Store, s *sample) (err error) {
	if s.DueFreshMS, err = scanDue(st, dueLower); err != nil {
		return err
	}
	if _, _, err := t.flows(st, t.Duration/3, t.Seed+1); err != nil {
		return err
	}
	before := machine.Used()
	began := time.Now()
	flows, latencies, err := t.flows(st, t.Duration, t.Seed+1000)
	if err != nil {
		return err
	}
	s.rate(flows, time.Since(began), machine.Used().Since(before))
	s.spread(latencies)
	if s.DueUsedMS, err = scanDue(st, dueLower); err != nil {
		return err
	}
	latencies = nil
	return s.memory()
}

// rate sets what is counted per second or per flow, and how much of the machine
// others had meanwhile.
func (s *sample) rate(flows int, took time.Duration, used machine.Usage) {
	s.FlowsPerSecond = float64(flows) / took.Seconds()
	s.CPUMicros = float64(used.CPU.Microseconds()) / float64(flows)
	s.WrittenKiB = float64(used.Written) / 1024 / float64(flows)
	s.OthersPercent = used.Others(took)
}

// spread sets the quantiles of the latencies.
func (s *sample) spread(latencies []time.Duration) {
	slices.Sort(latencies)
	n := len(latencies)
	s.CommitP50MS = ms(latencies[n/2])
	s.CommitP99MS = ms(latencies[n*99/100])
	s.CommitMaxMS = ms(latencies[n-1])
}

// memory sets the resident memory after a collection.
func (s *sample) memory() error {
	resident, err := machine.Resident()
	if err != nil {
		return err
	}
	anonymous, err := machine.Anonymous()
	s.ResidentMiB, s.AnonymousMiB = float64(resident)/(1<<20), float64(anonymous)/(1<<20)
	return err
}

// flows runs flows on all goroutines until the time is up. It returns how many
// ended and how long each of their commits took.
func (t task) flows(st Store, d time.Duration, seed uint64) (int, []time.Duration, error) {
	return parallel(t.Workers, d, func(i int, timed func(time.Duration)) func() error {
		f := &flow{rows: newRows(seed + uint64(i)), st: st, timed: timed}
		return f.run
	})
}

// parallel repeats, on each of n goroutines, the function which start returns
// for it until d has passed. It returns how many calls ended and all that they
// timed.
func parallel(n int, d time.Duration, start func(i int, timed func(time.Duration)) func() error) (int, []time.Duration, error) {
	var wg sync.WaitGroup
	workers := make([]repeater, n)
	deadline := time.Now().Add(d)
	for i := range workers {
		w := &workers[i]
		wg.Go(func() { w.repeat(deadline, start(i, w.timed)) })
	}
	wg.Wait()
	return total(workers)
}

// repeater is one goroutine of parallel.
type repeater struct {
	calls int
	times []time.Duration
	err   error
}

// timed keeps one latency.
func (r *repeater) timed(d time.Duration) { r.times = append(r.times, d) }

// repeat calls fn, and again until the deadline or an error.
func (r *repeater) repeat(deadline time.Time, fn func() error) {
	for more := true; more && r.err == nil; more = time.Now().Before(deadline) {
		r.err = fn()
		r.calls++
	}
}

// total sums up what the goroutines did.
func total(workers []repeater) (calls int, times []time.Duration, err error) {
	for _, w := range workers {
		calls += w.calls
		times = append(times, w.times...)
		err = errors.Join(err, w.err)
	}
	return calls, times, err
}
