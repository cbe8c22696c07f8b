package approval_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// at reads a time such as 2026-03-27 10:00 in UTC.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	u, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

var workdays = []approval.Weekday{1, 2, 3, 4, 5}

// office is a calendar with a break at noon.
func office(zone string, holidays ...approval.Date) *approval.Calendar {
	return &approval.Calendar{Zone: zone, Holidays: holidays, Hours: []approval.Hours{
		{Days: workdays, Open: 13 * 60, Close: 17 * 60}, {Days: workdays, Open: 8 * 60, Close: 12 * 60},
	}}
}

// always is a calendar that is open at all times but on holidays.
func always(zone string, holidays ...approval.Date) *approval.Calendar {
	return &approval.Calendar{Zone: zone, Holidays: holidays, Hours: []approval.Hours{
		{Days: []approval.Weekday{0, 1, 2, 3, 4, 5, 6}, Open: 0, Close: 24 * 60},
	}}
}

func TestBusinessTimePassesWhilePeopleWork(t *testing.T) {
	hours := func(n int) approval.Span { return approval.BusinessTime(time.Duration(n) * time.Hour) }
	zurich, christmas := office("Europe/Zurich"), office("Europe/Zurich", approval.Date{Month: 12, Day: 25}, approval.Date{Year: 2026, Month: 12, Day: 24})
	tests := map[string]struct {
		calendar *approval.Calendar
		from     string // in UTC, as is want
		span     approval.Span
		want     string
	}{
		"elapsed":                        {nil, "2026-03-28 23:00", approval.Elapsed(4 * time.Hour), "2026-03-29 03:00"},
		"within the morning":             {zurich, "2026-03-27 07:30", hours(2), "2026-03-27 09:30"},
		"to the end of the morning":      {zurich, "2026-03-27 07:00", hours(4), "2026-03-27 11:00"},
		"over noon":                      {zurich, "2026-03-27 10:00", hours(2), "2026-03-27 13:00"},
		"from noon":                      {zurich, "2026-03-27 11:30", hours(1), "2026-03-27 13:00"},
		"from the very end":              {zurich, "2026-03-27 16:00", hours(1), "2026-03-30 07:00"},
		"over a weekend and the spring":  {zurich, "2026-03-27 15:00", hours(2), "2026-03-30 07:00"},
		"from a night":                   {zurich, "2026-03-26 23:00", hours(8), "2026-03-27 16:00"},
		"over the autumn":                {zurich, "2026-10-23 14:00", hours(2), "2026-10-26 08:00"},
		"over holidays":                  {christmas, "2026-12-23 15:00", hours(2), "2026-12-28 08:00"},
		"the eve is one year's only":     {christmas, "2027-12-23 15:00", hours(2), "2027-12-24 08:00"},
		"all day, spring has 23 hours":   {always("Europe/Zurich"), "2026-03-28 23:00", hours(24), "2026-03-29 23:00"},
		"only a day of 23 hours":         {always("Europe/Zurich", approval.Date{Year: 2026, Month: 3, Day: 30}), "2026-03-28 23:00", hours(24), "2026-03-30 23:00"},
		"a day":                          {zurich, "2026-03-24 09:00", approval.BusinessDays(1), "2026-03-25 09:00"},
		"a day over the spring":          {zurich, "2026-03-27 09:00", approval.BusinessDays(1), "2026-03-30 08:00"},
		"a day over the autumn":          {zurich, "2026-10-23 14:00", approval.BusinessDays(1), "2026-10-26 15:00"},
		"a day from noon":                {zurich, "2026-03-24 11:30", approval.BusinessDays(1), "2026-03-25 12:00"},
		"a day from the evening":         {zurich, "2026-03-24 19:00", approval.BusinessDays(1), "2026-03-26 07:00"},
		"a day from Saturday":            {zurich, "2026-03-21 09:00", approval.BusinessDays(1), "2026-03-24 07:00"},
		"two days over holidays":         {christmas, "2026-12-23 09:00", approval.BusinessDays(2), "2026-12-29 09:00"},
		"a day, to hours that don't fit": {shortFriday(), "2026-11-26 15:00", approval.BusinessDays(1), "2026-11-27 12:00"},
		"the hour that is skipped":       {nightly(), "2026-03-28 01:30", approval.BusinessDays(1), "2026-03-29 01:00"},
		"the hour that comes twice":      {nightly(), "2026-10-24 00:30", approval.BusinessDays(1), "2026-10-25 00:30"},
		"the day that Samoa left out":    {always("Pacific/Apia"), "2011-12-29 12:00", approval.BusinessDays(1), "2011-12-30 12:00"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.calendar.Add(at(t, test.from), test.span)
			if want := at(t, test.want); err != nil || !got.Equal(want) || got.Location() != time.UTC {
				t.Errorf("%s + %v = %v, %v, want %v", test.from, test.span, got, err, want)
			}
		})
	}
}

// shortFriday closes at noon on Fridays.
func shortFriday() *approval.Calendar {
	return &approval.Calendar{Zone: "UTC", Hours: []approval.Hours{
		{Days: workdays[:4], Open: 8 * 60, Close: 17 * 60}, {Days: workdays[4:], Open: 8 * 60, Close: 12 * 60},
	}}
}

// nightly works when clocks are put forward and back, at half past two.
func nightly() *approval.Calendar {
	return &approval.Calendar{Zone: "Europe/Zurich", Hours: []approval.Hours{{Days: []approval.Weekday{0, 6}, Open: 2*60 + 30, Close: 6 * 60}}}
}

func TestTimesAreShownByTheClockOfTheStage(t *testing.T) {
	p := rules(rule(approval.All, "ann"))
	p.Stages[0].Calendar = office("Asia/Tokyo")
	for _, test := range []struct {
		calendar    *approval.Calendar
		stage, want string
	}{
		{office("Europe/Zurich"), "one", "Asia/Tokyo"}, {office("Europe/Zurich"), "none", "Europe/Zurich"},
		{nil, "one", "Asia/Tokyo"}, {nil, "none", "UTC"}, {office("Mars/Olympus"), "none", "UTC"},
	} {
		p.Calendar = test.calendar
		if got := p.ZoneOf(test.stage).String(); got != test.want {
			t.Errorf("the stage %q has the zone %s, want %s", test.stage, got, test.want)
		}
	}
}

func TestACalendarWithoutTimeIsAnError(t *testing.T) {
	closed := &approval.Calendar{Zone: "UTC", Hours: []approval.Hours{{Days: []approval.Weekday{1}, Open: 60, Close: 120}}}
	for month := time.January; month <= time.December; month++ {
		for day := 1; day <= 31; day++ {
			closed.Holidays = append(closed.Holidays, approval.Date{Month: month, Day: day})
		}
	}
	for _, span := range []approval.Span{approval.BusinessDays(1), approval.BusinessTime(time.Hour)} {
		if got, err := closed.Add(at(t, "2026-11-25 12:00"), span); !errors.Is(err, approval.ErrNoBusinessTime) {
			t.Errorf("%v: %v, %v", span, got, err)
		}
		if got, err := (*approval.Calendar)(nil).Add(at(t, "2026-11-25 12:00"), span); !errors.Is(err, approval.ErrNoBusinessTime) {
			t.Errorf("without a calendar, %v: %v, %v", span, got, err)
		}
	}
}

// zones have clocks that are put forward and back, at other hours, by less than
// an hour, and in the south.
var zones = []string{
	"Europe/Zurich", "Europe/London", "America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Santiago",
	"America/Havana", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Africa/Cairo", "Asia/Beirut",
}

// changes returns when the clocks of a zone are put forward or back in a year.
func changes(z *time.Location, year int) (all []time.Time) {
	for t := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); ; {
		_, end := t.In(z).ZoneBounds()
		if end.IsZero() || end.Year() > year {
			return all
		}
		all = append(all, end)
		t = end
	}
}

// worked reports by the clock on the wall whether people work at t.
func worked(c *approval.Calendar, z *time.Location, t time.Time) bool {
	local := t.In(z)
	minute := approval.TimeOfDay(local.Hour()*60 + local.Minute())
	return slices.ContainsFunc(c.Hours, func(h approval.Hours) bool {
		return slices.Contains(h.Days, approval.Weekday(local.Weekday())) && h.Open <= minute && minute < h.Close
	})
}

// Twelve zones, over both changes of the year: business time is what a watch
// counts that runs while the clock on the wall shows working hours.
func TestBusinessTimeOverBothChangesOfTheClockInTwelveZones(t *testing.T) {
	for _, name := range zones {
		z := zone(t, name)
		turns := changes(z, 2026)
		if len(turns) != 2 {
			t.Fatalf("%s has %d changes in 2026", name, len(turns))
		}
		for _, turn := range turns {
			for _, c := range []*approval.Calendar{office(name), always(name)} {
				for _, before := range []time.Duration{61 * time.Hour, 26*time.Hour + 17*time.Minute, 30 * time.Minute, 0} {
					checkByWatch(t, c, z, turn.Add(-before))
				}
			}
		}
	}
}

// checkByWatch lets a watch run from a time on and holds the calendar to it.
func checkByWatch(t *testing.T, c *approval.Calendar, z *time.Location, from time.Time) {
	t.Helper()
	shown := 0 // minutes
	for now := from; shown < 20*60; now = now.Add(time.Minute) {
		if !worked(c, z, now) {
			continue
		}
		if shown++; shown%37 != 0 {
			continue
		}
		span := approval.BusinessTime(time.Duration(shown) * time.Minute)
		if got, err := c.Add(from, span); err != nil || !got.Equal(now.Add(time.Minute)) {
			t.Fatalf("%s: %v + %v = %v, %v, want %v", c.Zone, from.In(z), span, got.In(z), err, now.Add(time.Minute).In(z))
		}
	}
}

// A business day later the clock on the wall shows the same, in every zone.
func TestABusinessDayLaterTheClockShowsTheSame(t *testing.T) {
	for _, name := range zones {
		z := zone(t, name)
		for _, turn := range changes(z, 2026) {
			y, m, d := turn.In(z).Date()
			for back := 1; back <= 4; back++ {
				from := time.Date(y, m, d-back, 9, 30, 0, 0, z)
				got, err := office(name).Add(from, approval.BusinessDays(3))
				if weekday := from.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
					continue
				}
				if local := got.In(z); err != nil || local.Hour() != 9 || local.Minute() != 30 {
					t.Errorf("%v + 3bd = %v, %v", from, local, err)
				}
			}
		}
	}
}
