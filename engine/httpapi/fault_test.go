package httpapi

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// Tools know no other status than those of Durable Functions; the reason stands
// beside it.
func TestAParkedInstanceIsSuspendedForToolsAndSaysWhy(t *testing.T) {
	in := store.Instance{ID: "a", Name: "n", Status: history.Suspended, Fault: &store.Fault{
		Reason: "a turn was begun 5 times\ngoroutine 1 [running]:\n\tmain.go:1", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Was: history.Running,
	}}
	text, err := json.Marshal(newStatus(in, true))
	var body struct {
		RuntimeStatus string
		Faulted       map[string]string
	}
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatal(err)
	}
	if err != nil || body.RuntimeStatus != "Suspended" || body.Faulted["reason"] != "a turn was begun 5 times" || body.Faulted["since"] != "2026-01-02T03:04:05Z" {
		t.Errorf("%s %v", text, err)
	}
	in.Fault = nil
	if text, err := json.Marshal(newStatus(in, true)); err != nil || bytes.Contains(text, []byte("faulted")) {
		t.Errorf("%s %v", text, err)
	}
}
