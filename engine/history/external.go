package history

import (
	"strings"
	"time"
)

// Outcome says in a word what became of an external event.
type Outcome string

// What can become of an event. Those from NotWaiting on are refusals: they had
// no effect.
const (
	Taken    Outcome = "taken"    // somebody waited for it
	Kept     Outcome = "kept"     // nobody does yet, and it is kept until somebody will
	Rejected Outcome = "rejected" // it did not meet the condition of the one who waits, and counts as a try

	NotWaiting     Outcome = "not-waiting"     // nobody waits for it
	WrongType      Outcome = "wrong-type"      // the payload is not of the type that is waited for
	AlreadyDecided Outcome = "already-decided" // another came first
	Expired        Outcome = "expired"         // the deadline came first
	Locked         Outcome = "locked"          // there were too many tries
	KeyReused      Outcome = "key-reused"      // another event came with the same idempotency key
	Finished       Outcome = "finished"        // the instance has ended
)

// keyPrefix is what the ids of messages with an idempotency key begin with.
const keyPrefix = "key-"

// KeyedMessage returns the id of a message that its sender gave a key; hash
// stands for the key.
func KeyedMessage(hash string) string { return keyPrefix + hash }

// IsKeyed reports whether KeyedMessage made a message's id.
func IsKeyed(message string) bool { return strings.HasPrefix(message, keyPrefix) }

// Verdict is what became of an event, for whoever sent it.
type Verdict struct {
	Outcome Outcome `json:"outcome"`
	// Reason says more, in words for people; it may be empty.
	Reason string `json:"reason,omitempty"`
	// Tries is how many events may be tried before the wait ends, Tried how
	// many were, this one included. Tries is zero where there is no limit.
	Tries int `json:"tries,omitempty"`
	Tried int `json:"tried,omitempty"`
}

// Refused reports whether the event had no effect.
func (v *Verdict) Refused() bool {
	switch v.Outcome {
	case Taken, Kept, Rejected:
		return false
	default:
		return true
	}
}

// Judged returns what a recorded event says of what became of the event with
// this message's id. One that was carried over from an earlier execution is known
// to have been recorded, and no more.
func (e *Event) Judged(message string) (v Verdict, known bool) {
	switch {
	case e.Message != message:
		return Verdict{}, false
	case e.Verdict != nil:
		return *e.Verdict, true
	case e.Strict:
		return Verdict{Outcome: Taken}, true
	default:
		return Verdict{Outcome: Kept}, true
	}
}

// Wait says that an instance waits for an external event, or did.
type Wait struct {
	// Event is the name of the event.
	Event string `json:"event"`
	// Ended is why an event that comes now is too late: AlreadyDecided,
	// Expired or Locked. It is empty while the instance waits.
	Ended Outcome `json:"ended,omitempty"`
	// Since is when the wait began, At when it ended.
	Since time.Time `json:"since"`
	At    time.Time `json:"at,omitzero"`
	// By is the id of the message that decided it.
	By string `json:"by,omitempty"`
	// Until is the deadline, and UntilFrom where it came from, in words; zero
	// for none.
	Until     time.Time `json:"until,omitzero"`
	UntilFrom string    `json:"untilFrom,omitempty"`
	// From is who is to answer, in words.
	From string `json:"from,omitempty"`
	// Kind is the kind of JSON that the payload must be (string, number,
	// boolean, object, array), KindSecret, or empty for any.
	Kind string `json:"kind,omitempty"`
	// Tries is how many events may be tried, Tried how many were; zero is no
	// limit.
	Tries int `json:"tries,omitempty"`
	Tried int `json:"tried,omitempty"`
	// Next is what happens at NextAt if nobody has answered by then.
	Next   string    `json:"next,omitempty"`
	NextAt time.Time `json:"nextAt,omitzero"`
}

// KindSecret is the Kind of a wait for an event whose payload is sealed.
const KindSecret = "secret"

// WrongKind says that a payload is of another kind of JSON than the one that is
// waited for.
func WrongKind(got, want string) string {
	return "the payload is " + aKind(got) + ", and " + aKind(want) + " is waited for"
}

func aKind(kind string) string {
	switch kind {
	case "null":
		return kind
	case "array", "object":
		return "an " + kind
	default:
		return "a " + kind
	}
}

// KeptEvents are the events of one name that nobody has waited for so far.
type KeptEvents struct {
	Event string    `json:"event"`
	Count int       `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// External is what an execution has to do with external events.
type External struct {
	// Waits are the open ones, in the order in which they began, and then, for
	// names that are not waited for, how the last wait ended.
	Waits []Wait `json:"waits,omitempty"`
	// More says that more waits are open than are listed.
	More bool `json:"more,omitempty"`
	// Kept are the events that are kept, by name, in the order in which the
	// first of each came; and MoreKept how many others there are.
	Kept     []KeptEvents `json:"kept,omitempty"`
	MoreKept int          `json:"moreKept,omitempty"`
	// Raised counts the events that were recorded, and Bytes their payloads.
	Raised int   `json:"raised,omitempty"`
	Bytes  int64 `json:"bytes,omitempty"`
}

// IsZero reports whether there is nothing to tell.
func (x External) IsZero() bool {
	return len(x.Waits) == 0 && !x.More && len(x.Kept) == 0 && x.MoreKept == 0 && x.Raised == 0 && x.Bytes == 0
}

// Wait returns the wait for an event that is open, or else the one that ended
// last; nil if there is none.
func (x *External) Wait(event string) *Wait {
	for i := range x.Waits {
		if x.Waits[i].Event == event {
			return &x.Waits[i]
		}
	}
	return nil
}

// Unmatched returns how many of the events that are kept nobody has ever waited
// for by their name.
func (x *External) Unmatched() int {
	n := x.MoreKept
	for _, k := range x.Kept {
		if x.Wait(k.Event) == nil {
			n += k.Count
		}
	}
	return n
}
