package httpapi

import (
	"net/http"
	"net/url"
	"strings"
)

// Links are the management URLs of an instance, as Durable Functions hands them
// out. {eventName} and {text} stand in them literally, to be replaced.
type Links struct {
	ID           string `json:"id"`
	Status       string `json:"statusQueryGetUri"`
	SendEvent    string `json:"sendEventPostUri"`
	Terminate    string `json:"terminatePostUri"`
	PurgeHistory string `json:"purgeHistoryDeleteUri"`
	Restart      string `json:"restartPostUri"`
	Suspend      string `json:"suspendPostUri"`
	Resume       string `json:"resumePostUri"`
}

// Links returns the management URLs of an instance.
func (a *API) Links(id string) Links {
	// A plus sign is escaped too: some decode a path as if it were a form.
	base := a.o.URL + "/instances/" + strings.ReplaceAll(url.PathEscape(id), "+", "%2B")
	hub := "taskHub=" + url.QueryEscape(a.o.Hub) + "&connection=Storage"
	return Links{
		ID:           id,
		Status:       base + "?" + hub,
		SendEvent:    base + "/raiseEvent/{eventName}?" + hub,
		Terminate:    base + "/terminate?reason={text}&" + hub,
		PurgeHistory: base + "?" + hub,
		Restart:      base + "/restart?" + hub,
		Suspend:      base + "/suspend?reason={text}&" + hub,
		Resume:       base + "/resume?reason={text}&" + hub,
	}
}

// Started answers the request that began an instance: 202, where to look, and
// the management URLs. An app's own HTTP trigger ends with it.
func (a *API) Started(w http.ResponseWriter, id string) {
	links := a.Links(id)
	w.Header().Set("Location", links.Status)
	w.Header().Set("Retry-After", "10")
	answer(w, http.StatusAccepted, links)
}
