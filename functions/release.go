package main

import (
	"net/http"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/functions/settings"
)

// release is the body of a request to let one through.
type release struct {
	Requester string `json:"requester"`
	Release   string `json:"release"`
	Commit    string `json:"commit"`
	Changes   string `json:"changes"`
}

// releaseHelp says what a release looks like.
const releaseHelp = `Send JSON such as {"requester":"rex@example.org","release":"Shop 2.4","commit":"92fcdf9","changes":"Faster search"}.`

// gateRelease is the HTTP trigger that starts the gate of a release.
func (r routes) gateRelease(w http.ResponseWriter, req *http.Request) {
	var b release
	if !r.read(w, req, &b, releaseHelp) {
		return
	}
	if b.Commit == "" || b.Changes == "" {
		refuse(w, http.StatusBadRequest, "A release has a commit and changes. "+releaseHelp)
		return
	}
	r.startApproval(w, req, string(ReleaseGate), approval.Request{
		Requester: b.Requester, Policy: releasePolicy(r.values),
		Content: approval.Content{Title: b.Release, Details: []approval.Detail{{Label: "Commit", Text: b.Commit}, {Label: "Changes", Text: b.Changes}}},
	})
}

// releasePolicy asks for some of those who let releases through, and lets others veto.
func releasePolicy(values settings.Values) approval.Policy {
	return approval.Policy{
		Name: "Releases",
		Stages: []approval.Stage{{
			Name:     "gate",
			Rules:    []approval.Rule{{Of: list(values.Text(settings.ReleaseApprovers)), Need: approval.Need(values.Int(settings.ReleaseNeed))}},
			Veto:     list(values.Text(settings.ReleaseVeto)),
			Deadline: approval.Elapsed(values.Duration(settings.ReleaseTimeout)),
			Remind:   &approval.Reminders{After: approval.Elapsed(values.Duration(settings.ReleaseRemindAfter)), Most: 1},
		}},
		People: phones(values), Comment: approval.CommentOnReject,
	}
}
