package tablestore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store"
)

var _ store.Keeper = (*Store)(nil)

var (
	// ErrOwned is returned by Open for a hub that belongs to another app. Two
	// apps on one hub would take each other's work, which only one of them
	// knows how to do.
	ErrOwned = errors.New("the hub belongs to another app")
	// ErrNewer is returned by Open for a hub that a newer version of this
	// package made.
	ErrNewer = errors.New("the hub is laid out in a way that this version does not know")
)

// layout is the version of how tables and queue are laid out, as it is written
// into a hub when that gets an owner.
const layout = 1

// The row that says whom the hub belongs to. It stands among the due rows, whose
// partitions begin with a digit, so that no sweep and no tool sees it.
const (
	ownerPartition = "hub"
	ownerKey       = "owner"
)

// claim takes the hub for its owner, unless it has one, who must be the same.
// One request is made if the hub has its owner already.
func (s *Store) claim(ctx context.Context) error {
	if s.o.Owner == (store.Owner{}) {
		return nil
	}
	for {
		hub, err := s.owner(ctx)
		switch {
		case err != nil:
			return err
		case hub.Layout > layout:
			return fmt.Errorf("%w: %d, and not %d", ErrNewer, hub.Layout, layout)
		case hub.Layout > 0 && hub.Owner.Is(s.o.Owner):
			return nil
		case hub.Layout > 0:
			return fmt.Errorf("%w: %s since %s, and this is %s", ErrOwned, hub.Owner, hub.Since.Format(time.DateOnly), s.o.Owner)
		}
		if err := s.writeOwner(ctx); !hasCode(err, codeEntityExists) {
			return err
		}
	}
}

// owner reads who has the hub; the layout is zero if nobody has.
func (s *Store) owner(ctx context.Context) (hub store.Hub, err error) {
	hub.Name = s.o.Hub
	answer, err := s.due.GetEntity(ctx, ownerPartition, ownerKey, nil)
	if hasCode(err, codeRowMissing, codeTableMissing) {
		return hub, nil
	}
	if err != nil {
		return hub, fmt.Errorf("read whom the hub belongs to: %w", err)
	}
	e, err := decodeEntity(answer.Value)
	if err != nil {
		return hub, err
	}
	hub.Owner = store.Owner{App: e.text("App"), Deployment: e.text("Deployment")}
	hub.Since, hub.Layout = e.time("Since"), int(e.int32("Layout"))
	return hub, nil
}

func (s *Store) writeOwner(ctx context.Context) error {
	e := newEntity(ownerPartition, ownerKey)
	e.setText("App", s.o.Owner.App)
	e.setText("Deployment", s.o.Owner.Deployment)
	e.setTime("Since", s.o.Now())
	e.setInt32("Layout", layout)
	text, err := e.encode()
	if err != nil {
		return err
	}
	if _, err := s.due.AddEntity(ctx, text, nil); err != nil {
		return fmt.Errorf("write whom the hub belongs to: %w", err)
	}
	return nil
}

// Describe says what the hub consists of.
func (s *Store) Describe(ctx context.Context) (store.Hub, error) {
	hub, err := s.describe(ctx)
	if err != nil {
		return hub, fmt.Errorf("describe hub %s: %w", s.o.Hub, brief(err))
	}
	return hub, nil
}

func (s *Store) describe(ctx context.Context) (store.Hub, error) {
	hub, err := s.owner(ctx)
	if err != nil {
		return hub, err
	}
	if hub.Parts, hub.Doorbells, err = s.parts(ctx); err != nil {
		return hub, err
	}
	err = query(ctx, s.due, where("PartitionKey", "lt", ownerPartition), "PartitionKey", func(entity) error {
		hub.Timers++
		return nil
	})
	if err != nil && !hasCode(err, codeTableMissing) {
		return hub, fmt.Errorf("count the due rows: %w", err)
	}
	return hub, nil
}

// part is a table as the SDK and as people know it.
type part struct {
	*aztables.Client
	name string
}

// tables returns the hub's tables, the one that says whom it belongs to at last.
func (s *Store) tables() []part {
	return []part{{s.history, s.o.Hub + "History"}, {s.instances, s.o.Hub + "Instances"}, {s.due, s.o.Hub + "Due"}}
}

// parts looks for everything that the hub is made of, and returns about how many
// messages are in its queue, or -1 if it has none. Azure does not mind the case
// of a table's name.
func (s *Store) parts(ctx context.Context) (parts []store.Part, messages int, err error) {
	found := map[string]bool{}
	for pager := s.account.NewListTablesPager(nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, 0, fmt.Errorf("look for the tables: %w", err)
		}
		for _, table := range page.Tables {
			found[strings.ToLower(*table.Name)] = true
		}
	}
	for _, table := range s.tables() {
		parts = append(parts, store.Part{Kind: "table", Name: table.name, Missing: !found[strings.ToLower(table.name)]})
	}
	queue, err := s.queue.GetProperties(ctx, nil)
	switch {
	case hasCode(err, codeQueueMissing):
		messages = -1
	case err != nil:
		return nil, 0, fmt.Errorf("look for the queue: %w", err)
	default:
		messages = int(*queue.ApproximateMessagesCount)
	}
	parts = append(parts, store.Part{Kind: "queue", Name: queueName(s.o.Hub), Missing: messages < 0})
	_, err = s.blobs.GetProperties(ctx, nil)
	missing := isMissing(err)
	if err != nil && !missing {
		return nil, 0, fmt.Errorf("look for the container: %w", err)
	}
	return append(parts, store.Part{Kind: "container", Name: containerName(s.o.Hub), Missing: missing}), messages, nil
}

// isMissing reports whether there is no container. The answer to a request for
// headers has no body and so no code.
func isMissing(err error) bool {
	var response *azcore.ResponseError
	return errors.As(err, &response) && response.StatusCode == http.StatusNotFound
}

// mustExist returns store.ErrNoHub if nothing of the hub is there.
func (s *Store) mustExist(ctx context.Context) error {
	parts, _, err := s.parts(ctx)
	if err == nil && !slices.ContainsFunc(parts, func(p store.Part) bool { return !p.Missing }) {
		err = store.ErrNoHub
	}
	return err
}

// IDs calls f with the id of every instance.
func (s *Store) IDs(ctx context.Context, f func(id string) error) error {
	err := query(ctx, s.history, where("RowKey", "eq", sentinelKey), "PartitionKey", func(e entity) error {
		id, err := decodeKey(e.partition())
		if err != nil {
			return err
		}
		return f(id)
	})
	if err != nil {
		return fmt.Errorf("look for the instances of hub %s: %w", s.o.Hub, brief(err))
	}
	return nil
}

// Remove deletes the tables, the queue and the container, and closes the store.
// Azure needs a while before they can be made again, for which Open waits.
func (s *Store) Remove(ctx context.Context) error {
	if err := s.removeParts(ctx); err != nil {
		return fmt.Errorf("remove hub %s: %w", s.o.Hub, brief(err))
	}
	return s.Close()
}

func (s *Store) removeParts(ctx context.Context) error {
	for _, table := range s.tables() {
		if _, err := table.Delete(ctx, nil); err != nil && !hasCode(err, codeTableMissing, codeTableBeingDeleted, codeRowMissing) {
			return fmt.Errorf("delete the table %s: %w", table.name, err)
		}
	}
	if _, err := s.queue.Delete(ctx, nil); err != nil && !hasCode(err, codeQueueMissing, codeQueueBeingDeleted) {
		return fmt.Errorf("delete the queue %s: %w", queueName(s.o.Hub), err)
	}
	if _, err := s.blobs.Delete(ctx, nil); err != nil && !hasCode(err, codeContainerMissing, codeContainerBeingDeleted) {
		return fmt.Errorf("delete the container %s: %w", containerName(s.o.Hub), err)
	}
	return nil
}

const (
	// deletionPause is the time between two tries to make what Azure is still
	// deleting, which takes it most of a minute, and maxDeletion the time after
	// which something else must be wrong.
	deletionPause = 5 * time.Second
	maxDeletion   = 3 * time.Minute
)

// create makes the tables, the queue and the container that are not there.
func (s *Store) create(ctx context.Context) error {
	for _, table := range s.tables() {
		err := s.makePart(ctx, "table "+table.name, func() error { _, err := table.CreateTable(ctx, nil); return err })
		if err != nil {
			return err
		}
	}
	err := s.makePart(ctx, "queue "+queueName(s.o.Hub), func() error { _, err := s.queue.Create(ctx, nil); return err })
	if err != nil {
		return err
	}
	return s.makePart(ctx, "container "+containerName(s.o.Hub), func() error { _, err := s.blobs.Create(ctx, nil); return err })
}

// makePart calls f to make a part, and again while one of that name is being
// deleted.
func (s *Store) makePart(ctx context.Context, what string, f func() error) error {
	for end := s.o.Now().Add(maxDeletion); ; {
		err := f()
		switch {
		case err == nil || hasCode(err, codeTableExists, codeQueueExists, codeContainerExists):
			return nil
		case !hasCode(err, codeTableBeingDeleted, codeQueueBeingDeleted, codeContainerBeingDeleted) || s.o.Now().After(end):
			return fmt.Errorf("make the %s: %w", what, err)
		}
		s.o.Logger.Info("waiting for Azure to delete the one before", "what", what)
		if !s.sleep(ctx, deletionPause) && ctx.Err() != nil {
			return fmt.Errorf("make the %s: %w", what, ctx.Err())
		}
	}
}
