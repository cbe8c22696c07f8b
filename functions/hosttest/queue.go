package hosttest

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2/queueerror"
)

// listener takes messages from one queue to one function.
type listener struct {
	host     *Host
	function *function
	queue    *azqueue.QueueClient
	poison   *azqueue.QueueClient
}

// openQueues opens the queues of all functions, and makes those that are not there.
func (h *Host) openQueues(ctx context.Context) (all []*listener, err error) {
	if h.o.Manual {
		return nil, nil
	}
	for _, f := range h.functions {
		if f.trigger.Type != queueTrigger {
			continue
		}
		l, err := h.newListener(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("open the queue of %s: %w", f.name, err)
		}
		all = append(all, l)
	}
	return all, nil
}

func (h *Host) newListener(ctx context.Context, f *function) (*listener, error) {
	connection := h.o.Settings[f.trigger.Connection]
	if connection == "" {
		return nil, fmt.Errorf("there is no setting %s with a connection string", f.trigger.Connection)
	}
	service, err := azqueue.NewServiceClientFromConnectionString(connection, nil)
	if err != nil {
		return nil, err
	}
	l := &listener{h, f, service.NewQueueClient(f.trigger.QueueName), service.NewQueueClient(f.trigger.QueueName + "-poison")}
	_, err = l.queue.Create(ctx, nil)
	return l, ignoring(err, queueerror.QueueAlreadyExists)
}

// ignoring returns an error that is none of those of the storage account.
func ignoring(err error, codes ...queueerror.Code) error {
	if queueerror.HasCode(err, codes...) {
		return nil
	}
	return err
}

// run looks for messages until the machine is gone: again at once while there are some, and ever more rarely while there are none.
func (l *listener) run(i *instance) {
	ctx, q := i.ctx, l.host.config.queues
	first := l.host.o.FirstPause
	done := make(chan struct{}, q.batch+q.threshold)
	var running sync.WaitGroup
	defer running.Wait()
	pause := first
	for busy := 0; ctx.Err() == nil; {
		for busy > q.threshold {
			<-done
			busy--
		}
		messages := l.receive(ctx, int32(q.batch))
		for _, m := range messages {
			busy++
			running.Go(func() {
				l.deliver(i, m)
				done <- struct{}{}
			})
		}
		if len(messages) > 0 {
			pause = first
			continue
		}
		select {
		case <-ctx.Done():
		case <-done:
			busy--
		case <-time.After(pause):
			pause = min(2*pause, q.maxPause)
		}
	}
}

// receive takes messages and hides them. An error of the queue is as no message.
func (l *listener) receive(ctx context.Context, most int32) []*azqueue.DequeuedMessage {
	answer, err := l.queue.DequeueMessages(ctx, &azqueue.DequeueMessagesOptions{NumberOfMessages: &most, VisibilityTimeout: seconds(l.host.o.Hiding)})
	if err != nil {
		return nil
	}
	return answer.Messages
}

// seconds is what the queue service is told of a duration: whole seconds, one at least.
func seconds(d time.Duration) *int32 {
	n := int32(max(d.Round(time.Second)/time.Second, 1))
	return &n
}

// deliver invokes the function with a message and settles the message by how that went. On a machine that is gone nobody settles it.
func (l *listener) deliver(i *instance, m *azqueue.DequeuedMessage) {
	ctx, q := i.ctx, l.host.config.queues
	text, err := l.decode(m)
	if err != nil || text == "" || *m.DequeueCount > q.maxDequeue {
		l.giveUp(ctx, m)
		return
	}
	stop := l.keepHidden(ctx, m)
	done := i.invoke(ctx, l.function, newEnvelope(l.function, messageData(l.function, text), metadataOf(m)))
	receipt := stop()
	switch {
	case ctx.Err() != nil:
	case done.Err == nil:
		_, err := l.queue.DeleteMessage(ctx, *m.MessageID, receipt, nil)
		l.settled(ctx, err)
	case *m.DequeueCount >= q.maxDequeue:
		m.PopReceipt = &receipt
		l.giveUp(ctx, m)
	default:
		delay := int32(q.retryDelay / time.Second)
		_, err := l.queue.UpdateMessage(ctx, *m.MessageID, receipt, *m.MessageText, &azqueue.UpdateMessageOptions{VisibilityTimeout: &delay})
		l.settled(ctx, err)
	}
}

// decode returns the text of a message.
func (l *listener) decode(m *azqueue.DequeuedMessage) (string, error) {
	if !l.host.config.queues.base64 {
		return *m.MessageText, nil
	}
	text, err := base64.StdEncoding.DecodeString(*m.MessageText)
	return string(text), err
}

// keepHidden hides the message anew when half of its time is over, until it is stopped, and then returns the receipt that is good.
func (l *listener) keepHidden(ctx context.Context, m *azqueue.DequeuedMessage) (stop func() string) {
	receipt, finish, finished := *m.PopReceipt, make(chan struct{}), make(chan struct{})
	hiding := l.host.o.Hiding
	go func() {
		defer close(finished)
		for {
			select {
			case <-finish:
				return
			case <-ctx.Done():
				return
			case <-time.After(hiding / 2):
			}
			answer, err := l.queue.UpdateMessage(ctx, *m.MessageID, receipt, *m.MessageText, &azqueue.UpdateMessageOptions{VisibilityTimeout: seconds(hiding)})
			if err != nil {
				return
			}
			receipt = *answer.PopReceipt
		}
	}()
	return func() string {
		close(finish)
		<-finished
		return receipt
	}
}

// giveUp copies the message into the poison queue and deletes it.
func (l *listener) giveUp(ctx context.Context, m *azqueue.DequeuedMessage) {
	_, err := l.poison.Create(ctx, nil)
	if err = ignoring(err, queueerror.QueueAlreadyExists); err == nil {
		_, err = l.poison.EnqueueMessage(ctx, *m.MessageText, nil)
	}
	if err == nil {
		_, err = l.queue.DeleteMessage(ctx, *m.MessageID, *m.PopReceipt, nil)
	}
	l.settled(ctx, err)
}

// settled files an error of the queue. That somebody else has taken the message over, or deleted it, is none.
func (l *listener) settled(ctx context.Context, err error) {
	if err = ignoring(err, queueerror.PopReceiptMismatch, queueerror.MessageNotFound, queueerror.QueueNotFound); err != nil && ctx.Err() == nil {
		l.host.file("hosttest: settle a message: "+err.Error(), true)
	}
}

// metadataOf is what the host says of a message.
func metadataOf(m *azqueue.DequeuedMessage) map[string]any {
	return map[string]any{
		"DequeueCount": *m.DequeueCount, "Id": *m.MessageID, "PopReceipt": *m.PopReceipt,
		"InsertionTime": *m.InsertionTime, "ExpirationTime": *m.ExpirationTime, "NextVisibleTime": *m.TimeNextVisible,
	}
}

// waits reports whether a message can be seen in the queue, as the platform asks when it decides whether to start a machine.
func (l *listener) waits(ctx context.Context) bool {
	answer, err := l.queue.PeekMessage(ctx, nil)
	return err == nil && len(answer.Messages) > 0
}
