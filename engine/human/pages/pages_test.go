package pages_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/internal/bureau"
	"github.com/seed21523604/holdfast/engine/human/pages"
)

const (
	ann, bob, rex = "ann@example.org", "bob@example.org", "rex@example.org"
	annsPhone     = "+447700900123"
)

// expense is a request with a form.
func expense() approval.Request {
	low, high := 0.0, 5000.0
	return approval.Request{
		Requester: rex,
		Content: approval.Content{Title: "Train to Bern", Details: []approval.Detail{
			{Label: "Amount", Text: "CHF 84.00"}, {Label: "Why", Text: "To meet the customer.\nThere is no other way."},
		}},
		Policy: approval.Policy{
			Name: "Expenses", Delegation: approval.Delegation{Depth: 1}, Comment: approval.CommentOnReject,
			People: map[string]approval.Contact{ann: {Name: "Ann Smith", Phone: annsPhone}},
			Stages: []approval.Stage{
				{Name: "manager", Rules: []approval.Rule{{Of: []string{ann}}}, Deadline: approval.Elapsed(24 * time.Hour)},
				{Name: "finance", Rules: []approval.Rule{{Of: []string{bob}}}, Deadline: approval.Elapsed(24 * time.Hour)},
			},
			Form: []approval.Field{
				{Name: "amount", Label: "Amount approved", Type: approval.NumberField, Required: true, When: approval.Approve, Min: &low, Max: &high},
				{Name: "centre", Label: "Cost centre", Type: approval.ChoiceField, Choices: []string{"sales", "travel"}},
				{Name: "paid", Type: approval.BooleanField}, {Name: "day", Type: approval.DateField}, {Name: "note", Type: approval.TextField},
			},
		},
	}
}

// site is a bureau with its pages.
type site struct {
	*bureau.Bureau
	handler http.Handler
}

func newSite(t *testing.T, requests ...approval.Request) *site {
	t.Helper()
	s := newSiteOf(bureau.New(t))
	for n, r := range requests {
		s.Ask(fmt.Sprint("r", n), r)
	}
	return s
}

// newSiteOf returns the pages of a bureau.
func newSiteOf(b *bureau.Bureau) *site {
	mux := http.NewServeMux()
	mux.Handle("/api/approve/{instance}/{page}", pages.New(pages.Options{Door: b.Door, Origin: bureau.Origin}))
	return &site{b, mux}
}

// do asks for the page of a link; a header is "Name: value".
func (s *site) do(method string, l bureau.Link, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/api/approve/"+l.Instance+"/"+l.Page, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// post answers by a link as the page's form does.
func (s *site) post(l bureau.Link, pairs ...string) *httptest.ResponseRecorder {
	s.Helper()
	form := url.Values{"token": {l.Token}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	w := s.do("POST", l, form, "Origin: "+bureau.Origin, "Sec-Fetch-Site: same-origin")
	s.Settle()
	return w
}

func (s *site) want(w *httptest.ResponseRecorder, status int, parts ...string) {
	s.Helper()
	if w.Code != status {
		s.Errorf("%d, want %d: %s", w.Code, status, w.Body)
	}
	for _, part := range parts {
		if !strings.Contains(w.Body.String(), part) {
			s.Errorf("%q is not in %s", part, w.Body)
		}
	}
}

func TestAPersonReadsTheWholeRequestAndAnswers(t *testing.T) {
	s := newSite(t, expense())
	l := s.Link(ann, "Train to Bern")
	s.want(s.do("GET", l, nil), 200, "Your answer is wanted", "<bdi>Ann Smith</bdi> (<bdi>ann@example.org</bdi>)", "Train to Bern", "CHF 84.00", "There is no other way.", rex, "Thu 26 Nov 2026, 09:00 UTC", "Amount approved", "Cost centre")
	s.want(s.post(l, "verb", "approve"), 422, "Amount approved is missing.", `action="/api/approve/r0/`)
	s.want(s.post(l, "verb", "approve", "field.amount", "9000", "comment", "too much"), 422, "Amount approved is more than 5000.", `value="9000"`, "too much</textarea>")
	s.want(s.post(l, "verb", "reject", "field.amount", "84"), 422, "The comment is missing: give a reason.")
	s.want(s.post(l), 422, "Choose an answer.")
	s.want(s.post(l, "verb", "approve", "field.amount", "84", "field.other", "x"), 422, "Other is not asked for.")
	s.want(s.post(l, "verb", "approve", "field.amount", "84", "field.centre", "travel", "field.paid", "false", "field.day", "2026-11-25", "comment", "fine"), 200, "This is decided", "approves: <bdi>fine</bdi>")
	s.want(s.post(l, "verb", "reject", "comment", "no"), 409, "This is decided", "You answered &#34;approve&#34; at 2026-11-25 09:00:00 UTC, which stands.")
	s.want(s.do("GET", s.Link(bob, "Train to Bern"), nil), 200, "Your answer is wanted", "Answers so far")
	s.want(s.do("GET", s.Link(ann, "Train to Bern"), nil), 200, "This is decided")
}

// Every page there is.
func TestEveryPage(t *testing.T) {
	withCode := expense()
	withCode.Content.Title = "Secret"
	withCode.Policy.Stages = []approval.Stage{{Name: "one", Rules: []approval.Rule{{Of: []string{ann}}}, Deadline: approval.Elapsed(time.Hour), Code: true}}
	withCode.Policy.Form = nil
	for heading, test := range map[string]struct {
		status int
		page   func(s *site) bureau.Link
	}{
		"Your answer is wanted": {200, func(s *site) bureau.Link { return s.Link(ann, "Train to Bern") }},
		"This is decided": {200, func(s *site) bureau.Link {
			l := s.Link(ann, "Train to Bern")
			s.post(l, "verb", "reject", "comment", "no")
			return l
		}},
		"The time to answer is over": {200, func(s *site) bureau.Link { s.Pass(25 * time.Hour); return s.Link(ann, "Train to Bern") }},
		"The request was taken back": {200, func(s *site) bureau.Link {
			s.post(s.requesters("r0", expense()), "verb", "recall")
			return s.Link(ann, "Train to Bern")
		}},
		"Your request is being decided": {200, func(s *site) bureau.Link { return s.requesters("r0", expense()) }},
		"It is not your turn":           {200, func(s *site) bureau.Link { return s.early() }},
		"The request was changed": {410, func(s *site) bureau.Link {
			old := s.Link(ann, "Train to Bern")
			_, err := s.Door.AnswerAs(t.Context(), "r0", door.Person{ID: rex, Via: approval.ViaSignIn}, door.About{}, door.Answer{Verb: approval.Change, Content: &approval.Content{Title: "Train to Basel"}})
			s.Must(err)
			s.Settle()
			s.want(s.do("GET", s.Link(ann, "Train to Basel"), nil), 200, "Your answer is wanted", "(changed 1×)")
			return old
		}},
		"This link is locked": {200, func(s *site) bureau.Link {
			l := s.Link(ann, "Secret")
			s.want(s.post(l, "verb", "approve"), 422, "A code was sent to your phone; type it to answer.", "Code from your phone")
			s.want(s.do("GET", l, nil), 200, "3 tries left")
			s.want(s.post(l, "verb", "approve", "code", "1"), 422, "This is not the code.", "2 tries left")
			s.post(l, "verb", "approve", "code", "2")
			s.want(s.post(l, "verb", "approve", "code", "3"), 423)
			return l
		}},
		"The request was stopped": {410, func(s *site) bureau.Link {
			s.Must(s.Client.Terminate(t.Context(), "r0", ""))
			s.Settle()
			return s.Link(ann, "Train to Bern")
		}},
		"This cannot be shown": {410, func(s *site) bureau.Link { return bureau.Link{Instance: "r0", Page: "x"} }},
	} {
		t.Run(heading, func(t *testing.T) {
			s := newSite(t, expense(), withCode)
			l := test.page(s)
			w := s.do("GET", l, nil)
			s.want(w, test.status, "<title>"+heading+"</title>")
			checkPage(t, w)
		})
	}
}

// requesters returns the link that the requester has from the start on.
func (s *site) requesters(id string, r approval.Request) bureau.Link {
	s.Helper()
	in, err := s.Client.Get(s.Context(), id)
	s.Must(err)
	return bureau.LinkOf(approval.LinkOf(s.Links, in.ID, in.Execution, r.Digest(), approval.Asked{To: rex}).Reveal())
}

// early returns the link to the second stage that is not sent before that begins.
func (s *site) early() bureau.Link {
	s.Helper()
	r := expense()
	r.Policy.Stages[0].Escalate = []approval.Rung{{After: approval.Elapsed(time.Hour), To: []string{bob}}}
	s.Ask("early", r)
	in, err := s.Client.Get(s.Context(), "early")
	s.Must(err)
	return bureau.LinkOf(approval.LinkOf(s.Links, in.ID, in.Execution, r.Digest(), approval.Asked{To: bob, Stage: "manager"}).Reveal())
}

var nonced = regexp.MustCompile(`script-src 'nonce-([0-9A-Z]{20,})'$`)

// checkPage holds a page to what all pages are held to.
func checkPage(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Body.Len() > pages.MaxPage {
		t.Errorf("a page of %d bytes", w.Body.Len())
	}
	policy := w.Header().Get("Content-Security-Policy")
	nonce := nonced.FindStringSubmatch(policy)
	if !strings.HasPrefix(policy, "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; ") || strings.Contains(policy, "unsafe") || nonce == nil {
		t.Fatalf("policy %q", policy)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	first := ""
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		checkElement(t, n, nonce[1])
		if first == "" && (n.Data == "button" || n.Data == "a" || n.Data == "input" || n.Data == "textarea" || n.Data == "select") {
			first = n.Data + " " + attribute(n, "name") + attribute(n, "value")
		}
	}
	if strings.Contains(first, "approve") || strings.HasPrefix(first, "button") {
		t.Errorf("the first thing that takes the focus is %q", first)
	}
}

// checkElement finds what loads something, runs by itself, or decides without a
// choice.
func checkElement(t *testing.T, n *html.Node, nonce string) {
	t.Helper()
	for _, a := range n.Attr {
		loads := a.Key == "src" || a.Key == "href" || a.Key == "srcset" || a.Key == "background" || a.Key == "style" || a.Key == "formaction"
		if loads || strings.HasPrefix(a.Key, "on") || a.Key == "autofocus" || a.Key == "checked" {
			t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
		}
	}
	switch n.Data {
	case "script", "style":
		if attribute(n, "nonce") != nonce {
			t.Errorf("<%s> without the nonce", n.Data)
		}
		if text := n.FirstChild.Data; strings.Contains(text, "submit") || strings.Contains(text, "fetch") || strings.Contains(text, "click") || strings.Contains(text, "url(") {
			t.Errorf("<%s> does too much: %s", n.Data, text)
		}
	case "form":
		if method := attribute(n, "method"); method != "post" || !strings.HasPrefix(attribute(n, "action"), "/api/approve/") {
			t.Errorf("a form by %s to %s", method, attribute(n, "action"))
		}
	case "iframe", "img", "link", "object", "embed", "video", "audio", "base":
		t.Errorf("<%s> is on a page", n.Data)
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestThePageOfTheLargestRequestIsSmallEnough(t *testing.T) {
	r := expense()
	r.Policy.Form = nil
	for n := range 5 {
		r.Policy.Form = append(r.Policy.Form, approval.Field{Name: strings.Repeat("+", 60) + fmt.Sprint(n), Type: approval.ChoiceField, Choices: []string{`""""`, `''''`}})
	}
	r.Content = approval.Content{Title: strings.Repeat("+", 100)}
	for n := range 5 {
		r.Content.Details = append(r.Content.Details, approval.Detail{Label: fmt.Sprint(n), Text: strings.Repeat(`"+`, 220)})
	}
	r.Policy.Stages[0].Rules[0].Of = nil
	for n := range 12 {
		r.Policy.Stages[0].Rules[0].Of = append(r.Policy.Stages[0].Rules[0].Of, strings.Repeat(`+`, 200)+fmt.Sprint(n))
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, r)
	for _, id := range r.Policy.Stages[0].Rules[0].Of[:11] {
		s.want(s.post(s.Link(id, r.Content.Title), "verb", "approve", "comment", strings.Repeat("+", 1000)), 200)
	}
	w := s.post(s.Link(r.Policy.Stages[0].Rules[0].Of[11], r.Content.Title), "verb", "reject", "comment", strings.Repeat("+", 1200)+"\x00")
	s.want(w, 422)
	checkPage(t, w)
	t.Logf("%d bytes", w.Body.Len())
}

// 10,000 visits of those who look at a link before the person does: nothing changes,
// and the link is as good as it was.
func TestWhoLooksAtALinkChangesNothing(t *testing.T) {
	s := newSite(t, expense())
	l := s.Link(ann, "Train to Bern")
	before, err := s.Client.Get(t.Context(), "r0")
	s.Must(err)
	for n := range 10_000 / slow {
		method := []string{"GET", "HEAD", "GET", "OPTIONS"}[n%4]
		w := s.do(method, l, nil, "User-Agent: "+lookers[n%len(lookers)], "Accept: "+[]string{"*/*", "text/html", "application/json", ""}[n/4%4], "Sec-Fetch-Site: cross-site", "Purpose: prefetch")
		if want := map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 405}[method]; w.Code != want {
			t.Fatalf("%s: %d", method, w.Code)
		}
	}
	after, err := s.Client.Get(t.Context(), "r0")
	s.Must(err)
	if after.Version != before.Version {
		t.Error("the request changed")
	}
	s.want(s.post(l, "verb", "approve", "field.amount", "84"), 200, "This is decided")
}

// lookers are programs that open links in messages, by 40 names.
var lookers = func() (names []string) {
	for _, name := range []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
		"facebookexternalhit/1.1", "WhatsApp/2.23.20.0", "TelegramBot (like TwitterBot)", "Microsoft Office/16.0 (Microsoft Outlook 16.0)", "SkypeUriPreview Preview/0.5", "Googlebot/2.1", "BarracudaCentral", "curl/8.5.0",
	} {
		for _, more := range []string{"", " (scan)", " Mobile", " bot"} {
			names = append(names, name+more)
		}
	}
	return names
}()

// 552 answers, all different, that a browser sends for the pages of other sites, or for
// ours by the words of one header but not of the other: none is taken.
func TestAnswersFromElsewhereAreNotTaken(t *testing.T) {
	s := newSite(t, expense())
	l := s.Link(ann, "Train to Bern")
	good := url.Values{"token": {l.Token}, "verb": {"approve"}, "field.amount": {"84"}}
	tried := 0
	for _, origin := range []string{
		"https://evil.example", "null", "http://app.example", "https://app.example.evil.example", "https://app.example:444", "https://other.app.example",
		"https://app.example/", "https://app.example@evil.example", "", bureau.Origin,
	} {
		for _, site := range []string{"cross-site", "same-site", "none", "", "same-origin"} {
			if (origin == "" || origin == bureau.Origin) && (site == "" || site == "same-origin") {
				continue // the page's own, or no browser's
			}
			for _, mode := range []string{"navigate", "no-cors"} {
				for _, kind := range []string{"application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8", "text/plain", "multipart/form-data; boundary=x", "application/json", ""} {
					w := s.do("POST", l, good, "Origin: "+origin, "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: "+mode, "Content-Type: "+kind)
					if tried++; w.Code != 403 {
						t.Fatalf("from %q, %q, %q, %q: %d", origin, site, mode, kind, w.Code)
					}
				}
			}
		}
	}
	if tried != 552 {
		t.Errorf("tried %d", tried)
	}
	for _, kind := range []string{"text/plain", "application/json", ""} {
		if w := s.do("POST", l, good, "Content-Type: "+kind); w.Code != 415 {
			t.Errorf("%q: %d", kind, w.Code)
		}
	}
	if w := s.do("POST", l, url.Values{"token": {l.Token}, "comment": {strings.Repeat("x", 70_000)}}); w.Code != 413 {
		t.Errorf("a long one: %d", w.Code)
	}
	s.want(s.post(l, "verb", "approve", "field.amount", "84"), 200, "This is decided")
}

func TestProgramsGetTheSameAsJSON(t *testing.T) {
	s := newSite(t, expense())
	l := s.Link(ann, "Train to Bern")
	var shown struct {
		State, For, Stage string
		Content           approval.Content
		Until             time.Time
	}
	w := s.do("GET", l, nil, "Accept: application/json")
	if err := json.Unmarshal(w.Body.Bytes(), &shown); err != nil || shown.State != "decide" || shown.For != ann || shown.Content.Title != "Train to Bern" || shown.Until.IsZero() {
		t.Errorf("%v: %s", err, w.Body)
	}
	for _, test := range []struct {
		status int
		kind   string
		form   url.Values
	}{
		{403, "token", url.Values{"verb": {"approve"}}},
		{422, "bad-answer", url.Values{"token": {l.Token}, "verb": {"maybe"}}},
		{200, "", url.Values{"token": {l.Token}, "verb": {"approve"}, "field.amount": {"84"}}},
		{409, "already-answered", url.Values{"token": {l.Token}, "verb": {"reject"}, "comment": {"no"}}},
	} {
		w := s.do("POST", l, test.form, "Accept: application/json")
		s.Settle()
		var problem struct{ Type, Detail, By string }
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != test.status || test.kind != "" && problem.Type != "urn:problem-type:holdfast:"+test.kind {
			t.Errorf("%d, want %d: %v %s", w.Code, test.status, err, w.Body)
		}
		if test.status == 409 && problem.By != ann {
			t.Errorf("not told who: %s", w.Body)
		}
	}
}

func TestNobodyIsToldWhichLinksThereAre(t *testing.T) {
	s := newSite(t, expense(), expense())
	l := s.Link(ann, "Train to Bern")
	s.Must(s.Client.Terminate(t.Context(), "r0", ""))
	s.Settle()
	s.Must(s.Client.Purge(t.Context(), "r0"))
	_, err := s.Client.Start(t.Context(), string(bureau.Verify), "phone", map[string]string{"number": annsPhone})
	s.Must(err)
	answers := map[string]bool{}
	for _, unknown := range []bureau.Link{{Instance: "r0", Page: l.Page}, {Instance: "r1", Page: "AAAAAAAAAAAAAAAAAAAAAA"}, {Instance: "nothing", Page: l.Page}, {Instance: "phone", Page: l.Page}} {
		w := s.do("GET", unknown, nil)
		body := strings.ReplaceAll(w.Body.String(), nonced.FindStringSubmatch(w.Header().Get("Content-Security-Policy"))[1], "")
		answers[fmt.Sprint(w.Code, body)] = true
		post := s.do("POST", unknown, url.Values{"token": {l.Token}, "verb": {"approve"}})
		if post.Code != 410 {
			t.Errorf("POST: %d", post.Code)
		}
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers", len(answers))
	}
}

// An old link is gone, and says why, whatever became of its request: to people and to
// programs, who read or answer by it.
func TestAnOldLinkIsGoneAndSaysWhy(t *testing.T) {
	for what, renew := range map[string]func(s *site){
		"edit": func(s *site) {
			next := expense().Content
			next.Title = "Train to Basel"
			_, err := s.Door.AnswerAs(t.Context(), "r0", door.Person{ID: rex, Via: approval.ViaSignIn}, door.About{}, door.Answer{Verb: approval.Change, Content: &next})
			s.Must(err)
		},
		"restart": func(s *site) {
			s.end()
			_, err := s.Client.Restart(t.Context(), "r0", false)
			s.Must(err)
		},
		"recreate": func(s *site) { s.end(); s.Ask("r0", expense()) },
		"delete":   func(s *site) { s.end(); s.Must(s.Client.Purge(t.Context(), "r0")) },
		"delete and recreate": func(s *site) {
			s.end()
			s.Must(s.Client.Purge(t.Context(), "r0"))
			s.Ask("r0", expense())
		},
	} {
		s := newSite(t, expense())
		l := s.Link(ann, "Train to Bern")
		renew(s)
		s.Settle()
		for method, form := range map[string]url.Values{"GET": nil, "POST": {"token": {l.Token}, "verb": {"approve"}, "field.amount": {"84"}}} {
			page := s.do(method, l, form)
			if page.Code != http.StatusGone || !strings.Contains(page.Body.String(), "The request was changed") && !strings.Contains(page.Body.String(), "made anew, or removed") {
				t.Errorf("%s after %s: %d %s", method, what, page.Code, page.Body)
			}
			var told struct{ Type, Text, Detail, State string }
			program := s.do(method, l, form, "Accept: application/json")
			if err := json.Unmarshal(program.Body.Bytes(), &told); err != nil || program.Code != http.StatusGone || told.Detail+told.Text == "" || told.Type == "" && told.State != string(door.Changed) {
				t.Errorf("%s after %s: %d %s", method, what, program.Code, program.Body)
			}
		}
	}
}

// end stops the first request.
func (s *site) end() {
	s.Helper()
	s.Must(s.Client.Terminate(s.Context(), "r0", "anew"))
	s.Settle()
}
