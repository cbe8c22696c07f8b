package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

// What the original says of errors that it does not explain.
const (
	badArgument = "One or more of the arguments submitted is incorrect"
	wentWrong   = "Something went wrong while processing your request"
)

// What we say of events.
const (
	badName      = "This is not the name of an event. Put the name in the URL, such as .../raiseEvent/SmsChallengeResponse, and the payload in the body."
	badMediaType = "Only application/json request content is supported. With curl, add: -H 'Content-Type: application/json'"
	tooMany      = "The instance has had too many events, and takes no more of this kind."
	unclear      = "The instance was busy for as long as you wait. Send the event again; with the same Idempotency-Key it counts once."
	keyReused    = "Another event came with the same Idempotency-Key; this one has no effect. Use a new key for a new event."
)

// fail answers with the status that an error stands for.
func (a *API) fail(c *call, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case c.refuseLink(err):
	case errors.Is(err, client.ErrNotFound):
		c.w.WriteHeader(http.StatusNotFound)
	case errors.Is(err, client.ErrFinished):
		c.w.WriteHeader(http.StatusGone)
	case errors.Is(err, client.ErrBadName):
		c.refuse(http.StatusBadRequest, badName)
	case errors.Is(err, client.ErrMediaType):
		c.refuse(http.StatusBadRequest, badMediaType)
	case errors.Is(err, client.ErrTooMany):
		c.refuse(http.StatusTooManyRequests, tooMany)
	case errors.Is(err, client.ErrKeyReused):
		c.refuse(http.StatusUnprocessableEntity, keyReused)
	case errors.Is(err, client.ErrBadPayload):
		c.refuseFor(http.StatusBadRequest, "Invalid JSON content", err)
	case errors.Is(err, client.ErrBadPage), errors.Is(err, history.ErrBadID), errors.Is(err, client.ErrBadTags), errors.Is(err, errBadKey):
		c.refuseFor(http.StatusBadRequest, badArgument, err)
	case errors.As(err, &tooLarge):
		c.refuseFor(http.StatusRequestEntityTooLarge, "The request body is too large", err)
	case errors.Is(err, client.ErrTooLarge):
		c.refuseFor(http.StatusRequestEntityTooLarge, badArgument, err)
	case errors.Is(err, errTooManyFollow), errors.Is(err, errStopping):
		c.w.Header().Set("Retry-After", "10")
		c.refuse(http.StatusServiceUnavailable, "At present nobody more can follow what happens: "+err.Error()+". Ask for the status, or come again.")
	case errors.Is(err, client.ErrExists):
		c.refuse(http.StatusConflict, "A non-terminal instance with this instance ID already exists.")
	case errors.Is(err, client.ErrActive):
		c.answer(http.StatusPreconditionFailed, "The instance has not ended; terminate it first.")
	case errors.Is(err, client.ErrSuspended), errors.Is(err, client.ErrNotSuspended):
		c.refuseFor(http.StatusInternalServerError, wentWrong, err)
	default:
		a.o.Logger.Error("management request", "method", c.r.Method, "instance", c.id, "error", err)
		c.refuse(http.StatusInternalServerError, wentWrong)
	}
}

// refuse answers with an error in the form of the original's.
func (c *call) refuse(status int, message string) {
	c.answer(status, refusal{Message: message})
}

func (c *call) refuseFor(status int, message string, err error) {
	c.answer(status, refusal{Message: message, ExceptionMessage: err.Error()})
}

type refusal struct {
	Message          string
	ExceptionMessage string `json:",omitempty"`
}

func (c *call) answer(status int, body any) { answer(c.w, status, body) }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // the caller is gone
}

func quote(s string) string { return "'" + s + "'" }
