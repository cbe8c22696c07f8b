package filestore

import (
	"hash/maphash"
	"sync"
)

// slots gives every instance a slot, shared with a few others.
type slots [1024]slot

// slot is a lock, held for writing through a commit and its fsync and for reading
// while a row is read, with the row of the last turn under it: what moves is not read
// and decoded again each time.
type slot struct {
	sync.RWMutex
	last row // its ID is empty if something else was written since
}

var slotSeed = maphash.MakeSeed()

func (s *slots) of(id string) *slot {
	return &s[maphash.String(slotSeed, id)%uint64(len(s))]
}

// maxKept is the size of the payloads that a slot keeps at most.
const maxKept = 4 << 10

// keep takes note of what was written.
func (s *slot) keep(written *row) {
	if len(written.Input)+len(written.Output)+len(written.CustomStatus) <= maxKept {
		s.last = *written
		s.last.Version, s.last.Messages = written.version(), 0
	}
}

// Watch returns a channel that is closed at the instance's next change.
func (s *Store) Watch(id string) (changed <-chan struct{}, done func()) { return s.watches.Watch(id) }

// Each calls f with the id of every instance that Watch would tell of.
func (s *Store) Each(f func(id string)) (done func()) { return s.watches.Each(f) }
