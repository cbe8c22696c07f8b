package approval

import (
	"cmp"
	"fmt"
	"time"
)

// Schedule says when what happens in a stage, in UTC.
type Schedule struct {
	// Opened is when the stage begins.
	Opened time.Time `json:"opened"`
	// Reminders are when those are reminded who have not answered.
	Reminders []time.Time `json:"reminders,omitempty"`
	// Rungs are when the stage goes up its ladder; one for each rung, none
	// earlier than the one below it. A rung that comes at the deadline or
	// later is not reached.
	Rungs []time.Time `json:"rungs,omitempty"`
	// Due is the deadline.
	Due time.Time `json:"due"`
}

// Plan returns the schedule of a stage, by its index, that begins at a time. It
// depends on the database of time zones, which is that of the system, or else
// the one in the program. The errors are those of [Calendar.Add].
func Plan(p *Policy, stage int, opened time.Time) (Schedule, error) {
	s, calendar := &p.Stages[stage], p.calendar(stage)
	schedule := Schedule{Opened: opened.UTC()}
	var err error
	add := func(t time.Time, span Span) time.Time {
		sum, failed := calendar.Add(t, span)
		err = cmp.Or(err, failed)
		return sum
	}
	schedule.Due = add(opened, s.Deadline)
	if s.Remind != nil {
		next := add(opened, s.Remind.After)
		for n := 0; n < s.Remind.Most && err == nil && next.Before(schedule.Due); n++ {
			schedule.Reminders = append(schedule.Reminders, next)
			if n+1 < s.Remind.Most {
				next = add(next, s.Remind.Every)
			}
		}
	}
	below := opened
	for _, rung := range s.Escalate {
		below = latest(below, add(opened, rung.After))
		schedule.Rungs = append(schedule.Rungs, below.UTC())
	}
	if err != nil {
		return Schedule{}, fmt.Errorf("plan the stage %q: %w", s.Name, err)
	}
	return schedule, nil
}
