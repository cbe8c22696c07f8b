package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/hosttest"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// steps stands between an app and its storage account. The requests that change something there are the steps of what the app does; at one of
// them the app is killed.
type steps struct {
	proxies []*httptest.Server

	mu   sync.Mutex
	n    int    // steps since the counting began
	at   int    // the step at which the app is killed; 0 for none
	late bool   // behind that step and not before it
	kill func() // returns when the app is dead
}

// newSteps returns steps on the emulator, with the connection string that leads through them.
func newSteps(e *azuritetest.Emulator) (s *steps, connection string) {
	s = &steps{}
	connection = e.ConnectionString()
	blobs, queues, tables := e.Endpoints()
	for _, endpoint := range []string{blobs, queues, tables} {
		target, err := url.Parse(endpoint)
		if err != nil {
			panic(err) // it is the emulator's
		}
		proxy := httptest.NewServer(s.through(&url.URL{Scheme: target.Scheme, Host: target.Host}))
		s.proxies = append(s.proxies, proxy)
		connection = strings.ReplaceAll(connection, endpoint, proxy.URL+target.Path)
	}
	return s, connection
}

// Close ends the proxies.
func (s *steps) Close() {
	for _, p := range s.proxies {
		p.Close()
	}
}

// begin starts the counting.
func (s *steps) begin(at int, late bool, kill func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n, s.at, s.late, s.kill = 0, at, late, kill
}

func (s *steps) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// through passes requests on to the emulator.
func (s *steps) through(target *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		die, late := s.step(r)
		if die != nil && !late {
			die()
			panic(http.ErrAbortHandler)
		}
		if die != nil { // it has its effect, and nobody hears of it
			answer := httptest.NewRecorder()
			proxy.ServeHTTP(answer, r)
			die()
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	})
}

// step counts a request, and returns how to kill the app if it is that one's turn.
func (s *steps) step(r *http.Request) (die func(), late bool) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kill == nil {
		return nil, false
	}
	s.n++
	if s.n != s.at {
		return nil, false
	}
	return s.kill, s.late
}

// split is an app whose HTTP functions and whose others are on machines of their own, all of which are asleep when there is nothing to do. Only the
// storage account knows of both.
type split struct {
	steps       *steps
	front, back *hosttest.Host
	tw          *twiliotest.Server
	number, id  string
}

// newSplit starts nothing but the hosts.
func newSplit(ctx context.Context, o hosttest.Options, e *azuritetest.Emulator, n int, tw *twiliotest.Server) (*split, error) {
	v := &split{tw: tw, number: flowNumber(n), id: flowID(n)}
	of := map[string]string{}
	for name, value := range o.Settings {
		of[name] = value
	}
	hub := azuritetest.NewHub()
	of[settings.TaskHubName], of[settings.WakeQueue] = hub, hub+"-wake"
	v.steps, of[settings.AzureWebJobsStorage] = newSteps(e)
	o.Settings = of
	var err error
	if v.front, err = hosttest.Start(ctx, part(o, httpFunctions)); err == nil {
		// Its schedule never comes: what wakes it is the queue.
		v.back, err = hosttest.Start(ctx, part(o, otherFunctions))
	}
	if err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// die takes every machine away at once.
func (v *split) die() {
	v.front.KillInstance()
	v.back.KillInstance()
}

// Close ends it all.
func (v *split) Close() {
	for _, h := range []*hosttest.Host{v.front, v.back} {
		if h != nil {
			_ = h.Close() // what matters was looked at
		}
	}
	v.steps.Close()
}

// verify is what a person and their browser do: they ask for the code until that is accepted, wait for it, type it, and look how it went. While they
// wait for the message nobody asks the app for anything.
func (v *split) verify(ctx context.Context) error {
	if err := v.front.Ready(ctx); err != nil {
		return err
	}
	for accepted := false; !accepted; {
		status, _, err := send(ctx, "POST", v.front.URL()+hostedPath+"/orchestrators/SmsVerify/"+v.id, fmt.Sprintf(`{"number":%q}`, v.number))
		if ctx.Err() != nil {
			return err
		}
		accepted = status == http.StatusAccepted || status == http.StatusConflict
	}
	if _, err := v.tw.Wait(ctx, v.number, 1); err != nil {
		return err
	}
	for typed, since := 0, ""; ctx.Err() == nil; {
		s, upTo := v.look(ctx, since)
		switch since = upTo; {
		case s.ended() && s.Output.Verified:
			return nil
		case s.ended():
			return fmt.Errorf("it ended as %+v", s)
		}
		messages := v.tw.MessagesFor(v.number)
		if s.CustomStatus == nil || typed == len(messages) {
			continue
		}
		code := codeIn(messages[len(messages)-1].Body)
		if status, _, err := send(ctx, "POST", v.instance()+"/raiseEvent/SmsChallengeResponse", `"`+code+`"`); err == nil && status < 300 {
			typed, since = len(messages), ""
		}
	}
	return ctx.Err()
}

func (v *split) instance() string { return v.front.URL() + hostedPath + "/instances/" + v.id }

// look waits for a change of the status, but not for long, as somebody else may have made it.
func (v *split) look(ctx context.Context, since string) (s status, upTo string) {
	_, answer, err := send(ctx, "GET", v.instance()+"/live?wait=2&since="+url.QueryEscape(since), "")
	var events []struct {
		ID   string
		Data status
	}
	if err != nil || json.Unmarshal(answer, &events) != nil || len(events) == 0 {
		return s, "" // the app died, or there is nothing new
	}
	last := events[len(events)-1]
	return last.Data, last.ID
}

// tooLong is when a verification counts as stuck: long before the ten minutes are over for which the host hides a message that it received, and
// long after what one needs that waits for a lease of five seconds and the message of the next ten.
const tooLong = 4 * time.Minute

// stepsAtOnce is how many verifications are under way at a time; most of them wait.
const stepsAtOnce = 10

// The app dies before and behind each of its steps, every machine of it, and the machines of its parts share no memory. Each verification is finished
// nevertheless, and nobody who takes part in it does anything for that but what they do anyway.
func TestKilledBetweenEveryTwoStepsAVerificationIsFinished(t *testing.T) {
	t.Parallel() // it waits for leases most of the time
	tw := twiliotest.New(t)
	e := azuritetest.Shared(t)
	o := hostOptions(t, tw)
	o.Settings[settings.SmsVerifySends], o.Settings[settings.SmsVerifyTries], o.Settings[settings.SmsVerifyResendDelay] = "5", "10", "1s"
	total, err := killedAt(t.Context(), o, e, tw, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d steps", total)
	if total < 8 {
		t.Fatalf("only %d steps were counted", total)
	}
	inParallel(stepsAtOnce, 2*total, func(place int) {
		step, late := 1+place/2, place%2 == 1
		if _, err := killedAt(t.Context(), o, e, tw, step, late); err != nil {
			t.Errorf("killed at step %d (behind it: %t): %v", step, late, err)
		}
	})
	if v := tw.Violations(); len(v) > 0 {
		t.Errorf("Twilio would have refused: %q", v)
	}
}

// killedAt runs one verification that is killed at a step, and returns how many there were.
func killedAt(ctx context.Context, o hosttest.Options, e *azuritetest.Emulator, tw *twiliotest.Server, step int, late bool) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, tooLong)
	defer cancel()
	n := 2 * step
	if late {
		n++
	}
	v, err := newSplit(ctx, o, e, n, tw)
	if err != nil {
		return 0, err
	}
	defer v.Close()
	if err := v.front.Ready(ctx); err != nil {
		return 0, err
	}
	v.steps.begin(step, late, v.die)
	err = v.verify(ctx)
	if err == nil && step > 0 && v.steps.taken() < step {
		return 0, nil // it needed fewer steps than the first one, and was not killed
	}
	return v.steps.taken(), err
}
