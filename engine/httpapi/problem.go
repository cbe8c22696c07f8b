package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

// problemKind is what went wrong in a word that programs can tell apart, and in
// a title for people.
type problemKind struct{ name, title string }

// The problems of links.
var (
	problemOperators    = problemKind{"operators-only", "This takes an operator"}
	problemOtherDoor    = problemKind{"link-for-something-else", "The link is for something else"}
	problemExpiredLink  = problemKind{"link-expired", "The link has expired"}
	problemRevokedLink  = problemKind{"link-revoked", "The link was revoked"}
	problemReplacedLink = problemKind{"link-replaced", "The link is for an earlier run"}
)

// The problems of events that are to be taken at once.
var (
	problemReserved   = problemKind{"reserved-event", "This event comes in by another door"}
	problemNoInstance = problemKind{"no-instance", "There is no such instance"}
	problemTooLarge   = problemKind{"too-large", "The payload is too large"}
	problemTooMany    = problemKind{"too-many", "The instance has had too many events"}
	problemBadJSON    = problemKind{"bad-json", "The payload is not JSON"}
	problemMediaType  = problemKind{"media-type", "The payload is not called JSON"}
	problemBadKey     = problemKind{"bad-key", "This is no idempotency key"}
	problemBadName    = problemKind{"bad-name", "This is not the name of an event"}
	problemUnclear    = problemKind{"unclear", "Nobody knows yet whether the event was recorded"}
)

// refusals are the answers to events that were not taken.
var refusals = map[history.Outcome]struct {
	status int
	problemKind
}{
	history.Finished:       {http.StatusGone, problemKind{"finished", "The instance has ended"}},
	history.NotWaiting:     {http.StatusConflict, problemKind{"not-waiting", "Nobody waits for this event"}},
	client.NameMismatch:    {http.StatusConflict, problemKind{"name-mismatch", "Another event is waited for"}},
	history.WrongType:      {http.StatusUnprocessableEntity, problemKind{"wrong-type", "The payload is of another type than the one that is waited for"}},
	history.Rejected:       {http.StatusUnprocessableEntity, problemKind{"rejected", "The answer was not accepted"}},
	history.Expired:        {http.StatusGone, problemKind{"expired", "The time to answer is over"}},
	history.Locked:         {http.StatusLocked, problemKind{"locked", "There were too many tries"}},
	history.AlreadyDecided: {http.StatusConflict, problemKind{"already-decided", "Another answer came first"}},
	history.KeyReused:      {http.StatusUnprocessableEntity, problemKind{"key-reused", "The idempotency key was used for something else"}},
}

// problemType is what the types of our problems begin with.
const problemType = "urn:problem-type:holdfast:"

// problem is the body of an error in the form of RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`

	// What else there is to say of an event that was not taken.
	Event         string          `json:"event,omitempty"`
	NearestName   string          `json:"nearestName,omitempty"`
	WaitingFor    []string        `json:"waitingFor,omitempty"`
	TriesLeft     *int            `json:"triesLeft,omitempty"`
	Until         string          `json:"until,omitempty"`
	EndedAt       string          `json:"endedAt,omitempty"`
	Decision      json.RawMessage `json:"decision,omitempty"`
	RuntimeStatus string          `json:"runtimeStatus,omitempty"`
}

// problem answers with a problem.
func (c *call) problem(status int, kind problemKind, detail string) {
	c.answerProblem(problem{Type: problemType + kind.name, Title: kind.title, Status: status, Detail: detail})
}

func (c *call) answerProblem(p problem) {
	c.w.Header().Set("Content-Type", "application/problem+json")
	c.w.WriteHeader(p.Status)
	encoder := json.NewEncoder(c.w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(p) // the caller is gone
}

// refuseAnswer answers for an event that was not taken.
func (c *call) refuseAnswer(answer client.Answer) {
	r := refusals[answer.Outcome]
	p := problem{
		Type: problemType + r.name, Title: r.title, Status: r.status, Detail: detail(answer, c.name),
		Event: c.name, NearestName: answer.Nearest, Decision: answer.Decision, RuntimeStatus: answer.Instance.Status.String(),
	}
	if answer.Tries > 0 {
		left := answer.Tries - answer.Tried
		p.TriesLeft = &left
	}
	for _, w := range answer.Instance.External.Waits {
		if w.Ended == "" {
			p.WaitingFor = append(p.WaitingFor, w.Event)
		}
	}
	if w := answer.Wait; w != nil {
		p.Until, p.EndedAt = stamped(w.Until), stamped(w.At)
	}
	c.answerProblem(p)
}

// stamped writes a moment; nothing if it is zero.
func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// failAsked answers for an event that could not be sent.
func (a *API) failAsked(c *call, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, client.ErrNotFound) && c.link == nil:
		c.problem(http.StatusNotFound, problemNoInstance, "There is no instance "+quote(c.id)+", or none any more.")
	case errors.Is(err, errBadKey):
		c.problem(http.StatusBadRequest, problemBadKey, sentence(err.Error()))
	case errors.Is(err, client.ErrBadName):
		c.problem(http.StatusBadRequest, problemBadName, badName)
	case errors.Is(err, client.ErrMediaType):
		c.problem(http.StatusBadRequest, problemMediaType, badMediaType)
	case errors.Is(err, client.ErrBadPayload):
		c.problem(http.StatusBadRequest, problemBadJSON, err.Error())
	case errors.Is(err, client.ErrTooMany):
		c.problem(http.StatusTooManyRequests, problemTooMany, tooMany)
	case errors.As(err, &tooLarge), errors.Is(err, client.ErrTooLarge):
		c.problem(http.StatusRequestEntityTooLarge, problemTooLarge, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		c.w.Header().Set("Retry-After", "1")
		c.problem(http.StatusServiceUnavailable, problemUnclear, unclear)
	default:
		a.fail(c, err)
	}
}
