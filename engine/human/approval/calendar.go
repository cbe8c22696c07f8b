package approval

import (
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // so that zones are known on machines without a database of them
)

// Calendar says when people work.
type Calendar struct {
	// Zone is a time zone of the IANA database, such as Europe/Zurich.
	Zone string `json:"zone"`
	// Hours are those of every week.
	Hours []Hours `json:"hours"`
	// Holidays are days on which nobody works.
	Holidays []Date `json:"holidays,omitempty"`
}

// Hours are hours of work on some days of the week. The clock on the wall counts.
// Hours that go past midnight are written as two.
type Hours struct {
	Days  []Weekday `json:"days"`
	Open  TimeOfDay `json:"open"`
	Close TimeOfDay `json:"close"`
}

// Weekday is a day of the week; in JSON mon, tue, wed, thu, fri, sat or sun.
type Weekday time.Weekday

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// MarshalText writes the day in three letters.
func (d Weekday) MarshalText() ([]byte, error) {
	if d < 0 || int(d) >= len(weekdays) {
		return nil, fmt.Errorf("%d is no day of the week", d)
	}
	return []byte(weekdays[d]), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Weekday) UnmarshalText(text []byte) error {
	i := slices.Index(weekdays, string(text))
	if i < 0 {
		return fmt.Errorf("%q is no day of the week: write mon, tue, wed, thu, fri, sat or sun", text)
	}
	*d = Weekday(i)
	return nil
}

// TimeOfDay is what the clock on the wall shows, in minutes after midnight; in
// JSON 00:00 to 24:00.
type TimeOfDay int

const midnight TimeOfDay = 24 * 60

// MarshalText writes hours and minutes.
func (t TimeOfDay) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%02d:%02d", t/60, t%60), nil
}

// UnmarshalText reads what MarshalText writes.
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	if string(text) == "24:00" {
		*t = midnight
		return nil
	}
	read, err := time.Parse("15:04", string(text))
	if err != nil || len(text) != len("15:04") {
		return fmt.Errorf("%q is no time of day: write 00:00 to 24:00", text)
	}
	*t = TimeOfDay(read.Hour()*60 + read.Minute())
	return nil
}

// Date is a day of one year, or with the Year 0 of every year; in JSON
// 2026-12-24 or 12-25.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// MarshalText writes the date.
func (d Date) MarshalText() ([]byte, error) {
	if d.Year == 0 {
		return fmt.Appendf(nil, "%02d-%02d", d.Month, d.Day), nil
	}
	return fmt.Appendf(nil, "%04d-%02d-%02d", d.Year, d.Month, d.Day), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(text []byte) error {
	if every, err := time.Parse("2006-01-02", "2000-"+string(text)); err == nil { // a leap year
		*d = Date{0, every.Month(), every.Day()}
		return nil
	}
	once, err := time.Parse("2006-01-02", string(text))
	if err != nil || once.Year() == 0 {
		return fmt.Errorf("%q is no date: write 2026-12-24, or 12-25 for every year", text)
	}
	*d = Date{once.Year(), once.Month(), once.Day()}
	return nil
}

// ErrNoBusinessTime is returned for a span of business time that does not pass
// within ten years.
var ErrNoBusinessTime = errors.New("the calendar has too little business time")

// horizon is how many days are looked at.
const horizon = 3660

// Add returns when a span that begins at t is over, in UTC. Business time passes
// while the calendar is open; a span of it that would be over exactly when the
// calendar closes is over then, and not when it opens next. Business days are
// counted from t, or from when the calendar opens next if it is closed at t: so
// many days later on which it opens, at the same time of day, or at the nearest
// time on that day at which it is open. The calendar may be nil for an elapsed
// span. The errors are ErrNoBusinessTime and that of an unknown zone.
func (c *Calendar) Add(t time.Time, s Span) (time.Time, error) {
	if !s.needsCalendar() {
		return t.Add(s.elapsed).UTC(), nil
	}
	if c == nil {
		return time.Time{}, fmt.Errorf("add %v: %w: there is no calendar", s, ErrNoBusinessTime)
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("add %v: %w", s, err)
	}
	end, ok := c.addTime(zone, t, s.business)
	if s.days > 0 {
		end, ok = c.addDays(zone, t, s.days)
	}
	if !ok {
		return time.Time{}, fmt.Errorf("add %v to %v: %w", s, t, ErrNoBusinessTime)
	}
	return end.UTC(), nil
}

// addTime adds business time.
func (c *Calendar) addTime(zone *time.Location, t time.Time, left time.Duration) (time.Time, bool) {
	for n := range horizon {
		for _, open := range c.open(zone, t, n) {
			from := latest(open.from, t)
			length := open.to.Sub(from)
			if length > 0 && left <= length {
				return from.Add(left), true
			}
			left -= max(length, 0)
		}
	}
	return time.Time{}, false
}

// addDays adds business days.
func (c *Calendar) addDays(zone *time.Location, t time.Time, days int) (time.Time, bool) {
	begin, ok := c.addTime(zone, t, 0)
	if !ok {
		return time.Time{}, false
	}
	local := begin.In(zone)
	y, m, d := local.Date()
	for n := 1; n < horizon; n++ {
		open := c.open(zone, begin, n)
		if len(open) == 0 {
			continue
		}
		if days--; days == 0 {
			day := time.Date(y, m, d+n, 0, 0, 0, 0, time.UTC)
			return nearest(open, wall(zone, day, local.Hour(), local.Minute(), local.Second(), local.Nanosecond())), true
		}
	}
	return time.Time{}, false
}

// nearest returns t if the day is open then, else the next time at which it is,
// or else when it closes.
func nearest(open []interval, t time.Time) time.Time {
	for _, i := range open {
		if !t.After(i.to) {
			return latest(i.from, t)
		}
	}
	return open[len(open)-1].to
}

// interval is a time during which people work.
type interval struct{ from, to time.Time }

// open returns when people work on the day that is n days after that of t, in
// order; what overlaps is joined.
func (c *Calendar) open(zone *time.Location, t time.Time, n int) (open []interval) {
	y, m, d := t.In(zone).Date()
	day := time.Date(y, m, d+n, 0, 0, 0, 0, time.UTC) // stands for the date alone
	if c.isHoliday(day) {
		return nil
	}
	for _, h := range c.Hours {
		if !slices.Contains(h.Days, Weekday(day.Weekday())) {
			continue
		}
		i := interval{wall(zone, day, 0, int(h.Open), 0, 0), wall(zone, day, 0, int(h.Close), 0, 0)}
		if i.from.Before(i.to) {
			open = append(open, i)
		}
	}
	slices.SortFunc(open, func(a, b interval) int { return a.from.Compare(b.from) })
	return joined(open)
}

// joined joins intervals that overlap or touch; they are in order.
func joined(in []interval) (out []interval) {
	for _, i := range in {
		if last := len(out) - 1; last >= 0 && !i.from.After(out[last].to) {
			out[last].to = latest(out[last].to, i.to)
			continue
		}
		out = append(out, i)
	}
	return out
}

func (c *Calendar) isHoliday(day time.Time) bool {
	y, m, d := day.Date()
	return slices.Contains(c.Holidays, Date{y, m, d}) || slices.Contains(c.Holidays, Date{0, m, d})
}

// wall returns the first instant of a day at which the clock on the wall shows a
// time. If the clock is put forward over it, that is the instant at which it is.
func wall(zone *time.Location, day time.Time, hour, minute, second, nano int) time.Time {
	y, m, d := day.Date()
	shown := time.Date(y, m, d, hour, minute, second, nano, time.UTC)
	t := time.Date(y, m, d, hour, minute, second, nano, zone)
	start, end := t.ZoneBounds()
	switch skipped := shownAt(t); {
	case skipped.After(shown):
		return start // t is beyond the gap
	case skipped.Before(shown):
		return end // t is before the gap
	}
	if start.IsZero() {
		return t
	}
	_, before := start.Add(-1).Zone()
	if earlier := shown.Add(-time.Duration(before) * time.Second).In(zone); earlier.Before(start) {
		return earlier // the clock is put back and shows the time twice
	}
	return t
}

// shownAt returns what the clock on the wall shows, as if it were UTC.
func shownAt(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
