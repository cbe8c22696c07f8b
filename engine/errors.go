package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// The errors that an Await returns besides a [TaskError].
var (
	// ErrTimeout is returned by a wait whose deadline came first.
	ErrTimeout = errors.New("the deadline came first")
	// ErrTooManyTries is returned by a wait that was tried as often as
	// [Tries] allows.
	ErrTooManyTries = errors.New("there were too many tries")
	// ErrCanceled is returned by a task that was given up with Cancel.
	ErrCanceled = errors.New("the task was canceled")
	// ErrInterrupted is matched, through errors.Is, by the failure of an
	// [AtMostOnce] activity that was cut short: whether it took effect is
	// not known.
	ErrInterrupted = errors.New("the activity was cut short; whether it took effect is not known")
	// ErrIDTaken is matched, through errors.Is, by the failure of a
	// sub-orchestration whose id belongs to another instance that has not
	// ended.
	ErrIDTaken = errors.New("the id of the sub-orchestration belongs to another instance that has not ended")
)

// The failure kinds that the engine itself gives.
const (
	KindError            = "error"            // an error without a kind of its own
	KindPanic            = "panic"            // the code panicked, or ended its goroutine
	KindInterrupted      = "interrupted"      // an at-most-once activity was cut short
	KindUnknownActivity  = "unknown-activity" // the activity is not registered
	KindNonDeterministic = "non-deterministic"
	KindIDTaken          = "id-taken"     // the id of a sub-orchestration belongs to another instance
	KindTerminated       = "terminated"   // the sub-orchestration was terminated
	KindStopping         = "stopping"     // the worker was being stopped, and the activity did nothing
	KindNeverWaits       = "never-waits"  // the orchestration continues as new without end
	KindTooLarge         = "too-large"    // a payload is larger than history.MaxPayload
	KindHistoryFull      = "history-full" // the history has as much as one execution's may have
)

// TaskError is how the failure of an activity or a sub-orchestration reaches
// the orchestration that called it.
type TaskError struct {
	Name     string // the activity or the orchestration
	Instance string // the id of the sub-orchestration; empty for an activity
	Attempts int    // how often the call was made
	Failure  history.Failure
}

// Error returns what failed and how.
func (e *TaskError) Error() string {
	what := fmt.Sprintf("activity %q failed", e.Name)
	if e.Instance != "" {
		what = fmt.Sprintf("sub-orchestration %q (instance %q) failed", e.Name, e.Instance)
	}
	if e.Attempts > 1 {
		return fmt.Sprintf("%s %d times, at last: %s", what, e.Attempts, &e.Failure)
	}
	return fmt.Sprintf("%s: %s", what, &e.Failure)
}

// Kind returns the word by which the failure can be told from others: that of
// the error that was returned, if it has a Kind method, else one of the
// engine's own.
func (e *TaskError) Kind() string { return e.Failure.Kind }

// Is reports whether target is the sentinel for this failure's kind.
func (e *TaskError) Is(target error) bool {
	return target == ErrInterrupted && e.Failure.Kind == KindInterrupted ||
		target == ErrIDTaken && e.Failure.Kind == KindIDTaken
}

// NonRetriable reports whether the failure was marked as final.
func (e *TaskError) NonRetriable() bool { return e.Failure.NonRetriable }

// RetryAfter returns how long whoever failed asked to wait before the next attempt;
// zero if it did not.
func (e *TaskError) RetryAfter() time.Duration { return e.Failure.RetryAfter }

// KindOf returns the kind of the first error in err's tree that has one, and
// KindError for other errors.
func KindOf(err error) string {
	var kinder interface{ Kind() string }
	if errors.As(err, &kinder) {
		return kinder.Kind()
	}
	return KindError
}

// RetryAfterOf returns how long to wait before the next attempt, as a method RetryAfter of
// the first error in err's tree that has one says; zero for other errors.
func RetryAfterOf(err error) time.Duration {
	var waits interface{ RetryAfter() time.Duration }
	if errors.As(err, &waits) {
		return max(waits.RetryAfter(), 0)
	}
	return 0
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

// sizeError is the error of a payload that nothing may carry.
type sizeError struct{ size int }

// Error says how large it is, and how large it may be.
func (e *sizeError) Error() string {
	return fmt.Sprintf("a payload of %d bytes of JSON; at most %d can be kept", e.size, history.MaxPayload)
}

// Kind is KindTooLarge.
func (e *sizeError) Kind() string { return KindTooLarge }

// NonRetriable is true: who makes it again makes it as large.
func (e *sizeError) NonRetriable() bool { return true }

// Unwrap returns what the error is known by.
func (e *sizeError) Unwrap() error { return history.ErrTooLarge }

func failureOf(err error) *history.Failure {
	failure := &history.Failure{Kind: clip(KindOf(err)), Message: clip(err.Error()), RetryAfter: RetryAfterOf(err)}
	var final interface{ NonRetriable() bool }
	if errors.As(err, &final) {
		failure.NonRetriable = final.NonRetriable()
	}
	return failure
}

// clip cuts a text that is longer than one may be.
func clip(text string) string { return clipTo(text, history.MaxText) }

// clipTo cuts a text that has more bytes than it may have.
func clipTo(text string, most int) string {
	const mark = "…"
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(mark)], "") + mark
}
