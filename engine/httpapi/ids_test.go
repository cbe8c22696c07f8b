package httpapi_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/httpapi"
)

// awkward are ids that a URL must carry escaped, or that could be mistaken for
// something else.
var awkward = []string{
	"plain", "a b", " a ", "a+b", "a%b", "a%20b", "a%2Fb", "%", "a:b", "a@b", "a&b=c", "a;b,c", "a'b\"c", "a<b>", "a|b^c`d",
	"{eventName}", "{text}", "[a]", "é", "e\u0301", "日本", "📏", "a...b", "...", ".a", "raiseEvent", "instances", "~", "*",
	strings.Repeat("x", 256), strings.Repeat("é", 256),
}

// remote is the API behind a server, reached by a client over the network, with
// the multiplexer between them that an app has.
type remote struct {
	*hub
	url string
}

func newRemote(t *testing.T, change ...func(*httpapi.Options)) *remote {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	r := &remote{url: server.URL + basePath}
	r.hub = newHub(t, append(change, func(o *httpapi.Options) { o.URL = r.url })...)
	mux.Handle(basePath+"/", r.checked())
	return r
}

// checked is the API, whose answers are held to the OpenAPI document.
func (h *hub) checked() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		both := &tee{ResponseWriter: w, copy: httptest.NewRecorder()}
		h.serve(both, r)
		h.check(r, both.copy)
	})
}

// tee lets an answer through, and keeps a copy.
type tee struct {
	http.ResponseWriter
	copy   *httptest.ResponseRecorder
	begins bool
}

func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *tee) WriteHeader(status int) {
	t.begins = true
	maps.Copy(t.copy.Header(), t.Header())
	t.copy.WriteHeader(status)
	t.ResponseWriter.WriteHeader(status)
}

func (t *tee) Write(b []byte) (int, error) {
	if !t.begins {
		t.WriteHeader(http.StatusOK)
	}
	_, _ = t.copy.Write(b)
	return t.ResponseWriter.Write(b)
}

// call sends a request to a whole URL and returns the answer with its body.
func (r *remote) call(method, target, body string) (*http.Response, []byte) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), method, target, strings.NewReader(body))
	r.must(err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	r.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	r.must(err)
	r.settle()
	return response, text
}

func (r *remote) want(status int, method, target, body string) []byte {
	r.t.Helper()
	response, text := r.call(method, target, body)
	if response.StatusCode != status {
		r.t.Errorf("%s %s: %d %s, want %d", method, target, response.StatusCode, text, status)
	}
	return text
}

func TestHandedOutURLsReachTheInstance(t *testing.T) {
	r := newRemote(t)
	for _, id := range awkward {
		response, text := r.call("POST", r.url+"/orchestrators/Approve/"+url.PathEscape(id), `"in"`)
		var links httpapi.Links
		r.must(json.Unmarshal(text, &links))
		if links.ID != id || response.Header.Get("Location") != links.Status {
			t.Errorf("%q: started %q at %s", id, links.ID, response.Header.Get("Location"))
		}
		reaches(r, id, links)
	}
}

// reaches follows all the URLs of an instance and sees what becomes of it.
func reaches(r *remote, id string, links httpapi.Links) {
	r.t.Helper()
	is := func(code int, status string) {
		r.t.Helper()
		var got struct{ InstanceID, RuntimeStatus string }
		r.must(json.Unmarshal(r.want(code, "GET", links.Status, ""), &got))
		if got.InstanceID != id || got.RuntimeStatus != status {
			r.t.Errorf("%q: found %+v, want %s", id, got, status)
		}
	}
	is(202, "Running")
	r.want(202, "POST", strings.Replace(links.Suspend, "{text}", "a+reason", 1), "")
	is(202, "Suspended")
	r.want(202, "POST", strings.Replace(links.Resume, "{text}", "a%20reason", 1), "")
	// Of ids that hold a placeholder themselves, the last one is the event's.
	at := strings.LastIndex(links.SendEvent, "{eventName}")
	r.want(202, "POST", links.SendEvent[:at]+"Approval"+links.SendEvent[at+len("{eventName}"):], `1`)
	is(200, "Completed")
	r.want(202, "POST", links.Restart+"&restartWithNewInstanceId=false", "")
	is(202, "Running")
	r.want(202, "POST", strings.Replace(links.Terminate, "{text}", "", 1), "")
	is(200, "Terminated")
	r.want(200, "DELETE", links.PurgeHistory, "")
	r.want(404, "GET", links.Status, "")
}

func TestIDsAreEscapedInLinksAndAsTheyAreInJSON(t *testing.T) {
	escaped := map[string]string{
		"a b": "a%20b", "a%b": "a%25b", "é": "%C3%A9", "a:b@c": "a:b@c", "a&b=c": "a&b=c", `"`: "%22", "{eventName}": "%7BeventName%7D",
	}
	h := newHub(t)
	for id, want := range escaped {
		links := h.Links(httpapi.Run{Instance: id}, httpapi.Grant{})
		if links.ID != id || !strings.HasPrefix(links.Status, base+"/instances/"+want+"?") {
			t.Errorf("%q: %+v", id, links)
		}
		for _, link := range []string{links.SendEvent, links.Terminate, links.Restart, links.Suspend, links.Resume} {
			if !strings.HasPrefix(link, base+"/instances/"+want+"/") {
				t.Errorf("%q: link %s", id, link)
			}
		}
	}
}

// Whoever reads a path as a form, as Durable Functions does, takes a plus sign
// for a space.
func TestPlusSignsAreEscapedInLinks(t *testing.T) {
	if got := newHub(t).Links(httpapi.Run{Instance: "a+b"}, httpapi.Grant{}).Status; !strings.Contains(got, "/instances/a%2Bb?") {
		t.Errorf("link %s", got)
	}
}

func TestIDsAreFoundHoweverTheyAreEscaped(t *testing.T) {
	h := newHub(t)
	h.bring("Running", "a+b :c")
	h.bring("Running", "a+b")
	for path, want := range map[string]string{
		"a+b%20:c": "a+b :c", "a%2Bb%20:c": "a+b :c", "a+b%20%3Ac": "a+b :c", "%61+%62%20:%63": "a+b :c", "a+b": "a+b", "a%2bb": "a+b",
	} {
		var got struct{ InstanceID string }
		h.must(json.Unmarshal(h.want(202, "GET", "/instances/"+path, "").Body.Bytes(), &got))
		if got.InstanceID != want {
			t.Errorf("%s found %q, want %q", path, got.InstanceID, want)
		}
	}
	h.want(404, "GET", "/instances/a%20b%20:c", "") // a plus is no space
	h.want(404, "GET", "/instances/a%252Bb", "")    // nothing is decoded twice
}

// A path with a segment of dots is cleaned by browsers, by curl and by
// multiplexers, so that no URL names such an instance.
func TestIDsThatNoURLCanNameAreRefused(t *testing.T) {
	r := newRemote(t)
	for _, id := range []string{".", ".."} {
		if got, err := r.hub.client.Start(t.Context(), string(approve), id, nil); err == nil {
			response, _ := r.call("GET", r.Links(httpapi.Run{Instance: got}, httpapi.Grant{}).Status, "")
			t.Errorf("%q was started, and its status is answered with %d", id, response.StatusCode)
		}
	}
}
