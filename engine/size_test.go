package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// heavy returns a string whose JSON has so many bytes.
func heavy(size int) string { return strings.Repeat("x", size-2) }

func TestWhatCannotBeKeptFailsWhoMadeIt(t *testing.T) {
	const (
		grow  engine.Activity[int, string]      = "grow"
		carry engine.Orchestrator[bool, string] = "carry"
	)
	r := engine.NewRegistry()
	engine.AddActivity(r, grow, func(_ context.Context, size int) (string, error) { return heavy(size), nil })
	engine.AddOrchestrator(r, carry, func(ctx *engine.Context, _ bool) (string, error) {
		_, err := engine.CallActivity(ctx, engine.Activity[string, int]("take"), heavy(history.MaxPayload+1)).Await()
		if !errors.Is(err, history.ErrTooLarge) || engine.KindOf(err) != engine.KindTooLarge {
			return "", errors.New("the input was taken")
		}
		_, err = engine.CallActivity(ctx, engine.Activity[string, int]("take"), heavy(history.MaxPayload)).Await()
		if err != nil {
			return "", err
		}
		return heavy(history.MaxPayload + 1), nil
	})
	result, failure := r.RunActivity(t.Context(), engine.Call{Name: string(grow)}, []byte("16777216"))
	if len(result) != history.MaxPayload || failure != nil {
		t.Errorf("%d bytes, %v", len(result), failure)
	}
	result, failure = r.RunActivity(t.Context(), engine.Call{Name: string(grow)}, []byte("16777217"))
	if result != nil || failure == nil || failure.Kind != engine.KindTooLarge || !failure.NonRetriable || !strings.Contains(failure.Message, "16777217") {
		t.Errorf("%d bytes, %v", len(result), failure)
	}
	d := newDesk(t, r)
	d.start("carry", "true")
	d.turn(history.Event{Kind: history.TaskCompleted, ID: history.Outside, TaskID: 0, Result: []byte("1")})
	if d.last.Status != history.Failed || d.last.Failure.Kind != engine.KindTooLarge {
		t.Errorf("%v %v", d.last.Status, d.last.Failure)
	}
}

func TestTheWordsOfAFailureAreCut(t *testing.T) {
	const fail engine.Activity[string, int] = "fail"
	r := engine.NewRegistry()
	engine.AddActivity(r, fail, func(_ context.Context, how string) (int, error) {
		if how == "panic" {
			panic(strings.Repeat("é", history.MaxText))
		}
		return 0, errors.New(strings.Repeat("é", history.MaxText))
	})
	for _, how := range []string{`"panic"`, `"error"`} {
		_, failure := r.RunActivity(t.Context(), engine.Call{Name: string(fail)}, []byte(how))
		if len(failure.Message) > history.MaxText || len(failure.Stack) > history.MaxText || !strings.HasSuffix(failure.Message, "é…") {
			t.Errorf("%s: %d and %d bytes", how, len(failure.Message), len(failure.Stack))
		}
	}
}
