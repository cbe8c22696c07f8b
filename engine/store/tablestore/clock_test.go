package tablestore

import (
	"testing"
	"time"
)

func TestTheClockIsPutRightByAsLittleAsNeeded(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	type answer struct {
		sent, date, received time.Duration // after noon
	}
	const s, ms = time.Second, time.Millisecond
	for _, tt := range []struct {
		name    string
		answers []answer
		offset  time.Duration
	}{
		{"no answer", nil, 0},
		{"right", []answer{{0, 0, 0}, {1500 * ms, 1 * s, 1600 * ms}, {5 * s, 9 * s, 40 * s}}, 0},
		{"behind", []answer{{0, 300 * s, 100 * ms}}, 300*s - 100*ms},
		{"ahead", []answer{{300 * s, 0, 300*s + 100*ms}}, -299 * s},
		{"behind, and then exactly", []answer{{0, 300 * s, 30 * s}, {40 * s, 340 * s, 40*s + 10*ms}}, 300*s - 10*ms},
		{"ahead until it was set", []answer{{300 * s, 0, 300 * s}, {10 * s, 10 * s, 10 * s}}, 0},
	} {
		c := &clock{machine: func() time.Time { return noon }}
		for _, a := range tt.answers {
			c.set(noon.Add(a.sent), noon.Add(a.date), noon.Add(a.received))
		}
		if c.offset != tt.offset || !c.now().Equal(noon.Add(tt.offset)) {
			t.Errorf("%s: it is put right by %v, want %v", tt.name, c.offset, tt.offset)
		}
	}
}
