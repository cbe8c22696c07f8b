package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// scope is the name under which spans and metrics come: that of what DurableTask.Core
// calls its source.
const scope = "DurableTask.Core"

// Options say where spans and metrics go. The zero value is the program's global
// providers.
type Options struct {
	// Tracers makes the tracer; nil is otel.GetTracerProvider.
	Tracers trace.TracerProvider
	// Meters makes the instruments; nil is otel.GetMeterProvider.
	Meters metric.MeterProvider
}

// Telemetry makes spans and metrics of what a worker and a client do: it is a
// dispatch.Telemetry and a client.Tracer. It may be used concurrently, and by several.
type Telemetry struct {
	tracer trace.Tracer
	meters *instruments
}

// New returns a Telemetry. The error is that of a provider which refuses an
// instrument.
func New(o Options) (*Telemetry, error) {
	if o.Tracers == nil {
		o.Tracers = otel.GetTracerProvider()
	}
	if o.Meters == nil {
		o.Meters = otel.GetMeterProvider()
	}
	meters, err := newInstruments(o.Meters.Meter(scope))
	if err != nil {
		return nil, err
	}
	return &Telemetry{tracer: o.Tracers.Tracer(scope), meters: meters}, nil
}

// Send begins the span of a message that a client sends, if it is one that has a
// span, and gives the message its place below it; or below what the context is
// part of, if it has none.
func (t *Telemetry) Send(ctx context.Context, instance string, message *history.Event) (sent func(error)) {
	if message.Kind == history.ExecutionRewound {
		message.Trace = placeOf(trace.SpanContextFromContext(ctx))
		return func(error) {}
	}
	_, span := t.tracer.Start(ctx, messageName(message), trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(messageAttributes(instance, message)...))
	message.Trace = placeOf(span.SpanContext())
	return func(err error) {
		if err != nil {
			fail(span, kindOf(err))
		}
		span.End()
	}
}

// Activity begins the span of an activity that runs, and makes it that of the
// activity's context.
func (t *Telemetry) Activity(ctx context.Context, call engine.Call, at *history.Trace, waited time.Duration) (context.Context, func(*history.Failure)) {
	span := trace.SpanFromContext(ctx)
	if at != nil {
		above := trace.ContextWithRemoteSpanContext(ctx, contextOf(at))
		ctx, span = t.tracer.Start(above, "activity:"+call.Name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(callAttributes(call)...))
	}
	ended := t.meters.activity(call.Name, waited)
	return ctx, func(failure *history.Failure) {
		ended(failure)
		if failure != nil {
			fail(span, failure.Kind)
		}
		span.End()
	}
}

// Turned makes the spans that ended with a turn.
func (t *Telemetry) Turned(row store.Instance, decision engine.Decision, took time.Duration) {
	for i := range decision.Spans {
		t.show(&decision.Spans[i])
	}
	t.meters.turned(row, decision, took)
}

// Missed counts an attempt at a turn that failed.
func (t *Telemetry) Missed(err error) { t.meters.missed(kindOf(err)) }

// show makes a span that has ended.
func (t *Telemetry) show(s *engine.Span) {
	ctx := trace.ContextWithRemoteSpanContext(context.Background(), contextOf(s.Under))
	ctx = withID(ctx, contextOf(s.Here).SpanID())
	name, kind, attributes := describe(s)
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithTimestamp(s.Began), trace.WithAttributes(attributes...), trace.WithLinks(links(s.Heard)...))
	conclude(span, s)
	span.End(trace.WithTimestamp(s.Ended))
}

// kindOf returns a word for an error of a client or a store, without what may be
// in its text.
func kindOf(err error) string {
	for kind, sentinel := range kinds {
		if errors.Is(err, sentinel) {
			return kind
		}
	}
	return "error"
}

// kinds are the words for the errors that callers distinguish. No error is two of
// them.
var kinds = map[string]error{
	"not-found": store.ErrNotFound,
	"exists":    store.ErrExists,
	"finished":  store.ErrFinished,
	"conflict":  store.ErrConflict,
	"too-large": store.ErrTooLarge,
	"too-many":  store.ErrTooMany,
	"corrupt":   store.ErrCorrupt,
	"canceled":  context.Canceled,
	"timeout":   context.DeadlineExceeded,
}
