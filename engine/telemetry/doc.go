// Package telemetry shows what happens to instances in distributed traces and in
// metrics, by the interfaces of OpenTelemetry. The names are those of
// DurableTask.Core. A [Telemetry] goes into the options of a worker and of a
// client; without it neither does anything for traces.
//
// # Spans
//
//	create_orchestration:NAME   producer  a start, by a client or for nobody to wait for
//	orchestration:NAME          server    an execution, from its first turn to its end
//	activity:NAME               client    a call, from its turn to its result's
//	activity:NAME               server    an activity that runs, once for each time
//	orchestration:NAME          client    a call of a sub-orchestration
//	orchestration:NAME:timer    internal  a timer that fired
//	orchestration_event:NAME    producer  an event, by a client or another instance
//
// A name is followed by @(VERSION) if there is one. An execution is traced if its
// start was, which a client with a Telemetry sees to; the start, an event and a
// rewinding carry the W3C context of what caused them in their history. The spans of
// executions and calls are made when the turn is durable that ends them, by the worker that
// made it, with ids that derive from the execution's. So whatever runs below
// them knew its place before there was a span, on any worker, and a replay makes none.
// What a worker does not live to tell is missing from the trace; nothing is in it
// twice. The span of an execution links to what raised the events that it got.
//
// As OpenTelemetry has spans choose their own ids, [IDs] must be the SDK's id
// generator:
//
//	sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(telemetry.IDs{}), …)
//
// Otherwise what stands below the span of an execution is shown beside it.
//
// # What is not shown
//
// No input, result, payload, reason or message of an error is in a span or a metric: of
// a failure there is its kind. Ids of instances are in spans and not in metrics.
package telemetry
