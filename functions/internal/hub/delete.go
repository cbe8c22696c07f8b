package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// The reasons for which a hub is not deleted unless that is forced.
var (
	ErrForeign    = errors.New("the hub belongs to another app")
	ErrUnfinished = errors.New("the hub has instances that have not ended")
)

// unfinished are the statuses of instances that somebody waits for.
var unfinished = store.Query{Statuses: []history.Status{history.Pending, history.Running, history.Suspended}}

// Deletion is a hub on its way out.
type Deletion struct {
	Keeper store.Keeper
	// Me is who deletes it.
	Me store.Owner
	// Where names the hub and its place.
	Where string

	hub   store.Hub
	all   int
	alive int
}

// Check looks at the hub and returns ErrForeign or ErrUnfinished if deleting it
// is not what one would expect. It cannot tell an app that is stopped from one
// that runs and has nothing to do: neither leaves a trace.
func (d *Deletion) Check(ctx context.Context) error {
	var err error
	if d.hub, err = d.Keeper.Describe(ctx); err != nil {
		return err
	}
	everything, err := count(ctx, d.Keeper, store.Query{})
	if err != nil {
		return err
	}
	waiting, err := count(ctx, d.Keeper, unfinished)
	if err != nil {
		return err
	}
	d.all, _ = everything.total()
	d.alive, _ = waiting.total()
	var reasons []error
	if owner := d.hub.Owner; owner.App != "" && !owner.Is(d.Me) {
		reasons = append(reasons, fmt.Errorf("%w: %s, and this is %s", ErrForeign, owner, d.Me))
	}
	if d.alive > 0 {
		reasons = append(reasons, fmt.Errorf("%w: %d of %d", ErrUnfinished, d.alive, d.all))
	}
	return errors.Join(reasons...)
}

// Describe writes what would be gone; Check comes first.
func (d *Deletion) Describe(w io.Writer) error {
	var parts []string
	for _, p := range d.hub.Parts {
		if !p.Missing {
			parts = append(parts, p.Kind+" "+p.Name)
		}
	}
	what := some(d.all, "instance")
	if d.alive > 0 {
		what += fmt.Sprintf(", of which %d have not ended", d.alive)
	}
	_, err := fmt.Fprintf(w, "%s, with %s.\nAll of it is deleted for good: %s.\n", d.Where, what, strings.Join(parts, ", "))
	return err
}
