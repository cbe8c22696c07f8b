package dispatch_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// The code of an orchestration that never comes to a wait keeps a goroutine, and
// nothing else: its instance is parked, and others go on.
func TestATurnWithoutEndIsParkedAndOthersGoOn(t *testing.T) {
	disk, err := filestore.Open(t.TempDir(), filestore.Options{Lease: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	release := make(chan struct{})
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, gate, func(ctx *engine.Context, n int) (int, error) {
		v, err := engine.WaitForExternalEvent(ctx, open).Await()
		if n == 1 {
			<-release //determinism:allow because a turn without end is what the test is about
		}
		return v, err
	})
	w := dispatch.New(disk, r, dispatch.Options{MaxTurn: 300 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	c := client.New(w.Instances(), client.Options{})
	for id, n := range map[string]int{"stuck": 1, "other": 0} {
		if _, err := c.Start(t.Context(), string(gate), id, n); err != nil {
			t.Fatal(err)
		}
	}
	raise := func(id string) error {
		return client.New(disk, client.Options{}).Raise(t.Context(), id, string(open), client.Payload{Body: []byte("5")})
	}
	if err := raise("stuck"); err != nil {
		t.Fatal(err)
	}
	in, err := c.WaitFor(t.Context(), "stuck", func(in store.Instance) bool { return in.Fault != nil })
	if err != nil || in.Status != history.Suspended || !strings.Contains(in.Fault.Reason, "300ms") {
		t.Errorf("%v %+v", in.Fault, err)
	}
	if err := raise("other"); err != nil {
		t.Fatal(err)
	}
	if in, err := c.Wait(t.Context(), "other"); err != nil || string(in.Output) != "5" {
		t.Errorf("%+v %v", in, err)
	}
	close(release) // what it decides then is not written
	if err := w.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if in, err := c.Get(t.Context(), "stuck"); err != nil || in.Fault == nil || in.Events != 2 {
		t.Errorf("%+v %v", in, err)
	}
	if err := c.Resume(t.Context(), "stuck", ""); err != nil {
		t.Fatal(err)
	}
	if in, err := c.Wait(t.Context(), "stuck"); err != nil || string(in.Output) != "5" {
		t.Errorf("%+v %v", in, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
