package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// later serves a request in a goroutine of its own.
func (h *hub) later(r *http.Request) <-chan *httptest.ResponseRecorder {
	answered := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		w := httptest.NewRecorder()
		h.serve(w, r)
		answered <- w
	}()
	return answered
}

func TestAStartThatWaitsAnswersWithTheOutputWhenThereIsOne(t *testing.T) {
	h := newHub(t)
	for _, target := range []string{"/orchestrators/Hold/a", "/instances/a/restart"} {
		answer := h.later(httptest.NewRequest("POST", basePath+target+"?timeout=100&pollingInterval=1", strings.NewReader("7")))
		<-h.began
		h.hold <- struct{}{}
		if w := <-answer; w.Code != 200 || w.Body.String() != "7\n" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
		h.settle()
	}
}

// What is terminated while a start waits for it is told as a status, not as an output.
func TestAStartThatWaitsAnswersWithTheStatusOfWhatWasTerminated(t *testing.T) {
	h := newHub(t)
	defer close(h.hold)
	answer := h.later(httptest.NewRequest("POST", basePath+"/orchestrators/Hold/a?timeout=100&pollingInterval=1", strings.NewReader("7")))
	<-h.began
	if w := <-h.later(httptest.NewRequest("POST", basePath+"/instances/a/terminate?reason=enough", nil)); w.Code != 202 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	w := <-answer
	for _, part := range []string{`"instanceId":"a"`, `"runtimeStatus":"Terminated"`, `"output":"enough"`} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), part) {
			t.Errorf("%d %s, without %s", w.Code, w.Body, part)
		}
	}
}

func TestAStartThatWaitedInVainAnswersAsOneThatDidNot(t *testing.T) {
	h := newHub(t)
	defer close(h.hold)
	w := httptest.NewRecorder()
	h.serve(w, httptest.NewRequest("POST", basePath+"/orchestrators/Hold/a?timeout=0.01&pollingInterval=0.01", strings.NewReader("7")))
	if w.Code != 202 || w.Body.String() != startPayload("a")+"\n" || w.Header().Get("Retry-After") != "10" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestACallerWhoGoesAwayIsNotWaitedFor(t *testing.T) {
	h := newHub(t)
	defer close(h.hold)
	ctx, leave := context.WithCancel(t.Context())
	answer := h.later(httptest.NewRequestWithContext(ctx, "POST", basePath+"/orchestrators/Hold/a?timeout=100&pollingInterval=1", strings.NewReader("7")))
	<-h.began
	leave()
	<-answer
}
