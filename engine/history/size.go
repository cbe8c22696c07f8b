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
