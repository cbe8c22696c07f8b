package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

const (
	quiz  engine.Orchestrator[int, string] = "Quiz" // waits for a number above its input, three tries, five minutes; then for a Note
	guess engine.Event[int]                = "Guess"
	last  engine.Event[string]             = "Note"
)

func addQuiz(r *engine.Registry) {
	engine.AddOrchestrator(r, quiz, func(ctx *engine.Context, least int) (string, error) {
		n, err := engine.WaitForExternalEvent(ctx, guess, engine.Until(ctx.Now().Add(5*time.Minute)), engine.Tries(3),
			engine.Check(func(n int) error {
				if n <= least {
					return fmt.Errorf("%d is too low", n)
				}
				return nil
			})).Await()
		if errors.Is(err, engine.ErrTimeout) || errors.Is(err, engine.ErrTooManyTries) {
			n = -1
		}
		note, err := engine.WaitForExternalEvent(ctx, last).Await()
		return fmt.Sprintf("%d %s", n, note), err
	})
}

// ask asks and lets the worker work until there is an answer.
func (h *hub) ask(id, event, payload, key string) client.Answer {
	h.t.Helper()
	answers := make(chan client.Answer, 1)
	go func() {
		answer, err := h.Ask(h.ctx(), id, event, client.Payload{Body: []byte(payload), Key: key})
		h.check(err)
		answers <- answer
	}()
	for {
		select {
		case answer := <-answers:
			return answer
		default:
			h.settle()
		}
	}
}

func (h *hub) wantAnswer(got client.Answer, outcome history.Outcome, reason string) {
	h.t.Helper()
	if got.Outcome != outcome || !strings.Contains(got.Reason, reason) {
		h.t.Errorf("%s (%s), want %s (%s)", got.Outcome, got.Reason, outcome, reason)
	}
}

func TestWhoAsksIsToldWhatBecameOfTheEvent(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(quiz), "a", 10)
		h.wantAnswer(h.ask("a", "Note", `"x"`, ""), history.NotWaiting, "")
		h.wantAnswer(h.ask("a", "Other", `1`, ""), history.NotWaiting, "")
		if got := h.ask("a", "guess", `1`, ""); got.Outcome != client.NameMismatch || got.Nearest != "Guess" {
			t.Errorf("%+v", got)
		}
		h.wantAnswer(h.ask("a", "Guess", `"11"`, ""), history.WrongType, "the payload is a string, and a number is waited for")
		h.wantAnswer(h.ask("a", "Guess", ``, ""), history.WrongType, "null")
		h.wantAnswer(h.ask("a", "Guess", `1.5`, ""), history.WrongType, "1.5")
		if in := h.get("a"); in.External.Waits[0].Tried != 0 || len(in.External.Kept) != 0 {
			t.Errorf("%+v", in.External)
		}
		rejected := h.ask("a", "Guess", `3`, "")
		h.wantAnswer(rejected, history.Rejected, "3 is too low")
		if rejected.Tries-rejected.Tried != 2 {
			t.Errorf("%+v", rejected.Verdict)
		}
		h.wantAnswer(h.ask("a", "Guess", `11`, ""), history.Taken, "")
		decided := h.ask("a", "Guess", `12`, "")
		h.wantAnswer(decided, history.AlreadyDecided, "")
		if string(decided.Decision) != `11` {
			t.Errorf("decision %s", decided.Decision)
		}
		if taken := h.ask("a", "Note", `"done"`, ""); taken.Outcome != history.Taken || string(taken.Instance.Output) != `"11 done"` {
			t.Errorf("%+v", taken)
		}
		h.wantAnswer(h.ask("a", "Guess", `12`, ""), history.AlreadyDecided, "")
		h.wantAnswer(h.ask("a", "Other", `12`, ""), history.Finished, "")
	})
}

func TestAfterTooManyTriesItIsLocked(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(quiz), "a", 10)
		for n := range 3 {
			got := h.ask("a", "Guess", fmt.Sprint(n), "")
			h.wantAnswer(got, history.Rejected, "too low")
			if got.Tried != n+1 {
				t.Errorf("%+v", got.Verdict)
			}
		}
		h.wantAnswer(h.ask("a", "Guess", `11`, ""), history.Locked, "")
		h.must(h.raise("a", "Note", `"late"`))
		h.wantOutput("a", `"-1 late"`)
		h.wantAnswer(h.ask("a", "Guess", `11`, ""), history.Locked, "")
	})
}

func TestTheSameKeyGetsTheSameAnswer(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(quiz), "a", 10)
		for range 3 {
			got := h.ask("a", "Guess", `3`, "first")
			h.wantAnswer(got, history.Rejected, "3 is too low")
			if got.Tried != 1 {
				t.Errorf("%+v", got.Verdict)
			}
		}
		h.wantAnswer(h.ask("a", "Guess", `4`, "first"), history.KeyReused, "")
		for range 2 {
			h.wantAnswer(h.ask("a", "Guess", `11`, "second"), history.Taken, "") // also when another would be too late
		}
		h.wantAnswer(h.ask("a", "Guess", `12`, "second"), history.KeyReused, "")
		h.wantAnswer(h.ask("a", "Guess", `11`, "third"), history.AlreadyDecided, "")
		for range 2 {
			h.wantAnswer(h.ask("a", "Note", `"x"`, "fourth"), history.Taken, "") // and after the end
		}
		h.wantAnswer(h.ask("a", "Guess", `3`, "first"), history.Rejected, "3 is too low")
		h.wantAnswer(h.ask("a", "Note", `"x"`, "fifth"), history.AlreadyDecided, "")
		if in := h.get("a"); in.External.Raised != 3 {
			t.Errorf("%d events were recorded", in.External.Raised)
		}
	})
}

func TestAKeyHoldsForEventsThatAreKeptToo(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(quiz), "a", 10)
		keyed := client.Payload{Body: []byte(`"x"`), Key: "k"}
		for range 3 {
			h.must(h.Raise(h.ctx(), "a", "Note", keyed))
			h.settle()
		}
		if in := h.get("a"); in.External.Raised != 1 || in.External.Kept[0].Count != 1 {
			t.Errorf("%+v", in.External)
		}
		h.must(h.raise("a", "Guess", `11`))
		h.wantOutput("a", `"11 x"`)
		h.must(h.Raise(h.ctx(), "a", "Note", keyed))
		keyed.Body = []byte(`"y"`)
		wantError(t, "another payload", h.Raise(h.ctx(), "a", "Note", keyed), client.ErrKeyReused)
		keyed.Key = "new"
		wantError(t, "another key", h.Raise(h.ctx(), "a", "Note", keyed), client.ErrFinished)
	})
}

// One of many who decide at once decides, and all others are told who did.
func TestOfManyWhoDecideAtOnceOneDoes(t *testing.T) {
	const rounds, posters = 40, 16
	h := newHub(t, onWorker)
	for n := range rounds {
		id := fmt.Sprintf("i%d", n)
		h.begin(string(quiz), id, 0)
		var wait sync.WaitGroup
		answers := make([]client.Answer, posters)
		for i := range posters {
			wait.Go(func() {
				var err error
				answers[i], err = h.Ask(h.ctx(), id, "Guess", client.Payload{Body: fmt.Append(nil, i+1)})
				h.check(err)
			})
		}
		wait.Wait()
		taken, winner := 0, ""
		for i, a := range answers {
			if a.Outcome == history.Taken {
				taken, winner = taken+1, fmt.Sprint(i+1)
			}
		}
		for i, a := range answers {
			if a.Outcome != history.Taken && (a.Outcome != history.AlreadyDecided || string(a.Decision) != winner) {
				t.Errorf("poster %d: %+v; the winner is %s", i, a, winner)
			}
		}
		if taken != 1 {
			t.Errorf("%d decisions", taken)
		}
	}
}

// Where no worker is at hand, the answer may take longer than somebody waits.
func TestAnAnswerThatIsNotThereYetIsHadByAskingAgain(t *testing.T) {
	h := newHub(t, onStore)
	h.begin(string(quiz), "a", 10)
	ctx, cancel := context.WithCancel(h.ctx())
	done := make(chan client.Answer, 1)
	go func() {
		answer, err := h.Ask(ctx, "a", "Guess", client.Payload{Body: []byte(`11`), Key: "k"})
		h.check(err)
		done <- answer
	}()
	for { // until the event waits for a turn
		state, err := h.store.Load(h.ctx(), "a", "")
		h.must(err)
		if len(state.Inbox) > 0 {
			break
		}
	}
	cancel()
	if answer := <-done; answer.Outcome != "" {
		t.Errorf("%+v", answer)
	}
	h.settle()
	h.wantAnswer(h.ask("a", "Guess", `11`, "k"), history.Taken, "")
	if in := h.get("a"); in.External.Raised != 1 {
		t.Errorf("%+v", in.External)
	}
}

// While a worker writes the turn of somebody else the event is recorded nowhere: who does not
// wait for that is not told that it is.
func TestWhoAsksAndIsNotRecordedYetIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		release := make(chan struct{})
		h := newHub(t, func(h *hub) store.Instances {
			faulty := &storetest.Faulty{Store: h.store, Choose: func(method string, _ int) storetest.Fault {
				if method == "Commit" && slow.CompareAndSwap(true, false) {
					<-release
				}
				return storetest.None
			}}
			h.worker = dispatch.New(faulty, registry(), dispatch.Options{Now: newClock().Now, Cached: -1}) // a bubble wants every coroutine to end
			return h.worker.Instances()
		})
		h.begin(string(quiz), "a", 10)
		slow.Store(true)
		ctx, cancel := context.WithCancel(h.ctx())
		asked := make(chan error, 1)
		go func() { h.check(h.raise("a", "Other", `1`)) }()
		synctest.Wait() // its turn is being written
		go func() {
			_, err := h.Ask(ctx, "a", "Guess", client.Payload{Body: []byte(`11`), Key: "k"})
			asked <- err
		}()
		synctest.Wait() // this one waits for it
		cancel()
		if err := <-asked; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(release)
		h.wantAnswer(h.ask("a", "Guess", `11`, "k"), history.Taken, "")
		if in := h.get("a"); in.External.Raised != 2 {
			t.Errorf("%+v", in.External)
		}
	})
}

func TestAnInstanceTakesNoMoreEventsThanIsGoodForIt(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(quiz), "a", 10)
		for n := range 20 {
			h.must(h.raise("a", fmt.Sprintf("Other%d", n%3), `1`))
			h.settle()
		}
		wantError(t, "one more", h.raise("a", "Other", `1`), client.ErrTooMany)
		wantError(t, "one more", h.raise("a", "Other1", `1`), client.ErrTooMany)
		for range 3 { // what is waited for is another matter
			h.must(h.raise("a", "Guess", `1`))
			h.settle()
		}
		for range 7 {
			h.must(h.raise("a", "Guess", `1`))
			h.settle()
		}
		wantError(t, "too many in all", h.raise("a", "Note", `"x"`), client.ErrTooMany)

		h.begin(string(quiz), "b", 10)
		h.must(h.raise("b", "Guess", `"`+strings.Repeat("x", 900)+`"`))
		h.settle()
		wantError(t, "too large in all", h.raise("b", "Guess", `"`+strings.Repeat("x", 900)+`"`), client.ErrTooMany)
		h.must(h.raise("b", "Guess", `11`))
		h.must(h.raise("b", "Note", `""`))
		h.wantOutput("b", `"11 "`)
	}, func(o *client.Options) { o.MaxUnmatched, o.MaxEvents, o.MaxEventBytes = 20, 30, 1000 })
}

const pages engine.Orchestrator[int, int] = "Pages" // takes a number, and continues as new

func addPages(r *engine.Registry) {
	engine.AddOrchestrator(r, pages, func(ctx *engine.Context, n int) (int, error) {
		next, err := engine.WaitForExternalEvent(ctx, guess).Await()
		if err != nil {
			return n, err
		}
		return n, ctx.ContinueAsNew(next)
	})
}

// An event that comes again with its key after the instance continued as new is known
// to have been recorded; nobody waits for what is not known any more.
func TestWhoAsksAgainAfterTheInstanceContinuedAsNewIsNotKept(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(pages), "a", 0)
		h.ask("a", "Guess", `1`, "once")
		for range 2 {
			if answer := h.ask("a", "Guess", `1`, "once"); answer.Outcome != "" || answer.Instance.Status != history.Running {
				t.Errorf("%+v", answer)
			}
		}
	})
}
