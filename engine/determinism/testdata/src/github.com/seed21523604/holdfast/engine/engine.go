// Package engine has the names of the real one that the corpora use.
package engine

import (
	"context"
	"log/slog"
	"time"
)

type Context struct{}

func (*Context) Now() time.Time               { return time.Time{} }
func (*Context) NewGUID() string              { return "" }
func (*Context) InstanceID() string           { return "" }
func (*Context) IsReplaying() bool            { return false }
func (*Context) Logger() *slog.Logger         { return nil }
func (*Context) SetCustomStatus(any) error    { return nil }
func (*Context) CreateTimer(time.Time) *Timer { return nil }
func (*Context) ContinueAsNew(any) error      { return nil }

type (
	Orchestrator[In, Out any] string
	Activity[In, Out any]     string
	Event[T any]              string
	Timer                     = Task[struct{}]
	Registry                  struct{}
	CallOption                interface{ call() }
)

type RetryPolicy struct {
	MaxAttempts int
	Handle      func(error) bool
}

func (RetryPolicy) call() {}

type Awaitable interface{ Done() bool }

type Task[T any] struct{}

func (*Task[T]) Await() (v T, err error) { return v, nil }
func (*Task[T]) AwaitOr(v T) (T, error)  { return v, nil }
func (*Task[T]) Cancel()                 {}
func (*Task[T]) Done() bool              { return false }

func CallActivity[In, Out any](*Context, Activity[In, Out], In, ...CallOption) *Task[Out] { return nil }
func WaitForExternalEvent[T any](*Context, Event[T]) *Task[T]                             { return nil }
func Select(*Context, ...Awaitable) Awaitable                                             { return nil }
func WhenAny(*Context, ...Awaitable) *Task[Awaitable]                                     { return nil }
func WhenAll[T any](*Context, ...*Task[T]) *Task[[]T]                                     { return nil }
func Go[Out any](*Context, func(*Context) (Out, error)) *Task[Out]                        { return nil }
func AddOrchestrator[In, Out any](*Registry, Orchestrator[In, Out], func(*Context, In) (Out, error)) {
}
func AddActivity[In, Out any](*Registry, Activity[In, Out], func(context.Context, In) (Out, error)) {
}
