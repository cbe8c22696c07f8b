package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
)

// The errors that callers distinguish. Implementations wrap them with what was
// being done. Any other error means that the outcome is not known: the call may
// or may not have had its effect.
var (
	// ErrNotFound is returned for an instance that does not exist.
	ErrNotFound = errors.New("no such instance")
	// ErrExists is returned by Create when the id is taken.
	ErrExists = errors.New("an instance with this id exists")
	// ErrFinished is returned by Send to an instance that has ended.
	ErrFinished = errors.New("the instance has ended")
	// ErrTooMany is returned by Send for an event to an instance in whose inbox
	// as many wait as the store allows; it was not written.
	ErrTooMany = errors.New("the instance has too many events")
	// ErrConflict is returned by Commit when the instance changed since it
	// was loaded; nothing was written.
	ErrConflict = errors.New("the instance was changed by someone else")
	// ErrTooLarge is returned by Create, Send and Commit for an event that is
	// over one of the limits of package history, and for what is too large for
	// this store in another way; nothing was written.
	ErrTooLarge = history.ErrTooLarge
	// ErrCorrupt is returned by Load, History and Get for an instance of which
	// what is stored cannot be understood.
	ErrCorrupt = history.ErrCorrupt
	// ErrActive is returned by Purge for an instance that has not ended.
	ErrActive = errors.New("the instance has not ended")
	// ErrOwing is returned, with ErrExists by Create and with ErrActive by
	// Purge, for an instance that could go but still has something to send. It is a matter of moments, or of a lease if its worker
	// went away.
	ErrOwing = errors.New("the instance has not sent all that it has to send")
	// ErrBadPage is returned by List for a place to go on that is none.
	ErrBadPage = errors.New("this is not where a list goes on")
	// ErrInUse is returned by Open when another process has the storage.
	ErrInUse = errors.New("the storage is in use by another process")
	// ErrBroken is returned when the storage failed in a way that only a
	// restart can mend. Nothing accepted is lost.
	ErrBroken = errors.New("the storage failed; make room or mend it, and restart")
	// ErrGone is returned when somebody deleted what the store was kept in.
	// Open makes it anew, empty.
	ErrGone = errors.New("the storage was deleted")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the store is closed")
)

// Version is an instance's state as the store names it; it is compared for
// equality only. It changes with every commit and with every message that is
// sent, so a turn cannot be made without the messages that came before it. The
// empty Version is that of an instance which does not exist.
type Version string

// Instance is the row that says where an instance stands. It is rewritten
// whole by every commit.
type Instance struct {
	ID        string
	Execution string // the id of this run
	// First is the id of the run that Create began, if those after it followed
	// one another as continuations and Execution is another one; else empty.
	First  string
	Name   string // the orchestration
	Status history.Status
	// Input, Output and CustomStatus are JSON texts; empty means none.
	Input, Output, CustomStatus json.RawMessage
	// Failure is set when Status is Failed.
	Failure *history.Failure
	// Secret lists the external events whose payload must be sealed before
	// it is sent.
	Secret []string
	// Revoked is how often the links to the instance were made void.
	Revoked uint32
	// CodeVersion is the version of the orchestration, as the one who began
	// the run says; it may be empty.
	CodeVersion string
	// Tags are what people know the instance by.
	Tags map[string]string
	// Parent is the call that the instance serves as a sub-orchestration; nil
	// if nobody waits for it.
	Parent *history.Parent
	// External is what it has to do with external events.
	External history.External
	// Created is when it was accepted, Updated the time of its last turn,
	// Completed when it ended; zero if it has not. UTC.
	Created, Updated, Completed time.Time
	// Wake is when the instance must be looked at although nobody sends it
	// anything: its earliest timer. Zero means never.
	Wake time.Time
	// Fault is why the instance is parked; nil if it is not. One that is has the
	// status Suspended, whatever its own would be, and no Wake. Nothing rings for
	// it, and its messages wait in the inbox, until somebody Mends it.
	Fault *Fault
	// TurnTries is how often the instance's next turn was begun by workers that
	// went away in the midst of it, as far as they took note of it; and TaskTries
	// the same of calls that have no result.
	TurnTries int
	TaskTries []TaskTries
	// Hands say which work, decided by earlier turns and not known to be done,
	// is in whose hands. An instance that has ended may have Hands with Sends.
	Hands []Hand
	// Events is the number of history rows.
	Events int
	// Turn is a token of the commit that wrote the row, by which a worker
	// recognises its own commit after a lost reply.
	Turn string
	// Version is set by the store when the row is read, and ignored when it
	// is written.
	Version Version
	// Messages is how many messages wait for a turn. Only Get tells it, and it
	// is ignored when the row is written.
	Messages int
}

// NewInstance returns the row of an instance that start begins: Pending, with no
// history yet.
func NewInstance(id string, start *history.Event) Instance {
	return Instance{
		ID: id, Execution: start.Execution, Name: start.Name, Status: history.Pending,
		Input: start.Input, Secret: start.Secret, CodeVersion: start.Version, Tags: start.Tags, Parent: start.Parent,
		Created: start.Time, Updated: start.Time, Turn: start.Execution,
	}
}

// GivesWay reports whether a start may replace the instance: nil, or what Create
// returns.
func (in *Instance) GivesWay(replace []history.Status) error {
	switch {
	case !in.MayGo(replace):
		return ErrExists
	case in.Owes():
		return fmt.Errorf("%w: %w", ErrExists, ErrOwing)
	default:
		return nil
	}
}

// Takes returns nil if the instance takes a message of the kind, or ErrFinished:
// one that has ended takes none, but one that failed can be rewound.
func (in *Instance) Takes(kind history.Kind) error {
	if !in.Status.IsTerminal() || in.Status == history.Failed && kind == history.ExecutionRewound {
		return nil
	}
	return ErrFinished
}

// DefaultMaxInbox is how many messages an inbox holds before a store refuses
// events, unless it is told otherwise.
const DefaultMaxInbox = 1000

// IsBounded reports whether a message is one that a full inbox refuses: an event
// from outside. What instances tell each other, and what acts on an instance as a
// whole, always finds room, as nobody could be told that it was refused.
func IsBounded(message *history.Event) bool {
	return message.Kind == history.EventRaised && message.InstanceID == ""
}

// MayGo reports whether a start may replace the instance as soon as it has sent
// what it owes.
func (in *Instance) MayGo(replace []history.Status) bool {
	ended := in.Status.IsTerminal()
	if len(replace) == 0 {
		return ended
	}
	return slices.Contains(replace, in.Status) && (ended || in.Parent == nil)
}

// Owes reports whether the instance decided to send something that is not known
// to be sent.
func (in *Instance) Owes() bool {
	return slices.ContainsFunc(in.Hands, func(h Hand) bool { return len(h.Sends) > 0 })
}

// Fault says why an instance is parked: something that its history cannot tell
// went wrong with it again and again.
type Fault struct {
	// Reason says what, in words.
	Reason string
	// Since is when it was parked, UTC.
	Since time.Time
	// Was is its status before that.
	Was history.Status
}

// TaskTries are the numbers of calls of activities that were begun so often.
type TaskTries struct {
	Times int
	Tasks []int32
}

// Hand is the work of an instance that one worker has in hand, and that is to be
// taken over if the worker goes away.
type Hand struct {
	// Receipt is that of the doorbell which then rings with TakeOver: the
	// Turn of the row that the worker committed.
	Receipt string
	// Tasks are the numbers of the activities' calls.
	Tasks []int32
	// Sends are the numbers of the events that decided on a message to another
	// instance: the beginning of one, an event for one, the end that a parent
	// waits for.
	Sends []int32
}

// State is an instance as a worker loads it.
type State struct {
	Instance Instance
	// History is the whole history in order; nil when it is Unchanged.
	History []history.Event
	// Unchanged says that the version the caller knew is the present one, so
	// that the history was not read.
	Unchanged bool
	// Inbox holds the messages not yet in history, oldest first.
	Inbox []history.Event
}

// Turn is what a worker commits: whole or not at all.
type Turn struct {
	// Base is the version that the turn was made from. With the empty
	// Version the turn creates the instance, which must not exist.
	Base Version
	// Instance is the new row.
	Instance Instance
	// Append are the new history rows. They go behind those of the base;
	// when Instance names another execution than the base, they replace
	// them, and the inbox is emptied.
	Append []history.Event
	// Consumed are the ids of the messages to take out of the inbox; an id
	// that is not there is ignored.
	Consumed []string
	// Answered are the doorbells that this turn makes superfluous.
	Answered []Doorbell
	// Hold says that the row has a Hand of this turn: the worker needs a
	// doorbell that rings if it goes away. Its receipt is Instance.Turn.
	Hold bool
}

// Doorbell is a ring that a worker received or, by committing a turn with work
// in hand, holds. The zero Doorbell is none; as an argument it has no effect.
type Doorbell struct {
	Instance string
	// Receipt is the store's own.
	Receipt string
	// TakeOver says that the worker which had the work of the Hand with this
	// Receipt has not been heard of for the length of a lease, or is known to
	// be gone: whoever receives the doorbell is to take that work over.
	TakeOver bool
	// Deaths is how often in a row, as far as the store can tell, whoever had
	// received the doorbell, or held it, was not heard of again. Nothing but a
	// suspicion follows from it, and two doorbells that differ by it are the same.
	Deaths int
}

// Instances is the store as a client sees it. Its methods may be called
// concurrently.
type Instances interface {
	// Create makes a new instance, Pending, with start as its first message.
	// When it returns nil, both are durable and a doorbell exists. An
	// instance of the same id that has ended gives way, and its history with
	// it; for one that has not, Create returns ErrExists, and with it ErrOwing
	// for one that has to send something yet. When the present execution, or the First, is
	// the one that start names, the call is a repetition: it succeeds and has no
	// effect.
	//
	// With replace, an instance of the same id gives way in these statuses and
	// in no others, even if it has not ended: its history, its messages and
	// its work with it. One that serves another instance gives way only when
	// it has ended.
	Create(ctx context.Context, id string, start history.Event, replace ...history.Status) error

	// Send puts a message into the inbox. When it returns nil, the message
	// is durable and a doorbell exists. It returns ErrNotFound, or
	// ErrFinished for an instance that has ended; one that failed takes an
	// ExecutionRewound; and ErrTooMany for a message that IsBounded when the
	// inbox is full. Sending a message again
	// while it waits in the inbox has no effect.
	Send(ctx context.Context, id string, message history.Event) error

	// Get returns the instance's row as it is durable; ErrNotFound.
	Get(ctx context.Context, id string) (Instance, error)

	// History returns the history in order; ErrNotFound.
	History(ctx context.Context, id string) ([]history.Event, error)

	// List returns a page of the instances that the query asks for, in the
	// order of their ids as the store sorts them; ErrBadPage. What it shows of
	// an instance may lag behind its row.
	List(ctx context.Context, q Query) (Page, error)

	// Mend lets an instance that has a Fault go on: it has its status from before
	// and no tries, and a doorbell rings for it and, with TakeOver, for each of
	// its hands. It has no effect on others; ErrNotFound.
	Mend(ctx context.Context, id string) error

	// Purge removes an instance that has ended, or has a Fault, and everything of
	// it; ErrNotFound, or ErrActive for others, with ErrOwing for one that has
	// ended and whose row has Hands. With executions it removes none but these, and
	// none of which a rewinding was accepted: others are ErrActive too.
	Purge(ctx context.Context, id string, executions ...string) error

	// Revoke counts the row's Revoked up, also after the end; ErrNotFound. A
	// call that was repeated may count twice.
	Revoke(ctx context.Context, id string) error
}

// Queue is the store as a worker sees it. Its methods may be called
// concurrently.
type Queue interface {
	// Receive returns up to most doorbells that ring now, and hides each
	// from other receivers for the length of a lease. When there is none it
	// waits for one, at most as long as wait says, and then returns none.
	Receive(ctx context.Context, most int, wait time.Duration) ([]Doorbell, error)

	// Load reads an instance; ErrNotFound. With the version that the caller
	// has in memory, an unchanged history is not read again. If the history
	// cannot be understood, it returns the rest of the State with ErrCorrupt.
	Load(ctx context.Context, id string, known Version) (State, error)

	// Commit writes a turn in one transaction, sees to it that a doorbell
	// exists for the row's Wake, for messages still in the inbox and for the
	// work that the worker holds, and only then takes the answered doorbells
	// away. It returns the new version. For a row with a Fault it leaves the
	// inbox without a doorbell.
	//
	// The error wraps ErrConflict when the instance is not at the base
	// version, whether it moved on, was sent a message, was created or is
	// gone. After any other error the
	// turn may have been written: load, and compare the row's Turn.
	Commit(ctx context.Context, turn Turn) (Version, error)

	// Release takes a doorbell away that turned out to have no cause, or
	// whose work is no longer held. A cause that came since then keeps it.
	Release(ctx context.Context, bell Doorbell) error

	// Extend hides a doorbell for work in hand for the length of another
	// lease. A doorbell that is gone is no error.
	Extend(ctx context.Context, bell Doorbell) error

	// Pass gives a doorbell back which this worker can do nothing about, or whose
	// work it gives up: it rings again after so long, for whoever receives it then,
	// and has no Deaths. A doorbell that is gone is no error.
	Pass(ctx context.Context, bell Doorbell, after time.Duration) error

	// Lease returns how long a received doorbell stays hidden.
	Lease() time.Duration
}

// Watcher is implemented by stores that can tell when an instance changes, so
// that nobody need ask again and again. One that IsShared tells only of what this
// process does.
type Watcher interface {
	// Watch returns a channel that is closed at the instance's next commit
	// or purge, and a function to be called when that is no longer of
	// interest. The channel is nil if there is nobody to tell.
	Watch(id string) (changed <-chan struct{}, done func())
}

// Teller is implemented by stores that can tell of the changes of all instances,
// as a Watcher tells of one's.
type Teller interface {
	// Each calls f with the id of every instance at its next commit or purge,
	// after that is durable, and at every one after, until done is called. f must
	// return at once, may not use the store, and is called concurrently.
	Each(f func(id string)) (done func())
}

// Shared is implemented by stores that tell whether several processes may work on
// one storage at once.
type Shared interface {
	IsShared() bool
}

// IsShared reports whether a store is Shared and says so.
func IsShared(s Instances) bool {
	shared, ok := s.(Shared)
	return ok && shared.IsShared()
}

// Rota is implemented by stores that several workers share, so that what must be
// done from time to time is done by one of them.
type Rota interface {
	// TakeOn reports whether the caller is to do a chore. One of all callers is
	// told so in each period of the length.
	TakeOn(ctx context.Context, chore string, period time.Duration) (bool, error)
}

// Answer is what became of a message.
type Answer struct {
	// Verdict is what became of the event, if that is Known. It is not if the
	// message waits in the inbox for a turn.
	Verdict history.Verdict
	Known   bool
	// Instance is the row after the turn that took the message; zero if there
	// was none yet.
	Instance Instance
}

// Asker is implemented by Instances that make turns themselves, so that they
// can tell what became of an event.
type Asker interface {
	// Ask is Send with an answer.
	Ask(ctx context.Context, id string, event history.Event) (Answer, error)
}

// Clock is implemented by stores that tell the time, so that the clocks of all
// who work on one storage agree.
type Clock interface {
	Now() time.Time
}

// ClockOf returns a store's own clock if it is a Clock, and time.Now if not.
func ClockOf(s Instances) func() time.Time {
	if c, ok := s.(Clock); ok {
		return c.Now
	}
	return time.Now
}

// Store is stable storage in both its roles.
type Store interface {
	Instances
	Queue
	// Close ends the use of the store. What was accepted stays.
	Close() error
}
