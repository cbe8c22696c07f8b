package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/bench/internal/machine"
)

// report is what one measurement found, as its JSON file holds it.
type report struct {
	Date    string   `json:"date"`
	Machine string   `json:"machine"`
	Load    []string `json:"load_average"`       // before and after: 1, 5 and 15 minutes
	Others  float64  `json:"others_cpu_percent"` // of all other processes, Azurite included
	Took    string   `json:"took"`
	Charts  []*chart `json:"charts"`
	Facts   []fact   `json:"facts"`

	began time.Time
	used  machine.Usage
}

// chart is some lines over one axis.
type chart struct {
	File  string `json:"file"`
	Title string `json:"title"`
	X     string `json:"x"`
	Y     string `json:"y"`
	Lines []line `json:"lines"`
}

// line is one of a chart's.
type line struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
}

// fact is a single number.
type fact struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

func newReport() *report {
	return &report{Date: time.Now().UTC().Format(time.DateOnly), Machine: machine.Describe(), Load: []string{loadAverage()}, began: time.Now(), used: machine.Used()}
}

// loadAverage returns what the kernel says of how busy the machine was.
func loadAverage() string {
	data, _ := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(data))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

// newChart adds a chart with lines to be filled.
func (r *report) newChart(file, title, x, y string, lines ...string) *chart {
	c := &chart{File: file + ".svg", Title: title, X: x, Y: y}
	for _, name := range lines {
		c.Lines = append(c.Lines, line{Name: name})
	}
	r.Charts = append(r.Charts, c)
	return c
}

// add adds a point to every line.
func (c *chart) add(x float64, ys ...float64) {
	for i, y := range ys {
		c.Lines[i].X, c.Lines[i].Y = append(c.Lines[i].X, x), append(c.Lines[i].Y, y)
	}
}

func (r *report) tell(what string, value float64, unit string) {
	r.Facts = append(r.Facts, fact{what, value, unit})
}

// write prints the report as Markdown, and writes the JSON and the curves into a
// folder.
func (r *report) write(w io.Writer, folder, name string) error {
	r.Load, r.Took = append(r.Load, loadAverage()), time.Since(r.began).Round(time.Second).String()
	used := machine.Used().Since(r.used)
	r.Others = used.Others(time.Since(r.began))
	r.print(w)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, name+".json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	for _, c := range r.Charts {
		if err := c.draw(filepath.Join(folder, c.File)); err != nil {
			return fmt.Errorf("draw %s: %w", c.File, err)
		}
	}
	return nil
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %s; load average before and after %s; others had %.0f %% of the CPUs; it took %s\n", r.Date, r.Machine, strings.Join(r.Load, " and "), r.Others, r.Took)
	for _, c := range r.Charts {
		c.print(w)
	}
	if len(r.Facts) > 0 {
		fmt.Fprintln(w, "\n| besides | |\n|---|---|")
	}
	for _, f := range r.Facts {
		fmt.Fprintf(w, "| %s | %s %s |\n", f.What, number(f.Value), f.Unit)
	}
}

// print prints the lines side by side. They have the same points.
func (c *chart) print(w io.Writer) {
	fmt.Fprintf(w, "\n**%s** (%s)\n\n| %s |", c.Title, c.Y, c.X)
	for _, l := range c.Lines {
		fmt.Fprintf(w, " %s |", l.Name)
	}
	fmt.Fprintf(w, "\n|---|%s\n", strings.Repeat("---|", len(c.Lines)))
	for i, x := range c.Lines[0].X {
		fmt.Fprintf(w, "| %s |", number(x))
		for _, l := range c.Lines {
			fmt.Fprintf(w, " %s |", number(l.Y[i]))
		}
		fmt.Fprintln(w)
	}
}

// number writes three significant digits, and large numbers whole.
func number(x float64) string {
	if x >= 100 || x <= -100 {
		return fmt.Sprintf("%.0f", x)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}
