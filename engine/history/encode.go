package history

import (
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
	fieldAttempt   wire.Number = 30

	fieldFailureKind    wire.Number = 1
	fieldFailureMessage wire.Number = 2
	fieldFailureStack   wire.Number = 3
	fieldFailureFinal   wire.Number = 10
)

// AppendEvents appends the encoding of events to b and returns the longer
// slice. The form is that of a protocol-buffer message with one repeated
// field, so that two encodings joined are the encoding of both lists joined.
func AppendEvents(b []byte, events []Event) []byte {
	var scratch []byte
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
	return wire.AppendInt(b, fieldAttempt, int64(e.Attempt))
}

// AppendFailure appends the encoding of f to b and returns the longer slice.
func AppendFailure(b []byte, f *Failure) []byte {
	b = wire.AppendBytes(b, fieldFailureKind, f.Kind)
	b = wire.AppendBytes(b, fieldFailureMessage, f.Message)
	b = wire.AppendBytes(b, fieldFailureStack, f.Stack)
	return wire.AppendBool(b, fieldFailureFinal, f.NonRetriable)
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
		}
		return err
	})
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
		}
		return nil
	})
	return f, err
}
