package httpapi

import (
	"net/http"
	"slices"
	"time"
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

// Links returns the management URLs of a run. Where there is a Doorkeeper, those
// that were granted carry a code and the others lead nowhere.
func (a *API) Links(run Run, g Grant) Links {
	place := a.place()
	to := func(door Door, path, query string) string {
		return place.Instance(run.Instance) + path + "?" + query + place.Query + a.code(run, g, door)
	}
	return Links{
		ID:           run.Instance,
		Status:       to(DoorStatus, "", ""),
		SendEvent:    to(DoorRaiseEvent, "/raiseEvent/{eventName}", ""),
		Terminate:    to(DoorTerminate, "/terminate", "reason={text}&"),
		PurgeHistory: to(DoorPurge, "", ""),
		Restart:      to(DoorRestart, "/restart", ""),
		Suspend:      to(DoorSuspend, "/suspend", "reason={text}&"),
		Resume:       to(DoorResume, "/resume", "reason={text}&"),
	}
}

// code returns the query parameter that makes a link open a door; nothing where
// it needs none or was not granted.
func (a *API) code(run Run, g Grant, door Door) string {
	keeper := a.o.Doorkeeper
	if keeper == nil || g.Doors != nil && !slices.Contains(g.Doors, door) {
		return ""
	}
	lifetime := g.Lifetime
	if lifetime == 0 {
		lifetime = keeper.lifetime
	}
	return "&code=" + keeper.code(a.o.Hub, run.Instance, g.Event, stamp{
		door: door, oneEvent: door == DoorRaiseEvent && g.Event != "",
		revoked: run.Revoked, expires: keeper.now().Add(lifetime), run: fingerprint(run.behind(door)),
	})
}

// Started answers the request that began a run: 202, where to look, and the
// management URLs. An app's own HTTP trigger ends with it.
func (a *API) Started(w http.ResponseWriter, run Run, g Grant) {
	Shelter(w.Header())
	links := a.Links(run, g)
	w.Header().Set("Location", links.Status)
	w.Header().Set("Retry-After", "10")
	answer(w, http.StatusAccepted, links)
}

// links answers an operator with new links to the present run, for one event or
// for a lifetime in seconds if that is asked for.
func (a *API) links(c *call) {
	in, err := c.client.Get(c.r.Context(), c.id)
	if err != nil {
		a.fail(c, err)
		return
	}
	grant := Grant{Event: c.query.Get("event")}
	if lifetime, ok := c.seconds("lifetime"); ok {
		grant.Lifetime = time.Duration(lifetime * float64(time.Second))
	}
	run := Run{Instance: in.ID, Execution: in.Execution, First: in.First, Revoked: in.Revoked}
	c.answer(http.StatusOK, a.Links(run, grant))
}

// revoke makes all links to an instance void and answers with new ones.
func (a *API) revoke(c *call) {
	if err := c.client.RevokeLinks(c.r.Context(), c.id); err != nil {
		a.fail(c, err)
		return
	}
	a.links(c)
}
