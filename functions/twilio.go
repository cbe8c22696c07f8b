package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/reply"
	"github.com/seed21523604/holdfast/functions/internal/twilio"
)

// The paths that Twilio calls. Whoever else does is refused, as nothing but its
// signature lets a request in.
const (
	smsPath       = "/api/TwilioSms"
	smsStatusPath = "/api/TwilioStatus/" // the instance, and the number of the message
)

// smsStatus takes what Twilio reports on a message, late, twice and in any order.
func (r routes) smsStatus(w http.ResponseWriter, req *http.Request) {
	form, ok := r.signed(w, req)
	if !ok {
		return
	}
	message, err := strconv.Atoi(req.PathValue("message"))
	if err != nil {
		refuse(w, http.StatusNotFound, "There is no such message.")
		return
	}
	if form.Get("MessageSid") == "" || form.Get("MessageStatus") == "" {
		refuse(w, http.StatusBadRequest, "There is no MessageSid or no MessageStatus.")
		return
	}
	delivery := human.Delivery{Message: message, Status: human.DeliveryStatus(form.Get("MessageStatus"))}
	if code, err := strconv.Atoi(form.Get("ErrorCode")); err == nil && code != 0 {
		delivery.Kind = string(twilio.ClassOf(code, r.line.classes))
		r.app.log.Warn("a message did not arrive", "instance", req.PathValue("instance"), "status", form.Get("MessageStatus"), "code", code)
	}
	if err := r.report(req.Context(), req.PathValue("instance"), form.Get("MessageSid"), delivery); err != nil {
		r.app.log.Error("take a report on a message", "error", err)
		refuse(w, http.StatusInternalServerError, "The report could not be taken. Send it again.")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// report tells a verification what became of its message, once. One that is over or
// gone needs to know no more, and of other messages it is enough that the log says it.
func (r routes) report(ctx context.Context, instance, sid string, d human.Delivery) error {
	payload, err := json.Marshal(d)
	if err != nil {
		return err
	}
	ours := r.client.Guarded(isVerification)
	err = ours.Raise(ctx, instance, string(human.SmsDelivery), client.Payload{Body: payload, Key: sid + " " + string(d.Status)})
	if errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrFinished) || errors.Is(err, client.ErrKeyReused) {
		return nil
	}
	return err
}

// sms takes a message that somebody sent, and answers it.
func (r routes) sms(w http.ResponseWriter, req *http.Request) {
	form, ok := r.signed(w, req)
	if !ok {
		return
	}
	if form.Get("MessageSid") == "" || form.Get("From") == "" {
		refuse(w, http.StatusBadRequest, "There is no MessageSid or no From.")
		return
	}
	says, err := r.listener.Hear(req.Context(), reply.Incoming{ID: form.Get("MessageSid"), From: form.Get("From"), Body: wordsOf(form)})
	if err != nil {
		r.app.log.Error("hear a message", "error", err)
		refuse(w, http.StatusInternalServerError, "The message could not be taken. Send it again.")
		return
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_ = xml.NewEncoder(w).Encode(twiml{Message: says}) // the caller is gone
}

// twiml is the answer to a message.
type twiml struct {
	XMLName struct{} `xml:"Response"`
	Message string   `xml:"Message,omitempty"`
}

// wordsOf returns what a message says. Where Twilio has taken it as a wish for no
// messages, or for messages again, it is that, whatever the words were.
func wordsOf(form url.Values) string {
	switch word := form.Get("OptOutType"); word {
	case "STOP", "START", "HELP":
		return word
	}
	return form.Get("Body")
}

// signed returns the parameters of a request that Twilio signed, and answers any
// other.
func (r routes) signed(w http.ResponseWriter, req *http.Request) (url.Values, bool) {
	form, err := r.line.webhook.Read(req)
	switch {
	case errors.Is(err, twilio.ErrUnreadable):
		refuse(w, http.StatusBadRequest, "The body is not the form that Twilio sends.")
	case err != nil:
		r.app.log.Warn("a request that Twilio did not sign", "path", req.URL.Path)
		refuse(w, http.StatusForbidden, "Only Twilio may call this address. If you are Twilio, PublicBaseUrl or TwilioAuthToken is not set to what you use.")
	case r.account != "" && form.Get("AccountSid") != r.account:
		refuse(w, http.StatusForbidden, "This is not the account that messages go out from.")
	default:
		return form, true
	}
	return nil, false
}
