package tablestore

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// Three workers on one hub, by the real clock. Every now and then one goes away
// in the middle of an activity, and another comes in its place.
func TestWorkersThatGoAwayLoseNothing(t *testing.T) {
	const instances, everyActivity = 30, 9
	o := Options{ConnectionString: azuritetest.Shared(t).ConnectionString(), Hub: azuritetest.NewHub()}
	o.Lease, o.PollCeiling = 2*time.Second, 200*time.Millisecond
	s := open(t, o)
	var activities, deaths atomic.Int32
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			for ctx.Err() == nil {
				life, die := context.WithCancel(ctx)
				mine, err := Open(life, o)
				if err != nil {
					die()
					if ctx.Err() == nil {
						t.Error(err)
					}
					return
				}
				registry := newRegistry(func() {
					if activities.Add(1)%everyActivity == 0 {
						deaths.Add(1)
						mine.Close()
						die()
					}
				})
				// However often it is begun, an instance is not given up.
				_ = dispatch.New(mine, registry, dispatch.Options{Grace: -1, Tries: math.MaxInt}).Run(life) // it was told to die
				mine.Close()
				die()
			}
		})
	}
	bare := client.New(s, client.Options{})
	for i := range instances {
		if _, err := bare.Start(t.Context(), string(verify), fmt.Sprint("verify", i), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := bare.Start(t.Context(), string(serial), fmt.Sprint("serial", i), 2); err != nil {
			t.Fatal(err)
		}
		if err := bare.Raise(t.Context(), fmt.Sprint("verify", i), string(answer), client.Payload{Body: []byte(`"yes"`)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range instances {
		for id, output := range map[string]string{fmt.Sprint("verify", i): "true", fmt.Sprint("serial", i): "2"} {
			in, err := bare.WaitFor(t.Context(), id, func(in store.Instance) bool { return in.Status.IsTerminal() || in.Fault != nil })
			if err != nil || in.Status != history.Completed || string(in.Output) != output {
				t.Fatalf("%s is %v with %s, %+v, %v", id, in.Status, in.Output, in.Fault, err)
			}
			events, err := s.History(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if err := storetest.CheckHistory(events); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	stop()
	workers.Wait()
	t.Logf("%d instances ended; %d activities ran, %d workers went away", 2*instances, activities.Load(), deaths.Load())
	if deaths.Load() == 0 {
		t.Error("no worker went away")
	}
}
