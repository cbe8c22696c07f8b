// Package wire writes and reads the fields of a protocol-buffer message, for
// types that are stored and have no generated code. Fields that are zero are
// left out; a reader passes over numbers it does not know.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Number is a field's number.
type Number = protowire.Number

// ErrCorrupt is returned by Each, wrapped with where the bytes stop making
// sense.
var ErrCorrupt = errors.New("stored bytes are corrupt")

// AppendUint appends a number.
func AppendUint(b []byte, n Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = protowire.AppendTag(b, n, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

// AppendBool appends a truth value, which is read as a number.
func AppendBool(b []byte, n Number, v bool) []byte {
	if !v {
		return b
	}
	return AppendUint(b, n, 1)
}

// AppendInt appends a number that may be negative; [Int] reads it.
func AppendInt(b []byte, n Number, v int64) []byte {
	return AppendUint(b, n, protowire.EncodeZigZag(v))
}

// AppendTime appends a time, however far away, to the nanosecond: the seconds
// since 1970 and the nanoseconds in them. [Time] reads it.
func AppendTime(b []byte, n Number, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	var v [2 * binary.MaxVarintLen64]byte
	text := protowire.AppendVarint(v[:0], protowire.EncodeZigZag(t.Unix()))
	text = protowire.AppendVarint(text, uint64(t.Nanosecond()))
	return AppendElement(b, n, text)
}

// AppendBytes appends a text or bytes.
func AppendBytes[T ~string | ~[]byte](b []byte, n Number, v T) []byte {
	if len(v) == 0 {
		return b
	}
	return AppendElement(b, n, v)
}

// AppendElement appends a text or bytes even when they are empty, as an element
// of a list must be.
func AppendElement[T ~string | ~[]byte](b []byte, n Number, v T) []byte {
	b = protowire.AppendTag(b, n, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(len(v)))
	return append(b, v...)
}

// Int reads what AppendInt wrote.
func Int(x uint64) int64 { return protowire.DecodeZigZag(x) }

// Time reads what AppendTime wrote, as UTC; ErrCorrupt if it cannot have.
func Time(v []byte) (time.Time, error) {
	seconds, size := protowire.ConsumeVarint(v)
	if size < 0 {
		return time.Time{}, fmt.Errorf("%w in a time: %w", ErrCorrupt, protowire.ParseError(size))
	}
	nanos, size := protowire.ConsumeVarint(v[size:])
	if size < 0 || nanos >= 1e9 {
		return time.Time{}, fmt.Errorf("%w in a time", ErrCorrupt)
	}
	return time.Unix(Int(seconds), int64(nanos)).UTC(), nil
}

// Each calls f with every field of the message in b: x for a number, v for
// bytes, which share b's memory. It returns f's error or ErrCorrupt.
func Each(b []byte, f func(n Number, x uint64, v []byte) error) error {
	for at := 0; at < len(b); {
		n, kind, size := protowire.ConsumeTag(b[at:])
		if size < 0 {
			return fmt.Errorf("%w at byte %d: %w", ErrCorrupt, at, protowire.ParseError(size))
		}
		at += size
		x, v, size := consume(n, kind, b[at:])
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

func consume(n Number, kind protowire.Type, b []byte) (x uint64, v []byte, size int) {
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
