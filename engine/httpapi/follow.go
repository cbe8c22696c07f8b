package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
)

// The pauses between two looks at what other processes may change, while somebody
// follows it. They grow from the first to the last, as every look costs a request,
// and are short again after a change.
const (
	shortPause = time.Second
	longPause  = 15 * time.Second // between looks at an instance
	listPause  = 30 * time.Second // between looks at the list
)

// errTooManyFollow is returned when as many follow as may; errStopping when the
// process is about to end.
var (
	errTooManyFollow = errors.New("too many follow what happens")
	errStopping      = errors.New("the process is stopping")
)

// following is what all have in common who follow what happens. There is one
// watcher for all who follow the same, and none for what nobody follows.
type following struct {
	client *client.Client
	log    *slog.Logger
	most   int           // how many may follow
	over   chan struct{} // closed when all are to go
	end    sync.Once

	mu      sync.Mutex
	readers int
	byID    map[string]*feed
	list    *listFeed // nil until somebody follows the list
}

func newFollowing(c *client.Client, log *slog.Logger, most int) *following {
	return &following{client: c, log: log, most: most, over: make(chan struct{}), byID: map[string]*feed{}}
}

// enter counts somebody in.
func (f *following) enter() error {
	select {
	case <-f.over:
		return errStopping
	default:
	}
	if f.readers >= f.most {
		return errTooManyFollow
	}
	f.readers++
	return nil
}

// join returns the feed of an instance, with a look at it that begins now. Of all
// who may follow, a quarter may follow one instance: whoever has a link to it
// cannot keep the others out.
func (f *following) join(id string) (*follower, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.byID[id]
	if one != nil && one.readers >= max(f.most/4, 1) {
		return nil, errTooManyFollow
	}
	if err := f.enter(); err != nil {
		return nil, err
	}
	if one == nil {
		one = newFeed(f, id)
		f.byID[id] = one
		one.start(f.client.HearsAll(), longPause, one.look)
	}
	one.readers++
	return &follower{feed: one, ticket: one.askFor()}, nil
}

// leave counts somebody out. Nobody looks any longer at what nobody follows.
func (f *following) leave(one *feed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers--
	if one.readers--; one.readers == 0 {
		one.stop()
		delete(f.byID, one.id)
	}
}

// joinList returns the feed of the list.
func (f *following) joinList() (*listFeed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter(); err != nil {
		return nil, err
	}
	if f.list == nil {
		f.list = newListFeed(f)
	}
	if f.list.readers++; f.list.readers == 1 {
		f.list.resume()
	}
	return f.list, nil
}

func (f *following) leaveList() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers--
	if f.list.readers--; f.list.readers == 0 {
		f.list.rest(f.dropList)
	}
}

// dropList forgets what happened, unless somebody follows it again.
func (f *following) dropList() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.list != nil && f.list.readers == 0 {
		f.list.untell()
		f.list = nil
	}
}

// stop sends all away who follow, for good.
func (f *following) stop() { f.end.Do(func() { close(f.over) }) }

// watcher looks at something again and again: when somebody tells of a change,
// when it is asked to, and where not all changes are told of, after a pause.
type watcher struct {
	nudged chan struct{} // holds one
	stop   context.CancelFunc
	ended  chan struct{} // closed when nobody looks any more; nil if nobody ever did
}

// look looks once. due says that it is time to look at what nobody tells of. told
// has or is closed at the next change of which somebody tells, and done is called
// when that is of no interest any more.
type look func(ctx context.Context, due bool) (changed bool, told <-chan struct{}, done func())

// start looks until it is stopped, with pauses up to the longest if not all
// changes are told of. What was begun before ends first.
func (w *watcher) start(hearsAll bool, longest time.Duration, look look) {
	ctx, cancel := context.WithCancel(context.Background())
	before, ended := w.ended, make(chan struct{})
	nudged := make(chan struct{}, 1)
	w.nudged, w.stop, w.ended = nudged, cancel, ended
	go func() {
		defer close(ended)
		if before != nil {
			<-before
		}
		pause, due := shortPause, true
		for ctx.Err() == nil {
			changed, told, done := look(ctx, due)
			if changed {
				pause = shortPause
			}
			due = wait(ctx, nudged, told, pause, hearsAll)
			done()
			if due {
				pause = min(pause*3/2, longest)
			}
		}
	}()
}

// wait waits for a reason to look again, and reports whether the pause was over.
func wait(ctx context.Context, nudged, told <-chan struct{}, pause time.Duration, hearsAll bool) (due bool) {
	var over <-chan time.Time
	if !hearsAll {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-nudged:
	case <-told:
	case <-ctx.Done():
	case <-over:
		return true
	}
	return false
}

func (w *watcher) nudge() {
	select {
	case w.nudged <- struct{}{}:
	default: // it will look anyway
	}
}
