package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/approval"
	asklinks "github.com/seed21523604/holdfast/engine/human/links"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/human/receipt"
	"github.com/seed21523604/holdfast/engine/human/spoofs"
	"github.com/seed21523604/holdfast/functions/internal/twilio"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// aLink is one such as people are sent.
func aLink(t *testing.T) asklinks.Link {
	t.Helper()
	maker, err := asklinks.New(make([]byte, asklinks.KeySize), "https://app.example/api/approve")
	if err != nil {
		t.Fatal(err)
	}
	return maker.Link(asklinks.Question{Instance: "i", To: boss})
}

// Each text of the corpus, or every fifth with the race detector, goes out through Twilio as the title of a request and as who
// wants it: as one message to one phone, with the lines that it always has and nothing in
// them that is not seen.
func TestATextMessageSaysWhatPeopleWroteAndNoMore(t *testing.T) {
	tw := twiliotest.New(t)
	sender, err := twilio.New(twilio.Options{AccountSid: twiliotest.AccountSid, AuthToken: twiliotest.AuthToken, From: twiliotest.From, BaseURL: tw.URL()})
	if err != nil {
		t.Fatal(err)
	}
	n, link := notifier{messenger: sender, anywhere: true}, aLink(t)
	texts := spoofs.All()
	if raceEnabled {
		n := 0
		texts = slices.DeleteFunc(slices.Clone(texts), func(spoofs.Text) bool { n++; return n%5 != 0 })
	}
	for _, text := range texts {
		notice := approval.Notice{Title: text.Text, Requester: text.Text, Contact: approval.Contact{Phone: number}}
		notice.Kind = approval.Ask
		if err := n.Notify(t.Context(), notice, link); err != nil {
			t.Fatalf("%q: %v", text.Text, err)
		}
	}
	sent := tw.MessagesFor(number)
	if len(sent) != len(texts) || len(tw.Violations()) > 0 {
		t.Fatalf("%d messages for %d texts; violations: %q", len(sent), len(texts), tw.Violations())
	}
	for i, m := range sent {
		said, end, _ := strings.Cut(m.Body, "\n")
		letters := notify.Clean(texts[i].Text)
		if !strings.HasPrefix(said, letters+" asks you to decide until ") || !strings.HasSuffix(said, ": "+letters) || strings.ContainsFunc(said, spoofs.IsUnseen) || end != link.Reveal() {
			t.Fatalf("%q became %q", texts[i].Text, m.Body)
		}
	}
}

// The longest message that there may be is one that Twilio takes, and has a bounded price.
func TestTheLongestTextMessageIsBounded(t *testing.T) {
	notice := approval.Notice{Title: strings.Repeat("€", approval.MaxName-1) + "\u4e00", Requester: strings.Repeat("x", approval.MaxID), Revision: 1}
	notice.Kind, notice.Why = approval.Ask, strings.Repeat("y", approval.MaxName)
	message, err := messageOf(notice, aLink(t))
	text := message.Text
	if n := utf8.RuneCountInString(text); err != nil || n > 1600 || human.Segments(text) > 12 {
		t.Errorf("%v: %d characters in %d segments", err, n, human.Segments(text))
	}
}

// The answer to a text message has one message in it, whatever it is about.
func TestAnAnswerToATextMessageIsOneMessage(t *testing.T) {
	for _, text := range spoofs.All() {
		var b bytes.Buffer
		if err := xml.NewEncoder(&b).Encode(twiml{Message: text.Text}); err != nil {
			t.Fatal(err)
		}
		elements, letters := "", ""
		for d := xml.NewDecoder(&b); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			switch token := token.(type) {
			case xml.StartElement:
				elements += token.Name.Local + " "
			case xml.CharData:
				letters += string(token)
			case nil, xml.Comment, xml.ProcInst, xml.Directive:
				t.Fatalf("%q: %T %v", text.Text, token, err)
			}
		}
		if elements != "Response Message " || unspaced(letters) != unspaced(text.Text) { // XML has no control characters
			t.Fatalf("%q became %q in %s", text.Text, letters, elements)
		}
	}
}

// unspaced returns what is seen of a text, without spaces.
func unspaced(text string) string { return strings.ReplaceAll(notify.Clean(text), " ", "") }

// A receipt keeps each text of the corpus as it was, in a line of its own, and what is
// told of it for people has nothing in it that a terminal obeys.
func TestAReceiptTellsWhatPeopleWroteAndNoMore(t *testing.T) {
	signer, err := receipt.NewSigner(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	var past []history.Event
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, text := range spoofs.All() {
		said, err := json.Marshal(map[string]string{"by": text.Text, "via": text.Text, "comment": text.Text})
		if err != nil {
			t.Fatal(err)
		}
		past = append(past, history.Event{Kind: history.EventRaised, Time: at, Name: string(approval.ApprovalDecision), Input: said, Verdict: &history.Verdict{Outcome: history.Rejected, Reason: text.Text}})
	}
	entries, err := receipt.Entries(past, whoAnswered)
	if err != nil {
		t.Fatal(err)
	}
	var b, told bytes.Buffer
	if err := signer.Write(&b, receipt.Header{Hub: "h", Instance: "i", Execution: "x", Orchestration: "Expense"}, entries, at); err != nil {
		t.Fatal(err)
	}
	r, err := receipt.Verify(b.Bytes(), signer.PublicKey())
	if err != nil || len(r.Entries) != len(past) || bytes.Count(b.Bytes(), []byte("\n")) != len(past)+2 {
		t.Fatalf("%v", err)
	}
	for i, e := range r.Entries {
		var said struct{ By, Comment string }
		if text := spoofs.All()[i].Text; json.Unmarshal(e.Content, &said) != nil || said.Comment != text || said.By != text || e.Who != text || !strings.HasSuffix(e.Verdict, text) {
			t.Fatalf("%q became %+v", text, e)
		}
	}
	if err := tell(&told, r); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(told.String(), "\n"), "\n")
	if len(lines) != 2+2*len(past) {
		t.Errorf("%d lines of %d entries", len(lines), len(past))
	}
	for _, line := range lines {
		if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Fatalf("%q", line)
		}
	}
}

// What programs are answered is JSON with the members that it always has, and in it the
// letters; and no header comes of them.
func TestAnAnswerInJSONSaysWhatPeopleWroteAndNoMore(t *testing.T) {
	for _, text := range spoofs.All() {
		w := httptest.NewRecorder()
		routes{}.refuseAnswer(w, &approval.Refusal{Reason: approval.AlreadyDecided, Text: text.Text, By: text.Text, Field: text.Text, At: time.Unix(0, 0)})
		var got refusedAnswer
		decoder := json.NewDecoder(w.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil || decoder.More() || got.By != text.Text || got.Field != text.Text || len(w.Header()) != 1 || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
			t.Fatalf("%q became %+v with %v, %v", text.Text, got, w.Header(), err)
		}
		told := httptest.NewRecorder()
		refuse(told, 400, text.Text)
		var message map[string]string
		if err := json.Unmarshal(told.Body.Bytes(), &message); err != nil || len(message) != 1 || message["Message"] != text.Text || len(told.Header()) != 1 {
			t.Fatalf("%q became %v, %v", text.Text, message, err)
		}
	}
}
