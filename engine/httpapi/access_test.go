package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/httpapi"
)

const (
	operatorKey = "op-3f1c9d7be0a24b5a8c6d"
	nextKey     = "op-next-71b0cc21b14e4dd0"
	goodToken   = "header.good.signature"
)

var linkKey = []byte("0123456789abcdef0123456789abcdef")

// guarded is a hub with a doorkeeper, whose clock is the hub's.
func guarded(t testing.TB, change ...func(*httpapi.Options)) *hub {
	t.Helper()
	return guardedIn(t, inFolder, change...)
}

func guardedIn(t testing.TB, open func(*hub), change ...func(*httpapi.Options)) *hub {
	t.Helper()
	var now func() time.Time
	keeper, err := httpapi.NewDoorkeeper(linkKey, httpapi.DoorkeeperOptions{
		OperatorKeys: []string{operatorKey, nextKey},
		Bearer: func(_ context.Context, token string) error {
			if token != goodToken {
				return errors.New("not an operator's token")
			}
			return nil
		},
		Now: func() time.Time { return now() },
	})
	if err != nil {
		t.Fatal(err)
	}
	h := newHubIn(t, open, client.Options{}, append([]func(*httpapi.Options){func(o *httpapi.Options) { o.Doorkeeper = keeper }}, change...)...)
	now = h.clock.Now
	return h
}

// with sends a request with headers ("Name: value") and lets come to rest what
// follows.
func (h *hub) with(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	return h.send(r)
}

const asOperator = "X-Functions-Key: " + operatorKey

// begin starts an orchestration as an operator and returns its links.
func (h *hub) begin(orchestration, id string) httpapi.Links {
	h.t.Helper()
	w := h.with("POST", basePath+"/orchestrators/"+orchestration+"/"+url.PathEscape(id), "", asOperator)
	var links httpapi.Links
	if err := json.Unmarshal(w.Body.Bytes(), &links); err != nil || w.Code != http.StatusAccepted {
		h.t.Fatalf("start %s: %d %s", id, w.Code, w.Body)
	}
	return links
}

// codeOf returns the code in a link.
func codeOf(link string) string {
	u, err := url.Parse(strings.NewReplacer("{eventName}", "Approval", "{text}", "x").Replace(link))
	if err != nil {
		panic(err)
	}
	return u.Query().Get("code")
}

// door is a route with the link that opens it.
type door struct {
	name, method, path string // of the instance {id}
	link               func(httpapi.Links) string
	then               int // the status that a running instance answers
}

var doors = []door{
	{"status", "GET", "", func(l httpapi.Links) string { return l.Status }, 202},
	{"explain", "GET", "/explain", func(l httpapi.Links) string { return l.Status }, 200},
	{"raise", "POST", "/raiseEvent/Other", func(l httpapi.Links) string { return l.SendEvent }, 202},
	{"suspend", "POST", "/suspend", func(l httpapi.Links) string { return l.Suspend }, 202},
	{"resume", "POST", "/resume", func(l httpapi.Links) string { return l.Resume }, 202},
	{"restart", "POST", "/restart", func(l httpapi.Links) string { return l.Restart }, 202},
	{"purge", "DELETE", "", func(l httpapi.Links) string { return l.PurgeHistory }, 412},
	{"terminate", "POST", "/terminate", func(l httpapi.Links) string { return l.Terminate }, 202},
}

// operatorRoutes take no link at all.
var operatorRoutes = [][2]string{
	{"POST", "/orchestrators/Echo"}, {"POST", "/orchestrators/Echo/x"}, {"GET", "/entities"}, {"GET", "/entities/a/b"},
	{"POST", "/entities/a/b"}, {"DELETE", "/entities/a/b"}, {"POST", "/makeprimary"}, {"GET", "/instances/mine/links"}, {"GET", "/instances/mine/history"}, {"POST", "/instances/mine/rewind"}, {"GET", "/instances"}, {"GET", "/live"}, {"DELETE", "/instances"}, {"POST", "/instances/mine/revokeLinks"},
}

func TestALinkOpensOneDoorOnly(t *testing.T) {
	h := guarded(t)
	mine, theirs := h.begin("Approve", "mine"), h.begin("Approve", "theirs")
	pairs := 0
	for _, d := range doors {
		for _, key := range doors {
			unknown := h.with(d.method, basePath+"/instances/nobody"+d.path+"?code="+codeOf(key.link(theirs)), "1")
			foreign := h.with(d.method, basePath+"/instances/mine"+d.path+"?code="+codeOf(key.link(theirs)), "1")
			if !sameAnswer(foreign, unknown) || foreign.Code != 404 || foreign.Body.Len() > 0 {
				t.Errorf("%s with the %s link of another: %d %v %s", d.name, key.name, foreign.Code, foreign.Header(), foreign.Body)
			}
			if key.link(mine) != d.link(mine) {
				w := h.with(d.method, basePath+"/instances/mine"+d.path+"?code="+codeOf(key.link(mine)), "1")
				wantProblem(t, w, 403, "link-for-something-else")
			}
			pairs += 2
		}
		for _, route := range operatorRoutes {
			w := h.with(route[0], basePath+route[1]+"?code="+codeOf(d.link(mine)), "")
			wantProblem(t, w, 403, "operators-only")
			pairs++
		}
	}
	if pairs < 40 {
		t.Errorf("%d pairs", pairs)
	}
	for _, d := range doors { // and its own door it opens, after all this
		if w := h.with(d.method, basePath+"/instances/mine"+d.path+"?code="+codeOf(d.link(mine)), "1"); w.Code != d.then {
			t.Errorf("%s: %d %s", d.name, w.Code, w.Body)
		}
	}
}

func sameAnswer(a, b *httptest.ResponseRecorder) bool {
	return a.Code == b.Code && bytes.Equal(a.Body.Bytes(), b.Body.Bytes()) && fmt.Sprint(a.Header()) == fmt.Sprint(b.Header())
}

func wantProblem(t testing.TB, w *httptest.ResponseRecorder, status int, name string) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	err := json.Unmarshal(w.Body.Bytes(), &p)
	if err != nil || w.Code != status || p.Status != status || p.Type != "urn:problem-type:holdfast:"+name || p.Title == "" || p.Detail == "" ||
		w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s, want %d %s", w.Code, w.Body, status, name)
	}
}

func TestHandedOutLinksWorkAsTheyAre(t *testing.T) {
	keeper, err := httpapi.NewDoorkeeper(linkKey, httpapi.DoorkeeperOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRemote(t, func(o *httpapi.Options) { o.Doorkeeper = keeper })
	for _, id := range awkward {
		execution := "run of " + id
		_, err := r.hub.client.Start(t.Context(), string(approve), id, "in", client.AsExecution(execution))
		r.must(err)
		links := r.Links(httpapi.Run{Instance: id, Execution: execution}, httpapi.Grant{Event: string(approval)})
		at := strings.LastIndex(links.SendEvent, "{eventName}")
		r.want(202, "GET", links.Status, "")
		r.want(202, "POST", strings.Replace(links.Suspend, "{text}", "a+reason", 1), "")
		r.want(202, "POST", strings.Replace(links.Resume, "{text}", "a%20reason", 1), "")
		r.want(202, "POST", links.SendEvent[:at]+"Approval"+links.SendEvent[at+len("{eventName}"):], "1")
		r.want(200, "GET", links.Status, "")
		r.want(410, "POST", links.Terminate, "")
		r.want(202, "POST", links.Restart, "")
		r.want(200, "DELETE", links.PurgeHistory, "")
		r.want(404, "GET", links.Status, "")
	}
}

func TestALinkMayBeForOneEvent(t *testing.T) {
	h := guarded(t)
	_, err := h.client.Start(t.Context(), string(approve), "a", nil, client.AsExecution("r"))
	h.must(err)
	links := h.Links(httpapi.Run{Instance: "a", Execution: "r"}, httpapi.Grant{Event: string(approval)})
	for _, event := range []string{"Other", "approval", "Approval ", "{eventName}"} {
		if w := h.with("POST", strings.Replace(links.SendEvent, "{eventName}", url.PathEscape(event), 1), "1"); w.Code != 404 {
			t.Errorf("%s: %d %s", event, w.Code, w.Body)
		}
	}
	if w := h.with("POST", strings.Replace(links.SendEvent, "{eventName}", "Approval", 1), "1"); w.Code != 202 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOnlyTheDoorsThatWereGrantedHaveACode(t *testing.T) {
	h := guarded(t)
	links := h.Links(httpapi.Run{Instance: "a", Execution: "r"}, httpapi.Grant{Doors: []httpapi.Door{httpapi.DoorStatus, httpapi.DoorTerminate}})
	for _, d := range doors {
		if got, want := codeOf(d.link(links)) != "", slices.Contains([]string{"status", "explain", "terminate"}, d.name); got != want {
			t.Errorf("%s: %s", d.name, d.link(links))
		}
	}
}

func TestALinkIsGoodUntilItExpires(t *testing.T) {
	h := guarded(t)
	long := h.begin("Approve", "a")
	in, err := h.client.Get(t.Context(), "a")
	h.must(err)
	short := h.Links(httpapi.Run{Instance: "a", Execution: in.Execution}, httpapi.Grant{Lifetime: time.Hour})
	h.clock.advance(time.Hour - time.Second)
	if w := h.with("GET", short.Status, ""); w.Code != 202 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.clock.advance(2 * time.Second)
	wantProblem(t, h.with("GET", short.Status, ""), 410, "link-expired")
	wantProblem(t, h.with("POST", short.Terminate, ""), 410, "link-expired")
	if w := h.with("GET", long.Status, ""); w.Code != 202 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.clock.advance(httpapi.DefaultLifetime)
	wantProblem(t, h.with("GET", long.Status, ""), 410, "link-expired")
}

func TestALinkDiesWithItsRun(t *testing.T) {
	h := guarded(t)
	old := h.begin("Approve", "a")
	h.with("POST", old.Terminate, "")
	if w := h.with("POST", basePath+"/instances/a/restart?restartWithNewInstanceId=false", "", asOperator); w.Code != 202 {
		t.Fatal(w.Code, w.Body)
	}
	for _, d := range doors {
		wantProblem(t, h.with(d.method, basePath+"/instances/a"+d.path+"?code="+codeOf(d.link(old)), "1"), 410, "link-replaced")
	}
	h.with("POST", basePath+"/instances/a/terminate", "", asOperator)
	h.with("DELETE", basePath+"/instances/a", "", asOperator)
	for _, d := range doors { // a purged instance is as unknown as any
		if w := h.with(d.method, basePath+"/instances/a"+d.path+"?code="+codeOf(d.link(old)), "1"); w.Code != 404 && d.name != "restart" {
			t.Errorf("%s: %d %s", d.name, w.Code, w.Body)
		}
	}
}

// A run that follows by continuing as new may wait for something else under the
// same name, so a link for an event is not for it. It is the same work, though,
// that one looks at or ends.
func TestALinkOutlivesContinueAsNewUnlessItIsForAnEvent(t *testing.T) {
	h := guarded(t)
	l := h.begin("Again", "a")
	event := strings.Replace(l.SendEvent, "{eventName}", "Approval", 1)
	for range 2 {
		if w := h.with("GET", l.Status, ""); w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
		if w := h.with("POST", basePath+"/instances/a/raiseEvent/Approval", "1", asOperator); w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
		wantProblem(t, h.with("POST", event, "1"), 410, "link-replaced")
	}
	in, err := h.client.Get(t.Context(), "a")
	h.must(err)
	if string(in.Input) != "2" {
		t.Fatalf("input %s", in.Input)
	}
	later := h.Links(httpapi.Run{Instance: "a", Execution: in.Execution, First: in.First}, httpapi.Grant{})
	if w := h.with("POST", strings.Replace(later.SendEvent, "{eventName}", "Approval", 1), "1"); w.Code != 202 {
		t.Error(w.Code, w.Body)
	}
	for _, link := range []string{l.Terminate, later.Status} {
		if w := h.with(map[bool]string{true: "POST", false: "GET"}[link == l.Terminate], link, ""); w.Code >= 300 {
			t.Error(w.Code, w.Body)
		}
	}
}

func TestARevokedLinkOpensNothing(t *testing.T) {
	h := guarded(t)
	for _, orchestration := range []string{"Approve", "Echo", "Again"} { // one runs, one has ended, one goes on as new
		old := h.begin(orchestration, orchestration)
		other := h.begin("Approve", "other than "+orchestration)
		w := h.with("POST", basePath+"/instances/"+orchestration+"/revokeLinks", "", asOperator)
		var fresh httpapi.Links
		if err := json.Unmarshal(w.Body.Bytes(), &fresh); err != nil || w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
		h.with("POST", basePath+"/instances/"+orchestration+"/raiseEvent/Approval", "1", asOperator)
		if orchestration == "Again" {
			old.SendEvent, fresh.SendEvent = old.Status, fresh.Status // those of events are for another run now
		}
		for _, d := range doors {
			if codeOf(d.link(old)) != codeOf(old.Status) {
				wantProblem(t, h.with(d.method, basePath+"/instances/"+orchestration+d.path+"?code="+codeOf(d.link(old)), "1"), 410, "link-revoked")
			}
		}
		wantProblem(t, h.with("GET", old.Status, ""), 410, "link-revoked")
		for _, l := range []httpapi.Links{fresh, other} {
			if w := h.with("GET", l.Status, ""); w.Code >= 300 {
				t.Error(w.Code, w.Body)
			}
		}
	}
	if w := h.with("POST", basePath+"/instances/nobody/revokeLinks", "", asOperator); w.Code != 404 {
		t.Error(w.Code, w.Body)
	}
}

func TestOperatorsHandOutLinks(t *testing.T) {
	h := guarded(t)
	h.begin("Approve", "a")
	var links httpapi.Links
	h.must(json.Unmarshal(h.with("GET", basePath+"/instances/a/links?event=Approval&lifetime=60", "", asOperator).Body.Bytes(), &links))
	if w := h.with("POST", strings.Replace(links.SendEvent, "{eventName}", "Other", 1), "1"); w.Code != 404 {
		t.Error(w.Code, w.Body)
	}
	if w := h.with("GET", links.Status, ""); w.Code != 202 {
		t.Error(w.Code, w.Body)
	}
	h.clock.advance(time.Minute)
	wantProblem(t, h.with("GET", links.Status, ""), 410, "link-expired")
	if w := h.with("GET", basePath+"/instances/b/links", "", asOperator); w.Code != 404 {
		t.Error(w.Code, w.Body)
	}
}

func TestWhoRestartsByALinkMayNotDoMoreThanBefore(t *testing.T) {
	h := guarded(t)
	old := h.begin("Approve", "a")
	var links httpapi.Links
	h.must(json.Unmarshal(h.with("POST", old.Restart, "").Body.Bytes(), &links))
	for _, d := range doors {
		if got, want := codeOf(d.link(links)) != "", slices.Contains([]string{"status", "explain", "restart"}, d.name); got != want {
			t.Errorf("%s: %s", d.name, d.link(links))
		}
	}
}

func TestALinkShowsNoHistory(t *testing.T) {
	h := guarded(t)
	links := h.begin("Approve", "a")
	wantProblem(t, h.with("GET", links.Status+"&showHistory=true", ""), 403, "operators-only")
	if w := h.with("GET", basePath+"/instances/a?showHistory=true", "", asOperator); !strings.Contains(w.Body.String(), "historyEvents") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestOperatorsSayWhoTheyAreInAHeader(t *testing.T) {
	h := guarded(t)
	h.begin("Approve", "a")
	for _, good := range []string{asOperator, "X-Functions-Key: " + nextKey, "Authorization: Bearer " + goodToken, "authorization: bearer " + goodToken} {
		if w := h.with("GET", basePath+"/instances/a", "", good); w.Code != 202 {
			t.Errorf("%s: %d %s", good, w.Code, w.Body)
		}
	}
	for _, bad := range []string{
		"X-Functions-Key: " + operatorKey[1:], "X-Functions-Key: " + operatorKey + "x", "X-Functions-Key: ***", "Authorization: Bearer " + operatorKey,
		"Authorization: Bearer", "Authorization: Basic " + goodToken, "X-Api-Key: " + operatorKey, "Cookie: code=" + operatorKey,
	} {
		w := h.with("GET", basePath+"/instances/a", "", bad)
		if w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %d %v", bad, w.Code, w.Header())
		}
	}
	for _, query := range []string{"", "?code=", "?code=" + operatorKey + "&code=" + operatorKey, "?x-functions-key=" + operatorKey} {
		if w := h.with("GET", basePath+"/instances/a"+query, ""); w.Code != 401 && w.Code != 404 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if w := h.with("GET", basePath+"/instances/a?code="+operatorKey, ""); w.Code != 404 {
		t.Errorf("an operator's key in the query: %d %s", w.Code, w.Body)
	}
}

// Who may not come in learns nothing, not even how long it takes to look.
func TestNothingIsReadForWhoMayNotComeIn(t *testing.T) {
	h := guarded(t)
	links := h.begin("Approve", "a")
	h.must(h.store.Close()) // any reading fails now
	get := func(method, target string) int {
		w := httptest.NewRecorder()
		h.serve(w, httptest.NewRequest(method, target, nil))
		return w.Code
	}
	for _, request := range [][2]string{
		{"GET", basePath + "/instances/a"},
		{"GET", basePath + "/instances/a?code=x"},
		{"GET", basePath + "/instances/b?code=" + codeOf(links.Status)},
		{"POST", basePath + "/instances/a/terminate?code=" + codeOf(links.Status)},
		{"POST", basePath + "/orchestrators/Echo?code=" + codeOf(links.Status)},
	} {
		if got := get(request[0], request[1]); got >= 500 {
			t.Errorf("%s: %d", request, got)
		}
	}
	if got := get("GET", links.Status); got != 500 {
		t.Errorf("a good link: %d", got)
	}
}

func TestADoorkeeperShowsNoKey(t *testing.T) {
	keeper, err := httpapi.NewDoorkeeper(linkKey, httpapi.DoorkeeperOptions{OperatorKeys: []string{operatorKey}})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "keeper", keeper, "options", httpapi.Options{Doorkeeper: keeper})
	text := fmt.Sprintf("%v %+v %#v %s %d %x %q", keeper, keeper, keeper, keeper, keeper, keeper, keeper) + fmt.Sprintf("%+v", *keeper) + log.String()
	for _, secret := range []string{string(linkKey), operatorKey, "48 49 50", "30313233"} {
		if strings.Contains(text, secret) {
			t.Errorf("it shows %s: %s", secret, text)
		}
	}
}

func TestAShortKeyMakesNoLinks(t *testing.T) {
	if _, err := httpapi.NewDoorkeeper(linkKey[1:], httpapi.DoorkeeperOptions{}); !errors.Is(err, httpapi.ErrShortKey) {
		t.Error(err)
	}
}

// All routes, in turn to nobody, to whoever has a link of another time, and to an
// operator when nothing works.
func TestEveryRouteAsksWhoCallsAndSaysWhenItIsBroken(t *testing.T) {
	h := guarded(t)
	mine := h.begin("Approve", "mine")
	h.clock.advance(httpapi.DefaultLifetime)
	send := func(r httpapi.Route, query string, headers ...string) *httptest.ResponseRecorder {
		method := r.Method
		if method == "" {
			method = "GET"
		}
		return h.post(method, basePath+"/"+strings.NewReplacer("{id}", "mine", "{name}", "Echo").Replace(r.Path)+query, headers...)
	}
	for _, r := range httpapi.Routes() {
		switch nobody := send(r, ""); {
		case r.Door == httpapi.Anyone:
			if nobody.Code != 200 {
				t.Errorf("%+v: %d", r, nobody.Code)
			}
		case nobody.Code != 401:
			t.Errorf("%+v: %d %s", r, nobody.Code, nobody.Body)
		case r.Door == httpapi.Operators:
			wantProblem(t, send(r, "?code="+codeOf(mine.Status)), 403, "operators-only")
		}
	}
	for _, d := range doors {
		wantProblem(t, h.with(d.method, basePath+"/instances/mine"+d.path+"?code="+codeOf(d.link(mine)), "1"), 410, "link-expired")
	}
	h.must(h.store.Close())
	for _, r := range httpapi.Routes() {
		if r.Path == "live" {
			continue // it goes on until things work again
		}
		w := send(r, "?createdTimeFrom=2026-01-01", asOperator)
		works := r.Door == httpapi.Anyone || strings.HasPrefix(r.Path, "entities") || r.Path == "makeprimary"
		if works == (w.Code == 500) {
			t.Errorf("%+v: %d %s", r, w.Code, w.Body)
		}
	}
}
