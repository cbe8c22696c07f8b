package dispatch

import (
	"log/slog"
	"time"
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
	w.passMail(id, mail, min(firstPass<<min(times, 16), w.store.Lease()))
}

// passMail lets the doorbells of the mail ring again after a while.
func (w *Worker) passMail(id string, mail []*delivery, after time.Duration) {
	for _, d := range mail {
		if !d.isBell() {
			continue
		}
		if err := w.store.Pass(w.context, d.bell, after); err != nil {
			w.o.Logger.Warn("pass on a doorbell", "instance", id, "error", err)
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
