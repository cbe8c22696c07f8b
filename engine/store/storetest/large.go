package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// text returns a JSON text of so many bytes that is not easily compressed and
// differs from others.
func text(size int) json.RawMessage {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte('A' + rand.IntN(26))
	}
	b[0], b[size-1] = '"', '"'
	return b
}

// sizes are those at which a store may change how it keeps a payload.
var sizes = []int{2, 1 << 10, 30<<10 - 1, 30 << 10, 30<<10 + 1, 60<<10 + 1, 64 << 10, 300 << 10, 1<<20 + 1}

func largePayloads(b *bench) {
	for i, size := range sizes {
		id := fmt.Sprint("a", i)
		start := b.start("execution of " + id)
		start.Input = text(size)
		b.must(b.Store.Create(b.ctx, id, start))
		raised := b.message(history.EventRaised, "x", string(text(size)))
		b.must(b.Store.Send(b.ctx, id, raised))
		b.crash()
		state := b.load(id)
		b.same("the inbox", state.Inbox, []history.Event{start, raised})
		turn := b.turn(state, "t1"+id, func(in *store.Instance) { in.Events += 3 })
		turn.Append = append(turn.Append, start, raised, history.Event{Kind: history.TaskCompleted, ID: history.Outside, Result: text(size)})
		version := b.commit(turn)
		unchanged, err := b.Store.Load(b.ctx, id, version)
		b.must(err)
		b.same("the row", unchanged.Instance.Input, start.Input)
		b.crash()
		last := b.turn(b.load(id), "t2"+id, func(in *store.Instance) {
			in.Output = text(size)
			in.Status = history.Completed
		})
		b.commit(last)
		in, err := b.Store.Get(b.ctx, id)
		b.must(err)
		last.Instance.Version = in.Version
		b.same("the row", in, last.Instance)
		events, err := b.Store.History(b.ctx, id)
		b.must(err)
		b.same("the history", events, slices.Concat(turn.Append, last.Append))
	}
	listed := b.list(store.Query{})
	for i, size := range sizes {
		if len(listed) != len(sizes) || len(listed[i].Input) != size || len(listed[i].Output) != size {
			b.Fatalf("%d of %d are listed, and not as they are", len(listed), len(sizes))
		}
		b.must(b.Store.Purge(b.ctx, fmt.Sprint("a", i)))
	}
	b.equal("what is left", len(b.list(store.Query{})), 0)
}

// same is equal for what is too large to be shown.
func (b *bench) same(what string, got, want any) {
	b.Helper()
	if !reflect.DeepEqual(got, want) {
		b.Fatalf("%s is not what was written", what)
	}
}

func largeLimit(b *bench) {
	most := json.RawMessage(`"` + strings.Repeat("x", history.MaxPayload-2) + `"`)
	over := append(most[:len(most)-1:len(most)-1], `x"`...)
	start := b.start("e")
	start.Input = over
	b.want(b.Store.Create(b.ctx, "a", start), store.ErrTooLarge)
	_, err := b.Store.Get(b.ctx, "a")
	b.want(err, store.ErrNotFound)
	b.silent()
	start.Input = most
	b.must(b.Store.Create(b.ctx, "a", start))
	before := b.load("a")
	b.want(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", string(over))), store.ErrTooLarge)
	named := b.message(history.EventRaised, strings.Repeat("n", history.MaxText+1), "1")
	b.want(b.Store.Send(b.ctx, "a", named), store.ErrTooLarge)
	turn := b.turn(before, "t1", nil)
	turn.Append[1].Input = over
	_, err = b.Store.Commit(b.ctx, turn)
	b.want(err, store.ErrTooLarge)
	b.same("what was refused", b.load("a"), before)
	turn.Append[1].Input = most
	b.commit(turn)
	b.same("the history", b.load("a").History, turn.Append)
}

// largeTurn commits turns of more rows than fit into one transaction of any store,
// of a new execution, of one that goes on, and of one that replaces another.
func largeTurn(b *bench) {
	for _, payload := range []int{10, 29 << 10} {
		id := fmt.Sprint("a", payload)
		rows := 1100
		if payload > 1000 {
			rows = 120
		}
		grow := func(state store.State, execution string) []history.Event {
			turn := b.turn(state, execution+id, func(in *store.Instance) {
				in.ID, in.Execution = id, execution
				if execution != state.Instance.Execution {
					in.Events = 2
				}
				in.Events += rows
			})
			turn.Append[1] = b.start(execution)
			for i := range rows {
				turn.Append = append(turn.Append, history.Event{Kind: history.TaskScheduled, ID: int32(i), Name: "work", Input: text(payload)})
			}
			b.commit(turn)
			b.crash()
			got := b.load(id)
			b.same("the history", got.History, append(state.History, turn.Append...))
			return got.History
		}
		grow(store.State{}, "e1")
		whole := b.load(id)
		grow(whole, "e1")
		replaced := b.load(id)
		replaced.History = nil
		grow(replaced, "e2")
		replaced = b.load(id)
		replaced.History = nil
		grow(replaced, "e3")
	}
}

// largeInbox fills an inbox, and lets one turn consume more messages than fit into
// one transaction of any store.
func largeInbox(b *bench) {
	b.create("a")
	b.commit(b.turn(b.load("a"), "t1", nil))
	var last history.Event
	for range b.MaxInbox {
		last = b.message(history.EventRaised, "x", "1")
		b.must(b.Store.Send(b.ctx, "a", last))
	}
	b.want(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "one too many")), store.ErrTooMany)
	b.must(b.Store.Send(b.ctx, "a", last))
	b.must(b.Store.Send(b.ctx, "a", b.message(history.ExecutionSuspended, "", "")))
	told := b.message(history.EventRaised, "x", "2")
	told.InstanceID = "another"
	b.must(b.Store.Send(b.ctx, "a", told))
	state := b.load("a")
	b.equal("messages", len(state.Inbox), b.MaxInbox+2)
	turn := b.turn(state, "t2", func(in *store.Instance) { in.Events += len(state.Inbox) })
	turn.Append = append(turn.Append, state.Inbox...)
	b.commit(turn)
	b.crash()
	after := b.load("a")
	b.equal("messages left", len(after.Inbox), 0)
	b.same("the history", after.History, append(state.History, turn.Append...))
	b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "2")))
	b.equal("messages", len(b.load("a").Inbox), 1)
}

// promiseLargePayloads lets large payloads go every way that there is.
func promiseLargePayloads(b *bench) {
	who, answer := text(300<<10), text(200<<10)
	o := b.newOffice(b.Store)
	o.start("human", "a", who)
	b.must(o.worker.Settle(b.ctx))
	b.crash()
	o = b.newOffice(b.Store)
	b.must(o.raise("a", "Reply", string(answer)))
	in, err := o.client.Get(b.ctx, "a")
	b.must(err)
	b.equal("status", in.Status, history.Completed)
	b.same("the input", in.Input, who)
	b.same("the output", in.Output, answer)
	events, err := o.client.History(b.ctx, "a")
	b.must(err)
	b.must(CheckHistory(events))
}

// promiseTooLargeResult lets an activity return what cannot be kept: the call
// fails and is not made again, and what is too large for anything else is told.
func promiseTooLargeResult(b *bench) {
	o := b.newOffice(b.Store)
	o.start("many", "b", 1)
	what := strings.Repeat("x", history.MaxPayload-2)
	o.start("once", "a", what)
	o.settle()
	o.ended("a", history.Failed, "")
	in, err := o.client.Get(b.ctx, "a")
	b.must(err)
	if in.Failure == nil || in.Failure.Kind != engine.KindTooLarge || !strings.Contains(in.Failure.Message, "16777216") {
		b.Errorf("%v", in.Failure)
	}
	b.equal("runs", o.most(), 1)
	_, err = o.client.Start(b.ctx, "once", "c", what+"x")
	b.want(err, store.ErrTooLarge)
	b.want(o.raise("b", "Reply", `"`+what+`x"`), store.ErrFinished)
	o.start("order", "d", 1)
	b.want(o.raise("d", "Next", `"`+what+`x"`), store.ErrTooLarge)
	b.want(o.client.Terminate(b.ctx, "d", strings.Repeat("r", history.MaxText+1)), store.ErrTooLarge)
	b.must(o.raise("d", "Next", "1"))
	o.ended("d", history.Completed, "[1]")
}
