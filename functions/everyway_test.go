package main

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/internal/mail/mailtest"
)

// Somebody is asked by e-mail and answers by the link in it, and the end is told by all the
// ways that there are, once each.
func TestAnEndIsToldByEveryWay(t *testing.T) {
	const phone, ops = "+447700900999", "ops@example.com"
	ended := "ended-" + strings.ToLower(rand.Text())
	e := azuritetest.Shared(t)
	letters := mailtest.New(t)
	posted := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, err := notify.CheckWebhook(webhookSecret, r.Header, body, time.Now()); (err == nil) != (r.URL.Path == "/webhook") {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		posted <- r.URL.Path + " " + string(body)
	}))
	defer hook.Close()
	s := open(t, t.TempDir(), true, append(inAzurite(e),
		"CompletionNotices=webhook,slack,teams,mail="+ops+",sms="+phone+",queue="+ended,
		"WebhookUrl="+hook.URL+"/webhook", "WebhookSecret="+webhookSecret, "SlackWebhookUrl="+hook.URL+"/slack", "TeamsWebhookUrl="+hook.URL+"/teams",
		"MailServer="+letters.Address, "MailSecurity=none", "MailFrom=Holdfast <holdfast@example.com>")...)
	a := s.ask(expensePath, anExpense)
	asks := mailtest.Text(t, letters.Wait(t, boss, 1)[0])
	if !strings.Contains(asks, "To: <"+boss+">\nSubject: To decide: Train to Bern") || !strings.Contains(asks, "rex@example.org asks you to decide until ") {
		t.Error(asks)
	}
	s.says(200, linkIn(asks), "verb", "reject", "comment", "no")
	told := map[string]string{}
	for range 3 {
		path, body, _ := strings.Cut(<-posted, " ")
		told[path] = body
	}
	told[ops] = mailtest.Text(t, letters.Wait(t, ops, 1)[0])
	told["requester"] = mailtest.Text(t, letters.Wait(t, "rex@example.org", 1)[0])
	told[phone] = s.message(phone)
	told[ended] = queued(t, e, ended)
	for way, body := range told {
		if !strings.Contains(body, "rejected") || way != "requester" && !strings.Contains(body, a.ID) {
			t.Errorf("%s: %s", way, body)
		}
	}
	end := s.settled(a.ID + "-notified")
	if len(told) != 7 || len(posted) != 0 || strings.Contains(end, `"lost"`) {
		t.Errorf("told by %d ways, and again %d times: %s", len(told), len(posted), end)
	}
}

// message waits for a message on the simulated phone.
func (s *site) message(to string) string {
	s.t.Helper()
	for {
		if text := s.want(200, "GET", messagesPath+"?to="+to[1:], ""); text != "[]\n" && text != "[]" {
			return text
		}
	}
}

// settled waits until an instance has completed.
func (s *site) settled(id string) string {
	s.t.Helper()
	for {
		if _, text := s.do("GET", localPath+"/instances/"+id, ""); strings.Contains(text, `"runtimeStatus":"Completed"`) {
			return text
		}
	}
}

// queued waits for a message in a queue of the account.
func queued(t *testing.T, e *azuritetest.Emulator, name string) string {
	t.Helper()
	service, err := azqueue.NewServiceClientFromConnectionString(e.ConnectionString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for {
		got, err := service.NewQueueClient(name).DequeueMessage(t.Context(), nil)
		if err == nil && len(got.Messages) == 1 {
			return *got.Messages[0].MessageText
		}
	}
}
