package human

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"unicode"
)

// hidden is what a code prints as.
const hidden = "***"

// Code is a one-time code. However it is printed, alone or inside something
// else, it shows nothing of itself; Reveal is the one way out. The zero Code is
// no code.
type Code struct {
	digits *string // behind a pointer, which printing does not follow
}

// ErrDigits is returned by NewCode for a length that is not between MinDigits
// and MaxDigits.
var ErrDigits = fmt.Errorf("a code has %d to %d digits", MinDigits, MaxDigits)

// NewCode returns a code of so many decimal digits, each of them equally
// likely, from the system's source of randomness.
func NewCode(digits int) (Code, error) {
	if digits < MinDigits || digits > MaxDigits {
		return Code{}, fmt.Errorf("make a code of %d digits: %w", digits, ErrDigits)
	}
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return Code{}, fmt.Errorf("make a code: %w", err)
	}
	return CodeOf(fmt.Sprintf("%0*s", digits, n)), nil
}

// CodeOf returns the code with these digits.
func CodeOf(digits string) Code { return Code{&digits} }

// Reveal returns the code in clear.
func (c Code) Reveal() string {
	if c.digits == nil {
		return ""
	}
	return *c.digits
}

// String returns stars.
func (c Code) String() string { return hidden }

// GoString returns stars.
func (c Code) GoString() string { return hidden }

// Format prints stars whatever the verb.
func (c Code) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// MarshalText writes stars.
func (c Code) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue logs stars.
func (c Code) LogValue() slog.Value { return slog.StringValue(hidden) }

// normalize returns what was typed without what does not count: what plain leaves
// out, and zeros before it. So 042117 may come as a JSON string, as typed, or as
// the number that a program made of it, and "042 117" is the same; there are
// still as many different codes as before.
func normalize(typed []byte) string { return strings.TrimLeft(plain(typed), "0") }

// plain returns what was typed without quotes around it, and spaces and dashes in
// it.
func plain(typed []byte) string {
	var text string
	if json.Unmarshal(typed, &text) != nil {
		text = string(typed)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) {
			return -1
		}
		return r
	}, text)
}

// LooksLikeCode reports whether a code may stand in a payload: whether as many
// digits as a code may have follow each other somewhere, spaces and dashes
// between them not counted.
func LooksLikeCode(payload []byte) bool {
	digits := 0
	for _, r := range string(payload) {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case unicode.IsSpace(r), unicode.Is(unicode.Dash, r):
		case digits >= MinDigits && digits <= MaxDigits:
			return true
		default:
			digits = 0
		}
	}
	return digits >= MinDigits && digits <= MaxDigits
}
