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
	KindPanic            = "panic"            // the code panicked
	KindInterrupted      = "interrupted"      // an at-most-once activity was cut short
	KindUnknownActivity  = "unknown-activity" // the activity is not registered
	KindNonDeterministic = "non-deterministic"
)

// TaskError is how the failure of an activity reaches the orchestration.
type TaskError struct {
	Name    string // the activity
	Failure history.Failure
}

// Error returns the activity's name and its failure.
func (e *TaskError) Error() string {
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

// KindOf returns the kind of the first error in err's tree that has one, and
// KindError for other errors.
func KindOf(err error) string {
	var kinder interface{ Kind() string }
	if errors.As(err, &kinder) {
		return kinder.Kind()
	}
	return KindError
}

func failureOf(err error) *history.Failure {
	return &history.Failure{Kind: KindOf(err), Message: err.Error()}
}
