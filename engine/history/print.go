package history

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// PrintOptions say how a history is printed. The zero value works.
type PrintOptions struct {
	// Payload is the most characters of a payload that are shown; 100. With a
	// negative number none is.
	Payload int
}

// Print writes a history for people: a line for each event that means something
// to them, and before it, when a turn begins, the time since the first. What was
// asked for has a number, by which its outcome is found.
func Print(w io.Writer, events []Event, o PrintOptions) error {
	p := &printer{o: o, names: map[int32]string{}}
	p.o.Payload = cmp.Or(o.Payload, 100)
	for i := range events {
		p.event(&events[i])
	}
	_, err := io.WriteString(w, p.text.String())
	return err
}

type printer struct {
	o     PrintOptions
	text  strings.Builder
	start time.Time
	when  string           // for the next line; empty if it was said
	names map[int32]string // of what was asked for, by number
}

func (p *printer) event(e *Event) {
	switch e.Kind {
	case OrchestratorStarted:
		if p.start.IsZero() {
			p.start = e.Time
			fmt.Fprintf(&p.text, "%12s  is %s UTC\n", "+0s", e.Time.UTC().Format(time.DateTime))
		}
		p.when = "+" + e.Time.Sub(p.start).Round(time.Millisecond).String()
	default:
		fmt.Fprintf(&p.text, "%12s  %s\n", p.when, p.describe(e))
		p.when = ""
	}
}

// verdict tells what became of an event that was not taken.
func verdict(v *Verdict) string {
	if v == nil {
		return ""
	}
	return ", " + string(v.Outcome) + because(v.Reason)
}

// describe returns an event in words.
func (p *printer) describe(e *Event) string {
	if e.Kind.IsAction() {
		p.names[e.ID] = cmp.Or(e.Name, "timer")
	}
	switch e.Kind {
	case ExecutionStarted:
		return "started " + e.Name + version(e) + p.payload(e.Input) + p.later(e)
	case TaskScheduled:
		return fmt.Sprintf("#%d call %s%s%s", e.ID, e.Name, p.payload(e.Input), attempt(e))
	case SubOrchestrationInstanceCreated:
		return fmt.Sprintf("#%d begin %s%s as instance %s%s", e.ID, e.Name, p.payload(e.Input), e.InstanceID, attempt(e))
	case TaskCompleted, SubOrchestrationInstanceCompleted:
		return fmt.Sprintf("#%d %s returned%s", e.TaskID, p.names[e.TaskID], p.payload(e.Result))
	case TaskFailed, SubOrchestrationInstanceFailed:
		return fmt.Sprintf("#%d %s failed: %s", e.TaskID, p.names[e.TaskID], p.failure(e.Failure))
	case TimerCreated:
		return fmt.Sprintf("#%d timer until +%s", e.ID, e.FireAt.Sub(p.start).Round(time.Millisecond))
	case TimerFired:
		if e.TaskID == Outside {
			return "it is time to begin"
		}
		return fmt.Sprintf("#%d timer fired", e.TaskID)
	case EventRaised:
		return "event " + e.Name + p.payload(e.Input) + from(e) + verdict(e.Verdict)
	case EventSent:
		return fmt.Sprintf("#%d sent event %s%s to instance %s", e.ID, e.Name, p.payload(e.Input), e.InstanceID)
	case ExecutionTerminated, ExecutionSuspended, ExecutionResumed, ExecutionRewound:
		return strings.ToLower(strings.TrimPrefix(e.Kind.String(), "Execution")) + because(e.Reason)
	case GenericEvent:
		return fmt.Sprintf("#%d takes the branch %s", e.ID, e.Name)
	case ContinueAsNew:
		return "continued as new" + p.payload(e.Result)
	case ExecutionCompleted:
		if e.Failure != nil {
			return e.Status.String() + ": " + p.failure(e.Failure)
		}
		return e.Status.String() + p.payload(e.Result)
	default:
		return e.String()
	}
}

func version(e *Event) string {
	if e.Version == "" {
		return ""
	}
	return " version " + e.Version
}

// later tells when an execution begins that does not begin at once.
func (p *printer) later(e *Event) string {
	if e.FireAt.IsZero() {
		return ""
	}
	return fmt.Sprintf(" to begin at +%s", e.FireAt.Sub(p.start).Round(time.Millisecond))
}

func attempt(e *Event) string {
	if e.Attempt == 0 {
		return ""
	}
	return fmt.Sprintf(" (attempt %d of #%d)", e.Attempt, e.TaskID)
}

func from(e *Event) string {
	if e.InstanceID == "" {
		return ""
	}
	return " from instance " + e.InstanceID
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// payload returns a payload after a space, shortened.
func (p *printer) payload(text json.RawMessage) string {
	if len(text) == 0 || p.o.Payload < 0 {
		return ""
	}
	return " " + p.short(string(text))
}

// failure returns a failure, whose message may quote a payload.
func (p *printer) failure(f *Failure) string {
	if f != nil && p.o.Payload < 0 {
		return f.Kind
	}
	return p.short(f.String())
}

func (p *printer) short(text string) string {
	runes := []rune(text)
	if len(runes) <= p.o.Payload {
		return text
	}
	return string(runes[:p.o.Payload]) + "…"
}
