package tablestore

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// The lengths of timers, from one that waits in the queue to one that nothing
// else in Azure Storage can hold.
var lengths = []time.Duration{time.Minute, time.Hour, 400 * 24 * time.Hour}

// onBoth runs a test in memory and on Azurite.
func onBoth(t *testing.T, test func(t *testing.T, d *desk)) {
	t.Run("memory", func(t *testing.T) { test(t, newDeskOn(t, inMemoryOptions, nil)) })
	t.Run("Azurite", func(t *testing.T) { test(t, newDesk(t, nil)) })
}

// waits checks how many due rows and messages there are.
func (d *desk) waits(due, messages int) {
	d.Helper()
	if n, m := len(d.rows(d.store.due)), d.messages(); n != due || m != messages {
		d.Errorf("%d due rows and %d messages, want %d and %d", n, m, due, messages)
	}
}

func TestATimerWaitsWhereItBelongsAndFiresOnTime(t *testing.T) {
	for _, length := range lengths {
		t.Run(length.String(), func(t *testing.T) {
			onBoth(t, func(t *testing.T, d *desk) {
				d.start("patient", "a", length.String())
				if length > d.store.o.Horizon {
					d.waits(1, 0)
					d.advance(length - d.store.o.Horizon - sweepInterval - time.Second)
					d.work()
					d.waits(1, 0)
					d.advance(2 * sweepInterval)
					d.work()
					d.waits(1, 1) // a sweep put the message
					d.advance(d.store.o.Horizon - sweepInterval)
				} else {
					d.waits(0, 1)
					d.advance(length - time.Second)
				}
				d.work()
				if d.hasEnded("a") {
					t.Error("it fired early")
				}
				d.advance(time.Second)
				d.work()
				d.ended("a", "false")
				d.proved(1)
			})
		})
	}
}

func TestAnOverdueTimerFiresAtOnce(t *testing.T) {
	for _, length := range lengths {
		t.Run(length.String(), func(t *testing.T) {
			onBoth(t, func(t *testing.T, d *desk) {
				d.start("patient", "a", length.String())
				d.advance(length + 30*24*time.Hour)
				d.openWorker(d.o)
				if _, err := d.worker.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
				d.ended("a", "false")
				d.proved(1)
			})
		})
	}
}

// Whenever a timer is canceled, nothing is left of it, at once.
func TestACanceledTimerLeavesNothingBehind(t *testing.T) {
	ends := map[string]func(d *desk){
		"answered":   func(d *desk) { d.raise("a") },
		"terminated": func(d *desk) { d.must(d.client.Terminate(d.Context(), "a", "enough")) },
	}
	for _, length := range lengths {
		for _, left := range []time.Duration{length, length / 2, 9 * time.Minute, 30 * time.Second} {
			for how, end := range ends {
				if left > length {
					continue
				}
				t.Run(fmt.Sprintf("%v, %s %v before", length, how, left), func(t *testing.T) {
					d := newDeskOn(t, inMemoryOptions, nil)
					d.start("patient", "a", length.String())
					d.advance(length - left)
					d.work()
					end(d)
					d.must(d.worker.Settle(t.Context()))
					d.proved(1)
				})
			}
		}
	}
}

func TestManySweepersMoveARowOnce(t *testing.T) {
	const timers, sweepers = 20, 4
	onBoth(t, func(t *testing.T, d *desk) {
		for i := range timers {
			d.start("patient", fmt.Sprint(i), "1h")
		}
		d.advance(time.Hour - 5*time.Minute)
		var wait sync.WaitGroup
		for range sweepers {
			c := d.hire(0, nil)
			wait.Go(c.work)
		}
		wait.Wait()
		d.waits(timers, timers)
		d.advance(5 * time.Minute)
		d.work()
		for i := range timers {
			d.ended(fmt.Sprint(i), "false")
		}
		d.proved(timers)
	})
}

// Whatever goes wrong with a sweep, its timer fires on time or a sweep later,
// and nothing is left in the end.
func TestASweepMayGoWrong(t *testing.T) {
	for _, retries := range []int32{-1, 3} {
		for _, fault := range azuritetest.AllFaults() {
			t.Run(fmt.Sprintf("%v, %d retries", fault, max(retries, 0)), func(t *testing.T) {
				for at, more := 0, true; more && !t.Failed(); at++ {
					f := &azuritetest.Faults{}
					d := newFaultyDesk(t, inMemoryOptions, f, retries)
					d.start("patient", "a", "1h")
					d.advance(time.Hour - 5*time.Minute)
					before := f.Requests()
					f.Choose = azuritetest.At(before+at, fault)
					_, _ = d.worker.Step(t.Context())
					more = f.Requests() > before+at
					f.Choose = nil
					d.openWorker(d.o)
					d.advance(5*time.Minute + sweepInterval)
					d.work()
					d.whole(plot{output: "false"})
					if t.Failed() {
						t.Logf("it was request %d: %q", at, f.Log())
					}
				}
			})
		}
	}
}
