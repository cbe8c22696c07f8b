package client_test

import (
	"encoding/json"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// The statuses that an instance can be in, with none at all.
var statuses = []string{"Pending", "Running", "Suspended", "Completed", "Failed", "Terminated", "unknown"}

// operations are what a client can do to an instance, and the error for each
// status; no error where none is named.
var operations = map[string]struct {
	do   func(h *hub, id string) error
	want map[string]error
}{
	"raise": {
		func(h *hub, id string) error { return h.raise(id, "Approval", "1") },
		ended(client.ErrFinished, nil),
	},
	"terminate": {
		func(h *hub, id string) error { return h.Terminate(h.ctx(), id, "enough") },
		ended(client.ErrFinished, nil),
	},
	"suspend": {
		func(h *hub, id string) error { return h.Suspend(h.ctx(), id, "lunch") },
		ended(client.ErrFinished, map[string]error{"Suspended": client.ErrSuspended}),
	},
	"resume": {
		func(h *hub, id string) error { return h.Resume(h.ctx(), id, "back") },
		ended(client.ErrFinished, map[string]error{"Pending": client.ErrNotSuspended, "Running": client.ErrNotSuspended}),
	},
	"restart": {
		func(h *hub, id string) error { _, err := h.Restart(h.ctx(), id, false); return err },
		map[string]error{"Pending": client.ErrExists, "Running": client.ErrExists, "Suspended": client.ErrExists, "unknown": client.ErrNotFound},
	},
	"restart as another": {
		func(h *hub, id string) error { _, err := h.Restart(h.ctx(), id, true); return err },
		map[string]error{"unknown": client.ErrNotFound},
	},
	"purge": {
		func(h *hub, id string) error { return h.Purge(h.ctx(), id) },
		map[string]error{"Pending": client.ErrActive, "Running": client.ErrActive, "Suspended": client.ErrActive, "unknown": client.ErrNotFound},
	},
	"history": {
		func(h *hub, id string) error { _, err := h.History(h.ctx(), id); return err },
		map[string]error{"unknown": client.ErrNotFound},
	},
	"wait": {
		func(h *hub, id string) error {
			_, err := h.WaitFor(h.ctx(), id, func(store.Instance) bool { return true })
			return err
		},
		map[string]error{"unknown": client.ErrNotFound},
	},
}

// ended adds the errors for instances that have ended or never were.
func ended(finished error, others map[string]error) map[string]error {
	want := map[string]error{"Completed": finished, "Failed": finished, "Terminated": finished, "unknown": client.ErrNotFound}
	for status, err := range others {
		want[status] = err
	}
	return want
}

func TestEveryOperationInEveryStatus(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for name, op := range operations {
			for _, status := range statuses {
				id := name + " " + status
				h.bring(status, id)
				if err, want := op.do(h, id), op.want[status]; want == nil && err != nil {
					t.Errorf("%s: %v", id, err)
				} else {
					wantError(t, id, err, want)
				}
			}
		}
	})
}

func TestWhatWasRefusedChangedNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for name, op := range operations {
			for status, want := range op.want {
				if want == nil || status == "unknown" {
					continue
				}
				id := name + " " + status
				h.bring(status, id)
				before := h.get(id)
				wantError(t, id, op.do(h, id), want)
				h.settle()
				if after := h.get(id); after.Version != before.Version {
					t.Errorf("%s: %+v became %+v", id, before, after)
				}
			}
		}
	})
}

func TestTerminateGivesTheReasonAsOutput(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, status := range []string{"Pending", "Running", "Suspended"} {
			h.bring(status, status)
			h.must(h.Terminate(h.ctx(), status, `said "no" <now>`))
			h.settle()
			in := h.get(status)
			if in.Status != history.Terminated || string(in.Output) != `"said \"no\" \u003cnow\u003e"` {
				t.Errorf("%s: %s with %s", status, in.Status, in.Output)
			}
		}
	})
}

// A termination counts when it was made, which a client on a worker need not
// wait for; then the id is free.
func TestAnIDIsFreeWhenItsInstanceWasTerminated(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(approve), "a", "in")
		h.must(h.Terminate(h.ctx(), "a", "enough"))
		if !h.get("a").Status.IsTerminal() {
			_, err := h.Start(h.ctx(), string(echo), "a", 1)
			wantError(t, "start too soon", err, client.ErrExists)
			h.settle()
		}
		_, err := h.Start(h.ctx(), string(echo), "a", 2)
		h.must(err)
		h.wantOutput("a", "2")
	})
}

func TestASuspendedInstanceKeepsWhatComes(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.bring("Suspended", "a")
		h.must(h.raise("a", "Approval", `"yes"`))
		h.settle()
		h.wantStatus("a", "Suspended")
		h.must(h.Resume(h.ctx(), "a", ""))
		h.wantOutput("a", `"yes"`)
	})
}

func TestSuspendAndResumeRecordTheirReasons(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.bring("Running", "a")
		h.must(h.Suspend(h.ctx(), "a", "lunch"))
		h.settle()
		suspended := h.get("a")
		h.must(h.Resume(h.ctx(), "a", "back"))
		h.settle()
		h.wantStatus("a", "Running")
		if resumed := h.get("a"); len(suspended.Output)+len(resumed.Output) != 0 {
			t.Errorf("an instance that has not ended has the output %s%s", suspended.Output, resumed.Output)
		}
		reasons := map[history.Kind]string{}
		events, err := h.History(h.ctx(), "a")
		h.must(err)
		for _, e := range events {
			reasons[e.Kind] += e.Reason
		}
		if reasons[history.ExecutionSuspended] != "lunch" || reasons[history.ExecutionResumed] != "back" {
			t.Errorf("reasons %v", reasons)
		}
	})
}

func TestRestartKeepsTheInput(t *testing.T) {
	const input = `{"n":12345678901234567890,"t":"<é>"}`
	everywhere(t, func(t *testing.T, h *hub) {
		for name, another := range map[string]bool{"same": false, "another": true} {
			_, err := h.Start(h.ctx(), string(echo), name, json.RawMessage(input))
			h.must(err)
			h.settle()
			before := h.get(name)
			id, err := h.Restart(h.ctx(), name, another)
			h.must(err)
			if (id != name) != another {
				t.Errorf("%s was restarted as %s", name, id)
			}
			h.settle()
			after := h.get(id)
			if string(after.Input) != string(before.Input) || string(after.Output) != string(before.Output) || after.Name != before.Name {
				t.Errorf("restarted %s:\n got %+v\nwant %+v", name, after, before)
			}
			if after.Execution == before.Execution {
				t.Errorf("%s goes on with the run it had", name)
			}
		}
	})
}

// A restarted instance guards its secrets as the first run did.
func TestRestartKeepsTheSecretEvents(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(verify), "a", nil)
		h.must(h.Terminate(h.ctx(), "a", ""))
		h.settle()
		_, err := h.Restart(h.ctx(), "a", false)
		h.must(err)
		if got := h.get("a").Secret; len(got) != 1 || got[0] != string(secret) {
			t.Errorf("secret events %v", got)
		}
	})
}

func TestListReturnsThePages(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for _, id := range []string{"a", "b", "c"} {
			h.begin(string(echo), id, nil)
		}
		var ids string
		for q := (store.Query{Limit: 2}); ; {
			page, err := h.List(h.ctx(), q)
			h.must(err)
			for _, in := range page.Instances {
				ids += in.ID
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if ids != "abc" {
			t.Errorf("listed %q", ids)
		}
	})
}
