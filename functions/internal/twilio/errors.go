package twilio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/twilio/twilio-go/client"
)

// Class is what a failed send means for whoever has to decide what to do next.
type Class string

// The classes of errors.
const (
	// Undeliverable: this message to this recipient will never work. Nothing was sent.
	Undeliverable Class = "undeliverable"
	// Unavailable: nothing was sent, and trying later may work.
	Unavailable Class = "unavailable"
	// Unknown: the message may have been sent; there is no way to tell.
	Unknown Class = "unknown"
	// Misconfigured: the account, its credentials, its number or its permissions need somebody's attention. Nothing was sent.
	Misconfigured Class = "misconfigured"
)

// Error is a send that did not succeed. No field holds the message, the token, or more of a phone number than its last
// two digits.
type Error struct {
	Class Class
	// Status is the HTTP status of the answer, or 0 when there was none.
	Status int
	// Code is Twilio's error code, or 0 when the answer had none.
	Code int
	// Message says what happened, in Twilio's words where it said something.
	Message string
	// Wait is how long Twilio asks to wait before the next attempt; 0 when it does not.
	Wait time.Duration

	doing string // what was being done
	ended error  // context.Canceled or context.DeadlineExceeded when the context ended, else nil
}

// Error returns the class, the status, the code and the message.
func (e *Error) Error() string {
	text := cmp.Or(e.doing, "send message") + ": " + string(e.Class)
	if e.Status != 0 {
		text += fmt.Sprintf(": HTTP %d", e.Status)
	}
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d", e.Code)
	}
	return text + ": " + e.Message
}

// Kind returns the class as a word, by which a durable engine can record the failure.
func (e *Error) Kind() string { return string(e.Class) }

// NonRetriable reports whether the message will never arrive.
func (e *Error) NonRetriable() bool { return e.Class == Undeliverable }

// RetryAfter returns how long Twilio asks to wait before the next attempt; 0 when it does not.
func (e *Error) RetryAfter() time.Duration { return e.Wait }

// Unwrap returns the context's error when that is what ended the call, and nil otherwise. Other causes stay inside,
// because their texts may quote what has to stay hidden.
func (e *Error) Unwrap() error { return e.ended }

// failure turns what became of an exchange into an Error. err is the library's, and may be nil when the answer was
// decoded but is not one that says the message was taken.
func (a account) failure(x *exchange, err error, hide hider) *Error {
	e := &Error{Status: x.status, Wait: waitOf(x.retry), ended: endedBy(err)}
	var rest *client.TwilioRestError
	switch {
	case x.status == 0:
		e.Class = Unavailable
		if x.mayHaveLeft(err) {
			e.Class = Unknown
		}
		e.Message = hide.text(network(err))
	case errors.As(err, &rest):
		e.Code, e.Class = rest.Code, a.classOf(x.status, rest.Code)
		e.Message = hide.quoted(rest.Message)
	case x.status >= 300 && x.status < 400:
		e.Class = a.classOf(x.status, 0)
		e.Message = "the answer is a redirect, which is not followed: check the address of the API"
	default:
		e.Class = a.classOf(x.status, 0)
		e.Message = "the answer could not be understood"
	}
	if e.Message == "" {
		e.Message = "no reason given"
	}
	return e
}

// longestWait is the longest wait that is believed.
const longestWait = time.Hour

// waitOf reads a header Retry-After in seconds; Twilio sends no dates.
func waitOf(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, longestWait)
}

// endedBy picks the context's error out of err. The error itself must not escape: it may quote an address or a body.
func endedBy(err error) error {
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return ended
		}
	}
	return nil
}

// network describes an error that came without an answer.
func network(err error) string {
	switch endedBy(err) {
	case context.Canceled:
		return "the caller gave up before an answer came"
	case context.DeadlineExceeded:
		return "no answer came in time"
	}
	var request *url.Error // repeats the address, with the account in it
	if errors.As(err, &request) {
		err = request.Err
	}
	return err.Error()
}

// classOf decides what an answer means, from the HTTP status first. Twilio splits and renumbers its codes over time and
// advises against fixed logic upon them, so a code only refines what the status leaves open: a code that the table
// does not know still gets the class of its status.
func (a account) classOf(status, code int) Class {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusServiceUnavailable:
		return Unavailable
	case status == http.StatusUnauthorized:
		return Misconfigured
	case status >= 400 && status < 500:
		if class := ClassOf(code, a.classes); class != "" {
			return class
		}
		return classOfRefusal(status)
	case status >= 300 && status < 400:
		return Misconfigured // a redirect, which is not followed: the address is another one
	}
	return Unknown // another failure of the server, or a success nobody can read
}

// classOfRefusal gives the class of a 4xx status with a code that says no more.
func classOfRefusal(status int) Class {
	switch status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired:
		return Misconfigured
	}
	return Undeliverable
}
