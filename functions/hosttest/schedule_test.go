package hosttest

import (
	"testing"
	"time"
)

func TestASchedulesNextTimeIsTheHosts(t *testing.T) {
	const after = "2026-11-25 17:59:30"
	for schedule, want := range map[string]string{
		"* * * * * *":           "2026-11-25 17:59:31",
		"0 * * * * *":           "2026-11-25 18:00:00",
		"* * * * *":             "2026-11-25 18:00:00",
		"*/15 * * * * *":        "2026-11-25 17:59:45",
		"10/15 * * * * *":       "2026-11-25 17:59:40",
		"30 59 17 * * *":        "2026-11-26 17:59:30",
		"0 0 9-17 * * *":        "2026-11-26 09:00:00",
		"0 0 9-17/4 * * 1-5":    "2026-11-26 09:00:00",
		"0 30 9 * * Mon,Sat":    "2026-11-28 09:30:00",
		"0 0 0 1 Jan *":         "2027-01-01 00:00:00",
		"0 0 0 29 2 *":          "2028-02-29 00:00:00",
		"0 0 0 13 * fri":        "2027-08-13 00:00:00",
		"0 0 0 31 2 *":          "",
		"5,7,1 1 0 1 1,12 *":    "2026-12-01 00:01:01",
		"0 0 0 * * sun":         "2026-11-29 00:00:00",
		"59 59 23 31 12 4":      "2026-12-31 23:59:59",
		"0 0 */6 * * *":         "2026-11-25 18:00:00",
		"0 0 0 1-7 * 1":         "2026-12-07 00:00:00",
		"0 0 12 * 6-8 0,6":      "2027-06-05 12:00:00",
		"30 59 17 25 11 *":      "2027-11-25 17:59:30",
		"0   0\t0 * * *":        "2026-11-26 00:00:00",
		"31-33 59 17 25 11 wed": "2026-11-25 17:59:31",
	} {
		s, err := parseSchedule(schedule)
		if err != nil {
			t.Errorf("%s: %v", schedule, err)
			continue
		}
		at, err := time.Parse(time.DateTime, after)
		if err != nil {
			t.Fatal(err)
		}
		got := s.next(at)
		if text := got.Format(time.DateTime); text != want && !(want == "" && got.IsZero()) {
			t.Errorf("%s: %s, want %s", schedule, text, want)
		}
	}
}

func TestAScheduleThatTheHostRefusesIsRefused(t *testing.T) {
	for _, schedule := range []string{
		"", "0 0", "0 0 0 0 * * *", "60 * * * * *", "0 60 * * * *", "0 0 24 * * *", "0 0 0 0 * *", "0 0 0 32 * *", "0 0 0 * 13 *", "0 0 0 * * 7",
		"a * * * * *", "5-1 * * * * *", "*/0 * * * * *", "*/x * * * * *", "1- * * * * *", ", * * * * *", "0 0 0 * january *",
	} {
		if _, err := parseSchedule(schedule); err == nil {
			t.Errorf("%q is taken", schedule)
		}
	}
}
