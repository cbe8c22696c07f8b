package engine

import (
	"cmp"
	"fmt"
	"maps"
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
	runID                     string // the id of the run, which goes by that of another if it was rewound
	parent                    *history.Parent
	version                   string
	tags                      map[string]string
	trace                     *history.Trace  // the place that the run stands in; nil if it is not traced
	lineage                   string          // by what the ids of new children and messages go: the last rewinding
	rewinding                 int32           // the number of that; others of the same run only say who asked for it, too
	before                    uint32          // actions of the executions before
	children                  map[int32]child // the sub-orchestrations without a recorded end
	rewound                   map[int32]child // those at the last rewinding
	recurse                   bool            // a termination goes on to them
}

// child is a sub-orchestration, with the lineage of its call.
type child struct{ instance, lineage string }

// note keeps up with what is recorded.
func (s *sender) note(e *history.Event) {
	switch e.Kind {
	case history.ExecutionStarted:
		s.name, s.execution, s.runID, s.parent = e.Name, originOf(e), e.Execution, e.Parent
		s.version, s.tags, s.trace = e.Version, e.Tags, e.Trace
		s.lineage = cmp.Or(s.lineage, s.execution)
		if e.Carried != nil {
			s.before = e.Carried.Actions
		}
	case history.SubOrchestrationInstanceCreated:
		if e.Detached {
			return
		}
		if s.children == nil {
			s.children = map[int32]child{}
		}
		s.children[e.ID] = child{e.InstanceID, s.lineage}
	case history.ExecutionRewound:
		if e.Execution != s.lineage {
			s.lineage, s.rewinding, s.rewound = e.Execution, e.ID, maps.Clone(s.children)
		}
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
	var all []Send
	for i := range past {
		s.note(&past[i])
		all = append(all, s.sends(past[i:i+1])...)
	}
	return all
}

func (s *sender) sends(events []history.Event) (all []Send) {
	for i := range events {
		switch e := &events[i]; e.Kind {
		case history.SubOrchestrationInstanceCreated:
			all = append(all, s.begin(e))
		case history.EventSent:
			raised := s.message(e, history.EventRaised)
			raised.Name, raised.Input, raised.InstanceID, raised.Trace = e.Name, e.Input, s.instance, s.placeOf(e.ID)
			all = append(all, Send{Number: e.ID, To: e.InstanceID, Message: raised})
		case history.ExecutionCompleted:
			all = append(all, s.atEnd(e)...)
		case history.ExecutionRewound:
			if e.ID == s.rewinding {
				all = append(all, s.rewindChildren(e)...)
			}
		}
	}
	return all
}

// begin returns the start of another instance.
func (s *sender) begin(created *history.Event) Send {
	start := s.message(created, history.ExecutionStarted)
	start.Name, start.Input, start.Secret = created.Name, created.Input, s.registry.SecretEvents(created.Name)
	start.Version, start.Tags, start.Trace = created.Version, s.tags, s.placeOf(created.ID)
	start.Execution = derive(s.instance, s.lineage, strconv.Itoa(int(created.ID)))
	send := Send{Number: created.ID, To: created.InstanceID}
	if !created.Detached {
		start.Parent = s.asParent(created.ID, s.lineage)
		refused := s.message(created, history.SubOrchestrationInstanceFailed)
		refused.TaskID, refused.Execution, refused.InstanceID = created.ID, s.lineage, created.InstanceID
		refused.Failure = &history.Failure{Kind: KindIDTaken, Message: fmt.Sprintf("the id %q belongs to another instance that has not ended", created.InstanceID)}
		send.Refused = &refused
	}
	send.Message = start
	return send
}

// rewindChildren returns rewindings of the sub-orchestrations that had no recorded
// end then. One that did not fail takes no notice, and for one that is gone or
// ended otherwise the call fails again.
func (s *sender) rewindChildren(rewound *history.Event) (all []Send) {
	for _, call := range sortedKeys(s.rewound) {
		c := s.rewound[call]
		again := s.message(rewound, history.ExecutionRewound)
		again.Reason, again.Execution, again.Trace = rewound.Reason, derive(c.instance, rewound.Execution), s.placeOf(call)
		gone := s.message(rewound, history.SubOrchestrationInstanceFailed)
		gone.TaskID, gone.Execution = call, c.lineage
		gone.Failure = &history.Failure{Kind: KindTerminated, Message: "the sub-orchestration is not there to be rewound"}
		all = append(all, Send{Number: rewound.ID, To: c.instance, Message: again, Refused: &gone})
	}
	return all
}

func (s *sender) asParent(call int32, lineage string) *history.Parent {
	return &history.Parent{Instance: s.instance, Execution: lineage, Name: s.name, Task: call}
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
		c := s.children[call]
		terminated := s.message(end, history.ExecutionTerminated)
		terminated.Reason, terminated.Recurse, terminated.Parent = reasonOf(end), true, s.asParent(call, c.lineage)
		all = append(all, Send{Number: end.ID, To: c.instance, Message: terminated})
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
	id := fmt.Sprintf("%012x%08x%s", uint64(decided.Time.UnixMilli())&(1<<48-1), s.before+uint32(decided.ID), derive(s.instance, s.lineage)[:12])
	return history.Event{Kind: kind, ID: history.Outside, Time: decided.Time, Message: id}
}

// derive returns an id that follows from the parts: 32 hexadecimal digits.
func derive(parts ...string) string {
	id := uuid.NewSHA1(uuid.NameSpaceOID, []byte(strings.Join(parts, "/")))
	return strings.ReplaceAll(id.String(), "-", "")
}
