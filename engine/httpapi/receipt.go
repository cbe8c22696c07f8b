package httpapi

import (
	"bytes"
	"net/http"
)

// receipt gives operators a receipt of what has happened to an instance.
func (a *API) receipt(c *call) {
	if a.o.Receipt == nil {
		c.w.WriteHeader(http.StatusNotFound)
		return
	}
	in, past, err := c.client.Look(c.r.Context(), c.id)
	if err != nil {
		a.fail(c, err)
		return
	}
	var text bytes.Buffer
	if err := a.o.Receipt(&text, in, past); err != nil {
		a.fail(c, err)
		return
	}
	c.w.Header().Set("Content-Type", "application/jsonl")
	_, _ = c.w.Write(text.Bytes()) // the caller is gone
}
