package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Retention says how long instances are kept after their end, by how they ended. A
// zero duration keeps them for ever. Those that serve others as sub-orchestrations
// are treated like any other: who called one has its result, and a failed one that
// is gone can only not be rewound with its caller.
type Retention struct {
	Completed, Failed, Terminated time.Duration
}

// byAge returns the statuses in which instances are not kept for ever, by how long
// they are.
func (r Retention) byAge() map[time.Duration][]history.Status {
	ages := map[time.Duration][]history.Status{}
	for status, age := range map[history.Status]time.Duration{
		history.Completed: r.Completed, history.Failed: r.Failed, history.Terminated: r.Terminated, history.Canceled: r.Terminated,
	} {
		if age > 0 {
			ages[age] = append(ages[age], status)
		}
	}
	return ages
}

const (
	// slice is how many instances are listed at once to be purged, and purging how
	// many are purged at the same time.
	slice   = 100
	purging = 4
	// slicePause is the pause between two slices, for the sake of other work.
	slicePause = time.Second
	// The bounds of the time between two rounds, which is a tenth of the shortest
	// retention.
	shortestRound = time.Minute
	longestRound  = time.Hour
	// retaining is the name of the chore.
	retaining = "retention"
)

// tidy purges what was kept for long enough, from time to time, until the context
// ends. Of workers that share a store one does so in each round. The first look is
// soon, as a process may not live for long.
func (w *Worker) tidy(ctx context.Context) {
	ages := w.o.Retention.byAge()
	if len(ages) == 0 {
		return
	}
	period := min(max(slices.Min(slices.Collect(maps.Keys(ages)))/10, shortestRound), longestRound)
	for wait := shortestRound; sleep(ctx, wait); wait = period {
		mine, err := w.takesOn(ctx, period)
		n := 0
		if mine {
			n, err = w.retain(ctx, slicePause)
		}
		if n > 0 {
			w.o.Logger.Info("purged what was kept for long enough", "instances", n)
		}
		if err != nil && ctx.Err() == nil {
			w.o.Logger.Warn("purge what was kept for long enough", "error", err)
		}
	}
}

// takesOn reports whether this worker is the one that purges in a round.
func (w *Worker) takesOn(ctx context.Context, period time.Duration) (bool, error) {
	rota, shared := w.store.(store.Rota)
	if !shared {
		return true, nil
	}
	return rota.TakeOn(ctx, retaining, period)
}

// Retain purges what was kept for long enough by Options.Retention, and returns how
// many instances there were. Run does so by itself. It holds a page of instances at
// a time; any number of workers may do it at once. An instance that began again
// since it was listed stays.
func (w *Worker) Retain(ctx context.Context) (int, error) { return w.retain(ctx, 0) }

func (w *Worker) retain(ctx context.Context, pause time.Duration) (purged int, err error) {
	ages := w.o.Retention.byAge()
	for _, age := range slices.Sorted(maps.Keys(ages)) {
		q := store.Query{Statuses: ages[age], EndedTo: w.o.Now().Add(-age), Bare: true, Limit: slice}
		for more := true; more; more = q.After != "" && sleep(ctx, pause) {
			page, err := w.store.List(ctx, q)
			if err != nil {
				return purged, err
			}
			n, err := w.purgeAll(ctx, page.Instances)
			purged += n
			if err != nil {
				return purged, err
			}
			q.After = page.Next
		}
	}
	return purged, ctx.Err()
}

// purgeAll purges instances as they were listed, and returns how many were still
// like that.
func (w *Worker) purgeAll(ctx context.Context, instances []store.Instance) (int, error) {
	var purged atomic.Int64
	errs := make([]error, len(instances))
	places := make(chan struct{}, purging)
	var wait sync.WaitGroup
	for i, in := range instances {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			err := w.purge(ctx, in)
			switch {
			case err == nil:
				purged.Add(1)
			case !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrActive):
				errs[i] = err
			}
		})
	}
	wait.Wait()
	return int(purged.Load()), errors.Join(errs...)
}

// purge purges an instance as it was listed.
func (w *Worker) purge(ctx context.Context, in store.Instance) error {
	if w.o.BeforePurge != nil {
		if err := w.o.BeforePurge(ctx, in); err != nil {
			return fmt.Errorf("before the purge of instance %s: %w", in.ID, err)
		}
	}
	return w.store.Purge(ctx, in.ID, in.Execution)
}
