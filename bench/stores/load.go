package main

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// loadBatch is how many waiting instances one commit of the load holds.
const loadBatch = 20_000

// load fills the store with waiting instances, none of them due soon.
func (t task) load(st Store, s *sample) error {
	began := time.Now()
	r := newRows(t.Seed)
	for left := t.Instances; left > 0; left -= loadBatch {
		if err := st.Commit(r.waiting(min(left, loadBatch))); err != nil {
			return fmt.Errorf("load batch: %w", err)
		}
	}
	if err := st.Settle(); err != nil {
		return err
	}
	s.LoadSeconds = time.Since(began).Seconds()
	return nil
}

// waiting returns the rows of n waiting instances, sorted by key.
func (r *rows) waiting(n int) []Op {
	ops := make([]Op, 0, 4*n)
	for range n {
		id := r.id()
		due := time.Now().Add(10*time.Minute + time.Duration(r.rng.Int64N(int64(24*time.Hour))))
		ops = append(ops,
			put(instanceKey(id), r.value(400)),
			put(historyKey(id, 1), r.value(250)),
			put(historyKey(id, 2), r.value(350)),
			put(dueKey(due, id), nil),
		)
	}
	slices.SortFunc(ops, func(a, b Op) int { return bytes.Compare(a.Key, b.Key) })
	return ops
}

// churnBatch is how many due rows one commit of the churn puts or deletes.
const churnBatch = 1000

// churn puts and deletes Instances due rows ahead of all others, as timers
// which fired would leave behind, and times reading the first of the rest: from
// the start, from a mark that skips the past, and once the store has settled.
func (t task) churn(st Store, s *sample) (err error) {
	if s.DueFreshMS, err = scanDue(st, dueLower); err != nil {
		return err
	}
	if err := t.fire(st); err != nil {
		return err
	}
	if s.DueUsedMS, err = scanDue(st, dueLower); err != nil {
		return err
	}
	if s.DueMarkMS, err = scanDue(st, dueKey(time.Now(), "")); err != nil {
		return err
	}
	if err := st.Settle(); err != nil {
		return err
	}
	s.DueSettledMS, err = scanDue(st, dueLower)
	return err
}

// fire puts and later deletes the due rows, batch by batch.
func (t task) fire(st Store) error {
	r := newRows(t.Seed)
	for left := t.Instances; left > 0; left -= churnBatch {
		puts := r.dueNow(min(left, churnBatch))
		if err := st.Commit(puts); err != nil {
			return fmt.Errorf("put due rows: %w", err)
		}
		for i := range puts {
			puts[i].Delete = true
		}
		if err := st.Commit(puts); err != nil {
			return fmt.Errorf("delete due rows: %w", err)
		}
	}
	return nil
}

// dueNow returns n due rows of the present.
func (r *rows) dueNow(n int) []Op {
	var ops []Op
	for range n {
		ops = append(ops, put(dueKey(time.Now(), r.id()), nil))
	}
	return ops
}
