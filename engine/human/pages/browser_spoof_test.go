//go:build linux && !race

package pages_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/pages/browsertest"
	"github.com/seed21523604/holdfast/engine/human/spoofs"
)

// 1,500 texts, each shown by the browser or refused before it gets there: nothing in
// them runs, loads, becomes an element, or turns the order of letters around, and people
// read them as they were written.
func TestTheBrowserShowsWhatPeopleWriteAsText(t *testing.T) {
	var lines, texts []string // what is taken as a title, and what only where there are lines
	refused := map[spoofs.Kind]int{}
	for _, s := range spoofs.All() {
		switch {
		case isTaken(wall{Title: s.Text}):
			lines = append(lines, s.Text)
		case isTaken(wall{Texts: []string{s.Text}}):
			texts = append(texts, s.Text)
		default:
			refused[s.Kind]++
		}
	}
	t.Logf("%d lines and %d texts are shown, %v are refused", len(lines), len(texts), refused)
	if got := len(spoofs.Of(spoofs.Hidden)) - refused[spoofs.Hidden]; got != 0 {
		t.Errorf("%d texts with characters that nobody sees are taken", got)
	}
	if n := len(lines) + len(texts); n < 900 {
		t.Errorf("only %d texts are shown", n)
	}
	d := newDesk(t, browsertest.Options{})
	clean := d.show(wall{Said: "plain"})
	for all := slices.Collect(slices.Chunk(lines, walls)); len(all) > 0; all = all[1:] {
		w := wallOf(all[0])
		if len(texts) > 0 {
			n := min(len(texts), 4)
			w.Texts, texts = append(w.Texts, texts[:n]...), texts[n:]
		}
		if got := d.show(w); got != clean {
			t.Errorf("%q change the page from\n%s to\n%s", w, clean, got)
		}
	}
	if len(texts) > 0 {
		t.Errorf("%d texts are left", len(texts))
	}
}

// What is written from right to left stays where it stands: what the page says around it
// is read from left to right, and two such texts do not change places.
func TestWhatIsWrittenFromRightToLeftTurnsNothingAround(t *testing.T) {
	const name, dana, said = "רוני 100", "דנה", "בסדר, 84.00"
	r := request(wall{Title: "רכבת לברן 2", Name: name, Label: "סכום 5", Choice: "כן 1", Labels: []string{"סיבה (1)"}, Texts: []string{"אין דרך אחרת. 001 CHF"}})
	d := newDesk(t, browsertest.Options{}, r)
	d.want(d.post(linkTo(d.Sent(), "r0", bob), "verb", "delegate", "to", dana, "comment", said), 200)
	l := d.Link(ann, r.Content.Title)
	d.Open(l.URL)
	d.Click("input[value=approve]")
	d.Click("button") // so that what is wrong is told with the label
	d.shows("סכום 5 is missing.", "hands it on to "+dana+": "+said, name+" ("+rex+")")
	for _, line := range d.Reordered() {
		t.Errorf("in another order: %s", line)
	}
	const places = "[...document.querySelectorAll('dd:has(bdi + bdi) bdi')].map(e => e.getBoundingClientRect().left)"
	if at := browsertest.Eval[[]float64](d.Tab, places); len(at) != 4 || at[0] >= at[1] || at[2] >= at[3] {
		t.Errorf("a name and its id, a person and what was said, stand at %v", at)
	}
	d.picture("right to left")
}

// wall is where people may write: the title of a request, the name of who asks, labels
// and choices of a form, what was said before, and details, with lines in their texts.
type wall struct {
	Title, Name, Label, Choice, Said string
	Typed                            [3]string // into the form, and shown again
	Labels, Texts                    []string
}

// details is how many details a wall has, and walls how many lines are on one.
const details, walls = 10, 8 + details + (details - 4)

// wallOf writes lines onto a wall.
func wallOf(lines []string) wall {
	next := func() (line string) {
		if len(lines) > 0 {
			line, lines = lines[0], lines[1:]
		}
		return line
	}
	w := wall{Title: next(), Name: next(), Label: next(), Choice: next(), Said: next(), Typed: [3]string{next(), next(), next()}}
	for len(lines) > 0 && len(w.Labels) < details {
		w.Labels = append(w.Labels, next())
	}
	w.Texts = lines
	return w
}

// request returns the request of a wall. What is not written there is plain.
func request(w wall) approval.Request {
	or := func(text string) string {
		if text == "" {
			return "plain"
		}
		return text
	}
	r := one(or(w.Title))
	r.Content.Details = nil
	for n := range details {
		detail := approval.Detail{Label: "plain", Text: "plain"}
		if n < len(w.Labels) {
			detail.Label = w.Labels[n]
		}
		if n < len(w.Texts) {
			detail.Text = w.Texts[n]
		}
		r.Content.Details = append(r.Content.Details, detail)
	}
	r.Policy.People[rex] = approval.Contact{Name: or(w.Name)}
	r.Policy.Form = []approval.Field{
		{Name: "choice", Label: or(w.Label), Type: approval.ChoiceField, Choices: []string{or(w.Choice), "other"}, Required: true},
		{Name: "note", Type: approval.TextField},
	}
	r.Policy.Comment = ""
	r.Policy.Stages[0].Rules[0].Of = []string{ann, bob}
	return r
}

// isTaken reports whether a wall may be shown at all.
func isTaken(w wall) bool {
	r := request(w)
	return r.Check() == nil
}

// show shows a wall to Ann, to whom Bob has said something, lets her send a form in
// which something is missing, and returns the elements of both pages.
func (d *desk) show(w wall) string {
	d.Helper()
	r, id := request(w), fmt.Sprint("wall", len(d.Sent()))
	d.Must(r.Check())
	d.Ask(id, r)
	d.want(d.post(linkTo(d.Sent(), id, bob), "verb", "approve", "comment", w.Said, "field.choice", r.Policy.Form[0].Choices[0]), 200)
	d.Open(linkTo(d.Sent(), id, ann).URL)
	elements := d.read(w, r.Content)
	for n, selector := range []string{"#comment", "#field1", "#to"} {
		text, err := json.Marshal(w.Typed[n])
		d.Must(err)
		browsertest.Eval[string](d.Tab, fmt.Sprintf("document.querySelector(%q).value = %s", selector, text))
	}
	d.Click("input[value=reject]")
	if !d.Click("button") {
		d.Fatal("the form was not sent")
	}
	elements += d.read(w, r.Content)
	for n, selector := range []string{"#comment", "#field1", "#to"} {
		if got := browsertest.Eval[string](d.Tab, fmt.Sprintf("document.querySelector(%q).value", selector)); got != strings.TrimSpace(w.Typed[n]) {
			d.Errorf("typed %q, and is shown %q", w.Typed[n], got)
		}
	}
	return elements
}

// read reads a wall on the page that is open, and returns the page's elements.
func (d *desk) read(w wall, c approval.Content) string {
	d.Helper()
	for _, trouble := range d.Troubles() {
		if !strings.Contains(trouble, "status of 422") {
			d.Errorf("%q: the browser says %s", w, trouble)
		}
	}
	for _, line := range d.Reordered() {
		d.Errorf("in another order: %s", line)
	}
	for _, v := range d.browser.Visits() {
		if !strings.HasPrefix(v.URL, "https://app.example/api/approve/wall") {
			d.Errorf("%q: asked for %s", w, v.URL)
		}
	}
	read := browsertest.Eval[[]string](d.Tab, "[...document.querySelectorAll('dt, dd, option, label bdi')].map(e => e.textContent)")
	inLines := strings.NewReplacer("\r\n", "\n", "\r", "\n") // as HTML has them
	said := []string{c.Title, w.Label, w.Choice}
	if w.Said != "" {
		said = append(said, "approves: "+w.Said)
	}
	for _, detail := range c.Details {
		said = append(said, detail.Label, detail.Text)
	}
	for _, text := range said {
		if text != "" && !slices.Contains(read, inLines.Replace(text)) {
			d.Errorf("%q cannot be read as it was written", text)
		}
	}
	return browsertest.Eval[string](d.Tab, "[...document.querySelectorAll('*')].map(e => e.tagName + e.attributes.length).join(' ')")
}
