package pages_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
	"github.com/seed21523604/holdfast/engine/human/spoofs"
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

// turned are characters that change what a text looks like without being seen.
var turned = []string{"\u202e", "\u202d", "\u2066", "\u2067", "\u200f", "\u200b", "\u2028", "\ufeff", "\u00ad", "\u0000", "\u0007", "\u001b[31m", "\u0085", "\ue000", "\u061c"}

// What people write is text on the pages of others, and the letters that it is: 1,500
// texts, each in one of the places where a text may stand, but those which no place takes.
func TestWhatPeopleWriteIsNeverMoreThanText(t *testing.T) {
	s := newSite(t)
	clean := s.skeletonOf(sheetOf(nil))
	var waiting [places][]string
	shown, refused := 0, map[spoofs.Kind]int{}
	for n, text := range spoofs.All() {
		place := placeFor(text.Text, n)
		if place < 0 {
			refused[text.Kind]++
			continue
		}
		waiting[place] = append(waiting[place], text.Text)
		shown++
	}
	most := 0
	for _, texts := range waiting {
		most = max(most, len(texts))
	}
	for n := range most / slow {
		texts := map[int]string{}
		for place := range places {
			if n < len(waiting[place]) {
				texts[place] = waiting[place][n]
			}
		}
		if got := s.skeletonOf(sheetOf(texts)); got != clean {
			t.Fatalf("%v change the page from\n%s to\n%s", texts, clean, got)
		}
	}
	if shown < 900 || refused[spoofs.Hidden] < len(spoofs.Of(spoofs.Hidden)) || refused[spoofs.Markup] > 20 || refused[spoofs.Templates] > 0 {
		t.Errorf("%d texts are shown, refused: %v", shown, refused)
	}
	t.Logf("%d texts in %d places; refused: %v", shown, places, refused)
}

// places are where somebody's text may stand: the title, a label, a detail, the name of a
// person, the label of a field, a choice of one, a comment.
const places, namePlace, commentPlace = 7, 3, 6

// sheetOf returns what stands in each place.
func sheetOf(texts map[int]string) (all [places]string) {
	for place := range all {
		all[place] = "plain"
		if text, ok := texts[place]; ok {
			all[place] = text
		}
	}
	return all
}

// placeFor returns a place that takes a text, the nth or one after it; -1 if none does.
func placeFor(text string, n int) int {
	for i := range places {
		place := (n + i) % places
		r := requestOf(sheetOf(map[int]string{place: text}))
		if place == commentPlace {
			r.Content.Details[0].Text = text // what a comment may be
		}
		if n := utf8.RuneCountInString(text); r.Check() == nil && (place != commentPlace || n <= 150) && (place != namePlace || n <= 30) {
			return place // and is shown whole there
		}
	}
	return -1
}

// requestOf returns a request with a text in every place but the comment, which comes
// later.
func requestOf(texts [places]string) approval.Request {
	r := expense()
	r.Content = approval.Content{Title: texts[0], Details: []approval.Detail{{Label: texts[1], Text: texts[2]}}}
	r.Policy.People[rex] = approval.Contact{Name: texts[namePlace]}
	r.Policy.Form = []approval.Field{{Name: "f", Label: texts[4], Type: approval.ChoiceField, Choices: []string{texts[5], "other"}}}
	r.Policy.Stages[0].Rules[0].Of = []string{ann, bob}
	return r
}

// skeletonOf returns the elements and attributes of the page that shows a text in every
// place, and holds the page and its JSON to the texts.
func (s *site) skeletonOf(texts [places]string) string {
	s.Helper()
	r := requestOf(texts)
	s.Must(r.Check())
	id := fmt.Sprint("text", len(s.Sent()))
	s.Ask(id, r)
	s.want(s.post(linkTo(s.Sent(), id, bob), "verb", "approve", "comment", texts[commentPlace]), 200)
	l := linkTo(s.Sent(), id, ann)
	w := s.do("GET", l, nil)
	s.want(w, 200)
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	s.Must(err)
	names, letters := elementsIn(root)
	for _, text := range texts {
		if !strings.Contains(letters, strings.TrimSpace(endsOfLines.Replace(text))) {
			s.Errorf("%q is not on the page as it is:\n%s", text, letters)
		}
	}
	var told struct{ Content approval.Content }
	program := s.do("GET", l, nil, "Accept: application/json")
	if err := json.Unmarshal(program.Body.Bytes(), &told); err != nil || !reflect.DeepEqual(told.Content, r.Content) {
		s.Errorf("%v: programs are told %s", err, program.Body)
	}
	return names
}

// endsOfLines makes the ends of lines those of HTML.
var endsOfLines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// elementsIn returns the elements with the names of their attributes, and the text that is
// neither script nor style, with the values of what is chosen from.
func elementsIn(root *html.Node) (names, letters string) {
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style":
			letters += n.Data + "\n"
		case n.Type == html.ElementNode:
			names += n.Data
			for _, a := range n.Attr {
				names += " " + a.Key
				if n.Data == "option" {
					letters += a.Val + "\n"
				}
			}
			names += "\n"
		}
	}
	return names, letters
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
