package engine

import (
	"errors"
	"fmt"

	"github.com/seed21523604/holdfast/engine/history"
)

// The errors that an Await returns besides a [TaskError].
var (
	// ErrTimeout is returned by a wait whose deadline came first.
	ErrTimeout = errors.New("the deadline came first")
	// ErrCanceled is returned by a task that was given up with Cancel.
	ErrCanceled = errors.New("the task was canceled")
	// ErrInterrupted is matched, through errors.Is, by the failure of an
	// [AtMostOnce] activity that was cut short: whether it took effect is
	// not known.
	ErrInterrupted = errors.New("the activity was cut short; whether it took effect is not known")
)

// The failure kinds that the engine itself gives.
const (
	KindError            = "error"            // an error without a kind of its own
	KindPanic            = "panic"            // the code panicked, or ended its goroutine
	KindInterrupted      = "interrupted"      // an at-most-once activity was cut short
	KindUnknownActivity  = "unknown-activity" // the activity is not registered
	KindNonDeterministic = "non-deterministic"
)

// TaskError is how the failure of an activity reaches the orchestration.
type TaskError struct {
	Name     string // the activity
	Attempts int    // how often the call was made
	Failure  history.Failure
}

// Error returns the activity's name and its failure.
func (e *TaskError) Error() string {
	if e.Attempts > 1 {
		return fmt.Sprintf("activity %q failed %d times, at last: %s", e.Name, e.Attempts, &e.Failure)
	}
	return fmt.Sprintf("activity %q failed: %s", e.Name, &e.Failure)
}

// Kind returns the word by which the failure can be told from others: that of
// the error the activity returned, if it has a Kind method, else one of the
// engine's own.
func (e *TaskError) Kind() string { return e.Failure.Kind }

// Is reports whether target is the sentinel for this failure's kind.
func (e *TaskError) Is(target error) bool {
	return target == ErrInterrupted && e.Failure.Kind == KindInterrupted
}

// NonRetriable reports whether the failure was marked as final.
func (e *TaskError) NonRetriable() bool { return e.Failure.NonRetriable }

// KindOf returns the kind of the first error in err's tree that has one, and
// KindError for other errors.
func KindOf(err error) string {
	var kinder interface{ Kind() string }
	if errors.As(err, &kinder) {
		return kinder.Kind()
	}
	return KindError
}

// NonRetriable marks an error of an activity as final: no [RetryPolicy] tries
// again, whatever it says. The mark travels with the error through everything
// that wraps it, and through the failures of orchestrations that return it.
func NonRetriable(err error) error { return &finalError{err} }

// finalError is an error that trying again cannot mend. Other types may say so
// with a method NonRetriable.
type finalError struct{ error }

// Unwrap returns the error that was marked.
func (e *finalError) Unwrap() error { return e.error }

// NonRetriable is true.
func (e *finalError) NonRetriable() bool { return true }

func failureOf(err error) *history.Failure {
	var final interface{ NonRetriable() bool }
	return &history.Failure{Kind: KindOf(err), Message: err.Error(), NonRetriable: errors.As(err, &final) && final.NonRetriable()}
}
