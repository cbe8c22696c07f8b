package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

func TestStartRefusesWhatIsNoID(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, id := range []string{"@a", "a/b", `a\b`, "a#b", "a?b", "a\nb", "a\x00", "a\xff", strings.Repeat("x", 257)} {
			_, err := h.Start(h.ctx(), string(echo), id, nil)
			wantError(t, id, err, history.ErrBadID)
			_, err = h.Get(h.ctx(), id)
			wantError(t, id, err, client.ErrNotFound)
		}
	})
}

func TestStartTakesEveryOtherID(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, id := range []string{"a", "A", "a b", "a+b%20:@=~&;,", "é", "e\u0301", "📏", strings.Repeat("é", 256)} {
			h.begin(string(echo), id, id)
		}
		in := h.get("a")
		if string(in.Input) != `"a"` || in.Name != "Echo" || !in.Created.Equal(newClock().Now()) {
			t.Errorf("instance a is %+v", in)
		}
		if string(h.get("A").Input) != `"A"` || string(h.get("e\u0301").Input) != `"e`+"\u0301\"" {
			t.Error("ids that look alike are not told apart")
		}
	})
}

func TestStartMakesAnIDThatNobodyCanGuess(t *testing.T) {
	h := newHub(t, onWorker)
	random := regexp.MustCompile(`^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$`) // UUID version 4
	seen := map[string]bool{}
	for range 20 {
		id, err := h.Start(h.ctx(), string(echo), "", nil)
		h.must(err)
		if !random.MatchString(id) || seen[id] {
			t.Errorf("id %q", id)
		}
		seen[id] = true
	}
}

func TestStartRefusesAnIDInUse(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, status := range []string{"Pending", "Running", "Suspended"} {
			h.bring(status, status)
			before := h.get(status)
			_, err := h.Start(h.ctx(), string(echo), status, "again")
			wantError(t, status, err, client.ErrExists)
			h.settle()
			if after := h.get(status); after.Execution != before.Execution || after.Status != before.Status || string(after.Input) != `"in"` {
				t.Errorf("%s: the instance became %+v", status, after)
			}
		}
	})
}

func TestStartOverAnEndedInstanceBeginsAnew(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, status := range []string{"Completed", "Failed", "Terminated"} {
			h.bring(status, status)
			before := h.get(status)
			h.begin(string(approve), status, "again")
			in := h.get(status)
			if in.Status != history.Running || string(in.Input) != `"again"` || in.Execution == before.Execution {
				t.Errorf("%s: the instance became %+v", status, in)
			}
			if len(in.Output) > 0 && string(in.Output) != "null" || in.Failure != nil || !in.Completed.IsZero() {
				t.Errorf("%s: the old end shows in %+v", status, in)
			}
			events, err := h.History(h.ctx(), status)
			h.must(err)
			starts := 0
			for _, e := range events {
				if e.Kind == history.ExecutionStarted {
					starts++
				}
			}
			if starts != 1 || len(events) != in.Events {
				t.Errorf("%s: %d starts in %v", status, starts, events)
			}
		}
	})
}

func TestStartWritesItsInputAsJSON(t *testing.T) {
	inputs := map[string]struct {
		input any
		text  string
	}{
		"nil":    {nil, `null`},
		"number": {17, `17`},
		"text":   {"x", `"x"`},
		"struct": {struct{ N []int }{[]int{1}}, `{"N":[1]}`},
		"raw":    {json.RawMessage(`{"n":12345678901234567890}`), `{"n":12345678901234567890}`},
		"no raw": {json.RawMessage(nil), `null`},
	}
	everywhere(t, func(t *testing.T, h *hub) {
		for name, in := range inputs {
			h.begin(string(echo), name, in.input)
			if got := string(h.get(name).Input); got != in.text {
				t.Errorf("%s: stored %s, want %s", name, got, in.text)
			}
			h.wantOutput(name, in.text)
		}
	})
}

func TestStartRefusesAnInputThatIsNoJSON(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, input := range []any{make(chan int), func() {}, json.RawMessage(`{`)} {
			if _, err := h.Start(h.ctx(), string(echo), "a", input); err == nil {
				t.Errorf("%T was taken", input)
			}
		}
		_, err := h.Get(h.ctx(), "a")
		wantError(t, "get", err, client.ErrNotFound)
	})
}

func TestWhatWasStartedOutlivesTheProcess(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		_, err := h.Start(h.ctx(), string(approve), "a", "in")
		h.must(err)
		h.must(h.raise("a", "Approval", `"yes"`))
		h.must(h.store.Close())
		h.store, err = filestore.Open(h.folder, filestore.Options{Now: newClock().Now})
		h.must(err)
		defer h.store.Close()
		h.worker = dispatch.New(h.store, registry(), dispatch.Options{Now: newClock().Now})
		h.Client = client.New(h.store, client.Options{})
		h.wantOutput("a", `"yes"`)
	})
}

func TestPurgeLeavesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, status := range []string{"Completed", "Failed", "Terminated"} {
			id := "instance " + status
			h.bring(status, id)
			h.must(h.Purge(h.ctx(), id))
			_, err := h.Get(h.ctx(), id)
			wantError(t, "get", err, client.ErrNotFound)
			_, err = h.History(h.ctx(), id)
			wantError(t, "history", err, client.ErrNotFound)
			wantError(t, "purge again", h.Purge(h.ctx(), id), client.ErrNotFound)
			var kept bytes.Buffer
			h.must(h.store.Dump(&kept))
			if strings.Contains(kept.String(), id) {
				t.Errorf("%s is still in the store", id)
			}
			h.begin(string(echo), id, 1) // the id is free
		}
	})
}

func TestAClosedStoreIsNoAnswer(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.bring("Running", "a")
		h.must(h.store.Close())
		_, err := h.Start(h.ctx(), string(echo), "b", nil)
		calls := map[string]error{"start": err, "raise": h.raise("a", "Approval", "1"), "terminate": h.Terminate(h.ctx(), "a", ""), "purge": h.Purge(h.ctx(), "a")}
		for name, err := range calls {
			if err == nil || errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrFinished) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAStartMaySayMoreOfItsInstance(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		tags := map[string]string{"team": "red", "empty": ""}
		_, err := h.Start(h.ctx(), string(echo), "a", 1, client.Version("1.2"), client.Tags(tags))
		h.must(err)
		h.wantOutput("a", "1")
		if in := h.get("a"); in.CodeVersion != "1.2" || !reflect.DeepEqual(in.Tags, tags) {
			t.Errorf("version %q, tags %v", in.CodeVersion, in.Tags)
		}
		id, err := h.Restart(h.ctx(), "a", true)
		h.must(err)
		if in := h.get(id); in.CodeVersion != "1.2" || !reflect.DeepEqual(in.Tags, tags) {
			t.Errorf("restarted: version %q, tags %v", in.CodeVersion, in.Tags)
		}
		page, err := h.List(h.ctx(), store.Query{Tags: map[string]string{"team": "red"}})
		h.must(err)
		if len(page.Instances) != 2 {
			t.Errorf("%d instances have the tag", len(page.Instances))
		}
	})
}

func TestBadTagsAreRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, option := range []client.StartOption{
			client.Tags(map[string]string{"": "x"}), client.Tags(map[string]string{"a": "\xff"}), client.Version("\xff"),
			client.Tags(map[string]string{"a": strings.Repeat("x", 8<<10)}),
		} {
			_, err := h.Start(h.ctx(), string(echo), "a", 1, option)
			wantError(t, "start", err, client.ErrBadTags)
		}
	})
}

func TestOfManyWhoStartASingletonOneDoes(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		var wait sync.WaitGroup
		errs := make(chan error, 10)
		for range cap(errs) {
			wait.Go(func() {
				_, err := h.Start(h.ctx(), string(approve), "singleton", 1, client.Replace(client.NonRunningStates...))
				errs <- err
			})
		}
		wait.Wait()
		close(errs)
		started := 0
		for err := range errs {
			if err == nil {
				started++
			} else {
				wantError(t, "start", err, client.ErrExists)
			}
		}
		if started != 1 {
			t.Errorf("%d were started", started)
		}
	})
}

func TestAStartMayReplaceWhatRuns(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(approve), "a", 1)
		before := h.get("a").Execution
		_, err := h.Start(h.ctx(), string(approve), "a", 2, client.Replace(history.Failed))
		wantError(t, "start over another status", err, client.ErrExists)
		_, err = h.Start(h.ctx(), string(approve), "a", 2, client.Replace(client.AnyState...))
		h.must(err)
		if in := h.get("a"); string(in.Input) != "2" || in.Execution == before {
			t.Errorf("%+v", in)
		}
		h.must(h.raise("a", "Approval", `"yes"`))
		h.wantOutput("a", `"yes"`)
	})
}
