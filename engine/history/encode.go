package history

import (
	"maps"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/internal/wire"
)

// ErrCorrupt is returned by the decoders, wrapped with where the bytes stop
// making sense.
var ErrCorrupt = wire.ErrCorrupt

// The field numbers of an encoded event. They are written to storage: one is
// never given another meaning, and a reader passes over numbers it does not
// know, so that an older program can read what a newer one wrote.
const (
	fieldEvent wire.Number = 1 // of the list; the others are of the event

	fieldKind      wire.Number = 1
	fieldID        wire.Number = 2
	fieldTime      wire.Number = 3
	fieldMessage   wire.Number = 4
	fieldTaskID    wire.Number = 5
	fieldName      wire.Number = 6
	fieldExecution wire.Number = 7
	fieldInput     wire.Number = 8
	fieldResult    wire.Number = 9
	fieldReason    wire.Number = 10
	fieldFailure   wire.Number = 11
	fieldFireAt    wire.Number = 12
	fieldStatus    wire.Number = 13
	fieldSecret    wire.Number = 14 // repeated
	fieldInstance  wire.Number = 15
	fieldParent    wire.Number = 16
	fieldDetached  wire.Number = 17
	fieldRecurse   wire.Number = 18
	fieldCarried   wire.Number = 19
	fieldAttempt   wire.Number = 30
	fieldVersion   wire.Number = 31
	fieldOrigin    wire.Number = 33
	fieldTag       wire.Number = 32 // repeated
	fieldStrict    wire.Number = 40
	fieldVerdict   wire.Number = 41
	fieldTrace     wire.Number = 60

	fieldTraceParent wire.Number = 1
	fieldTraceState  wire.Number = 2

	fieldTagKey   wire.Number = 1
	fieldTagValue wire.Number = 2

	fieldVerdictOutcome wire.Number = 1
	fieldVerdictReason  wire.Number = 2
	fieldVerdictTries   wire.Number = 3
	fieldVerdictTried   wire.Number = 4

	fieldParentInstance  wire.Number = 1
	fieldParentExecution wire.Number = 2
	fieldParentName      wire.Number = 3
	fieldParentTask      wire.Number = 4

	fieldCarriedEvents       wire.Number = 1 // repeated
	fieldCarriedCustomStatus wire.Number = 2
	fieldCarriedSeen         wire.Number = 3 // repeated
	fieldCarriedIdle         wire.Number = 4
	fieldCarriedActions      wire.Number = 5
	fieldCarriedVersion      wire.Number = 30

	fieldFailureKind    wire.Number = 1
	fieldFailureMessage wire.Number = 2
	fieldFailureStack   wire.Number = 3
	fieldFailureFinal   wire.Number = 10
	fieldFailureAfter   wire.Number = 11
)

// AppendEvents appends the encoding of events to b and returns the longer
// slice. The form is that of a protocol-buffer message with one repeated
// field, so that two encodings joined are the encoding of both lists joined.
func AppendEvents(b []byte, events []Event) []byte {
	scratch := make([]byte, 0, 256)
	b = slices.Grow(b, 128*len(events))
	for i := range events {
		scratch = appendEvent(scratch[:0], &events[i])
		b = wire.AppendElement(b, fieldEvent, scratch)
	}
	return b
}

func appendEvent(b []byte, e *Event) []byte {
	b = wire.AppendUint(b, fieldKind, uint64(e.Kind))
	b = wire.AppendInt(b, fieldID, int64(e.ID))
	b = wire.AppendTime(b, fieldTime, e.Time)
	b = wire.AppendBytes(b, fieldMessage, e.Message)
	b = wire.AppendInt(b, fieldTaskID, int64(e.TaskID))
	b = wire.AppendBytes(b, fieldName, e.Name)
	b = wire.AppendBytes(b, fieldExecution, e.Execution)
	b = wire.AppendBytes(b, fieldInput, e.Input)
	b = wire.AppendBytes(b, fieldResult, e.Result)
	b = wire.AppendBytes(b, fieldReason, e.Reason)
	if e.Failure != nil {
		b = wire.AppendElement(b, fieldFailure, AppendFailure(nil, e.Failure))
	}
	b = wire.AppendTime(b, fieldFireAt, e.FireAt)
	b = wire.AppendUint(b, fieldStatus, uint64(e.Status))
	for _, name := range e.Secret {
		b = wire.AppendElement(b, fieldSecret, name)
	}
	b = wire.AppendInt(b, fieldAttempt, int64(e.Attempt))
	b = wire.AppendBytes(b, fieldVersion, e.Version)
	b = wire.AppendBytes(b, fieldOrigin, e.Origin)
	b = AppendTags(b, fieldTag, e.Tags)
	b = wire.AppendBool(b, fieldStrict, e.Strict)
	if e.Verdict != nil {
		b = wire.AppendElement(b, fieldVerdict, appendVerdict(nil, e.Verdict))
	}
	if e.Trace != nil {
		b = wire.AppendElement(b, fieldTrace, appendTrace(nil, e.Trace))
	}
	return appendRelations(b, e)
}

// AppendTags appends tags, in the order of their names, as elements with the
// number; [DecodeTag] reads one.
func AppendTags(b []byte, n wire.Number, tags map[string]string) []byte {
	if len(tags) == 0 {
		return b
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		tag := wire.AppendBytes(nil, fieldTagKey, key)
		b = wire.AppendElement(b, n, wire.AppendBytes(tag, fieldTagValue, tags[key]))
	}
	return b
}

// DecodeTag adds to tags, which may be nil, one that AppendTags appended, or
// returns ErrCorrupt.
func DecodeTag(tags map[string]string, b []byte) (map[string]string, error) {
	var key, value string
	err := wire.Each(b, func(n wire.Number, _ uint64, v []byte) error {
		switch n {
		case fieldTagKey:
			key = string(v)
		case fieldTagValue:
			value = string(v)
		}
		return nil
	})
	if tags == nil {
		tags = map[string]string{}
	}
	tags[key] = value
	return tags, err
}

func appendVerdict(b []byte, v *Verdict) []byte {
	b = wire.AppendBytes(b, fieldVerdictOutcome, string(v.Outcome))
	b = wire.AppendBytes(b, fieldVerdictReason, v.Reason)
	b = wire.AppendUint(b, fieldVerdictTries, uint64(v.Tries))
	return wire.AppendUint(b, fieldVerdictTried, uint64(v.Tried))
}

func appendTrace(b []byte, t *Trace) []byte {
	b = wire.AppendBytes(b, fieldTraceParent, t.Parent)
	return wire.AppendBytes(b, fieldTraceState, t.State)
}

// appendRelations appends what an event says of other instances and executions.
func appendRelations(b []byte, e *Event) []byte {
	b = wire.AppendBytes(b, fieldInstance, e.InstanceID)
	if e.Parent != nil {
		b = wire.AppendElement(b, fieldParent, AppendParent(nil, e.Parent))
	}
	b = wire.AppendBool(b, fieldDetached, e.Detached)
	b = wire.AppendBool(b, fieldRecurse, e.Recurse)
	if e.Carried != nil {
		b = wire.AppendElement(b, fieldCarried, appendCarried(nil, e.Carried))
	}
	return b
}

// AppendParent appends the encoding of p to b and returns the longer slice.
func AppendParent(b []byte, p *Parent) []byte {
	b = wire.AppendBytes(b, fieldParentInstance, p.Instance)
	b = wire.AppendBytes(b, fieldParentExecution, p.Execution)
	b = wire.AppendBytes(b, fieldParentName, p.Name)
	return wire.AppendInt(b, fieldParentTask, int64(p.Task))
}

func appendCarried(b []byte, c *Carried) []byte {
	for _, id := range c.Events {
		b = wire.AppendElement(b, fieldCarriedEvents, id)
	}
	b = wire.AppendBytes(b, fieldCarriedCustomStatus, c.CustomStatus)
	for _, id := range c.Seen {
		b = wire.AppendElement(b, fieldCarriedSeen, id)
	}
	b = wire.AppendUint(b, fieldCarriedIdle, uint64(c.Idle))
	b = wire.AppendUint(b, fieldCarriedActions, uint64(c.Actions))
	return wire.AppendBytes(b, fieldCarriedVersion, c.Version)
}

// AppendFailure appends the encoding of f to b and returns the longer slice.
func AppendFailure(b []byte, f *Failure) []byte {
	b = wire.AppendBytes(b, fieldFailureKind, f.Kind)
	b = wire.AppendBytes(b, fieldFailureMessage, f.Message)
	b = wire.AppendBytes(b, fieldFailureStack, f.Stack)
	b = wire.AppendBool(b, fieldFailureFinal, f.NonRetriable)
	return wire.AppendInt(b, fieldFailureAfter, int64(f.RetryAfter))
}

// DecodeEvents appends the events encoded in b to events. The events share b's
// memory for their payloads, so b must not be changed afterwards. It returns
// ErrCorrupt for bytes that AppendEvents cannot have made.
func DecodeEvents(events []Event, b []byte) ([]Event, error) {
	err := wire.Each(b, func(n wire.Number, _ uint64, v []byte) error {
		if n != fieldEvent {
			return nil
		}
		var e Event
		if err := decodeEvent(&e, v); err != nil {
			return err
		}
		events = append(events, e)
		return nil
	})
	return events, err
}

func decodeEvent(e *Event, b []byte) error {
	return wire.Each(b, func(n wire.Number, x uint64, v []byte) (err error) {
		switch n {
		case fieldKind:
			e.Kind = Kind(x)
		case fieldID:
			e.ID = int32(wire.Int(x))
		case fieldTime:
			e.Time, err = wire.Time(v)
		case fieldMessage:
			e.Message = string(v)
		case fieldTaskID:
			e.TaskID = int32(wire.Int(x))
		case fieldName:
			e.Name = string(v)
		case fieldExecution:
			e.Execution = string(v)
		case fieldInput:
			e.Input = v
		case fieldResult:
			e.Result = v
		case fieldReason:
			e.Reason = string(v)
		case fieldFailure:
			e.Failure, err = DecodeFailure(v)
		case fieldFireAt:
			e.FireAt, err = wire.Time(v)
		case fieldStatus:
			e.Status = Status(x)
		case fieldSecret:
			e.Secret = append(e.Secret, string(v))
		case fieldAttempt:
			e.Attempt = int32(wire.Int(x))
		case fieldVersion:
			e.Version = string(v)
		case fieldOrigin:
			e.Origin = string(v)
		case fieldTag:
			e.Tags, err = DecodeTag(e.Tags, v)
		case fieldInstance:
			e.InstanceID = string(v)
		case fieldParent:
			e.Parent, err = DecodeParent(v)
		case fieldDetached:
			e.Detached = x != 0
		case fieldRecurse:
			e.Recurse = x != 0
		case fieldCarried:
			e.Carried, err = decodeCarried(v)
		case fieldStrict:
			e.Strict = x != 0
		case fieldVerdict:
			e.Verdict, err = decodeVerdict(v)
		case fieldTrace:
			e.Trace, err = decodeTrace(v)
		}
		return err
	})
}

func decodeTrace(b []byte) (*Trace, error) {
	t := &Trace{}
	err := wire.Each(b, func(n wire.Number, _ uint64, v []byte) error {
		switch n {
		case fieldTraceParent:
			t.Parent = string(v)
		case fieldTraceState:
			t.State = string(v)
		}
		return nil
	})
	return t, err
}

func decodeVerdict(b []byte) (*Verdict, error) {
	d := &Verdict{}
	err := wire.Each(b, func(n wire.Number, x uint64, v []byte) error {
		switch n {
		case fieldVerdictOutcome:
			d.Outcome = Outcome(v)
		case fieldVerdictReason:
			d.Reason = string(v)
		case fieldVerdictTries:
			d.Tries = int(x)
		case fieldVerdictTried:
			d.Tried = int(x)
		}
		return nil
	})
	return d, err
}

// DecodeParent reads what AppendParent wrote, or returns ErrCorrupt.
func DecodeParent(b []byte) (*Parent, error) {
	p := &Parent{}
	err := wire.Each(b, func(n wire.Number, x uint64, v []byte) error {
		switch n {
		case fieldParentInstance:
			p.Instance = string(v)
		case fieldParentExecution:
			p.Execution = string(v)
		case fieldParentName:
			p.Name = string(v)
		case fieldParentTask:
			p.Task = int32(wire.Int(x))
		}
		return nil
	})
	return p, err
}

func decodeCarried(b []byte) (*Carried, error) {
	c := &Carried{}
	err := wire.Each(b, func(n wire.Number, x uint64, v []byte) error {
		switch n {
		case fieldCarriedEvents:
			c.Events = append(c.Events, string(v))
		case fieldCarriedCustomStatus:
			c.CustomStatus = v
		case fieldCarriedSeen:
			c.Seen = append(c.Seen, string(v))
		case fieldCarriedIdle:
			c.Idle = int(x)
		case fieldCarriedVersion:
			c.Version = string(v)
		case fieldCarriedActions:
			c.Actions = uint32(x)
		}
		return nil
	})
	return c, err
}

// DecodeFailure reads what AppendFailure wrote, or returns ErrCorrupt.
func DecodeFailure(b []byte) (*Failure, error) {
	f := &Failure{}
	err := wire.Each(b, func(n wire.Number, x uint64, v []byte) error {
		switch n {
		case fieldFailureKind:
			f.Kind = string(v)
		case fieldFailureMessage:
			f.Message = string(v)
		case fieldFailureStack:
			f.Stack = string(v)
		case fieldFailureFinal:
			f.NonRetriable = x != 0
		case fieldFailureAfter:
			f.RetryAfter = time.Duration(wire.Int(x))
		}
		return nil
	})
	return f, err
}
