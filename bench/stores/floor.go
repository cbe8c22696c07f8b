package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// floorBytes is the size of a record of the floor.
const floorBytes = 300

// floor is how fast the disk alone makes one kind of small write durable.
type floor struct {
	Name          string  `json:"name"`
	WritesPerS    float64 `json:"writes_per_s"`
	P50MS         float64 `json:"p50_ms"`
	P99MS         float64 `json:"p99_ms"`
	MaxMS         float64 `json:"max_ms"`
	Writers       int     `json:"writers"`
	SharedFsync   bool    `json:"shared_fsync"`
	GrowsTheFile  bool    `json:"grows_the_file"`
	preallocation int64
}

// floors lists the kinds.
func floors() []floor {
	return []floor{
		{Name: "append + fdatasync, 1 writer", Writers: 1, GrowsTheFile: true},
		{Name: "append + fdatasync, 32 writers share", Writers: 32, SharedFsync: true, GrowsTheFile: true},
		{Name: "overwrite + fdatasync, 1 writer", Writers: 1, preallocation: 64 << 20},
	}
}

// measureFloors measures every kind in dir.
func measureFloors(dir string, d time.Duration) ([]floor, error) {
	list := floors()
	for i := range list {
		if err := list[i].measure(dir, d); err != nil {
			return nil, fmt.Errorf("measure floor %q: %w", list[i].Name, err)
		}
	}
	return list, nil
}

// measure fills in the numbers.
func (f *floor) measure(dir string, d time.Duration) error {
	path := filepath.Join(dir, "floor")
	defer os.Remove(path)
	st, err := f.open(path)
	if err != nil {
		return err
	}
	defer st.Close()
	began := time.Now()
	n, times, err := parallel(f.Writers, d, func(i int, timed func(time.Duration)) func() error {
		w := &flow{rows: newRows(uint64(i)), st: st, timed: timed}
		return func() error { return w.commit(put(nil, text[:floorBytes])) }
	})
	if err != nil {
		return err
	}
	f.WritesPerS = float64(n) / time.Since(began).Seconds()
	var s sample
	s.spread(times)
	f.P50MS, f.P99MS, f.MaxMS = s.CommitP50MS, s.CommitP99MS, s.CommitMaxMS
	return nil
}

// open opens the file, behind a group when the writers share an fsync.
func (f *floor) open(path string) (Store, error) {
	open := func(path string) (Store, error) { return openRaw(path, f.preallocation) }
	if f.SharedFsync {
		open = grouped(open)
	}
	return open(path)
}

// rawFile is a Store only as far as Commit goes: it writes values one after
// another and keeps no keys.
type rawFile struct {
	Store
	f    *os.File
	at   int64
	size int64 // where to start over, 0 to append for ever
}

// openRaw creates the file with size bytes of zeros in it.
func openRaw(path string, size int64) (Store, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create file: %w", err)
	}
	if _, err := f.Write(make([]byte, size)); err != nil {
		return nil, fmt.Errorf("fill file: %w", err)
	}
	if err := f.Sync(); err != nil {
		return nil, fmt.Errorf("sync file: %w", err)
	}
	return &rawFile{f: f, size: size}, nil
}

// Commit writes the values and waits until they are on disk.
func (r *rawFile) Commit(ops []Op) error {
	var data []byte
	for _, op := range ops {
		data = append(data, op.Value...)
	}
	if r.size > 0 && r.at+int64(len(data)) > r.size {
		r.at = 0
	}
	n, err := r.f.WriteAt(data, r.at)
	r.at += int64(n)
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return unix.Fdatasync(int(r.f.Fd()))
}

// Close closes the file.
func (r *rawFile) Close() error { return r.f.Close() }
