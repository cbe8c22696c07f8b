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
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/functions/settings"
)

// errNoInstance is returned when explain is not told of which instance.
var errNoInstance = errors.New("say which instance: explain ID, or explain URL with the URL of its status")

// explainInstance says why an instance waits. It reads the state itself, or asks the
// app that has it in use, or the one that a URL names.
func explainInstance(ctx context.Context, c *call) error {
	switch {
	case c.which == "":
		return errNoInstance
	case strings.HasPrefix(c.which, "http://"), strings.HasPrefix(c.which, "https://"):
		return askWhy(ctx, c, c.which)
	}
	k, err := openForKeeping(ctx, c)
	if errors.Is(err, store.ErrInUse) {
		if other := askWhy(ctx, c, placeOf(c.values).Instance(c.which)); other != nil {
			return fmt.Errorf("%w, and it does not answer: %w", err, other)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(readWhy(ctx, c, k), k.Close())
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
	place := explain.Place{URL: "http://" + values.Text(settings.Address) + localPath, Operators: !isOpen(values, true)}
	if public := values.Text(settings.PublicBaseUrl); public != "" {
		place.URL = strings.TrimSuffix(public, "/") + localPath
	}
	place.Query = "taskHub=" + url.QueryEscape(values.Text(settings.TaskHubName)) + "&connection=Storage"
	return place
}

// The bounds of an answer.
const (
	answerTimeout = 30 * time.Second
	maxAnswer     = 1 << 20
)

// askWhy asks a running app. The operator's key goes to the app that the settings
// are for, and to no other.
func askWhy(ctx context.Context, c *call, address string) error {
	target, err := whyURL(address)
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
		return withoutQuery(err)
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

// whyURL returns where to ask why, for the URL of an instance's status.
func whyURL(address string) (string, error) {
	address, query, _ := strings.Cut(address, "?")
	before, id, found := strings.Cut(address, "/instances/")
	id, _, _ = strings.Cut(id, "/")
	if !found || id == "" {
		return "", errors.New("this is not the URL of an instance, which looks like http://127.0.0.1:7071" + localPath + "/instances/ID")
	}
	target := before + "/instances/" + id + "/explain"
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
