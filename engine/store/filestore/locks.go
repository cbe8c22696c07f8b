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

// watches knows who wants to be told when an instance changes.
type watches struct {
	mu   sync.Mutex
	byID map[string]map[chan struct{}]bool
}

// Watch returns a channel that is closed at the instance's next change.
func (s *Store) Watch(id string) (changed <-chan struct{}, done func()) {
	c := make(chan struct{})
	w := &s.watches
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byID == nil {
		w.byID = map[string]map[chan struct{}]bool{}
	}
	if w.byID[id] == nil {
		w.byID[id] = map[chan struct{}]bool{}
	}
	w.byID[id][c] = true
	return c, func() { w.forget(id, c) }
}

func (w *watches) forget(id string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byID[id], c)
	if len(w.byID[id]) == 0 {
		delete(w.byID, id)
	}
}

// tellAll closes the channels of all who watch anything.
func (w *watches) tellAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, channels := range w.byID {
		for c := range channels {
			close(c)
		}
		delete(w.byID, id)
	}
}

// tell closes the channels of those who watch the instance.
func (w *watches) tell(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.byID[id] {
		close(c)
	}
	delete(w.byID, id)
}
