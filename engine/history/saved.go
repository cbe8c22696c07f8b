package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Saved is the history of an instance in a file, to be looked at, or to be
// replayed by a test against the code of today.
type Saved struct {
	Instance string  `json:"instance"`
	Events   []Event `json:"events"`
}

// Write writes the history as JSON.
func (s Saved) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(s); err != nil {
		return fmt.Errorf("write the history of %s: %w", s.Instance, err)
	}
	return nil
}

// ReadSaved reads what Write wrote. Fields that it does not know are an error, as
// a newer program may mean something by them.
func ReadSaved(r io.Reader) (Saved, error) {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	var s Saved
	if err := decoder.Decode(&s); err != nil {
		return Saved{}, fmt.Errorf("read a saved history: %w", err)
	}
	if len(s.Events) == 0 {
		return Saved{}, errors.New("read a saved history: it has no events")
	}
	return s, nil
}

// MarshalText returns the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's name.
func (k *Kind) UnmarshalText(text []byte) error {
	for kind, name := range kindNames {
		if name == string(text) {
			*k = kind
			return nil
		}
	}
	return fmt.Errorf("there is no event of kind %q", text)
}

// MarshalText returns the status word.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the status word.
func (s *Status) UnmarshalText(text []byte) error {
	status, ok := ParseStatus(string(text))
	if !ok {
		return fmt.Errorf("there is no status %q", text)
	}
	*s = status
	return nil
}
