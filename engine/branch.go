package engine

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/seed21523604/holdfast/engine/history"
)

// Go runs fn as a branch of the orchestration, beside the code that calls it, and
// returns a task that completes with what it returns. It takes the place of a go
// statement: several steps for each of many things, with the things side by side.
//
//	var orders []*engine.Task[Receipt]
//	for _, item := range items {
//		orders = append(orders, engine.Go(ctx, func(ctx *engine.Context) (Receipt, error) {
//			price, err := engine.CallActivity(ctx, Price, item).Await()
//			if err != nil {
//				return Receipt{}, err
//			}
//			return engine.CallActivity(ctx, Order, price).Await()
//		}))
//	}
//	receipts, err := engine.WhenAll(ctx, orders...).Await()
//
// fn runs at once until it waits, and goes on when what it waits for is done;
// there is never more than one branch that runs, so they may share variables.
// Those whose tasks are done go on in the order in which these were. When the
// orchestration's function returns, its branches end where they are, and what
// panics in a branch fails the orchestration.
//
// To cancel the task is to cancel what the branch has begun and is not done yet:
// its Await returns [ErrCanceled], so that it can tidy up and return, and what it
// returns goes unheard. What it begins afterwards is not canceled.
func Go[Out any](c *Context, fn func(*Context) (Out, error)) *Task[Out] {
	var out Out
	t := c.x.branch(func() (err error) {
		out, err = fn(c)
		return err
	})
	return &Task[Out]{task: t, value: func(json.RawMessage) (Out, error) { return out, nil }}
}

// strand is a line of an orchestration's code: its function, or a branch of it.
type strand struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	rests       bool    // in an Await
	queued      bool    // to run, as what it waited for is done
	interrupted bool    // in its Await, as the branch was canceled
	exiting     bool    // its goroutine is about to exit, by the code's own will
	own         []*task // what a branch has begun
}

// branch begins a branch and returns its task.
func (x *Execution) branch(run func() error) *task {
	x.mustNotCheck("begin a branch")
	if x.leaving || x.ended {
		panic(unwinding{})
	}
	t := x.newTask(nil)
	s := x.strand(func() {
		err := run()
		t.settle(nil, err)
	})
	s.own = []*task{}
	t.forget = func() { x.interrupt(s) }
	if x.enter(s); x.ended {
		panic(unwinding{})
	}
	return t
}

// strand returns a strand that runs the code when it is entered. What panics in
// it fails the execution.
func (x *Execution) strand(run func()) *strand {
	s := &strand{}
	s.next, s.stop = iter.Pull(func(yield func(struct{}) bool) {
		s.yield = yield
		defer delete(x.strands, s)
		returned := false
		defer func() {
			p := recover()
			_, unwound := p.(unwinding)
			switch {
			case returned || unwound || x.leaving:
			case p == nil:
				x.end(history.Failed, nil, &history.Failure{
					Kind: KindPanic, Message: "the orchestration ended its goroutine instead of returning, as runtime.Goexit does",
				})
				s.exiting = true
				yield(struct{}{}) // whoever makes the turn must not exit with it
			default:
				x.end(history.Failed, nil, panicFailure(p))
			}
		}()
		run()
		returned = true
	})
	x.strands[s] = true
	return s
}

// close puts a strand away.
func (s *strand) close() {
	if !s.exiting {
		s.stop()
		return
	}
	// The exit of a coroutine's goroutine is that of whoever lets it run.
	var gone sync.WaitGroup
	gone.Go(s.stop)
	gone.Wait()
}

// enter lets a strand run until it waits or ends.
func (x *Execution) enter(s *strand) {
	before := x.running
	x.running = s
	s.next()
	x.running = before
}

// resume lets the strands run that have something to do, until all wait.
func (x *Execution) resume() {
	for len(x.ready) > 0 && !x.ended {
		s := x.ready[0]
		x.ready = x.ready[1:]
		s.queued = false
		x.enter(s)
	}
}

// wake lets a strand run when its turn comes.
func (x *Execution) wake(s *strand) {
	if !s.queued && s.rests {
		s.queued = true
		x.ready = append(x.ready, s)
	}
}

// await rests the running strand until t is done. It returns ErrCanceled when
// the branch that waits was canceled.
func (x *Execution) await(t *task) error {
	if t.done {
		return nil
	}
	x.mustNotCheck("wait for anything")
	s := x.running
	switch {
	case x.leaving:
		panic(unwinding{})
	case s == nil:
		panic("engine: only the code of the orchestration itself may wait")
	}
	if t.sleeper == nil {
		t.sleeper = s
	} else {
		t.whenDone(func() { x.wake(s) })
	}
	s.rests = true
	for !t.done && !s.interrupted {
		if !s.yield(struct{}{}) {
			panic(unwinding{})
		}
	}
	s.rests = false
	if s.interrupted = false; !t.done {
		return ErrCanceled
	}
	return nil
}

// interrupt cancels what a branch has begun, and its Await if that is for
// something else.
func (x *Execution) interrupt(s *strand) {
	own := s.own
	s.own = []*task{}
	for _, t := range own {
		t.Cancel()
	}
	if s.rests && !s.queued {
		s.interrupted = true
		x.wake(s)
	}
}

// newTask returns a task of the running strand.
func (x *Execution) newTask(forget func()) *task {
	t := &task{x: x, forget: forget}
	s := x.running
	if s == nil || s.own == nil {
		return t
	}
	if len(s.own) == cap(s.own) {
		s.own = slices.DeleteFunc(s.own, func(t *task) bool { return t.done })
	}
	s.own = append(s.own, t)
	return t
}

// mustGoOn ends the running strand, whose branch was canceled while it waited for
// one of several tasks.
func mustGoOn(err error) {
	if errors.Is(err, ErrCanceled) {
		panic(unwinding{})
	}
}
