package dispatch_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

// logbook is a log that a test reads.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

// versions is an orchestration that waits and returns its version.
func versions() *engine.Registry {
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, "versions", func(ctx *engine.Context, _ int) (string, error) {
		_, err := engine.WaitForExternalEvent(ctx, open).Await()
		return ctx.Version(), err
	})
	return r
}

func TestWhatAWorkerMustNotRunIsLeftForOneThatMay(t *testing.T) {
	for name, o := range map[string]struct {
		old, young *engine.Registry
		options    dispatch.Options
	}{
		"a newer version":     {versions(), versions(), dispatch.Options{Version: "1.0"}},
		"another version":     {versions(), versions(), dispatch.Options{Version: "1.9", Match: dispatch.MatchStrict}},
		"an unknown name":     {engine.NewRegistry(), versions(), dispatch.Options{}},
		"no version is given": {versions(), versions(), dispatch.Options{Match: dispatch.MatchStrict}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := filestore.Open(t.TempDir(), filestore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var log logbook
			o.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
			old := dispatch.New(s, o.old, o.options)
			young := dispatch.New(s, o.young, dispatch.Options{Version: "2.0"})
			c := client.New(old.Instances(), client.Options{Version: "2.0"})
			if _, err := c.Start(t.Context(), "versions", "a", 0); err != nil {
				t.Fatal(err)
			}
			step(t, old)
			if in, err := c.Get(t.Context(), "a"); err != nil || in.Status != history.Pending || in.CodeVersion != "2.0" {
				t.Errorf("%+v %v", in, err)
			}
			if log.count("left for another worker") != 1 {
				t.Errorf("the log says\n%s", log.text.String())
			}
			// An event for what runs elsewhere is kept, too.
			c = client.New(young.Instances(), client.Options{Version: "2.0"})
			if _, err := c.Start(t.Context(), "versions", "b", 0); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"a", "b"} {
				if err := client.New(old.Instances(), client.Options{}).Raise(t.Context(), id, "Open", client.Payload{Body: []byte("1")}); err != nil {
					t.Fatal(err)
				}
			}
			step(t, young)
			step(t, young)
			for _, id := range []string{"a", "b"} {
				if in, err := c.Get(t.Context(), id); err != nil || in.Status != history.Completed || string(in.Output) != `"2.0"` {
					t.Errorf("%s: %+v %v", id, in, err)
				}
			}
		})
	}
}

// step lets a worker answer all that rings.
func step(t *testing.T, w *dispatch.Worker) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = w.Step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAVersionThatNobodyRunsMayFail(t *testing.T) {
	s := openShop(t, t.TempDir(), dispatch.Options{Version: "1.0", FailMismatch: true}, versions())
	if _, err := s.client.Start(t.Context(), "versions", "a", 0, client.Version("2.0")); err != nil {
		t.Fatal(err)
	}
	in, err := s.client.Wait(t.Context(), "a")
	if err != nil || in.Status != history.Failed || in.Failure.Kind != dispatch.KindVersionMismatch || !in.Failure.NonRetriable || !strings.Contains(in.Failure.Message, `"2.0"`) {
		t.Errorf("%+v %+v %v", in, in.Failure, err)
	}
}
