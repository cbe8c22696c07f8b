package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed21523604/holdfast/bench/internal/machine"
)

// report is all results, as the JSON file holds them.
type report struct {
	Date        string            `json:"date"`
	Machine     string            `json:"machine"`
	Cgo         string            `json:"cgo"`
	Took        string            `json:"took"`
	Duration    string            `json:"run_duration"`
	Rounds      int               `json:"rounds"`
	Repeated    int               `json:"repeated_runs"`
	Options     map[string]string `json:"options"`
	FloorBefore []floor           `json:"floor_before"`
	FloorAfter  []floor           `json:"floor_after"`
	Weights     []weight          `json:"weights"`
	Loads       []loadResult      `json:"loads"`
	Runs        []runResult       `json:"runs"`
	Churns      []churnResult     `json:"churns"`

	seeds uint64
}

// loadResult is an engine's last load of one size.
type loadResult struct {
	Engine    string  `json:"engine"`
	Instances int     `json:"instances"`
	Seconds   float64 `json:"load_s"`
	DiskMiB   float64 `json:"disk_mib"`
}

// runResult is what one candidate did at one size and number of goroutines.
type runResult struct {
	Candidate  string   `json:"candidate"`
	Instances  int      `json:"instances"`
	Goroutines int      `json:"goroutines"`
	Median     sample   `json:"median"`
	Samples    []sample `json:"samples"`
}

// churnResult is how an engine scans due rows after timers fired.
type churnResult struct {
	Engine    string `json:"engine"`
	Instances int    `json:"instances"`
	Fired     int    `json:"timers_fired"`
	Sample    sample `json:"sample"`
}

// newReport returns a report without results.
func newReport(cfg config) report {
	return report{
		Date:     time.Now().UTC().Format(time.DateOnly),
		Machine:  machine.Describe(),
		Cgo:      cgoSetting(),
		Duration: cfg.duration.String(),
		Rounds:   cfg.rounds,
		Options:  map[string]string{"pebble": pebbleNote, "bbolt": boltNote, "sqlite": sqliteNote},
	}
}

// cgoSetting says whether this command was built with cgo.
func cgoSetting() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "CGO_ENABLED" {
			return map[string]string{"0": "off", "1": "on"}[s.Value]
		}
	}
	return "unknown"
}

// loaded keeps a load, or lets it replace an earlier one of the same kind.
func (r *report) loaded(engine string, instances int, seconds, diskMiB float64) {
	result := loadResult{engine, instances, seconds, diskMiB}
	for i, l := range r.Loads {
		if l.Engine == engine && l.Instances == instances {
			r.Loads[i] = result
			return
		}
	}
	r.Loads = append(r.Loads, result)
}

// write prints the tables and, unless file is empty, writes the JSON.
func (r *report) write(w io.Writer, file string) error {
	for _, print := range []func(io.Writer){r.printWeights, r.printRuns, r.printLoads, r.printNotes} {
		print(w)
	}
	if file == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// table prints rows of cells, separated by tabs, as aligned columns.
func table(w io.Writer, rows ...string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range rows {
		fmt.Fprintln(tw, row+"\t")
	}
	tw.Flush()
	fmt.Fprintln(w)
}

// cells joins values to a row, floats with few digits.
func cells(values ...any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = cell(v)
	}
	return strings.Join(texts, "\t")
}

// cell formats one value.
func cell(v any) string {
	f, ok := v.(float64)
	switch {
	case !ok:
		return fmt.Sprint(v)
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	default:
		return fmt.Sprintf("%.2f", f)
	}
}

// printFloors prints what the disk alone does.
func printFloors(w io.Writer, title string, floors []floor) {
	rows := []string{cells(title, "writes/s", "p50 ms", "p99 ms", "max ms")}
	for _, f := range floors {
		rows = append(rows, cells(f.Name, f.WritesPerS, f.P50MS, f.P99MS, f.MaxMS))
	}
	table(w, rows...)
}

// printWeights prints what each store drags in.
func (r *report) printWeights(w io.Writer) {
	rows := []string{cells("store", "version", "build list", "modules", "packages", "not std", "binary MiB", "cgo packages")}
	for _, x := range r.Weights {
		rows = append(rows, cells(x.Name, x.Version, x.BuildList, x.LinkedModules, x.Packages, x.OwnPackages, x.BinaryMiB, len(x.Cgo)))
	}
	table(w, rows...)
}

// printRuns prints the main table.
func (r *report) printRuns(w io.Writer) {
	rows := []string{cells("waiting", "goroutines", "store", "flows/s", "p50 ms", "p99 ms", "max ms",
		"cpu us/flow", "KiB/flow", "RSS MiB", "anon MiB", "open ms", "due ms", "due after ms", "others %")}
	for _, x := range r.Runs {
		m := x.Median
		rows = append(rows, cells(x.Instances, x.Goroutines, x.Candidate, m.FlowsPerSecond, m.CommitP50MS, m.CommitP99MS, m.CommitMaxMS,
			m.CPUMicros, m.WrittenKiB, m.ResidentMiB, m.AnonymousMiB, m.OpenMS, m.DueFreshMS, m.DueUsedMS, m.OthersPercent))
	}
	table(w, rows...)
}

// printLoads prints load times, disk use and the scans after timers fired.
func (r *report) printLoads(w io.Writer) {
	rows := []string{cells("waiting", "store", "load s", "disk MiB", "cold open ms", "timers fired", "due before ms", "due after ms", "from mark ms", "settled ms")}
	for _, l := range r.Loads {
		row := cells(l.Instances, l.Engine, l.Seconds, l.DiskMiB)
		for _, c := range r.Churns {
			if c.Engine == l.Engine && c.Instances == l.Instances {
				row += "\t" + cells(c.Sample.OpenMS, c.Fired, c.Sample.DueFreshMS, c.Sample.DueUsedMS, c.Sample.DueMarkMS, c.Sample.DueSettledMS)
			}
		}
		rows = append(rows, row)
	}
	table(w, rows...)
}

// printNotes prints the floor once more and how it was measured.
func (r *report) printNotes(w io.Writer) {
	printFloors(w, "raw floor at the end", r.FloorAfter)
	for _, c := range engines() {
		fmt.Fprintf(w, "%s: %s\n", c.engine, r.Options[c.engine])
	}
	fmt.Fprintf(w, "%s, cgo %s, %d rounds of %s, %s in all, %s\n", r.Machine, r.Cgo, r.Rounds, r.Duration, r.Took, r.Date)
	fmt.Fprintf(w, "%d runs repeated because other work had over %d%% of the machine\n", r.Repeated, disturbed)
}
