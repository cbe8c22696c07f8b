package engine

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
)

// Awaitable is a task of any type: what [Select] and [WhenAny] take and return.
// The value they return is the very pointer that was given, so it can be
// compared with == and used in a switch.
type Awaitable interface {
	// Done reports whether the task has completed, failed or been canceled.
	Done() bool
	// Cancel gives up on the task.
	Cancel()

	base() *task
	outcome() error
}

// Task is something that an orchestration can wait for.
type Task[T any] struct {
	*task
	value func(json.RawMessage) (T, error)
}

// Timer is a task that completes when its time has come.
type Timer = Task[struct{}]

// Await waits until the task is done and returns its result: a *[TaskError] when
// an activity failed, [ErrTimeout] when a deadline came first, [ErrCanceled]
// when the task was given up, or the branch that waits for it.
func (t *Task[T]) Await() (T, error) {
	err := t.x.await(t.task)
	if err = cmp.Or(err, t.err); err != nil {
		var none T
		return none, err
	}
	return t.value(t.result)
}

// AwaitOr is Await, but for a task whose deadline came first it returns the
// fallback.
func (t *Task[T]) AwaitOr(fallback T) (T, error) {
	value, err := t.Await()
	if errors.Is(err, ErrTimeout) {
		return fallback, nil
	}
	return value, err
}

// outcome returns the error of a task that is done.
func (t *Task[T]) outcome() error {
	_, err := t.Await()
	return err
}

// task is what all tasks have in common. It is settled once.
type task struct {
	x         *Execution
	done      bool
	result    json.RawMessage
	err       error
	forget    func()  // takes the task off the list of what is being waited for
	sleeper   *strand // the first that rests until the task is done
	observers []func()
}

func (t *task) base() *task { return t }

// Done reports whether the task has completed, failed or been canceled.
func (t *task) Done() bool { return t.done }

// Cancel gives up on the task: Await returns ErrCanceled, a timer will not
// fire, an event is left for the next one who waits, and whatever an activity
// returns goes unheard. A race or a group that is canceled leaves its tasks alone.
// It has no effect on a task that is done.
func (t *task) Cancel() {
	if t.forget != nil && !t.done {
		t.forget()
	}
	t.settle(nil, ErrCanceled)
}

func (t *task) settle(result json.RawMessage, err error) {
	if t.done {
		return
	}
	t.done, t.result, t.err = true, result, err
	if t.sleeper != nil {
		t.x.wake(t.sleeper)
	}
	for _, observe := range t.observers {
		observe()
	}
	t.observers = nil
}

// whenDone calls f at once if the task is done, else when it is settled.
func (t *task) whenDone(f func()) {
	if t.done {
		f()
		return
	}
	t.observers = append(t.observers, f)
}

// jsonTask returns a task whose result is a JSON text.
func jsonTask[T any](t *task, what, name string) *Task[T] {
	return &Task[T]{task: t, value: func(text json.RawMessage) (T, error) {
		v, err := decode[T](text)
		if err != nil {
			return v, fmt.Errorf("read %s %q: %w", what, name, err)
		}
		return v, nil
	}}
}

// Select waits until the first of tasks is done, whether it succeeded or not,
// and returns it. It reads like the statement it is named after:
//
//	switch engine.Select(ctx, approval, deadline) {
//	case approval:
//		verdict, err := approval.Await()
//		…
//	case deadline:
//		…
//	}
//
// Which one is first is told at [WhenAny], which is the same as a task. Select
// panics when it is given none.
func Select(c *Context, tasks ...Awaitable) Awaitable {
	first, err := WhenAny(c, tasks...).Await()
	if mustGoOn(err); err != nil {
		panic("engine: Select: " + err.Error())
	}
	return first
}

// WhenAny returns a task that completes with the first of tasks to be done,
// whether it succeeded or not. Completion follows the order of history; of
// several that are done already, the first in the argument order wins. The
// others go on. Awaiting no tasks at all is an error.
func WhenAny(c *Context, tasks ...Awaitable) *Task[Awaitable] {
	var winner Awaitable
	any := c.x.newTask(nil)
	if len(tasks) == 0 {
		any.settle(nil, errors.New("there is no task to wait for"))
	}
	for _, t := range tasks {
		t.base().whenDone(func() {
			if !any.done {
				winner = t
			}
			any.settle(nil, nil)
		})
	}
	return &Task[Awaitable]{task: any, value: func(json.RawMessage) (Awaitable, error) { return winner, nil }}
}

// WhenAll returns a task that completes when every one of tasks is done, with
// their results in the argument order. It waits for all even when some fail,
// and then returns their errors joined, as a failure that comes after the first
// would be lost otherwise.
func WhenAll[T any](c *Context, tasks ...*Task[T]) *Task[[]T] {
	all := whenAll(c, tasks)
	return &Task[[]T]{task: all, value: func(json.RawMessage) ([]T, error) { return results(tasks) }}
}

// WhenAllDone is [WhenAll] for tasks of different types: it completes when every
// one of tasks is done, with their errors joined. What each of them returned,
// its own Await then tells at once.
func WhenAllDone(c *Context, tasks ...Awaitable) *Task[struct{}] {
	all := whenAll(c, tasks)
	return &Task[struct{}]{task: all, value: func(json.RawMessage) (none struct{}, err error) {
		errs := make([]error, len(tasks))
		for i, t := range tasks {
			errs[i] = t.outcome()
		}
		return none, errors.Join(errs...)
	}}
}

// whenAll returns a task that is done when all others are.
func whenAll[A Awaitable](c *Context, tasks []A) *task {
	all := c.x.newTask(nil)
	left := len(tasks)
	if left == 0 {
		all.settle(nil, nil)
	}
	for _, t := range tasks {
		t.base().whenDone(func() {
			if left--; left == 0 {
				all.settle(nil, nil)
			}
		})
	}
	return all
}

// results reads tasks that are all done.
func results[T any](tasks []*Task[T]) ([]T, error) {
	values := make([]T, len(tasks))
	var errs []error
	for i, t := range tasks {
		value, err := t.Await()
		values[i] = value
		if err != nil {
			errs = append(errs, err)
		}
	}
	return values, errors.Join(errs...)
}
