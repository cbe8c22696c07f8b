package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// Orchestrations that hand a value on, whatever it is.
const (
	mirror engine.Orchestrator[json.RawMessage, json.RawMessage] = "mirror"
	same   engine.Orchestrator[json.RawMessage, json.RawMessage] = "same"
	post   engine.Orchestrator[json.RawMessage, string]          = "post"
	echo   engine.Activity[json.RawMessage, json.RawMessage]     = "echo"
	shown  engine.Event[json.RawMessage]                         = "Shown"
)

// addMirror registers them.
func addMirror(r *engine.Registry) {
	engine.AddActivity(r, echo, func(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	engine.AddOrchestrator(r, same, func(_ *engine.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	engine.AddOrchestrator(r, post, func(ctx *engine.Context, in json.RawMessage) (string, error) {
		return "posted", engine.SendEvent(ctx, strings.TrimPrefix(ctx.InstanceID(), "post for "), shown, in)
	})
	engine.AddOrchestrator(r, mirror, func(ctx *engine.Context, in json.RawMessage) (json.RawMessage, error) {
		if string(in) == `"wait"` {
			got, err := engine.WaitForExternalEvent(ctx, shown).Await()
			if err != nil {
				return nil, err
			}
			return nil, ctx.ContinueAsNew(got)
		}
		if err := ctx.SetCustomStatus(in); err != nil {
			return nil, err
		}
		out, err := engine.CallActivity(ctx, echo, in).Await()
		if err != nil {
			return nil, err
		}
		return engine.CallSubOrchestrator(ctx, same, out).Await()
	})
}

// promiseFalsy lets values that a program may take for none go every way that
// there is: an event from another instance, the input of the next execution, of an
// activity and of a child, their results, the custom status and the output.
func promiseFalsy(b *bench) {
	for i, falsy := range []string{"0", `""`, "false", "null", "[]", "{}"} {
		id := fmt.Sprint("mirror ", i)
		o := b.newOffice(b.Store)
		addMirror(o.registry)
		o.start("mirror", id, "wait")
		o.start("post", "post for "+id, json.RawMessage(falsy))
		o.settle()
		b.crash()
		o = b.newOffice(b.Store)
		o.ended(id, history.Completed, falsy)
		in, err := o.client.Get(b.ctx, id)
		b.must(err)
		b.equal("input and custom status", []string{string(in.Input), string(in.CustomStatus)}, []string{falsy, falsy})
		events, err := o.client.History(b.ctx, id)
		b.must(err)
		found := map[history.Kind]string{}
		for _, e := range events {
			if text := string(e.Input) + string(e.Result); text != "" {
				found[e.Kind] = text
			}
		}
		b.equal("payloads in the history", found, map[history.Kind]string{
			history.ExecutionStarted: falsy, history.TaskScheduled: falsy, history.TaskCompleted: falsy,
			history.SubOrchestrationInstanceCreated: falsy, history.SubOrchestrationInstanceCompleted: falsy, history.ExecutionCompleted: falsy,
		})
	}
}
