package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// boltNote says which options differ from bbolt's defaults.
const boltNote = "one bucket, hash-map freelist, NoFreelistSync; batch: MaxBatchDelay 1 ms, MaxBatchSize 1000"

// boltBucket is the one bucket, ordered as the other candidates' key space.
var boltBucket = []byte("rows")

// boltStore keeps the rows in one bbolt bucket.
type boltStore struct {
	db     *bbolt.DB
	commit func(*bbolt.DB, func(*bbolt.Tx) error) error
}

// boltUpdate commits in a transaction of its own.
func boltUpdate(db *bbolt.DB, fn func(*bbolt.Tx) error) error { return db.Update(fn) }

// boltBatch commits together with others which ask within the batch delay.
func boltBatch(db *bbolt.DB, fn func(*bbolt.Tx) error) error { return db.Batch(fn) }

// openBolt returns an opener of the bbolt store which commits in that way.
func openBolt(commit func(*bbolt.DB, func(*bbolt.Tx) error) error) func(string) (Store, error) {
	return func(dir string) (Store, error) {
		db, err := bbolt.Open(filepath.Join(dir, "store.bolt"), 0o600, boltOptions())
		if err != nil {
			return nil, fmt.Errorf("open bbolt: %w", err)
		}
		db.MaxBatchDelay = time.Millisecond
		if err := db.Update(boltCreate); err != nil {
			return nil, fmt.Errorf("create bbolt bucket: %w", err)
		}
		return &boltStore{db, commit}, nil
	}
}

// boltOptions returns what boltNote describes.
func boltOptions() *bbolt.Options {
	return &bbolt.Options{
		Timeout:        10 * time.Second,
		FreelistType:   bbolt.FreelistMapType,
		NoFreelistSync: true,
	}
}

// boltCreate creates the bucket in a new file.
func boltCreate(tx *bbolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(boltBucket)
	return err
}

// Get reads in a transaction of its own.
func (s *boltStore) Get(key []byte) (value []byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		value = slices.Clone(tx.Bucket(boltBucket).Get(key))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("get from bbolt: %w", err)
	}
	return value, nil
}

// Scan reads in a transaction of its own.
func (s *boltStore) Scan(lower, upper []byte, limit int) (n int, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		cur := tx.Bucket(boltBucket).Cursor()
		for k, _ := cur.Seek(lower); k != nil && n < limit; k, _ = cur.Next() {
			if bytes.Compare(k, upper) >= 0 {
				break
			}
			n++
		}
		return nil
	})
	if err != nil {
		return n, fmt.Errorf("scan bbolt: %w", err)
	}
	return n, nil
}

// Commit applies ops in the way the store was opened for.
func (s *boltStore) Commit(ops []Op) error {
	err := s.commit(s.db, func(tx *bbolt.Tx) error { return boltApply(tx, ops) })
	if err != nil {
		return fmt.Errorf("commit bbolt transaction: %w", err)
	}
	return nil
}

// boltApply makes the changes in the transaction.
func boltApply(tx *bbolt.Tx, ops []Op) error {
	bucket := tx.Bucket(boltBucket)
	if bucket == nil {
		return bolterrors.ErrBucketNotFound
	}
	for _, op := range ops {
		if err := boltChange(bucket, op); err != nil {
			return err
		}
	}
	return nil
}

// boltChange makes one change in the bucket.
func boltChange(bucket *bbolt.Bucket, op Op) error {
	if op.Delete {
		return bucket.Delete(op.Key)
	}
	return bucket.Put(op.Key, op.Value)
}

// Settle does nothing: bbolt puts off no work.
func (s *boltStore) Settle() error { return nil }

// Close closes the file.
func (s *boltStore) Close() error { return s.db.Close() }
