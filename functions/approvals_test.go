package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/functions/internal/phone"
)

const (
	boss, finance = "boss@example.org", "finance@example.org"
	anExpense     = `{"requester":"rex@example.org","for":"Train to Bern","amount":84.5,"currency":"CHF","reason":"A visit"}`
	aRelease      = `{"requester":"rex@example.org","release":"Shop 2.4","commit":"92fcdf9","changes":"Faster search"}`
)

// asked is the answer to the start of an approval.
type asked struct {
	links
	RequesterURI string
}

// ask starts an approval.
func (s *site) ask(path, body string, headers ...string) (a asked) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.want(202, "POST", path, body, headers...)), &a); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// link waits until somebody got a link and returns the last.
func (s *site) link(to string) string {
	s.t.Helper()
	for {
		var messages []phone.Message
		if err := json.Unmarshal([]byte(s.want(200, "GET", messagesPath+"?to="+url.QueryEscape(to), "")), &messages); err != nil {
			s.t.Fatal(err)
		}
		for _, m := range messages {
			if link := linkIn(m.Body); link != "" {
				return link
			}
		}
	}
}

// linkIn returns the link in a message, without what is behind it; empty if there is
// none.
func linkIn(body string) string {
	at := strings.Index(body, "http")
	if at < 0 {
		return ""
	}
	return strings.Fields(body[at:])[0]
}

const asForm = "Content-Type: application/x-www-form-urlencoded"

// says answers by a link, as programs do.
func (s *site) says(status int, link string, pairs ...string) string {
	s.t.Helper()
	at, token, _ := strings.Cut(link, "#")
	form := url.Values{"token": {token}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return s.want(status, "POST", at, form.Encode(), asForm, "Accept: application/json")
}

// outcome waits until an approval has ended and returns its result.
func (s *site) outcome(a asked) string {
	s.t.Helper()
	for {
		w, body := s.do("GET", a.StatusQueryGetURI, "")
		if w.StatusCode == http.StatusOK {
			return body
		}
	}
}

func TestAnExpenseGoesThroughTwoSteps(t *testing.T) {
	s := open(t, t.TempDir(), true)
	a := s.ask(expensePath, anExpense)
	if shown := s.want(200, "GET", s.link(boss), ""); !strings.Contains(shown, "84.5 CHF") || !strings.Contains(shown, "Your answer is wanted") {
		t.Error(shown)
	}
	s.says(200, s.link(boss), "verb", "approve")
	s.says(409, s.link(boss), "verb", "reject", "comment", "no")
	s.says(422, s.link(finance), "verb", "reject")
	s.says(200, s.link(finance), "verb", "reject", "comment", "no receipt")
	if end := s.outcome(a); !strings.Contains(end, `"outcome":"rejected"`) || !strings.Contains(end, `"via":"link"`) || !strings.Contains(end, "no receipt") {
		t.Error(end)
	}
	if shown := s.want(200, "GET", a.RequesterURI, ""); !strings.Contains(shown, "It was rejected by finance@example.org.") {
		t.Error(shown)
	}
}

func TestARequesterTakesAnExpenseBack(t *testing.T) {
	s := open(t, t.TempDir(), true)
	a := s.ask(expensePath, anExpense)
	link := s.link(boss)
	s.says(200, a.RequesterURI, "verb", "recall")
	if end := s.outcome(a); !strings.Contains(end, `"outcome":"recalled"`) {
		t.Error(end)
	}
	if told := s.says(410, link, "verb", "approve"); !strings.Contains(told, "taken-back") {
		t.Error(told)
	}
}

func TestALargeExpenseTakesACode(t *testing.T) {
	s := open(t, t.TempDir(), true, "ExpenseCodeFrom=80", "ApproverPhones=boss@example.org="+number+",finance@example.org=+447700900124,cfo@example.org=+447700900125")
	a := s.ask(expensePath, anExpense)
	if told := s.says(422, s.link(boss), "verb", "reject", "comment", "no"); !strings.Contains(told, "code-wanted") {
		t.Error(told)
	}
	s.says(200, s.link(boss), "verb", "reject", "comment", "no", "code", s.code(number))
	if end := s.outcome(a); !strings.Contains(end, `"via":"link+code"`) {
		t.Error(end)
	}
}

// Settings that make no policy are found at the start.
func TestSettingsThatMakeNoPolicyAreFoundAtTheStart(t *testing.T) {
	for setting, says := range map[string]string{
		"ExpenseCodeFrom=80":         "needs the phone of boss@example.org",
		"ReleaseNeed=4":              "need is 4, but 3 are asked",
		"ReleaseVeto=group:security": `names the group "security", which is not there`,
	} {
		typed(t, []string{"Address=127.0.0.1:0", "DataFolder=" + t.TempDir(), setting}, "", "", exitFailure, says)
	}
}

func TestAReleaseTakesTwoOfThreeAndNoVeto(t *testing.T) {
	s := open(t, t.TempDir(), true)
	for _, test := range []struct {
		answers [][2]string
		want    string
	}{
		{[][2]string{{"ann@example.org", "approve"}, {"carol@example.org", "approve"}}, "approved"},
		{[][2]string{{"ann@example.org", "approve"}, {"security@example.org", "reject"}}, "rejected"},
		{[][2]string{{"ann@example.org", "reject"}, {"bob@example.org", "reject"}}, "rejected"},
	} {
		a := s.ask(releasePath, strings.Replace(aRelease, "Shop 2.4", fmt.Sprint("Shop ", test.answers), 1))
		for _, answer := range test.answers {
			s.says(200, s.linkOf(a, answer[0]), "verb", answer[1], "comment", "so")
		}
		if end := s.outcome(a); !strings.Contains(end, `"outcome":"`+test.want+`"`) {
			t.Errorf("%v: %s", test.answers, end)
		}
	}
}

// linkOf waits for a link to an instance.
func (s *site) linkOf(a asked, to string) string {
	s.t.Helper()
	for {
		if link := s.link(to); strings.Contains(link, a.ID) {
			return link
		}
	}
}

func TestBadRequestsForApprovalsSayWhatIsWrong(t *testing.T) {
	s := open(t, t.TempDir(), true)
	for path, bodies := range map[string][]string{
		expensePath: {
			``, `{}`, `[]`, anExpense + `{}`, strings.Replace(anExpense, "84.5", `"much"`, 1), strings.Replace(anExpense, "84.5", "-1", 1), strings.Replace(anExpense, "84.5", "1e5", 1), strings.Replace(anExpense, "rex@example.org", "", 1),
			strings.Replace(anExpense, "Train", "Tra\u202ein", 1), strings.Replace(anExpense, `"for"`, `"manager":"rex@example.org","for"`, 1),
		},
		releasePath: {`{}`, strings.Replace(aRelease, "92fcdf9", "", 1)},
		claimPath:   {`{}`, `{"claim_id":"a/b","amount":1}`, `{"claim_id":"a","amount":-1}`, `{"claim_id":"a","amount":"x"}`},
	} {
		for _, body := range bodies {
			if told := s.want(400, "POST", path, body); len(told) < 60 {
				t.Errorf("%s: %s", body, told)
			}
		}
		if told := s.want(400, "POST", path, `{"manager":1}`); !strings.Contains(told, `There is no member \"manager\".`) {
			t.Error(told)
		}
		s.want(413, "POST", path, `{"requester":"`+strings.Repeat("x", 100_000)+`"}`)
		s.want(405, "GET", path, "")
	}
}

// Who decides is known by the door, whatever the body says.
func TestWhoDecidesIsNeverTakenFromTheBody(t *testing.T) {
	s := open(t, t.TempDir(), true, "OperatorKey="+strings.TrimPrefix(operator, "X-Functions-Key: "))
	a := s.ask(expensePath, anExpense)
	s.link(boss)
	forged := `{"by":"boss@example.org","via":"link","verb":"approve","stage":"manager"}`
	event := "/instances/" + a.ID + "/raiseEvent/ApprovalDecision"
	if told := s.want(403, "POST", localPath+event, forged, operator, "Prefer: wait"); !strings.Contains(told, "reserved-event") {
		t.Error(told)
	}
	s.want(403, "POST", localPath+event, forged, operator)
	s.want(401, "POST", localPath+event, forged)
	s.want(401, "POST", answerPath+a.ID, `{"verb":"approve"}`)
	s.want(401, "POST", answerPath+a.ID, `{"verb":"approve"}`, "X-MS-CLIENT-PRINCIPAL-NAME: boss@example.org")
	s.want(401, "POST", answerPath+a.ID, `{"for":"boss@example.org","verb":"approve"}`)
	s.want(400, "POST", answerPath+a.ID, `{"verb":"approve"}`, operator)
	s.want(400, "POST", answerPath+a.ID, `{"by":"boss@example.org","verb":"approve"}`, operator)
	s.want(404, "POST", answerPath+"nothing", `{"for":"boss@example.org","verb":"approve"}`, operator)
	if told := s.want(403, "POST", answerPath+a.ID, `{"for":"rex@example.org","verb":"approve"}`, operator); !strings.Contains(told, `"reason":"barred"`) {
		t.Error(told)
	}
	if told := s.want(200, "POST", answerPath+a.ID, `{"for":"boss@example.org","verb":"reject","comment":"said so"}`, operator); !strings.Contains(told, `"via":"operator"`) {
		t.Error(told)
	}
	if told := s.want(409, "POST", answerPath+a.ID, `{"for":"boss@example.org","verb":"approve"}`, operator); !strings.Contains(told, `"by":"boss@example.org"`) || !strings.Contains(told, `"at":"`) {
		t.Error(told)
	}
	if end := s.outcome(a); !strings.Contains(end, `"via":"operator"`) {
		t.Error(end)
	}
}

// inTurn answers as soon as the stage has begun that the answer is for.
func (s *site) inTurn(status int, path, body string, headers ...string) string {
	s.t.Helper()
	for {
		w, told := s.do("POST", path, body, headers...)
		if strings.Contains(told, "has not begun") {
			continue
		}
		if w.StatusCode != status {
			s.t.Errorf("POST %s %q: %d %s, want %d", path, body, w.StatusCode, told, status)
		}
		return told
	}
}

func TestWhoSignedInAnswersAsThemselves(t *testing.T) {
	s := open(t, t.TempDir(), false, "OperatorKey="+strings.TrimPrefix(operator, "X-Functions-Key: "))
	s.app.person = func(_ context.Context, token string) (string, error) {
		if token != "boss's" {
			return "", errors.New("not a token")
		}
		return boss, nil
	}
	a := s.ask(expensePath, anExpense)
	s.want(401, "POST", answerPath+a.ID, `{"verb":"approve"}`, "Authorization: Bearer rex's")
	s.want(401, "POST", answerPath+a.ID, `{"for":"boss@example.org","verb":"approve"}`, "Authorization: Bearer boss's")
	s.want(401, "POST", answerPath+a.ID, `{"verb":"approve"}`, principalHeader+": "+boss)
	if told := s.inTurn(200, answerPath+a.ID, `{"verb":"approve"}`, "Authorization: Bearer boss's"); !strings.Contains(told, `"via":"sign-in"`) {
		t.Error(told)
	}
	if told := s.want(403, "POST", expensePath, anExpense, "Authorization: Bearer boss's"); !strings.Contains(told, "You are boss@example.org") {
		t.Error(told)
	}
	s.want(202, "POST", expensePath, strings.Replace(anExpense, "rex@example.org", "BOSS@example.org", 1), "Authorization: Bearer boss's")
	s.app.signsIn = true
	if told := s.inTurn(200, answerPath+a.ID, `{"stage":"finance","verb":"reject","comment":"no"}`, principalHeader+": "+finance); !strings.Contains(told, `"by":"finance@example.org","via":"sign-in"`) {
		t.Error(told)
	}
}

func TestTheReviewOfAClaim(t *testing.T) {
	registry := func() *engine.Registry {
		r := engine.NewRegistry()
		addClaimReview(r)
		return r
	}
	large := claim{ID: "claim-002", Amount: 5200, From: 1000, Timeout: human.Duration(30 * time.Second)}
	for name, test := range map[string]struct {
		claim   claim
		answers []claimResponse // a second apart
		want    string
		elapsed time.Duration
	}{
		"a small one":     {claim{ID: "claim-001", Amount: 10, From: 1000}, nil, "Completed", 0},
		"approved":        {large, []claimResponse{{"claim-002", "approve"}}, "Approved", time.Second},
		"rejected":        {large, []claimResponse{{"claim-002", "rejected"}}, "Rejected", time.Second},
		"nobody":          {large, nil, "ApprovalTimedOut", 30 * time.Second},
		"of another":      {large, []claimResponse{{"claim-001", "approve"}}, "ApprovalTimedOut", 30 * time.Second},
		"no answer first": {large, []claimResponse{{"claim-002", "maybe"}, {"claim-002", "reject"}, {"claim-002", "approve"}}, "Rejected", 2 * time.Second},
	} {
		env := enginetest.New(t, registry())
		for n, answer := range test.answers {
			enginetest.Raise(env, time.Duration(n+1)*time.Second, ApprovalResponse, answer)
		}
		result, err := enginetest.Run(env, ClaimReview, test.claim)
		if err != nil || result.Status != test.want || result.ID != test.claim.ID || env.Elapsed() != test.elapsed {
			t.Errorf("%s: %+v after %v, %v", name, result, env.Elapsed(), err)
		}
	}
}

// Whoever starts the review of a claim gets a link for its answer and for nothing else.
func TestTheLinkOfAClaimAnswersThatClaim(t *testing.T) {
	s := open(t, t.TempDir(), false)
	a := s.ask(claimPath, `{"claim_id":"claim-002","amount":5200}`)
	event := strings.Replace(a.SendEventPostURI, "{eventName}", "ApprovalResponse", 1)
	s.want(404, "POST", strings.Replace(a.SendEventPostURI, "{eventName}", "Another", 1), `{}`)
	if told := s.want(422, "POST", event, `{"event_id":"claim-003","decision":"approve"}`, "Prefer: wait", "Content-Type: application/json"); !strings.Contains(told, "is reviewed") {
		t.Error(told)
	}
	s.want(200, "POST", event, `{"event_id":"claim-002","decision":"reject"}`, "Prefer: wait", "Content-Type: application/json")
	s.want(409, "POST", event, `{"event_id":"claim-002","decision":"approve"}`, "Prefer: wait", "Content-Type: application/json")
	if end := s.outcome(a); !strings.Contains(end, `"status":"Rejected"`) {
		t.Error(end)
	}
}

// letters is a channel that keeps what it is given.
type letters struct{ sent []string }

// Send keeps a message.
func (l *letters) Send(_ context.Context, to string, m notify.Message) error {
	l.sent = append(l.sent, to+" | "+m.Subject+" | "+m.Text)
	return nil
}

func TestWhoHasAnAddressIsToldByEMailIfThereIsAServer(t *testing.T) {
	link := aLink(t)
	notice := approval.Notice{Title: "Train\nto Bern", Requester: "rex@example.org", Contact: approval.Contact{Email: boss, Phone: number}}
	notice.Why = "approved: all\nrules are met"
	for kind, says := range map[approval.EffectKind]string{
		approval.Ask:    boss + " | To decide: Train to Bern | rex@example.org asks you to decide until",
		approval.Remind: boss + " | Still to decide: Train to Bern | Your answer to rex@example.org is missing",
		approval.Tell:   boss + " | Your request: Train to Bern | Your request is approved: all rules are met: Train to Bern",
	} {
		var mail letters
		notice.Kind = kind
		if err := (notifier{mail: &mail}).Notify(t.Context(), notice, link); err != nil || len(mail.sent) != 1 || !strings.HasPrefix(mail.sent[0], says) || !strings.HasSuffix(mail.sent[0], link.Reveal()) {
			t.Errorf("%s: %v, %q", kind, err, mail.sent)
		}
	}
	notice.Contact = approval.Contact{}
	if err := (notifier{mail: &letters{}}).Notify(t.Context(), notice, link); engine.KindOf(err) != human.KindMisconfigured {
		t.Error(err)
	}
}
