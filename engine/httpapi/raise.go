package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

// raise sends an event to an instance. As in Durable Functions it answers 202,
// whether or not anybody waits for the event; with the header Prefer: wait it
// answers with what became of it.
func (a *API) raise(c *call) {
	if slices.Contains(a.o.Reserved, c.name) {
		c.problem(http.StatusForbidden, problemReserved, "This event is raised where it is known who sends it: by the link that a person was sent, or by the app's own function for it.")
		return
	}
	wait, asks := c.prefersWait()
	body, err := a.body(c)
	payload := client.Payload{Body: body, MediaType: c.r.Header.Get("Content-Type")}
	if err == nil {
		payload.Key, err = c.key()
	}
	switch {
	case asks && err == nil:
		a.ask(c, payload, wait)
	case asks:
		a.failAsked(c, err)
	case err != nil:
		a.fail(c, err)
	default:
		a.accepted(c, c.client.Raise(c.r.Context(), c.id, c.name, payload))
	}
}

// asked is the answer to an event that was taken, or is not decided on yet.
type asked struct {
	Outcome       history.Outcome `json:"outcome"`
	Event         string          `json:"event"`
	InstanceID    string          `json:"instanceId"`
	RuntimeStatus string          `json:"runtimeStatus"`
	CustomStatus  json.RawMessage `json:"customStatus"`
	Output        json.RawMessage `json:"output"`
}

// ask sends an event and answers with what became of it.
func (a *API) ask(c *call, payload client.Payload, wait time.Duration) {
	c.w.Header().Set("Preference-Applied", "wait")
	c.outlast(wait)
	ctx, cancel := context.WithTimeout(c.r.Context(), wait)
	defer cancel()
	answer, err := c.client.Ask(ctx, c.id, c.name, payload)
	switch in := &answer.Instance; {
	case err != nil:
		a.failAsked(c, err)
	case answer.Outcome == "":
		c.w.Header().Set("Retry-After", "1")
		c.w.WriteHeader(http.StatusAccepted)
	case answer.Outcome != history.Taken && answer.Outcome != history.Kept:
		c.refuseAnswer(answer)
	default:
		body := newStatus(*in, false)
		c.answer(http.StatusOK, asked{
			Outcome: history.Taken, Event: c.name, InstanceID: in.ID,
			RuntimeStatus: body.RuntimeStatus, CustomStatus: body.CustomStatus, Output: body.Output,
		})
	}
}

// defaultPreference is how long somebody waits who does not say.
const defaultPreference = 10 * time.Second

// prefersWait returns how long the caller prefers to wait for an answer, as RFC
// 7240 writes it, and whether they do.
func (c *call) prefersWait() (time.Duration, bool) {
	for _, preference := range strings.FieldsFunc(strings.Join(c.r.Header.Values("Prefer"), ","), func(r rune) bool { return r == ',' || r == ';' }) {
		name, value, given := strings.Cut(strings.TrimSpace(preference), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		seconds, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
		if !given || err != nil {
			return defaultPreference, true
		}
		return min(time.Duration(max(seconds, 1))*time.Second, longestWait), true
	}
	return 0, false
}

// maxKey is how long an idempotency key may be.
const maxKey = 255

// errBadKey is returned for an idempotency key that is none.
var errBadKey = fmt.Errorf("an Idempotency-Key has 1 to %d visible characters", maxKey)

// key returns the idempotency key of the request; empty if it has none. It may
// stand in quotes.
func (c *call) key() (string, error) {
	values := c.r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if unquoted, err := strconv.Unquote(key); err == nil {
		key = unquoted
	}
	invisible := strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
	if len(values) > 1 || key == "" || len(key) > maxKey || invisible {
		return "", errBadKey
	}
	return key, nil
}

// detail says what became of an event that was not taken, and what to do.
func detail(answer client.Answer, event string) string {
	w := answer.Wait
	switch answer.Outcome {
	case history.Finished:
		return "The instance is " + answer.Instance.Status.String() + ", and takes no more events."
	case client.NameMismatch:
		return fmt.Sprintf("The instance waits for %s, and not for %s. Names match exactly, upper and lower case included; nothing was kept.", quote(answer.Nearest), quote(event))
	case history.NotWaiting:
		return "Nothing was kept. " + sentence(answer.Reason) + waitingFor(answer)
	case history.WrongType:
		return sentence(answer.Reason) + "It does not count as a try."
	case history.Rejected:
		return sentence(answer.Reason) + triesLeft(answer.Tries, answer.Tried)
	case history.Expired:
		if w != nil && !w.Until.IsZero() {
			return "The deadline was " + stamped(w.Until) + "."
		}
		return "The deadline came first."
	case history.Locked:
		return "As many answers were tried as are allowed, and no other counts."
	case history.AlreadyDecided:
		if w != nil && !w.At.IsZero() {
			return "It was decided at " + stamped(w.At) + "; this answer has no effect."
		}
		return "This answer has no effect."
	case history.KeyReused:
		return keyReused
	}
	return ""
}

// sentence makes a sentence, and a space after it, of a reason.
func sentence(reason string) string {
	if reason == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(reason)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(reason[size:], ".") + ". "
}

func triesLeft(tries, tried int) string {
	switch left := tries - tried; {
	case tries == 0:
		return "You may try again."
	case left == 1:
		return "One try is left."
	case left > 1:
		return fmt.Sprintf("%d tries are left.", left)
	}
	return "No try is left."
}

// waitingFor says what the instance waits for instead.
func waitingFor(answer client.Answer) string {
	var names []string
	for _, w := range answer.Instance.External.Waits {
		if w.Ended == "" {
			names = append(names, quote(w.Event))
		}
	}
	if len(names) == 0 {
		return "The instance does not wait for any event at the moment."
	}
	return "The instance waits for " + strings.Join(names, ", ") + "."
}
