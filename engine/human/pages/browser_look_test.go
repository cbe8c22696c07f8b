//go:build linux && !race

package pages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
	"github.com/seed21523604/holdfast/engine/human/pages/browsertest"
)

// sights are the pages that there are, as one comes to see them.
var sights = map[string]func(d *desk) bureau.Link{
	"decide": func(d *desk) bureau.Link { return d.Link(ann, "Train to Bern") },
	"plain":  func(d *desk) bureau.Link { return d.Link(ann, "Secret") },
	"second": func(d *desk) bureau.Link {
		d.post(d.Link(ann, "Train to Bern"), "verb", "approve", "field.amount", "84", "comment", "Fine with me.")
		return d.Link(bob, "Train to Bern")
	},
	"decided": func(d *desk) bureau.Link {
		l := d.Link(ann, "Train to Bern")
		d.post(l, "verb", "reject", "comment", "We can meet by video.\nAsk again in spring.")
		return l
	},
	"expired": func(d *desk) bureau.Link { d.Pass(25 * time.Hour); return d.Link(ann, "Train to Bern") },
	"recalled": func(d *desk) bureau.Link {
		d.post(d.requesters("r0", expense()), "verb", "recall", "comment", "We take the car.")
		return d.Link(ann, "Train to Bern")
	},
	"requester": func(d *desk) bureau.Link {
		d.post(d.Link(ann, "Train to Bern"), "verb", "approve", "field.amount", "84")
		return d.requesters("r0", expense())
	},
	"not your turn": func(d *desk) bureau.Link { return d.early() },
	"changed": func(d *desk) bureau.Link {
		l := d.Link(ann, "Train to Bern")
		d.change("r0")
		return l
	},
	"anew": func(d *desk) bureau.Link { d.change("r0"); return d.Link(ann, "Train to Basel") },
	"locked": func(d *desk) bureau.Link {
		l := d.Link(ann, "Secret")
		for n := range 4 {
			d.post(l, "verb", "approve", "code", fmt.Sprint(n))
		}
		return l
	},
	"stopped": func(d *desk) bureau.Link {
		d.Must(d.Client.Terminate(d.Context(), "r0", ""))
		d.Settle()
		return d.Link(ann, "Train to Bern")
	},
	"no link": func(*desk) bureau.Link {
		return bureau.LinkOf(bureau.Origin + "/api/approve/r0/AAAAAAAAAAAAAAAAAAAAAA#x")
	},
	"long": func(d *desk) bureau.Link { return d.Link(ann, long().Content.Title) },
}

func (d *desk) change(id string) {
	d.Helper()
	to := &approval.Content{Title: "Train to Basel", Details: expense().Content.Details}
	_, err := d.Door.AnswerAs(d.Context(), id, door.Person{ID: rex, Via: approval.ViaSignIn}, door.About{}, door.Answer{Verb: approval.Change, Content: to})
	d.Must(err)
	d.Settle()
}

// secret is a request that takes a code.
func secret() approval.Request {
	r := one("Secret")
	r.Policy.Form, r.Policy.Delegation, r.Policy.Comment, r.Policy.Stages[0].Code = nil, approval.Delegation{}, "", true
	return r
}

// long is a request of texts without a place to break them, in a zone of its own.
func long() approval.Request {
	r := one("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft")
	r.Policy.Calendar = &approval.Calendar{Zone: "Europe/Zurich", Hours: []approval.Hours{{Days: []approval.Weekday{approval.Weekday(time.Monday)}, Close: 24 * 60}}}
	r.Content.Details = []approval.Detail{
		{Label: strings.Repeat("Label", 12), Text: strings.Repeat("0123456789abcdef", 16)},
		{Label: "סכום", Text: "שלום 84.00 CHF"},
		{Label: "Lines", Text: "one\n\n  two, indented\nthree"},
	}
	r.Policy.Form[1].Choices = append(r.Policy.Form[1].Choices, strings.Repeat("choice-", 12))
	r.Policy.Form[4].Label = strings.Repeat("Erläuterung", 8)
	return r
}

// Every page can be read on a small phone and on a large screen, by day and by night,
// and by those who have pages read to them. HOLDFAST_PICTURES may name a folder, which
// gets a picture of each.
func TestEveryPageIsFitToBeSeen(t *testing.T) {
	tab := browsertest.Start(t).Tab(t, browsertest.Options{Zone: "Europe/Zurich"})
	for name, sight := range sights {
		d := deskAt(t, tab, expense(), secret(), long())
		l := sight(d)
		d.Be(browsertest.Options{Width: 320, Height: 640, Scheme: "light"})
		d.Open(l.URL)
		d.see(name + " 320")
		d.Be(browsertest.Options{Width: 390, Height: 844})
		d.picture(name + " 390")
		d.Be(browsertest.Options{Width: 1024, Height: 768, Scheme: "dark"})
		d.see(name + " dark")
		d.speak(name)
		d.calm()
	}
}

// The deadline is told by the clock of the stage, and by the reader's if that differs.
func TestTheDeadlineIsToldByTheClocksThatDiffer(t *testing.T) {
	d := newDesk(t, browsertest.Options{}, long())
	for zone, more := range map[string]string{
		"Europe/Zurich": "", "Africa/Lagos": "", "Asia/Kolkata": ", which is Thu, Nov 26, 2:30 PM where you are", "America/St_Johns": ", which is Thu, Nov 26, 5:30 AM where you are",
	} {
		d.Be(browsertest.Options{Zone: zone})
		d.Open("about:blank")
		d.Open(d.Link(ann, long().Content.Title).URL)
		if got, want := browsertest.Eval[string](d.Tab, "document.querySelector('time').textContent"), "Thu 26 Nov 2026, 10:00 CET (09:00 UTC)"+more; strings.Join(strings.Fields(got), " ") != want {
			t.Errorf("in %s: %s, want %s", zone, got, want)
		}
	}
}

// see fails if what the tab shows cannot be read well.
func (d *desk) see(name string) {
	d.Helper()
	for _, what := range d.Sideways() {
		d.Errorf("%s: wider than the window: %s", name, what)
	}
	for _, what := range d.Faint() {
		d.Errorf("%s: little contrast: %s", name, what)
	}
	for _, line := range d.Reordered() {
		d.Errorf("%s: in another order: %s", name, line)
	}
	d.picture(name)
}

// picture takes a picture, where it is wanted.
func (d *desk) picture(name string) {
	d.Helper()
	if folder := os.Getenv("HOLDFAST_PICTURES"); folder != "" {
		d.Shot(filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".png"))
	}
}

// speak fails if something to use has no name, or two have the same.
func (d *desk) speak(name string) {
	d.Helper()
	seen := map[browsertest.Control]bool{}
	for _, c := range d.Controls() {
		if c.Name == "" || seen[c] {
			d.Errorf("%s: a %s is called %q", name, c.Role, c.Name)
		}
		seen[c] = true
	}
	const page = "[document.documentElement.lang, document.title, document.querySelectorAll('h1').length, document.querySelectorAll('main').length].join('|')"
	if got, want := browsertest.Eval[string](d.Tab, page), "en|"+browsertest.Eval[string](d.Tab, "document.querySelector('h1').textContent")+"|1|1"; got != want {
		d.Errorf("%s: language, title, headings, main: %s, want %s", name, got, want)
	}
}
