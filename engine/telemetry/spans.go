package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// The attributes, as DurableTask.Core names them.
const (
	typeKey      = attribute.Key("durabletask.type")
	nameKey      = attribute.Key("durabletask.task.name")
	versionKey   = attribute.Key("durabletask.task.version")
	instanceKey  = attribute.Key("durabletask.task.instance_id")
	executionKey = attribute.Key("durabletask.task.execution_id")
	statusKey    = attribute.Key("durabletask.task.status")
	taskKey      = attribute.Key("durabletask.task.task_id")
	targetKey    = attribute.Key("durabletask.event.target_instance_id")
	fireAtKey    = attribute.Key("durabletask.fire_at")

	// errorKey is OpenTelemetry's own, for what is no text for people.
	errorKey = attribute.Key("error.type")
)

// The values of durabletask.type.
const (
	orchestrationType = "orchestration"
	activityType      = "activity"
	eventType         = "event"
	timerType         = "timer"
)

// versioned adds a version to the name of a span.
func versioned(name, version string) string {
	if version == "" {
		return name
	}
	return name + "@(" + version + ")"
}

// messageName is that of the span of a message which a client sends.
func messageName(m *history.Event) string {
	if m.Kind == history.ExecutionStarted {
		return versioned("create_orchestration:"+m.Name, m.Version)
	}
	return "orchestration_event:" + m.Name
}

func messageAttributes(instance string, m *history.Event) []attribute.KeyValue {
	if m.Kind == history.ExecutionStarted {
		return withVersion(m.Version, typeKey.String(orchestrationType), nameKey.String(m.Name), instanceKey.String(instance), executionKey.String(m.Execution))
	}
	return []attribute.KeyValue{typeKey.String(eventType), nameKey.String(m.Name), targetKey.String(instance)}
}

func callAttributes(c engine.Call) []attribute.KeyValue {
	return []attribute.KeyValue{
		typeKey.String(activityType), nameKey.String(c.Name), instanceKey.String(c.Instance), executionKey.String(c.Execution), taskKey.Int64(int64(c.Task)),
	}
}

func withVersion(version string, attributes ...attribute.KeyValue) []attribute.KeyValue {
	if version == "" {
		return attributes
	}
	return append(attributes, versionKey.String(version))
}

// describe returns the name, the kind and the attributes of a span.
func describe(s *engine.Span) (string, trace.SpanKind, []attribute.KeyValue) {
	asked := &s.Asked
	own := func(kind, name string, more ...attribute.KeyValue) []attribute.KeyValue {
		attributes := append([]attribute.KeyValue{typeKey.String(kind), nameKey.String(name), instanceKey.String(s.Instance), executionKey.String(s.Execution)}, more...)
		return withVersion(asked.Version, attributes...)
	}
	task := taskKey.Int64(int64(asked.ID))
	switch asked.Kind {
	case history.ExecutionStarted:
		return versioned("orchestration:"+asked.Name, asked.Version), trace.SpanKindServer, own(orchestrationType, asked.Name, statusKey.String(s.Status.String()))
	case history.TaskScheduled:
		return "activity:" + asked.Name, trace.SpanKindClient, own(activityType, asked.Name, task)
	case history.TimerCreated:
		return "orchestration:" + s.Orchestration + ":timer", trace.SpanKindInternal, own(timerType, s.Orchestration, task, fireAtKey.String(asked.FireAt.Format(time.RFC3339Nano)))
	case history.EventSent:
		return "orchestration_event:" + asked.Name, trace.SpanKindProducer, own(eventType, asked.Name, targetKey.String(asked.InstanceID))
	}
	if asked.Detached {
		return versioned("create_orchestration:"+asked.Name, asked.Version), trace.SpanKindProducer, own(orchestrationType, asked.Name, targetKey.String(asked.InstanceID))
	}
	return versioned("orchestration:"+asked.Name, asked.Version), trace.SpanKindClient, own(orchestrationType, asked.Name, task, targetKey.String(asked.InstanceID))
}

// conclude says how a span ended.
func conclude(span trace.Span, s *engine.Span) {
	switch {
	case s.Failure != nil:
		fail(span, s.Failure.Kind)
	case s.Status == history.Terminated:
		fail(span, s.Status.String())
	case s.Asked.Kind == history.ExecutionStarted:
		span.SetStatus(codes.Ok, "")
	}
}

// fail marks a span as failed, by a word.
func fail(span trace.Span, kind string) {
	span.SetStatus(codes.Error, kind)
	span.SetAttributes(errorKey.String(kind))
}

// links returns links to the spans above places.
func links(places []*history.Trace) []trace.Link {
	var all []trace.Link
	for _, t := range places {
		all = append(all, trace.Link{SpanContext: contextOf(t)})
	}
	return all
}
