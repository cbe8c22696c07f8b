package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// pebbleNote says which options differ from pebble's defaults.
const pebbleNote = "memtable 32 MiB, 4 memtables before writes stop, cache 64 MiB, 10-bit bloom filters, " +
	"L0 compaction at 4 and stop at 24 sublevels, 1 to 2 compactions at once, newest format, pebble.Sync"

// pebbleStore keeps the rows in pebble, which groups the commits itself.
type pebbleStore struct {
	db *pebble.DB
}

// openPebble opens the pebble store in dir.
func openPebble(dir string) (Store, error) {
	db, err := pebble.Open(dir, pebbleOptions())
	if err != nil {
		return nil, fmt.Errorf("open pebble: %w", err)
	}
	return &pebbleStore{db}, nil
}

// pebbleOptions returns what pebbleNote describes.
func pebbleOptions() *pebble.Options {
	opts := &pebble.Options{
		CacheSize:                   64 << 20,
		MemTableSize:                32 << 20,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      quiet{},
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return opts
}

// Get copies the value, which pebble only lends.
func (s *pebbleStore) Get(key []byte) ([]byte, error) {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get from pebble: %w", err)
	}
	defer closer.Close()
	return slices.Clone(value), nil
}

// Scan reads through an iterator bounded on both sides.
func (s *pebbleStore) Scan(lower, upper []byte, limit int) (int, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return 0, fmt.Errorf("open pebble iterator: %w", err)
	}
	n := 0
	for ok := it.First(); ok && n < limit; ok = it.Next() {
		if _, err := it.ValueAndErr(); err != nil {
			return n, errors.Join(fmt.Errorf("scan pebble: %w", err), it.Close())
		}
		n++
	}
	return n, it.Close()
}

// Commit applies ops as one batch, synced to the log.
func (s *pebbleStore) Commit(ops []Op) error {
	batch := s.db.NewBatch()
	defer batch.Close()
	for _, op := range ops {
		if err := pebbleApply(batch, op); err != nil {
			return fmt.Errorf("fill pebble batch: %w", err)
		}
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("commit pebble batch: %w", err)
	}
	return nil
}

// pebbleApply adds one change to the batch.
func pebbleApply(batch *pebble.Batch, op Op) error {
	if op.Delete {
		return batch.Delete(op.Key, nil)
	}
	return batch.Set(op.Key, op.Value, nil)
}

// Settle flushes the memtable and waits until no compaction has run for a
// quarter of a second.
func (s *pebbleStore) Settle() error {
	if err := s.db.Flush(); err != nil {
		return fmt.Errorf("flush pebble: %w", err)
	}
	for calm := 0; calm < 5; calm++ {
		time.Sleep(50 * time.Millisecond)
		if s.db.Metrics().Compact.NumInProgress > 0 {
			calm = -1
		}
	}
	return nil
}

// Close leaves what is in the memtable to the log.
func (s *pebbleStore) Close() error { return s.db.Close() }

// quiet is a pebble logger which keeps all but fatal messages to itself.
type quiet struct{}

// Infof says nothing.
func (quiet) Infof(string, ...any) {}

// Errorf says nothing.
func (quiet) Errorf(string, ...any) {}

// Fatalf panics.
func (quiet) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
