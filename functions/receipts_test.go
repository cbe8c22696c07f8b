package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/receipt"
)

func TestAReceiptIsVerifiedWithNothingButTheFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	s := open(t, folder, true)
	l := s.authenticate(number)
	code := s.code(number)
	s.waiting(l)
	env := []string{"DataFolder=" + folder, "Address=" + s.address}
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	earlier := file("earlier.jsonl", answered(t, env, "receipt "+l.ID))
	s.want(202, "POST", l.event(), code)
	s.wantOutput(l, "verified")
	text := answered(t, env, "receipt "+l.ID)
	s.stop()
	if stopped := answered(t, env, "receipt "+l.ID); strings.Count(stopped, "\n") != strings.Count(text, "\n") {
		t.Errorf("the app told\n%s\nits folder\n%s", text, stopped)
	}
	key := strings.TrimSpace(answered(t, env, "receipt-key"))
	last := file("receipt.jsonl", text)
	none := []string{"DataFolder=" + t.TempDir()} // without the app's key and store
	says := []string{"The receipt is whole", "SmsVerify", "answered  SmsChallengeResponse by whoever holds the phone, known by a one-time code", "taken", "ended", "It is signed with that key"}
	typed(t, none, "", "verify-receipt "+last+" -key "+key+" -earlier "+earlier, exitOK, says...)
	typed(t, none, "", "verify-receipt "+last, exitOK, "It is signed with the key "+key)
	typed(t, none, "", "verify-receipt "+last+" -key AAAA", exitFailure, "signed with another key")
	typed(t, none, "", "verify-receipt "+earlier+" -earlier "+last, exitFailure, "contradict")
	typed(t, none, "", "verify-receipt "+file("changed", strings.Replace(text, "taken", "TAKEN", 1)), exitFailure, "it was changed")
	typed(t, none, "", "verify-receipt", exitFailure, "which file")
	if strings.Contains(text, code) || !strings.Contains(text, "sealed:") {
		t.Error("the code is in the receipt")
	}
}

// A request that was changed twice is told of from its beginning: all that was shown, the
// decisions on it, and the changes.
func TestAReceiptTellsWhatARequestWasBefore(t *testing.T) {
	s := open(t, t.TempDir(), true)
	a := s.ask(releasePath, aRelease)
	ann, third := "ann@example.org", `{"for":"rex@example.org","verb":"change","content":{"title":"Shop 2.6"}}`
	s.says(200, s.linkOf(a, ann), "verb", "approve")
	s.want(200, "POST", answerPath+a.ID, strings.Replace(third, "2.6", "2.5", 1))
	s.want(200, "POST", answerPath+a.ID, third)
	s.want(200, "POST", answerPath+a.ID, `{"for":"security@example.org","verb":"reject","comment":"no"}`)
	s.outcome(a)
	r, err := receipt.Verify([]byte(s.want(200, "GET", localPath+"/instances/"+a.ID+"/receipt", "")), "")
	var begun approval.Request
	if err != nil || json.Unmarshal(r.Entries[0].Content, &begun) != nil || len(begun.Before) != 2 || len(begun.Earlier) != 3 {
		t.Fatalf("%v: %+v", err, begun)
	}
	was := approval.Request{Requester: begun.Requester, Content: begun.Before[0], Policy: begun.Policy}
	if shown := begun.Before[0]; shown.Title != "Shop 2.4" || len(shown.Details) != 2 || begun.Before[1].Title != "Shop 2.5" || begun.Content.Title != "Shop 2.6" {
		t.Errorf("it was %+v and is %+v", begun.Before, begun.Content)
	}
	if first := begun.Earlier[0]; first.By != ann || first.Digest != was.Digest() {
		t.Errorf("%+v is not about %s", first, was.Digest())
	}
}

// Who answers does not say in the answer itself who they are, or how that is known.
func TestAReceiptBelievesNoAnswerWhoItIsFrom(t *testing.T) {
	s := open(t, t.TempDir(), true)
	a := s.ask(claimPath, `{"claim_id":"claim-002","amount":5200}`)
	raise := func(status int, event, body string) {
		t.Helper()
		s.want(status, "POST", strings.Replace(a.SendEventPostURI, "{eventName}", event, 1), body, "Content-Type: application/json")
	}
	raise(202, "Vouched", `{"by":"boss@example.org","via":"sign-in"}`)
	raise(202, "ApprovalResponse", `{"event_id":"claim-002","decision":"approve"}`)
	s.outcome(a)
	text := s.want(200, "GET", localPath+"/instances/"+a.ID+"/receipt", "")
	if strings.Contains(text, `"who"`) || strings.Contains(text, `"how"`) || strings.Count(text, `"what":"answered"`) != 2 {
		t.Error(text)
	}
}

func TestOnlyOperatorsGetReceipts(t *testing.T) {
	s := open(t, t.TempDir(), true, "OperatorKey=0123456789abcdefghij")
	l := s.authenticate(number)
	path := localPath + "/instances/" + l.ID + "/receipt"
	s.want(401, "GET", path, "")
	_, query, _ := strings.Cut(l.StatusQueryGetURI, "?")
	s.want(403, "GET", path+"?"+query, "")
	if text := s.want(200, "GET", path, "", "X-Functions-Key: 0123456789abcdefghij"); !bytes.HasPrefix([]byte(text), []byte(`{"format":"holdfast receipt 1"`)) {
		t.Error(text)
	}
}
