package tablestore

import (
	"fmt"

	"github.com/seed21523604/holdfast/engine/history"
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

// taskColumn is where the number of the completed action stands.
func taskColumn(k history.Kind) string {
	if k == history.TimerFired {
		return "TimerId"
	}
	return "TaskScheduledId"
}

// encodeEvent returns the row of an event that belongs to an execution of an
// instance.
func encodeEvent(id, execution, row string, event history.Event) (entity, error) {
	e := newEntity(encodeKey(id), row)
	e.setText("ExecutionId", execution)
	e.setInt32("EventId", event.ID)
	e.setText("EventType", event.Kind.String())
	e.setTime("_Timestamp", event.Time)
	e.setText("MessageId", event.Message)
	e.setText("Name", event.Name)
	e.setText("Input", string(event.Input))
	e.setText("Result", string(event.Result))
	e.setText("Reason", event.Reason)
	e.setTime("FireAt", event.FireAt)
	switch event.Kind {
	case history.TaskCompleted, history.TaskFailed, history.TimerFired:
		e.setInt32(taskColumn(event.Kind), event.TaskID)
	case history.TaskScheduled:
		if event.Attempt != 0 {
			e.setInt32("Attempt", event.Attempt)
			e.setInt32(taskColumn(event.Kind), event.TaskID)
		}
	case history.ExecutionCompleted:
		e.setText("OrchestrationStatus", event.Status.String())
	}
	if event.Execution != "" {
		if err := e.setJSON("OrchestrationInstance", identity{id, event.Execution}); err != nil {
			return nil, err
		}
	}
	return e, setDetails(e, event.Failure, event.Secret)
}

// setDetails writes the columns that events and instances share.
func setDetails(e entity, f *history.Failure, secret []string) error {
	if f != nil {
		if err := e.setJSON("FailureDetails", f); err != nil {
			return err
		}
	}
	if len(secret) > 0 {
		return e.setJSON("Secret", secret)
	}
	return nil
}

func decodeEvent(e entity) (history.Event, error) {
	kind, ok := kinds[e.text("EventType")]
	if !ok {
		return history.Event{}, fmt.Errorf("row %s of %s: unknown event type %q", e.row(), e.partition(), e.text("EventType"))
	}
	event := history.Event{
		Kind: kind, ID: e.int32("EventId"), Time: e.time("_Timestamp"), Message: e.text("MessageId"),
		TaskID: e.int32(taskColumn(kind)), Name: e.text("Name"), Input: e.raw("Input"), Result: e.raw("Result"),
		Reason: e.text("Reason"), FireAt: e.time("FireAt"), Attempt: e.int32("Attempt"),
	}
	event.Status, _ = history.ParseStatus(e.text("OrchestrationStatus"))
	var who identity
	if err := e.json("OrchestrationInstance", &who); err != nil {
		return history.Event{}, err
	}
	event.Execution = who.ExecutionID
	if err := e.json("FailureDetails", &event.Failure); err != nil {
		return history.Event{}, err
	}
	return event, e.json("Secret", &event.Secret)
}
