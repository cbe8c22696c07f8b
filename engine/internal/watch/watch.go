// Package watch tells those who want to know when an instance changes, for stores
// to be a store.Watcher with.
package watch

import "sync"

// List knows who wants to be told. The zero List is empty. Its methods may be
// called concurrently.
type List struct {
	mu   sync.Mutex
	byID map[string]map[chan struct{}]bool
	each map[*func(id string)]bool // who wants to be told of all
}

// Watch returns a channel that is closed when Tell is next called for the id, and
// a function to be called when that is no longer of interest.
func (l *List) Watch(id string) (changed <-chan struct{}, done func()) {
	c := make(chan struct{})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[string]map[chan struct{}]bool{}
	}
	if l.byID[id] == nil {
		l.byID[id] = map[chan struct{}]bool{}
	}
	l.byID[id][c] = true
	return c, func() { l.forget(id, c) }
}

// Each calls f with the id whenever Tell is called, until done is. f must return at
// once and may not use the List.
func (l *List) Each(f func(id string)) (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.each == nil {
		l.each = map[*func(string)]bool{}
	}
	l.each[&f] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.each, &f)
	}
}

func (l *List) forget(id string, c chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byID[id], c)
	if len(l.byID[id]) == 0 {
		delete(l.byID, id)
	}
}

// Tell closes the channels of those who watch the id, and calls those who want to
// be told of all.
func (l *List) Tell(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.each {
		(*f)(id)
	}
	for c := range l.byID[id] {
		close(c)
	}
	delete(l.byID, id)
}

// TellAll closes the channels of all who watch anything.
func (l *List) TellAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, channels := range l.byID {
		for c := range channels {
			close(c)
		}
		delete(l.byID, id)
	}
}
