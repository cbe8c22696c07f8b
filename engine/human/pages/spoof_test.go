package pages_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
)

// linkTo returns the link that a person got from an instance.
func linkTo(sent []bureau.Message, instance, to string) bureau.Link {
	for _, m := range sent {
		if l := bureau.LinkOf(m.Link); m.Link != "" && m.To == to && l.Instance == instance {
			return l
		}
	}
	return bureau.Link{}
}

// markup is what breaks out of pages that do not escape.
var markup = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `'-alert(1)-'`, `</title><script>alert(1)</script>`,
	`</textarea><script>alert(1)</script>`, `{{.Nonce}}`, `{% raw %}{{7*7}}`, `${alert(1)}`, `javascript:alert(1)`, `<a href="javascript:alert(1)">x</a>`,
	`<iframe srcdoc="<script>alert(1)</script>">`, `</style><script>`, `<base href=//evil.example>`, `<form action=//evil.example>`, `&lt;script&gt;`, `<math><mi xlink:href="data:x,<script>">`,
	`" autofocus onfocus=alert(1) x="`, `<button name=verb value=approve>`, `<meta http-equiv=refresh content=0>`, `<!--`, `-->`, `<![CDATA[`, "`${1}`", `\u003cscript\u003e`,
}

// turned are characters that change what a text looks like without being seen.
var turned = []string{"\u202e", "\u202d", "\u2066", "\u2067", "\u200f", "\u200b", "\u2028", "\ufeff", "\u00ad", "\u0000", "\u0007", "\u001b[31m", "\u0085", "\ue000", "\u061c"}

// What people write, in whatever place, is text on the pages of others: 1,500 texts.
func TestWhatPeopleWriteIsNeverMoreThanText(t *testing.T) {
	s := newSite(t)
	clean := s.elements([]string{"plain", "plain", "plain", "plain", "plain", "plain", "plain"})
	tried := 0
	for tried < 1500/slow {
		var texts []string
		for range places {
			texts = append(texts, fmt.Sprintf("%s %d", markup[tried%len(markup)], tried))
			tried++
		}
		if got := s.elements(texts); got != clean {
			t.Fatalf("%q change the page from\n%s to\n%s", texts, clean, got)
		}
	}
	t.Logf("%d texts in %d places", tried, places)
}

// places are where somebody's text may stand: the title, a label, a detail, the name
// of a person, the label of a field, a choice of one, a comment.
const places = 7

// elements returns the elements of the page that shows a text in every place.
func (s *site) elements(texts []string) string {
	s.Helper()
	r := expense()
	r.Content = approval.Content{Title: texts[0], Details: []approval.Detail{{Label: texts[1], Text: texts[2]}}}
	r.Policy.People[rex] = approval.Contact{Name: texts[3]}
	r.Policy.Form = []approval.Field{{Name: "f", Label: texts[4], Type: approval.ChoiceField, Choices: []string{texts[5], "other"}}}
	r.Policy.Stages[0].Rules[0].Of = []string{ann, bob}
	s.Must(r.Check())
	id := fmt.Sprint("text", len(s.Sent()))
	s.Ask(id, r)
	s.want(s.post(linkTo(s.Sent(), id, bob), "verb", "approve", "comment", texts[6]), 200)
	w := s.do("GET", linkTo(s.Sent(), id, ann), nil)
	s.want(w, 200)
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	s.Must(err)
	var names []string
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			names = append(names, fmt.Sprint(n.Data, len(n.Attr)))
		}
	}
	return strings.Join(names, " ")
}

// A text with characters that nobody sees is refused wherever it comes from: they make
// one thing look like another, and split lines where there is one.
func TestTextsThatLookLikeSomethingElseAreRefused(t *testing.T) {
	s := newSite(t, expense())
	l := s.Link(ann, "Train to Bern")
	for _, c := range turned {
		text := "Pay 100" + c + "001"
		for place, change := range map[string]func(*approval.Request){
			"title":  func(r *approval.Request) { r.Content.Title = text },
			"label":  func(r *approval.Request) { r.Content.Details[0].Label = text },
			"detail": func(r *approval.Request) { r.Content.Details[0].Text = text },
			"name":   func(r *approval.Request) { r.Policy.People[ann] = approval.Contact{Name: text} },
			"field":  func(r *approval.Request) { r.Policy.Form[0].Label = text },
			"choice": func(r *approval.Request) { r.Policy.Form[1].Choices[0] = text },
		} {
			r := expense()
			if change(&r); r.Check() == nil {
				t.Errorf("%q is taken as a %s", text, place)
			}
		}
		if w := s.post(l, "verb", "reject", "comment", text); w.Code != 422 {
			t.Errorf("%q is taken as a comment: %d", text, w.Code)
		}
	}
	for _, line := range []string{"a\nb", "a\rb", "a\r\nBcc: x@example.org", "a\tb"} {
		r := expense()
		if r.Content.Title = line; r.Check() == nil {
			t.Errorf("%q is taken as a title", line)
		}
	}
}
