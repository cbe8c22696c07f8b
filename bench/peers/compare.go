package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/seed21523604/holdfast/bench/internal/load"
	"github.com/seed21523604/holdfast/bench/internal/machine"
)

// napping is how many instances sleep in the workload that measures timers.
const napping = 1000

// comparison is a comparison under way.
type comparison struct {
	config
	ctx      context.Context
	programs string // the folder of the built programs
	report   report
}

// compare builds the programs, measures everything and reports it.
func compare(ctx context.Context, cfg config) error {
	programs, err := os.MkdirTemp("", "peers-programs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(programs)
	c := &comparison{config: cfg, ctx: ctx, programs: programs, report: newReport(cfg)}
	if err := c.build(); err != nil {
		return err
	}
	for _, w := range cfg.workloads {
		for _, n := range c.callers(w) {
			if err := c.measure(w, n); err != nil {
				return err
			}
		}
	}
	return c.report.write(os.Stdout, cfg.json)
}

// build builds each engine's program once.
func (c *comparison) build() error {
	for _, name := range c.engines {
		program := find(name).program
		c.progress("build %s", program)
		if err := command(c.ctx, ".", "go", "build", "-o", filepath.Join(c.programs, program), "./peers/"+program); err != nil {
			return fmt.Errorf("build %s: %w", program, err)
		}
	}
	return nil
}

// callers returns with how many callers a workload is measured: one that is about
// many instances at a time, with many.
func (c *comparison) callers(w load.Workload) []int {
	if w == load.Pending || w == load.Timers {
		return []int{slices.Max(c.parallel)}
	}
	return c.parallel
}

// measure lets the engines take turns at one workload.
func (c *comparison) measure(w load.Workload, callers int) error {
	samples := map[string][]load.Sample{}
	for round := range c.rounds {
		for i := range c.engines {
			name := c.engines[(i+round)%len(c.engines)]
			c.progress("%s with %d callers, round %d: %s", w, callers, round+1, name)
			s, err := c.once(find(name), w, callers)
			if err != nil {
				c.progress("%s: %v", name, err)
				c.report.failed(name, w, callers, err)
				continue
			}
			samples[name] = append(samples[name], s)
		}
	}
	for _, name := range c.engines {
		if len(samples[name]) > 0 {
			c.report.add(name, w, callers, samples[name])
		}
	}
	return nil
}

// once runs a workload in a new process on an empty folder, when earlier writes
// are on disk.
func (c *comparison) once(e candidate, w load.Workload, callers int) (s load.Sample, err error) {
	folder, err := os.MkdirTemp(c.dir, "peers-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(folder)
	task := load.Task{Workload: w, Parallel: callers, Duration: c.duration, Instances: napping, Folder: folder}
	if w == load.Pending {
		task.Instances = e.waiting
	}
	input, err := json.Marshal(task)
	if err != nil {
		return s, err
	}
	program := exec.CommandContext(c.ctx, filepath.Join(c.programs, e.program))
	if program.Env, err = e.environment(c.cache); err != nil {
		return s, err
	}
	var said bytes.Buffer
	program.Stdin, program.Stderr = bytes.NewReader(input), &said
	syscall.Sync()
	out, err := program.Output()
	if err != nil {
		return s, fmt.Errorf("%w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return s, json.Unmarshal(out, &s)
}

// progress tells on standard error how far it is.
func (c *comparison) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}

// median returns the median of each measure.
func median(samples []load.Sample) load.Sample {
	mid := samples[0]
	for i, field := range mid.Fields() {
		var values []float64
		for _, s := range samples {
			values = append(values, *s.Fields()[i])
		}
		slices.Sort(values)
		*field = values[len(values)/2]
	}
	return mid
}

// newReport returns a report without results.
func newReport(cfg config) report {
	return report{Date: time.Now().UTC().Format(time.DateOnly), Machine: machine.Describe(), Duration: cfg.duration.String(), Rounds: cfg.rounds, Engines: engineNotes(cfg.engines)}
}
