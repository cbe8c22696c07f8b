package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/seed21523604/holdfast/bench/internal/load"
)

// report is all results, as the JSON file holds them.
type report struct {
	Date     string       `json:"date"`
	Machine  string       `json:"machine"`
	Duration string       `json:"duration"`
	Rounds   int          `json:"rounds"`
	Engines  []engineNote `json:"engines"`
	Results  []result     `json:"results"`
	Failures []failure    `json:"failures,omitempty"`
}

// engineNote says what an engine is.
type engineNote struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Durable string `json:"durable"`
}

// result is what an engine did in one workload.
type result struct {
	Engine   string        `json:"engine"`
	Workload load.Workload `json:"workload"`
	Callers  int           `json:"callers"`
	Median   load.Sample   `json:"median"`
	Samples  []load.Sample `json:"samples"`
}

// failure is a run that did not end well.
type failure struct {
	Engine   string        `json:"engine"`
	Workload load.Workload `json:"workload"`
	Callers  int           `json:"callers"`
	Error    string        `json:"error"`
}

func engineNotes(engines []string) (notes []engineNote) {
	for _, name := range engines {
		c := find(name)
		notes = append(notes, engineNote{c.name, c.version, c.durable})
	}
	return notes
}

func (r *report) add(engine string, w load.Workload, callers int, samples []load.Sample) {
	r.Results = append(r.Results, result{engine, w, callers, median(samples), samples})
}

func (r *report) failed(engine string, w load.Workload, callers int, err error) {
	r.Failures = append(r.Failures, failure{engine, w, callers, err.Error()})
}

// write prints the tables as Markdown and, unless file is empty, writes the JSON.
func (r *report) write(w io.Writer, file string) error {
	r.print(w)
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s; medians of %d rounds of %s\n\n", r.Date, r.Machine, r.Rounds, r.Duration)
	fmt.Fprintf(w, "| engine | version | durability |\n|---|---|---|\n")
	for _, e := range r.Engines {
		fmt.Fprintf(w, "| %s | %s | %s |\n", e.Name, e.Version, e.Durable)
	}
	for rest := r.Results; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Workload == rest[0].Workload && rest[n].Callers == rest[0].Callers {
			n++
		}
		r.table(w, rest[:n])
		rest = rest[n:]
	}
	for _, f := range r.Failures {
		fmt.Fprintf(w, "\n%s failed at %s with %d callers: %s\n", f.Engine, f.Workload, f.Callers, f.Error)
	}
}

// table prints the results of one measurement, without the columns that are
// empty.
func (r *report) table(w io.Writer, results []result) {
	fmt.Fprintf(w, "\n**%s, %d at a time**\n\n", results[0].Workload, results[0].Callers)
	lines := make([]string, len(results)+2)
	for _, c := range r.columns() {
		cells := make([]string, len(results))
		for i, one := range results {
			cells[i] = c.cell(one)
		}
		if strings.Join(cells, "") == "" {
			continue
		}
		for i, cell := range slices.Concat([]string{c.title, "---"}, cells) {
			lines[i] += "| " + cell + " "
		}
	}
	for _, line := range lines {
		fmt.Fprintln(w, line+"|")
	}
}

// column is one of a table: its title and what it shows of a result.
type column struct {
	title string
	cell  func(result) string
}

func (r *report) columns() []column {
	measured := func(title string, measure func(load.Sample) string) column {
		return column{title, func(one result) string { return measure(one.Median) }}
	}
	return []column{
		{"engine", func(one result) string { return one.Engine }},
		{"instances", instances},
		measured("a second", func(m load.Sample) string { return number(m.FlowsPerSecond) }),
		{"Holdfast is faster", r.ratio},
		measured("p50 ms", func(m load.Sample) string { return number(m.P50) }),
		measured("p99 ms", func(m load.Sample) string { return number(m.P99) }),
		measured("raise to complete p50 / p99 ms", func(m load.Sample) string { return pair(m.RaiseP50, m.RaiseP99) }),
		measured("late p50 / p99 ms", func(m load.Sample) string { return pair(m.LateP50, m.LateP99) }),
		measured("bytes per waiting", func(m load.Sample) string { return number(m.WaitingBytes) }),
		measured("CPU µs", func(m load.Sample) string { return number(m.CPU) }),
		measured("disk bytes", func(m load.Sample) string { return number(m.Written) }),
		measured("flushes", func(m load.Sample) string { return number(m.Flushes) }),
		measured("others' CPU", func(m load.Sample) string { return fmt.Sprintf("%.0f %%", m.Others) }),
	}
}

// instances is how many there were, where that was given.
func instances(one result) string {
	if one.Workload != load.Pending && one.Workload != load.Timers {
		return ""
	}
	return strconv.Itoa(one.Samples[0].Flows)
}

// ratio is how many times as many instances Holdfast ended in a second.
func (r *report) ratio(one result) string {
	ours := r.ours(one)
	if ours == nil || one.Engine == ours.Engine {
		return ""
	}
	return number(ours.Median.FlowsPerSecond/one.Median.FlowsPerSecond) + " times"
}

// ours returns Holdfast's result of the same measurement.
func (r *report) ours(one result) *result {
	for i := range r.Results {
		if o := &r.Results[i]; o.Engine == candidates[0].name && o.Workload == one.Workload && o.Callers == one.Callers {
			return o
		}
	}
	return nil
}

// number writes three significant digits; nothing for what was not measured.
func number(x float64) string {
	switch {
	case x == 0:
		return ""
	case x >= 999.5 || x <= -999.5:
		return fmt.Sprintf("%.0f", x)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

func pair(a, b float64) string {
	if a == 0 && b == 0 {
		return ""
	}
	return number(a) + " / " + number(b)
}
