package httpapi

import (
	"errors"
	"io"
	"net/http"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

func (a *API) terminate(c *call) {
	a.accepted(c, c.client.Terminate(c.r.Context(), c.id, c.query.Get("reason")))
}

func (a *API) suspend(c *call) {
	a.accepted(c, c.client.Suspend(c.r.Context(), c.id, c.query.Get("reason")))
}

func (a *API) resume(c *call) {
	a.accepted(c, c.client.Resume(c.r.Context(), c.id, c.query.Get("reason")))
}

// rewind answers in the order and the forms of the original.
func (a *API) rewind(c *call) {
	in, err := c.client.Get(c.r.Context(), c.id)
	switch {
	case errors.Is(err, client.ErrNotFound):
		c.answer(http.StatusNotFound, "No orchestration with instance ID \""+c.id+"\" found.")
	case err != nil:
		a.fail(c, err)
	case in.Status != history.Failed:
		c.answer(http.StatusPreconditionFailed, "This orchestration has status "+in.Status.String()+", but only orchestrations in the \"Failed\" state can be rewound.")
	default:
		a.accepted(c, c.client.Rewind(c.r.Context(), c.id, c.query.Get("reason")))
	}
}

func (a *API) purge(c *call) {
	if err := c.client.Purge(c.r.Context(), c.id); err != nil {
		a.fail(c, err)
		return
	}
	c.answer(http.StatusOK, map[string]int{"instancesDeleted": 1})
}

// noEntities answers everything about entities.
func (a *API) noEntities(c *call) {
	c.refuse(http.StatusNotImplemented, "Holdfast has no durable entities. Keep the state in an orchestration, and reach it with events, custom status and output.")
}

// makePrimary answers the request to take over from another app. The original
// answers the same when app leases are off, which they always are here.
func (a *API) makePrimary(c *call) {
	c.refuse(http.StatusBadRequest, "There is no primary app: all workers of a hub work side by side, and none needs to be given the lead.")
}

// body reads the request's body, which may not be over the limit.
func (a *API) body(c *call) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, a.o.MaxBody))
}

func (a *API) accepted(c *call, err error) {
	if err != nil {
		a.fail(c, err)
		return
	}
	c.w.WriteHeader(http.StatusAccepted)
}
