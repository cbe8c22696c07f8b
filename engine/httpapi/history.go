package httpapi

import (
	"github.com/seed21523604/holdfast/engine/history"
)

// history tells operators what has happened to an instance, in lines for people.
func (a *API) history(c *call) {
	past, err := c.client.History(c.r.Context(), c.id)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_ = history.Print(c.w, past, history.PrintOptions{}) // the caller is gone
}
