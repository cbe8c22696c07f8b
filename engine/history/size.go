package history

import (
	"errors"
	"fmt"
)

const (
	// MaxPayload is how many bytes one JSON text of an event may have. It is what
	// a small machine can hold several times over while it makes a turn; what is
	// larger belongs into a store of its own, and its name into the payload. An
	// execution relies on it at every replay, so a hub's programs must agree.
	MaxPayload = 16 << 20
	// MaxText is how many bytes a name, a reason or the message of a failure may
	// have.
	MaxText = 16 << 10
)

// ErrTooLarge is returned for an event that is too large to be written down.
var ErrTooLarge = errors.New("too large")

// CheckSize returns ErrTooLarge, wrapped with what is, when a part of the event
// is over its limit.
func (e *Event) CheckSize() error {
	for _, part := range []struct {
		what       string
		size, most int
	}{
		{"name", len(e.Name), MaxText},
		{"reason", len(e.Reason), MaxText},
		{"input", len(e.Input), MaxPayload},
		{"result", len(e.Result), MaxPayload},
	} {
		if part.size > part.most {
			return fmt.Errorf("%w: %s has a %s of %d bytes, at most %d", ErrTooLarge, e.Kind, part.what, part.size, part.most)
		}
	}
	return nil
}

// eventOverhead is what an event is counted as beside its payloads and texts.
const eventOverhead = 128

// Size returns how many bytes the event is counted as where the size of a history
// is bounded: its payloads and texts as they are, and 128 for all the rest.
func (e *Event) Size() int {
	size := eventOverhead + len(e.Name) + len(e.Input) + len(e.Result) + len(e.Reason)
	if e.Failure != nil {
		size += len(e.Failure.Kind) + len(e.Failure.Message) + len(e.Failure.Stack)
	}
	return size
}
