package approval

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Span is a length of time: elapsed, in business hours, or in business days. The
// zero Span is none. In JSON it is a string: 90m, 4h, 36h (elapsed); 30bm, 8bh
// (business minutes and hours); 2bd (business days).
type Span struct {
	elapsed  time.Duration
	business time.Duration
	days     int
}

// Elapsed returns a span that passes at all hours.
func Elapsed(d time.Duration) Span { return Span{elapsed: d} }

// BusinessTime returns a span that passes in business hours only. It is a whole
// number of minutes.
func BusinessTime(d time.Duration) Span { return Span{business: d} }

// BusinessDays returns a span of so many business days.
func BusinessDays(n int) Span { return Span{days: n} }

// IsZero reports whether it is no span at all.
func (s Span) IsZero() bool { return s == Span{} }

// needsCalendar reports whether it passes in business time.
func (s Span) needsCalendar() bool { return s.business != 0 || s.days != 0 }

// String writes the span as it stands in JSON.
func (s Span) String() string {
	switch {
	case s.days != 0:
		return fmt.Sprintf("%dbd", s.days)
	case s.business%time.Hour != 0:
		return fmt.Sprintf("%dbm", s.business/time.Minute)
	case s.business != 0:
		return fmt.Sprintf("%dbh", s.business/time.Hour)
	}
	text := s.elapsed.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the span; none at all is the empty text.
func (s Span) MarshalText() ([]byte, error) {
	if s.IsZero() {
		return nil, nil
	}
	return []byte(s.String()), nil
}

// errSpan says how a span is written.
var errSpan = errors.New("write a span of time as 90m or 4h (elapsed), 30bm or 8bh (business minutes or hours), or 2bd (business days)")

// UnmarshalText reads what MarshalText writes.
func (s *Span) UnmarshalText(text []byte) error {
	*s = Span{}
	if len(text) == 0 {
		return nil
	}
	read, err := parseSpan(string(text))
	if err != nil {
		return fmt.Errorf("%q is no span: %w", text, errSpan)
	}
	*s = read
	return nil
}

func parseSpan(text string) (Span, error) {
	number, unit := text, ""
	if i := strings.IndexByte(text, 'b'); i >= 0 {
		number, unit = text[:i], text[i:]
	}
	if unit == "" {
		d, err := time.ParseDuration(text)
		return Elapsed(d), err
	}
	n, err := strconv.ParseUint(number, 10, 20)
	if err != nil {
		return Span{}, err
	}
	switch unit {
	case "bm":
		return BusinessTime(time.Duration(n) * time.Minute), nil
	case "bh":
		return BusinessTime(time.Duration(n) * time.Hour), nil
	case "bd":
		return BusinessDays(int(n)), nil
	}
	return Span{}, errSpan
}

// The bounds of spans.
const (
	MinSpan         = time.Minute
	MaxElapsed      = 366 * 24 * time.Hour
	MaxBusinessTime = 2000 * time.Hour
	MaxBusinessDays = 260
)

// wrong returns what is wrong with a span that must be there; empty if nothing
// is.
func (s Span) wrong() string {
	switch kinds := btoi(s.elapsed != 0) + btoi(s.business != 0) + btoi(s.days != 0); {
	case kinds == 0:
		return "is missing: say how long, such as 4h, 8bh or 2bd"
	case kinds > 1:
		return "is in more than one kind of time: choose one"
	case s.elapsed != 0 && (s.elapsed < MinSpan || s.elapsed > MaxElapsed):
		return fmt.Sprintf("is %v: choose from %v to 366 days (8784h)", s, MinSpan)
	case s.business != 0 && (s.business < MinSpan || s.business > MaxBusinessTime || s.business%time.Minute != 0):
		return fmt.Sprintf("is %v: choose from 1bm to %dbh, in whole minutes", s, MaxBusinessTime/time.Hour)
	case s.days != 0 && (s.days < 1 || s.days > MaxBusinessDays):
		return fmt.Sprintf("is %v: choose from 1bd to %dbd", s, MaxBusinessDays)
	}
	return ""
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
