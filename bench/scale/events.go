package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// lonely is the instance that has all the events.
const lonely = "lonely"

// eventsOnFiles raises event after event for one instance on the file store.
func eventsOnFiles(ctx context.Context, c config, r *report) error {
	folder, err := os.MkdirTemp(c.dir, "scale-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	s, err := filestore.Open(folder, filestore.Options{})
	if err != nil {
		return err
	}
	chart := r.newChart("scale-events-time", "File store: time to raise one event more for the same instance", "events it has had", "median, ms", "instance in memory", "instance not in memory, so replayed")
	a := newApp(s, nil)
	err = a.begin(ctx, c.events)
	for n := 0; n < c.events && err == nil; {
		err = a.raiseBlock(ctx, s, chart, &n, max(c.events/blocks, 2))
	}
	if err == nil {
		err = a.completes(ctx, lonely)
	}
	return errors.Join(err, a.close(), s.Close())
}

func (a *app) begin(ctx context.Context, events int) error {
	_, err := a.Start(ctx, string(tally), lonely, events)
	return err
}

// raiseBlock raises more events, all but one for an instance that is in memory.
func (a *app) raiseBlock(ctx context.Context, s store.Store, c *chart, n *int, size int) error {
	warm, err := each(ctx, slices.Repeat([]string{lonely}, size-1), 1, a.count)
	if err != nil {
		return err
	}
	if err := a.forget(s, nil); err != nil {
		return err
	}
	cold, err := each(ctx, []string{lonely}, 1, a.count)
	if err != nil {
		return err
	}
	*n += size
	c.add(float64(*n), quantile(warm, 0.5), quantile(cold, 0.5))
	return nil
}

// eventsOnTables raises event after event for one instance on the table store, and
// counts the requests.
func eventsOnTables(ctx context.Context, c config, r *report) (err error) {
	t, err := openMemory(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	chart := r.newChart("scale-events-requests", "Table store: requests to raise one event more for the same instance", "events it has had", "requests", "instance in memory", "instance not in memory, so read page by page")
	if err := t.begin(ctx, c.events); err != nil {
		return err
	}
	for n, size := 0, max(c.events/blocks, 2); n < c.events; n += size {
		warm, err := t.per(ctx, slices.Repeat([]string{lonely}, size-1), t.count)
		if err != nil {
			return err
		}
		if err := t.forget(t.store, nil); err != nil {
			return err
		}
		cold, err := t.per(ctx, []string{lonely}, t.count)
		if err != nil {
			return err
		}
		chart.add(float64(n+size), warm, cold)
	}
	return t.completes(ctx, lonely)
}

// timersOnFiles lets many timers be due in the same second on the file store.
func timersOnFiles(ctx context.Context, c config, r *report) error {
	folder, err := os.MkdirTemp(c.dir, "scale-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	s, err := filestore.Open(folder, filestore.Options{})
	if err != nil {
		return err
	}
	woken := &alarms{woke: map[string]time.Time{}}
	a := newApp(s, woken)
	err = a.ringAll(ctx, woken, c.timer, r, "files", "File store")
	return errors.Join(err, a.close(), s.Close())
}

// timersOnTables lets many timers be due in the same second on the table store.
func timersOnTables(ctx context.Context, c config, r *report) error {
	woken := &alarms{woke: map[string]time.Time{}}
	t, err := openMemory(ctx, woken)
	if err != nil {
		return err
	}
	err = t.ringAll(ctx, woken, c.timer, r, "tables", "Table store, account in memory")
	return errors.Join(err, t.close())
}

// percents are the points of a curve of lateness.
var percents = []float64{0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100}

// ringAll starts instances with a timer each, all due at the same time, and reports how
// late their orchestrations went on.
func (a *app) ringAll(ctx context.Context, woken *alarms, many int, r *report, name, title string) error {
	ids, due, err := a.setAll(ctx, many)
	if err != nil {
		return err
	}
	if _, err := each(ctx, ids, callers, a.completes); err != nil {
		return err
	}
	end := time.Since(due)
	var late []time.Duration
	for _, id := range ids {
		late = append(late, woken.woke[id].Sub(due))
	}
	slices.Sort(late)
	if late[0] < 0 {
		return fmt.Errorf("a timer fired %v early", -late[0])
	}
	chart := r.newChart("scale-timers-"+name, fmt.Sprintf("%s: lateness of %d timers due at the same time", title, many), "percent that have fired", "ms late", "lateness")
	for _, p := range percents {
		chart.add(p, quantile(late, p/100))
	}
	r.tell(title+": until all of them had ended", end.Seconds()*1000, "ms")
	return nil
}

// setAll starts instances with a timer each, all due at the same time, which has not come
// when the last of them is started.
func (a *app) setAll(ctx context.Context, many int) (ids []string, due time.Time, err error) {
	// A start takes less than a millisecond, and some time more is to be sure. Where that is
	// not enough, others are started with twice as much.
	for from, more := 0, 3*time.Second; ; from, more = from+many, 2*more {
		ids = names(from, from+many)
		due = time.Now().Add(time.Duration(many)*time.Millisecond + more).Truncate(time.Second)
		_, err = each(ctx, ids, callers, func(ctx context.Context, id string) error {
			_, err := a.Start(ctx, string(alarm), id, due)
			return err
		})
		if err != nil || time.Now().Before(due) {
			return ids, due, err
		}
		if _, err = each(ctx, ids, callers, a.completes); err != nil {
			return nil, due, err
		}
	}
}
