package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	"github.com/seed21523604/holdfast/engine/human/pages"
)

// read reads the JSON body of a trigger, strictly. If it cannot, it has answered.
func (r routes) read(w http.ResponseWriter, req *http.Request, into any, help string) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, r.maxBody()))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "The request body is too large. "+help)
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err == nil {
		err = errors.Join(client.CheckJSON(body), decoder.Decode(into))
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, capital(errBody.Error())+". "+wrongMember(err)+help)
		return false
	}
	return true
}

// wrongMember says which member of a body is not known, or of another type, if one is.
func wrongMember(err error) string {
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) && typed.Field != "" {
		return fmt.Sprintf("The member %q is a %s. ", typed.Field, typed.Value)
	}
	if _, name, found := strings.Cut(err.Error(), "json: unknown field "); found {
		return "There is no member " + name + ". "
	}
	return ""
}

// knownAnswer is the body of an answer by somebody who has no link.
type knownAnswer struct {
	// For is whom an operator answers for.
	For string `json:"for,omitempty"`
	door.About
	door.Answer
}

const answerHelp = `Send JSON such as {"verb":"approve"}; an operator says for whom: {"for":"ann@example.org","verb":"reject","comment":"as said on the phone"}.`

// answer takes an answer to an approval by somebody who signed in, or by an operator
// for somebody else. What the body says of who answers is believed of operators only,
// and recorded as their word.
func (r routes) answer(w http.ResponseWriter, req *http.Request) {
	var a knownAnswer
	if !r.read(w, req, &a, answerHelp) {
		return
	}
	who, err := r.knows(req, a.For)
	switch {
	case errors.Is(err, errForWhom):
		refuse(w, http.StatusBadRequest, "An operator answers for somebody: say for whom. "+answerHelp)
		return
	case err != nil:
		w.Header().Set("WWW-Authenticate", `Bearer realm="holdfast"`)
		refuse(w, http.StatusUnauthorized, "Sign in, send a bearer token of yours, or use the link that you were sent. Operators, who send their key, answer for others.")
		return
	}
	record, err := r.door.AnswerAs(req.Context(), req.PathValue("instance"), who, a.About, a.Answer)
	if err != nil {
		r.refuseAnswer(w, err)
		return
	}
	answerJSON(w, http.StatusOK, record)
}

var (
	// errNobody is returned for a request of which nobody knows whose it is.
	errNobody = errors.New("nobody knows who this is")
	// errForWhom is returned for an operator's request that does not say for whom.
	errForWhom = errors.New("nobody knows for whom this is")
)

// knows returns who sends a request, by what cannot be made up: the platform that let
// them sign in, or a token. Somebody else may be whom an operator answers for.
func (r routes) knows(req *http.Request, somebody string) (door.Person, error) {
	operator := r.app.keeper == nil || r.app.keeper.IsOperator(req)
	if somebody != "" && operator {
		return door.Person{ID: somebody, Via: approval.ViaOperator}, nil
	}
	if somebody != "" {
		return door.Person{}, errNobody
	}
	if name := req.Header.Get(principalHeader); name != "" && r.app.signsIn {
		return door.Person{ID: name, Via: approval.ViaSignIn}, nil
	}
	if token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok && r.app.person != nil {
		if id, err := r.app.person(req.Context(), token); err == nil {
			return door.Person{ID: id, Via: approval.ViaSignIn}, nil
		}
	}
	if operator {
		return door.Person{}, errForWhom
	}
	return door.Person{}, errNobody
}

// principalHeader has who signed in, where App Service signs people in: it takes the
// header off what comes from outside.
const principalHeader = "X-MS-CLIENT-PRINCIPAL-NAME"

// personOf returns the id of whose a bearer token is.
type personOf func(ctx context.Context, token string) (id string, err error)

// refusedAnswer is the body of an answer that had no effect.
type refusedAnswer struct {
	Message string          `json:"Message"`
	Reason  approval.Reason `json:"reason"`
	By      string          `json:"by,omitempty"`
	At      string          `json:"at,omitempty"`
	Field   string          `json:"field,omitempty"`
}

// refuseAnswer says why an answer had no effect.
func (r routes) refuseAnswer(w http.ResponseWriter, err error) {
	var refusal *approval.Refusal
	switch {
	case errors.Is(err, door.ErrNoLink):
		refuse(w, http.StatusNotFound, "There is no such request.")
	case errors.Is(err, door.ErrUnclear):
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "It is not known yet whether the answer counted. Send it again.")
	case errors.As(err, &refusal):
		body := refusedAnswer{Message: refusal.Sentence(), Reason: refusal.Reason, By: refusal.By, Field: refusal.Field}
		if !refusal.At.IsZero() {
			body.At = refusal.At.UTC().Format("2006-01-02T15:04:05Z")
		}
		answerJSON(w, pages.StatusOf(refusal.Reason), body)
	default:
		r.app.log.Error("an answer to an approval", "error", err)
		refuse(w, http.StatusInternalServerError, "Something went wrong. Try again.")
	}
}
