package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// bill counts requests. Polls that bring nothing and sweeps of the due rows belong
// to no operation, and are counted by themselves.
type bill struct{ requests, background atomic.Int64 }

// Do is called by the SDK for every attempt.
func (b *bill) Do(r *policy.Request) (*http.Response, error) {
	request := r.Raw()
	answer, err := r.Next()
	isPoll := request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/messages")
	if strings.HasSuffix(request.URL.Path, "Due()") || isPoll && !bringsMessage(answer) {
		b.background.Add(1)
	} else {
		b.requests.Add(1)
	}
	return answer, err
}

// bringsMessage reports whether the answer to a poll has a message in it, and
// leaves the answer as it was.
func bringsMessage(answer *http.Response) bool {
	if answer == nil {
		return false
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil && bytes.Contains(body, []byte("<QueueMessage>"))
}

// take returns the requests since the last call.
func (b *bill) take() float64 { return float64(b.requests.Swap(0)) }

// tables is a hub on the table store, whose requests are counted.
type tables struct {
	*app
	bill
	guests
	store *tablestore.Store
}

func openTables(ctx context.Context, o tablestore.Options, a *alarms) (*tables, error) {
	t := &tables{}
	o.Hub = "Scale"
	o.Client.PerRetryPolicies = []policy.Policy{&t.bill}
	var err error
	if t.store, err = tablestore.Open(ctx, o); err != nil {
		return nil, err
	}
	t.app = newApp(t.store, a)
	return t, nil
}

// openMemory opens a hub in an account in memory, which takes the network's place
// and is held to Azurite's answers by a test of its own.
func openMemory(ctx context.Context, a *alarms) (*tables, error) {
	account := azuretest.New(azuretest.Options{})
	o := tablestore.Options{ConnectionString: account.ConnectionString()}
	o.Client.Transport = account
	return openTables(ctx, o, a)
}

func (t *tables) close() error { return errors.Join(t.app.close(), t.store.Close()) }

// per returns how many requests each of so many operations took, with what the worker does
// when they are answered.
func (t *tables) per(ctx context.Context, ids []string, f func(context.Context, string) error) (float64, error) {
	if err := t.worker.Settle(ctx); err != nil {
		return 0, err
	}
	t.take()
	if _, err := each(ctx, ids, 1, f); err != nil {
		return 0, err
	}
	err := t.worker.Settle(ctx)
	return t.take() / float64(len(ids)), err
}

// waitOnAzurite lets more and more instances wait on Azurite, and counts the requests
// of a start, an answer and a look beside those that wait.
func waitOnAzurite(ctx context.Context, c config, r *report) (err error) {
	emulator, err := azuritetest.Start(azuritetest.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, emulator.Stop()) }()
	t, err := openTables(ctx, tablestore.Options{ConnectionString: emulator.ConnectionString()}, nil)
	if err != nil {
		return err
	}
	return errors.Join(t.grow(ctx, c.azurite, c.rest, r, "scale-azurite-requests", "Table store on Azurite: requests of an operation"), t.close())
}

// waitOnMemory does so in an account in memory, which is quicker.
func waitOnMemory(ctx context.Context, c config, r *report) error {
	t, err := openMemory(ctx, nil)
	if err != nil {
		return err
	}
	return errors.Join(t.grow(ctx, c.tables, c.rest, r, "scale-tables-requests", "Table store, account in memory: requests of an operation"), t.close())
}

// grow lets so many wait, and counts after each block of them; before and after,
// what a worker without work asks for.
func (t *tables) grow(ctx context.Context, many int, rest time.Duration, r *report, file, title string) error {
	if err := t.idle(ctx, r, rest); err != nil {
		return err
	}
	chart := r.newChart(file, title, "instances waiting", "requests", "start", "answer, instance in memory", "answer, instance not in memory", "look")
	for size := max(many/blocks, 1); len(t.ids) < many; {
		if err := t.block(ctx, chart, size); err != nil {
			return err
		}
	}
	return t.idle(ctx, r, rest)
}

// block lets more instances wait, and counts what a few operations take.
func (t *tables) block(ctx context.Context, c *chart, size int) error {
	few := max(size/10, 1)
	if _, err := each(ctx, t.more(size), 4, t.ask); err != nil {
		return err
	}
	known := names(t.next, t.next+2*few)
	t.next += len(known)
	start, err := t.per(ctx, known, t.ask)
	if err != nil {
		return err
	}
	look, err := t.per(ctx, known, t.look)
	if err != nil {
		return err
	}
	warm, err := t.per(ctx, known, t.reply)
	if err != nil {
		return err
	}
	if err := t.forget(t.store, nil); err != nil {
		return err
	}
	strangers := t.draw(few)
	cold, err := t.per(ctx, strangers, t.reply)
	if err != nil {
		return err
	}
	if _, err := each(ctx, t.more(few), 4, t.ask); err != nil {
		return err
	}
	c.add(float64(len(t.ids)), start, warm, cold, look)
	return nil
}

// idle counts what a worker asks for while so many wait and nothing happens.
func (t *tables) idle(ctx context.Context, r *report, while time.Duration) error {
	t.take()
	t.background.Store(0)
	select {
	case <-time.After(while):
	case <-ctx.Done():
		return ctx.Err()
	}
	r.tell(fmt.Sprintf("requests of a worker in %v while %d instances wait and nothing happens", while, len(t.ids)), t.take()+float64(t.background.Load()), "")
	return nil
}
