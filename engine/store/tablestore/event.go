package tablestore

import (
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// kinds finds an event's kind by its name.
var kinds = func() map[string]history.Kind {
	m := map[string]history.Kind{}
	for n := range 256 {
		m[history.Kind(n).String()] = history.Kind(n)
	}
	return m
}()

// identity is how DurableTask.AzureStorage names an execution.
type identity struct {
	InstanceID  string `json:"InstanceId"`
	ExecutionID string `json:"ExecutionId"`
}

// taskColumn is where the number of the action stands that an event completes.
// That of a call which is made again is in a column of ours, as tools take
// whatever has a TaskScheduledId for the end of that call.
func taskColumn(k history.Kind) string {
	switch k {
	case history.TimerFired:
		return "TimerId"
	case history.TaskScheduled, history.SubOrchestrationInstanceCreated:
		return "FirstTaskScheduledId"
	}
	return "TaskScheduledId"
}

// instanceColumn is where the other instance stands. That of the one which sent
// an event is in a column of ours.
func instanceColumn(k history.Kind) string {
	if k == history.EventRaised {
		return "SenderInstanceId"
	}
	return "InstanceId"
}

// nameColumn is where a name stands.
func nameColumn(k history.Kind) string {
	if k == history.GenericEvent {
		return "Data"
	}
	return "Name"
}

// timeColumn is where the time stands at which something is due.
func timeColumn(k history.Kind) string {
	if k == history.ExecutionStarted {
		return "ScheduledStartTime"
	}
	return "FireAt"
}

// reasonColumn is where the caller's reason stands.
func reasonColumn(k history.Kind) string {
	if k == history.ExecutionTerminated {
		return "Input"
	}
	return "Reason"
}

// encodeEvent returns the row of an event in the record's history.
func (r *record) encodeEvent(row string, event history.Event) (entity, error) {
	e, err := r.encodeFact(row, event)
	e.setText(executionColumn, r.Execution)
	return e, err
}

// encodeMessage returns the row of a message to the record's execution. Its
// execution is in a column of ours, so that no tool takes it for history.
func (r *record) encodeMessage(message history.Event) (entity, error) {
	e, err := r.encodeFact(inboxKey(message.Message), message)
	e.setText(receiverColumn, r.Execution)
	return e, err
}

func (r *record) encodeFact(row string, event history.Event) (entity, error) {
	e := newEntity(encodeKey(r.ID), row)
	e.setInt32("EventId", event.ID)
	e["IsPlayed"] = false
	e.setText("EventType", event.Kind.String())
	e.setTime("_Timestamp", event.Time)
	e.setText("MessageId", event.Message)
	e.setText(nameColumn(event.Kind), event.Name)
	e.setText("Input", string(event.Input))
	e.setText("Result", string(event.Result))
	e.setText(reasonColumn(event.Kind), event.Reason)
	e.setTime(timeColumn(event.Kind), event.FireAt)
	switch event.Kind {
	case history.ExecutionStarted:
		e["Version"], e["GenerateNewTrace"] = event.Version, false
		e.setInt32("Generation", r.generation)
	case history.TaskScheduled, history.SubOrchestrationInstanceCreated:
		e["Version"] = event.Version
		if event.Attempt != 0 {
			e.setInt32("Attempt", event.Attempt)
			e.setInt32(taskColumn(event.Kind), event.TaskID)
		}
	case history.TaskCompleted, history.TaskFailed, history.TimerFired, history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		e.setInt32(taskColumn(event.Kind), event.TaskID)
	case history.ExecutionCompleted, history.ContinueAsNew:
		e.setText("OrchestrationStatus", event.Status.String())
	}
	if event.Failure != nil && event.Kind != history.ExecutionCompleted {
		e.setText("Reason", event.Failure.Message)
		e.setText("Details", event.Failure.String())
	}
	e.setText("OriginExecutionId", event.Origin)
	if event.Trace != nil {
		if err := e.setJSON("ParentTraceContext", traceContext{event.Trace.Parent, event.Trace.State}); err != nil {
			return e, err
		}
	}
	if event.Execution != "" {
		if err := e.setJSON("OrchestrationInstance", identity{r.ID, event.Execution}); err != nil {
			return e, err
		}
	}
	if err := setRelations(e, &event); err != nil {
		return e, err
	}
	return e, setDetails(e, event.Failure, event.Secret)
}

// traceContext is how DurableTask.Core writes a trace context.
type traceContext struct {
	TraceParent string
	TraceState  string `json:",omitempty"`
}

// trace reads the column ParentTraceContext.
func (e entity) trace() (*history.Trace, error) {
	var t *traceContext
	if err := e.json("ParentTraceContext", &t); t == nil {
		return nil, err
	}
	return &history.Trace{Parent: t.TraceParent, State: t.TraceState}, nil
}

// parentInstance is how DurableTask.AzureStorage names the call that a
// sub-orchestration serves.
type parentInstance struct {
	Name                  string
	OrchestrationInstance identity
	TaskScheduleID        int32 `json:"TaskScheduleId"`
	Version               string
}

// setRelations writes what an event says of other instances and executions, and
// of its sender.
func setRelations(e entity, event *history.Event) error {
	e.setText(instanceColumn(event.Kind), event.InstanceID)
	e.setTrue("Detached", event.Detached)
	e.setTrue("Recurse", event.Recurse)
	if err := setOrigin(e, event.Parent, event.Tags); err != nil {
		return err
	}
	e.setTrue("Strict", event.Strict)
	if event.Verdict != nil {
		if err := e.setJSON("Verdict", event.Verdict); err != nil {
			return err
		}
	}
	if event.Carried == nil {
		return nil
	}
	return e.setJSON("Carried", event.Carried)
}

func readRelations(e entity, event *history.Event) error {
	event.InstanceID, event.Detached, event.Recurse = e.text(instanceColumn(event.Kind)), e.isTrue("Detached"), e.isTrue("Recurse")
	var err error
	if event.Parent, event.Tags, err = e.origin(); err != nil {
		return err
	}
	event.Strict = e.isTrue("Strict")
	if err := e.json("Verdict", &event.Verdict); err != nil {
		return err
	}
	return e.json("Carried", &event.Carried)
}

// setOrigin writes what an instance has from the one who began it.
func setOrigin(e entity, p *history.Parent, tags map[string]string) error {
	if len(tags) > 0 {
		if err := e.setJSON("Tags", tags); err != nil {
			return err
		}
	}
	if p == nil {
		return nil
	}
	return e.setJSON("ParentInstance", parentInstance{Name: p.Name, OrchestrationInstance: identity{p.Instance, p.Execution}, TaskScheduleID: p.Task})
}

// origin reads what setOrigin wrote.
func (e entity) origin() (parent *history.Parent, tags map[string]string, err error) {
	if err := e.json("Tags", &tags); err != nil {
		return nil, nil, err
	}
	var p *parentInstance
	if err := e.json("ParentInstance", &p); err != nil || p == nil {
		return nil, tags, err
	}
	return &history.Parent{
		Instance: p.OrchestrationInstance.InstanceID, Execution: p.OrchestrationInstance.ExecutionID,
		Name: p.Name, Task: p.TaskScheduleID,
	}, tags, nil
}

// failureDetails is a failure as DurableTask.Core writes it.
type failureDetails struct {
	ErrorType      string
	ErrorMessage   string
	StackTrace     string `json:",omitempty"`
	IsNonRetriable bool
	RetryAfter     time.Duration `json:",omitempty"`
}

// setDetails writes the columns that events and instances share.
func setDetails(e entity, f *history.Failure, secret []string) error {
	if f != nil {
		if err := e.setJSON("FailureDetails", failureDetails{ErrorType: f.Kind, ErrorMessage: f.Message, StackTrace: f.Stack, IsNonRetriable: f.NonRetriable, RetryAfter: f.RetryAfter}); err != nil {
			return err
		}
	}
	if len(secret) > 0 {
		return e.setJSON("Secret", secret)
	}
	return nil
}

// failure reads the column FailureDetails.
func (e entity) failure() (*history.Failure, error) {
	var f *failureDetails
	if err := e.json("FailureDetails", &f); f == nil {
		return nil, err
	}
	return &history.Failure{Kind: f.ErrorType, Message: f.ErrorMessage, Stack: f.StackTrace, NonRetriable: f.IsNonRetriable, RetryAfter: f.RetryAfter}, nil
}

func decodeEvent(e entity) (history.Event, error) {
	kind, ok := kinds[e.text("EventType")]
	if !ok {
		return history.Event{}, fmt.Errorf("%w: row %s of %s: unknown event type %q", store.ErrCorrupt, e.row(), e.partition(), e.text("EventType"))
	}
	event := history.Event{
		Kind: kind, ID: e.int32("EventId"), Time: e.time("_Timestamp"), Message: e.text("MessageId"),
		TaskID: e.int32(taskColumn(kind)), Name: e.text(nameColumn(kind)), Result: e.raw("Result"), FireAt: e.time(timeColumn(kind)),
		Attempt: e.int32("Attempt"), Version: e.text("Version"), Origin: e.text("OriginExecutionId"),
	}
	if kind != history.ExecutionTerminated {
		event.Input = e.raw("Input")
	}
	event.Status, _ = history.ParseStatus(e.text("OrchestrationStatus"))
	var who identity
	if err := e.json("OrchestrationInstance", &who); err != nil {
		return history.Event{}, err
	}
	event.Execution = who.ExecutionID
	if err := readRelations(e, &event); err != nil {
		return history.Event{}, err
	}
	var err error
	if event.Trace, err = e.trace(); err != nil {
		return history.Event{}, err
	}
	if event.Failure, err = e.failure(); err != nil {
		return history.Event{}, err
	}
	if event.Failure == nil {
		event.Reason = e.text(reasonColumn(kind))
	}
	return event, e.json("Secret", &event.Secret)
}
