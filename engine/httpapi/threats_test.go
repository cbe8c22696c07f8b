package httpapi_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/store"
)

// post sends a request and does not wait for what follows.
func (h *hub) post(method, target string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader("1"))
	r.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.serve(w, r)
	return w
}

// park begins n instances that wait for an approval, and returns their links.
func (h *hub) park(n int) (ids []string, links []httpapi.Links) {
	h.t.Helper()
	for i := range n {
		id := fmt.Sprintf("i%03d", i)
		_, err := h.client.Start(h.t.Context(), string(approve), id, nil, client.AsExecution("run of "+id))
		h.must(err)
		ids = append(ids, id)
		links = append(links, h.Links(httpapi.Run{Instance: id, Execution: "run of " + id}, httpapi.Grant{}))
	}
	h.settle()
	return ids, links
}

// untouched fails the test if any of the instances has had an event.
func (h *hub) untouched(ids []string) {
	h.t.Helper()
	for _, id := range ids {
		in, err := h.client.Get(h.t.Context(), id)
		h.must(err)
		if in.Status != history.Running || in.Events != 2 {
			h.t.Errorf("%s is %s with %d events", id, in.Status, in.Events)
		}
	}
}

func TestNobodyRaisesEventsWithTheLinksOfOthers(t *testing.T) {
	h := guarded(t)
	ids, links := h.park(200)
	tried := 0
	for i, id := range ids {
		for j, l := range links {
			if i == j {
				continue
			}
			if w := h.post("POST", basePath+"/instances/"+id+"/raiseEvent/Approval?code="+codeOf(l.SendEvent)); w.Code != 404 {
				t.Fatalf("%s with the link of %s: %d %s", id, ids[j], w.Code, w.Body)
			}
			tried++
		}
	}
	if tried != 39_800 {
		t.Errorf("%d requests", tried)
	}
	h.untouched(ids)
}

func TestACodeOfWhichOneBitIsChangedOpensNothing(t *testing.T) {
	h := guarded(t)
	ids, links := h.park(20)
	tried := 0
	for i, id := range ids {
		code, err := base64.RawURLEncoding.DecodeString(codeOf(links[i].SendEvent))
		h.must(err)
		for bit := range min(8*len(code), 504) {
			changed := bytes.Clone(code)
			changed[bit/8] ^= 1 << (bit % 8)
			w := h.post("POST", basePath+"/instances/"+id+"/raiseEvent/Approval?code="+base64.RawURLEncoding.EncodeToString(changed))
			if w.Code != 404 {
				t.Fatalf("bit %d: %d %s", bit, w.Code, w.Body)
			}
			tried++
		}
		for n, letter := range codeOf(links[i].SendEvent) { // nor does one that is spelt in another way
			other := codeOf(links[i].SendEvent)[:n] + strings.ToUpper(string(letter)) + codeOf(links[i].SendEvent)[n+1:]
			if other == codeOf(links[i].SendEvent) {
				continue
			}
			if w := h.post("POST", basePath+"/instances/"+id+"/raiseEvent/Approval?code="+other); w.Code != 404 {
				t.Fatalf("letter %d: %d %s", n, w.Code, w.Body)
			}
		}
		for _, other := range []string{codeOf(links[i].SendEvent) + "=", codeOf(links[i].SendEvent) + "A", "A" + codeOf(links[i].SendEvent), codeOf(links[i].SendEvent) + "%0A", " " + codeOf(links[i].SendEvent)} {
			if w := h.post("POST", basePath+"/instances/"+id+"/raiseEvent/Approval?code="+strings.ReplaceAll(other, " ", "%20")); w.Code != 404 {
				t.Fatalf("%q: %d %s", other, w.Code, w.Body)
			}
		}
	}
	if tried < 10_000 {
		t.Errorf("%d requests", tried)
	}
	h.untouched(ids)
}

// canaries are secrets that callers send. None is ever found again: not in an
// answer, the log or the store.
func TestNoKeyTokenOrCodeIsFoundAgain(t *testing.T) {
	t.Run("folder", func(t *testing.T) { lookForKeys(t, inFolder, 10_000) })
	t.Run("account", func(t *testing.T) { lookForKeys(t, inCloud, 2000) })
}

func lookForKeys(t *testing.T, open func(*hub), requests int) {
	var log bytes.Buffer
	h := guardedIn(t, open, func(o *httpapi.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	mine := h.begin("Approve", "mine")
	theirs := h.begin("Approve", "theirs")
	canaries := []string{operatorKey, nextKey, goodToken, codeOf(theirs.Status), codeOf(theirs.SendEvent), codeOf(theirs.Terminate)}
	random := rand.New(rand.NewPCG(1, 2))
	for len(canaries) < 50 {
		canaries = append(canaries, fmt.Sprintf("canary%016x%016x", random.Uint64(), random.Uint64()))
	}
	ways := []func(canary string) (target string, header string){
		func(c string) (string, string) { return "?code=" + c, "" },
		func(c string) (string, string) { return "?CODE=" + c + "&code=" + c, "" },
		func(c string) (string, string) { return "", "X-Functions-Key: " + c },
		func(c string) (string, string) { return "", "Authorization: Bearer " + c },
		func(c string) (string, string) { return "", "Authorization: " + c },
		func(c string) (string, string) { return "?code=" + c, asOperator },
		func(c string) (string, string) {
			return "?code=" + c + "&showHistory=true", "Authorization: Bearer " + goodToken
		},
		func(c string) (string, string) { return "?sig=" + c, "Cookie: key=" + c },
	}
	routes := [][2]string{
		{"GET", "/instances/mine"}, {"GET", "/instances/nobody"}, {"POST", "/instances/mine/raiseEvent/Other"}, {"POST", "/instances/mine/suspend"},
		{"POST", "/instances/mine/resume"}, {"DELETE", "/instances/nobody"}, {"POST", "/instances/nobody/restart"}, {"GET", "/entities/a"},
		{"POST", "/orchestrators/Nothing"}, {"POST", "/orchestrators/Echo/canary"}, {"POST", "/makeprimary"}, {"GET", "/instances/mine/raiseEvent/x"},
	}
	var answers bytes.Buffer
	for n := range requests {
		query, header := ways[n%len(ways)](canaries[random.IntN(len(canaries))])
		route := routes[random.IntN(len(routes))]
		var headers []string
		if header != "" {
			headers = []string{header}
		}
		w := h.post(route[0], basePath+route[1]+query, headers...)
		h.must(w.Result().Header.Write(&answers))
		answers.Write(w.Body.Bytes())
	}
	h.settle()
	if w := h.post("GET", mine.Status); w.Code != 202 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.search(canaries, map[string][]byte{"an answer": answers.Bytes(), "the log": log.Bytes()})
}

// search looks for secrets in what is given and in the store, as it is on disk
// and as it is read.
func (h *hub) search(secrets []string, places map[string][]byte) {
	h.t.Helper()
	page, err := h.client.List(h.t.Context(), store.Query{})
	h.must(err)
	for _, in := range page.Instances {
		events, err := h.client.History(h.t.Context(), in.ID)
		h.must(err)
		text, err := json.Marshal([]any{in, events})
		h.must(err)
		places["the store"] = append(places["the store"], text...)
	}
	h.must(h.store.Close())
	h.collect(places)
	searched := 0
	for place, content := range places {
		searched += len(content)
		for _, secret := range secrets {
			if bytes.Contains(content, []byte(secret)) {
				h.t.Errorf("%s holds %s", place, secret)
			}
		}
	}
	if searched < 100_000 {
		h.t.Errorf("only %d bytes were searched", searched)
	}
}

// collect adds all that is stored, as it is on disk or in the account.
func (h *hub) collect(places map[string][]byte) {
	h.t.Helper()
	if h.cloud != nil {
		text, err := json.Marshal([]any{
			h.cloud.Rows("hubHistory"), h.cloud.Rows("hubInstances"), h.cloud.Rows("hubDue"), h.cloud.Messages("hub-doorbells"), h.cloud.Blobs("hub-largemessages"),
		})
		h.must(err)
		if places["the account"] = text; !bytes.Contains(text, []byte("Approve")) {
			h.t.Error("the account was not searched")
		}
		return
	}
	h.must(filepath.WalkDir(h.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	}))
}

// What is not there, what is somebody else's and what is there no more cannot
// be told apart.
func TestUnknownForeignAndPurgedInstancesAreAnsweredAlike(t *testing.T) {
	h := guarded(t)
	ids, links := h.park(2)
	gone := h.begin("Echo", "gone")
	if w := h.post("DELETE", gone.PurgeHistory); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for n := range 20_000 {
		d := doors[n%len(doors)]
		code := codeOf(d.link(links[0]))
		unknown := h.post(d.method, fmt.Sprintf("%s/instances/%016x%016x%s?code=%s", basePath, random.Uint64(), random.Uint64(), d.path, code))
		foreign := h.post(d.method, basePath+"/instances/"+ids[1]+d.path+"?code="+code)
		if !sameAnswer(unknown, foreign) || unknown.Code != 404 {
			t.Fatalf("%s: unknown %d %s, foreign %d %s", d.name, unknown.Code, unknown.Body, foreign.Code, foreign.Body)
		}
		purged := h.post(d.method, basePath+"/instances/gone"+d.path+"?code="+codeOf(d.link(gone)))
		if d.name != "restart" && !sameAnswer(unknown, purged) {
			t.Fatalf("%s: unknown %d %s, purged %d %s", d.name, unknown.Code, unknown.Body, purged.Code, purged.Body)
		}
	}
	h.untouched(ids)
}

// Ten hubs behind one address and with one key are strangers to one another.
func TestALinkOpensNothingInAnotherHub(t *testing.T) {
	var hubs []*hub
	var links []httpapi.Links
	for n := range 10 {
		h := guarded(t, func(o *httpapi.Options) { o.Hub = fmt.Sprintf("Hub%d", n) })
		_, l := h.park(1)
		hubs, links = append(hubs, h), append(links, l[0])
	}
	tried := 0
	for i, h := range hubs {
		unknown := h.post("GET", basePath+"/instances/nobody?code="+codeOf(links[i].Status))
		for j, l := range links {
			if i == j {
				continue
			}
			for _, d := range doors {
				for _, key := range doors {
					w := h.post(d.method, basePath+"/instances/i000"+d.path+"?code="+codeOf(key.link(l)))
					if !sameAnswer(w, unknown) {
						t.Fatalf("%s with the %s link of another hub: %d %s", d.name, key.name, w.Code, w.Body)
					}
					tried++
				}
			}
			for n, route := range append(operatorRoutes, operatorRoutes...) {
				if w := h.post(route[0], basePath+route[1]+"?code="+codeOf(doors[n%len(doors)].link(l))); w.Code != http.StatusForbidden {
					t.Fatalf("%v with a link of another hub: %d %s", route, w.Code, w.Body)
				}
				tried++
			}
		}
		h.untouched([]string{"i000"})
	}
	if tried < 5_400 {
		t.Errorf("%d requests", tried)
	}
}
