//go:build linux && !race

package pages_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
	"github.com/seed21523604/holdfast/engine/human/pages/browsertest"
)

func TestMain(m *testing.M) {
	defer browsertest.Stop()
	m.Run()
}

// desk is a site with a browser that sees it, and a tab.
type desk struct {
	*site
	browser *browsertest.Browser
	*browsertest.Tab
}

func newDesk(t *testing.T, o browsertest.Options, requests ...approval.Request) *desk {
	t.Helper()
	return deskAt(t, browsertest.Start(t).Tab(t, o), requests...)
}

// deskAt lets a tab see a new site, in the place of the one before.
func deskAt(t *testing.T, tab *browsertest.Tab, requests ...approval.Request) *desk {
	t.Helper()
	b, s := browsertest.Start(t), newSite(t, requests...)
	b.Serve(t, bureau.Origin, s.handler)
	b.Visits()
	return &desk{s, b, tab}
}

// records returns the decisions on the request of a link.
func (d *desk) records(l bureau.Link) []approval.Record {
	d.Helper()
	d.Settle()
	v, err := d.Door.Show(d.Context(), l.Instance, l.Page)
	d.Must(err)
	return v.Standing.State.Records()
}

// calm fails if the tab has troubles, or asked for anything that is not of the site.
func (d *desk) calm() {
	d.Helper()
	for _, trouble := range d.Troubles() {
		if !strings.Contains(trouble, "status of 410") { // of the page itself
			d.Errorf("the browser says %s", trouble)
		}
	}
	for _, address := range d.Asked() {
		isIcon := strings.HasPrefix(address, "data:image/svg+xml;") // of the browser's own controls
		if !isIcon && !strings.HasPrefix(address, bureau.Origin+"/api/approve/") {
			d.Errorf("asked for %s", address)
		}
	}
}

// shows fails if something cannot be read on the page.
func (d *desk) shows(parts ...string) {
	d.Helper()
	text := d.Text()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			d.Errorf("%q is not on the page:\n%s", part, text)
		}
	}
}

// one is a request that one person decides.
func one(title string) approval.Request {
	r := expense()
	r.Content.Title, r.Policy.Stages = title, r.Policy.Stages[:1]
	return r
}

// A person without a mouse opens the link, reads, fills in the form, and decides. The
// secret of the link is in nothing that is sent but the answer, and nothing keeps it.
func TestAPersonDecidesByTheKeysAlone(t *testing.T) {
	d := newDesk(t, browsertest.Options{}, one("Train to Bern"))
	l := d.Link(ann, "Train to Bern")
	d.Open(l.URL)
	d.shows("Your answer is wanted", "For Ann Smith (ann@example.org)", "Train to Bern", "CHF 84.00", "There is no other way.", rex, "Amount approved (required if you approve)")
	if browsertest.Eval[bool](d.Tab, "document.getElementById('token').checkVisibility()") {
		t.Error("the page asks for the end of a link that it has")
	}
	const next = browsertest.KeyTab
	d.Press(next, "84.5", next, "t", next, next, "11252026", next, next, "sic", next, "Fine with me.", next, browsertest.KeyDown)
	if got := browsertest.Eval[string](d.Tab, "JSON.stringify(Object.fromEntries(new FormData(document.forms[0])))"); !strings.Contains(got, `"verb":"approve"`) {
		t.Errorf("filled in %s", got)
	}
	if !d.Press(browsertest.KeyEnter) {
		t.Fatal("the form was not sent")
	}
	d.shows("This is decided", "approves: Fine with me.")
	if r := d.records(l); len(r) != 1 || r[0].Verb != approval.Approve || string(r[0].Fields["amount"]) != "84.5" || string(r[0].Fields["day"]) != `"2026-11-25"` {
		t.Errorf("%+v", r)
	}
	d.keeps(l)
	d.calm()
}

// keeps fails if the secret of a link went anywhere but into the bodies of answers, or
// stays anywhere.
func (d *desk) keeps(l bureau.Link) {
	d.Helper()
	sent := 0
	for _, v := range d.browser.Visits() {
		sent += strings.Count(v.Body, l.Token)
		v.Body = ""
		if text := fmt.Sprint(v); strings.Contains(text, l.Token) {
			d.Errorf("sent to the site: %s", text)
		}
	}
	if sent == 0 {
		d.Error("the secret was never sent")
	}
	if strings.Contains(d.Log.String(), l.Token) {
		d.Error("the secret is in the log")
	}
	const kept = "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, history.state, document.referrer, document.documentElement.outerHTML, name])"
	if text := browsertest.Eval[string](d.Tab, kept); strings.Contains(text, l.Token) {
		d.Errorf("the browser keeps it: %s", text)
	}
	if n := browsertest.Eval[int](d.Tab, "indexedDB.databases().then(all => all.length)"); n != 0 {
		d.Errorf("%d data bases", n)
	}
}

// Where scripts are off, the page shows the whole request, and takes the answer of
// somebody who copies the end of the link.
func TestThePageIsReadAndAnsweredWithoutJavaScript(t *testing.T) {
	d := newDesk(t, browsertest.Options{NoJavaScript: true}, one("Train to Bern"))
	l := d.Link(ann, "Train to Bern")
	d.Open(l.URL)
	d.shows("Your answer is wanted", "Train to Bern", "CHF 84.00", "There is no other way.", rex, "Thu 26 Nov 2026, 09:00 UTC", "Cost centre", "End of the link you were sent")
	d.Click("input[value=reject]")
	d.Type("#comment", "No.")
	d.Type("#token", l.URL)
	if !d.Click("button") {
		t.Fatal("the form was not sent")
	}
	d.shows("This is decided", "rejects: No.")
	d.calm()
}

// Whoever goes back, loads the page again, or clicks twice, does not decide again.
func TestADecisionIsMadeOnceHoweverOftenItIsSent(t *testing.T) {
	d := newDesk(t, browsertest.Options{}, one("Train to Bern"))
	l := d.Link(ann, "Train to Bern")
	d.Open(l.URL)
	d.Type("#field0", "84")
	d.Click("input[value=approve]")
	if !d.ClickTwice("button") {
		t.Fatal("the form was not sent")
	}
	d.shows("This is decided")
	d.Reload() // sends the form again
	d.shows("This is decided", `You answered "approve"`, "which stands")
	d.Back()
	d.shows("This is decided")
	if browsertest.Eval[int](d.Tab, "document.forms.length") != 0 {
		t.Error("there is a form after going back")
	}
	sent := 0
	for _, v := range d.browser.Visits() {
		if v.Method == "POST" {
			sent++
		}
	}
	if r := d.records(l); len(r) != 1 || r[0].Verb != approval.Approve || sent < 2 {
		t.Errorf("after %d answers: %+v", sent, r)
	}
}

// A page that is left open for too long tells what happened to the request.
func TestAPageLeftOpenTellsWhatHappened(t *testing.T) {
	for told, happens := range map[string]func(*desk){
		"The time to answer is over": func(d *desk) { d.Pass(25 * time.Hour) },
		"The request was taken back": func(d *desk) { d.post(d.requesters("r0", one("Train to Bern")), "verb", "recall") },
		"The request was stopped":    func(d *desk) { d.Must(d.Client.Terminate(d.Context(), "r0", "")); d.Settle() },
	} {
		t.Run(told, func(t *testing.T) {
			d := newDesk(t, browsertest.Options{}, one("Train to Bern"))
			l := d.Link(ann, "Train to Bern")
			d.Open(l.URL)
			happens(d)
			d.Type("#comment", "No.")
			d.Click("input[value=reject]")
			if !d.Click("button") {
				t.Fatal("the form was not sent")
			}
			d.shows(told)
			for _, r := range d.records(l) {
				if r.By == ann {
					t.Errorf("counted: %+v", r)
				}
			}
		})
	}
}

// What is wrong is told above the form, which keeps what was filled in, and the
// next try works without opening the link again.
func TestARefusedAnswerIsMendedOnTheSamePage(t *testing.T) {
	r := one("Train to Bern")
	r.Policy.Stages[0].Code, r.Policy.Form = true, nil
	d := newDesk(t, browsertest.Options{}, r)
	d.Open(d.Link(ann, "Train to Bern").URL)
	d.Click("input[value=reject]")
	d.Click("button")
	d.shows("The comment is missing: give a reason.")
	d.Type("#comment", "No.")
	d.Click("input[value=reject]")
	d.Click("button")
	d.shows("A code was sent to your phone; type it to answer.")
	d.see("refused")
	d.Click("input[value=reject]")
	d.Type("#code", d.Codes(annsPhone)[0])
	d.Click("button")
	d.shows("This is decided", "rejects: No.")
	d.keeps(d.Link(ann, "Train to Bern"))
}
