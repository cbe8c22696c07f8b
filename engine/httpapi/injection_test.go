package httpapi_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/store"
)

// keyless are the characters that no key of a table may hold.
func keyless() []rune {
	points := []rune{'/', '\\', '#', '?'}
	for r := rune(0); r < 0xA0; r++ {
		if r < 0x20 || r >= 0x7F {
			points = append(points, r)
		}
	}
	return points
}

// Every character that no key may hold, at the beginning, in the middle and at the
// end of all that a caller may choose: it is refused, or taken and found again.
func TestNoCharacterBreaksAKey(t *testing.T) {
	h := newHubIn(t, inCloud, client.Options{})
	h.bring("Running", "target")
	h.bring("Running", "keyed")
	entries := []struct {
		name string
		want int
		ask  func(text, escaped string) *httptest.ResponseRecorder
	}{
		{"the id of a start", 400, func(_, e string) *httptest.ResponseRecorder { return h.ask("POST", "/orchestrators/Later/"+e, "") }},
		{"the id of a status", 404, func(_, e string) *httptest.ResponseRecorder { return h.ask("GET", "/instances/"+e, "") }},
		{"the id of an event", 404, func(_, e string) *httptest.ResponseRecorder {
			return h.ask("POST", "/instances/"+e+"/raiseEvent/Approval", "1")
		}},
		{"the id of a purge", 404, func(_, e string) *httptest.ResponseRecorder { return h.ask("DELETE", "/instances/"+e, "") }},
		{"the beginning of ids", 200, func(_, e string) *httptest.ResponseRecorder {
			return h.ask("GET", "/instances?instanceIdPrefix="+e, "")
		}},
		{"the name of an event", 202, func(_, e string) *httptest.ResponseRecorder {
			return h.ask("POST", "/instances/target/raiseEvent/"+e, "1")
		}},
		{"the reason of a suspension", 202, func(_, e string) *httptest.ResponseRecorder {
			return h.ask("POST", "/instances/target/suspend?reason="+e, "")
		}},
		{"the reason of a resumption", 202, func(_, e string) *httptest.ResponseRecorder {
			return h.ask("POST", "/instances/target/resume?reason="+e, "")
		}},
		{"an idempotency key", 400, func(text, _ string) *httptest.ResponseRecorder {
			return h.with("POST", basePath+"/instances/keyed/raiseEvent/Other", "1", "Idempotency-Key: "+text)
		}},
		{"where a list goes on", 400, func(text, _ string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", basePath+"/instances", nil)
			r.Header.Set("x-ms-continuation-token", text)
			return h.send(r)
		}},
	}
	tried := 0
	var texts []string
	for _, r := range keyless() {
		for _, text := range []string{string(r) + "ab", "a" + string(r) + "b", "ab" + string(r)} {
			texts = append(texts, text)
			for _, entry := range entries {
				want := entry.want
				if entry.name == "an idempotency key" && strings.ContainsRune("/\\#?", r) {
					want = 202 // it is visible
				}
				if w := entry.ask(text, url.PathEscape(text)); w.Code != want {
					t.Errorf("%q as %s: %d %s, want %d", text, entry.name, w.Code, w.Body, want)
				}
				tried++
			}
		}
	}
	if tried < 2070 {
		t.Errorf("%d requests", tried)
	}
	events, err := h.client.History(t.Context(), "target")
	h.must(err)
	var names, reasons []string
	for _, e := range events {
		if e.Kind == history.EventRaised && e.Name != string(approval) {
			names = append(names, e.Name)
		}
		if e.Kind == history.ExecutionSuspended {
			reasons = append(reasons, e.Reason)
		}
	}
	if !slices.Equal(names, texts) || !slices.Equal(reasons, texts) {
		t.Errorf("of %d texts %d came back as names and %d as reasons", len(texts), len(names), len(reasons))
	}
}

// injections are texts that would mean something else in a filter if they were
// put into it as they are.
func injections() (all []string) {
	quotes := []string{"'", "''", "'''", "%27", "\u2018", "\u2019", "\u02bc", "\uff07", "\"", "`", "\\'", "&#39;", "\x00'", "'\u200b"}
	tails := []string{
		" or 1 eq 1", " or true", " or PartitionKey ne ", ";", " and 1 eq 2", ") or (1 eq 1", " or Name ge ", " eq Name or ", "--", " or RuntimeStatus eq 'Pending", " or startswith(Name,", " or not false",
		"&$filter=true", "&$top=1", "?$select=Name", "\n or 1 eq 1", "\tor\t1\teq\t1", "/**/or/**/1", " OR 1 EQ 1", " oder 1", " xor true", "|", "*", "%", "_", "\u0000",
	}
	for _, word := range []string{"", "a", "Echo", "Pending", "guid", "datetime", "X"} {
		for _, quote := range quotes {
			all = append(all, word+quote)
			for _, tail := range tails {
				all = append(all, word+quote+tail, quote+tail+quote)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Whatever a list is asked for, it shows what the query means, and nothing else:
// the text is only ever compared.
func TestAListShowsWhatIsAskedForWhateverTheTextSays(t *testing.T) {
	h := newHubIn(t, inCloud, client.Options{}, func(o *httpapi.Options) { o.Orchestrators = nil })
	texts := injections()
	var instances []store.Instance
	for n := 0; n < len(texts); n += 100 {
		id := texts[n]
		if history.CheckID(id) != nil {
			id = fmt.Sprint("i", n)
		}
		_, err := h.client.Start(t.Context(), texts[n], id, nil)
		h.must(err)
		in, err := h.client.Get(t.Context(), id)
		h.must(err)
		instances = append(instances, in)
	}
	for n, id := range []string{"a", "Echo", "guid", "X'"} {
		_, err := h.client.Start(t.Context(), []string{"a", "Echo", "guid", "X"}[n], id, nil)
		h.must(err)
		in, err := h.client.Get(t.Context(), id)
		h.must(err)
		instances = append(instances, in)
	}
	found := 0
	for n, text := range texts {
		for query, q := range asks(n, text) {
			got := h.everyID(query + "=" + url.QueryEscape(text))
			var want []string
			for _, in := range instances {
				if q.Matches(&in) {
					want = append(want, in.ID)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s=%q: %q, want %q", query, text, got, want)
			}
			found += len(got)
		}
	}
	if len(texts) < 2000 || found < 100 {
		t.Errorf("%d texts found %d instances", len(texts), found)
	}
}

// asks returns in which parameters a text is put, and what is meant by it there. A
// status or a time that is none is not heard.
func asks(n int, text string) map[string]store.Query {
	switch n % 10 {
	case 0:
		return map[string]store.Query{"name": {Name: text}, "instanceIdPrefix": {IDPrefix: text}, "runtimeStatus": {}}
	case 5:
		return map[string]store.Query{"name": {Name: text}, "instanceIdPrefix": {IDPrefix: text}, "createdTimeFrom": {}}
	}
	if n%2 == 0 {
		return map[string]store.Query{"name": {Name: text}}
	}
	return map[string]store.Query{"instanceIdPrefix": {IDPrefix: text}}
}
