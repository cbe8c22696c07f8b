package links_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/links"
)

var key = bytes.Repeat([]byte{7}, links.KeySize)

func newMaker(t *testing.T) *links.Maker {
	t.Helper()
	m, err := links.New(key, "https://app.example/api/approve/")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var question = links.Question{Instance: "abc:1", Execution: "run", Topic: "finance", To: "ann@example.org", Digest: "d"}

// parts takes a link apart.
func parts(t *testing.T, l links.Link) (instance, page, token string) {
	t.Helper()
	u, err := url.Parse(l.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	rest, found := strings.CutPrefix(u.Path, "/api/approve/")
	instance, page, both := strings.Cut(rest, "/")
	if !found || !both || u.Host != "app.example" || u.RawQuery != "" {
		t.Fatal(l.Reveal())
	}
	return instance, page, u.Fragment
}

func TestALinkLeadsToAPageAndKeepsTheTokenBehindTheNumberSign(t *testing.T) {
	l := newMaker(t).Link(question)
	instance, page, token := parts(t, l)
	if instance != "abc:1" || len(page) != 22 || len(token) != 43 || strings.Contains(token, page) {
		t.Errorf("%s", l.Reveal())
	}
	m := l.Marks()
	if !m.Shows(page) || !m.Opens(token) {
		t.Error("the link does not open what it is for")
	}
	for _, wrong := range []string{"", page, token[:42], token + "A", strings.ToLower(token), " " + token} {
		if m.Opens(wrong) {
			t.Errorf("opened by %q", wrong)
		}
	}
	if m.Shows(token) || m.Shows("") || (links.Marks{}).Opens("") || (links.Marks{}).Shows("") {
		t.Error("shown by what is not the page's secret")
	}
}

func TestTheSameQuestionHasTheSameLinkAndAnotherAnother(t *testing.T) {
	m := newMaker(t)
	first := m.Link(question).Reveal()
	if again := newMaker(t).Link(question).Reveal(); again != first {
		t.Errorf("%s and then %s", first, again)
	}
	others, err := links.New(bytes.Repeat([]byte{8}, links.KeySize), "https://app.example/api/approve")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{first: "the first"}
	add := func(what string, l links.Link) {
		_, _, token := parts(t, l)
		if before, taken := seen[token]; taken {
			t.Errorf("%s has the link of %s", what, before)
		}
		seen[token] = what
	}
	add("another key", others.Link(question))
	for what, change := range map[string]func(*links.Question){
		"another instance":  func(q *links.Question) { q.Instance = "abc:2" },
		"another execution": func(q *links.Question) { q.Execution = "rum" },
		"another topic":     func(q *links.Question) { q.Topic = "legal" },
		"another person":    func(q *links.Question) { q.To = "bob@example.org" },
		"another content":   func(q *links.Question) { q.Digest = "e" },
		"other borders":     func(q *links.Question) { q.Topic, q.To = "finance"+q.To[:1], q.To[1:] },
	} {
		q := question
		change(&q)
		add(what, m.Link(q))
	}
}

// 20 links, of each of which 500 bits and characters are changed: none opens.
func TestAChangedTokenOpensNothing(t *testing.T) {
	m := newMaker(t)
	for n := range 20 {
		q := question
		q.To = fmt.Sprint("p", n)
		l := m.Link(q)
		_, page, token := parts(t, l)
		marks := l.Marks()
		for i := range 500 {
			changed := []byte(token)
			changed[i%len(changed)] ^= byte(1 + i/len(changed))
			if marks.Opens(string(changed)) {
				t.Fatalf("%q opens for %q", changed, token)
			}
			changed = []byte(page)
			changed[i%len(changed)] ^= byte(1 + i/len(changed))
			if marks.Shows(string(changed)) {
				t.Fatalf("%q shows for %q", changed, page)
			}
		}
	}
}

func TestALinkPrintsAsStars(t *testing.T) {
	l := newMaker(t).Link(question)
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("sent", "link", l, "maker", newMaker(t), "in", struct{ L links.Link }{l})
	text, err := json.Marshal(map[string]any{"l": l, "in": []links.Link{l}})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %q %d %x ", l, l, l, l, l, l, l) + fmt.Sprintf("%+v %#v", struct{ l links.Link }{l}, newMaker(t)) + logged.String() + string(text)
	_, page, token := parts(t, l)
	for _, secret := range []string{page, token, token[:12], fmt.Sprintf("%x", token[:6]), "\\a\\a"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in %s", secret, all)
		}
	}
	if (links.Link{}).Reveal() != "" || (links.Link{}).Marks() != (links.Marks{}) {
		t.Error("no link has something to show")
	}
}

func TestWhatMakesNoLinks(t *testing.T) {
	if _, err := links.New(key[1:], "https://app.example"); !errors.Is(err, links.ErrShortKey) {
		t.Error(err)
	}
	for _, base := range []string{"", "/api", "app.example/api", "https://", "https://app.example/?x=1", "https://app.example/#x", "http://[::1"} {
		if _, err := links.New(key, base); !errors.Is(err, links.ErrBase) {
			t.Errorf("%q: %v", base, err)
		}
	}
}
