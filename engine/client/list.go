package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

const (
	// purgePage is how many instances are listed at a time to be purged.
	purgePage = 500
	// purging is how many instances are purged at the same time.
	purging = 16
)

// List returns a page of the instances that the query asks for; ErrBadPage. Who
// wants all asks again with the page's Next until that is empty, also after an
// empty page.
func (c *Client) List(ctx context.Context, q store.Query) (store.Page, error) {
	return c.instances.List(ctx, q)
}

// Purge removes an ended instance and all that is stored of it; ErrNotFound, or
// ErrActive.
func (c *Client) Purge(ctx context.Context, id string) error {
	if c.guard == nil && c.o.BeforePurge == nil {
		return c.instances.Purge(ctx, id)
	}
	in, err := c.Get(ctx, id)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	return c.purge(ctx, in)
}

// purge purges an instance as it was seen.
func (c *Client) purge(ctx context.Context, in store.Instance) error {
	if c.o.BeforePurge == nil || !in.Status.IsTerminal() && in.Fault == nil {
		return c.instances.Purge(ctx, in.ID)
	}
	if err := c.o.BeforePurge(ctx, in); err != nil {
		return fmt.Errorf("before the purge of instance %s: %w", in.ID, err)
	}
	return c.instances.Purge(ctx, in.ID, in.Execution)
}

// PurgeMany purges the ended instances that the query asks for, whatever other
// statuses it names, from its After on, and returns how many there were. It
// holds one page of them in memory at a time. After an error, which does not say
// that nothing was purged, the same call again goes on.
func (c *Client) PurgeMany(ctx context.Context, q store.Query) (int, error) {
	q.Bare, q.Limit = true, purgePage
	if q.Statuses = endedOf(q.Statuses); len(q.Statuses) == 0 {
		return 0, nil
	}
	purged := 0
	for {
		page, err := c.instances.List(ctx, q)
		if err != nil {
			return purged, fmt.Errorf("purge instances: %w", err)
		}
		n, err := c.purgePage(ctx, page.Instances)
		purged += n
		if err != nil {
			return purged, fmt.Errorf("purge instances: %w", err)
		}
		if q.After = page.Next; q.After == "" {
			return purged, nil
		}
	}
}

// endedOf returns those of the statuses that mean the end; none stands for all.
func endedOf(statuses []history.Status) []history.Status {
	if len(statuses) == 0 {
		return []history.Status{history.Completed, history.Failed, history.Canceled, history.Terminated}
	}
	return slices.DeleteFunc(slices.Clone(statuses), func(s history.Status) bool { return !s.IsTerminal() })
}

// purgePage purges instances side by side and returns how many were there and
// had ended.
func (c *Client) purgePage(ctx context.Context, instances []store.Instance) (int, error) {
	var purged atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(purging)
	for _, in := range instances {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			switch err := c.purge(ctx, in); {
			case err == nil:
				purged.Add(1)
			case !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrActive):
				return err
			}
			return nil
		})
	}
	err := group.Wait()
	return int(purged.Load()), err
}
