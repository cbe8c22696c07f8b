package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// A site that started a verification is told how it ended, and need not poll: by a
// webhook that it can check, and a text message to somebody.
func TestTheEndOfAVerificationIsTold(t *testing.T) {
	told := make(chan []byte, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, err := notify.CheckWebhook(webhookSecret, r.Header, body, time.Now()); err != nil {
			t.Error(err)
		}
		told <- body
	}))
	defer hook.Close()
	tw := twiliotest.New(t)
	const ops = "+447700900999"
	s := openWithTwilio(t, tw, "CompletionNotices=webhook,sms="+ops, "WebhookUrl="+hook.URL, "WebhookSecret="+webhookSecret, "OperatorKey=0123456789abcdefghij")
	l := s.authenticate(number)
	code := codeIn(messages(t, tw, number, 1)[0].Body)
	s.waiting(l)
	s.want(202, "POST", l.event(), code)
	var end notify.Ended
	if err := json.Unmarshal(<-told, &end); err != nil || end.Instance != l.ID || end.Status != "Completed" || !strings.Contains(string(end.Output), "verified") {
		t.Errorf("%+v %v", end, err)
	}
	if body := messages(t, tw, ops, 1)[0].Body; body != "SmsVerify: verified (instance "+l.ID+")" {
		t.Error(body)
	}
	s.want(200, "GET", l.StatusQueryGetURI, "")
}

// It is so with whatever an HTTP trigger starts, and its links are as good as ever.
func TestTheEndOfWhateverATriggerStartedIsTold(t *testing.T) {
	told := make(chan notify.Ended, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var end notify.Ended
		if err := json.NewDecoder(r.Body).Decode(&end); err != nil {
			t.Error(err)
		}
		told <- end
	}))
	defer hook.Close()
	s := open(t, t.TempDir(), true, "CompletionNotices=webhook", "WebhookUrl="+hook.URL, "WebhookSecret="+webhookSecret, "OperatorKey="+operatorKey)
	s.ask(claimPath, `{"claim_id":"claim-001","amount":10}`)
	if end := <-told; end.Orchestration != string(ClaimReview) || !strings.Contains(string(end.Output), "Completed") {
		t.Errorf("%+v", end)
	}
	a := s.ask(expensePath, anExpense)
	s.says(200, s.link(boss), "verb", "reject", "comment", "no")
	if end := <-told; end.Instance != a.ID || end.Orchestration != string(ExpenseApproval) || !strings.Contains(string(end.Output), "rejected") {
		t.Errorf("%+v", end)
	}
	if shown := s.want(200, "GET", a.RequesterURI, ""); !strings.Contains(shown, "It was rejected by "+boss) {
		t.Error(shown)
	}
	s.want(200, "GET", a.StatusQueryGetURI, "")
}

// A start that was accepted is not called a failure: whoever asked again would start another.
func TestAStartThatHasNotBegunIsNotCalledAFailure(t *testing.T) {
	r := routes{app: &app{log: slog.New(slog.DiscardHandler)}}
	for err, want := range map[error]int{notify.ErrNotBegun: http.StatusServiceUnavailable, errors.New("the disk is full"): http.StatusInternalServerError} {
		w := httptest.NewRecorder()
		r.notStarted(w, string(SmsVerify), fmt.Errorf("start: %w", err), "Nothing was sent.")
		if said := strings.Contains(w.Body.String(), "Nothing was sent."); w.Code != want || said != (want == http.StatusInternalServerError) {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}

// The README names Azurite in the short form, which the library for queues does not know.
func TestTheWaysAreSetUpForWhateverNamesAnAccount(t *testing.T) {
	for _, account := range []string{"AzureWebJobsStorage=UseDevelopmentStorage=true", "AzureWebJobsStorage=usedevelopmentstorage=TRUE;", "AzureWebJobsStorage__accountName=shopstorage"} {
		values := loadEnv(t, account, "TaskHubName=hub", "TaskHubOwner=me", "VerificationKey="+base64.StdEncoding.EncodeToString(make([]byte, 32)), "DataFolder="+t.TempDir())
		ways, err := (&line{}).ways(values)
		if err != nil || ways["queue"].Channel == nil {
			t.Errorf("%s: %v, %v", account, ways, err)
		}
	}
}

func TestNoticesNeedTheirWays(t *testing.T) {
	for _, env := range [][]string{
		{"CompletionNotices=webhook"}, {"CompletionNotices=mail=a@example.com"}, {"CompletionNotices=queue=ended"},
	} {
		values, _, err := settings.Load(nil, environment(append(env, "DataFolder="+t.TempDir())))
		if err != nil {
			t.Fatal(err)
		}
		_, err = newApp(t.Context(), values, options{Logger: slog.New(slog.DiscardHandler), Address: "127.0.0.1:1"})
		if err == nil || !strings.Contains(err.Error(), "CompletionNotices") {
			t.Errorf("%q: %v", env, err)
		}
	}
}
