package notify_test

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// office is a store with a worker, and an inbox that is told of ends.
type office struct {
	t      *testing.T
	now    atomic.Int64
	worker *dispatch.Worker
	client *client.Client
	box    *inbox
}

func newOffice(t *testing.T) *office {
	t.Helper()
	f := &office{t: t, box: &inbox{}}
	f.now.Store(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC).UnixNano())
	now := func() time.Time { return time.Unix(0, f.now.Load()).UTC() }
	s, err := filestore.Open(t.TempDir(), filestore.Options{Now: now})
	f.must(err)
	t.Cleanup(func() { s.Close() })
	f.worker = dispatch.New(s, registry(map[string]notify.Way{"box": {Channel: f.box}}), dispatch.Options{Now: now, Logger: slog.New(slog.DiscardHandler)})
	f.client = client.New(f.worker.Instances(), client.Options{Now: now})
	return f
}

func (f *office) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// settle lets the worker do all there is to do now.
func (f *office) settle() {
	f.t.Helper()
	f.must(f.worker.Settle(f.t.Context()))
	for more := true; more; {
		var err error
		more, err = f.worker.Step(f.t.Context())
		f.must(err)
	}
	f.must(f.worker.Settle(f.t.Context()))
}

// start begins work whose end is told.
func (f *office) start(how string) store.Instance {
	f.t.Helper()
	in, err := notify.Start(f.t.Context(), f.client, string(work), "", how, []notify.Target{{Channel: "box"}})
	f.must(err)
	return in
}

// Whoever is to carry a notice may ask for a pause.
func TestANoticeIsNotSentAgainBeforeItsTime(t *testing.T) {
	f := newOffice(t)
	f.box.fail = []error{human.NewError(human.KindUnavailable, "busy").After(20 * time.Minute)}
	f.start("fail")
	for _, test := range []struct {
		pass time.Duration
		sent int
	}{{0, 1}, {20*time.Minute - 1, 1}, {1, 2}} {
		f.now.Add(int64(test.pass))
		f.settle()
		if len(f.box.got) != test.sent {
			t.Errorf("after %v: sent %d times, want %d", test.pass, len(f.box.got), test.sent)
		}
	}
}

func TestTheEndIsToldInWhateverWayTheInstanceWasStarted(t *testing.T) {
	f := newOffice(t)
	in := f.start("verified")
	if in.ID == "" || in.Execution == "" || in.Name != string(work) {
		t.Fatalf("%+v", in)
	}
	f.settle()
	f.now.Add(int64(time.Hour))
	f.settle()
	f.settle()
	if len(f.box.got) != 1 || f.box.got[0].Subject != "Work: verified" {
		t.Errorf("%+v", f.box.got)
	}
}
