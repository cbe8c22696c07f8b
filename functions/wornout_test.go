package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/limit"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// askings is how many requests one person is asked about: as many as
// HOLDFAST_REQUESTS says, or ten thousand with HOLDFAST_THREATS=full.
var askings = func() int {
	n, _ := strconv.Atoi(os.Getenv("HOLDFAST_REQUESTS"))
	if raceEnabled {
		return cmp.Or(n, 100)
	}
	if os.Getenv("HOLDFAST_THREATS") == "full" {
		return cmp.Or(n, 10_000)
	}
	return cmp.Or(n, 1000)
}()

// However many requests one person is asked to decide, no more text messages go out within
// an hour than are allowed.
func TestRequestsToOnePersonSendNoMoreTextMessagesThanAllowed(t *testing.T) {
	tw := twiliotest.New(t)
	s := openWithTwilio(t, tw, append(withoutLimits, "SmsPersonHourly=20", "SmsRequestHourly=3",
		"ApproverPhones=boss@example.org="+bossPhone+",finance@example.org="+financePhone+",cfo@example.org="+cfoPhone)...)
	inParallel(8, askings, func(int) { s.ask(expensePath, anExpense) })
	messages(t, tw, bossPhone, 20)
	s.stop() // when those are tried that are on their way
	if n := len(tw.MessagesFor(bossPhone)); n != 20 {
		t.Errorf("%d messages about %d requests", n, askings)
	}
}

// many is a channel that counts.
type many struct {
	mu   sync.Mutex
	sent map[string]int
}

// Send counts a message.
func (m *many) Send(_ context.Context, to string, _ notify.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent[to]++
	return nil
}

// The same of e-mail, which is counted for each address and apart from text messages.
func TestRequestsToOnePersonSendNoMoreEMailsThanAllowed(t *testing.T) {
	values, _, err := settings.Load(nil, environment([]string{"MailPersonHourly=7", "DataFolder=" + t.TempDir(), "Address=127.0.0.1:0"}))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := human.NewSealer(human.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	l, mail := &line{sealer: sealer}, &many{sent: map[string]int{}}
	channel := l.sparing(values, mail)
	const say engine.Activity[string, struct{}] = "Say"
	const told engine.Orchestrator[string, string] = "Told"
	r := engine.NewRegistry()
	limit.Add(r)
	engine.AddActivity(r, say, func(ctx context.Context, to string) (struct{}, error) {
		return struct{}{}, channel.Send(ctx, to, notify.Message{Subject: "To decide", Text: "Something"})
	})
	engine.AddOrchestrator(r, told, func(ctx *engine.Context, to string) (string, error) {
		_, err := engine.CallActivity(ctx, say, to).Await()
		return engine.KindOf(err), nil
	})
	s, err := filestore.Open(t.TempDir(), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := dispatch.New(s, r, dispatch.Options{})
	c := client.New(w.Instances(), client.Options{})
	l.letters.Use(c)
	for n := range 40 {
		if _, err := c.Start(t.Context(), string(told), fmt.Sprint("r", n), []string{boss, finance}[n%2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if mail.sent[boss] != 7 || mail.sent[finance] != 7 {
		t.Errorf("sent %v", mail.sent)
	}
}
