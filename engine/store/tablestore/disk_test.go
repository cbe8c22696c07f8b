package tablestore

import (
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// Everything of a hub is in the account: a worker that knows nothing goes on with
// what an account has that was away, and kept nothing but what is on its disk.
func TestAHubSurvivesItsAccountsRestart(t *testing.T) {
	azuritetest.Shared(t) // skips the test if something is missing
	disk := azuritetest.Options{Folder: t.TempDir()}
	hub := azuritetest.NewHub()
	visit := func(do func(c *client.Client)) {
		e, err := azuritetest.Start(disk)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Options{ConnectionString: e.ConnectionString(), Hub: hub})
		if err != nil {
			t.Fatal(err)
		}
		w := dispatch.New(s, newRegistry(func() {}), dispatch.Options{})
		do(client.New(w.Instances(), client.Options{}))
		if err := w.Settle(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	}
	visit(func(c *client.Client) {
		if _, err := c.Start(t.Context(), "verify", "a", 0); err != nil {
			t.Fatal(err)
		}
	})
	visit(func(c *client.Client) {
		if err := c.Raise(t.Context(), "a", string(answer), yes); err != nil {
			t.Fatal(err)
		}
	})
	visit(func(c *client.Client) {
		in, err := c.Get(t.Context(), "a")
		if err != nil || in.Status != history.Completed || string(in.Output) != "true" {
			t.Errorf("it is %v with %s, %v", in.Status, in.Output, err)
		}
	})
}
