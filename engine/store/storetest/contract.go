package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// contract holds a test for each thing that package store says of a call.
var contract = map[string]func(*bench){
	"create makes a pending instance with its start in the inbox": func(b *bench) {
		start := b.create("a")
		state := b.load("a")
		in := state.Instance
		if in.ID != "a" || in.Name != "test" || in.Execution != start.Execution || in.Status != history.Pending ||
			string(in.Input) != `{"n":1}` || !in.Created.Equal(b.clock()) || in.Version == "" {
			b.Errorf("%+v", in)
		}
		b.equal("secret events", in.Secret, []string{"Code"})
		b.equal("inbox", state.Inbox, []history.Event{start})
		b.ring("a")
	},
	"create refuses an id that is taken": func(b *bench) {
		b.create("a")
		b.want(b.Store.Create(b.ctx, "a", b.start("another")), store.ErrExists)
	},
	"create again by the same execution has no effect": func(b *bench) {
		start := b.create("a")
		before := b.load("a")
		b.must(b.Store.Create(b.ctx, "a", start))
		b.equal("state", b.load("a"), before)
	},
	"create replaces an instance that has ended": func(b *bench) {
		b.create("a")
		b.commit(b.turn(b.load("a"), "t1", ended))
		b.advance(time.Hour)
		start := b.start("second")
		b.must(b.Store.Create(b.ctx, "a", start))
		state := b.load("a")
		if in := state.Instance; in.Execution != "second" || in.Events != 0 || !in.Created.Equal(b.clock()) || len(state.History) != 0 {
			b.Errorf("%+v", state)
		}
		b.equal("inbox", state.Inbox, []history.Event{start})
	},
	"create keeps what the start says of the instance": func(b *bench) {
		start := b.start("e")
		start.Version, start.Tags = "1.2", map[string]string{"team": "red", "größe": `"<&> '`}
		start.Parent = &history.Parent{Instance: "p", Execution: "pe", Name: "Parent", Task: 3}
		b.must(b.Store.Create(b.ctx, "a", start))
		same := func(in store.Instance) {
			b.Helper()
			b.equal("version, tags, parent", []any{in.CodeVersion, in.Tags, in.Parent}, []any{start.Version, start.Tags, start.Parent})
		}
		state := b.load("a")
		same(state.Instance)
		b.equal("inbox", state.Inbox, []history.Event{start})
		b.commit(b.turn(state, "t1", nil))
		in, err := b.Store.Get(b.ctx, "a")
		b.must(err)
		same(in)
		page, err := b.Store.List(b.ctx, store.Query{Bare: true})
		b.must(err)
		same(page.Instances[0])
	},
	"create replaces an instance in the statuses it names and in no others": func(b *bench) {
		for _, is := range []history.Status{history.Pending, history.Running, history.Suspended, history.Completed, history.Failed, history.Terminated} {
			for _, named := range [][]history.Status{{history.Running, history.Suspended}, {history.Completed}, {history.Pending, history.Failed, history.Terminated}} {
				id := fmt.Sprint(is, named[0])
				b.create(id)
				if is != history.Pending {
					b.commit(b.turn(b.load(id), "t", func(in *store.Instance) { in.Status = is }))
				}
				err := b.Store.Create(b.ctx, id, b.start("second of "+id), named...)
				if slices.Contains(named, is) {
					b.must(err)
				} else {
					b.want(err, store.ErrExists)
				}
			}
		}
	},
	"what is replaced while it runs leaves nothing": func(b *bench) {
		b.create("a")
		bell := b.ring("a")
		turn := b.turn(b.load("a"), "t1", func(in *store.Instance) {
			in.Wake = b.clock().Add(time.Minute)
			in.Hands = []store.Hand{{Receipt: in.Turn, Tasks: []int32{2}}}
		})
		turn.Hold, turn.Answered = true, []store.Doorbell{bell}
		version := b.commit(turn)
		b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
		start := b.start("second")
		b.must(b.Store.Create(b.ctx, "a", start, history.Running))
		check := func() {
			b.Helper()
			state := b.load("a")
			if in := state.Instance; in.Execution != "second" || in.Events != 0 || len(in.Hands) != 0 || !in.Wake.IsZero() || len(state.History) != 0 {
				b.Errorf("%+v", state)
			}
			b.equal("inbox", state.Inbox, []history.Event{start})
		}
		check()
		late := b.turn(b.load("a"), "t2", nil)
		late.Base = version
		b.refused(late)
		b.crash()
		check()
		b.advance(2 * b.Store.Lease())
		for _, bell := range b.receive() {
			if bell.Instance != "a" {
				b.Errorf("%+v rings", bell)
			}
		}
	},
	"what serves another instance is not replaced while it runs": func(b *bench) {
		start := b.start("e")
		start.Parent = &history.Parent{Instance: "p", Execution: "pe", Task: 3}
		b.must(b.Store.Create(b.ctx, "a", start))
		b.want(b.Store.Create(b.ctx, "a", b.start("second"), history.Pending, history.Completed), store.ErrExists)
		b.commit(b.turn(b.load("a"), "t", ended))
		b.must(b.Store.Create(b.ctx, "a", b.start("second"), history.Pending, history.Completed))
	},
	"a doorbell that is passed on rings when it is told to": func(b *bench) {
		b.create("a")
		bell := b.ring("a")
		b.must(b.Store.Pass(b.ctx, bell, 5*time.Second))
		b.advance(5*time.Second - 1)
		b.silent()
		b.advance(1 + b.Precision)
		bell = b.ring("a")
		turn := b.turn(b.load("a"), "t1", func(in *store.Instance) { in.Hands = []store.Hand{{Receipt: in.Turn, Tasks: []int32{2}}} })
		turn.Hold, turn.Answered = true, []store.Doorbell{bell}
		b.commit(turn)
		b.advance(2 * b.Store.Lease())
		taken := b.ring("a")
		b.must(b.Store.Pass(b.ctx, taken, 5*time.Second))
		b.silent()
		b.advance(5*time.Second + b.Precision)
		b.equal("doorbell", b.ring("a"), taken)
		b.must(b.Store.Pass(b.ctx, store.Doorbell{}, time.Second))
	},
	"of many who create an instance one does": func(b *bench) {
		var wait sync.WaitGroup
		var mu sync.Mutex
		created := 0
		for n := range 10 {
			wait.Go(func() {
				err := b.Store.Create(b.ctx, "a", b.start(fmt.Sprint("e", n)))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					created++
				} else {
					b.want(err, store.ErrExists)
				}
			})
		}
		wait.Wait()
		b.equal("created", created, 1)
	},
	"send needs a living instance": func(b *bench) {
		e := b.message(history.EventRaised, "x", "1")
		b.want(b.Store.Send(b.ctx, "a", e), store.ErrNotFound)
		b.create("a")
		b.must(b.Store.Send(b.ctx, "a", e))
		b.commit(b.turn(b.load("a"), "t1", ended))
		b.want(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")), store.ErrFinished)
	},
	"messages stay in the order of their ids": func(b *bench) {
		want := []history.Event{b.create("a")}
		for range 20 {
			e := b.message(history.EventRaised, "x", "1")
			b.must(b.Store.Send(b.ctx, "a", e))
			want = append(want, e)
		}
		b.equal("inbox", b.load("a").Inbox, want)
	},
	"get tells how many messages wait": func(b *bench) {
		b.create("a")
		waiting := func(want int) {
			b.Helper()
			in, err := b.Store.Get(b.ctx, "a")
			b.must(err)
			b.equal("waiting", in.Messages, want)
		}
		waiting(1)
		b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
		waiting(2)
		turn := b.turn(b.load("a"), "t1", nil)
		turn.Consumed = turn.Consumed[:1]
		b.commit(turn)
		waiting(1)
		b.commit(b.turn(b.load("a"), "t2", nil))
		waiting(0)
	},
	"a message sent twice is kept once": func(b *bench) {
		start := b.create("a")
		e := b.message(history.EventRaised, "x", "1")
		b.must(b.Store.Send(b.ctx, "a", e))
		b.must(b.Store.Send(b.ctx, "a", e))
		b.equal("inbox", b.load("a").Inbox, []history.Event{start, e})
	},
	"revoking counts up, before the end and after it": func(b *bench) {
		b.want(b.Store.Revoke(b.ctx, "a"), store.ErrNotFound)
		b.create("a")
		b.must(b.Store.Revoke(b.ctx, "a"))
		b.commit(b.turn(b.load("a"), "t1", ended))
		b.must(b.Store.Revoke(b.ctx, "a"))
		in, err := b.Store.Get(b.ctx, "a")
		b.must(err)
		if in.Revoked != 2 || in.Status != history.Completed {
			b.Errorf("%+v", in)
		}
		b.must(b.Store.Create(b.ctx, "a", b.start("second")))
		if state := b.load("a"); state.Instance.Revoked != 0 {
			b.Errorf("a new start: %+v", state.Instance)
		}
	},
	"a turn that was made before a revocation does not undo it": func(b *bench) {
		b.create("a")
		before := b.load("a")
		b.must(b.Store.Revoke(b.ctx, "a"))
		_, err := b.Store.Commit(b.ctx, b.turn(before, "t1", nil))
		b.want(err, store.ErrConflict)
		b.commit(b.turn(b.load("a"), "t1", nil))
		if state := b.load("a"); state.Instance.Revoked != 1 || len(state.History) == 0 {
			b.Errorf("%+v", state.Instance)
		}
	},
	"what is known of external events comes back": func(b *bench) {
		b.create("a")
		external := history.External{
			Waits: []history.Wait{
				{Event: "Code", Since: b.clock(), Until: b.clock().Add(time.Hour), UntilFrom: "the rules", From: "Ann", Kind: "secret", Tries: 5, Tried: 2, Next: "a call", NextAt: b.clock()},
				{Event: "Größe 📏", Ended: history.Expired, Since: b.clock(), At: b.clock(), By: "m1"},
			},
			More: true, Kept: []history.KeptEvents{{Event: "code", Count: 3, First: b.clock(), Last: b.clock()}}, MoreKept: 1, Raised: 7, Bytes: 1 << 40,
		}
		turn := b.turn(b.load("a"), "t1", func(in *store.Instance) { in.External = external })
		rejected := b.message(history.EventRaised, "Code", "1")
		rejected.Strict, rejected.Verdict = true, &history.Verdict{Outcome: history.Rejected, Reason: "wrong", Tries: 5, Tried: 2}
		turn.Append = append(turn.Append, rejected)
		turn.Instance.Events++
		b.commit(turn)
		state := b.load("a")
		b.equal("external", state.Instance.External, external)
		b.equal("event", state.History[len(state.History)-1], rejected)
		message := b.message(history.EventRaised, "Code", "2")
		message.Strict = true
		b.must(b.Store.Send(b.ctx, "a", message))
		b.equal("inbox", b.load("a").Inbox, []history.Event{message})
	},
	"what caused a start and an event comes back": func(b *bench) {
		start := b.message(history.ExecutionStarted, "test", "1")
		start.Execution, start.Trace = "e", &history.Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", State: "a=1,b=2"}
		b.must(b.Store.Create(b.ctx, "a", start))
		raised := b.message(history.EventRaised, "Code", "1")
		raised.Trace = &history.Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00"}
		b.must(b.Store.Send(b.ctx, "a", raised))
		state := b.load("a")
		b.equal("inbox", state.Inbox, []history.Event{start, raised})
		turn := b.turn(state, "t1", nil)
		turn.Append = append(turn.Append, start, raised)
		turn.Instance.Events += 2
		b.commit(turn)
		state = b.load("a")
		b.equal("history", state.History[len(state.History)-2:], []history.Event{start, raised})
	},
	"get, history, load and purge know what is not there": func(b *bench) {
		_, err := b.Store.Get(b.ctx, "a")
		b.want(err, store.ErrNotFound)
		_, err = b.Store.History(b.ctx, "a")
		b.want(err, store.ErrNotFound)
		_, err = b.Store.Load(b.ctx, "a", "")
		b.want(err, store.ErrNotFound)
		b.want(b.Store.Purge(b.ctx, "a"), store.ErrNotFound)
	},
	"a row is returned as it was committed": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t1", func(in *store.Instance) {
			in.Output, in.CustomStatus = json.RawMessage(`false`), json.RawMessage(`""`)
			in.Failure = &history.Failure{Kind: "k", Message: "m", Stack: "s"}
			in.Wake = b.clock().Add(time.Hour)
			in.Hands = []store.Hand{{Receipt: "t1", Tasks: []int32{0, 7}, Sends: []int32{0, 9}}, {Receipt: "t0", Tasks: []int32{3}}}
			in.First = "the first of several"
		})
		version := b.commit(turn)
		got, err := b.Store.Get(b.ctx, "a")
		b.must(err)
		want := turn.Instance
		want.Version = version
		b.equal("row", got, want)
	},
	"an unchanged history is not read again": func(b *bench) {
		b.create("a")
		version := b.commit(b.turn(b.load("a"), "t1", nil))
		state, err := b.Store.Load(b.ctx, "a", version)
		b.must(err)
		if !state.Unchanged || state.History != nil {
			b.Errorf("%+v", state)
		}
		state, err = b.Store.Load(b.ctx, "a", "another")
		b.must(err)
		if state.Unchanged || len(state.History) != 2 {
			b.Errorf("%+v", state)
		}
	},
	"the empty version creates": func(b *bench) {
		turn := b.turn(store.State{}, "t1", func(in *store.Instance) { in.ID, in.Execution = "a", "e" })
		b.commit(turn)
		b.refused(turn)
		b.equal("history", b.load("a").History, turn.Append)
	},
	"a commit to what is gone is a conflict": func(b *bench) {
		b.create("a")
		state := b.load("a")
		b.commit(b.turn(state, "t1", ended))
		stale := b.turn(b.load("a"), "t2", nil)
		b.must(b.Store.Purge(b.ctx, "a"))
		b.refused(stale)
	},
	"another execution replaces the history": func(b *bench) {
		b.create("a")
		b.commit(b.turn(b.load("a"), "t1", nil))
		turn := b.turn(b.load("a"), "t2", func(in *store.Instance) { in.Execution, in.Events = "second", 2 })
		b.commit(turn)
		b.equal("history", b.load("a").History, turn.Append)
	},
	"another execution of a living instance empties the inbox": func(b *bench) {
		b.create("a")
		b.commit(b.turn(b.load("a"), "t1", nil))
		b.must(b.Store.Send(b.ctx, "a", b.message(history.EventRaised, "x", "1")))
		turn := b.turn(b.load("a"), "t2", func(in *store.Instance) { in.Execution, in.Events = "second", 2 })
		turn.Answered = b.receive()
		b.commit(turn)
		state := b.load("a")
		b.equal("history", state.History, turn.Append)
		b.equal("inbox", len(state.Inbox), 0)
		b.silent()
		e := b.message(history.EventRaised, "x", "2")
		b.must(b.Store.Send(b.ctx, "a", e))
		b.equal("inbox", b.load("a").Inbox, []history.Event{e})
	},
	"create again by the first of several executions has no effect": func(b *bench) {
		start := b.create("a")
		b.commit(b.turn(b.load("a"), "t1", func(in *store.Instance) { in.Execution, in.First, in.Events = "second", start.Execution, 2 }))
		before := b.load("a")
		b.must(b.Store.Create(b.ctx, "a", start))
		b.want(b.Store.Create(b.ctx, "a", b.start("another")), store.ErrExists)
		b.equal("state", b.load("a"), before)
		b.commit(b.turn(before, "t2", ended))
		before = b.load("a")
		b.must(b.Store.Create(b.ctx, "a", start))
		b.equal("state", b.load("a"), before)
	},
	"an ended instance that has something to send stays until it is sent": func(b *bench) {
		b.create("a")
		turn := b.turn(b.load("a"), "t1", func(in *store.Instance) {
			ended(in)
			in.Hands = []store.Hand{{Receipt: in.Turn, Sends: []int32{int32(in.Events)}}}
		})
		turn.Hold, turn.Answered = true, []store.Doorbell{b.ring("a")}
		b.commit(turn)
		err := b.Store.Create(b.ctx, "a", b.start("another"))
		b.want(err, store.ErrExists)
		b.want(err, store.ErrOwing)
		err = b.Store.Purge(b.ctx, "a")
		b.want(err, store.ErrActive)
		b.want(err, store.ErrOwing)
		b.advance(b.Store.Lease() - 1)
		b.silent()
		b.crash()
		b.advance(b.Store.Lease())
		bell := b.ring("a")
		b.equal("doorbell", bell, held(turn))
		last := b.turn(b.load("a"), "t2", func(in *store.Instance) { ended(in); in.Hands, in.Events = nil, in.Events-2 })
		last.Append, last.Answered = nil, []store.Doorbell{bell}
		b.commit(last)
		b.equal("history", b.load("a").History, turn.Append)
		b.advance(2 * b.Store.Lease())
		b.silent()
		b.must(b.Store.Purge(b.ctx, "a"))
	},
	"purge needs an ended instance and leaves nothing": func(b *bench) {
		b.create("a")
		b.want(b.Store.Purge(b.ctx, "a"), store.ErrActive)
		b.commit(b.turn(b.load("a"), "t1", ended))
		b.must(b.Store.Purge(b.ctx, "a"))
		_, err := b.Store.Get(b.ctx, "a")
		b.want(err, store.ErrNotFound)
		b.create("a")
		if state := b.load("a"); len(state.History) != 0 || len(state.Inbox) != 1 {
			b.Errorf("%+v", state)
		}
	},
	"list pages through all instances in order":           listPages,
	"a list has what its query asks for and nothing else": listFilters,
	"a bare list leaves out what may be large":            listBare,
	"a list goes on where a page ended and nowhere else":  listGoesOn,
	"payloads of any size are kept":                       largePayloads,
	"what is over the limit is refused":                   largeLimit,
	"a turn of a thousand rows is whole":                  largeTurn,
	"an inbox of hundreds is consumed whole":              largeInbox,
	"ids with any allowed character are kept apart": func(b *bench) {
		ids := []string{"a", "A", "a b", "a%20b", "a+b", "a:b@c", "a'b\"c", "été", "日本", "~!$&*()=,;.", strings.Repeat("x", 256), "a\u200bb"}
		for _, id := range ids {
			b.create(id)
			turn := b.turn(b.load(id), "turn of "+id, func(in *store.Instance) { in.CustomStatus, _ = json.Marshal(id) })
			b.commit(turn)
		}
		for _, id := range ids {
			state := b.load(id)
			want, _ := json.Marshal(id)
			if state.Instance.ID != id || string(state.Instance.CustomStatus) != string(want) || len(state.History) != 2 || state.History[1].Name != "turn of "+id {
				b.Errorf("%q: %+v", id, state)
			}
		}
	},
	"a large history is read whole": func(b *bench) {
		b.create("a")
		var want []history.Event
		for i := range 50 {
			turn := b.turn(b.load("a"), fmt.Sprint("t", i), nil)
			turn.Append[1].Input, _ = json.Marshal(strings.Repeat("x", 2000))
			want = append(want, turn.Append...)
			b.commit(turn)
		}
		b.equal("history", b.load("a").History, want)
	},
}

func ended(in *store.Instance) { in.Status = history.Completed }

func inHand(in *store.Instance) {
	in.Hands = []store.Hand{{Receipt: in.Turn, Tasks: []int32{int32(in.Events)}}}
}
