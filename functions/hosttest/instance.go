package hosttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// The host's rules for a handler that ends.
const (
	exitLeaves   = 0   // the handler is not started again
	exitRestarts = 200 // it is, and no error is counted
	maxErrors    = 3
	errorsWithin = 30 * time.Minute
)

var (
	// ErrGaveUp is the error of a host whose handler failed too often.
	ErrGaveUp = errors.New("the handler failed three times in half an hour; the host starts it no more")
	// ErrLeft is the error of a host whose handler has exited with 0.
	ErrLeft = errors.New("the handler has exited with code 0; the host does not start it again")

	errDead = errors.New("the machine is gone")
)

// instance is a machine with a host and a handler on it.
type instance struct {
	host *Host
	ctx  context.Context // ends with the machine
	end  context.CancelCauseFunc
	work sync.WaitGroup // what must have noticed its end

	mu      sync.Mutex
	process *process // nil while there is none that answers
	gaveUp  error
	changed chan struct{} // closed when process or gaveUp changes, and replaced
}

// newInstance begins to run the handler.
func newInstance(h *Host) *instance {
	i := &instance{host: h, changed: make(chan struct{})}
	i.ctx, i.end = context.WithCancelCause(context.Background())
	i.work.Go(i.supervise)
	return i
}

// supervise starts the handler, and starts it again when it ends, by the host's rules.
func (i *instance) supervise() {
	var failures []time.Time
	for i.ctx.Err() == nil {
		code, err := i.runOnce()
		switch {
		case i.ctx.Err() != nil:
			return
		case code == exitLeaves && err == nil:
			i.set(nil, ErrLeft)
			return
		case code == exitRestarts:
			continue
		}
		now := time.Now()
		for len(failures) > 0 && now.Sub(failures[0]) > errorsWithin {
			failures = failures[1:]
		}
		if failures = append(failures, now); len(failures) >= maxErrors {
			i.set(nil, fmt.Errorf("%w; the last time: %w", ErrGaveUp, err))
			return
		}
	}
}

// runOnce runs the handler to its end.
func (i *instance) runOnce() (code int, err error) {
	p, err := i.launch()
	if err != nil {
		return killed, err
	}
	if err := p.ready(i.ctx, i.host.config.startTime); err != nil {
		p.kill()
		return p.code, err
	}
	i.set(p, nil)
	select {
	case <-p.ended:
	case <-i.ctx.Done():
		p.kill()
	}
	i.set(nil, nil)
	if p.code != exitLeaves {
		err = fmt.Errorf("it ended with code %d: %s", p.code, strings.Join(p.last, " / "))
	}
	return p.code, err
}

func (i *instance) set(p *process, gaveUp error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.process, i.gaveUp = p, gaveUp
	close(i.changed)
	i.changed = make(chan struct{})
}

// handler returns the process that answers, and waits for it if there is none at the moment.
func (i *instance) handler(ctx context.Context) (*process, error) {
	for {
		i.mu.Lock()
		p, gaveUp, changed := i.process, i.gaveUp, i.changed
		i.mu.Unlock()
		if p != nil && !p.hasEnded() || gaveUp != nil {
			return p, gaveUp
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-i.ctx.Done():
			return nil, errDead
		}
	}
}

// running returns the process that answers, or nil.
func (i *instance) running() *process {
	if i == nil {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process
}

func (i *instance) killHandler() {
	if p := i.running(); p != nil {
		p.kill()
	}
}

// run runs something on the machine, unless that is gone.
func (i *instance) run(f func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ctx.Err() == nil {
		i.work.Go(f)
	}
}

// die ends the machine and waits until nothing of it is left.
func (i *instance) die() {
	i.mu.Lock()
	i.end(errDead)
	i.mu.Unlock()
	i.work.Wait()
}
