package hosttest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// schedule says when a timer's function is set off, in UTC: for each of its fields the values at which it is.
type schedule [6]uint64

// The fields of a schedule.
const (
	second = iota
	minute
	hour
	day
	month
	weekday
)

// fields are the bounds of a schedule's fields, and the names that its values have.
var fields = [6]struct {
	least, most int
	names       []string
}{
	second: {0, 59, nil}, minute: {0, 59, nil}, hour: {0, 23, nil}, day: {1, 31, nil},
	month:   {1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	weekday: {0, 6, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// parseSchedule reads a schedule: second, minute, hour, day, month and weekday, or the last five of them. Day and weekday must both fit.
func parseSchedule(text string) (s schedule, err error) {
	parts := strings.Fields(text)
	if len(parts) == 5 {
		parts = append([]string{"0"}, parts...)
	}
	if len(parts) != len(s) {
		return s, fmt.Errorf("the schedule %q does not have six fields", text)
	}
	for field, part := range parts {
		for item := range strings.SplitSeq(part, ",") {
			set, err := parseItem(field, item)
			if err != nil {
				return s, fmt.Errorf("the schedule %q: %w", text, err)
			}
			s[field] |= set
		}
	}
	return s, nil
}

// parseItem reads *, a value or a range of values, each with a step behind a slash if there is one.
func parseItem(field int, item string) (set uint64, err error) {
	bounds := fields[field]
	from, to, step := bounds.least, bounds.most, 1
	extent, every, hasStep := strings.Cut(item, "/")
	if hasStep {
		if step, err = strconv.Atoi(every); err != nil || step < 1 {
			return 0, fmt.Errorf("%q has no step", item)
		}
	}
	if extent != "*" {
		first, last, isRange := strings.Cut(extent, "-")
		if from, err = parseValue(field, first); err != nil {
			return 0, err
		}
		switch {
		case isRange:
			to, err = parseValue(field, last)
		case !hasStep:
			to = from
		}
	}
	if err != nil || from > to {
		return 0, fmt.Errorf("%q is no range", item)
	}
	for value := from; value <= to; value += step {
		set |= 1 << value
	}
	return set, nil
}

// parseValue reads a number, or a name.
func parseValue(field int, text string) (int, error) {
	bounds := fields[field]
	if i := slices.Index(bounds.names, strings.ToLower(text)); i >= 0 {
		return bounds.least + i, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < bounds.least || value > bounds.most {
		return 0, fmt.Errorf("%q is not from %d to %d", text, bounds.least, bounds.most)
	}
	return value, nil
}

func (s schedule) has(field, value int) bool { return s[field]&(1<<value) != 0 }

// longest is how far ahead a next time is looked for: there may be none, as on a 30th of February.
const longest = 5

// next returns the first time after another, or no time.
func (s schedule) next(after time.Time) time.Time {
	t := after.UTC().Truncate(time.Second).Add(time.Second)
	for end := t.AddDate(longest, 0, 0); t.Before(end); {
		switch {
		case !s.has(month, int(t.Month())):
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case !s.has(day, t.Day()), !s.has(weekday, int(t.Weekday())):
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)
		case !s.has(hour, t.Hour()):
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !s.has(minute, t.Minute()):
			t = t.Truncate(time.Minute).Add(time.Minute)
		case !s.has(second, t.Second()):
			t = t.Add(time.Second)
		default:
			return t
		}
	}
	return time.Time{}
}
