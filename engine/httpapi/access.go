package httpapi

import (
	"errors"
	"net/http"

	"github.com/seed21523604/holdfast/engine/store"
)

// The headers by which operators say who they are.
const (
	keyHeader = "X-Functions-Key"
	bearer    = "Bearer "
)

// Who may take a route besides operators: whoever has a link for the door,
// nobody, or anyone.
const (
	operators Door = 0
	anyone    Door = 255
)

// admit finds out whether the caller may take the route. If not, it has
// answered. Nothing is read from storage for who may not.
func (a *API) admit(c *call, r route) bool {
	c.client = a.client
	keeper := a.o.Doorkeeper
	if keeper == nil || r.door == anyone {
		return true
	}
	key, codes := c.r.Header.Get(keyHeader), c.query["code"]
	token, hasToken := bearerOf(c.r)
	switch {
	case key != "":
		return c.admitOperator(keeper.isOperator(key))
	case hasToken:
		return c.admitOperator(a.knows(c, token))
	case len(codes) != 1:
		return c.admitOperator(false)
	case r.door == operators:
		c.problem(http.StatusForbidden, problemOperators, "A link does one thing to one instance. Send an operator's key or bearer token in a header.")
		return false
	}
	return a.admitLink(c, r.door, codes[0])
}

// knows reports whether a bearer token is an operator's.
func (a *API) knows(c *call, token string) bool {
	check := a.o.Doorkeeper.bearer
	if check == nil {
		return false
	}
	err := check(c.r.Context(), token)
	if err != nil {
		a.o.Logger.Info("refused a bearer token", "instance", c.id, "error", err)
	}
	return err == nil
}

func (c *call) admitOperator(ok bool) bool {
	if !ok {
		c.w.Header().Set("WWW-Authenticate", `Bearer realm="holdfast"`)
		c.refuse(http.StatusUnauthorized, "Follow a link that was handed out, or send an operator's key in the header x-functions-key or an operator's bearer token.")
	}
	return ok
}

// admitLink lets in whoever has a link for this door of this instance. One for
// another instance is answered as if there were no such instance.
func (a *API) admitLink(c *call, door Door, code string) bool {
	keeper := a.o.Doorkeeper
	s, err := keeper.read(code, a.o.Hub, c.id, c.name)
	if err == nil {
		err = s.opens(door, keeper.now())
	}
	if err != nil {
		a.fail(c, err)
		return false
	}
	c.link, c.keeper = &s, keeper
	c.client = a.client.Guarded(func(in store.Instance) error { return s.fits(in) })
	return true
}

// refuseLink answers for a link that does not open the door it was tried on,
// and reports whether that is the error.
func (c *call) refuseLink(err error) bool {
	switch {
	case errors.Is(err, errForeign):
		c.w.WriteHeader(http.StatusNotFound)
	case errors.Is(err, errOtherDoor):
		c.problem(http.StatusForbidden, problemOtherDoor, "This link was made for something else, and does only that.")
	case errors.Is(err, errExpired):
		c.problem(http.StatusGone, problemExpiredLink, "This link was good for a while, which is over. Ask for a new one where you got it.")
	case errors.Is(err, errRevoked):
		c.problem(http.StatusGone, problemRevokedLink, "The links of this instance were made void. Ask for a new one where you got it.")
	case errors.Is(err, errReplaced):
		c.problem(http.StatusGone, problemReplacedLink, "This link is for an earlier run of the instance, which was begun anew since. Ask for a new one where you got it.")
	case errors.Is(err, errNoHistory):
		c.problem(http.StatusForbidden, problemOperators, "A link shows where the instance stands, without its history.")
	default:
		return false
	}
	return true
}
