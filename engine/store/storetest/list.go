package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// list returns all that a query asks for, page by page.
func (b *bench) list(q store.Query) (all []store.Instance) {
	b.Helper()
	for {
		page, err := b.Store.List(b.ctx, q)
		b.must(err)
		if q.Limit > 0 && len(page.Instances) > q.Limit {
			b.Fatalf("a page of %d", len(page.Instances))
		}
		if strings.Trim(page.Next, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			b.Fatalf("the list goes on at %q", page.Next)
		}
		all = append(all, page.Instances...)
		if q.After = page.Next; q.After == "" {
			return all
		}
	}
}

func idsOf(instances []store.Instance) []string {
	ids := make([]string, len(instances))
	for i, in := range instances {
		ids[i] = in.ID
	}
	return ids
}

func listPages(b *bench) {
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("id-%02d", i)
		b.create(id)
		want = append(want, id)
	}
	b.equal("ids", idsOf(b.list(store.Query{Limit: 7})), want)
	b.equal("ids", idsOf(b.list(store.Query{Limit: 5000})), want)
}

// crowd creates instances that differ in all that a query can ask for, and
// returns them as a list should show them.
func (b *bench) crowd() (all []store.Instance) {
	b.Helper()
	// The order is that of all stores.
	ids := []string{"-", "Order 1", "Order 2", "it's 100%", "order", "order 1", "order-1", "order-10", "order-2", "orders", "z~", "été", "été-2", "日本"}
	statuses := []history.Status{history.Pending, history.Running, history.Completed, history.Failed, history.Suspended}
	for i, id := range ids {
		start := b.start("execution of " + id)
		start.Name = []string{"test", "it's", "Test"}[i%3]
		start.Tags = []map[string]string{nil, {"team": "red"}, {"team": "it's", "size": ""}}[i%3]
		b.must(b.Store.Create(b.ctx, id, start))
		if status := statuses[i%len(statuses)]; status != history.Pending {
			b.commit(b.turn(b.load(id), "turn of "+id, func(in *store.Instance) { in.Status = status }))
		}
		in, err := b.Store.Get(b.ctx, id)
		b.must(err)
		all = append(all, in)
		b.advance(time.Hour + time.Nanosecond)
	}
	return all
}

func listFilters(b *bench) {
	all := b.crowd()
	fifth, eighth := all[4].Created, all[7].Created
	for name, q := range map[string]store.Query{
		"all":                      {},
		"one status":               {Statuses: []history.Status{history.Running}},
		"two statuses":             {Statuses: []history.Status{history.Completed, history.Failed, history.Completed}},
		"every status":             {Statuses: []history.Status{0, 1, 2, 3, 4, 5, 6, 7}},
		"a status that none has":   {Statuses: []history.Status{history.Canceled}},
		"created from":             {CreatedFrom: fifth},
		"created after":            {CreatedFrom: fifth.Add(1)},
		"created up to":            {CreatedTo: fifth},
		"created before":           {CreatedTo: fifth.Add(-1)},
		"created between":          {CreatedFrom: fifth.In(time.FixedZone("", 7200)), CreatedTo: eighth},
		"created never":            {CreatedFrom: eighth, CreatedTo: fifth},
		"updated from":             {UpdatedFrom: all[4].Updated},
		"updated after":            {UpdatedFrom: all[4].Updated.Add(1)},
		"updated never":            {UpdatedFrom: all[len(all)-1].Updated.Add(1)},
		"a name":                   {Name: "test"},
		"a name with a quote":      {Name: "it's"},
		"a name that is a filter":  {Name: "' or Name ne '"},
		"a tag":                    {Tags: map[string]string{"team": "red"}},
		"two tags, one empty":      {Tags: map[string]string{"team": "it's", "size": ""}},
		"a tag that none has":      {Tags: map[string]string{"team": "blue"}},
		"a prefix":                 {IDPrefix: "order"},
		"a prefix that is an id":   {IDPrefix: "order-1"},
		"a prefix with a quote":    {IDPrefix: "it'"},
		"a prefix with a tilde":    {IDPrefix: "z~"},
		"a prefix with an accent":  {IDPrefix: "é"},
		"a prefix of another case": {IDPrefix: "O"},
		"half a character":         {IDPrefix: "\xc3"},
		"a prefix that none has":   {IDPrefix: "order-3"},
		"everything at once":       {Statuses: []history.Status{history.Running, history.Completed}, CreatedFrom: all[0].Created, CreatedTo: eighth, UpdatedFrom: all[1].Updated, Name: "it's", IDPrefix: "o"},
	} {
		var want []string
		for _, in := range all {
			if q.Matches(&in) {
				want = append(want, in.ID)
			}
		}
		for _, limit := range []int{0, 1, 3} {
			q.Limit = limit
			if got := idsOf(b.list(q)); !slices.Equal(got, want) {
				b.Errorf("%s, %d to a page: %q, want %q", name, limit, got, want)
			}
		}
	}
}

func listBare(b *bench) {
	b.create("a")
	b.commit(b.turn(b.load("a"), "t1", func(in *store.Instance) {
		in.Status, in.Output, in.CustomStatus = history.Completed, json.RawMessage("1"), json.RawMessage("2")
	}))
	b.create("b")
	b.commit(b.turn(b.load("b"), "t2", func(in *store.Instance) {
		in.Status, in.Failure = history.Failed, &history.Failure{Kind: "k", Message: "m"}
	}))
	all := b.list(store.Query{})
	if len(all) != 2 || all[0].Input == nil || all[0].Output == nil || all[0].CustomStatus == nil || all[1].Failure == nil {
		b.Fatalf("%+v", all)
	}
	for i := range all {
		all[i].Strip()
	}
	b.equal("bare list", b.list(store.Query{Bare: true}), all)
}

func listGoesOn(b *bench) {
	for _, id := range []string{"a", "b", "c", "d"} {
		b.create(id)
	}
	first, err := b.Store.List(b.ctx, store.Query{Limit: 2})
	b.must(err)
	b.commit(b.turn(b.load("b"), "t1", ended))
	b.must(b.Store.Purge(b.ctx, "b"))
	b.create("aa")
	b.equal("what follows", idsOf(b.list(store.Query{Limit: 2, After: first.Next})), []string{"c", "d"})
	for _, place := range []string{"?", "a b", "_w"} {
		_, err := b.Store.List(b.ctx, store.Query{After: place})
		b.want(err, store.ErrBadPage)
	}
}
