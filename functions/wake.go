package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2/queueerror"

	"github.com/seed21523604/holdfast/functions/internal/host"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/triggers"
)

// hosted returns what the Functions host calls: the app, and beside it what a
// queue and a timer set off.
func (a *app) hosted(next http.Handler, o options) http.Handler {
	return host.New(host.Options{
		Functions: map[string]host.Function{triggers.Wake: a.catchUp, triggers.Sweep: a.catchUp},
		HTTP:      next, Timeout: o.Timeout, Logger: o.Logger,
	})
}

// catchUp is what the app does when it is woken: it answers the doorbells that
// ring, those for timers that came due among them, and waits until the worker
// has nothing in hand, as the platform leaves a process alone only while an
// invocation lasts. What is too long for one invocation goes on behind it, and
// has a doorbell if it is cut off.
func (a *app) catchUp(ctx context.Context, in *host.Invocation) error {
	note(in)
	answered := 0
	for {
		found, err := a.worker.Step(ctx)
		if isCutOff(err) {
			in.Log("the work goes on behind this invocation")
			return nil
		}
		if err != nil {
			return fmt.Errorf("answer doorbells: %w", err)
		}
		if !found {
			break
		}
		answered++
	}
	if err := a.worker.Settle(ctx); err != nil { // its one error is the context's
		in.Log("the work goes on behind this invocation")
	}
	in.Log("%d doorbells answered", answered)
	return nil
}

// note logs what is unusual about an invocation.
func note(in *host.Invocation) {
	if times, ok := in.System("DequeueCount"); ok && string(times) != "1" {
		in.Log("the message was received %s times", times)
	}
	var timer struct{ IsPastDue bool }
	if data, err := in.Data(triggers.Schedule); err == nil && json.Unmarshal(data, &timer) == nil && timer.IsPastDue {
		in.Log("the schedule was missed while no machine was there")
	}
}

func isCutOff(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

const (
	// wakeGrain is how far apart the moments are at which the app is woken. So
	// the timers and leases of many instances share a message, and few messages
	// are hidden in the queue at a time: when one of them can be seen, the
	// platform counts those that are hidden as well when it decides how many
	// machines there should be.
	wakeGrain = 10 * time.Second
	// wakeLife is how long a message stays that nobody takes.
	wakeLife = time.Hour
	// wakePatience is how long a doorbell waits for its message. The sweep makes
	// up for one that cannot be put.
	wakePatience = 5 * time.Second
)

// wakeText is what the messages say. Its one property has a name of ours, as the
// host puts a message's properties among what it says of the message.
const wakeText = `{"holdfast":{"wake":true}}`

// waker has the Functions host wake the app when doorbells ring, by messages in
// a queue that the host looks into and nobody else. The host is kept away from
// the doorbells themselves: it hides what it received for ten minutes, even when
// the machine dies on which it did so; and what failed five times it takes away.
// A message of this queue may be lost, late, or without a cause, as the sweep
// wakes the app as well.
type waker struct {
	queue *azqueue.QueueClient
	now   func() time.Time
	log   *slog.Logger

	mu    sync.Mutex
	asked map[time.Time]bool // the moments for which there is a message of this process
}

// openWaker returns what wakes the app, and makes its queue if that is not there;
// nil if the settings name no queue.
func openWaker(ctx context.Context, values settings.Values, logger *slog.Logger) (*waker, error) {
	name := values.Text(settings.WakeQueue)
	if name == "" || !inAccount(values) {
		return nil, nil
	}
	queue, err := openQueue(values, name)
	if err != nil {
		return nil, fmt.Errorf("open the queue %s: %w", name, err)
	}
	if _, err := queue.Create(ctx, nil); err != nil && !queueerror.HasCode(err, queueerror.QueueAlreadyExists) {
		return nil, fmt.Errorf("make the queue %s: %w", name, err)
	}
	return &waker{queue: queue, now: time.Now, log: logger, asked: map[time.Time]bool{}}, nil
}

// openQueue returns a queue of the account that the settings name.
func openQueue(values settings.Values, name string) (*azqueue.QueueClient, error) {
	o, err := hubOptions(values)
	if err != nil {
		return nil, err
	}
	return o.Queue(name)
}

// rouse sees to it that the app is woken soon after a moment.
func (w *waker) rouse(ctx context.Context, at time.Time) {
	moment := at.Truncate(wakeGrain).Add(wakeGrain)
	if !w.ask(moment) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wakePatience)
	defer cancel()
	if err := w.put(ctx, moment); err != nil {
		w.unask(moment)
		w.log.Warn("put a message that wakes the app; it is woken by the schedule", "error", err)
	}
}

// ask takes note of a moment, and reports whether it was not noted before. What
// is past is forgotten.
func (w *waker) ask(moment time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked[moment] {
		return false
	}
	now := w.now()
	for other := range w.asked {
		if other.Before(now) {
			delete(w.asked, other)
		}
	}
	w.asked[moment] = true
	return true
}

func (w *waker) unask(moment time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.asked, moment)
}

// put puts a message that can be seen from a moment on.
func (w *waker) put(ctx context.Context, moment time.Time) error {
	hidden := int32(max((moment.Sub(w.now())+time.Second-1)/time.Second, 0)) // and not a moment too early
	life := hidden + int32(wakeLife/time.Second)
	_, err := w.queue.EnqueueMessage(ctx, wakeText, &azqueue.EnqueueMessageOptions{VisibilityTimeout: &hidden, TimeToLive: &life})
	return err
}
