package engine

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/seed21523604/holdfast/engine/history"
)

// Send is a message that an execution decided to send to another instance. It
// counts once the decision is durable, and can be found again in the history.
// Making it twice does no harm: whoever receives it knows it by its ids.
type Send struct {
	// Number is the ID of the event that decided it.
	Number int32
	// To is the instance that is begun, if Message is an ExecutionStarted, and
	// otherwise receives the message.
	To      string
	Message history.Event
	// Refused is for the sender itself if the id To turns out to belong to
	// another instance; nil if the sender does not want to know.
	Refused *history.Event
}

// sender is what must be known of an execution to make its messages to others.
type sender struct {
	registry                  *Registry
	instance, name, execution string
	parent                    *history.Parent
	version                   string
	tags                      map[string]string
	before                    uint32           // actions of the executions before
	children                  map[int32]string // the sub-orchestrations without a recorded end
	recurse                   bool             // a termination goes on to them
}

// note keeps up with what is recorded.
func (s *sender) note(e *history.Event) {
	switch e.Kind {
	case history.ExecutionStarted:
		s.name, s.execution, s.parent = e.Name, e.Execution, e.Parent
		s.version, s.tags = e.Version, e.Tags
		if e.Carried != nil {
			s.before = e.Carried.Actions
		}
	case history.SubOrchestrationInstanceCreated:
		if e.Detached {
			return
		}
		if s.children == nil {
			s.children = map[int32]string{}
		}
		s.children[e.ID] = e.InstanceID
	case history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		delete(s.children, e.TaskID)
	case history.ExecutionTerminated:
		s.recurse = s.recurse || e.Recurse
	}
}

// Sends returns what the events of a turn send to other instances, in order.
func (x *Execution) Sends(events []history.Event) []Send { return x.sends(events) }

// Sends returns what a history sends to other instances, in order, whether the
// orchestration is registered or not.
func (r *Registry) Sends(instance string, past []history.Event) []Send {
	s := sender{registry: r, instance: instance}
	for i := range past {
		s.note(&past[i])
	}
	return s.sends(past)
}

func (s *sender) sends(events []history.Event) (all []Send) {
	for i := range events {
		switch e := &events[i]; e.Kind {
		case history.SubOrchestrationInstanceCreated:
			all = append(all, s.begin(e))
		case history.EventSent:
			raised := s.message(e, history.EventRaised)
			raised.Name, raised.Input, raised.InstanceID = e.Name, e.Input, s.instance
			all = append(all, Send{Number: e.ID, To: e.InstanceID, Message: raised})
		case history.ExecutionCompleted:
			all = append(all, s.atEnd(e)...)
		}
	}
	return all
}

// begin returns the start of another instance.
func (s *sender) begin(created *history.Event) Send {
	start := s.message(created, history.ExecutionStarted)
	start.Name, start.Input, start.Secret = created.Name, created.Input, s.registry.SecretEvents(created.Name)
	start.Version, start.Tags = created.Version, s.tags
	start.Execution = derive(s.instance, s.execution, strconv.Itoa(int(created.ID)))
	send := Send{Number: created.ID, To: created.InstanceID}
	if !created.Detached {
		start.Parent = s.asParent(created.ID)
		refused := s.message(created, history.SubOrchestrationInstanceFailed)
		refused.TaskID, refused.Execution = created.ID, s.execution
		refused.Failure = &history.Failure{Kind: KindIDTaken, Message: fmt.Sprintf("the id %q belongs to another instance that has not ended", created.InstanceID)}
		send.Refused = &refused
	}
	send.Message = start
	return send
}

func (s *sender) asParent(call int32) *history.Parent {
	return &history.Parent{Instance: s.instance, Execution: s.execution, Name: s.name, Task: call}
}

// atEnd returns the notice to the one who waits for the execution, and the
// terminations of its sub-orchestrations.
func (s *sender) atEnd(end *history.Event) (all []Send) {
	if s.parent != nil {
		all = append(all, Send{Number: end.ID, To: s.parent.Instance, Message: s.notice(end)})
	}
	if end.Status != history.Terminated || !s.recurse {
		return all
	}
	for _, call := range sortedKeys(s.children) {
		terminated := s.message(end, history.ExecutionTerminated)
		terminated.Reason, terminated.Recurse, terminated.Parent = reasonOf(end), true, s.asParent(call)
		all = append(all, Send{Number: end.ID, To: s.children[call], Message: terminated})
	}
	return all
}

// notice tells the parent how the execution ended.
func (s *sender) notice(end *history.Event) history.Event {
	notice := s.message(end, history.SubOrchestrationInstanceCompleted)
	notice.TaskID, notice.Execution, notice.Result = s.parent.Task, s.parent.Execution, end.Result
	if end.Status == history.Completed {
		return notice
	}
	notice.Kind, notice.Result, notice.Failure = history.SubOrchestrationInstanceFailed, nil, end.Failure
	if end.Failure == nil {
		notice.Failure = &history.Failure{Kind: KindTerminated, Message: reasonOf(end)}
	}
	return notice
}

// reasonOf returns why an execution was terminated: its output.
func reasonOf(end *history.Event) string {
	reason, _ := decode[string](end.Result)
	return reason
}

// message returns a message that the event decided to send. Its id is the same
// whenever it is made. Like the ids of a client's messages it sorts by time, and
// those of one instance in the order of its actions.
func (s *sender) message(decided *history.Event, kind history.Kind) history.Event {
	id := fmt.Sprintf("%012x%08x%s", uint64(decided.Time.UnixMilli())&(1<<48-1), s.before+uint32(decided.ID), derive(s.instance, s.execution)[:12])
	return history.Event{Kind: kind, ID: history.Outside, Time: decided.Time, Message: id}
}

// derive returns an id that follows from the parts: 32 hexadecimal digits.
func derive(parts ...string) string {
	id := uuid.NewSHA1(uuid.NameSpaceOID, []byte(strings.Join(parts, "/")))
	return strings.ReplaceAll(id.String(), "-", "")
}
