package crashrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/seed21523604/holdfast/engine"
)

// world is what the workers have effects on: phones that get messages, and a
// book in which every run of an activity is written down before its result is
// known to anybody. It outlives every worker.
type world struct {
	server *httptest.Server

	mu     sync.Mutex
	texts  map[string][]string // by phone number
	rings  map[string]chan struct{}
	runs   map[string][]string // names of runs by the key of the call
	byName map[string]bool
}

// effect is what a worker tells the world.
type effect struct {
	To, Body string // a text message
	Call     string // the key of a call that is run
	Run      string // the name of the run
}

func newWorld() *world {
	w := &world{texts: map[string][]string{}, rings: map[string]chan struct{}{}, runs: map[string][]string{}, byName: map[string]bool{}}
	w.server = httptest.NewServer(w)
	return w
}

// ServeHTTP takes an effect down.
func (w *world) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	var e effect
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Call != "" {
		w.runs[e.Call] = append(w.runs[e.Call], e.Run)
		w.byName[e.Run] = true
		return
	}
	w.texts[e.To] = append(w.texts[e.To], e.Body)
	close(w.ring(e.To))
	delete(w.rings, e.To)
}

func (w *world) ring(number string) chan struct{} {
	if w.rings[number] == nil {
		w.rings[number] = make(chan struct{})
	}
	return w.rings[number]
}

// text returns the last message to a number, and a channel that is closed by the
// next one.
func (w *world) text(number string) (last string, next <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if texts := w.texts[number]; len(texts) > 0 {
		last = texts[len(texts)-1]
	}
	return last, w.ring(number)
}

// worldClient is the world as a worker sees it.
type worldClient struct{ url string }

// Send sends a text message.
func (w *worldClient) Send(ctx context.Context, to, body string) error {
	return w.tell(ctx, effect{To: to, Body: body})
}

// run is the work of an activity: it takes a moment, in which the worker may be
// killed.
func (w *worldClient) run(ctx context.Context, value int) (report, error) {
	name := uuid.NewString()
	if err := w.tell(ctx, effect{Call: engine.CallOf(ctx).Key(), Run: name}); err != nil {
		return report{}, err
	}
	select {
	case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond):
		return report{value, name}, nil
	case <-ctx.Done():
		return report{}, ctx.Err()
	}
}

func (w *worldClient) tell(ctx context.Context, e effect) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New("the world answers " + fmt.Sprint(answer.StatusCode))
	}
	return nil
}
