package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// start begins an instance of the orchestration named in the path.
func (a *API) start(c *call) {
	if a.o.Orchestrators != nil && !slices.Contains(a.o.Orchestrators, c.name) {
		c.refuse(http.StatusBadRequest, "The function "+quote(c.name)+" doesn't exist or is not an orchestrator function. Known orchestrators: "+strings.Join(a.o.Orchestrators, ", ")+".")
		return
	}
	patience, err := c.patience()
	if err != nil {
		c.refuseFor(http.StatusBadRequest, badArgument, err)
		return
	}
	input, err := a.input(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	execution := client.NewID()
	options := []client.StartOption{client.AsExecution(execution)}
	if c.query.Has("version") {
		options = append(options, client.Version(c.query.Get("version")))
	}
	id, err := c.client.Start(c.r.Context(), c.name, c.id, input, options...)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.begun(c, Run{Instance: id, Execution: execution}, Grant{}, patience)
}

// input reads the body of a start; none is null.
func (a *API) input(c *call) (json.RawMessage, error) {
	input, err := a.body(c)
	switch {
	case err != nil:
		return nil, err
	case len(input) == 0:
		return json.RawMessage("null"), nil
	}
	return input, client.CheckJSON(input)
}

// restart begins an instance anew, under its own id or another.
func (a *API) restart(c *call) {
	patience, err := c.patience()
	if err != nil {
		c.refuseFor(http.StatusBadRequest, badArgument, err)
		return
	}
	execution := client.NewID()
	id, err := c.client.Restart(c.r.Context(), c.id, c.flag("restartwithnewinstanceid", true), client.AsExecution(execution))
	switch {
	case errors.Is(err, client.ErrNotFound):
		c.refuse(http.StatusBadRequest, "InstanceId does not match a valid orchestration instance.")
	case err != nil:
		a.fail(c, err)
	default:
		a.begun(c, Run{Instance: id, Execution: execution}, c.inherits(), patience)
	}
}

// inherits returns what the links of a restarted run are good for: no more than
// the link by which it was restarted, and reading the status.
func (c *call) inherits() Grant {
	if c.link == nil {
		return Grant{}
	}
	return Grant{Doors: []Door{DoorStatus, DoorRestart}}
}

// maxSeconds bounds a duration that is asked for: 400 days.
const maxSeconds = 400 * 24 * 60 * 60

// longestWait is how long a request is kept waiting, whatever it asks for.
// Azure's front end gives up on one after 230 seconds.
const longestWait = 225 * time.Second

// patience returns how long the caller wants to wait for the end of what it
// begins; negative if it doesn't. Both timeout and pollingInterval must be
// given, as in Durable Functions; the interval has no other meaning here, as
// nothing is polled.
func (c *call) patience() (time.Duration, error) {
	timeout, given := c.seconds("timeout")
	interval, both := c.seconds("pollinginterval")
	switch {
	case !given || !both:
		return -1, nil
	case interval > timeout:
		return -1, fmt.Errorf("total timeout %v should be bigger than retry timeout %v", timeout, interval)
	}
	return min(time.Duration(timeout*float64(time.Second)), longestWait), nil
}

// begun answers the request that began an instance: at once, or with its output
// if it ends within the caller's patience.
func (a *API) begun(c *call, run Run, g Grant, patience time.Duration) {
	if patience < 0 {
		a.Started(c.w, run, g)
		return
	}
	in, err := a.await(c, run.Instance, patience)
	switch {
	case err != nil:
		a.fail(c, err)
	case !in.Status.IsTerminal():
		a.Started(c.w, run, g)
	case in.Status == history.Completed:
		c.answer(http.StatusOK, orNull(in.Output))
	default:
		a.tell(c, in)
	}
}

// await returns the instance when it has ended or the patience has.
func (a *API) await(c *call, id string, patience time.Duration) (store.Instance, error) {
	if patience == 0 {
		return a.client.Get(c.r.Context(), id)
	}
	c.outlast(patience)
	ctx, cancel := context.WithTimeout(c.r.Context(), patience)
	defer cancel()
	in, err := a.client.Wait(ctx, id)
	if errors.Is(err, context.DeadlineExceeded) && c.r.Context().Err() == nil {
		return in, nil
	}
	return in, err
}

// outlast moves the server's own deadlines behind a wait: that for the answer,
// and that for the request, at which the server would take the caller for gone
// although it has all of the request.
func (c *call) outlast(wait time.Duration) {
	server, until := http.NewResponseController(c.w), time.Now().Add(wait+30*time.Second)
	_, _ = server.SetReadDeadline(until), server.SetWriteDeadline(until) // there may be none
}
