package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/httpapi"
)

// No request whatever makes the API panic, and none succeeds that is about an
// instance which does not exist; here there are none, and none may be started.
func FuzzNothingSucceedsWithoutAnInstance(f *testing.F) {
	for _, seed := range [][5]string{
		{"GET", basePath + "/instances/a", "showHistory=true", "", ""},
		{"POST", basePath + "/orchestrators/Echo/a", "", `{}`, "application/json"},
		{"POST", basePath + "/instances/a/raiseEvent/{eventName}", "taskHub=x", `042117`, "text/plain"},
		{"POST", basePath + "/instances/a/terminate", "reason=%zz;", ``, ""},
		{"POST", basePath + "/instances/a/suspend", "reason={text}", ``, ""},
		{"POST", basePath + "/instances/a/resume", "", ``, ""},
		{"POST", basePath + "/instances/a/restart", "restartWithNewInstanceId=false", ``, ""},
		{"DELETE", basePath + "/instances/a", "", ``, ""},
		{"POST", basePath + "/orchestrators/Echo/a", "timeout=1e9&pollingInterval=-0", `{}`, "application/json"},
		{"POST", basePath + "/entities/counter/$", "op=add", `1`, ""},
		{"GET", basePath, "", "", ""},
		{"GET", basePath + "instances/a", "", "", ""},
		{"GET", strings.ToUpper(basePath) + "/INSTANCES/%2e%2e/", "", "", ""},
		{"GET", basePath + "/instances/%zz", "", "", ""},
		{"GET", basePath + "/instances/%00%FF", "", "", ""},
		{"GET", "/", "", "", ""},
		{"GET", "", "", "", ""},
		{"OPTIONS", "*", "", "", ""},
		{"POST", "//" + basePath + "/orchestrators//", "", strings.Repeat("[", 20000), "application/json;;"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	h := newHub(f, func(o *httpapi.Options) { o.Orchestrators, o.MaxFollowers = []string{}, -1 })
	f.Fuzz(func(t *testing.T, method, path, query, body, mediaType string) {
		h.t = t
		w := httptest.NewRecorder()
		h.serve(w, &http.Request{
			Method: method, URL: parse(path, query), Host: "hub.example", Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{"Content-Type": {mediaType}},
		})
		if w.Code != 400 && w.Code != 404 && w.Code != 413 && w.Code != 501 && w.Code != 503 {
			t.Errorf("%s %q?%q: %d %s", method, path, query, w.Code, w.Body)
		}
		wantJSON(t, w)
	})
}

// With an instance there, requests about it may succeed; no answer is an error
// of ours but those that the original gives as well.
func FuzzAnswersAreWhatTheAPIPromises(f *testing.F) {
	f.Add("GET", "/instances/a", "showHistory=true&showHistoryOutput=1", "", "")
	f.Add("POST", "/instances/a/raiseEvent/Other", "", "{\"a\":\"\xff\"}", "application/json")
	f.Add("POST", "/instances/a/suspend", "reason=%ff", "", "")
	f.Add("POST", "/instances/a/restart", "", "", "")
	f.Add("POST", "/orchestrators/Echo/%C3", "", "1", "")
	f.Add("DELETE", "/instances/a", "", "", "")
	h := newHub(f, func(o *httpapi.Options) { o.MaxFollowers = -1 })
	f.Fuzz(func(t *testing.T, method, path, query, body, mediaType string) {
		h.t = t
		h.ask("POST", "/orchestrators/Approve/a", "") // if it is not running already
		w := httptest.NewRecorder()
		h.serve(w, &http.Request{
			Method: method, URL: parse(basePath+path, query), Host: "hub.example", Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{"Content-Type": {mediaType}},
		})
		switch w.Code {
		case 200, 202, 400, 404, 409, 410, 412, 413, 501, 503:
		case 500:
			if text := w.Body.String(); !strings.Contains(text, "suspended") && !strings.Contains(text, `"runtimeStatus":"Failed"`) {
				t.Errorf("%s %q?%q: %s", method, path, query, text)
			}
		default:
			t.Errorf("%s %q?%q: %d %s", method, path, query, w.Code, w.Body)
		}
		wantJSON(t, w)
	})
}

// parse reads a path as a server does, and takes it as it is where a server
// would refuse it.
func parse(path, query string) *url.URL {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		u = &url.URL{Path: path, RawPath: path}
	}
	u.RawQuery = query
	return u
}
