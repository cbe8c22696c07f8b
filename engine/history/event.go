package history

import (
	"encoding/json"
	"fmt"
	"time"
)

// Outside is the [Event.ID] of an event that no decision of the orchestration
// asked for.
const Outside int32 = -1

// Kind says what an event reports. The numbers are those of DurableTask.Core
// and never change: they are written to storage.
type Kind uint8

// The kinds of event, with the fields that each one uses beside Kind, ID and
// Time.
const (
	ExecutionStarted    Kind = 0  // Name, Execution, Input, Secret
	ExecutionCompleted  Kind = 1  // Status, Result or Failure
	ExecutionTerminated Kind = 3  // Reason
	TaskScheduled       Kind = 4  // Name, Input, Attempt, TaskID
	TaskCompleted       Kind = 5  // TaskID, Result
	TaskFailed          Kind = 6  // TaskID, Failure
	TimerCreated        Kind = 10 // FireAt
	TimerFired          Kind = 11 // TaskID, FireAt
	OrchestratorStarted Kind = 12 // a turn begins; Time is what the orchestration reads as now
	EventRaised         Kind = 15 // Name, Input
	ExecutionSuspended  Kind = 19 // Reason
	ExecutionResumed    Kind = 20 // Reason
)

var kindNames = map[Kind]string{
	ExecutionStarted:    "ExecutionStarted",
	ExecutionCompleted:  "ExecutionCompleted",
	ExecutionTerminated: "ExecutionTerminated",
	TaskScheduled:       "TaskScheduled",
	TaskCompleted:       "TaskCompleted",
	TaskFailed:          "TaskFailed",
	TimerCreated:        "TimerCreated",
	TimerFired:          "TimerFired",
	OrchestratorStarted: "OrchestratorStarted",
	EventRaised:         "EventRaised",
	ExecutionSuspended:  "ExecutionSuspended",
	ExecutionResumed:    "ExecutionResumed",
}

// String returns the kind's name as DurableTask.Core writes it.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// IsAction reports whether events of this kind are asked for by the
// orchestration's own code, and so must be asked for again at every replay.
func (k Kind) IsAction() bool {
	return k == TaskScheduled || k == TimerCreated
}

// Event is one fact about an execution. Which fields are set depends on Kind;
// the others are zero. An Event is a value: nobody changes one that was
// written down, and the byte slices in it are shared, not copied.
type Event struct {
	Kind Kind
	// ID numbers the execution's actions from 0 in the order the
	// orchestration asked for them; Outside for everything else.
	ID int32
	// Time is when the fact came about by the clock of whoever wrote it,
	// UTC. For a message it is the moment of acceptance.
	Time time.Time
	// Message identifies a message from outside, so that one which is
	// delivered twice is recorded once. Ids sort in the order in which one
	// sender sent. Empty for everything that is not a message.
	Message string
	// TaskID is the ID of the action that this event completes; of a
	// TaskScheduled with an Attempt, that of the call's first attempt.
	TaskID int32
	// Attempt numbers the attempts of a call that is made again when it
	// fails, from 2; zero is the first.
	Attempt int32
	// Name is that of the orchestration, the activity or the external event.
	Name string
	// Execution is the id of the run that an ExecutionStarted begins.
	Execution string
	// Input and Result are JSON texts.
	Input, Result json.RawMessage
	// Reason is what the caller gave for terminate, suspend and resume.
	Reason string
	// Failure tells why a task or an execution failed.
	Failure *Failure
	// FireAt is when a timer is due, UTC.
	FireAt time.Time
	// Status is how an execution ended.
	Status Status
	// Secret lists the external events whose payload is never stored as it
	// was sent (ExecutionStarted only).
	Secret []string
}

// String describes the event in a few words, without its payloads.
func (e Event) String() string {
	switch {
	case e.Name != "":
		return fmt.Sprintf("%s %q", e.Kind, e.Name)
	case e.Kind == TimerCreated || e.Kind == TimerFired:
		return fmt.Sprintf("%s for %s", e.Kind, e.FireAt.UTC().Format(time.RFC3339Nano))
	default:
		return e.Kind.String()
	}
}

// Failure is an error in the form in which it can be written down.
type Failure struct {
	// Kind is a short word that code can branch on, such as "panic",
	// "interrupted" or one that an activity chose.
	Kind string `json:"kind"`
	// Message is for people.
	Message string `json:"message"`
	// Stack is where a panic came from; empty for errors.
	Stack string `json:"stack,omitempty"`
	// NonRetriable says that trying again cannot help.
	NonRetriable bool `json:"nonRetriable,omitempty"`
}

// String renders the failure as Durable Functions shows it in an instance's
// output: the kind, a colon and the message.
func (f *Failure) String() string {
	if f == nil {
		return ""
	}
	return f.Kind + ": " + f.Message
}
