package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
)

// firstPass is how long a doorbell is first kept from ringing again that this
// worker can do nothing about; then twice as long each time, up to a lease.
const firstPass = time.Second

// maxLeft is how many instances are remembered that were left for others.
const maxLeft = 10_000

// leave hands an instance over that this worker must not or cannot run: messages
// go to the inbox, and doorbells back to the store, so that they soon ring for
// another worker, but less and less often here. It is said once for each
// instance.
func (w *Worker) leave(id string, mail []*delivery, why error) {
	times := w.countLeft(id)
	level := slog.LevelWarn
	if times > 0 {
		level = slog.LevelDebug
	}
	w.o.Logger.Log(w.context, level, "left for another worker", "instance", id, "error", why)
	w.handOver(id, mail, why)
	w.passOn(w.context, bellsOf(mail), min(firstPass<<min(times, 16), w.store.Lease()))
}

// bellsOf returns the doorbells of the mail.
func bellsOf(mail []*delivery) (bells []store.Doorbell) {
	for _, d := range mail {
		if d.isBell() {
			bells = append(bells, d.bell)
		}
	}
	return bells
}

// passOn lets doorbells ring after a while for whoever receives them then.
func (w *Worker) passOn(ctx context.Context, bells []store.Doorbell, after time.Duration) {
	for _, bell := range bells {
		if err := w.store.Pass(ctx, bell, after); err != nil && !isFinal(err) {
			w.o.Logger.Warn("pass on a doorbell", "instance", bell.Instance, "error", err)
		}
	}
}

// countLeft returns how often an instance was left before.
func (w *Worker) countLeft(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.left) >= maxLeft {
		clear(w.left)
	}
	w.left[id]++
	return w.left[id] - 1
}

// forgetLeft takes note that an instance was not left.
func (w *Worker) forgetLeft(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.left, id)
}
