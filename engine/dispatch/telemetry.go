package dispatch

import (
	"context"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Telemetry is told what a worker does, for traces and metrics. Package telemetry
// has one. Its methods may be called concurrently and hold the work up.
type Telemetry interface {
	// Turned is called once for each turn that is known to be durable, with the
	// row after it, and how long it took, the commit included. A turn of which that
	// becomes known too late, or to nobody because the process died, is left out.
	Turned(row store.Instance, decision engine.Decision, took time.Duration)
	// Missed is called for each attempt at a turn that failed.
	Missed(err error)
	// Activity is called before an activity runs, with its place in a trace (nil if
	// there is none) and how long ago it was asked for. It returns the activity's
	// context, and what is to be called with how the activity failed, or nil, when
	// it has ended.
	Activity(ctx context.Context, call engine.Call, at *history.Trace, waited time.Duration) (context.Context, func(*history.Failure))
}

// silent is told everything and says nothing.
type silent struct{}

func (silent) Turned(store.Instance, engine.Decision, time.Duration) {}

func (silent) Missed(error) {}

func (silent) Activity(ctx context.Context, _ engine.Call, _ *history.Trace, _ time.Duration) (context.Context, func(*history.Failure)) {
	return ctx, func(*history.Failure) {}
}

// turned is a turn that was made.
type turned struct {
	row      store.Instance
	decision engine.Decision
	took     time.Duration
}

// tellLate tells of a turn that seemed to have failed and turns out to be durable.
func (w *Worker) tellLate(s *session) {
	if t := s.untold; t != nil && s.row.Turn == t.row.Turn {
		w.o.Telemetry.Turned(t.row, t.decision, t.took)
	}
	s.untold = nil
}
