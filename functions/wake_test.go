package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
	"github.com/seed21523604/holdfast/functions/triggers"
)

// wakings is a waker on an account in memory, whose clock a test moves.
type wakings struct {
	*waker
	t   *testing.T
	now time.Time
}

func newWakings(t *testing.T) *wakings {
	t.Helper()
	w := &wakings{t: t, now: time.Date(2026, 11, 25, 12, 0, 3, 0, time.UTC)}
	account := azuretest.New(azuretest.Options{Now: func() time.Time { return w.now }})
	o := tablestore.Options{ConnectionString: account.ConnectionString(), Hub: "hub"}
	o.Client.Transport = account
	queue, err := o.Queue("hub-wake")
	if err == nil {
		_, err = queue.Create(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.waker = &waker{queue: queue, now: func() time.Time { return w.now }, log: slog.New(slog.DiscardHandler), asked: map[time.Time]bool{}}
	return w
}

// seen takes the messages that can be seen now.
func (w *wakings) seen() (texts []string) {
	w.t.Helper()
	most, hidden := int32(32), int32(600)
	answer, err := w.queue.DequeueMessages(w.t.Context(), &azqueue.DequeueMessagesOptions{NumberOfMessages: &most, VisibilityTimeout: &hidden})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range answer.Messages {
		texts = append(texts, *m.MessageText)
	}
	return texts
}

// The app is woken soon after a doorbell rings and never before, as there would be nothing to hear.
func TestTheAppIsWokenSoonAfterADoorbellRings(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Second, 6 * time.Second, 7 * time.Second, time.Minute, 10 * time.Minute} {
		w := newWakings(t)
		rings := w.now.Add(wait)
		w.rouse(t.Context(), rings)
		for len(w.seen()) == 0 {
			w.now = w.now.Add(time.Second)
			if w.now.Sub(rings) > wakeGrain {
				t.Fatalf("%v: nobody is woken", wait)
			}
		}
		if w.now.Before(rings) {
			t.Errorf("%v: woken %v too early", wait, rings.Sub(w.now))
		}
	}
}

// Leases and timers of many instances share their messages.
func TestManyDoorbellsTakeFewMessages(t *testing.T) {
	w := newWakings(t)
	for n := range 10_000 {
		w.rouse(t.Context(), w.now.Add(time.Duration(n)*time.Minute/10_000))
	}
	w.now = w.now.Add(2 * time.Minute)
	texts := w.seen()
	if len(texts) < 6 || len(texts) > 8 {
		t.Errorf("%d messages for a minute", len(texts))
	}
	for _, text := range texts {
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil || len(object) != 1 || object["holdfast"] == nil {
			t.Errorf("%s, whose properties the host would put over its own", text)
		}
	}
	w.rouse(t.Context(), w.now)
	if len(w.asked) != 1 {
		t.Errorf("%d moments are remembered, most of them past", len(w.asked))
	}
}

func TestAMessageThatCouldNotBePutIsPutTheNextTime(t *testing.T) {
	w := newWakings(t)
	if _, err := w.queue.Delete(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.rouse(t.Context(), w.now)
	if _, err := w.queue.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	w.rouse(t.Context(), w.now)
	w.now = w.now.Add(wakeGrain)
	if n := len(w.seen()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// invoke invokes a function of the app as the host does.
func (s *site) invoke(name string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/"+name, strings.NewReader(`{"Data":{"message":{"holdfast":{"wake":true}},"schedule":{"IsPastDue":true}},"Metadata":{"DequeueCount":"4"}}`))
	r.Host = "127.0.0.1:7071"
	w := httptest.NewRecorder()
	s.app.handler.ServeHTTP(w, r)
	return w
}

// What cannot be worked off is an invocation that failed, so that the host tries again; the messages say nothing, so none of them is lost as poison.
func TestAnInvocationFailsWhileTheStoreDoes(t *testing.T) {
	s := open(t, t.TempDir(), false, "PublicBaseUrl=https://shop.example", "OperatorKey="+operatorKey)
	for _, name := range []string{triggers.Wake, triggers.Sweep} {
		w := s.invoke(name)
		for _, part := range []string{"doorbells answered", "received 4 times", "was missed"} {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
	}
	s.stop()
	for _, name := range []string{triggers.Wake, triggers.Sweep} {
		if w := s.invoke(name); w.Code != http.StatusInternalServerError {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
