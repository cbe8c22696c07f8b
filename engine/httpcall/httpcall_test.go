package httpcall

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// work is a service that takes a job, says twice that it is not done, and then
// that it is.
type work struct {
	asked   []string
	answers []string // Retry-After of the answers that it is not done
}

func (s *work) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("X-A"))
	if len(s.asked) > len(s.answers) {
		_, _ = io.WriteString(w, "done")
		return
	}
	w.Header().Set("Location", "/status")
	if after := s.answers[len(s.asked)-1]; after != "" {
		w.Header().Set("Retry-After", after)
	}
	w.WriteHeader(http.StatusAccepted)
}

// exchangeWith lets an orchestration do the request with a service, which is "it".
func exchangeWith(t *testing.T, service http.Handler, r Request) (engine.Decision, time.Duration) {
	t.Helper()
	server := httptest.NewServer(service)
	defer server.Close()
	return exchangeBy(t, newCaller(Options{Destinations: map[string]Destination{"it": {URL: server.URL}}}), r)
}

// exchangeBy lets an orchestration do the request, with a clock that jumps to its
// next timer. It returns how it ended, and how long that took.
func exchangeBy(t *testing.T, c *caller, r Request) (engine.Decision, time.Duration) {
	t.Helper()
	registry := engine.NewRegistry()
	add(registry, c)
	input, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now, message := start, history.Event{Kind: history.ExecutionStarted, Name: string(Orchestration), Input: input, Execution: "e"}
	x := registry.Replay("i", nil, engine.ReplayOptions{})
	defer x.Close()
	for {
		d, err := x.Turn(now, []history.Event{message})
		if err != nil || d.Status.IsTerminal() {
			return d, now.Sub(start)
		}
		message = history.Event{}
		for _, call := range x.Outstanding() {
			result, failure := registry.RunActivity(t.Context(), engine.NewCall("i", "e", call), call.Input)
			message = history.Event{Kind: history.TaskCompleted, TaskID: call.ID, Time: now, Result: result}
			if failure != nil {
				message.Kind, message.Failure = history.TaskFailed, failure
			}
		}
		if message.Time.IsZero() {
			now = x.NextTimer()
		}
	}
}

func TestAnAcceptedRequestIsAskedAboutUntilItIsDone(t *testing.T) {
	s := &work{answers: []string{"10", "", "Fri, 02 Jan 2026 03:05:45 GMT"}}
	d, took := exchangeWith(t, s, Request{To: "it", Method: "POST", URL: "/start", Header: http.Header{"X-A": {"1"}}, Content: "job"})
	if want := "[POST /start 1 GET /status 1 GET /status 1 GET /status 1]"; fmt.Sprint(s.asked) != want {
		t.Errorf("asked %v, want %s", s.asked, want)
	}
	var answer Response
	if err := json.Unmarshal(d.Output, &answer); err != nil || answer.StatusCode != 200 || answer.Content != "done" {
		t.Errorf("%s %v %v", d.Output, d.Failure, err)
	}
	if took != 100*time.Second {
		t.Errorf("it took %v, want 10 s, 30 s and until the date", took)
	}
}

func TestA202IsReturnedToWhoWantsIt(t *testing.T) {
	s := &work{answers: []string{"10"}}
	d, _ := exchangeWith(t, s, Request{To: "it", NoPolling: true})
	if len(s.asked) != 1 || !strings.Contains(string(d.Output), `"statusCode":202`) {
		t.Errorf("%v %s %v", s.asked, d.Output, d.Failure)
	}
}

func TestAnExchangeEndsAtItsDeadline(t *testing.T) {
	s := &work{answers: []string{"60", "60", "60"}}
	d, took := exchangeWith(t, s, Request{To: "it", Timeout: 90 * time.Second})
	if d.Status != history.Failed || !strings.Contains(d.Failure.Message, engine.ErrTimeout.Error()) || took != 90*time.Second || len(s.asked) != 2 {
		t.Errorf("%v %v after %v and %v", d.Status, d.Failure, took, s.asked)
	}
}

func TestAFailedRequestFailsTheCall(t *testing.T) {
	d, _ := exchangeWith(t, http.NotFoundHandler(), Request{To: "nobody"})
	if d.Status != history.Failed || d.Failure.Kind != KindRefused {
		t.Errorf("%v %v", d.Status, d.Failure)
	}
}

func TestContentIsReadAsJSON(t *testing.T) {
	var v map[string]int
	if err := (Response{Content: `{"a":1}`}).JSON(&v); err != nil || v["a"] != 1 {
		t.Errorf("%v %v", v, err)
	}
	var syntax *json.SyntaxError
	if err := (Response{Content: "<html>"}).JSON(&v); !errors.As(err, &syntax) {
		t.Error(err)
	}
}
