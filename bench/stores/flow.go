package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// rows makes random keys and values, for one goroutine.
type rows struct {
	rng *rand.Rand
}

// newRows returns a maker which differs by seed.
func newRows(seed uint64) *rows {
	return &rows{rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))}
}

// text is a mebibyte to cut values from: half JSON-like words, half random
// digits, so that a store which compresses gains what it would in life.
var text = makeText(1 << 20)

// makeText returns size bytes of such text.
func makeText(size int) []byte {
	words := strings.Fields(`{"type":"timer" "state":"waiting" "input":{"order" "attempt":1, "result":null, "name":"approval"`)
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(words[rng.IntN(len(words))])
		fmt.Fprintf(&b, "%012x", rng.Uint64()>>16)
	}
	return []byte(b.String()[:size])
}

// id returns a random instance id of 32 hex digits.
func (r *rows) id() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], r.rng.Uint64())
	binary.BigEndian.PutUint64(raw[8:], r.rng.Uint64())
	return hex.EncodeToString(raw[:])
}

// value returns a value of about size bytes.
func (r *rows) value(size int) []byte {
	size += r.rng.IntN(size/8) - size/16
	at := r.rng.IntN(len(text) - size)
	return text[at : at+size]
}

// instanceKey is the key of the instance row.
func instanceKey(id string) []byte { return []byte("i/" + id) }

// historyKey is the key of one history row; those of an instance are adjacent.
func historyKey(id string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte("h/"+id+"\x00"), seq)
}

// dueKey is the key of a due row; due rows are in order of time.
func dueKey(at time.Time, id string) []byte {
	key := binary.BigEndian.AppendUint64([]byte("d/"), uint64(at.UnixNano()))
	return append(key, id...)
}

// dueLower and dueUpper bound all due rows.
var dueLower, dueUpper = []byte("d/"), []byte("d0")

// put and del build the changes of a commit.
func put(key, value []byte) Op { return Op{Key: key, Value: value} }
func del(key []byte) Op        { return Op{Key: key, Delete: true} }

// flow is one workflow run: three commits and a look at the result.
type flow struct {
	*rows
	st    Store
	timed func(time.Duration) // told how long each commit took
	name  string
	due   time.Time
}

// run takes a new instance through all of its life.
func (f *flow) run() error {
	f.name = f.id()
	for _, step := range []func() error{f.start, f.wait, f.finish, f.look} {
		if err := step(); err != nil {
			return fmt.Errorf("run flow %s: %w", f.name, err)
		}
	}
	return nil
}

// start commits the new instance, due now.
func (f *flow) start() error {
	f.due = time.Now()
	return f.commit(
		put(instanceKey(f.name), f.value(350)),
		put(historyKey(f.name, 1), f.value(250)),
		put(dueKey(f.due, f.name), nil),
	)
}

// wait commits the first step, which sleeps for five minutes.
func (f *flow) wait() error {
	if err := f.read(); err != nil {
		return err
	}
	old := f.due
	f.due = time.Now().Add(5 * time.Minute)
	return f.commit(
		put(instanceKey(f.name), f.value(400)),
		put(historyKey(f.name, 2), f.value(350)),
		del(dueKey(old, f.name)),
		put(dueKey(f.due, f.name), nil),
	)
}

// finish commits the end of the instance.
func (f *flow) finish() error {
	if err := f.read(); err != nil {
		return err
	}
	return f.commit(
		put(instanceKey(f.name), f.value(450)),
		put(historyKey(f.name, 3), f.value(250)),
		del(dueKey(f.due, f.name)),
	)
}

// look reads the finished instance and its history.
func (f *flow) look() error {
	if err := f.read(); err != nil {
		return err
	}
	n, err := f.st.Scan(historyKey(f.name, 0), []byte("h/"+f.name+"\x01"), 100)
	if err == nil && n != 3 {
		err = fmt.Errorf("read history: %d rows instead of 3", n)
	}
	return err
}

// read reads the instance row, which must be there.
func (f *flow) read() error {
	value, err := f.st.Get(instanceKey(f.name))
	if err == nil && value == nil {
		err = fmt.Errorf("read instance: no row")
	}
	return err
}

// commit commits ops and reports how long that took.
func (f *flow) commit(ops ...Op) error {
	began := time.Now()
	err := f.st.Commit(ops)
	f.timed(time.Since(began))
	return err
}
