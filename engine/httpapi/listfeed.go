package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/store"
)

const (
	// maxRemembered and maxRememberedBytes are how much of what happened is
	// remembered for those who were away for a moment or are slow.
	maxRemembered      = 1000
	maxRememberedBytes = 8 << 20
	// remembers is how long it is remembered after the last one left.
	remembers = time.Minute
	// maxTold is how many instances may change between two looks. If there are
	// more, those who follow are to read the list.
	maxTold = 10_000
	// lateness is by how much the row of an instance may come to light later
	// than it says that it was updated.
	lateness = 2 * time.Minute
	// maxPages is how many pages one look at the list reads at most.
	maxPages = 20
)

// listFeed is what happens to all instances. Of what this process does it is told,
// and reads the instance; for what others do it asks the list, from time to time,
// which instances were updated lately.
type listFeed struct {
	watcher
	all      *following
	readers  int // guarded by all.mu
	forget   *time.Timer
	hearsAll bool   // there are no others
	untell   func() // ends the telling

	changes chan struct{} // holds one: there is something in dirty
	dirty   struct {
		sync.Mutex
		ids  map[string]bool
		lost bool // there were too many
	}
	from  time.Time         // where the next look at the list begins
	shown map[string]string // the turns that are known since then, and somewhat before; nil before the first look

	mu    sync.Mutex
	epoch string // of the numbers
	log   []happened
	first int64 // the number of the first entry of the log
	bytes int
	more  chan struct{} // closed when there is more
}

// happened is an instance as it was after a change; without a name it is gone.
type happened struct {
	in   store.Instance
	size int
}

func newListFeed(all *following) *listFeed {
	f := &listFeed{
		all: all, hearsAll: all.client.HearsAll(), changes: make(chan struct{}, 1), from: all.client.Now(),
		epoch: client.NewID()[:12], first: 1, more: make(chan struct{}),
	}
	f.dirty.ids = map[string]bool{}
	f.untell = all.client.Each(f.note)
	return f
}

// note takes note of a change that the store tells of.
func (f *listFeed) note(id string) {
	f.dirty.Lock()
	defer f.dirty.Unlock()
	if f.dirty.ids[id] = true; len(f.dirty.ids) > maxTold {
		f.dirty.lost = true
		clear(f.dirty.ids)
	}
	select {
	case f.changes <- struct{}{}:
	default:
	}
}

// resume looks again.
func (f *listFeed) resume() {
	if f.forget != nil {
		f.forget.Stop()
	}
	f.start(f.hearsAll, listPause, f.look)
}

// rest stops looking, as nobody follows. drop is called when it is time to forget.
func (f *listFeed) rest(drop func()) {
	f.stop()
	f.forget = time.AfterFunc(remembers, drop)
}

func (f *listFeed) look(ctx context.Context, due bool) (changed bool, told <-chan struct{}, done func()) {
	changed = f.lookAtTold(ctx)
	if due && !f.hearsAll {
		changed = f.lookAtList(ctx) || changed
	}
	return changed, f.changes, func() {}
}

// lookAtTold reads the instances of which it was told.
func (f *listFeed) lookAtTold(ctx context.Context) (changed bool) {
	f.dirty.Lock()
	ids, lost := f.dirty.ids, f.dirty.lost
	f.dirty.ids, f.dirty.lost = map[string]bool{}, false
	f.dirty.Unlock()
	if lost {
		f.lose()
	}
	for id := range ids {
		in, err := f.all.client.Get(ctx, id)
		switch {
		case errors.Is(err, client.ErrNotFound):
			f.add(store.Instance{ID: id})
		case err == nil:
			f.show(in)
		case ctx.Err() != nil:
			f.note(id) // for whoever comes back
		default:
			f.all.log.Warn("look at an instance that changed", "error", err)
			f.lose()
		}
	}
	return len(ids) > 0
}

// lookAtList asks for what was updated since the last look, and somewhat before,
// as a row may come to light late.
func (f *listFeed) lookAtList(ctx context.Context) (changed bool) {
	began, before := f.all.client.Now(), f.shown
	f.shown = map[string]string{}
	q := store.Query{UpdatedFrom: f.from.Add(-lateness), Limit: maxPage}
	for n := 0; ; n++ {
		page, err := f.all.client.List(ctx, q)
		if err != nil || n == maxPages {
			f.shown = before
			f.lost(ctx, err)
			return false
		}
		for _, in := range page.Instances {
			switch f.shown[in.ID] = in.Turn; {
			case before == nil: // nobody followed then
			case before[in.ID] != in.Turn:
				f.add(in)
				changed = true
			}
		}
		if q.After = page.Next; q.After == "" {
			f.from = began
			return changed
		}
	}
}

// lost gives up a look at the list: it went wrong, and is made again, or so much
// happened that those who follow are better off with the list itself.
func (f *listFeed) lost(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil:
		f.all.log.Warn("look at the list that is followed", "error", err)
	default:
		f.from = f.all.client.Now()
		f.lose()
	}
}

// show remembers that an instance changed, and which of its turns was shown.
func (f *listFeed) show(in store.Instance) {
	if f.shown != nil {
		f.shown[in.ID] = in.Turn
	}
	f.add(in)
}

// add remembers that an instance changed.
func (f *listFeed) add(in store.Instance) {
	in.Input = nil // as large as it likes, and it does not change
	f.mu.Lock()
	defer f.mu.Unlock()
	h := happened{in, len(in.ID) + len(in.Output) + len(in.CustomStatus)}
	f.log, f.bytes = append(f.log, h), f.bytes+h.size
	for len(f.log) > maxRemembered || len(f.log) > 1 && f.bytes > maxRememberedBytes {
		f.bytes -= f.log[0].size
		f.log, f.first = f.log[1:], f.first+1
	}
	close(f.more)
	f.more = make(chan struct{})
}

// lose forgets what happened, so that all who follow are to read the list.
func (f *listFeed) lose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first += int64(len(f.log)) + 1
	f.log, f.bytes = nil, 0
	close(f.more)
	f.more = make(chan struct{})
}

// number returns the number behind which somebody goes on who was told an event
// with the id; false if what came after it is not known any more.
func (f *listFeed) number(id string) (int64, bool) {
	epoch, digits, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && epoch == f.epoch && n+1 >= f.first && n < f.first+int64(len(f.log))
}

func (f *listFeed) name(n int64) string { return fmt.Sprintf("%s-%d", f.epoch, n) }

// listSource tells whoever made a call what happens to the instances that he asks
// for.
type listSource struct {
	*listFeed
	wants store.Query
}

func (s *listSource) since(id string) (news, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.first + int64(len(s.log))
	n := news{upTo: s.name(end - 1), more: s.more}
	number, known := s.number(id)
	if !known {
		n.events = []event{{n.upTo, "list", json.RawMessage("{}")}}
		return n, nil
	}
	for number++; number < end; number++ {
		in := s.log[number-s.first].in
		switch {
		case in.Name == "" && strings.HasPrefix(in.ID, s.wants.IDPrefix):
			n.events = append(n.events, event{s.name(number), "removed", encoded(map[string]string{"instanceId": in.ID})})
		case in.Name != "" && s.wants.Matches(&in):
			n.events = append(n.events, event{s.name(number), "instance", encoded(newStatus(in, false))})
		}
	}
	return n, nil
}
