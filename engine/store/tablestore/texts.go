package tablestore

import (
	"container/list"
	"sync"
)

// maxCached is how many bytes of texts are kept in memory.
const maxCached = 32 << 20

// texts remembers what was written to blobs or read from them lately. A blob never
// changes, so nothing in it is out of date.
type texts struct {
	mu     sync.Mutex
	byName map[string]*list.Element
	recent list.List // of *namedText, the most recent first
	size   int
}

type namedText struct{ name, text string }

func (t *texts) get(name string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.byName[name]
	if !ok {
		return "", false
	}
	t.recent.MoveToFront(e)
	return e.Value.(*namedText).text, true
}

func (t *texts) put(name, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byName == nil {
		t.byName = map[string]*list.Element{}
	}
	if _, ok := t.byName[name]; ok || len(text) > maxCached {
		return
	}
	t.byName[name] = t.recent.PushFront(&namedText{name, text})
	for t.size += len(text); t.size > maxCached; {
		oldest := t.recent.Remove(t.recent.Back()).(*namedText)
		delete(t.byName, oldest.name)
		t.size -= len(oldest.text)
	}
}
