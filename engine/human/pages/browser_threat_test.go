//go:build linux && !race

package pages_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
	"github.com/seed21523604/holdfast/engine/human/pages/browsertest"
	"github.com/seed21523604/holdfast/engine/store"
)

// version returns how often an instance was written.
func (d *desk) version(id string) store.Version {
	d.Helper()
	d.Settle()
	in, err := d.Client.Get(d.Context(), id)
	d.Must(err)
	return in.Version
}

// posted returns how many answers came to the site since it was last asked.
func (d *desk) posted() (n int) {
	for _, v := range d.browser.Visits() {
		if v.Method == "POST" && strings.HasPrefix(v.URL, bureau.Origin+"/") {
			n++
		}
	}
	return n
}

// Scanners with a browser of their own, by 40 names, open links whole, let the scripts
// of the pages run, and wait until there is nothing more to do: 200 pages, or as many as
// HOLDFAST_BROWSER_PAGES says.
func TestWhoLooksAtALinkWithABrowserChangesNothing(t *testing.T) {
	const requests = 5
	wanted, _ := strconv.Atoi(os.Getenv("HOLDFAST_BROWSER_PAGES"))
	times := cmp.Or(wanted, 200) / len(lookers)
	var all []approval.Request
	for n := range requests {
		all = append(all, one(fmt.Sprint("Train ", n)))
	}
	d := newDesk(t, browsertest.Options{}, all...)
	var before []store.Version
	for n := range requests {
		before = append(before, d.version(fmt.Sprint("r", n)))
	}
	for n := range len(lookers) * times {
		if n%times == 0 {
			d.Be(browsertest.Options{UserAgent: lookers[n/times]})
		}
		d.Open(d.Link(ann, all[n%requests].Content.Title).URL)
	}
	d.shows("Your answer is wanted")
	d.calm()
	names := map[string]bool{}
	visits := d.browser.Visits()
	for _, v := range visits {
		if v.Method != "GET" || strings.Contains(v.URL, "#") {
			t.Errorf("sent %s %s", v.Method, v.URL)
		}
		names[v.Header.Get("User-Agent")] = true
	}
	if len(visits) != len(lookers)*times || len(names) != len(lookers) {
		t.Errorf("%d pages by %d names", len(visits), len(names))
	}
	for n := range requests {
		if now := d.version(fmt.Sprint("r", n)); now != before[n] {
			t.Errorf("request %d changed", n)
		}
		l := d.Link(ann, all[n].Content.Title)
		d.want(d.post(l, "verb", "approve", "field.amount", "84"), 200, "This is decided")
	}
}

// strangers are the origins of pages that are not the site's: of another site, another
// host of the same site, another port, and without the certificate.
var strangers = []string{"https://evil.example", "https://other.app.example", "https://app.example:444", "http://app.example"}

// strange is the page of a stranger, with the ways in which it sends the good answer
// that stands in it. Each returns a promise of when that was done.
const strange = `<!doctype html><title>Strange</title><iframe name=frame></iframe><form id=form method=post></form><script>
const form = document.getElementById('form'), frame = document.querySelector('iframe')
const url = %q, answer = {token: %q, verb: 'approve', 'field.amount': '84'}, body = () => new URLSearchParams(answer)
for (const [name, value] of Object.entries(answer)) form.insertAdjacentHTML('beforeend', '<input type=hidden name="' + name + '" value="' + value + '">')
const framed = (way, more = {}) => new Promise(done => { Object.assign(form, {action: url, target: 'frame', ...more}); frame.onload = () => done(way); form.submit() })
const fetched = (way, options) => fetch(url, {method: 'POST', body: body(), ...options}).then(() => way, () => way)
const sender = '<form method=post action="' + url + '">' + form.innerHTML + '</form><script>onload = () => document.forms[0].submit()</' + 'script>'
const boxed = (way, options) => new Promise(done => {
  const box = Object.assign(document.createElement('iframe'), options)
  let loads = 0
  box.onload = () => { if (++loads === 2) done(way) }
  document.body.append(box)
})
const ways = [
  () => framed('a form'),
  () => framed('a form of plain text', {enctype: 'text/plain'}),
  () => framed('a form in parts', {enctype: 'multipart/form-data'}),
  () => { document.head.append(Object.assign(document.createElement('meta'), {name: 'referrer', content: 'no-referrer'})); return framed('a form without a referrer') },
  () => fetched('fetch', {}),
  () => fetched('fetch, unseen', {mode: 'no-cors', credentials: 'include'}),
  () => fetched('fetch, unseen, without a referrer', {mode: 'no-cors', referrerPolicy: 'no-referrer'}),
  () => fetched('fetch, kept alive', {mode: 'no-cors', keepalive: true}),
  () => fetched('fetch as text', {mode: 'no-cors', body: body().toString(), headers: {'Content-Type': 'text/plain'}}),
  () => new Promise(done => { const x = new XMLHttpRequest(); x.onloadend = () => done('a request'); x.open('POST', url); x.send(body()) }),
  () => boxed('a sandbox', {sandbox: 'allow-scripts allow-forms', srcdoc: sender}),
  () => boxed('a data: page', {src: 'data:text/html,' + encodeURIComponent(sender)}),
]
</script><form method=post action=%q><input type=hidden name=token value=%q><input type=hidden name=verb value=approve><input type=hidden name=field.amount value=84><button>Win a prize</button></form>`

// Pages of other origins send the whole good answer in every way that browsers have:
// none is taken.
func TestPagesOfOtherOriginsDecideNothing(t *testing.T) {
	d := newDesk(t, browsertest.Options{}, one("Train to Bern"))
	l := d.Link(ann, "Train to Bern")
	before, address := d.version("r0"), strings.TrimSuffix(l.URL, "#"+l.Token)
	sent := 0
	for _, origin := range strangers {
		d.browser.Page(t, origin, fmt.Sprintf(strange, address, l.Token, address, l.Token))
		d.Open(origin + "/")
		for n := range browsertest.Eval[int](d.Tab, "ways.length") {
			way := browsertest.Eval[string](d.Tab, fmt.Sprintf("ways[%d]()", n))
			if d.version("r0") != before {
				t.Fatalf("%s from %s is taken", way, origin)
			}
		}
		if !d.Click("button") {
			t.Error("the page was not left")
		}
		d.shows("Answers are taken from this page only.")
		sent += d.posted()
	}
	if d.version("r0") != before {
		t.Error("an answer of another page was taken")
	}
	if want := len(strangers) * 13; sent != want {
		t.Errorf("%d answers came, want %d", sent, want)
	}
	d.want(d.post(l, "verb", "approve", "field.amount", "84"), 200, "This is decided")
}

// No page shows the request in a frame, so that nobody clicks on what they do not see.
func TestNoPageFramesAnother(t *testing.T) {
	d := newDesk(t, browsertest.Options{}, one("Train to Bern"))
	l := d.Link(ann, "Train to Bern")
	for _, origin := range append(strangers, "https://www.app.example") {
		d.browser.Page(t, origin, fmt.Sprintf("<iframe src=%q></iframe><object data=%q></object>", l.URL, l.URL))
		d.Open(origin + "/")
		refused := 0
		for _, said := range d.Troubles() {
			if strings.Contains(said, "frame-ancestors") {
				refused++
			}
		}
		if refused == 0 {
			t.Errorf("%s frames the page", origin)
		}
	}
}

// varied returns the n-th of many different requests.
func varied(n int) approval.Request {
	random := rand.New(rand.NewPCG(9, uint64(n)))
	chance := func(percent int) bool { return random.IntN(100) < percent }
	r := one(fmt.Sprint("Request ", n))
	form := r.Policy.Form
	r.Policy.Form = nil
	for _, f := range form {
		if chance(40) {
			f.Required = chance(50)
			r.Policy.Form = append(r.Policy.Form, f)
		}
	}
	r.Policy.Comment = []approval.Comment{"", approval.CommentOnReject, approval.CommentRequired}[random.IntN(3)]
	if chance(50) {
		r.Policy.Delegation = approval.Delegation{}
	}
	r.Policy.Stages[0].Code = chance(25)
	if chance(25) {
		r.Policy.Stages[0].Veto = []string{bob}
		r.Policy.People[bob] = approval.Contact{Phone: "+447700900456"}
	}
	return r
}

// A program that opens a link and uses whatever comes first, with the keys and the
// mouse, on 200 pages: it decides nothing, and the first thing it comes to is never to
// approve.
func TestWhateverIsFirstOnAPageDecidesNothing(t *testing.T) {
	const many = 200
	d := newDesk(t, browsertest.Options{})
	for n := range many {
		id, r := fmt.Sprint("v", n), varied(n)
		d.Must(r.Check())
		d.Ask(id, r)
		l := d.Link(ann, r.Content.Title)
		switch {
		case n%10 == 0:
			l = d.requesters(id, r)
		case n%10 == 1 && len(r.Policy.Stages[0].Veto) > 0:
			l = d.Link(bob, r.Content.Title)
		}
		before := d.version(id)
		d.Open(l.URL)
		d.Press(browsertest.KeyTab)
		const focus = "(e => [e.tagName, e.type, e.name, e.value, e.textContent].join(' '))(document.activeElement)"
		if first := browsertest.Eval[string](d.Tab, focus); approves.MatchString(first) || strings.HasPrefix(first, "BODY") {
			t.Errorf("%s: the first to take the focus is %q", id, first)
		}
		d.Press(browsertest.KeyEnter)
		d.Click("button")
		d.Press(browsertest.KeyEnter, browsertest.KeyTab, browsertest.KeyEnter)
		if sent := d.posted(); sent != 0 || d.version(id) != before {
			t.Fatalf("%s: %d answers were sent", id, sent)
		}
		if n%20 == 0 { // as a script does that does not care for what is required
			if !d.Run("document.forms[0].submit()") || d.posted() != 1 {
				t.Error("the form was not sent")
			}
			d.shows("Choose an answer.")
		}
	}
	d.Pass(time.Minute)
	for n := range many {
		for _, r := range d.records(d.Link(ann, fmt.Sprint("Request ", n))) {
			t.Errorf("decided: %+v", r)
		}
	}
}

var approves = regexp.MustCompile("(?i)approve")
