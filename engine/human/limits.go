package human

import (
	"errors"
	"fmt"
	"time"
)

// The bounds of the limits. What is outside is refused, wherever it comes from:
// a code of one digit, or tried a thousand times, verifies nobody.
const (
	MinTimeout, MaxTimeout         = 30 * time.Second, 10 * time.Minute
	MinTries, MaxTries             = 1, 10
	MinDigits, MaxDigits           = 4, 10
	MinSends, MaxSends             = 1, 5
	MinResendDelay, MaxResendDelay = time.Second, 2 * time.Minute
)

// ErrLimits is returned by Check, wrapped with every limit that is out of
// bounds.
var ErrLimits = errors.New("limits out of bounds")

// Limits bound one verification.
type Limits struct {
	// Timeout is how long a code that was sent may be typed.
	Timeout Duration `json:"timeout"`
	// TimeoutFrom says where the timeout came from, in words; it may be empty.
	TimeoutFrom string `json:"timeoutFrom,omitempty"`
	// Tries is how many answers are compared.
	Tries int `json:"tries"`
	// Digits is the length of the code.
	Digits int `json:"digits"`
	// Sends is how often a code is sent when a message does not get through.
	Sends int `json:"sends"`
	// ResendDelay is the pause before the second sending; it doubles.
	ResendDelay Duration `json:"resendDelay"`
}

// Check returns ErrLimits when a limit is out of bounds.
func (l Limits) Check() error {
	err := errors.Join(
		within("timeout", time.Duration(l.Timeout), MinTimeout, MaxTimeout),
		within("tries", l.Tries, MinTries, MaxTries),
		within("digits", l.Digits, MinDigits, MaxDigits),
		within("sends", l.Sends, MinSends, MaxSends),
		within("resendDelay", time.Duration(l.ResendDelay), MinResendDelay, MaxResendDelay),
	)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLimits, err)
	}
	return nil
}

func within[T int | time.Duration](name string, v, least, most T) error {
	if v < least || v > most {
		return fmt.Errorf("%s is %v, not from %v to %v", name, v, least, most)
	}
	return nil
}

// Duration is a time.Duration that is written "5m0s" in JSON.
type Duration time.Duration

// MarshalText writes the duration as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration as Go does: 90s, 5m.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}
