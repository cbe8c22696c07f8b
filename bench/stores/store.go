package main

import "fmt"

// Op is one change of a commit: Value is put under Key or, with Delete, Key is
// removed.
type Op struct {
	Key, Value []byte
	Delete     bool
}

// Store is what a candidate offers: one ordered key space with atomic, durable
// commits. Every method may be called from many goroutines at once.
type Store interface {
	// Get returns a copy of the value under key, or nil when there is none.
	Get(key []byte) ([]byte, error)
	// Scan reads the rows in [lower, upper) in key order, at most limit of
	// them, and returns how many it read.
	Scan(lower, upper []byte, limit int) (int, error)
	// Commit applies all of ops or none, and returns once they are on disk.
	Commit(ops []Op) error
	// Settle finishes the work which the store has put off.
	Settle() error
	// Close closes the store, which nobody uses any more.
	Close() error
}

// candidate is one way of committing through one engine. Candidates of the
// same engine read each other's files.
type candidate struct {
	name   string
	engine string
	open   func(dir string) (Store, error)
}

// candidates lists what is measured, in the order of the table.
var candidates = []candidate{
	{"pebble", "pebble", openPebble},
	{"bbolt update", "bbolt", openBolt(boltUpdate)},
	{"bbolt batch", "bbolt", openBolt(boltBatch)},
	{"bbolt group", "bbolt", grouped(openBolt(boltUpdate))},
	{"sqlite", "sqlite", openSQLite},
	{"sqlite group", "sqlite", grouped(openSQLite)},
}

// engines lists the engines, each with its first candidate, which loads for
// all of them.
func engines() []candidate {
	var firsts []candidate
	seen := map[string]bool{}
	for _, c := range candidates {
		if !seen[c.engine] {
			seen[c.engine] = true
			firsts = append(firsts, c)
		}
	}
	return firsts
}

// find returns the candidate of that name.
func find(name string) (candidate, error) {
	for _, c := range candidates {
		if c.name == name {
			return c, nil
		}
	}
	return candidate{}, fmt.Errorf("find candidate %q: no such name", name)
}
