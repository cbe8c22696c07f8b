package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// refIn returns the reference in a message.
func refIn(body string) string {
	found := regexp.MustCompile(`answer A (\w{4})`).FindStringSubmatch(body)
	if found == nil {
		return ""
	}
	return found[1]
}

// texts sends a message from a phone and returns what it is answered with.
func (s *site) texts(tw *twiliotest.Server, from, body, sid string) string {
	s.t.Helper()
	says, err := tw.Text(s.t.Context(), s.app.url+smsPath, twiliotest.Incoming{From: from, To: twiliotest.From, Body: body, Sid: sid})
	if err != nil {
		s.t.Fatal(err)
	}
	return says
}

func TestAnExpenseIsDecidedByTextMessages(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, "ApproverPhones=boss@example.org="+bossPhone+",finance@example.org="+financePhone+",cfo@example.org="+cfoPhone)
	a := s.ask(expensePath, anExpense)
	asked := messages(t, tw, bossPhone, 1)[0]
	if err := tw.Report(t.Context(), asked.Sid, twiliotest.Status{Name: "undelivered", Code: 30005}, twiliotest.Status{Name: "sent"}); err != nil {
		t.Errorf("a report on a message that is no code: %v", err)
	}
	ref := refIn(asked.Body)
	if says := s.texts(tw, bossPhone, "approve", ""); !strings.Contains(says, "A "+ref+" approves") {
		t.Errorf("without a reference: %s", says)
	}
	if says := s.texts(tw, financePhone, "A "+ref, ""); !strings.Contains(says, "No open request") {
		t.Errorf("from another phone: %s", says)
	}
	if says := s.texts(tw, bossPhone, "a "+strings.ToLower(ref), "SM1"); !strings.HasPrefix(says, "Noted, you approve") {
		t.Error(says)
	}
	for range 3 {
		if says := s.texts(tw, bossPhone, "a "+ref, "SM1"); !strings.Contains(says, "which stands") {
			t.Errorf("again: %s", says)
		}
	}
	if says := s.texts(tw, bossPhone, "R "+ref+" no", ""); !strings.Contains(says, "which stands") {
		t.Errorf("another answer: %s", says)
	}
	next := refIn(messages(t, tw, financePhone, 1)[0].Body)
	if says := s.texts(tw, financePhone, "R "+next, ""); !strings.Contains(says, "reason") {
		t.Errorf("without a reason: %s", says)
	}
	if says := s.texts(tw, financePhone, "R "+next+" no receipt", ""); !strings.HasPrefix(says, "Noted, you reject") {
		t.Error(says)
	}
	end := s.outcome(a)
	for _, part := range []string{`"outcome":"rejected"`, `"via":"message"`, "no receipt"} {
		if !strings.Contains(end, part) {
			t.Errorf("%s lacks %s", end, part)
		}
	}
	if v := tw.Violations(); len(v) != 0 {
		t.Errorf("violations: %q", v)
	}
}

// The number that a message comes from can be forged, so it does not decide what takes
// a code.
func TestWhatTakesACodeIsNotDecidedByATextMessage(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, "ExpenseCodeFrom=80", "ApproverPhones=boss@example.org="+bossPhone+",finance@example.org="+financePhone+",cfo@example.org="+cfoPhone)
	a := s.ask(expensePath, anExpense)
	ref := refIn(messages(t, tw, bossPhone, 1)[0].Body)
	if says := s.texts(tw, bossPhone, "R "+ref+" no", ""); !strings.Contains(says, "takes a code") {
		t.Error(says)
	}
	s.want(202, "GET", a.StatusQueryGetURI, "")
}

// A reference is for one run, as a link is: the same request that is begun anew has
// another, and an answer by the old one is none.
func TestAnOldReferenceDecidesNothingOfARequestBegunAnew(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, "ApproverPhones=boss@example.org="+bossPhone+",finance@example.org="+financePhone+",cfo@example.org="+cfoPhone)
	a := s.ask(expensePath, anExpense)
	old := refIn(messages(t, tw, bossPhone, 1)[0].Body)
	s.want(202, "POST", localPath+"/instances/"+a.ID+"/terminate", "")
	s.want(202, "POST", localPath+"/instances/"+a.ID+"/restart?restartWithNewInstanceId=false", "")
	next := refIn(messages(t, tw, bossPhone, 2)[1].Body)
	if says := s.texts(tw, bossPhone, "A "+old, ""); next == old || !strings.Contains(says, "begun anew") {
		t.Errorf("the references are %s and %s: %s", old, next, says)
	}
	if says := s.texts(tw, bossPhone, "A "+next, ""); !strings.HasPrefix(says, "Noted, you approve") {
		t.Error(says)
	}
	messages(t, tw, financePhone, 1) // a stop would wait for it
}
