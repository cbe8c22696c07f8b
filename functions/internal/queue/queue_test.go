package queue_test

import (
	"encoding/json"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/internal/queue"
)

func TestAMessageIsInAQueueThatIsMadeForIt(t *testing.T) {
	e := azuritetest.Shared(t)
	sender, err := queue.New(queue.Options{ConnectionString: e.ConnectionString()})
	if err != nil {
		t.Fatal(err)
	}
	name := "ended-" + "a1"
	m := notify.Message{ID: "id-1", Text: "text", Data: json.RawMessage(`{"instanceId":"a"}`)}
	for _, m := range []notify.Message{m, {ID: "id-2", Text: "only <text>"}} {
		if err := sender.Send(t.Context(), name, m); err != nil {
			t.Fatal(err)
		}
	}
	service, err := azqueue.NewServiceClientFromConnectionString(e.ConnectionString(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"id":"id-1","data":{"instanceId":"a"}}`, `{"id":"id-2","data":"only \u003ctext\u003e"}`} {
		got, err := service.NewQueueClient(name).DequeueMessage(t.Context(), nil)
		if err != nil || len(got.Messages) != 1 {
			t.Fatalf("%v", err)
		}
		if text := *got.Messages[0].MessageText; text != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
}

func TestFailuresOfAQueueSayWhetherToTryAgain(t *testing.T) {
	e := azuritetest.Shared(t)
	sender, err := queue.New(queue.Options{ConnectionString: e.ConnectionString()})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "ab", "Upper", "a--b", "-ab", "a/b", "a_b"} {
		if err := sender.Send(t.Context(), bad, notify.Message{}); engine.KindOf(err) != human.KindMisconfigured {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := queue.New(queue.Options{ConnectionString: "nonsense"}); err == nil {
		t.Error("nonsense was taken")
	}
}
