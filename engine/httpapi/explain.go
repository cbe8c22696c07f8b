package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/seed21523604/holdfast/engine/explain"
)

// explain tells why an instance is where it is, in JSON or, if the caller asks for
// that, in lines for people. Whoever came by a link is not told what stands in the
// history alone in other people's words.
func (a *API) explain(c *call) {
	in, past, err := c.client.Look(c.r.Context(), c.id)
	if err != nil {
		a.fail(c, err)
		return
	}
	e := explain.Of(in, past, explain.Options{Now: c.client.Now(), Runs: a.o.Runs, Discreet: c.link != nil})
	e.SetCommands(a.place())
	c.w.Header().Set("Vary", "Accept")
	if !prefersText(c.r) {
		c.answer(http.StatusOK, e)
		return
	}
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_ = e.Write(c.w) // the caller is gone
}

// prefersText reports whether a caller takes plain text and no JSON.
func prefersText(r *http.Request) bool {
	accepted := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.Contains(accepted, "text/plain") && !strings.Contains(accepted, "json")
}

// place says where the API is reached.
func (a *API) place() explain.Place { return PlaceOf(a.o.URL, a.o.Hub, a.o.Doorkeeper != nil) }

// PlaceOf says where an API is reached that is served at a URL for a hub, and
// whether it knows operators.
func PlaceOf(base, hub string, operators bool) explain.Place {
	return explain.Place{URL: base, Query: "taskHub=" + url.QueryEscape(hub) + "&connection=Storage", Operators: operators}
}
