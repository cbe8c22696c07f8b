package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/functions/settings"
)

// The names under which the review of claims is known, which are those of the lab
// that people know it from.
const (
	ClaimReview      engine.Orchestrator[claim, reviewed] = "ClaimReview"
	ApprovalResponse engine.Event[claimResponse]          = "ApprovalResponse"
)

const claimPath = "/api/ClaimReview"

// claim is what is reviewed, and how, as the settings were when it came.
type claim struct {
	ID          string         `json:"claim_id"`
	Amount      float64        `json:"amount"`
	From        int            `json:"reviewFrom"`
	Timeout     human.Duration `json:"timeout"`
	TimeoutFrom string         `json:"timeoutFrom"`
}

// claimResponse is what a reviewer says, of which claim.
type claimResponse struct {
	EventID  string `json:"event_id"`
	Decision string `json:"decision"`
}

// reviewed is how a claim ended: Completed if nobody had to look at it, Approved,
// Rejected or ApprovalTimedOut.
type reviewed struct {
	ID     string `json:"claim_id"`
	Status string `json:"status"`
}

// pending is the custom status while a reviewer is waited for.
type pending struct {
	Status  string    `json:"status"`
	EventID string    `json:"event_id"`
	Until   time.Time `json:"until"`
}

// addClaimReview registers the orchestration.
func addClaimReview(r *engine.Registry) { engine.AddOrchestrator(r, ClaimReview, reviewClaim) }

// The answers of a reviewer.
var claimStatuses = map[string]string{"approve": "Approved", "approved": "Approved", "reject": "Rejected", "rejected": "Rejected"}

// reviewClaim races a reviewer's answer against a deadline, if the claim is so large
// that somebody looks at it.
func reviewClaim(ctx *engine.Context, c claim) (reviewed, error) {
	if c.Amount < float64(c.From) {
		return reviewed{c.ID, "Completed"}, nil
	}
	until := ctx.Now().Add(time.Duration(c.Timeout))
	if err := ctx.SetCustomStatus(pending{"Pending", c.ID, until}); err != nil {
		return reviewed{}, err
	}
	response, err := engine.WaitForExternalEvent(ctx, ApprovalResponse,
		engine.Until(until, c.TimeoutFrom), engine.From("a reviewer"), engine.Check(c.check)).Await()
	result := reviewed{c.ID, claimStatuses[response.Decision]}
	switch {
	case errors.Is(err, engine.ErrTimeout):
		result.Status = "ApprovalTimedOut"
	case err != nil:
		return reviewed{}, err
	}
	return result, ctx.SetCustomStatus(nil)
}

// check refuses what is no answer to this claim.
func (c claim) check(r claimResponse) error {
	switch {
	case r.EventID != c.ID:
		return fmt.Errorf("this is about %q, and %q is reviewed", r.EventID, c.ID)
	case claimStatuses[r.Decision] == "":
		return fmt.Errorf(`the decision is "approve" or "reject", not %q`, r.Decision)
	}
	return nil
}

// claimHelp says what a claim looks like.
const claimHelp = `Send JSON such as {"claim_id":"claim-002","amount":5200}.`

var claimID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// reviewing is what whoever starts a review may do with it: see how it stands and
// hand the link for the answer to a reviewer.
var reviewing = httpapi.Grant{Doors: []httpapi.Door{httpapi.DoorStatus, httpapi.DoorRaiseEvent}, Event: string(ApprovalResponse)}

// startClaim is the HTTP trigger that starts the review of a claim.
func (r routes) startClaim(w http.ResponseWriter, req *http.Request) {
	var body struct {
		ID     string      `json:"claim_id"`
		Amount json.Number `json:"amount"`
	}
	if !r.read(w, req, &body, claimHelp) {
		return
	}
	amount, err := strconv.ParseFloat(body.Amount.String(), 64)
	if err != nil || amount < 0 || !claimID.MatchString(body.ID) {
		refuse(w, http.StatusBadRequest, "A claim has an id of up to 100 letters, digits, dots, dashes and underscores, and an amount. "+claimHelp)
		return
	}
	timeout := r.values.Duration(settings.ClaimReviewTimeout)
	c := claim{
		ID: body.ID, Amount: amount, From: r.values.Int(settings.ClaimReviewFrom), Timeout: human.Duration(timeout),
		TimeoutFrom: fmt.Sprintf("the setting %s, %s (%s)", settings.ClaimReviewTimeout, timeout, r.values.Source(settings.ClaimReviewTimeout)),
	}
	run, err := r.start(req, string(ClaimReview), c)
	if err != nil {
		r.notStarted(w, string(ClaimReview), err, "The review could not be started. Try again.")
		return
	}
	r.api.Started(w, run, reviewing)
}
