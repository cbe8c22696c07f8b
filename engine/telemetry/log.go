package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"github.com/seed21523604/holdfast/engine"
)

// LogHandler returns a handler that adds to each line what its context tells: which
// call of which instance the activity serves that logs it (instance, execution,
// activity, task, attempt), and the span that it belongs to (trace_id, span_id).
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// Handle adds the attributes.
func (h logHandler) Handle(ctx context.Context, line slog.Record) error {
	if call := engine.CallOf(ctx); call.Instance != "" {
		line.AddAttrs(
			slog.String("instance", call.Instance), slog.String("execution", call.Execution), slog.String("activity", call.Name),
			slog.Int("task", int(call.Task)), slog.Int("attempt", call.Attempt),
		)
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		line.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs keeps the attributes coming.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the attributes coming; they are then in the group.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
