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

	e164     = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
	cosmetic = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "")
)

// answering is what whoever starts a verification may do with it: see how it
// stands, answer it and give it up. A restart would send another message.
var answering = httpapi.Grant{
	Doors: []httpapi.Door{httpapi.DoorStatus, httpapi.DoorRaiseEvent, httpapi.DoorTerminate},
	Event: string(human.SmsChallengeResponse),
}

// authenticate is the HTTP trigger that starts a verification.
func (r routes) authenticate(w http.ResponseWriter, req *http.Request) {
	number, err := numberOf(w, req, r.maxBody())
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "The request body is too large. "+numberHelp)
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, capital(err.Error())+". "+numberHelp)
		return
	}
	limits := smsLimits(r.values)
	execution := client.NewID()
	id, err := r.client.Start(req.Context(), string(SmsVerify), "", human.Request{Number: number, Limits: &limits}, client.AsExecution(execution))
	if err != nil {
		r.app.log.Error("start a verification", "error", err)
		refuse(w, http.StatusInternalServerError, "The verification could not be started; nothing was sent. Try again.")
		return
	}
	r.api.Started(w, httpapi.Run{Instance: id, Execution: execution}, answering)
}

// numberOf reads the phone number from the query or else from the body.
func numberOf(w http.ResponseWriter, req *http.Request, most int64) (string, error) {
	if number := req.URL.Query().Get("number"); number != "" {
		return parseNumber(number)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, most))
	if err != nil {
		return "", err
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return "", errNumber
	}
	var request struct {
		Number string `json:"number"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if client.CheckJSON(body) != nil || decoder.Decode(&request) != nil {
		return "", errBody
	}
	return parseNumber(request.Number)
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
