// Package model has the formal model of the table store's doorbells,
// holdfast.pml, and runs the model checker Spin on it. docs/model.md says what is
// modelled and what was found.
package model

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// built is the mutant that is the protocol as it is built.
const built = "0"

// With shortest, the table in docs/simulation.md is
//
//	go test ./docs/model -run Mistake -v -args -shortest
var shortest = flag.Bool("shortest", false, "look for the shortest story to each mistake, which takes some minutes")

// maxMemory is how many MiB the checker may use.
const maxMemory = 2000

func TestTheModelKeepsItsPromises(t *testing.T) {
	t.Parallel()
	r := check(t, built)
	t.Log(r)
	switch {
	case r.broken != "":
		t.Errorf("%s\n%s", r.broken, r.story)
	case len(r.unreached) > 0:
		t.Errorf("these lines of the model are never reached, so it says nothing about them: %s", r.unreached)
	}
}

func TestEveryMistakeInTheModelIsFound(t *testing.T) {
	for _, m := range mutants(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			r := check(t, m.number)
			if r.broken == "" {
				t.Errorf("mutant %s keeps every promise: %s", m.number, r)
			}
			t.Logf("| %s | %s | %s | %d | %d |", m.number, m.name, r.broken, r.states, r.depth)
		})
	}
}

// mutant is a mistake that the model can be built with.
type mutant struct{ number, name string }

var mutantText = regexp.MustCompile(`/\* (\d+): (.+?) \*/`)

// mutants reads from the model which there are.
func mutants(t *testing.T) (all []mutant) {
	text, err := os.ReadFile("holdfast.pml")
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range mutantText.FindAllStringSubmatch(string(text), -1) {
		if m[1] != strconv.Itoa(i+1) {
			t.Fatalf("mutant %s is not in its place", m[1])
		}
		all = append(all, mutant{m[1], m[2]})
	}
	return all
}

// result is what the checker found.
type result struct {
	states, depth int
	memory        float64 // MiB
	took          time.Duration
	broken        string // the promise that does not hold, or empty
	story         string // the steps to that
	unreached     []string
}

func (r *result) String() string {
	return fmt.Sprintf("%d states, %d steps deep, %.0f MiB, %v", r.states, r.depth, r.memory, r.took.Round(100*time.Millisecond))
}

// check makes a checker of the model with a mistake and runs it to the end.
func check(t *testing.T, mutant string) *result {
	spin, compiler := need(t, "spin"), need(t, "gcc")
	const model = "holdfast.pml"
	folder := t.TempDir()
	text, err := os.ReadFile(model)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, model), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	run := func(program string, args ...string) string {
		c := exec.Command(program, args...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", program, err, out)
		}
		return string(out)
	}
	run(spin, "-DMUTANT="+mutant, "-a", model)
	order := "-DCOLLAPSE"
	if *shortest {
		order = "-DBFS" // what is near is looked at first
	}
	run(compiler, "-w", "-O2", "-DSAFETY", order, fmt.Sprintf("-DMEMLIM=%d", maxMemory), "-o", "pan", "pan.c")
	began := time.Now()
	out := run(filepath.Join(folder, "pan"), "-m1000000")
	r := read(t, out)
	r.took = time.Since(began)
	if r.broken != "" {
		r.story = run(spin, "-DMUTANT="+mutant, "-t", "-p", model)
	}
	return r
}

// need returns the path of a program, or skips the test.
func need(t *testing.T, program string) string {
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("the model checker needs %s: apt-get install %s (Debian, Ubuntu), brew install %s (macOS)", program, program, program)
	}
	return path
}

var (
	statesText    = regexp.MustCompile(`(\d+) states, stored`)
	depthText     = regexp.MustCompile(`depth reached (\d+), errors: (\d+)`)
	memoryText    = regexp.MustCompile(`([\d.]+)\s+total actual memory usage`)
	brokenText    = regexp.MustCompile(`pan:1: (.+) \(at depth (\d+)\)`)
	unreachedText = regexp.MustCompile(`holdfast\.pml:(\d+), state \d+, "([^"]+)"`)
)

// read reads what the checker says. A search that was cut short is no result.
func read(t *testing.T, out string) *result {
	states, depth, memory := statesText.FindStringSubmatch(out), depthText.FindStringSubmatch(out), memoryText.FindStringSubmatch(out)
	if states == nil || depth == nil || memory == nil || strings.Contains(out, "max search depth too small") || strings.Contains(out, "Search not completed") && depth[2] == "0" {
		t.Fatalf("the search did not come to its end:\n%s", out)
	}
	r := &result{}
	r.states, _ = strconv.Atoi(states[1])
	r.depth, _ = strconv.Atoi(depth[1])
	r.memory, _ = strconv.ParseFloat(memory[1], 64)
	if broken := brokenText.FindStringSubmatch(out); broken != nil {
		r.broken = promise(broken[1])
		r.depth, _ = strconv.Atoi(broken[2])
	}
	for _, m := range unreachedText.FindAllStringSubmatch(out, -1) {
		if m[2] != "-end-" {
			r.unreached = append(r.unreached, m[1]+": "+m[2])
		}
	}
	return r
}

// promise says which of the model's promises an assertion is about.
func promise(assertion string) string {
	switch {
	case strings.Contains(assertion, "bell["):
		return "what waits has a doorbell"
	case strings.Contains(assertion, "owed[0]") && strings.Contains(assertion, "owed[1]"):
		return "nothing that was accepted is passed over"
	case strings.Contains(assertion, "owed["):
		return "what was accepted is there"
	case strings.Contains(assertion, "recorded["):
		return "nothing is recorded twice"
	}
	return assertion
}
