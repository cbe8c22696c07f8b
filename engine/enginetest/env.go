package enginetest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// Epoch is what the clock of an [Env] shows when it is made.
var Epoch = time.Date(2026, time.January, 1, 9, 0, 0, 0, time.UTC)

// Env is the world of a test: a clock, the instances, and what is going to
// happen. It is the test's T as well. It must be used by the test's goroutine
// only, which includes fakes and functions given to At.
type Env struct {
	testing.TB
	// Version is that of the program: what instances get that begin.
	Version  string
	registry *engine.Registry
	now      time.Time
	agenda   []*entry
	serial   int
	byID     map[string]*instance
	order    []*instance // as they began
	fakes    map[string]*Faked
	children map[string]*Faked
	calls    []*called
	crash    crash
	replayed int // events replayed to check determinism
}

// New returns a world in which the orchestrations and activities of r are known.
// Without a test, as in an example, t is nil; what would fail it panics then.
func New(t testing.TB, r *engine.Registry) *Env {
	if t == nil {
		t = noTest{}
	}
	e := &Env{
		TB: t, registry: r, now: Epoch,
		byID: map[string]*instance{}, fakes: map[string]*Faked{}, children: map[string]*Faked{}, crash: crash{at: -1},
	}
	t.Cleanup(e.close)
	return e
}

// noTest is in the place of a test.
type noTest struct{ testing.TB }

func (noTest) Helper()                   {}
func (noTest) Cleanup(func())            {}
func (noTest) Context() context.Context  { return context.Background() }
func (noTest) Output() io.Writer         { return io.Discard }
func (noTest) Errorf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (noTest) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (noTest) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }

func (e *Env) close() {
	for _, i := range e.order {
		i.putAway()
	}
}

// Now returns the time of the clock.
func (e *Env) Now() time.Time { return e.now }

// Elapsed returns how far the clock has moved.
func (e *Env) Elapsed() time.Duration { return e.now.Sub(Epoch) }

// entry is something that is going to happen.
type entry struct {
	at     time.Time
	serial int
	do     func()
}

// At lets something happen so much later than now. What happens at the same
// moment happens in the order in which it was asked for, and before a timer that
// is due then.
func (e *Env) At(after time.Duration, do func()) {
	e.serial++
	e.agenda = append(e.agenda, &entry{e.now.Add(after), e.serial, do})
	slices.SortStableFunc(e.agenda, func(a, b *entry) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.serial, b.serial)) })
}

// Advance moves the clock and lets all happen that falls due meanwhile.
func (e *Env) Advance(d time.Duration) {
	e.Helper()
	until := e.now.Add(d)
	for {
		e.settle()
		next := e.next()
		if next.IsZero() || next.After(until) {
			break
		}
		e.moveTo(next)
	}
	e.now = until
	e.settle()
}

// settle lets all happen that is due now.
func (e *Env) settle() {
	e.Helper()
	for busy := true; busy; {
		busy = false
		for len(e.agenda) > 0 && !e.agenda[0].at.After(e.now) {
			first := e.agenda[0]
			e.agenda = e.agenda[1:]
			first.do()
			busy = true
		}
		for n := 0; n < len(e.order); n++ {
			busy = e.order[n].work() || busy
		}
	}
}

// next returns when something happens next; the zero time for never.
func (e *Env) next() time.Time {
	var next time.Time
	if len(e.agenda) > 0 {
		next = e.agenda[0].at
	}
	for _, i := range e.order {
		if at := i.wake(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

func (e *Env) moveTo(t time.Time) {
	if t.After(e.now) {
		e.now = t
	}
}

// runUntil moves the clock until the instance has ended.
func (e *Env) runUntil(i *instance) {
	e.Helper()
	for n := 0; ; n++ {
		e.settle()
		if i.status.IsTerminal() {
			return
		}
		next := e.next()
		if next.IsZero() {
			e.Fatalf("%s waits for what never comes: %s\n%s", i, i.waitsFor(), e.story(i))
		}
		if n == maxSteps {
			e.Fatalf("%s has not ended after %d steps; start it with Start, and move the clock with Advance\n%s", i, maxSteps, e.story(i))
		}
		e.moveTo(next)
	}
}

// maxSteps is how often the clock moves for one instance.
const maxSteps = 100_000

// begin makes an instance with the start as its first message.
func (e *Env) begin(id string, start history.Event) *instance {
	i, ok := e.byID[id]
	if !ok {
		i = &instance{env: e, id: id}
		e.byID[id] = i
		e.order = append(e.order, i)
	}
	i.begin(start)
	return i
}

// message makes a message that came from outside, now.
func (e *Env) message(m history.Event) history.Event {
	e.serial++
	m.ID, m.Time, m.Message = history.Outside, e.now, fmt.Sprintf("message-%06d", e.serial)
	return m
}

// story tells what is known of an instance, for the output of a failed test.
func (e *Env) story(i *instance) string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %s, %v after the beginning; history of %s:\n", e.now.Format(time.RFC3339), e.Elapsed(), i)
	_ = history.Print(&b, i.past, history.PrintOptions{}) // a Builder takes everything
	return b.String()
}

// logger writes what orchestrations log into the test's output.
func (e *Env) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(e.Output(), &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.String("at", "+"+e.Elapsed().String())
		}
		return a
	}}))
}
