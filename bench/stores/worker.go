package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// task is what one worker process does. A worker opens one store once, so that
// its memory and the time to open are its own.
type task struct {
	Kind      string // "load", "run" or "churn"
	Candidate string
	Dir       string
	Instances int
	Workers   int
	Duration  time.Duration
	Seed      uint64
}

// sample is what a worker measured; a task leaves what it does not measure 0.
type sample struct {
	OpenMS         float64 `json:"open_ms"`
	LoadSeconds    float64 `json:"load_s,omitempty"`
	FlowsPerSecond float64 `json:"flows_per_s,omitempty"`
	CommitP50MS    float64 `json:"commit_p50_ms,omitempty"`
	CommitP99MS    float64 `json:"commit_p99_ms,omitempty"`
	CommitMaxMS    float64 `json:"commit_max_ms,omitempty"`
	CPUMicros      float64 `json:"cpu_us_per_flow,omitempty"`
	WrittenKiB     float64 `json:"written_kib_per_flow,omitempty"`
	ResidentMiB    float64 `json:"resident_mib,omitempty"`
	AnonymousMiB   float64 `json:"anonymous_mib,omitempty"`
	OthersPercent  float64 `json:"others_cpu_percent,omitempty"`
	DueFreshMS     float64 `json:"due_scan_fresh_ms,omitempty"`
	DueUsedMS      float64 `json:"due_scan_used_ms,omitempty"`
	DueMarkMS      float64 `json:"due_scan_from_mark_ms,omitempty"`
	DueSettledMS   float64 `json:"due_scan_settled_ms,omitempty"`
}

// fields lists every measure.
func (s *sample) fields() []*float64 {
	return []*float64{
		&s.OpenMS, &s.LoadSeconds, &s.FlowsPerSecond, &s.CommitP50MS, &s.CommitP99MS, &s.CommitMaxMS,
		&s.CPUMicros, &s.WrittenKiB, &s.ResidentMiB, &s.AnonymousMiB, &s.OthersPercent,
		&s.DueFreshMS, &s.DueUsedMS, &s.DueMarkMS, &s.DueSettledMS,
	}
}

// median returns the median of each measure and the greatest of the maxima.
func median(samples []sample) sample {
	var mid sample
	for i, field := range mid.fields() {
		var values []float64
		for _, s := range samples {
			values = append(values, *s.fields()[i])
		}
		slices.Sort(values)
		*field = values[len(values)/2]
	}
	for _, s := range samples {
		mid.CommitMaxMS = max(mid.CommitMaxMS, s.CommitMaxMS)
	}
	return mid
}

// serveTask reads one task, does it and writes the sample.
func serveTask(in io.Reader, out io.Writer) error {
	var t task
	if err := json.NewDecoder(in).Decode(&t); err != nil {
		return fmt.Errorf("decode task: %w", err)
	}
	s, err := t.do()
	if err != nil {
		return fmt.Errorf("%s %s: %w", t.Kind, t.Candidate, err)
	}
	if err := json.NewEncoder(out).Encode(s); err != nil {
		return fmt.Errorf("encode sample: %w", err)
	}
	return nil
}

// do opens the store, measures and closes it.
func (t task) do() (s sample, err error) {
	work, ok := map[string]func(Store, *sample) error{"load": t.load, "run": t.run, "churn": t.churn}[t.Kind]
	if !ok {
		return s, errors.New("no such kind of task")
	}
	c, err := find(t.Candidate)
	if err != nil {
		return s, err
	}
	began := time.Now()
	st, err := c.open(t.Dir)
	if err != nil {
		return s, err
	}
	s.OpenMS = ms(time.Since(began))
	return s, errors.Join(work(st, &s), st.Close())
}

// ms returns d in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// dueScans is of how many scans the median is taken.
const dueScans = 5

// scanDue returns the median time of reading the first 1,000 due rows from
// lower on.
func scanDue(st Store, lower []byte) (float64, error) {
	var times []float64
	for range dueScans {
		began := time.Now()
		if _, err := st.Scan(lower, dueUpper, 1000); err != nil {
			return 0, fmt.Errorf("scan due rows: %w", err)
		}
		times = append(times, ms(time.Since(began)))
	}
	slices.Sort(times)
	return times[dueScans/2], nil
}
