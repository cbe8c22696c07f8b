package settings

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is text that is not shown. Every way of printing, logging or encoding it gives "***", or nothing when it is
// empty; [Secret.Reveal] is the one way out. Two places don't ask it: fmt prints the
// unexported fields of a struct as they are, and encoding/json the keys of a map, so keep it out of both.
type Secret string

// Reveal returns the secret itself. Call it where the value is used and nowhere earlier.
func (s Secret) Reveal() string { return string(s) }

// String returns "***", or "" when there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns under every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText encodes what String returns. It never fails.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON encodes what String returns as a JSON string. It never fails.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// LogValue logs what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
