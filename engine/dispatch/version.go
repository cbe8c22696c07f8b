package dispatch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed21523604/holdfast/engine"
)

// Match says which instances a worker runs, by the version they were started
// with. The words are those of Durable Functions.
type Match string

// The strategies of a worker that has a version.
const (
	// MatchCurrentOrOlder runs what has the worker's own version or an older
	// one, or none.
	MatchCurrentOrOlder Match = "CurrentOrOlder"
	// MatchStrict runs what has the very version of the worker.
	MatchStrict Match = "Strict"
	// MatchNone runs everything.
	MatchNone Match = "None"
)

// KindVersionMismatch is the kind of failure of an instance that no worker of
// this version may run, if Options.FailMismatch says that it is to fail.
const KindVersionMismatch = "version-mismatch"

// errVersion is returned for an instance that is for another worker.
var errVersion = errors.New("this worker does not run instances of this version")

// mismatch is an errVersion that fails the instance.
type mismatch struct{ error }

// Kind returns the kind of the failure.
func (mismatch) Kind() string { return KindVersionMismatch }

// NonRetriable is true.
func (mismatch) NonRetriable() bool { return true }

// Runs returns why the worker leaves instances of an orchestration and a version
// to others, nil if it does not. The error wraps engine.ErrUnknownName or tells of
// both versions.
func (w *Worker) Runs(orchestration, version string) error {
	if !w.registry.HasOrchestrator(orchestration) {
		return fmt.Errorf("orchestration %q: %w", orchestration, engine.ErrUnknownName)
	}
	return w.admit(version)
}

// admit returns why a worker does not run instances of a version; nil if it does.
func (w *Worker) admit(version string) error {
	if w.matches(version) {
		return nil
	}
	err := fmt.Errorf("%w: the instance has version %q, the worker %q, and the strategy is %s", errVersion, version, w.o.Version, w.o.Match)
	if w.o.FailMismatch {
		return mismatch{err}
	}
	return err
}

func (w *Worker) matches(version string) bool {
	switch w.o.Match {
	case MatchStrict:
		return compareVersions(version, w.o.Version) == 0
	case MatchCurrentOrOlder:
		return compareVersions(version, w.o.Version) <= 0
	default:
		return true
	}
}

// replayOptions are those for every execution of the worker.
func (w *Worker) replayOptions() engine.ReplayOptions {
	return engine.ReplayOptions{
		Logger: w.o.Logger, Version: w.o.Version, Admit: w.admit,
		MaxEvents: w.o.MaxHistoryEvents, MaxBytes: w.o.MaxHistoryBytes,
	}
}

// compareVersions compares as Durable Functions does: no version is less than
// any; two of two to four numbers are compared by their numbers; and others as
// texts without regard to upper and lower case.
func compareVersions(a, b string) int {
	numbersA, okA := numbers(a)
	numbersB, okB := numbers(b)
	switch {
	case a == "" || b == "":
		return cmp.Compare(len(a), len(b))
	case okA && okB:
		return slices.Compare(numbersA, numbersB)
	default:
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	}
}

// numbers reads a version of two to four numbers with dots between them. One with
// fewer is less than one that goes on, whatever follows.
func numbers(version string) ([]uint64, bool) {
	parts := strings.Split(version, ".")
	if len(parts) < 2 || len(parts) > 4 {
		return nil, false
	}
	list := make([]uint64, len(parts))
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil || part[0] == '+' {
			return nil, false
		}
		list[i] = n
	}
	return list, true
}
