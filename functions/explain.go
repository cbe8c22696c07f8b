package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/explain"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/functions/settings"
)

// explainInstance says why an instance waits.
func explainInstance(ctx context.Context, c *call) error { return look(ctx, c, "explain", readWhy) }

// showHistory shows what has happened to an instance.
func showHistory(ctx context.Context, c *call) error { return look(ctx, c, "history", readHistory) }

// look shows something of an instance. It reads the state itself, or asks the app that
// has it in use, or the one that a URL names; that has a path below the instance's
// for it.
func look(ctx context.Context, c *call, what string, read func(context.Context, *call, store.Keeper) error) error {
	switch {
	case c.which == "":
		return fmt.Errorf("say which instance: %[1]s ID, or %[1]s URL with the URL of its status", what)
	case strings.HasPrefix(c.which, "http://"), strings.HasPrefix(c.which, "https://"):
		return ask(ctx, c, c.which, what)
	}
	k, err := openForKeeping(ctx, c)
	if errors.Is(err, store.ErrInUse) {
		place := placeOf(c.values)
		other := ask(ctx, c, place.Instance(c.which), what)
		switch {
		case errors.Is(other, errSilent):
			return fmt.Errorf("%w, and %w", err, other)
		case other != nil:
			return fmt.Errorf("the folder is in use, and so the app at %s was asked: %w", place.URL, other)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(read(ctx, c, k), k.Close())
}

// readHistory shows what is stored.
func readHistory(ctx context.Context, c *call, k store.Keeper) error {
	past, err := k.History(ctx, c.which)
	if err != nil {
		return fmt.Errorf("show the history of %s: %w", c.which, err)
	}
	return history.Print(c.out, past, history.PrintOptions{})
}

// readWhy says why by what is stored.
func readWhy(ctx context.Context, c *call, k store.Keeper) error {
	reader := client.New(k, client.Options{})
	in, past, err := reader.Look(ctx, c.which)
	if err != nil {
		return fmt.Errorf("explain %s: %w", c.which, err)
	}
	e := explain.Of(in, past, explain.Options{Now: reader.Now()})
	e.SetCommands(placeOf(c.values))
	if !inAccount(c.values) {
		fmt.Fprintln(c.err, "No app has this folder in use. What follows is as it was left, and the commands are for when one runs.")
	}
	return e.Write(c.out)
}

// placeOf returns where the app is reached that runs with the settings.
func placeOf(values settings.Values) explain.Place {
	base := "http://" + values.Text(settings.Address)
	if public := values.Text(settings.PublicBaseUrl); public != "" {
		base = strings.TrimSuffix(public, "/")
	}
	return httpapi.PlaceOf(base+localPath, values.Text(settings.TaskHubName), !isOpen(values, true))
}

// The bounds of an answer.
const (
	answerTimeout = 30 * time.Second
	maxAnswer     = 1 << 20
)

// errSilent is returned by ask when there is no answer.
var errSilent = errors.New("it does not answer")

// ask asks a running app. The operator's key goes to the app that the settings
// are for, and to no other.
func ask(ctx context.Context, c *call, address, what string) error {
	target, err := urlOf(address, what)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/plain")
	if key := c.values.Secret(settings.OperatorKey); key != "" && strings.HasPrefix(target, placeOf(c.values).URL+"/") {
		r.Header.Set("X-Functions-Key", key.Reveal())
	}
	answer, err := (&http.Client{CheckRedirect: stay}).Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", errSilent, withoutQuery(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return refusedWhy(answer)
	}
	_, err = io.Copy(c.out, io.LimitReader(answer.Body, maxAnswer))
	return err
}

// stay follows no redirection, which might lead a key or a link's code elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutQuery returns a request's error without the URL, which may hold the code
// of a link.
func withoutQuery(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// urlOf returns where to ask for something of an instance, for the URL of its status.
func urlOf(address, what string) (string, error) {
	address, query, _ := strings.Cut(address, "?")
	before, id, found := strings.Cut(address, "/instances/")
	id, _, _ = strings.Cut(id, "/")
	if !found || id == "" {
		return "", errors.New("this is not the URL of an instance, which looks like http://127.0.0.1:7071" + localPath + "/instances/ID")
	}
	target := before + "/instances/" + id + "/" + what
	if query != "" {
		target += "?" + query
	}
	return target, nil
}

// refusedWhy says why an app did not answer.
func refusedWhy(answer *http.Response) error {
	switch answer.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%w there", store.ErrNotFound)
	case http.StatusUnauthorized:
		return fmt.Errorf("the app asks who you are: set %s, or say the URL of a link to the status", settings.OperatorKey)
	case http.StatusGone:
		return errors.New("the link is no longer good; ask for a new one where you got it")
	}
	return fmt.Errorf("the app answered %s", answer.Status)
}
