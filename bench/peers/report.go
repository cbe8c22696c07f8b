package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

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
	for i, one := range r.Results {
		if i == 0 || one.Workload != r.Results[i-1].Workload || one.Callers != r.Results[i-1].Callers {
			r.heading(w, one)
		}
		r.row(w, one)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(w, "\n%s failed at %s with %d callers: %s\n", f.Engine, f.Workload, f.Callers, f.Error)
	}
}

func (r *report) heading(w io.Writer, one result) {
	fmt.Fprintf(w, "\n**%s, %d at a time**\n\n", one.Workload, one.Callers)
	fmt.Fprintln(w, "| engine | a second | Holdfast is faster | p50 ms | p99 ms | raise to complete p50 / p99 ms | late p50 / p99 ms | bytes per waiting | CPU µs | disk bytes | flushes | others' CPU |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|---|---|")
}

func (r *report) row(w io.Writer, one result) {
	m := one.Median
	ratio := ""
	if ours := r.ours(one); ours != nil && one.Engine != ours.Engine {
		ratio = number(ours.Median.FlowsPerSecond/m.FlowsPerSecond) + " times"
	}
	fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %.0f %% |\n", one.Engine, number(m.FlowsPerSecond), ratio,
		number(m.P50), number(m.P99), pair(m.RaiseP50, m.RaiseP99), pair(m.LateP50, m.LateP99), number(m.WaitingBytes),
		number(m.CPU), number(m.Written), number(m.Flushes), m.Others)
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
	case x >= 1000 || x <= -1000:
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
