package telemetry

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed21523604/holdfast/engine/history"
)

// w3c writes and reads the headers traceparent and tracestate.
var w3c propagation.TraceContext

const (
	parentHeader = "traceparent"
	stateHeader  = "tracestate"
)

// placeOf returns the place below a span; nil if there is no span.
func placeOf(span trace.SpanContext) *history.Trace {
	if !span.IsValid() {
		return nil
	}
	headers := propagation.MapCarrier{}
	w3c.Inject(trace.ContextWithSpanContext(context.Background(), span), headers)
	place := &history.Trace{Parent: headers[parentHeader], State: headers[stateHeader]}
	if len(place.State) > history.MaxTraceState {
		place.State = ""
	}
	return place
}

// contextOf returns the span that a place is below; an invalid one if it is none.
func contextOf(t *history.Trace) trace.SpanContext {
	if t == nil {
		return trace.SpanContext{}
	}
	headers := propagation.MapCarrier{parentHeader: t.Parent, stateHeader: t.State}
	return trace.SpanContextFromContext(w3c.Extract(context.Background(), headers))
}

// Handler returns a handler that takes part in the traces of its callers: the
// context of a request has the place that its headers name, unless somebody has
// begun a span in it already.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !trace.SpanContextFromContext(r.Context()).IsValid() {
			r = r.WithContext(w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
		}
		next.ServeHTTP(w, r)
	})
}

type idKey struct{}

// withID gives the next span that is begun in the context its id.
func withID(ctx context.Context, id trace.SpanID) context.Context {
	return context.WithValue(ctx, idKey{}, id)
}

// IDs is an id generator for the OpenTelemetry SDK: random ids, but for the spans
// of executions and calls, which have those that others know already.
type IDs struct{}

// NewIDs returns the ids of a span that begins a trace.
func (IDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	var id trace.TraceID
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id, IDs{}.NewSpanID(ctx, id)
}

// NewSpanID returns the id of a span.
func (IDs) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	id, _ := ctx.Value(idKey{}).(trace.SpanID)
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}
