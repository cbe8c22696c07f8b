package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/store"
)

// feed is an instance that somebody follows.
type feed struct {
	watcher
	all     *following
	id      string
	readers int // guarded by all.mu

	mu            sync.Mutex
	asked, served int // looks that were asked for, and that began since
	in            store.Instance
	err           error
	more          chan struct{} // closed when there is something else to see
}

func newFeed(all *following, id string) *feed {
	return &feed{all: all, id: id, more: make(chan struct{})}
}

// askFor asks for a look that begins after this, and returns its number.
func (f *feed) askFor() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	f.nudge()
	return f.asked
}

// look reads the instance.
func (f *feed) look(ctx context.Context, _ bool) (changed bool, told <-chan struct{}, done func()) {
	told, done = f.all.client.Watch(f.id)
	f.mu.Lock()
	serves := f.asked
	f.mu.Unlock()
	in, err := f.all.client.Get(ctx, f.id)
	if err != nil && ctx.Err() == nil && !errors.Is(err, client.ErrNotFound) {
		f.all.log.Warn("look at an instance that is followed", "error", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	changed = in.Version != f.in.Version || errors.Is(err, client.ErrNotFound) != errors.Is(f.err, client.ErrNotFound)
	if changed || serves > f.served {
		close(f.more)
		f.more = make(chan struct{})
	}
	f.in, f.err, f.served = in, err, serves
	return changed, told, done
}

// seen returns the instance as it was seen last, the number of the look, and a
// channel that is closed when there is something else to see.
func (f *feed) seen() (in store.Instance, served int, more <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.in, f.served, f.more, f.err
}

// follower is one who follows an instance.
type follower struct {
	*feed
	ticket int // of a look that began when he came
	known  bool
}

// now returns the instance as it is. The first time it waits for a look that
// began after the follower came; later an error that may pass is none.
func (f *follower) now(ctx context.Context) (in store.Instance, more <-chan struct{}, err error) {
	in, served, more, err := f.seen()
	for served < f.ticket {
		select {
		case <-more:
		case <-ctx.Done():
			return in, more, ctx.Err()
		}
		in, served, more, err = f.seen()
	}
	if err != nil && f.known && !errors.Is(err, client.ErrNotFound) {
		return store.Instance{}, more, nil
	}
	f.known = true
	return in, more, err
}

// instanceSource tells whoever made a call where an instance stands: what a
// status query would answer, whenever that is something else.
type instanceSource struct {
	api *API
	c   *call
	*follower
}

func (s *instanceSource) since(id string) (n news, err error) {
	in, more, err := s.now(s.c.r.Context())
	if err == nil && in.ID == "" {
		return news{upTo: id, more: more}, nil // it could not be read for once
	}
	if err == nil {
		err = s.c.mayStill(in)
	}
	if err != nil {
		return n, err
	}
	body, err := s.api.shown(s.c, in)
	if err != nil {
		return n, err
	}
	data := encoded(body)
	sum := sha256.Sum256(data)
	n = news{upTo: base64.RawURLEncoding.EncodeToString(sum[:16]), over: in.Status.IsTerminal(), more: more}
	if n.upTo != id {
		n.events = []event{{n.upTo, "status", data}}
	}
	return n, nil
}

// encoded returns the JSON text of an answer, on one line.
func encoded(body any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // it has a JSON form
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
