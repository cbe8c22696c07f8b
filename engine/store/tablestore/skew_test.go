package tablestore

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// skews are those of two machines' clocks.
var skews = [][2]time.Duration{{4 * time.Minute, -7 * time.Minute}, {-7 * time.Minute, 4 * time.Minute}, {0, 40 * time.Minute}, {-40 * time.Minute, 0}}

// Azure's clock is that of the desk. A timer that one worker set and another one
// fires is not early by it, and late by no more than the seconds in which queue
// and account count.
func TestATimerFiresByTheStoresClock(t *testing.T) {
	for _, skew := range skews {
		for _, length := range []time.Duration{time.Minute, time.Hour} {
			t.Run(fmt.Sprint(skew, length), func(t *testing.T) {
				d := newDeskOn(t, inMemoryOptions, nil)
				one, two := d.hire(skew[0], nil), d.hire(skew[1], nil)
				one.start("patient", "a", length.String())
				began := d.clock()
				wait := length - 10*time.Second
				d.advance(wait)
				for wait < length+10*time.Second && !d.hasEnded("a") {
					two.work()
					d.advance(time.Second)
					wait += time.Second
				}
				took := d.clock().Sub(began) - time.Second
				if took < length-time.Second || took > length+3*time.Second {
					t.Errorf("the timer of %v fired after %v", length, took)
				}
				d.ended("a", "false")
			})
		}
	}
}

func (d *desk) hasEnded(id string) bool {
	d.Helper()
	in, err := d.store.Get(d.Context(), id)
	d.must(err)
	return in.Status.IsTerminal()
}

// Whoever accepts an answer before the deadline, it wins, and one that comes
// later loses, though the turn is made long after both.
func TestAnAnswerAndADeadlineAreComparedByOneClock(t *testing.T) {
	for _, skew := range skews {
		for _, early := range []bool{true, false} {
			t.Run(fmt.Sprint(skew, early), func(t *testing.T) {
				d := newDeskOn(t, inMemoryOptions, nil)
				one, two := d.hire(skew[0], nil), d.hire(skew[1], nil)
				one.start("patient", "a", "5m")
				d.advance(5*time.Minute - 3*time.Second)
				if !early {
					d.advance(6 * time.Second)
				}
				event := history.Event{Kind: history.EventRaised, ID: history.Outside, Time: two.store.Now(), Message: "m", Name: string(answer), Input: []byte(`"yes"`)}
				d.must(two.store.Send(t.Context(), "a", event))
				d.advance(time.Hour)
				one.work()
				two.work()
				d.ended("a", fmt.Sprint(early))
			})
		}
	}
}

// A list shows the execution that came last, whatever its worker's clock says.
func TestAListIsNotMisledByClocks(t *testing.T) {
	d := newDeskOn(t, inMemoryOptions, nil)
	for _, created := range []time.Time{d.clock(), d.clock().Add(-time.Hour)} {
		s := open(t, d.o) // remembers nothing of the projection
		start := history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Message: "m" + created.String(), Name: "test", Execution: created.String(), Time: created}
		d.must(s.Create(t.Context(), "a", start))
		in, err := s.Get(t.Context(), "a")
		d.must(err)
		if listed := d.rows(s.instances); len(listed) != 1 || listed[0].text("ExecutionId") != in.Execution {
			t.Errorf("listed are %v", listed)
		}
		in.Status, in.Turn, in.Completed = history.Completed, "end of "+in.Execution, d.clock()
		_, err = s.Commit(t.Context(), store.Turn{Base: in.Version, Instance: in, Consumed: []string{start.Message}})
		d.must(err)
		if listed := d.rows(s.instances); len(listed) != 1 || listed[0].text("RuntimeStatus") != "Completed" || listed[0].text("ExecutionId") != in.Execution {
			t.Errorf("listed are %v", listed)
		}
	}
}
