package azuritetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// frozenEmulators is how many emulators with a clock that stands still a test
// binary has at most. Each serves one test at a time, as it has one clock.
const frozenEmulators = 2

// free holds the frozen emulators that no test has; one is nil until it is
// started.
var free = func() chan *Emulator {
	c := make(chan *Emulator, frozenEmulators)
	for range frozenEmulators {
		c <- nil
	}
	return c
}()

// owned knows which frozen emulator a test has.
var owned sync.Map

// Frozen returns an emulator whose clock stands still until the test sets it. It
// is the test's until the end of the test, for which every call returns the same
// one; a subtest is a test of its own, and waits while others have all there
// are. The test is skipped if something is missing.
func Frozen(t testing.TB) *Emulator {
	t.Helper()
	if e, ok := owned.Load(t); ok {
		return e.(*Emulator)
	}
	e := <-free
	if e == nil {
		var err error
		if e, err = Start(Options{Clock: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}); err != nil {
			free <- nil
			refuse(t, err)
		}
	}
	owned.Store(t, e)
	t.Cleanup(func() {
		owned.Delete(t)
		free <- e
	})
	return e
}

var shared = sync.OnceValues(func() (*Emulator, error) { return Start(Options{}) })

// Shared returns the emulator by the real clock that all tests of the binary
// share. The test is skipped if something is missing.
func Shared(t testing.TB) *Emulator {
	t.Helper()
	e, err := shared()
	if err != nil {
		refuse(t, err)
	}
	return e
}

// refuse ends a test that has no emulator.
func refuse(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	t.Fatal(err)
}

var hubs atomic.Int64

// NewHub returns the name of a hub that no other test of the binary has.
func NewHub() string { return fmt.Sprint("hub", hubs.Add(1)) }
