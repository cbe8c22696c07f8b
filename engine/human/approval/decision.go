package approval

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Verb is what somebody does.
type Verb string

// What people may do.
const (
	Approve  Verb = "approve"
	Reject   Verb = "reject"
	Delegate Verb = "delegate" // hand on all their seats in the stage
	TakeBack Verb = "recall"   // by the requester
	Change   Verb = "change"   // what is wanted, by the requester
)

// Via says how it was verified who somebody is.
type Via string

// The ways in which people are known.
const (
	ViaLink     Via = "link"      // they had the link that was sent to them
	ViaCode     Via = "link+code" // and the one-time code that was sent to their phone
	ViaSignIn   Via = "sign-in"   // they signed in
	ViaMessage  Via = "message"   // their phone sent a text message
	ViaOperator Via = "operator"  // an operator answers for them
)

// Decision is what somebody does about a request.
type Decision struct {
	// By is the id of who does it, which whoever brings the decision has verified;
	// Via says how.
	By   string `json:"by"`
	Via  Via    `json:"via,omitempty"`
	Verb Verb   `json:"verb"`
	// Stage is the name of the stage that the person was asked in, so that an
	// answer to one is not taken for one to another. It is not needed for a
	// recall.
	Stage string `json:"stage,omitempty"`
	// To is who is to decide instead.
	To string `json:"to,omitempty"`
	// Comment is the reason.
	Comment string `json:"comment,omitempty"`
	// Fields are what the form of the policy asks for.
	Fields map[string]json.RawMessage `json:"fields,omitempty"`
	// Content is what the request is to be instead, of a change.
	Content *Content `json:"content,omitempty"`
	// Digest is that of what the person was shown, and Execution the run in which
	// they were asked. A decision about something else is refused as Stale; an empty
	// one is about whatever there is.
	Digest    string `json:"digest,omitempty"`
	Execution string `json:"execution,omitempty"`
}

// Record is a decision that was taken.
type Record struct {
	Decision
	// At is when. In an orchestration it is the time of the turn, and never
	// later than the deadline that it was in time for.
	At time.Time `json:"at"`
	// For are those whose seats it was, if they were handed on.
	For []string `json:"for,omitempty"`
	// Stood are those for whom the decision stood in, as they had not answered.
	Stood []string `json:"stood,omitempty"`
}

// Outcome says how a request, or a stage of it, ended.
type Outcome string

// The ways in which a request ends.
const (
	Approved Outcome = "approved"
	Rejected Outcome = "rejected"
	Expired  Outcome = "expired"
	Recalled Outcome = "recalled"
	// Impossible is the outcome when there are not enough people who may
	// decide, and nobody who may in their place.
	Impossible Outcome = "impossible"
	// Changed is the outcome when the requester wants something else: the same
	// policy begins again with that.
	Changed Outcome = "changed"
)

// Result is how a stage ended.
type Result struct {
	Stage   string  `json:"stage"`
	Outcome Outcome `json:"outcome"`
	// By is who settled it; empty if nobody did.
	By string `json:"by,omitempty"`
	// At is when.
	At time.Time `json:"at"`
	// Why says what settled it, in words.
	Why string `json:"why"`
}

// EffectKind is a kind of effect.
type EffectKind string

// The kinds of effects.
const (
	Ask      EffectKind = "ask"      // for an answer
	Remind   EffectKind = "remind"   // of the answer that is missing
	Withdraw EffectKind = "withdraw" // the question: an answer is no longer wanted
	Tell     EffectKind = "tell"     // the requester how it ended
)

// Effect is something to be done about a person.
type Effect struct {
	Kind EffectKind `json:"kind"`
	// To is the id of the person.
	To string `json:"to"`
	// Stage is the name of the stage.
	Stage string `json:"stage"`
	// At is when it is to be done.
	At time.Time `json:"at"`
	// Until is when an answer is wanted at the latest.
	Until time.Time `json:"until,omitzero"`
	// Why says why, in words.
	Why string `json:"why"`
}

// Reason says in a word why a decision is refused.
type Reason string

// Why decisions are refused.
const (
	NotAsked        Reason = "not-asked"        // the person has no seat in the stage
	NotYourTurn     Reason = "not-your-turn"    // the stage has not begun
	AlreadyAnswered Reason = "already-answered" // the person has answered; the first answer stands
	AlreadyDecided  Reason = "already-decided"  // others have decided, and the answer is no longer wanted
	HandedOn        Reason = "handed-on"        // the person handed the seat to somebody else
	Barred          Reason = "barred"           // by the separation of duties
	TooLate         Reason = "too-late"         // the deadline came first
	TakenBack       Reason = "taken-back"       // the request was recalled
	Stale           Reason = "stale"            // it is about what the request was before
	NotAllowed      Reason = "not-allowed"      // the policy does not let people do this
	BadDelegate     Reason = "bad-delegate"     // the person named may not decide
	BadAnswer       Reason = "bad-answer"       // the form, the comment or the verb
)

// Refusal is the error of a decision that has no effect.
type Refusal struct {
	Reason Reason
	// Text says it to the person, and what to do.
	Text string
	// By is who decided instead, if somebody did, and At when.
	By string
	At time.Time
	// Field is the field that is wrong.
	Field string
}

// Error returns the text.
func (r *Refusal) Error() string { return r.Text }

// Sentence returns the text as a sentence. It begins with a capital, unless with what
// is no plain word, such as an address.
func (r *Refusal) Sentence() string {
	text := strings.TrimSuffix(r.Text, ".") + "."
	word, _, _ := strings.Cut(text, " ")
	if strings.ContainsFunc(word, func(c rune) bool { return !unicode.IsLetter(c) }) {
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// Kind returns the reason.
func (r *Refusal) Kind() string { return string(r.Reason) }
