package main

import (
	"strings"
	"testing"
	"time"
)

// TestCandidates checks on every candidate that commits can be read back, in
// order, after the store was opened again.
func TestCandidates(t *testing.T) {
	for _, c := range candidates {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			st := open(t, c, dir)
			commit(t, st, put([]byte("d/b"), nil), put([]byte("d/a"), nil), put([]byte("i/1"), []byte("old")))
			commit(t, st, put([]byte("i/1"), []byte("new")), del([]byte("d/a")))
			closeStore(t, st)

			st = open(t, c, dir)
			defer closeStore(t, st)
			checkValue(t, st, "i/1", "new")
			checkValue(t, st, "i/2", "")
			checkScan(t, st, 10, 1)
			checkScan(t, st, 0, 0)
		})
	}
}

// TestFlow runs flows from several goroutines on every candidate.
func TestFlow(t *testing.T) {
	for _, c := range candidates {
		t.Run(c.name, func(t *testing.T) {
			st := open(t, c, t.TempDir())
			defer closeStore(t, st)
			work := task{Workers: 4, Duration: 20 * time.Millisecond}
			flows, latencies, err := work.flows(st, work.Duration, 1)
			if err != nil {
				t.Fatal(err)
			}
			if flows < 4 || len(latencies) != 3*flows {
				t.Errorf("%d flows timed %d commits, want 3 each and 4 flows or more", flows, len(latencies))
			}
			checkScan(t, st, 10, 0)
		})
	}
}

// TestMedian checks that measures are ranked one by one.
func TestMedian(t *testing.T) {
	got := median([]sample{
		{FlowsPerSecond: 3, CommitMaxMS: 9},
		{FlowsPerSecond: 1, CommitMaxMS: 5},
		{FlowsPerSecond: 2, CommitMaxMS: 7},
	})
	if got.FlowsPerSecond != 2 || got.CommitMaxMS != 9 {
		t.Errorf("median is %+v, want 2 flows/s and the greatest maximum 9", got)
	}
}

// TestUnknownTask checks that a worker refuses what it does not know.
func TestUnknownTask(t *testing.T) {
	var out strings.Builder
	for _, in := range []string{`{"Kind":"run","Candidate":"paper"}`, `{"Kind":"nap","Candidate":"pebble"}`, `[`} {
		if err := serveTask(strings.NewReader(in), &out); err == nil {
			t.Errorf("task %s was done", in)
		}
	}
}

func open(t *testing.T, c candidate, dir string) Store {
	t.Helper()
	st, err := c.open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func closeStore(t *testing.T, st Store) {
	t.Helper()
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

func commit(t *testing.T, st Store, ops ...Op) {
	t.Helper()
	if err := st.Commit(ops); err != nil {
		t.Fatal(err)
	}
}

func checkValue(t *testing.T, st Store, key, want string) {
	t.Helper()
	got, err := st.Get([]byte(key))
	if err != nil || string(got) != want {
		t.Errorf("get %s: %q, %v, want %q", key, got, err, want)
	}
}

func checkScan(t *testing.T, st Store, limit, want int) {
	t.Helper()
	n, err := st.Scan(dueLower, dueUpper, limit)
	if err != nil || n != want {
		t.Errorf("scan due rows: %d, %v, want %d", n, err, want)
	}
}
