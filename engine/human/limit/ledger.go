package limit

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human"
)

// The names under which ledgers are known.
const (
	// Ledger is the orchestration that remembers what was sent.
	Ledger engine.Orchestrator[Book, Book] = "SmsLimits"
	// Reserve asks whether a message may be sent, and counts it if so. Only an
	// answer tells which: a refusal's reason is a human.Refusal as JSON.
	Reserve engine.Event[Reservation] = "Reserve"
	// Unlock forgets what is counted by a key, for operators.
	Unlock engine.Event[Unlocking] = "Unlock"
	// Subscribe tells whether somebody wants messages.
	Subscribe engine.Event[Subscription] = "Subscribe"
	// All is the id of the ledger for everything.
	All = "sms-limits"
)

// Reservation is the payload of Reserve.
type Reservation struct {
	Claims []Claim `json:"claims"`
}

// Unlocking is the payload of Unlock.
type Unlocking struct {
	Key string `json:"key"`
}

// Subscription is the payload of Subscribe.
type Subscription struct {
	Key    string `json:"key"`
	Wanted bool   `json:"wanted"`
}

// Totals is the custom status of a ledger that counts by the day.
type Totals struct {
	// Today is how much was counted by each daily limit.
	Today map[string]int64 `json:"today,omitempty"`
	// Stopped are the countries to which nothing is sent, as next to nobody
	// typed the codes back, and until when; ten at most.
	Stopped map[string]time.Time `json:"stopped,omitempty"`
}

const (
	// entries is how many messages a ledger takes, and refusals how many it
	// refuses, before it begins a new page: it continues as new.
	entries, refusals = 100, 300
	// tidying is how long it is between two looks at what can be forgotten.
	tidying = time.Hour
	// shown is how many countries a status names.
	shown = 10
)

// Add registers the orchestration.
func Add(r *engine.Registry) { engine.AddOrchestrator(r, Ledger, keep) }

// ledger is a page of one.
type ledger struct {
	ctx     *engine.Context
	book    Book
	refused int
}

// keep keeps a book, page by page, until there is nothing left in it.
func keep(ctx *engine.Context, book Book) (Book, error) {
	l := &ledger{ctx: ctx, book: book}
	l.book.forget(ctx.Now())
	tidy := ctx.CreateTimer(ctx.Now().Add(tidying))
	reserve, ended, unlock, wish := l.waitForReservation(), l.waitForReport(), l.waitForUnlocking(), l.waitForWish()
	for range entries {
		var err error
		switch engine.Select(ctx, reserve, ended, unlock, wish, tidy) {
		case reserve:
			err = l.take(reserve)
			reserve = l.waitForReservation()
		case ended:
			err = l.hear(ended)
			ended = l.waitForReport()
		case unlock:
			err = l.unlock(unlock)
			unlock = l.waitForUnlocking()
		case wish:
			err = l.subscribe(wish)
			wish = l.waitForWish()
		default:
			return l.tidy()
		}
		if errors.Is(err, engine.ErrTooManyTries) {
			break
		}
		if err = errors.Join(err, l.show()); err != nil {
			return l.book, err
		}
	}
	return l.book, ctx.ContinueAsNew(l.book)
}

// waitForReservation waits for a message that may be sent. Others are refused
// meanwhile.
func (l *ledger) waitForReservation() *engine.Task[Reservation] {
	return engine.WaitForExternalEvent(l.ctx, Reserve, engine.From("whoever sends messages"), engine.Tries(max(1, refusals-l.refused)),
		engine.Check(func(r Reservation) error {
			refusal := l.book.refusal(r.Claims, l.ctx.Now())
			if refusal == nil {
				return nil
			}
			l.refused++
			text, err := json.Marshal(refusal)
			return errors.Join(err, errors.New(string(text)))
		}))
}

func (l *ledger) waitForReport() *engine.Task[human.Report] {
	return engine.WaitForExternalEvent(l.ctx, human.VerificationEnded, engine.From("verifications"), engine.Typed())
}

func (l *ledger) waitForUnlocking() *engine.Task[Unlocking] {
	return engine.WaitForExternalEvent(l.ctx, Unlock, engine.From("operators"), engine.Typed())
}

func (l *ledger) waitForWish() *engine.Task[Subscription] {
	return engine.WaitForExternalEvent(l.ctx, Subscribe, engine.From("whoever has the phone"), engine.Typed())
}

func (l *ledger) take(reserve *engine.Task[Reservation]) error {
	r, err := reserve.Await()
	if err == nil {
		l.book.take(r.Claims, l.ctx.Now())
	}
	return err
}

func (l *ledger) hear(ended *engine.Task[human.Report]) error {
	report, err := ended.Await()
	if err == nil {
		l.book.hear(report)
	}
	return err
}

func (l *ledger) unlock(unlock *engine.Task[Unlocking]) error {
	u, err := unlock.Await()
	if err == nil {
		l.book.unlock(u.Key)
	}
	return err
}

func (l *ledger) subscribe(wish *engine.Task[Subscription]) error {
	s, err := wish.Await()
	if err == nil {
		l.book.subscribe(s)
	}
	return err
}

// tidy turns the page, or ends the book if there is nothing in it.
func (l *ledger) tidy() (Book, error) {
	l.book.forget(l.ctx.Now())
	if len(l.book.Accounts) == 0 {
		return l.book, l.ctx.SetCustomStatus(nil)
	}
	return l.book, l.ctx.ContinueAsNew(l.book)
}

// show sets the custom status of a ledger that has totals.
func (l *ledger) show() error {
	var t Totals
	for _, name := range slices.Sorted(maps.Keys(l.book.Accounts)) {
		limit, key, _ := strings.Cut(name, "/")
		switch a := l.book.Accounts[name].at(l.ctx.Now()); {
		case a.Kind == Daily:
			if t.Today == nil {
				t.Today = map[string]int64{}
			}
			t.Today[limit] = a.Sum
		case a.Kind == Conversion && a.Stopped && len(t.Stopped) < shown:
			if t.Stopped == nil {
				t.Stopped = map[string]time.Time{}
			}
			t.Stopped[key] = time.UnixMilli(a.Until).UTC()
		}
	}
	if t.Today == nil && t.Stopped == nil {
		return nil
	}
	return l.ctx.SetCustomStatus(t)
}
