package filestore

import (
	"hash/maphash"
	"sync"
)

// locks gives every instance a lock, shared with a few others: held for
// writing through a commit and its fsync, for reading while a row is read.
type locks [1024]sync.RWMutex

var lockSeed = maphash.MakeSeed()

func (l *locks) of(id string) *sync.RWMutex {
	return &l[maphash.String(lockSeed, id)%uint64(len(l))]
}

// Watch returns a channel that is closed at the instance's next change.
func (s *Store) Watch(id string) (changed <-chan struct{}, done func()) { return s.watches.Watch(id) }
