package filestore

import (
	"container/heap"
	"strconv"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
)

// bells knows in memory which instances ring next: one bell for an instance's
// earliest cause, and one for every worker that has work of it in hand. It is
// rebuilt from due rows and inboxes when a folder is opened, so it may forget
// nothing that is not on disk.
type bells struct {
	mu     sync.Mutex
	byKey  map[string]*bell
	order  bellHeap
	inbox  map[string]int // messages waiting, where there are any
	loaded time.Time      // due rows up to this time are here
	serial uint64
	rung   chan struct{} // holds a token when something may have become due
	over   chan struct{} // closed when nothing rings any more
}

type bell struct {
	key, id string
	at      time.Time
	serial  uint64 // changes when a new cause is put
	hand    string // the receipt, if it is that of a hand
	index   int    // in the heap

	rung   int // how often since somebody was heard of who had received or held it
	deaths int // before that, of processes
}

func newBells() *bells {
	return &bells{byKey: map[string]*bell{}, inbox: map[string]int{}, rung: make(chan struct{}, 1), over: make(chan struct{})}
}

// waiting returns how many messages wait in the instance's inbox.
func (b *bells) waiting(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.inbox[id]
}

// put gives the instance a bell at a time, in place of the one it had.
func (b *bells) put(id string, at time.Time) {
	b.serial++
	b.add(&bell{key: id, id: id, at: at, serial: b.serial})
}

// hold adds the bell for a hand, which rings at the given time.
func (b *bells) hold(id, receipt string, at time.Time) *bell {
	e := &bell{key: handBellKey(id, receipt), id: id, at: at, hand: receipt}
	b.add(e)
	return e
}

func handBellKey(id, receipt string) string { return id + "\x00" + receipt }

// blame takes note of so many processes that died one after another while there
// were the bells that ring now. After none, work in hand was only given up.
func (b *bells) blame(now time.Time, deaths int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.order {
		switch {
		case e.at.After(now):
		case e.hand != "":
			e.deaths = deaths - 1 // it is one more when it rings
		default:
			e.deaths = deaths
		}
	}
}

func (b *bells) add(e *bell) {
	b.remove(e.key)
	b.byKey[e.key] = e
	heap.Push(&b.order, e)
	if e.index == 0 {
		b.signal()
	}
}

// remove takes a bell away, if it is there.
func (b *bells) remove(key string) {
	if e, ok := b.byKey[key]; ok {
		heap.Remove(&b.order, e.index)
		delete(b.byKey, key)
	}
}

// find returns the bell that a doorbell was given for; nil if it is gone or a
// new cause came since.
func (b *bells) find(d store.Doorbell) *bell {
	key := d.Instance
	if d.TakeOver {
		key = handBellKey(d.Instance, d.Receipt)
	}
	if e, ok := b.byKey[key]; ok && e.receipt() == d.Receipt {
		return e
	}
	return nil
}

// giveBack takes note that whoever has the work that a bell is for gives it up, if
// it is for work.
func (e *bell) giveBack() {
	if e.hand != "" {
		e.deaths = -1 // the next ring is none
	}
}

// forget takes all bells of an instance away that is gone.
func (b *bells) forget(in *store.Instance) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.inbox, in.ID)
	b.remove(in.ID)
	for _, hand := range in.Hands {
		b.remove(handBellKey(in.ID, hand.Receipt))
	}
}

// postpone moves a bell without a new cause, for somebody who is alive.
func (b *bells) postpone(e *bell, at time.Time) {
	e.at, e.rung, e.deaths = at, 0, 0
	heap.Fix(&b.order, e.index)
	if e.index == 0 {
		b.signal()
	}
}

// take returns up to most bells that are due, each hidden until the given time,
// and when the next one after them is due.
func (b *bells) take(now, hidden time.Time, most int) (due []store.Doorbell, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.order) > 0 {
		e := b.order[0]
		if e.at.After(now) {
			return due, e.at
		}
		if len(due) == most {
			b.signal() // for another receiver
			return due, e.at
		}
		e.rung++
		due = append(due, e.doorbell())
		e.at = hidden
		heap.Fix(&b.order, 0)
	}
	return due, time.Time{}
}

func (b *bells) signal() {
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

func (e *bell) doorbell() store.Doorbell {
	d := store.Doorbell{Instance: e.id, Receipt: e.receipt(), TakeOver: e.hand != "", Deaths: e.deaths + e.rung}
	if !d.TakeOver {
		d.Deaths-- // nobody had it before the first time
	}
	return d
}

func (e *bell) receipt() string {
	if e.hand != "" {
		return e.hand
	}
	return strconv.FormatUint(e.serial, 36)
}

// bellHeap is a heap.Interface with the earliest bell first.
type bellHeap []*bell

func (h bellHeap) Len() int           { return len(h) }
func (h bellHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h bellHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is called by container/heap.
func (h *bellHeap) Push(x any) {
	e := x.(*bell)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop is called by container/heap.
func (h *bellHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
