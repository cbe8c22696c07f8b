package pages_test

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/canary"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
)

// flows is how many there are: as many as HOLDFAST_LEAK_FLOWS says, or a thousand with
// HOLDFAST_THREATS=full.
var flows = func() int {
	n, _ := strconv.Atoi(os.Getenv("HOLDFAST_LEAK_FLOWS"))
	if os.Getenv("HOLDFAST_THREATS") == "full" && slow == 1 {
		n = cmp.Or(n, 1000)
	}
	return cmp.Or(n, 200/slow)
}()

// In each flow a code, a guess, and the secrets of three links go by, and much goes
// wrong. None of them is found in anything that was sent to the tables,
// the queue and the blobs, in the log, or, but for the one that is in its address, on a page.
func TestNoSecretOfAFlowIsFoundAnywhere(t *testing.T) {
	b := bureau.NewInAccount(t)
	s := newSiteOf(b)
	secrets, pages := canary.New(), canary.New()
	var shown strings.Builder
	for n := range flows {
		f := flow{site: s, title: fmt.Sprint("Flow ", n), phone: fmt.Sprintf("+4477%08d", n), shown: &shown}
		f.run(n)
		for _, l := range f.links {
			secrets.Add(t, l.Token)
			pages.Add(t, l.Page)
		}
		secrets.Add(t, f.codes...)
	}
	stored := map[string]string{"what was stored": b.Wire.String(), "the log": b.Log.String()}
	for place, text := range stored {
		if found := pages.In([]byte(text)); len(found) > 0 {
			t.Errorf("%s has %d secrets of pages", place, len(found))
		}
	}
	stored["the pages"] = shown.String()
	searched := 0
	for place, text := range stored {
		searched += len(text)
		if found := secrets.In([]byte(text)); len(found) > 0 {
			t.Errorf("%s has %d secrets, such as %s", place, len(found), found[0])
		}
	}
	if found := pages.In([]byte(shown.String())); len(found) == 0 || len(stored["the log"]) == 0 || !strings.Contains(stored["what was stored"], "Flow 1") {
		t.Error("the search would not find anything")
	}
	t.Logf("searched %d bytes for %d tokens, codes and guesses", searched, secrets.Len())
}

// flow is one request with what goes by in it.
type flow struct {
	*site
	title, phone string
	shown        *strings.Builder
	links        []bureau.Link
	codes        []string
}

// run lets a request be decided, after much that is wrong.
func (f *flow) run(n int) {
	f.Helper()
	r := expense()
	r.Content.Title, r.Policy.Form = f.title, nil
	r.Policy.People = map[string]approval.Contact{ann: {Phone: f.phone}}
	r.Policy.Stages[0].Code = true
	f.Ask(fmt.Sprint("flow", n), r)
	first := f.keep(ann)
	f.say(first, 403, "verb", "approve", "token", first.Token[:40])
	f.say(first, 422, "verb", "approve")
	sent := f.Codes(f.phone)
	guess := fmt.Sprintf("9%09d", n)
	f.codes = append(f.codes, sent[0], guess)
	f.say(first, 422, "verb", "approve", "code", guess)
	f.raise(sent[0], n)
	f.say(first, 422, "verb", "reject", "code", sent[0])
	f.say(first, 200, "verb", "approve", "comment", "fine", "code", sent[0])
	f.say(first, 409, "verb", "reject", "comment", "no")
	second := f.keep(bob)
	f.shown.WriteString(f.do("GET", second, nil).Body.String())
	f.say(second, 200, "verb", []string{"approve", "reject"}[n%2], "comment", "so")
	f.shown.WriteString(f.do("GET", f.keep(rex), nil).Body.String())
}

// keep notes the link that a person got.
func (f *flow) keep(to string) bureau.Link {
	f.Helper()
	l := f.Link(to, f.title)
	f.links = append(f.links, l)
	return l
}

// say answers by a link, and keeps the page.
func (f *flow) say(l bureau.Link, want int, pairs ...string) {
	f.Helper()
	w := f.post(l, pairs...)
	f.shown.WriteString(w.Body.String())
	f.want(w, want)
}

// raise sends a code to where it does not belong: to the verification under names that
// are nearly right.
func (f *flow) raise(code string, n int) {
	f.Helper()
	v, err := f.Door.Show(f.Context(), fmt.Sprint("flow", n), f.links[0].Page)
	f.Must(err)
	id := ""
	for _, l := range v.Links {
		if l.Opens(f.links[0].Token) {
			id = "code-" + l.Token + "-1"
		}
	}
	for _, name := range []string{"smsChallengeResponse", "{eventName}", "Code"} {
		body := []byte(`{"code":"` + code + `"}`)
		if err := f.Client.Raise(f.Context(), id, name, client.Payload{Body: body}); err != nil {
			f.Error(err)
		}
	}
}
