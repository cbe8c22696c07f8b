package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seed21523604/holdfast/bench/internal/machine"
)

// reloadBelow is the size up to which every run gets a store of its own, since
// the instances of earlier runs would outnumber the loaded ones.
const reloadBelow = 10_000

// disturbed is how much of the machine, in percent, other work may have during
// a run; repeats is how often a run is made again which saw more, and
// allRepeats how often that may happen in all.
const (
	disturbed  = 10
	repeats    = 2
	allRepeats = 20
)

// bench is a benchmark under way.
type bench struct {
	config
	ctx context.Context
	tmp string
	report
}

// benchmark measures everything and reports it.
func benchmark(ctx context.Context, cfg config) error {
	tmp, err := os.MkdirTemp(cfg.dir, "stores-")
	if err != nil {
		return fmt.Errorf("create data folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	b := &bench{config: cfg, ctx: ctx, tmp: tmp, report: newReport(cfg)}
	if err := b.measure(); err != nil {
		return err
	}
	return b.write(os.Stdout, cfg.json)
}

// measure takes all measures in turn.
func (b *bench) measure() (err error) {
	began := time.Now()
	if b.FloorBefore, err = measureFloors(b.tmp, b.duration); err != nil {
		return err
	}
	printFloors(os.Stdout, "raw floor, 300-byte records", b.FloorBefore)
	if b.Weights, err = weighAll(b.ctx, b.tmp); err != nil {
		return err
	}
	for _, size := range b.sizes {
		if err := b.atSize(size); err != nil {
			return fmt.Errorf("measure at %d instances: %w", size, err)
		}
	}
	b.FloorAfter, err = measureFloors(b.tmp, b.duration)
	b.Took = time.Since(began).Round(time.Second).String()
	return err
}

// atSize measures all candidates in stores of that many instances.
func (b *bench) atSize(size int) error {
	if size > reloadBelow {
		for _, e := range engines() {
			if err := b.load(e, size); err != nil {
				return err
			}
		}
	}
	if err := b.rotate(size); err != nil {
		return err
	}
	for _, e := range engines() {
		if err := b.churned(e, size); err != nil {
			return err
		}
		if err := os.RemoveAll(b.data(e.engine)); err != nil {
			return fmt.Errorf("remove store: %w", err)
		}
	}
	return nil
}

// rotate runs every candidate once a round and keeps the medians.
func (b *bench) rotate(size int) error {
	samples := map[string][]sample{}
	for round := range b.rounds {
		b.progress("round %d of %d at %d instances", round+1, b.rounds, size)
		for _, workers := range b.workers {
			for _, c := range candidates {
				s, err := b.calm(c, size, workers, round)
				if err != nil {
					return err
				}
				key := fmt.Sprint(c.name, workers)
				samples[key] = append(samples[key], s)
			}
		}
	}
	for _, workers := range b.workers {
		for _, c := range candidates {
			all := samples[fmt.Sprint(c.name, workers)]
			b.Runs = append(b.Runs, runResult{c.name, size, workers, median(all), all})
		}
	}
	return nil
}

// calm makes a run and, while other work had too much of the machine, makes it
// again a few times. It returns the run which was disturbed least.
func (b *bench) calm(c candidate, size, workers, round int) (sample, error) {
	best, err := b.flows(c, size, workers, round)
	for again := 0; err == nil && best.OthersPercent > disturbed; again++ {
		if again == repeats || b.Repeated == allRepeats {
			break
		}
		b.progress("%s with %d goroutines disturbed by %.0f%%", c.name, workers, best.OthersPercent)
		b.Repeated++
		time.Sleep(2 * time.Second)
		var s sample
		if s, err = b.flows(c, size, workers, round); s.OthersPercent < best.OthersPercent {
			best = s
		}
	}
	return best, err
}

// flows makes one run, in a fresh store if it is small.
func (b *bench) flows(c candidate, size, workers, round int) (sample, error) {
	if size <= reloadBelow {
		if err := b.load(c, size); err != nil {
			return sample{}, err
		}
	}
	return b.work(task{
		Kind: "run", Candidate: c.name, Dir: b.data(c.engine), Instances: size,
		Workers: workers, Duration: b.duration, Seed: b.seed(),
	}, round)
}

// load fills a new store of the candidate's engine and keeps time and size.
func (b *bench) load(c candidate, size int) error {
	dir := b.data(c.engine)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove store: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create store folder: %w", err)
	}
	s, err := b.work(task{Kind: "load", Candidate: c.name, Dir: dir, Instances: size, Seed: b.seed()}, 0)
	if err != nil {
		return err
	}
	bytes, err := machine.DiskBytes(dir)
	b.loaded(c.engine, size, s.LoadSeconds, float64(bytes)/(1<<20))
	return err
}

// churned times opening the store when none of it is cached, and scans of due
// rows after many timers have fired.
func (b *bench) churned(c candidate, size int) error {
	if b.churn == 0 {
		return nil
	}
	syscall.Sync()
	if err := machine.Forget(b.data(c.engine)); err != nil {
		return err
	}
	t := task{Kind: "churn", Candidate: c.name, Dir: b.data(c.engine), Instances: b.churn, Seed: b.seed()}
	s, err := b.work(t, 0)
	b.Churns = append(b.Churns, churnResult{c.engine, size, b.churn, s})
	return err
}

// seed returns a new seed far from the last.
func (b *bench) seed() uint64 {
	b.seeds++
	return b.seeds << 32
}

// data is the folder of the engine's store.
func (b *bench) data(engine string) string { return filepath.Join(b.tmp, engine) }

// work does the task in a process of its own, once earlier writes are on disk.
func (b *bench) work(t task, round int) (s sample, err error) {
	self, err := os.Executable()
	if err != nil {
		return s, fmt.Errorf("find own executable: %w", err)
	}
	input, err := json.Marshal(t)
	if err != nil {
		return s, fmt.Errorf("encode task: %w", err)
	}
	syscall.Sync()
	cmd := exec.CommandContext(b.ctx, self, "-worker")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("%s %s in round %d: %w", t.Kind, t.Candidate, round+1, err)
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return s, fmt.Errorf("decode sample: %w", err)
	}
	return s, nil
}

// progress tells on standard error how far the benchmark is.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}
