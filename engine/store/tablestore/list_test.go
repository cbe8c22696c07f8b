package tablestore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// before reports whether Azure sorts one key before another.
func before(a, b string) bool {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b))) < 0
}

func FuzzSuccessor(f *testing.F) {
	for _, prefix := range []string{"a", "order-", "~", "\uffff", "a\uffff\uffff", "\ud7ff", "\U0001F600", "\U000103FF", "\U0010FFFF", "a\U0010FFFF", "é"} {
		for _, key := range []string{prefix, prefix + "\uffff", prefix + "\U0010FFFF", "b", "\U00010000", "\ue000", "\u00a0"} {
			f.Add(prefix, key)
		}
	}
	f.Fuzz(func(t *testing.T, prefix, key string) {
		prefix, key = encodeKey(prefix), encodeKey(key)
		if prefix == "" || !utf8.ValidString(prefix) || !utf8.ValidString(key) {
			return
		}
		end, bounded := successor(prefix)
		if !utf8.ValidString(end) || bounded && !before(prefix, end) {
			t.Fatalf("%q follows %q", end, prefix)
		}
		within := !before(key, prefix) && (!bounded || before(key, end))
		if within != strings.HasPrefix(key, prefix) {
			t.Errorf("%q is within %q and %q: %v", key, prefix, end, within)
		}
	})
}

func TestAListAsksForNoMoreThanAzureTakes(t *testing.T) {
	q := store.Query{Name: "n", IDPrefix: "p", CreatedFrom: exactly("2026-01-01T00:00:00.000000001Z"), CreatedTo: exactly("9999-12-31T23:59:59.999999999Z")}
	for s := history.Running; s <= history.Suspended; s++ {
		q.Statuses = append(q.Statuses, s, s)
	}
	f := string(filterOf(&q))
	comparisons := 0
	for _, operator := range []string{" eq ", " ge ", " le ", " lt "} {
		comparisons += strings.Count(f, operator)
	}
	if comparisons != 13 {
		t.Errorf("%d comparisons: %s", comparisons, f)
	}
	q.Limit = 5000
	options, err := listOptions(&q)
	if err != nil || *options.Top != 1000 {
		t.Errorf("%d at a time, %v", *options.Top, err)
	}
}

// gaps answers queries as Azure may: with an empty page that says where to go on,
// then half of the page, then the rest.
type gaps struct {
	mu      sync.Mutex
	n       int
	pending map[string][]*http.Response
	empty   int // pages given out
}

// nextPartition is the header, and the parameter, with which a list goes on.
const nextPartition = "NextPartitionKey"

// Do is called by the SDK for every attempt.
func (g *gaps) Do(r *policy.Request) (*http.Response, error) {
	if r.Raw().Method != http.MethodGet || !strings.HasSuffix(r.Raw().URL.Path, "()") {
		return r.Next()
	}
	g.mu.Lock()
	place := r.Raw().URL.Query().Get(nextPartition)
	rest, held := g.pending[place]
	delete(g.pending, place)
	g.mu.Unlock()
	if !held {
		answer, err := r.Next()
		if err != nil || answer.StatusCode != http.StatusOK {
			return answer, err
		}
		if rest, err = halves(answer); err != nil {
			return nil, err
		}
		rest = append([]*http.Response{pageOf(answer, nil)}, rest...)
	}
	if len(rest) == 1 {
		return rest[0], nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
	g.empty++
	place = fmt.Sprint("gap-", g.n)
	g.pending[place] = rest[1:]
	rest[0].Header = http.Header{"Content-Type": {"application/json"}}
	rest[0].Header.Set("X-Ms-Continuation-"+nextPartition, place)
	return rest[0], nil
}

// halves splits a page. The second half goes on where the page did.
func halves(answer *http.Response) ([]*http.Response, error) {
	var page struct {
		Value []json.RawMessage `json:"value"`
	}
	text, err := io.ReadAll(answer.Body)
	if err == nil {
		err = json.Unmarshal(text, &page)
	}
	half := len(page.Value) / 2
	return []*http.Response{pageOf(answer, page.Value[:half]), pageOf(answer, page.Value[half:])}, err
}

func pageOf(answer *http.Response, rows []json.RawMessage) *http.Response {
	if rows == nil {
		rows = []json.RawMessage{}
	}
	text, err := json.Marshal(map[string]any{"value": rows})
	if err != nil {
		panic(err) // it was JSON before
	}
	page := *answer
	page.Body, page.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return &page
}

// Azurite never returns an empty page that goes on; Azure does.
func TestEmptyAndShortPagesLoseNothing(t *testing.T) {
	g := &gaps{pending: map[string][]*http.Response{}}
	d := newDesk(t, func(o *Options) { o.Client.PerCallPolicies = append(o.Client.PerCallPolicies, g) })
	for i := range 5 {
		d.start("patient", fmt.Sprint("due-", i), "1h") // a due row each
	}
	d.start("fanOut", "a", 20)
	d.ended("a", "210")
	d.openWorker(d.opened.o) // with nothing in memory
	state, err := d.opened.Load(t.Context(), "a", "")
	d.must(err)
	whole, err := d.store.Load(t.Context(), "a", "")
	d.must(err)
	if len(state.History) != len(whole.History) || len(state.History) < 40 {
		t.Errorf("%d events of %d", len(state.History), len(whole.History))
	}
	var ids []string
	pages := 0
	for q := (store.Query{Limit: 4}); ; pages++ {
		page, err := d.opened.List(t.Context(), q)
		d.must(err)
		for _, in := range page.Instances {
			ids = append(ids, in.ID)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if want := []string{"a", "due-0", "due-1", "due-2", "due-3", "due-4"}; !slices.Equal(ids, want) || pages < 5 {
		t.Errorf("%q on %d pages", ids, pages)
	}
	d.advance(d.opened.o.Horizon)
	d.work()
	d.advance(d.opened.o.Horizon * 6)
	d.work()
	for i := range 5 {
		d.ended(fmt.Sprint("due-", i), "false")
	}
	n, err := d.client.PurgeMany(t.Context(), store.Query{})
	d.must(err)
	if n != 6 || len(d.rows(d.store.history)) != 0 || len(d.rows(d.store.instances)) != 0 {
		t.Errorf("%d were purged; %d and %d rows are left", n, len(d.rows(d.store.history)), len(d.rows(d.store.instances)))
	}
	if g.empty < 20 {
		t.Errorf("%d pages were cut short", g.empty)
	}
}

// exactly returns the time that a text stands for.
func exactly(text string) time.Time {
	at, err := parseTime(text)
	if err != nil {
		panic(err)
	}
	return at
}

// rows returns all rows of a table.
func (d *desk) rows(table *aztables.Client) (rows []entity) {
	d.Helper()
	d.must(query(d.Context(), table, "", "", func(e entity) error { rows = append(rows, e); return nil }))
	return rows
}
