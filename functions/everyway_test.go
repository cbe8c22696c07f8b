package main

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// Somebody is asked by e-mail and answers by the link in it, and the end is told by all the
// ways that there are, once each.
func TestAnEndIsToldByEveryWay(t *testing.T) {
	const phone, ops, ended = "+447700900999", "ops@example.com", "ended-every-way"
	e := azuritetest.Shared(t)
	letters := newLetterbox(t)
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
		"MailServer="+letters.address, "MailSecurity=none", "MailFrom=Holdfast <holdfast@example.com>")...)
	a := s.ask(expensePath, anExpense)
	asks := <-letters.came
	if !strings.Contains(asks, "To: <"+boss+">\nSubject: To decide: Train to Bern") || !strings.Contains(asks, "rex@example.org asks you to decide until ") {
		t.Error(asks)
	}
	s.says(200, linkIn(asks), "verb", "reject", "comment", "no")
	told := map[string]string{}
	for range 3 {
		path, body, _ := strings.Cut(<-posted, " ")
		told[path] = body
	}
	for len(told) < 5 { // the requester has a letter too
		letter := <-letters.came
		if strings.Contains(letter, "To: <"+ops+">") {
			told[ops] = letter
		} else if strings.Contains(letter, "To: <rex@example.org>") {
			told["requester"] = letter
		}
	}
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

// letterbox is an SMTP server that takes everything.
type letterbox struct {
	address string
	came    chan string // what the plain text of each is, below whom it is to and its subject
}

func newLetterbox(t *testing.T) *letterbox {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &letterbox{listener.Addr().String(), make(chan string, 100)}
	var wait sync.WaitGroup
	t.Cleanup(wait.Wait)
	t.Cleanup(func() { listener.Close() })
	wait.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer c.Close()
				b.take(t, c)
			})
		}
	})
	return b
}

// take takes what comes on a connection, until whoever sends it quits.
func (b *letterbox) take(t *testing.T, c net.Conn) {
	says := map[string]string{"EHLO": "250-localhost\r\n250 8BITMIME", "DATA": "354 go on", "QUIT": "221 bye"}
	fmt.Fprint(c, "220 localhost ESMTP\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		word, _, _ := strings.Cut(lines.Text(), " ")
		answer, ok := says[word]
		if !ok {
			answer = "250 OK"
		}
		fmt.Fprint(c, answer+"\r\n")
		switch word {
		case "QUIT":
			return
		case "DATA":
			var letter strings.Builder
			for lines.Scan() && lines.Text() != "." {
				letter.WriteString(strings.TrimPrefix(lines.Text(), ".") + "\r\n")
			}
			b.came <- plainText(t, letter.String())
			fmt.Fprint(c, "250 taken\r\n")
		}
	}
}

// plainText returns whom a letter is to, its subject and its plain text.
func plainText(t *testing.T, letter string) string {
	m, err := netmail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Error(err)
		return ""
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Error(err)
		return ""
	}
	part, err := multipart.NewReader(m.Body, parameters["boundary"]).NextPart() // the first is plain
	if err != nil {
		t.Error(err)
		return ""
	}
	text, err := io.ReadAll(part)
	if err != nil {
		t.Error(err)
	}
	return "To: " + m.Header.Get("To") + "\nSubject: " + m.Header.Get("Subject") + "\n" + string(text)
}
