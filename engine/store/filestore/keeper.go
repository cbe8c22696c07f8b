package filestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed21523604/holdfast/engine/store"
)

var _ store.Keeper = (*Store)(nil)

// layout is the version of the keys and of what stands under them.
const layout = 1

// Describe says what the hub consists of. A folder belongs to whoever has it
// open, and doorbells are in memory, so there is no owner and no queue.
func (s *Store) Describe(ctx context.Context) (store.Hub, error) {
	hub := store.Hub{Layout: layout, Parts: []store.Part{{Kind: "folder", Name: s.folder}}, Doorbells: -1}
	err := s.with(ctx, func() error {
		return s.scan([]byte(duePrefix), after([]byte(duePrefix)), func(_, _ []byte) (bool, error) {
			hub.Timers++
			return true, nil
		})
	})
	if err != nil {
		return store.Hub{}, fmt.Errorf("describe %s: %w", s.folder, err)
	}
	return hub, nil
}

// idsAtOnce is how many ids are read before f is called for them: f may use the
// store, and so must not be called inside of a read.
const idsAtOnce = 1000

// IDs calls f with the id of every instance.
func (s *Store) IDs(ctx context.Context, f func(id string) error) error {
	for from := []byte(instancePrefix); from != nil; {
		var ids []string
		err := s.with(ctx, func() error {
			return s.scan(from, after([]byte(instancePrefix)), func(key, _ []byte) (bool, error) {
				ids = append(ids, string(key[len(instancePrefix):]))
				return len(ids) < idsAtOnce, nil
			})
		})
		if err != nil {
			return fmt.Errorf("look for the instances in %s: %w", s.folder, err)
		}
		from = nil
		for _, id := range ids {
			if err := f(id); err != nil {
				return err
			}
			from = append(instanceKey(id), 0)
		}
	}
	return nil
}

// Remove closes the store and removes the folder.
func (s *Store) Remove(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := errors.Join(s.fs.RemoveAll(s.folder), syncParent(s.fs, s.folder)); err != nil {
		return fmt.Errorf("remove %s: %w", s.folder, err)
	}
	return nil
}
