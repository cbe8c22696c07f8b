package reply_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/reply"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

const boss = "+447700900123"

var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// desk is a store with a worker, a book on it and who decides.
type desk struct {
	*reply.Listener
	t       *testing.T
	now     atomic.Int64
	store   *filestore.Store
	worker  *dispatch.Worker
	client  *client.Client
	decided map[string]string // by the id of the message
	wanted  map[string]bool
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, decided: map[string]string{}, wanted: map[string]bool{}}
	d.now.Store(start.UnixNano())
	now := func() time.Time { return time.Unix(0, d.now.Load()).UTC() }
	var err error
	d.store, err = filestore.Open(t.TempDir(), filestore.Options{Now: now})
	d.must(err)
	t.Cleanup(func() { d.store.Close() })
	r := engine.NewRegistry()
	reply.Add(r)
	d.worker = dispatch.New(d.store, r, dispatch.Options{Now: now, Logger: slog.New(slog.DiscardHandler)})
	sealer, err := human.NewSealer(make([]byte, human.KeySize))
	d.must(err)
	book := reply.NewBook(sealer.Name)
	d.client = client.New(d.worker.Instances(), client.Options{Now: now})
	book.Use(d.client)
	d.Listener = &reply.Listener{Book: book, Decider: d, Subscriber: d}
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// Decide notes the decision. A message that comes again changes nothing.
func (d *desk) Decide(_ context.Context, id string, r reply.Request, answer reply.Reply) (string, bool, error) {
	if _, again := d.decided[id]; !again {
		d.decided[id] = fmt.Sprint(answer.Verb, " ", r.Instance, " by ", r.Person, " ", answer.Reason)
	}
	return "Done: " + d.decided[id], true, nil
}

// Subscribe notes who wants messages.
func (d *desk) Subscribe(_ context.Context, number string, wanted bool) error {
	d.wanted[number] = wanted
	return nil
}

func (d *desk) open(number, instance string) string {
	d.t.Helper()
	ref, err := d.Book.Open(d.t.Context(), number, "key of "+instance, reply.Request{Instance: instance, Person: "boss", Title: "claim " + instance, Until: start.Add(24 * time.Hour)})
	d.must(err)
	return ref
}

func (d *desk) hear(id, body string) string {
	d.t.Helper()
	says, err := d.Hear(d.t.Context(), reply.Incoming{ID: id, From: boss, Body: body})
	d.must(err)
	return says
}

func TestAnAnswerReachesTheRequestOfItsReference(t *testing.T) {
	d := newDesk(t)
	one, two := d.open(boss, "one"), d.open(boss, "two")
	if one == two || !reply.IsRef(one) || d.open(boss, "one") != one {
		t.Fatal(one, two)
	}
	if says := d.hear("m1", "R "+two+" too dear"); says != "Done: reject two by boss too dear" {
		t.Error(says)
	}
	if says := d.hear("m2", "a "+strings.ToLower(one)); says != "Done: approve one by boss " {
		t.Error(says)
	}
	if len(d.decided) != 2 {
		t.Errorf("%v", d.decided)
	}
}

func TestAMessageThatComesAgainHasNoOtherEffectAndTheSameAnswer(t *testing.T) {
	d := newDesk(t)
	ref := d.open(boss, "one")
	first := d.hear("m1", "A "+ref)
	for range 100 {
		if says := d.hear("m1", "A "+ref); says != first {
			t.Fatal(says)
		}
	}
	if len(d.decided) != 1 {
		t.Errorf("%v", d.decided)
	}
	if says := d.hear("m2", "hello"); !strings.Contains(says, "Nothing waits") {
		t.Errorf("a request that is settled is said to be open: %s", says)
	}
}

func TestAnotherPhoneDecidesNothing(t *testing.T) {
	d := newDesk(t)
	ref := d.open(boss, "one")
	says, err := d.Hear(t.Context(), reply.Incoming{ID: "m1", From: "+447700900124", Body: "A " + ref})
	if err != nil || len(d.decided) != 0 || !strings.Contains(says, "No open request") {
		t.Errorf("%s %v %v", says, err, d.decided)
	}
}

func TestWhoOptsOutDecidesNothing(t *testing.T) {
	d := newDesk(t)
	d.open(boss, "one")
	for _, word := range []string{"STOP", "REVOKE", "CANCEL", "End"} {
		delete(d.wanted, boss)
		if says := d.hear(word, word); says != "" || len(d.decided) != 0 {
			t.Errorf("%s: %q, %v", word, says, d.decided)
		}
		if wanted, told := d.wanted[boss]; !told || wanted {
			t.Errorf("%s is not a wish for no messages", word)
		}
	}
	if d.hear("START", "START"); !d.wanted[boss] {
		t.Error("START is no wish for messages")
	}
}

func TestAReferenceIsOverInTime(t *testing.T) {
	d := newDesk(t)
	ref := d.open(boss, "one")
	d.now.Add(int64(24 * time.Hour))
	if says := d.hear("m1", "A "+ref); len(d.decided) != 0 || !strings.Contains(says, "No open request") {
		t.Errorf("%s %v", says, d.decided)
	}
	for more := true; more; {
		var err error
		more, err = d.worker.Step(t.Context())
		d.must(err)
	}
	if ref := d.open(boss, "two"); ref == "" {
		t.Error("no reference after the directory ended")
	}
}

func TestAPhoneHasSoManyOpenRequestsAndNoMore(t *testing.T) {
	d := newDesk(t)
	refs := map[string]bool{}
	for n := range reply.MostOpen {
		refs[d.open(boss, fmt.Sprint(n))] = true
	}
	_, err := d.Book.Open(t.Context(), boss, "k", reply.Request{Instance: "more", Until: start.Add(time.Hour)})
	if err == nil || len(refs) != reply.MostOpen {
		t.Errorf("%v, %d references", err, len(refs))
	}
}

// What does not fit ends no directory: the references in it would be forgotten.
func TestWhatDoesNotFitClosesNothing(t *testing.T) {
	d := newDesk(t)
	ref := d.open(boss, "one")
	directories, err := d.client.List(t.Context(), store.Query{})
	d.must(err)
	for _, in := range directories.Instances {
		for _, event := range []string{string(reply.Open), string(reply.Close)} {
			for _, payload := range []string{`null`, `"A"`, `{"ref":5}`, `[]`} {
				d.must(d.client.Raise(t.Context(), in.ID, event, client.Payload{Body: []byte(payload)}))
			}
		}
	}
	if says := d.hear("m1", "A "+ref); says != "Done: approve one by boss " {
		t.Error(says)
	}
}

func TestNoNumberIsStored(t *testing.T) {
	d := newDesk(t)
	d.open(boss, "one")
	var all strings.Builder
	d.must(d.store.Dump(&all))
	if strings.Contains(all.String(), "7700900") || !strings.Contains(all.String(), "claim one") {
		t.Error("the number is stored, or nothing was searched")
	}
}
