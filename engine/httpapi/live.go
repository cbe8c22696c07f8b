package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
)

const (
	// heartbeat is how often those who follow hear that they still do, so that
	// nobody on the way takes the connection for dead.
	heartbeat = 15 * time.Second
	// longestStream is how long one request follows. Then it is made again, and
	// whoever makes it asked again who he is. Azure's front end would cut it off
	// a moment later.
	longestStream = longestWait
	// reconnect is how soon after its end a stream is asked for again.
	reconnect = 2 * time.Second
)

// event is something that those are told who follow.
type event struct {
	ID   string          `json:"id"`
	Name string          `json:"event"`
	Data json.RawMessage `json:"data"`
}

// news is what there is to tell.
type news struct {
	events []event
	upTo   string // the id behind which it goes on
	over   bool   // nothing will follow
	more   <-chan struct{}
}

// source is what can be followed. since returns the news since the event with an
// id, which may be any text.
type source interface {
	since(id string) (news, error)
}

// live lets the caller follow an instance.
func (a *API) live(c *call) {
	f, err := a.following.join(c.id)
	if err != nil {
		a.fail(c, err)
		return
	}
	defer a.following.leave(f.feed)
	a.follow(c, &instanceSource{api: a, c: c, follower: f})
}

// liveList lets the caller follow all instances, or those of a name or with ids
// that begin alike.
func (a *API) liveList(c *call) {
	f, err := a.following.joinList()
	if err != nil {
		a.fail(c, err)
		return
	}
	defer a.following.leaveList()
	a.follow(c, &listSource{f, store.Query{IDPrefix: c.query.Get("instanceidprefix"), Name: c.query.Get("name")}})
}

// follow tells the caller what there is after the event that he heard last: in a
// stream or, if he asks to wait for so many seconds, in one answer.
func (a *API) follow(c *call, s source) {
	since := c.r.Header.Get("Last-Event-ID")
	if since == "" {
		since = c.query.Get("since")
	}
	first, err := s.since(since)
	wait, waits := c.seconds("wait")
	switch {
	case err != nil:
		a.fail(c, err)
	case len(first.events) == 0 && first.over:
		c.w.WriteHeader(http.StatusNoContent) // whoever gets it does not come back
	case waits:
		a.poll(c, s, first, min(time.Duration(wait*float64(time.Second)), longestWait))
	default:
		a.stream(c, s, first)
	}
}

// poll answers with the next events, or with none when the time is over.
func (a *API) poll(c *call, s source, n news, wait time.Duration) {
	c.outlast(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for err := error(nil); len(n.events) == 0 && !n.over; {
		select {
		case <-n.more:
		case <-timer.C:
			n.over = true
			continue
		case <-a.following.over:
			n.over = true
			continue
		case <-c.r.Context().Done():
			return
		}
		if n, err = s.since(n.upTo); err != nil {
			a.fail(c, err)
			return
		}
	}
	if len(n.events) == 0 {
		c.w.WriteHeader(http.StatusNoContent)
		return
	}
	c.answer(http.StatusOK, n.events)
}

// stream answers with server-sent events until there is nothing more to tell, the
// time is over or nobody hears them. What became of the instance, or of the link,
// is told to whoever asks again.
func (a *API) stream(c *call, s source, n news) {
	out := newEventStream(c.w)
	timer, beat := time.NewTimer(c.mayFollow()), time.NewTicker(heartbeat)
	defer timer.Stop()
	defer beat.Stop()
	err := out.send(n.events)
	for err == nil && !n.over {
		select {
		case <-n.more:
			if n, err = s.since(n.upTo); err == nil {
				err = out.send(n.events)
			}
		case <-beat.C:
			err = out.beat(n.upTo)
		case <-timer.C:
			return
		case <-a.following.over:
			return
		case <-c.r.Context().Done():
			return
		}
	}
}

// mayFollow returns how long the caller may follow before he is asked again.
func (c *call) mayFollow() time.Duration {
	if c.link == nil {
		return longestStream
	}
	return min(longestStream, c.link.expires.Sub(c.keeper.now()))
}

// mayStill returns an error if the link by which the caller came is void by now.
func (c *call) mayStill(in store.Instance) error {
	if c.link == nil {
		return nil
	}
	return errors.Join(c.link.opens(c.link.door, c.keeper.now()), c.link.fits(in))
}

// eventStream writes server-sent events.
type eventStream struct {
	w      http.ResponseWriter
	server *http.ResponseController
}

func newEventStream(w http.ResponseWriter) *eventStream {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // or proxies like nginx would keep it to themselves
	w.WriteHeader(http.StatusOK)
	return &eventStream{w, http.NewResponseController(w)}
}

// send writes events, and when to ask again for what comes after them.
func (s *eventStream) send(events []event) error {
	text := fmt.Sprintf("retry: %d\n", reconnect.Milliseconds())
	for _, e := range events {
		text += fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Name, e.Data)
	}
	return s.write(text)
}

// beat writes what keeps the connection alive, and where it goes on.
func (s *eventStream) beat(id string) error { return s.write("id: " + id + "\n\n") }

// write gives the caller until some time after the next heartbeat to take it.
func (s *eventStream) write(text string) error {
	until := time.Now().Add(2 * heartbeat)
	_, _ = s.server.SetReadDeadline(time.Time{}), s.server.SetWriteDeadline(until) // there may be none
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.server.Flush()
}
