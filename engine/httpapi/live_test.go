package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/store"
)

// pipes is a listener in memory, whose connections obey a bubble's clock.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// served is a hub behind a server with the deadlines of an app, in a bubble.
type served struct {
	*hub
	http *http.Client
	dial func() net.Conn
}

// bubble runs a test with a hub in a bubble, once in a folder and once in an
// account.
func bubble(t *testing.T, test func(*served), change ...func(*httpapi.Options)) {
	for name, open := range map[string]func(*hub){"folder": inFolder, "account": inCloud} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(serve(t, guardedIn(t, open, change...))) })
		})
	}
}

func serve(t *testing.T, h *hub) *served {
	t.Helper()
	listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h.checked(), ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second}
	go func() { _ = server.Serve(listener) }()
	s := &served{hub: h, dial: func() net.Conn {
		ours, theirs := net.Pipe()
		listener.conns <- theirs
		return ours
	}}
	s.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return s.dial(), nil }}}
	t.Cleanup(func() { h.Stop(); server.Close(); h.bury(); synctest.Wait() })
	return s
}

// heard is an event as whoever follows hears it.
type heard struct {
	ID, Event string
	Data      struct{ InstanceID, RuntimeStatus, Output string }
}

func (e heard) String() string {
	return strings.TrimSpace(e.Event + " " + e.Data.InstanceID + " " + e.Data.RuntimeStatus)
}

// following is a stream that somebody reads, as it comes.
type following struct {
	*testing.T
	answer *http.Response
	events chan heard // closed at the end
	beats  int        // then
}

// follow asks for a stream.
func (s *served) follow(path string, headers ...string) *following {
	s.t.Helper()
	f := &following{T: s.t.(*testing.T), answer: s.get(path, headers...), events: make(chan heard, 100)}
	go f.read()
	return f
}

func (s *served) get(path string, headers ...string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), "GET", strings.Replace(base, "https", "http", 1)+path, nil)
	s.must(err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	answer, err := s.http.Do(r)
	s.must(err)
	return answer
}

// read reads the stream to its end.
func (f *following) read() {
	defer close(f.events)
	var e heard
	for lines := bufio.NewScanner(f.answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			e.ID = value
		case "event":
			e.Event = value
		case "data":
			f.hold(e, value)
			if err := json.Unmarshal([]byte(value), &e.Data); err != nil {
				f.Errorf("%s: %v", value, err)
			}
		case "":
			if e.Event != "" {
				f.events <- e
			} else {
				f.beats++
			}
			e = heard{}
		}
	}
}

// next returns the next event; the zero one at the end of the stream.
func (f *following) next() heard { return <-f.events }

// hold holds the data of an event to the OpenAPI document.
func (f *following) hold(e heard, data string) {
	f.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(fmt.Sprintf(`{"id":%q,"event":%q,"data":%s}`, e.ID, e.Event, data)))
	if err == nil {
		err = theContract().schema("/components/schemas/LiveEvent").Validate(value)
	}
	if err != nil {
		f.Errorf("%s: %v", data, err)
	}
}

// want reads events and compares them.
func (f *following) want(events ...string) (last heard) {
	f.Helper()
	for _, want := range events {
		if last = f.next(); last.String() != want {
			f.Fatalf("heard %q, want %q", last, want)
		}
	}
	return last
}

// ended reads to the end, where there is nothing more to hear.
func (f *following) ended() {
	f.Helper()
	if e := f.next(); e.Event != "" {
		f.Errorf("heard %q, and it should be over", e)
	}
}

// leave goes away.
func (f *following) leave() { f.answer.Body.Close(); synctest.Wait() }

func TestWhoFollowsAnInstanceHearsWhereItStandsToItsEnd(t *testing.T) {
	bubble(t, func(s *served) {
		l := s.begin("Approve", "a")
		f := s.follow("/instances/a/live?code=" + codeOf(l.Status))
		if kind := f.answer.Header.Get("Content-Type"); f.answer.StatusCode != 200 || kind != "text/event-stream; charset=utf-8" {
			t.Fatal(f.answer.StatusCode, kind)
		}
		f.want("status a Running")
		s.must(s.client.Suspend(s.t.Context(), "a", "lunch"))
		f.want("status a Suspended")
		s.must(s.client.Resume(s.t.Context(), "a", ""))
		f.want("status a Running")
		s.must(s.client.Raise(s.t.Context(), "a", string(approval), client.Payload{Body: []byte(`"yes"`)}))
		last := f.want("status a Completed")
		if last.Data.Output != "yes" {
			t.Errorf("%+v", last)
		}
		f.ended()
		again := s.follow("/instances/a/live", asOperator, "Last-Event-ID: "+last.ID) // as a browser does
		if again.answer.StatusCode != 204 {
			t.Errorf("%d, and would be asked for ever", again.answer.StatusCode)
		}
		s.follow("/instances/a/live", asOperator).want("status a Completed") // and for who has not heard it
	})
}

func TestWhoComesBackHearsWhatHeMissedAndNothingTwice(t *testing.T) {
	bubble(t, func(s *served) {
		s.begin("Approve", "a")
		f := s.follow("/instances/a/live", asOperator)
		first := f.want("status a Running")
		f.leave()
		f = s.follow("/instances/a/live?since="+first.ID, asOperator)
		s.must(s.client.Suspend(s.t.Context(), "a", ""))
		f.want("status a Suspended")
		f.leave()
		s.must(s.client.Resume(s.t.Context(), "a", ""))
		s.must(s.client.Terminate(s.t.Context(), "a", "enough"))
		s.follow("/instances/a/live", asOperator, "Last-Event-ID: "+first.ID).want("status a Terminated")
	})
}

func TestAPollIsAnsweredWhenThereIsSomethingOrTheTimeIsOver(t *testing.T) {
	bubble(t, func(s *served) {
		s.begin("Approve", "a")
		poll := func(path string) (status int, events []heard, took time.Duration) {
			began := time.Now()
			answer := s.get(path, asOperator)
			body, err := io.ReadAll(answer.Body)
			s.must(err)
			if len(body) > 0 {
				s.must(json.Unmarshal(body, &events))
			}
			return answer.StatusCode, events, time.Since(began)
		}
		status, events, took := poll("/instances/a/live?wait=100")
		if status != 200 || len(events) != 1 || events[0].String() != "status a Running" || took != 0 {
			t.Fatal(status, events, took)
		}
		since := events[0].ID
		if status, events, took = poll("/instances/a/live?wait=100&since=" + since); status != 204 || took != 100*time.Second {
			t.Error(status, events, took)
		}
		go func() {
			time.Sleep(40 * time.Second)
			_ = s.client.Terminate(s.t.Context(), "a", "")
		}()
		if status, events, took = poll("/instances/a/live?wait=100&since=" + since); status != 200 || len(events) != 1 || events[0].String() != "status a Terminated" || took != 40*time.Second {
			t.Error(status, events, took)
		}
		if status, _, _ = poll("/instances/a/live?wait=100&since=" + events[0].ID); status != 204 {
			t.Error(status)
		}
		if status, events, took = poll("/live?wait=100"); status != 200 || len(events) != 1 || events[0].String() != "list" || took != 0 {
			t.Fatal(status, events, took)
		}
		if status, _, took = poll("/live?wait=10&since=" + events[0].ID); status != 204 || took != 10*time.Second {
			t.Error(status, took)
		}
		time.Sleep(2 * time.Minute) // until nothing is remembered
	})
}

func TestAStreamOutlastsTheServersDeadlinesAndNotItsOwn(t *testing.T) {
	bubble(t, func(s *served) {
		s.begin("Approve", "a")
		for _, path := range []string{"/instances/a/live", "/live"} {
			began := time.Now()
			f := s.follow(path, asOperator)
			f.next()
			f.ended()
			if took := time.Since(began); took != 225*time.Second || f.beats < 14 {
				t.Errorf("%s: it took %v, with %d heartbeats", path, took, f.beats)
			}
		}
	})
}

// Who does not read what he is sent is hung up on, and nothing is left of him.
func TestWhoDoesNotListenIsNotTalkedTo(t *testing.T) {
	bubble(t, func(s *served) {
		l := s.begin("Approve", "a")
		conn := s.dial()
		_, err := io.WriteString(conn, "GET "+basePath+"/instances/a/live?code="+codeOf(l.Status)+" HTTP/1.1\r\nHost: x\r\n\r\n")
		s.must(err)
		time.Sleep(31 * time.Second) // what he is sent stays with the server that long
		synctest.Wait()
		if n := s.Followers(); n != 0 {
			t.Errorf("%d follow", n)
		}
		conn.Close()
	})
}

func TestAsManyMayFollowAsMayAndAQuarterOfThemOneInstance(t *testing.T) {
	bubble(t, func(s *served) {
		s.begin("Approve", "a")
		s.begin("Approve", "b")
		var all []*following
		for n, path := range []string{"a", "a", "a", "b", "b", "list", "list", "list", "list", "list"} {
			path = "/instances/" + path + "/live"
			f := s.follow(strings.Replace(path, "/instances/list/", "/", 1), asOperator)
			want := 200
			if n == 2 || n > 8 {
				want = 503
			}
			if f.answer.StatusCode != want {
				t.Errorf("%d: %s: %d, want %d", n, path, f.answer.StatusCode, want)
			}
			all = append(all, f)
		}
		if f := s.follow("/instances/b/live?wait=1", asOperator); f.answer.StatusCode != 503 || f.answer.Header.Get("Retry-After") == "" {
			t.Error(f.answer.StatusCode)
		}
		for _, f := range all {
			f.leave()
		}
		if n := s.Followers(); n != 0 {
			t.Errorf("%d follow", n)
		}
		s.follow("/instances/a/live", asOperator).want("status a Running")
	}, func(o *httpapi.Options) { o.MaxFollowers = 8 })
}

func TestALinkFollowsItsInstanceAsLongAsItIsGood(t *testing.T) {
	bubble(t, func(s *served) {
		mine, theirs := s.begin("Approve", "mine"), s.begin("Approve", "theirs")
		for query, want := range map[string]int{
			"mine/live?code=" + codeOf(theirs.Status): 404, "nobody/live?code=" + codeOf(mine.Status): 404, "mine/live?code=" + codeOf(mine.Terminate): 403,
			"mine/live?showHistory=true&code=" + codeOf(mine.Status): 403, "mine/live": 401, "mine/live?code=x": 404,
		} {
			if f := s.follow("/instances/" + query); f.answer.StatusCode != want {
				t.Errorf("%s: %d, want %d", query, f.answer.StatusCode, want)
			}
		}
		if f := s.follow("/instances/nobody/live", asOperator); f.answer.StatusCode != 404 {
			t.Error(f.answer.StatusCode)
		}
		if f := s.follow("/live?code=" + codeOf(mine.Status)); f.answer.StatusCode != 403 {
			t.Error(f.answer.StatusCode)
		}
		in, err := s.client.Get(s.t.Context(), "mine")
		s.must(err)
		short := s.Links(httpapi.Run{Instance: "mine", Execution: in.Execution}, httpapi.Grant{Lifetime: time.Minute})
		began, f := time.Now(), s.follow("/instances/mine/live?code="+codeOf(short.Status))
		f.want("status mine Running")
		f.ended()
		if took := time.Since(began); took > time.Minute || took < 59*time.Second { // it says so to the second
			t.Errorf("a link that is good for a minute was good for %v", took)
		}
		f = s.follow("/instances/mine/live?code=" + codeOf(mine.Status))
		f.want("status mine Running")
		s.must(s.client.RevokeLinks(s.t.Context(), "mine"))
		f.ended()
		if f := s.follow("/instances/mine/live?code=" + codeOf(mine.Status)); f.answer.StatusCode != 410 {
			t.Error(f.answer.StatusCode)
		}
		f = s.follow("/instances/mine/live", asOperator)
		f.want("status mine Running")
		s.must(s.client.Terminate(s.t.Context(), "mine", ""))
		f.want("status mine Terminated")
	})
}

func TestWhoFollowsHearsSealsOfWhatIsSecret(t *testing.T) {
	bubble(t, func(s *served) {
		s.begin("Verify", "a")
		f := s.follow("/instances/a/live?showHistory=true&showHistoryOutput=true", asOperator)
		f.want("status a Running")
		s.must(s.client.Raise(s.t.Context(), "a", string(code), client.Payload{Body: []byte("042117")}))
		if e := f.want("status a Completed"); strings.Contains(fmt.Sprint(e), "042117") || !strings.Contains(e.Data.Output, "sealed") {
			t.Errorf("%+v", e)
		}
	})
}

func TestWhoFollowsTheListHearsWhatHappens(t *testing.T) {
	bubble(t, func(s *served) {
		s.begin("Approve", "before")
		f := s.follow("/live", asOperator)
		f.want("list")
		s.must(errOf(s.client.Start(s.t.Context(), string(approve), "a", nil)))
		f.want("instance a Running")
		s.must(s.client.Terminate(s.t.Context(), "a", ""))
		last := f.want("instance a Terminated")
		f.leave()
		s.must(s.client.Suspend(s.t.Context(), "before", ""))
		s.must(s.client.Purge(s.t.Context(), "a"))
		f = s.follow("/live", asOperator, "Last-Event-ID: "+last.ID)
		got := []string{f.next().String(), f.next().String()}
		if slices.Sort(got); !slices.Equal(got, []string{"instance before Suspended", "removed a"}) {
			t.Errorf("heard %q", got)
		}
		f.leave()
		s.follow("/live", asOperator, "Last-Event-ID: "+last.ID[:5]).want("list") // of another process, or long ago
		s.follow("/live?since=x", asOperator).want("list")
		some := s.follow("/live?instanceIdPrefix=b&name=Approve", asOperator)
		some.want("list")
		s.must(errOf(s.client.Start(s.t.Context(), string(echo), "b1", nil)))
		s.must(errOf(s.client.Start(s.t.Context(), string(approve), "c1", nil)))
		s.must(errOf(s.client.Start(s.t.Context(), string(approve), "b2", nil)))
		some.want("instance b2 Running")
		time.Sleep(2 * time.Minute) // nobody followed for longer than is remembered
	})
}

func errOf(_ string, err error) error { return err }

// What another process does to an instance is seen when it is looked at next.
func TestWhatOthersDoIsHeardWithinHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, guardedIn(t, inCloud))
		s.begin("Approve", "a")
		other := newHubIn(t, func(other *hub) {
			other.cloud, other.clock = s.cloud, s.clock
			other.store = openCloud(other, other.cloud)
		}, client.Options{})
		one, list := s.follow("/instances/a/live", asOperator), s.follow("/live", asOperator)
		one.want("status a Running")
		list.want("list")
		time.Sleep(100 * time.Second) // by now they look rarely
		began := time.Now()
		s.clock.advance(100 * time.Second)
		s.must(other.client.Terminate(t.Context(), "a", ""))
		one.want("status a Terminated")
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("it took %v", took)
		}
		list.want("instance a Terminated")
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("in the list it took %v", took)
		}
		other.bury()
	})
}

// counted counts how often the store is read.
type counted struct {
	store.Store
	mu          sync.Mutex
	gets, lists int
}

func (c *counted) Get(ctx context.Context, id string) (store.Instance, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gets++
	return c.Store.Get(ctx, id)
}

func (c *counted) List(ctx context.Context, q store.Query) (store.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists++
	return c.Store.List(ctx, q)
}

func (c *counted) IsShared() bool { return store.IsShared(c.Store) }
func (c *counted) Watch(id string) (<-chan struct{}, func()) {
	return c.Store.(store.Watcher).Watch(id)
}
func (c *counted) Each(f func(string)) func() { return c.Store.(store.Teller).Each(f) }

// reads returns how often the store was read since this was asked last.
func (c *counted) reads() (gets, lists int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gets, lists = c.gets, c.lists
	c.gets, c.lists = 0, 0
	return gets, lists
}

func TestManyWhoFollowCostAsMuchAsOneAndNobodyCostsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		open        func(*hub)
		gets, lists int // in 200 seconds in which nothing happens
	}{"folder": {inFolder, 0, 0}, "account": {inCloud, 20, 15}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var reads *counted
				s := serve(t, guardedIn(t, func(h *hub) {
					test.open(h)
					reads = &counted{Store: h.store}
					h.store = reads
				}))
				s.begin("Approve", "a")
				reads.reads()
				var all []*following
				for range 20 {
					all = append(all, s.follow("/instances/a/live", asOperator), s.follow("/live", asOperator))
				}
				for _, f := range all {
					f.next()
				}
				gets, _ := reads.reads()
				if gets > 40 {
					t.Errorf("it was read %d times for 20 who came", gets)
				}
				time.Sleep(200 * time.Second)
				if gets, lists := reads.reads(); gets > test.gets || lists > test.lists {
					t.Errorf("in quiet it was read %d times, and the list %d times", gets, lists)
				}
				s.must(s.client.Suspend(t.Context(), "a", ""))
				for _, f := range all {
					f.next()
				}
				if gets, lists := reads.reads(); gets > 8 || lists > 1 {
					t.Errorf("for a change it was read %d times, and the list %d times", gets, lists)
				}
				for _, f := range all {
					f.leave()
				}
				reads.reads()
				time.Sleep(time.Hour)
				if gets, lists := reads.reads(); gets+lists > 0 {
					t.Errorf("for nobody it was read %d times, and the list %d times", gets, lists)
				}
			})
		})
	}
}

func TestAllAreSentAwayWhenTheServerStops(t *testing.T) {
	bubble(t, func(s *served) {
		s.begin("Approve", "a")
		one, list := s.follow("/instances/a/live", asOperator), s.follow("/live", asOperator)
		one.want("status a Running")
		list.want("list")
		s.Stop()
		one.ended()
		list.ended()
		if f := s.follow("/instances/a/live", asOperator); f.answer.StatusCode != 503 {
			t.Error(f.answer.StatusCode)
		}
		if f := s.follow("/live", asOperator); f.answer.StatusCode != 503 {
			t.Error(f.answer.StatusCode)
		}
	})
}

// A start that waits is not cut off by the server's deadline for requests.
func TestAWaitOutlastsTheServersDeadlines(t *testing.T) {
	bubble(t, func(s *served) {
		r, err := http.NewRequestWithContext(s.t.Context(), "POST", strings.Replace(base, "https", "http", 1)+"/orchestrators/Approve/a?timeout=200&pollingInterval=1", nil)
		s.must(err)
		r.Header.Set("X-Functions-Key", operatorKey)
		began := time.Now()
		answer, err := s.http.Do(r)
		if took := time.Since(began); err != nil || answer.StatusCode != 202 || took != 200*time.Second {
			t.Fatal(answer, err, took)
		}
		answer.Body.Close()
	})
}
