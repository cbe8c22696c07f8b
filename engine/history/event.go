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
	ExecutionStarted    Kind = 0  // Name, Execution, Input, Secret, Parent, Carried, Version, Tags, FireAt, Origin, Trace
	ExecutionCompleted  Kind = 1  // Status, Result or Failure
	ExecutionTerminated Kind = 3  // Reason, Recurse, Parent
	TaskScheduled       Kind = 4  // Name, Input, Attempt, TaskID
	TaskCompleted       Kind = 5  // TaskID, Result
	TaskFailed          Kind = 6  // TaskID, Failure
	TimerCreated        Kind = 10 // FireAt
	TimerFired          Kind = 11 // TaskID, FireAt
	OrchestratorStarted Kind = 12 // a turn begins; Time is what the orchestration reads as now
	EventSent           Kind = 14 // InstanceID, Name, Input
	EventRaised         Kind = 15 // Name, Input, InstanceID, Strict, Verdict, Trace
	ContinueAsNew       Kind = 16 // Status, Result (the next input), Carried
	GenericEvent        Kind = 17 // Name, of a changed branch that the code takes
	ExecutionSuspended  Kind = 19 // Reason
	ExecutionResumed    Kind = 20 // Reason
	ExecutionRewound    Kind = 21 // Reason, Execution, Trace

	SubOrchestrationInstanceCreated   Kind = 7 // InstanceID, Name, Input, Detached, Attempt, TaskID
	SubOrchestrationInstanceCompleted Kind = 8 // TaskID, Result
	SubOrchestrationInstanceFailed    Kind = 9 // TaskID, Failure, InstanceID
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
	EventSent:           "EventSent",
	EventRaised:         "EventRaised",
	ContinueAsNew:       "ContinueAsNew",
	GenericEvent:        "GenericEvent",
	ExecutionSuspended:  "ExecutionSuspended",
	ExecutionResumed:    "ExecutionResumed",
	ExecutionRewound:    "ExecutionRewound",

	SubOrchestrationInstanceCreated:   "SubOrchestrationInstanceCreated",
	SubOrchestrationInstanceCompleted: "SubOrchestrationInstanceCompleted",
	SubOrchestrationInstanceFailed:    "SubOrchestrationInstanceFailed",
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
	switch k {
	case TaskScheduled, TimerCreated, SubOrchestrationInstanceCreated, EventSent, GenericEvent:
		return true
	default:
		return false
	}
}

// Event is one fact about an execution. Which fields are set depends on Kind;
// the others are zero. An Event is a value: nobody changes one that was
// written down, and the byte slices in it are shared, not copied. The JSON form is
// that of a [Saved] history.
type Event struct {
	Kind Kind `json:"kind"`
	// ID numbers the execution's actions from 0 in the order the
	// orchestration asked for them, and the rewindings among them; Outside for
	// everything else.
	ID int32 `json:"id"`
	// Time is when the fact came about by the clock of whoever wrote it,
	// UTC. For a message it is the moment of acceptance.
	Time time.Time `json:"time,omitzero"`
	// Message identifies a message from outside, so that one which is
	// delivered twice is recorded once. Ids sort in the order in which one
	// sender sent. Empty for everything that is not a message.
	Message string `json:"message,omitempty"`
	// TaskID is the ID of the action that this event completes; of a
	// call with an Attempt, that of the call's first attempt.
	TaskID int32 `json:"taskId,omitempty"`
	// Attempt numbers the attempts of a call that is made again when it
	// fails, from 2; zero is the first.
	Attempt int32 `json:"attempt,omitempty"`
	// Name is that of the orchestration, the activity or the external event.
	Name string `json:"name,omitempty"`
	// Execution is the id of the run that an ExecutionStarted begins, and of
	// the run that a result is for.
	Execution string `json:"execution,omitempty"`
	// InstanceID is the other instance: the one that is begun, the one that an
	// event is sent to, the one that sent an event which was raised, or the one
	// that was not begun as its id was taken; empty for an event that no instance
	// sent, and for the failure of one that was begun.
	InstanceID string `json:"instanceId,omitempty"`
	// Input and Result are JSON texts.
	Input  json.RawMessage `json:"input,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	// Reason is what the caller gave for terminate, suspend and resume.
	Reason string `json:"reason,omitempty"`
	// Failure tells why a task or an execution failed.
	Failure *Failure `json:"failure,omitempty"`
	// FireAt is when a timer is due, or an execution is to begin, UTC; zero
	// for one that begins at once.
	FireAt time.Time `json:"fireAt,omitzero"`
	// Status is how an execution ended.
	Status Status `json:"status,omitempty"`
	// Detached says that nobody waits for the instance that is begun.
	Detached bool `json:"detached,omitempty"`
	// Recurse says that a termination goes on to the sub-orchestrations.
	Recurse bool `json:"recurse,omitempty"`
	// Secret lists the external events whose payload is never stored as it
	// was sent (ExecutionStarted only).
	Secret []string `json:"secret,omitempty"`
	// Origin is the run by whose ids the execution goes, if it is one that was
	// rewound (ExecutionStarted only).
	Origin string `json:"origin,omitempty"`
	// Version is that of an execution that begins, as the one who begins it
	// says (ExecutionStarted and SubOrchestrationInstanceCreated only).
	Version string `json:"version,omitempty"`
	// Tags are what people know the instance by (ExecutionStarted only).
	Tags map[string]string `json:"tags,omitempty"`
	// Parent is the call that this execution serves as a sub-orchestration;
	// nil if nobody waits for it. A termination that has a Parent is only for
	// what serves that very call.
	Parent *Parent `json:"parent,omitempty"`
	// Carried is what goes over from an execution to the one that follows it;
	// nil in the start of one that follows none.
	Carried *Carried `json:"carried,omitempty"`
	// Strict says that an event which was raised is to be taken at once or not
	// at all, because its sender wants to know.
	Strict bool `json:"strict,omitempty"`
	// Verdict is what became of an event that was raised, if it was neither
	// taken nor kept; nil if it was.
	Verdict *Verdict `json:"verdict,omitempty"`
	// Trace is what caused a message, in a distributed trace; nil if nobody
	// follows it. Whether an execution is traced, its start says, and what stands
	// below is found by ids that derive from the execution's.
	Trace *Trace `json:"trace,omitempty"`
}

// Parent is a call of a sub-orchestration as the one who was called knows it.
type Parent struct {
	Instance  string // who called
	Execution string // its run
	Name      string // its orchestration
	Task      int32  // the ID of the call
}

// Carried is what goes over from an execution that continued as new to the one
// that follows.
type Carried struct {
	// Events are the ids of the messages that the next execution is given, in
	// their order (ContinueAsNew only).
	Events []string `json:",omitempty"`
	// CustomStatus is the one that was set last; empty for none.
	CustomStatus json.RawMessage `json:",omitempty"`
	// Version is that of the next execution, if it is to have another
	// (ContinueAsNew only).
	Version string `json:",omitempty"`
	// Seen are the ids of the latest messages that were recorded, the oldest
	// first, so that one which comes again is known.
	Seen []string `json:",omitempty"`
	// Idle is the number of executions before the next one that ended without
	// having waited for anything.
	Idle int `json:",omitempty"`
	// Actions is the number of actions of all executions before the next one.
	Actions uint32 `json:",omitempty"`
}

// String describes the event in a few words, without its payloads.
func (e Event) String() string {
	switch {
	case e.Kind.IsAction() && e.InstanceID != "":
		return fmt.Sprintf("%s %q for instance %q", e.Kind, e.Name, e.InstanceID)
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
	// RetryAfter is how long to wait at least before it is tried again; zero says
	// nothing.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
}

// String renders the failure as Durable Functions shows it in an instance's
// output: the kind, a colon and the message.
func (f *Failure) String() string {
	if f == nil {
		return ""
	}
	return f.Kind + ": " + f.Message
}
