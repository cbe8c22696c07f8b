package crashrun

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"syscall"
	"time"

	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store"
)

// driver plays the people: it starts instances and answers them through any
// worker, again and again until it is told that what it said was accepted.
type driver struct {
	t       *testing.T
	world   *world
	workers []*process
	client  *client.Client // reads the store without any worker

	mu      sync.Mutex
	random  *rand.Rand
	ends    map[string]store.Instance
	raised  map[string][]string // payloads that were accepted, by instance
	samples map[string][]history.Event
	kills   int
}

func (d *driver) number(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.IntN(n)
}

// persist calls f until it reports that it is done, a little later each time.
func (d *driver) persist(ctx context.Context, what string, f func() bool) bool {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		if f() {
			return true
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			d.t.Errorf("%s: %v", what, ctx.Err())
			return false
		}
	}
}

// post sends a request to any of the workers; 0 means that there was no answer.
func (d *driver) post(ctx context.Context, path string, body []byte) (status int, answer []byte) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	worker := d.workers[d.number(len(d.workers))]
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, apiURL+path, bytes.NewReader(body))
	if err != nil {
		d.t.Error(err)
		return 0, nil
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := worker.http.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err != nil {
		return 0, nil
	}
	return response.StatusCode, answer
}

// start starts an instance. That it exists is no error after an attempt whose
// answer was lost.
func (d *driver) start(ctx context.Context, p plan) bool {
	input, err := json.Marshal(p.input)
	if err != nil {
		d.t.Error(err)
		return false
	}
	unsure := false
	return d.persist(ctx, "start "+p.id, func() bool {
		switch status, body := d.post(ctx, "/orchestrators/"+p.name+"/"+p.id, input); {
		case status == http.StatusAccepted, status == http.StatusConflict && unsure:
			return true
		case status == 0 || status >= http.StatusInternalServerError:
			unsure = true
		default:
			d.t.Errorf("start %s: %d %s", p.id, status, body)
			return true
		}
		return false
	})
}

// raise sends an event until it is accepted, or the instance has ended.
func (d *driver) raise(ctx context.Context, id, event string, payload any) bool {
	body, err := json.Marshal(payload)
	if err != nil {
		d.t.Error(err)
		return false
	}
	return d.persist(ctx, "raise "+event+" to "+id, func() bool {
		switch status, answer := d.post(ctx, "/instances/"+url.PathEscape(id)+"/raiseEvent/"+event, body); {
		case status == http.StatusAccepted:
			d.mu.Lock()
			d.raised[id] = append(d.raised[id], string(body))
			d.mu.Unlock()
			return true
		case status == http.StatusGone:
			return true
		case status == 0 || status >= http.StatusInternalServerError:
			return false
		default:
			d.t.Errorf("raise %s to %s, which was accepted: %d %s", event, id, status, answer)
			return true
		}
	})
}

// play runs one instance to its end.
func (d *driver) play(ctx context.Context, p plan) {
	if !d.start(ctx, p) {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		in, err := d.client.Wait(ctx, p.id)
		if err != nil {
			d.t.Errorf("wait for %s: %v", p.id, err)
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.ends[p.id] = in
	}()
	switch p.name {
	case string(verification):
		d.answerTexts(ctx, p, ended)
	case string(approval):
		d.decide(ctx, p, ended)
	case string(loop):
		for _, n := range d.shuffled(loopLength) {
			d.raise(ctx, p.id, string(next), n)
		}
	}
	<-ended
}

func (d *driver) shuffled(n int) []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.Perm(n)
}

var codeIn = regexp.MustCompile(`\b\d{6}\b`)

// answerTexts types the code of every text message, and now and then a wrong
// one.
func (d *driver) answerTexts(ctx context.Context, p plan, ended <-chan struct{}) {
	number := p.input.(human.Request).Number
	for {
		last, next := d.world.text(number)
		if last != "" {
			if d.number(3) == 0 {
				d.raise(ctx, p.id, string(human.SmsChallengeResponse), "000000")
			}
			d.raise(ctx, p.id, string(human.SmsChallengeResponse), codeIn.FindString(last))
		}
		select {
		case <-next:
		case <-ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// decide answers an approval after a while, unless nobody does.
func (d *driver) decide(ctx context.Context, p plan, ended <-chan struct{}) {
	if p.unheard {
		return
	}
	select {
	case <-time.After(time.Duration(d.number(7000)) * time.Millisecond):
		d.raise(ctx, p.id, string(decision), p.decision)
	case <-ended:
	case <-ctx.Done():
	}
}

// ended returns how many instances have.
func (d *driver) ended() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.ends)
}

// kill ends a worker again and again until the context ends, always another
// one, and starts it anew. An instance comes to its end between two kills, or a slow
// machine would do nothing but begin again.
func (d *driver) kill(ctx context.Context, every time.Duration) {
	for before := -1; ; {
		select {
		case <-time.After(every/2 + time.Duration(d.number(int(every)))):
		case <-ctx.Done():
			return
		}
		now := d.ended()
		if now == before {
			continue
		}
		before = now
		p := d.workers[d.number(len(d.workers))]
		_ = p.end(syscall.SIGKILL)
		d.kills++
		if err := p.start(); err != nil {
			d.t.Error(err)
			return
		}
	}
}

// sample reads histories while they grow, and complains of one that did
// anything else.
func (d *driver) sample(ctx context.Context, all []plan) {
	for ctx.Err() == nil {
		id := all[d.number(len(all))].id
		events, err := d.client.History(ctx, id)
		if err != nil {
			select {
			case <-time.After(20 * time.Millisecond): // it is not there yet
			case <-ctx.Done():
			}
			continue
		}
		if err := grew(d.samples[id], events); err != nil {
			d.t.Errorf("%s: %v", id, err)
		}
		d.samples[id] = events
	}
}

// grew returns an error when after is not what before may have become.
func grew(before, after []history.Event) error {
	if len(before) < 2 || len(after) < 2 || before[1].Execution != after[1].Execution {
		return nil
	}
	if len(after) < len(before) {
		return fmt.Errorf("the history had %d events and has %d", len(before), len(after))
	}
	for i := range before {
		if !bytes.Equal(history.AppendEvents(nil, before[i:i+1]), history.AppendEvents(nil, after[i:i+1])) {
			return fmt.Errorf("event %d was %v and is %v", i, before[i], after[i])
		}
	}
	return nil
}
