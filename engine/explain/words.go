package explain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// sentence says in one sentence where the instance stands.
func sentence(e *Explanation, in *store.Instance) string {
	if e.Fault != nil {
		return parked(e)
	}
	switch in.Status {
	case history.Completed:
		return "It completed at " + at(in.Completed) + "."
	case history.Failed:
		return "It failed at " + at(in.Completed) + ": " + stop(clip(in.Failure.String()))
	case history.Terminated:
		return "It was terminated at " + at(in.Completed) + because(reasonOf(in)) + "."
	case history.Canceled:
		return "It was canceled at " + at(in.Completed) + "."
	case history.Suspended:
		return suspended(e)
	case history.Pending:
		return pending(e, in)
	}
	if e.Unattended != nil {
		return e.Unattended.words() + then(e, "; until now it waited for ") + "."
	}
	return waiting(e)
}

// reasonOf returns why an instance was terminated.
func reasonOf(in *store.Instance) string {
	var reason string
	_ = json.Unmarshal(in.Output, &reason) // it is a string or nothing
	return reason
}

func suspended(e *Explanation) string {
	text := "It has been suspended since " + at(e.Suspended.Since) + because(e.Suspended.Reason) + ", and goes on when it is resumed"
	if !e.Begins.IsZero() {
		text += "; then it begins, at " + at(e.Begins) + " at the earliest"
	}
	text += then(e, "; then it waits for ")
	if u := e.Unattended; u != nil && u.Messages > 0 {
		text += "; meanwhile " + messages(u.Messages) + " for a turn that no worker has made" + u.why()
	}
	return text + "."
}

// parked says why nothing is done for an instance that is parked.
func parked(e *Explanation) string {
	text := "It has been parked since " + at(e.Fault.Since) + because(e.Fault.Reason) + ", as trying again did not help"
	if n := e.Fault.Messages; n > 0 {
		text += "; " + messages(n) + " until it is resumed"
	}
	if e.Suspended != nil {
		return text + "; it had been suspended before" + because(e.Suspended.Reason) + "."
	}
	return text + then(e, "; before, it waited for ") + "."
}

// then says what else is waited for, if there is anything.
func then(e *Explanation, lead string) string {
	if what := things(e); what != "" {
		return lead + what
	}
	return ""
}

func pending(e *Explanation, in *store.Instance) string {
	switch u := e.Unattended; {
	case u == nil:
		return "It begins at " + at(e.Begins) + ", as whoever started it wished."
	case e.Begins.IsZero():
		return "It was accepted at " + at(in.Created) + ", and no worker has taken it up" + u.why() + "."
	case u.Since.IsZero():
		return "It is to begin at " + at(e.Begins) + "; " + messages(u.Messages) + " for a turn that no worker has made" + u.why() + "."
	default:
		return "It was to begin at " + at(e.Begins) + ", and no worker has taken it up" + u.why() + "."
	}
}

func (u *Unattended) words() string {
	switch {
	case u.Messages > 0:
		return capital(messages(u.Messages)) + " for a turn that no worker has made" + u.why()
	case !u.Since.IsZero():
		return "Its timer was due at " + at(u.Since) + ", and no worker has made the turn" + u.why()
	default:
		return "Its next turn is due, and no worker has made it" + u.why()
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func messages(n int) string {
	if n == 1 {
		return "a message waits"
	}
	return fmt.Sprintf("%d messages wait", n)
}

func (u *Unattended) why() string {
	if u.Reason == "" {
		return ""
	}
	return "; the worker here leaves it to others: " + clip(u.Reason)
}

// waiting says what a running instance waits for.
func waiting(e *Explanation) string {
	what, pause := things(e), ""
	if c := e.PausedAfter; c != nil {
		pause = "its call of " + c.words()
	}
	switch {
	case what == "" && pause != "":
		return "It waits until " + at(e.Timer) + ", after " + pause + "."
	case what == "":
		return "It waits until " + at(e.Timer) + "."
	case e.Timer.IsZero() || e.isDeadline(e.Timer):
		return "It waits for " + what + "."
	case pause != "":
		return "It waits for " + what + "; " + pause + ", and its pause ends at " + at(e.Timer) + "."
	default:
		return "It waits for " + what + "; its next timer fires at " + at(e.Timer) + "."
	}
}

// isDeadline reports whether a wait tells of a time as its deadline.
func (e *Explanation) isDeadline(t time.Time) bool {
	for _, w := range e.Waits {
		if w.Until.Equal(t) {
			return true
		}
	}
	return false
}

// maxThings is how many things are named in a sentence.
const maxThings = 5

// things lists what is waited for.
func things(e *Explanation) string {
	var all []string
	for _, w := range e.Waits {
		all = append(all, w.words())
	}
	for _, c := range e.Calls {
		all = append(all, c.words())
	}
	switch more := len(all) + e.MoreCalls - maxThings; {
	case e.MoreWaits:
		all = append(all[:maxThings], "many more")
	case more > 0:
		all = append(all[:maxThings], fmt.Sprintf("%d more", more))
	}
	switch n := len(all); n {
	case 0:
		return ""
	case 1:
		return all[0]
	default:
		return strings.Join(all[:n-1], "; ") + "; and " + all[n-1]
	}
}

func (w Wait) words() string {
	text := "the event " + quote(w.Event)
	if w.From != "" {
		text += " from " + w.From
	}
	if !w.Until.IsZero() {
		text += " until " + at(w.Until) + because(w.UntilFrom)
	}
	if w.Over {
		text += ", which has passed"
	}
	if w.TriesLeft != nil {
		text += fmt.Sprintf(", with %d of %d tries left", *w.TriesLeft, w.Tries)
	}
	return text
}

func (c Call) words() string {
	text := "the activity " + quote(c.Name)
	if c.Instance != "" {
		text = "the sub-orchestration " + quote(c.Name) + " (instance " + quote(c.Instance) + ")"
	}
	text += ", called at " + at(c.Since)
	if c.Attempt > 1 {
		text += fmt.Sprintf(" as attempt %d", c.Attempt)
	}
	if c.Tries > 0 {
		text += fmt.Sprintf(" and begun %s by workers that went away meanwhile", times(c.Tries))
	}
	return text
}

func (c *FailedCall) words() string {
	text := quote(c.Name)
	if c.Instance != "" {
		text += " (instance " + quote(c.Instance) + ")"
	}
	text += " failed at " + at(c.At)
	if c.Attempt > 1 {
		text += fmt.Sprintf(" on attempt %d", c.Attempt)
	}
	if c.Message == "" {
		return text + because(c.Kind)
	}
	return text + because(c.Kind+": "+c.Message)
}

func (k Kept) words() string {
	text := quote(k.Event) + " of " + at(k.First)
	if k.Count > 1 {
		text = fmt.Sprintf("%d times %s, the last of %s", k.Count, quote(k.Event), at(k.Last))
	}
	if k.Meant != "" {
		text += ", probably meant for " + quote(k.Meant)
	}
	return text + ": " + k.Reason
}

func (n NotTaken) words() string {
	return quote(n.Event) + " of " + at(n.At) + ": " + clip(cmp.Or(n.Reason, outcomes[n.Outcome], string(n.Outcome)))
}

// outcomes says in words what became of events.
var outcomes = map[history.Outcome]string{
	history.Rejected:       "it did not meet the condition",
	history.NotWaiting:     "nobody waited for it",
	history.WrongType:      "it was not of the type that is waited for",
	history.AlreadyDecided: "another came first",
	history.Expired:        "the deadline came first",
	history.Locked:         "there were too many tries",
	history.KeyReused:      "another event came with the same idempotency key",
	history.Finished:       "the instance had ended",
}

// at writes a moment.
func at(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// because writes a reason in brackets, if there is one.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + clip(reason) + ")"
}

func quote(s string) string { return "'" + s + "'" }

// maxWords is how many bytes of somebody's words stand in a sentence.
const maxWords = 300

// clip cuts words that are too long for a sentence, without the full stop at the
// end.
func clip(words string) string {
	if len(words) > maxWords {
		return strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	return strings.TrimSuffix(words, ".")
}

// stop ends a sentence, unless it has an end.
func stop(sentence string) string {
	if strings.ContainsAny(sentence[max(0, len(sentence)-1):], ".?!") || strings.HasSuffix(sentence, "…") {
		return sentence
	}
	return sentence + "."
}

// printable puts spaces in the place of what a terminal might obey and of what
// ends a line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
