package hosttest_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/hosttest"
)

// withQueue returns what runs the app on a queue of its own in Azurite, and the queue with the one for poison.
func withQueue(t *testing.T) (o hosttest.Options, queue, poison *azqueue.QueueClient) {
	t.Helper()
	connection, name := azuritetest.Shared(t).ConnectionString(), azuritetest.NewHub()+"-work"
	service, err := azqueue.NewServiceClientFromConnectionString(connection, nil)
	if err != nil {
		t.Fatal(err)
	}
	queue = service.NewQueueClient(name)
	if _, err := queue.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	o = app(t, nil)
	o.Manual, o.Only = false, []string{"Work"}
	o.Settings["Storage"], o.Settings["WorkQueue"] = connection, name
	return o, queue, service.NewQueueClient(name + "-poison")
}

func put(t *testing.T, queue *azqueue.QueueClient, message string) {
	t.Helper()
	if _, err := queue.EnqueueMessage(t.Context(), message, nil); err != nil {
		t.Fatal(err)
	}
}

// ends waits until the function has ended so many times, as wanted.
func ends(t *testing.T, h *hosttest.Host, times int, wanted func(hosttest.Invocation) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if _, err := h.Wait(ctx, func(i hosttest.Invocation) bool {
		if wanted(i) {
			times--
		}
		return times == 0
	}); err != nil {
		t.Fatalf("%v; there were %+v", err, h.Invocations())
	}
}

func succeeded(i hosttest.Invocation) bool { return i.Err == nil }
func failed(i hosttest.Invocation) bool    { return i.Err != nil }

// empty waits until the queue has no message, seen or hidden.
func empty(t *testing.T, queue *azqueue.QueueClient) {
	t.Helper()
	for {
		properties, err := queue.GetProperties(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if *properties.ApproximateMessagesCount == 0 {
			return
		}
	}
}

func TestAMessageIsDeliveredAndDeleted(t *testing.T) {
	o, queue, _ := withQueue(t)
	h := hosttest.New(t, o)
	for n := range 40 {
		put(t, queue, fmt.Sprintf(`{"do":"echo","n":%d}`, n))
	}
	ends(t, h, 40, succeeded)
	empty(t, queue)
}

func TestAMessageThatFailsIsTriedAgainAndThenPoison(t *testing.T) {
	o, queue, poison := withQueue(t)
	h := hosttest.New(t, o)
	put(t, queue, `{"do":"status 500"}`)
	ends(t, h, 3, func(i hosttest.Invocation) bool { return errors.Is(i.Err, hosttest.ErrStatus) })
	empty(t, queue)
	found, err := poison.DequeueMessage(t.Context(), nil)
	if err != nil || len(found.Messages) != 1 || *found.Messages[0].MessageText != `{"do":"status 500"}` {
		t.Errorf("%+v, %v", found.Messages, err)
	}
	if n := len(h.Invocations()); n != 3 {
		t.Errorf("it was tried %d times", n)
	}
}

// Messages are base64 if host.json says nothing else. What is not, or is empty, the handler never sees.
func TestAMessageThatCannotBeReadIsPoisonAtOnce(t *testing.T) {
	o, queue, poison := withQueue(t)
	o.Settings["AzureFunctionsJobHost__extensions__queues__messageEncoding"] = "base64"
	h := hosttest.New(t, o)
	put(t, queue, "no base64!")
	put(t, queue, "")
	put(t, queue, base64.StdEncoding.EncodeToString([]byte(`{"do":"echo"}`)))
	ends(t, h, 1, succeeded)
	empty(t, queue)
	most := int32(32)
	found, err := poison.DequeueMessages(t.Context(), &azqueue.DequeueMessagesOptions{NumberOfMessages: &most})
	if err != nil || len(found.Messages) != 2 || len(h.Invocations()) != 1 {
		t.Errorf("%d of two messages are poison, %v; %+v", len(found.Messages), err, h.Invocations())
	}
}

// A handler that is killed alone is noticed, and its message is seen again soon.
func TestTheMessageOfAKilledHandlerComesBackAtOnce(t *testing.T) {
	o, queue, _ := withQueue(t)
	h := hosttest.New(t, o)
	put(t, queue, `{"do":"hang"}`)
	hanging(t, h)
	h.KillHandler()
	ends(t, h, 1, failed)
	times := 0
	if _, err := h.WaitLine(t.Context(), func(l hosttest.Line) bool {
		if l.Text == "hanging" {
			times++
		}
		return times == 2
	}); err != nil {
		t.Fatal(err)
	}
}

// On a machine that is gone nobody gives the message back.
func TestTheMessageOfAMachineThatIsGoneStaysHidden(t *testing.T) {
	o, queue, _ := withQueue(t)
	o.Hiding = 3 * time.Second
	h := hosttest.New(t, o)
	began := time.Now()
	put(t, queue, `{"do":"hang"}`)
	hanging(t, h)
	h.KillInstance()
	properties, err := queue.GetProperties(t.Context(), nil)
	if err != nil || *properties.ApproximateMessagesCount != 1 {
		t.Errorf("%+v, %v", properties, err)
	}
	if n := len(h.Invocations()); n != 0 {
		t.Errorf("%d invocations ended, and nobody can know how", n)
	}
	for { // until its time is over
		answer, err := queue.DequeueMessage(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Messages) == 0 {
			continue
		}
		if took := time.Since(began); took < o.Hiding-time.Second { // the queue counts in whole seconds
			t.Errorf("it was seen after %v", took)
		}
		if *answer.Messages[0].DequeueCount < 2 {
			t.Error("it was never received")
		}
		return
	}
}

// putHidden puts a message that can be seen after so many seconds.
func putHidden(t *testing.T, queue *azqueue.QueueClient, message string, seconds int32) {
	t.Helper()
	if _, err := queue.EnqueueMessage(t.Context(), message, &azqueue.EnqueueMessageOptions{VisibilityTimeout: &seconds}); err != nil {
		t.Fatal(err)
	}
}
