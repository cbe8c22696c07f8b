package sim

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// tick is what time is counted in: nothing happens between two ticks, so that a
// pause of random length below one changes nothing.
const tick = 50 * time.Millisecond

// stage is where goroutines wait for each other: each stops at a point, and one
// at a time is let go.
type stage struct {
	began time.Time // in the bubble
	day   time.Time // what time it was then in the world

	mu      sync.Mutex
	points  []*point
	step    int
	arrived chan struct{} // holds a token when a point was reached
}

func newStage() *stage {
	return &stage{began: time.Now(), day: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), arrived: make(chan struct{}, 1)}
}

// point is where a goroutine waits, or a request that nobody waits for any more.
type point struct {
	who     *process // nil for a person
	what    string
	request *request // nil for anything else
	since   int      // the step at which it was reached
	stack   []uintptr
	gone    bool // whoever waited does not any more
	err     error
	pass    chan struct{} // closed to let it go
}

// now is the world's time, in whole ticks. It is never behind the bubble's.
func (s *stage) now() time.Time {
	since := time.Since(s.began)
	return s.day.Add((since + tick - 1) / tick * tick)
}

// align waits for the end of the tick, so that what happened within it has
// happened.
func (s *stage) align() {
	for {
		synctest.Wait()
		rest := s.now().Sub(s.day) - time.Since(s.began)
		if rest == 0 {
			return
		}
		time.Sleep(rest)
	}
}

// reach stops at a point until it is let go. It returns a deadError if the process
// died, or the context's error if that ends first.
func (s *stage) reach(ctx context.Context, p *point) error {
	p.pass = make(chan struct{})
	p.stack = make([]uintptr, 32)
	p.stack = p.stack[:runtime.Callers(2, p.stack)]
	s.mu.Lock()
	if p.who != nil && p.who.dead {
		s.mu.Unlock()
		return deadError{}
	}
	p.since = s.step
	s.points = append(s.points, p)
	s.mu.Unlock()
	select {
	case s.arrived <- struct{}{}:
	default:
	}
	select {
	case <-p.pass:
		return p.err
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		p.gone = true
		return ctx.Err()
	}
}

// ready returns the points that may be let go, those first that were reached
// first. Which goroutine came first within a step does not matter.
func (s *stage) ready(may func(*point) bool) []*point {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.points, func(a, b *point) int {
		return cmp.Or(a.since-b.since, cmp.Compare(a.who.name(), b.who.name()), cmp.Compare(a.what, b.what), slices.Compare(a.stack, b.stack))
	})
	var ready []*point
	for _, p := range s.points {
		if may(p) {
			ready = append(ready, p)
		}
	}
	return ready
}

// take removes a point.
func (s *stage) take(p *point) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points = slices.DeleteFunc(s.points, func(other *point) bool { return other == p })
}

// release lets a point go.
func (s *stage) release(p *point, err error) {
	s.take(p)
	p.err = err
	close(p.pass)
}

// idle lets time pass until a point is reached, at most so long.
func (s *stage) idle(most time.Duration) {
	select {
	case <-s.arrived: // reached before
	default:
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-s.arrived:
	case <-timer.C:
	}
}

// String describes a point for a story.
func (p *point) String() string { return fmt.Sprintf("%-8s %s", p.who.name(), p.what) }
