package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
)

// numberHelp says what a phone number looks like.
const numberHelp = "A phone number is needed, in international form: a plus sign, the country code and the number, 8 to 15 digits in all, " +
	"such as +447700900123. Send it as JSON, {\"number\":\"+447700900123\"}, or in the query, where the plus sign is written %2B: ?number=%2B447700900123"

var (
	errNumber = errors.New("not a phone number")
	errBody   = errors.New("the body is not the JSON that is needed")

	errChannel = errors.New("a code is sent by the channel sms or call, nothing else")
	errVoice   = errors.New("codes are sent by sms here, as calls take a Verify service")
	errLocale  = errors.New("the locale is not a language such as de or pt-BR")

	locales  = regexp.MustCompile(`^([A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?)?$`)
	e164     = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	cosmetic = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "")
)

// answering is what whoever starts a verification may do with it: see how it
// stands, answer it and give it up. A restart would send another message.
var answering = httpapi.Grant{
	Doors: []httpapi.Door{httpapi.DoorStatus, httpapi.DoorRaiseEvent, httpapi.DoorTerminate},
	Event: string(human.SmsChallengeResponse),
}

// asking is the other thing that whoever begins a verification may do.
var asking = httpapi.Grant{Doors: []httpapi.Door{httpapi.DoorRaiseEvent}, Event: string(human.SmsResendCode)}

// authenticate is the HTTP trigger that starts a verification.
func (r routes) authenticate(w http.ResponseWriter, req *http.Request) {
	asked, err := askedFor(w, req, r.maxBody())
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "The request body is too large. "+numberHelp)
		return
	}
	if err == nil && asked.Channel == human.Voice && r.line.service == nil {
		err = errVoice
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, capital(err.Error())+". "+numberHelp)
		return
	}
	limits := smsLimits(r.values)
	asked.Limits = &limits
	if caller := callerOf(req, !r.local); caller != "" {
		asked.Caller = r.line.sealer.Name("caller", caller)
	}
	run, err := r.start(req, string(SmsVerify), asked)
	if err != nil {
		r.notStarted(w, string(SmsVerify), err, "The verification could not be started; nothing was sent. Try again.")
		return
	}
	r.started(w, run)
}

// started answers as httpapi.API does, with a link more: to ask for another code.
func (r routes) started(w http.ResponseWriter, run httpapi.Run) {
	links := struct {
		httpapi.Links
		Resend string `json:"resendPostUri"`
	}{r.api.Links(run, answering), strings.Replace(r.api.Links(run, asking).SendEvent, "{eventName}", string(human.SmsResendCode), 1)}
	w.Header().Set("Location", links.Status)
	w.Header().Set("Retry-After", "10")
	answerJSON(w, http.StatusAccepted, links)
}

// askedFor reads what is to be verified, and how, from the query or else from the
// body.
func askedFor(w http.ResponseWriter, req *http.Request, most int64) (human.Request, error) {
	query := req.URL.Query()
	if number := query.Get("number"); number != "" {
		return parseRequest(number, query.Get("channel"), query.Get("locale"))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, most))
	if err != nil {
		return human.Request{}, err
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return human.Request{}, errNumber
	}
	var request struct {
		Number  string `json:"number"`
		Channel string `json:"channel"`
		Locale  string `json:"locale"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if client.CheckJSON(body) != nil || decoder.Decode(&request) != nil {
		return human.Request{}, errBody
	}
	return parseRequest(request.Number, request.Channel, request.Locale)
}

// parseRequest returns the request for a number, a channel and a locale, of which
// only the first is needed.
func parseRequest(number, channel, locale string) (r human.Request, err error) {
	if r.Number, err = parseNumber(number); err != nil {
		return r, err
	}
	switch r.Channel, r.Locale = human.Channel(channel), locale; {
	case channel != "" && r.Channel != human.SMS && r.Channel != human.Voice:
		return r, errChannel
	case !locales.MatchString(locale):
		return r, errLocale
	}
	return r, nil
}

// capital makes a sentence of an error's text.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// parseNumber returns a number in E.164 form. A plus sign in a query that was
// not escaped arrives as a space, and some leave it out: both are put right.
func parseNumber(typed string) (string, error) {
	number := cosmetic.Replace(strings.TrimSpace(typed))
	if !strings.HasPrefix(number, "+") {
		number = "+" + number
	}
	if !e164.MatchString(number) {
		return "", errNumber
	}
	return number, nil
}
