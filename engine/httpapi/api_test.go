package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpapi"
)

func TestNewWantsAnAbsoluteURL(t *testing.T) {
	for _, u := range []string{"", "/runtime", "host/runtime", "localhost:80", "https://", "https:///path", "http://a b/", "://x", "http://h/%zz"} {
		if _, err := httpapi.New(nil, httpapi.Options{URL: u}); err == nil {
			t.Errorf("%q was taken", u)
		}
	}
}

func TestLinksBeginWithTheURL(t *testing.T) {
	tests := []struct{ url, hub, want string }{
		{"http://localhost:7071/runtime/webhooks/durabletask", "", "http://localhost:7071/runtime/webhooks/durabletask/instances/a?taskHub=Holdfast&connection=Storage"},
		{"http://localhost:7071/runtime/webhooks/durabletask/", "", "http://localhost:7071/runtime/webhooks/durabletask/instances/a?taskHub=Holdfast&connection=Storage"},
		{"https://h", "My Hub+1", "https://h/instances/a?taskHub=My+Hub%2B1&connection=Storage"},
		{"https://[::1]:8080/x", "DurableFunctionsHub", "https://[::1]:8080/x/instances/a?taskHub=DurableFunctionsHub&connection=Storage"},
	}
	for _, test := range tests {
		h := newHub(t, func(o *httpapi.Options) { o.URL, o.Hub = test.url, test.hub })
		if got := h.Links(httpapi.Run{Instance: "a"}, httpapi.Grant{}).Status; got != test.want {
			t.Errorf("%s: %s, want %s", test.url, got, test.want)
		}
	}
}

// Wherever the API is put, what it hands out leads back to it.
func TestTheAPIIsFoundWhereItSaysItIs(t *testing.T) {
	for _, u := range []string{"https://h", "https://h/", "https://h/x", "https://h/X/y/", "https://h/with%20space/y", "https://h/%C3%BCber"} {
		h := newHub(t, func(o *httpapi.Options) { o.URL = u })
		_, err := h.client.Start(t.Context(), string(approve), "a", nil)
		h.must(err)
		w := h.send(httptest.NewRequest("GET", h.Links(httpapi.Run{Instance: "a"}, httpapi.Grant{}).Status, nil))
		if w.Code != http.StatusAccepted || w.Header().Get("Location") != h.Links(httpapi.Run{Instance: "a"}, httpapi.Grant{}).Status {
			t.Errorf("%s: %d, location %s", u, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestTheStartPayloadHasEightMembers(t *testing.T) {
	const want = `{"id":"7b59154ae666471993659902ed0ba742",` +
		`"statusQueryGetUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/7b59154ae666471993659902ed0ba742?taskHub=DurableFunctionsHub&connection=Storage",` +
		`"sendEventPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/7b59154ae666471993659902ed0ba742/raiseEvent/{eventName}?taskHub=DurableFunctionsHub&connection=Storage",` +
		`"terminatePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/7b59154ae666471993659902ed0ba742/terminate?reason={text}&taskHub=DurableFunctionsHub&connection=Storage",` +
		`"purgeHistoryDeleteUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/7b59154ae666471993659902ed0ba742?taskHub=DurableFunctionsHub&connection=Storage",` +
		`"restartPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/7b59154ae666471993659902ed0ba742/restart?taskHub=DurableFunctionsHub&connection=Storage",` +
		`"suspendPostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/7b59154ae666471993659902ed0ba742/suspend?reason={text}&taskHub=DurableFunctionsHub&connection=Storage",` +
		`"resumePostUri":"http://localhost:7071/runtime/webhooks/durabletask/instances/7b59154ae666471993659902ed0ba742/resume?reason={text}&taskHub=DurableFunctionsHub&connection=Storage"}` + "\n"
	h := newHub(t, func(o *httpapi.Options) {
		o.URL, o.Hub = "http://localhost:7071/runtime/webhooks/durabletask", "DurableFunctionsHub"
	})
	w := h.want(202, "POST", "/orchestrators/Echo/7b59154ae666471993659902ed0ba742", "")
	if got := w.Body.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if w.Header().Get("Retry-After") != "10" || !strings.HasPrefix(want, `{"id":"7b59154ae666471993659902ed0ba742","statusQueryGetUri":"`+w.Header().Get("Location")+`"`) {
		t.Errorf("headers %v", w.Header())
	}
	own := httptest.NewRecorder()
	h.Started(own, httpapi.Run{Instance: "7b59154ae666471993659902ed0ba742"}, httpapi.Grant{}) // what an app's own trigger ends with
	if own.Code != 202 || own.Body.String() != want || own.Header().Get("Location") != w.Header().Get("Location") {
		t.Errorf("an app answers %d %v\n%s", own.Code, own.Header(), own.Body)
	}
}

func TestAStartWithoutAnIDMakesOne(t *testing.T) {
	h := newHub(t)
	seen := map[string]bool{}
	for _, path := range []string{"/orchestrators/Echo", "/orchestrators/Echo/", "/orchestrators/Echo"} {
		var links httpapi.Links
		h.must(json.Unmarshal(h.want(202, "POST", path, "").Body.Bytes(), &links))
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(links.ID) || seen[links.ID] {
			t.Errorf("id %q", links.ID)
		}
		seen[links.ID] = true
		h.want(200, "GET", "/instances/"+links.ID, "")
	}
}

func TestWithoutAListAnyOrchestrationMayBeStarted(t *testing.T) {
	h := newHub(t, func(o *httpapi.Options) { o.Orchestrators = nil })
	h.want(202, "POST", "/orchestrators/Whatever/a", "")
	h.want(202, "GET", "/instances/a", "")
	h = newHub(t, func(o *httpapi.Options) { o.Orchestrators = []string{} })
	h.want(400, "POST", "/orchestrators/Echo/a", "") // and with an empty one none
	h.want(404, "GET", "/instances/a", "")
}

func TestABodyMayBeAsLargeAsTheLimit(t *testing.T) {
	for limit, most := range map[int64]int{0: 64 << 10, 16: 16} {
		h := newHub(t, func(o *httpapi.Options) { o.MaxBody = limit })
		body := func(size int) string { return `"` + strings.Repeat("x", size-2) + `"` }
		h.want(202, "POST", "/orchestrators/Approve/a", body(most))
		h.want(413, "POST", "/orchestrators/Approve/b", body(most+1))
		h.want(404, "GET", "/instances/b", "")
		h.want(413, "POST", "/instances/a/raiseEvent/Approval", body(most+1))
		h.want(202, "GET", "/instances/a", "")
		h.want(202, "POST", "/instances/a/raiseEvent/Approval", body(most))
		h.want(200, "GET", "/instances/a", "")
	}
}

func TestAReasonMayBeAsLongAsANameAndNoLonger(t *testing.T) {
	h := newHub(t)
	h.bring("Running", "a")
	h.bring("Failed", "f")
	for _, operation := range []string{"a/suspend", "a/resume", "a/terminate", "f/rewind"} {
		h.want(413, "POST", "/instances/"+operation+"?reason="+strings.Repeat("x", history.MaxText+1), "")
		h.want(202, "POST", "/instances/"+operation+"?reason="+strings.Repeat("x", history.MaxText), "")
	}
	h.bring("Running", "b")
	h.want(413, "POST", "/instances/b/raiseEvent/"+strings.Repeat("x", history.MaxText+1), "1")
}

func TestTheHistoryIsReadInLines(t *testing.T) {
	h := newHub(t)
	h.bring("Completed", "a")
	w := h.want(200, "GET", "/instances/a/history", "")
	if lines := strings.Count(w.Body.String(), "\n"); lines < 3 || !strings.Contains(w.Body.String(), string(echo)) {
		t.Error(w.Body)
	}
}

func TestATaskInHandStandsAlone(t *testing.T) {
	h := newHub(t)
	h.serve(httptest.NewRecorder(), httptest.NewRequest("POST", basePath+"/orchestrators/Hold/a", strings.NewReader("7")))
	w := httptest.NewRecorder()
	h.serve(w, httptest.NewRequest("GET", basePath+"/instances/a?showHistory=true&showHistoryOutput=true", nil))
	const want = `"historyEvents":[{"EventType":"ExecutionStarted","Timestamp":"2026-11-23T12:00:00.9876543Z","FunctionName":"Hold","Input":7},` +
		`{"EventType":"TaskScheduled","Timestamp":"2026-11-23T12:00:00.9876543Z","FunctionName":"Hold","Input":7}]}`
	if !strings.Contains(w.Body.String(), want) {
		t.Errorf("got %s\nwant %s", w.Body, want)
	}
	close(h.hold)
	h.settle()
	if got := h.want(200, "GET", "/instances/a?showHistory=true", "").Body.String(); strings.Contains(got, "TaskScheduled") || !strings.Contains(got, "TaskCompleted") {
		t.Errorf("afterwards %s", got)
	}
}

// everywhere are the headers that all answers have.
var everywhere = map[string]string{
	"Cache-Control":                "no-store",
	"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

func TestEveryAnswerIsKeptOutOfCachesAndOtherPages(t *testing.T) {
	h := newHub(t)
	for _, w := range []*httptest.ResponseRecorder{
		h.want(202, "POST", "/orchestrators/Approve/a", ""), h.want(202, "GET", "/instances/a", ""),
		h.want(404, "GET", "/instances/b", ""), h.want(404, "GET", "/nothing", ""), h.want(400, "POST", "/orchestrators/Echo", "{"),
		h.want(404, "OPTIONS", "/instances/a", ""),
	} {
		for name, value := range everywhere {
			if w.Header().Get(name) != value {
				t.Errorf("%s: %s", name, w.Header().Get(name))
			}
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("headers %v", w.Header())
		}
	}
}

func TestWhatGoesWrongInsideIsLoggedAndNotTold(t *testing.T) {
	var log bytes.Buffer
	h := newHub(t, func(o *httpapi.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	h.bring("Running", "a")
	h.must(h.store.Close())
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", basePath+"/instances/a", nil),
		httptest.NewRequest("POST", basePath+"/orchestrators/Echo/b", strings.NewReader(`"in"`)),
		httptest.NewRequest("POST", basePath+"/instances/a/terminate", nil),
		httptest.NewRequest("DELETE", basePath+"/instances/a", nil),
	} {
		log.Reset()
		w := httptest.NewRecorder()
		h.serve(w, r)
		if w.Code != 500 || w.Body.String() != `{"Message":"Something went wrong while processing your request"}`+"\n" {
			t.Errorf("%s %s: %d %s", r.Method, r.URL, w.Code, w.Body)
		}
		if !strings.Contains(log.String(), "the store is closed") {
			t.Errorf("%s %s: logged %q", r.Method, r.URL, log.String())
		}
	}
}

// JSON is UTF-8. What is not is either refused or put right, but never handed
// out as it is.
func TestAnswersAreValidUTF8(t *testing.T) {
	h := newHub(t)
	h.ask("POST", "/orchestrators/Echo/a", "\"\xff\"")
	h.bring("Running", "b")
	h.ask("POST", "/instances/b/raiseEvent/Approval", "\"\xff\"")
	h.ask("POST", "/instances/b/terminate?reason=%FF", "")
	h.bring("Running", "c")
	h.ask("POST", "/instances/c/raiseEvent/%FF", "1")
	h.ask("POST", "/instances/c/suspend?reason=%FF", "")
	for _, id := range []string{"a", "b", "c"} {
		w := h.ask("GET", "/instances/"+id+"?showHistory=true&showHistoryOutput=true", "")
		if !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %q", id, w.Body)
		}
	}
	if w := h.ask("POST", "/orchestrators/%FF", ""); !utf8.Valid(w.Body.Bytes()) {
		t.Errorf("unknown orchestrator: %q", w.Body)
	}
}

// Every answer with a body is JSON, and says so.
func wantJSON(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	kind := w.Header().Get("Content-Type")
	switch {
	case w.Body.Len() == 0 && kind != "":
		t.Errorf("%d with a content type (%s) and no body", w.Code, kind)
	case w.Body.Len() > 0 && (kind != "application/json; charset=utf-8" || !json.Valid(w.Body.Bytes())):
		t.Errorf("%d as %s: %s", w.Code, kind, w.Body)
	}
}

// What counts as nothing elsewhere is a value here, on its way in, through the
// store, the orchestration and an activity, and back out.
func TestFalsyValuesSurviveEveryHop(t *testing.T) {
	for i, falsy := range []string{"0", `""`, "false", "null", "[]", "{}"} {
		h := newHub(t)
		started := fmt.Sprint("echo", i)
		h.want(202, "POST", "/orchestrators/Echo/"+started, falsy)
		waiting := fmt.Sprint("approve", i)
		h.want(202, "POST", "/orchestrators/Approve/"+waiting, falsy)
		h.want(202, "POST", "/instances/"+waiting+"/raiseEvent/Approval", falsy)
		for _, id := range []string{started, waiting} {
			var body struct{ Input, Output json.RawMessage }
			h.must(json.Unmarshal(h.want(200, "GET", "/instances/"+id, "").Body.Bytes(), &body))
			if string(body.Input) != falsy || string(body.Output) != falsy {
				t.Errorf("%s: %s came back as input %s, output %s", id, falsy, body.Input, body.Output)
			}
		}
		var body struct {
			HistoryEvents []struct {
				EventType     string
				Input, Result json.RawMessage
			}
		}
		h.must(json.Unmarshal(h.want(200, "GET", "/instances/"+waiting+"?showHistory=true&showHistoryOutput=true", "").Body.Bytes(), &body))
		for _, e := range body.HistoryEvents {
			if e.EventType == "EventRaised" && string(e.Input) != falsy || e.EventType == "ExecutionCompleted" && string(e.Result) != falsy {
				t.Errorf("%s: %s shows %s%s", waiting, e.EventType, e.Input, e.Result)
			}
		}
	}
}

func TestAStartMaySayItsVersion(t *testing.T) {
	h := newHub(t)
	h.want(202, "POST", "/orchestrators/Echo/a?version=1.2", "1")
	in, err := h.client.Get(t.Context(), "a")
	h.must(err)
	if in.CodeVersion != "1.2" {
		t.Errorf("the version is %q", in.CodeVersion)
	}
	h.want(400, "POST", "/orchestrators/Echo/b?Version=%ff", "1")
}
