package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// instruments are the metrics. Their attributes are names that the program
// registered and words, never what somebody sent.
type instruments struct {
	started    metric.Int64Counter
	executions metric.Float64Histogram
	turns      metric.Float64Histogram
	missedTurn metric.Int64Counter
	activities metric.Float64Histogram
	waits      metric.Float64Histogram
	running    metric.Int64UpDownCounter
	late       metric.Float64Histogram
	heard      metric.Float64Histogram
}

// The bounds of the histograms, in seconds: of what a machine does, and of what
// may wait for people.
var (
	short = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}
	long  = []float64{0.01, 0.1, 1, 10, 60, 300, 900, 3600, 6 * 3600, 86400, 3 * 86400, 7 * 86400, 30 * 86400, 90 * 86400, 365 * 86400}
)

func newInstruments(m metric.Meter) (*instruments, error) {
	var i instruments
	var errs []error
	counter := func(to *metric.Int64Counter, name, what string) {
		c, err := m.Int64Counter(name, metric.WithDescription(what), metric.WithUnit("1"))
		*to, errs = c, append(errs, err)
	}
	seconds := func(to *metric.Float64Histogram, name, what string, bounds []float64) {
		h, err := m.Float64Histogram(name, metric.WithDescription(what), metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(bounds...))
		*to, errs = h, append(errs, err)
	}
	counter(&i.started, "durabletask.orchestration.started", "executions that began")
	seconds(&i.executions, "durabletask.orchestration.duration", "how long executions took from their acceptance to their end", long)
	seconds(&i.turns, "durabletask.turn.duration", "how long turns took, the commit included", short)
	counter(&i.missedTurn, "durabletask.turn.missed", "attempts at a turn that failed, by why")
	seconds(&i.activities, "durabletask.activity.duration", "how long activities ran", short)
	seconds(&i.waits, "durabletask.activity.wait", "how long after they were asked for activities began", short)
	seconds(&i.late, "durabletask.timer.delay", "how long after they were due timers fired", short)
	seconds(&i.heard, "durabletask.event.delay", "how long after their acceptance external events were recorded", short)
	running, err := m.Int64UpDownCounter("durabletask.activity.running", metric.WithDescription("activities that run"), metric.WithUnit("1"))
	i.running = running
	return &i, errors.Join(append(errs, err)...)
}

// activity takes note of an activity that begins, and returns what does so of its
// end.
func (i *instruments) activity(name string, waited time.Duration) func(*history.Failure) {
	ctx, began := context.Background(), time.Now()
	who := metric.WithAttributes(nameKey.String(name))
	i.waits.Record(ctx, waited.Seconds(), who)
	i.running.Add(ctx, 1, who)
	return func(failure *history.Failure) {
		status := history.Completed
		if failure != nil {
			status = history.Failed
		}
		i.running.Add(ctx, -1, who)
		i.activities.Record(ctx, time.Since(began).Seconds(), with(name, statusKey.String(status.String())))
	}
}

func with(name string, more ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(more, nameKey.String(name))...)
}

// missed counts an attempt at a turn that failed.
func (i *instruments) missed(why string) {
	i.missedTurn.Add(context.Background(), 1, metric.WithAttributes(errorKey.String(why)))
}

// turned takes note of a turn.
func (i *instruments) turned(row store.Instance, d engine.Decision, took time.Duration) {
	ctx, of := context.Background(), with(row.Name)
	i.turns.Record(ctx, took.Seconds(), of)
	var turn time.Time
	for n := range d.Events {
		e := &d.Events[n]
		switch e.Kind {
		case history.OrchestratorStarted:
			turn = e.Time
		case history.ExecutionStarted:
			i.started.Add(ctx, 1, of)
		case history.EventRaised:
			i.heard.Record(ctx, sinceOr0(turn, e.Time), of)
		case history.TimerFired:
			i.late.Record(ctx, sinceOr0(turn, e.FireAt), of)
		case history.ExecutionCompleted, history.ContinueAsNew:
			i.executions.Record(ctx, sinceOr0(e.Time, row.Created), with(row.Name, statusKey.String(e.Status.String())))
		}
	}
}

// sinceOr0 returns how many seconds passed, or none if the clocks differ.
func sinceOr0(now, then time.Time) float64 { return max(now.Sub(then), 0).Seconds() }
