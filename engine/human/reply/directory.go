package reply

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine"
)

// The names under which directories are known.
const (
	// Directory is the orchestration that remembers the open references of one
	// phone. They are its custom status, a [Listing].
	Directory engine.Orchestrator[Listing, Listing] = "SmsReplies"
	// Open adds a reference, and Close settles it.
	Open  engine.Event[Request] = "OpenReference"
	Close engine.Event[Closing] = "CloseReference"
)

// Request is a request that a phone is told of.
type Request struct {
	Ref string `json:"ref"`
	// Instance is who waits for the answer, and Execution its run, so that an answer
	// to the same instance begun anew is none.
	Instance  string `json:"instance"`
	Execution string `json:"execution,omitempty"`
	// Person is who answers with this phone, as the instance calls them.
	Person string `json:"person"`
	// Stage is what the person is asked in, for an approval with stages.
	Stage string `json:"stage,omitempty"`
	// Digest is that of what is shown, so that an answer to what was changed since
	// is none.
	Digest string `json:"digest,omitempty"`
	// Title says what is asked, in a few words.
	Title string `json:"title,omitempty"`
	// Until is when no answer is taken any more.
	Until time.Time `json:"until"`
	// Settled says that no answer is needed any more. Who answers all the same,
	// or again, is told what became of it.
	Settled bool `json:"settled,omitempty"`
}

// Closing is the payload of Close.
type Closing struct {
	Ref string `json:"ref"`
}

// Listing is what a directory remembers.
type Listing struct {
	Open []Request `json:"open,omitempty"`
}

const (
	// MostOpen is how many requests a phone may have open.
	MostOpen = 20
	// mostBytes is how much is remembered, as JSON: half of what a custom status
	// may have.
	mostBytes = 7 << 10
	// echo is how long a reference is remembered that is settled.
	echo = time.Hour
	// changes is how many a directory takes before it begins a new page.
	changes = 100
	// longestTitle is how many characters of a title are kept.
	longestTitle = 60
)

var (
	errTaken = errors.New("the reference is taken")
	errFull  = fmt.Errorf("the phone has %d open requests, as many as it may have", MostOpen)
)

// Add registers the orchestration.
func Add(r *engine.Registry) { engine.AddOrchestrator(r, Directory, keep) }

// at returns the requests that are open at a time.
func (l Listing) at(now time.Time) (open []Request) {
	for _, r := range l.Open {
		if r.Until.After(now) {
			open = append(open, r)
		}
	}
	return open
}

// keep keeps the references of a phone until the last is closed or over.
func keep(ctx *engine.Context, l Listing) (Listing, error) {
	for range changes {
		l.Open = l.at(ctx.Now())
		if err := ctx.SetCustomStatus(l); err != nil {
			return l, err
		}
		if err := l.next(ctx); err != nil {
			return l, err
		}
		if len(l.at(ctx.Now())) == 0 {
			return Listing{}, ctx.SetCustomStatus(nil)
		}
	}
	return l, ctx.ContinueAsNew(l)
}

// next waits for a reference to be opened or closed, or to be over.
func (l *Listing) next(ctx *engine.Context) error {
	opened := engine.WaitForExternalEvent(ctx, Open, engine.From("whoever sends the request"), engine.Check(func(r Request) error { return l.fits(r, ctx.Now()) }))
	closed := engine.WaitForExternalEvent(ctx, Close, engine.From("whoever hears the answer"), engine.Typed())
	over := ctx.CreateTimer(l.last(ctx.Now()))
	defer opened.Cancel()
	defer closed.Cancel()
	defer over.Cancel()
	switch engine.Select(ctx, opened, closed, over) {
	case opened:
		r, err := opened.Await()
		if err == nil && !slices.ContainsFunc(l.Open, func(other Request) bool { return other.Ref == r.Ref }) {
			l.Open = append(slices.Clone(l.Open), r)
		}
		return err
	case closed:
		c, err := closed.Await()
		l.settle(c.Ref, ctx.Now())
		return err
	}
	return nil
}

// settle marks a request as one that needs no answer.
func (l *Listing) settle(ref string, now time.Time) {
	l.Open = slices.Clone(l.Open)
	for i := range l.Open {
		r := &l.Open[i]
		if soon := now.Add(echo); r.Ref == ref && !r.Settled {
			r.Settled = true
			if r.Until.After(soon) {
				r.Until = soon
			}
		}
	}
}

// idle is how long a directory waits for its first reference.
const idle = time.Hour

// last returns when the last reference is over.
func (l Listing) last(now time.Time) time.Time {
	last := now.Add(idle)
	for i, r := range l.Open {
		if i == 0 || r.Until.After(last) {
			last = r.Until
		}
	}
	return last
}

// fits returns why a request cannot be opened.
func (l Listing) fits(r Request, now time.Time) error {
	open := 0
	for _, other := range l.at(now) {
		switch {
		case other.Ref == r.Ref && !other.sameAs(r):
			return errTaken
		case other.Ref == r.Ref:
			return nil
		case !other.Settled:
			open++
		}
	}
	text, err := json.Marshal(append(l.at(now), r))
	if err != nil || open >= MostOpen || len(text) > mostBytes {
		return errFull
	}
	return nil
}

// sameAs reports whether a phone is told of the same request again.
func (r Request) sameAs(other Request) bool {
	return r.Instance == other.Instance && r.Execution == other.Execution && r.Person == other.Person && r.Stage == other.Stage && r.Digest == other.Digest
}
