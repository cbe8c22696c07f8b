package twiliotest

import (
	"fmt"
	"net/http"
	"time"
)

// Answer is how the Server treats one request that is in order. The zero value takes the message and says so.
// [Refuse], [Fail], [RateLimited], [Undecodable], [Dropped] and [LostReply] make the usual ones.
type Answer struct {
	// Status is the HTTP status; 0 means 201. The message is taken when it is 2xx.
	Status int
	// Code and Message go into the documented body of an error. In Message, {to} and {from} stand for the numbers.
	Code    int
	Message string
	// RetryAfter becomes the header of that name, in whole seconds; 0 means none.
	RetryAfter time.Duration
	// Raw replaces the documented body.
	Raw string
	// Drop closes the connection and answers nothing.
	Drop Drop
	// Hold delays everything, and HoldReply what follows the taking of the message, until the channel is closed or sends.
	// A held request is given up, as if its connection broke, when its client goes away or the Server is closed.
	Hold, HoldReply <-chan struct{}
}

// Drop says where a connection breaks.
type Drop int

// The places where a connection breaks.
const (
	DropNever  Drop = iota
	DropBefore      // before the message is taken: it is not sent, but the sender cannot know
	DropAfter       // after it is taken: it is sent, but the sender cannot know
)

// Refuse returns a refusal with one of Twilio's codes, with the status and message that Twilio documents for it. A code
// that the package doesn't know is answered 400 with a message that says nothing.
func Refuse(code int) Answer {
	if known, ok := refusals()[code]; ok {
		return known
	}
	return Answer{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf("Error %d", code)}
}

// refusals are answers by code. The words follow those of Twilio's error dictionary, numbers included where Twilio
// quotes them.
func refusals() map[int]Answer {
	bad := func(code int, message string) Answer { return Answer{Status: 400, Code: code, Message: message} }
	rows := []Answer{
		bad(21211, "Invalid 'To' Phone Number: {to}"),
		bad(21408, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}"),
		bad(21606, "The 'From' phone number {from} is not a valid message-capable Twilio phone number for this destination"),
		bad(21608, "The number {to} is unverified. Trial accounts cannot send messages to unverified numbers"),
		bad(21610, "Attempt to send to unsubscribed recipient {to}"),
		bad(21611, "This 'From' number {from} has exceeded the maximum number of queued messages"),
		bad(21612, "Message cannot be sent with the current combination of 'To' ({to}) and 'From' ({from}) parameters"),
		bad(21614, "'To' number is not a valid mobile number: {to}"),
		bad(21617, "The concatenated message body exceeds the 1600 character limit"),
		bad(21659, "'From' {from} is not a Twilio phone number or Short Code country mismatch"),
		{Status: 401, Code: 20003, Message: "Authenticate"},
		{Status: 404, Code: 20404, Message: "The requested resource was not found"},
		{Status: 429, Code: 20429, Message: "Too Many Requests"},
		{Status: 500, Code: 20500, Message: "An internal server error has occurred"},
		{Status: 503, Code: 20503, Message: "Service unavailable"},
	}
	byCode := make(map[int]Answer, len(rows))
	for _, a := range rows {
		byCode[a.Code] = a
	}
	return byCode
}

// Fail returns a failure of the server: a 5xx status and its code.
func Fail(status int) Answer {
	return Answer{Status: status, Code: 20000 + status, Message: http.StatusText(status)}
}

// RateLimited returns a 429 which asks to wait.
func RateLimited(retryAfter time.Duration) Answer {
	a := Refuse(20429)
	a.RetryAfter = retryAfter
	return a
}

// Undecodable returns an answer with a status and a body that is no JSON. With a 2xx status the message is taken.
func Undecodable(status int) Answer {
	return Answer{Status: status, Raw: "<html><title>proxy</title>"}
}

// Dropped breaks the connection before the message is taken.
func Dropped() Answer { return Answer{Drop: DropBefore} }

// LostReply takes the message and breaks the connection before it says so.
func LostReply() Answer { return Answer{Drop: DropAfter} }

// status returns the HTTP status that the answer will have.
func (a Answer) status() int {
	if a.Status == 0 {
		return http.StatusCreated
	}
	return a.Status
}

// takes reports whether the message is taken.
func (a Answer) takes() bool { return a.status() < 300 && a.Drop != DropBefore }
