package history

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrCorrupt is returned by DecodeEvents, wrapped with where the bytes stop
// making sense.
var ErrCorrupt = errors.New("history bytes are corrupt")

// The field numbers of an encoded event. They are written to storage: one is
// never given another meaning, and a reader passes over numbers it does not
// know, so that an older program can read what a newer one wrote.
const (
	fieldEvent protowire.Number = 1 // of the list; the others are of the event

	fieldKind      protowire.Number = 1
	fieldID        protowire.Number = 2 // zigzag
	fieldTime      protowire.Number = 3 // Unix nanoseconds, zigzag
	fieldMessage   protowire.Number = 4
	fieldTaskID    protowire.Number = 5 // zigzag
	fieldName      protowire.Number = 6
	fieldExecution protowire.Number = 7
	fieldInput     protowire.Number = 8
	fieldResult    protowire.Number = 9
	fieldReason    protowire.Number = 10
	fieldFailure   protowire.Number = 11
	fieldFireAt    protowire.Number = 12 // Unix nanoseconds, zigzag
	fieldStatus    protowire.Number = 13
	fieldSecret    protowire.Number = 14 // repeated

	fieldFailureKind    protowire.Number = 1
	fieldFailureMessage protowire.Number = 2
	fieldFailureStack   protowire.Number = 3
)

// AppendEvents appends the encoding of events to b and returns the longer
// slice. The form is that of a protocol-buffer message with one repeated
// field; zero fields are left out.
func AppendEvents(b []byte, events []Event) []byte {
	var scratch []byte
	for i := range events {
		scratch = appendEvent(scratch[:0], &events[i])
		b = protowire.AppendTag(b, fieldEvent, protowire.BytesType)
		b = protowire.AppendBytes(b, scratch)
	}
	return b
}

func appendEvent(b []byte, e *Event) []byte {
	b = appendVarint(b, fieldKind, uint64(e.Kind))
	b = appendVarint(b, fieldID, protowire.EncodeZigZag(int64(e.ID)))
	b = appendTime(b, fieldTime, e.Time)
	b = appendBytes(b, fieldMessage, e.Message)
	b = appendVarint(b, fieldTaskID, protowire.EncodeZigZag(int64(e.TaskID)))
	b = appendBytes(b, fieldName, e.Name)
	b = appendBytes(b, fieldExecution, e.Execution)
	b = appendBytes(b, fieldInput, e.Input)
	b = appendBytes(b, fieldResult, e.Result)
	b = appendBytes(b, fieldReason, e.Reason)
	if e.Failure != nil {
		b = protowire.AppendTag(b, fieldFailure, protowire.BytesType)
		b = protowire.AppendBytes(b, appendFailure(nil, e.Failure))
	}
	b = appendTime(b, fieldFireAt, e.FireAt)
	b = appendVarint(b, fieldStatus, uint64(e.Status))
	for _, name := range e.Secret {
		b = protowire.AppendTag(b, fieldSecret, protowire.BytesType)
		b = protowire.AppendString(b, name)
	}
	return b
}

func appendFailure(b []byte, f *Failure) []byte {
	b = appendBytes(b, fieldFailureKind, f.Kind)
	b = appendBytes(b, fieldFailureMessage, f.Message)
	return appendBytes(b, fieldFailureStack, f.Stack)
}

func appendVarint(b []byte, n protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = protowire.AppendTag(b, n, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

func appendTime(b []byte, n protowire.Number, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = protowire.AppendTag(b, n, protowire.VarintType)
	return protowire.AppendVarint(b, protowire.EncodeZigZag(t.UnixNano()))
}

func appendBytes[T ~string | ~[]byte](b []byte, n protowire.Number, v T) []byte {
	if len(v) == 0 {
		return b
	}
	b = protowire.AppendTag(b, n, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(len(v)))
	return append(b, v...)
}

// DecodeEvents appends the events encoded in b to events. The events share b's
// memory for their payloads, so b must not be changed afterwards. It returns
// ErrCorrupt for bytes that AppendEvents cannot have made.
func DecodeEvents(events []Event, b []byte) ([]Event, error) {
	err := eachField(b, func(n protowire.Number, _ uint64, v []byte) error {
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
	return eachField(b, func(n protowire.Number, x uint64, v []byte) error {
		switch n {
		case fieldKind:
			e.Kind = Kind(x)
		case fieldID:
			e.ID = int32(protowire.DecodeZigZag(x))
		case fieldTime:
			e.Time = unixNano(x)
		case fieldMessage:
			e.Message = string(v)
		case fieldTaskID:
			e.TaskID = int32(protowire.DecodeZigZag(x))
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
			e.Failure = &Failure{}
			return decodeFailure(e.Failure, v)
		case fieldFireAt:
			e.FireAt = unixNano(x)
		case fieldStatus:
			e.Status = Status(x)
		case fieldSecret:
			e.Secret = append(e.Secret, string(v))
		}
		return nil
	})
}

func decodeFailure(f *Failure, b []byte) error {
	return eachField(b, func(n protowire.Number, _ uint64, v []byte) error {
		switch n {
		case fieldFailureKind:
			f.Kind = string(v)
		case fieldFailureMessage:
			f.Message = string(v)
		case fieldFailureStack:
			f.Stack = string(v)
		}
		return nil
	})
}

func unixNano(zigzag uint64) time.Time {
	return time.Unix(0, protowire.DecodeZigZag(zigzag)).UTC()
}

// eachField calls f with every field of the message in b: x for a number, v
// for bytes.
func eachField(b []byte, f func(n protowire.Number, x uint64, v []byte) error) error {
	for at := 0; at < len(b); {
		n, kind, size := protowire.ConsumeTag(b[at:])
		if size < 0 {
			return fmt.Errorf("%w at byte %d: %w", ErrCorrupt, at, protowire.ParseError(size))
		}
		at += size
		x, v, size := consumeValue(n, kind, b[at:])
		if size < 0 {
			return fmt.Errorf("%w in field %d at byte %d: %w", ErrCorrupt, n, at, protowire.ParseError(size))
		}
		at += size
		if err := f(n, x, v); err != nil {
			return err
		}
	}
	return nil
}

func consumeValue(n protowire.Number, kind protowire.Type, b []byte) (x uint64, v []byte, size int) {
	switch kind {
	case protowire.VarintType:
		x, size = protowire.ConsumeVarint(b)
	case protowire.BytesType:
		v, size = protowire.ConsumeBytes(b)
	default:
		size = protowire.ConsumeFieldValue(n, kind, b)
	}
	return x, v, size
}
