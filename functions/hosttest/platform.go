package hosttest

import (
	"context"
	"time"
)

// scalePause is the time between two looks at the queues of an app that is asleep. The real platform takes its time.
const scalePause = 200 * time.Millisecond

// platform does what goes on beside the machines: it minds the schedules and, for an app that may be asleep, the queues.
func (h *Host) platform() {
	if h.o.Manual {
		return
	}
	for _, f := range h.functions {
		if f.trigger.Type == timerTrigger {
			h.work.Go(func() { h.keepTime(f) })
		}
	}
	if h.o.Asleep && len(h.listeners) > 0 {
		h.work.Go(h.scale)
	}
}

// pause waits, and reports whether it did so to the end.
func (h *Host) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// scale starts a machine when there is none and a message can be seen.
func (h *Host) scale() {
	for h.pause(scalePause) {
		if h.isAwake() {
			continue
		}
		for _, l := range h.listeners {
			if l.waits(h.ctx) {
				h.start()
				break
			}
		}
	}
}

func (h *Host) isAwake() bool {
	i := h.current()
	return i != nil && i.ctx.Err() == nil
}

// start starts a machine that nobody waits for.
func (h *Host) start() {
	if err := h.StartInstance(h.ctx); err != nil && h.ctx.Err() == nil {
		h.file("hosttest: start a machine: "+err.Error(), true)
	}
}

// keepTime sets a timer's function off whenever its schedule says so.
func (h *Host) keepTime(f *function) {
	for {
		at := f.times.next(time.Now())
		if at.IsZero() || !h.pause(time.Until(at)) {
			return
		}
		if h.o.Asleep {
			h.start()
		}
		h.tick(f, false)
	}
}

// tick sets a timer's function off, or takes note that nobody could.
func (h *Host) tick(f *function, late bool) {
	i := h.current()
	if i != nil && i.ctx.Err() == nil {
		i.fire(i.ctx, f, late)
	}
	if i == nil || i.ctx.Err() != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.missed[f] = true
	}
}

// fire invokes a timer's function and waits for its end.
func (i *instance) fire(ctx context.Context, f *function, late bool) Invocation {
	return i.invoke(ctx, f, newEnvelope(f, timerData(f.times, late, time.Now().UTC()), nil))
}

// makeUp sets off on a new machine what was due when there was none, or what one did not bring to its end.
func (h *Host) makeUp(i *instance) {
	h.mu.Lock()
	missed := h.missed
	h.missed = map[*function]bool{}
	h.mu.Unlock()
	for f := range missed {
		i.run(func() { h.tick(f, true) })
	}
}
