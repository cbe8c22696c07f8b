package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
)

// ask gives an event that is to be taken at once to a turn, and returns what
// became of it and the row that it left in the history.
func (d *desk) ask(name, payload string) (history.Verdict, *history.Event) {
	d.t.Helper()
	e := d.event(name, payload)
	e.Strict = true
	return d.raise(e)
}

func (d *desk) raise(e history.Event) (history.Verdict, *history.Event) {
	d.t.Helper()
	decision := d.turn(e)
	verdict, known := d.live.Verdict(e)
	if !known {
		d.t.Fatalf("nobody knows what became of %s", e)
	}
	for i := range decision.Events {
		if decision.Events[i].Message == e.Message {
			return verdict, &decision.Events[i]
		}
	}
	return verdict, nil
}

func (d *desk) wantVerdict(got history.Verdict, outcome history.Outcome, tried int, reason string) {
	d.t.Helper()
	if got.Outcome != outcome || got.Tried != tried || !strings.Contains(got.Reason, reason) {
		d.t.Errorf("%+v, want %s after %d tries (%q)", got, outcome, tried, reason)
	}
}

// wantWaits compares what the row says of waits: "Answer" for an open one,
// "Answer expired" for one that ended.
func (d *desk) wantWaits(want ...string) {
	d.t.Helper()
	var got []string
	for _, w := range d.last.External.Waits {
		got = append(got, strings.TrimSpace(w.Event+" "+string(w.Ended)))
	}
	if !reflect.DeepEqual(got, want) {
		d.t.Errorf("waits %q, want %q", got, want)
	}
}

func even(n int) error {
	if n%2 != 0 {
		return fmt.Errorf("%d is odd", n)
	}
	return nil
}

func TestAnEventThatFailsTheCheckIsNotTaken(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
		return engine.WaitForExternalEvent(ctx, number, engine.Check(even)).Await()
	})
	d.wantWaits("Number")
	v, recorded := d.ask("Number", `3`)
	d.wantVerdict(v, history.Rejected, 1, "3 is odd")
	if recorded == nil || recorded.Verdict == nil || *recorded.Verdict != v {
		t.Errorf("recorded %+v", recorded)
	}
	v, _ = d.raise(d.event("Number", `5`)) // nor is one for which nobody asked
	d.wantVerdict(v, history.Rejected, 2, "5 is odd")
	v, recorded = d.ask("Number", `4`)
	d.wantVerdict(v, history.Taken, 3, "")
	if recorded.Verdict != nil {
		t.Errorf("recorded %+v", recorded)
	}
	d.wantOutput(history.Completed, `4`)
	d.wantWaits("Number already-decided")
}

func TestTooManyTriesEndTheWait(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (string, error) {
		_, err := engine.WaitForExternalEvent(ctx, number, engine.Check(even), engine.Tries(2)).Await()
		if !errors.Is(err, engine.ErrTooManyTries) {
			return "", fmt.Errorf("ended with %w", err)
		}
		_, err = engine.WaitForExternalEvent(ctx, answer).Await()
		return "locked", err
	})
	v, _ := d.ask("Number", `1`)
	d.wantVerdict(v, history.Rejected, 1, "odd")
	if v.Tries != 2 {
		t.Errorf("%+v", v)
	}
	v, _ = d.ask("Number", `3`)
	d.wantVerdict(v, history.Rejected, 2, "odd")
	v, _ = d.ask("Number", `4`)
	d.wantVerdict(v, history.Locked, 0, "")
	d.wantWaits("Answer", "Number locked")
	d.turn(d.event("Answer", `""`))
	d.wantOutput(history.Completed, `"locked"`)
}

func TestEventsThatCameBeforeTheWaitAreCheckedInTheirOrder(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
		if _, err := engine.WaitForExternalEvent(ctx, answer).Await(); err != nil {
			return 0, err
		}
		return engine.WaitForExternalEvent(ctx, number, engine.Check(even), engine.Tries(3)).Await()
	})
	for _, n := range []string{`1`, `3`, `6`, `8`} {
		v, recorded := d.raise(d.event("Number", n))
		d.wantVerdict(v, history.Kept, 0, "")
		if recorded.Verdict != nil {
			t.Errorf("recorded %+v", recorded)
		}
	}
	if kept := d.last.External.Kept; len(kept) != 1 || kept[0].Count != 4 || kept[0].Event != "Number" {
		t.Errorf("kept %+v", kept)
	}
	d.turn(d.event("Answer", `""`))
	d.wantOutput(history.Completed, `6`)
	if kept := d.last.External.Kept; len(kept) != 1 || kept[0].Count != 1 {
		t.Errorf("kept %+v", kept)
	}
}

func TestAnEventThatIsToBeTakenAtOnceIsNeverKept(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (string, error) {
		if _, err := engine.WaitForExternalEvent(ctx, number).Await(); err != nil {
			return "", err
		}
		return engine.WaitForExternalEvent(ctx, answer, engine.Until(ctx.Now().Add(time.Minute))).AwaitOr("nobody")
	})
	v, recorded := d.ask("Answer", `"early"`)
	d.wantVerdict(v, history.NotWaiting, 0, "")
	if recorded == nil || recorded.Verdict == nil || !recorded.Verdict.Refused() {
		t.Errorf("recorded %+v", recorded)
	}
	v, _ = d.ask("Number", `1`)
	d.wantVerdict(v, history.Taken, 0, "")
	v, _ = d.ask("Number", `2`)
	d.wantVerdict(v, history.AlreadyDecided, 0, "")
	d.now = d.now.Add(time.Minute + 1)
	v, _ = d.ask("Answer", `"late"`)
	d.wantVerdict(v, history.Finished, 0, "") // the deadline came first, and the orchestration returned
	d.wantOutput(history.Completed, `"nobody"`)
	d.wantWaits("Answer expired", "Number already-decided")
}

// In the order of acceptance: what comes after the deadline is late although no
// turn was made for it yet.
func TestAnEventAfterTheDeadlineIsToldSo(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (string, error) {
		_, err := engine.WaitForExternalEvent(ctx, answer, engine.Until(ctx.Now().Add(time.Minute), "the contract")).Await()
		if !errors.Is(err, engine.ErrTimeout) {
			return "", fmt.Errorf("ended with %w", err)
		}
		_, err = engine.WaitForExternalEvent(ctx, number).Await()
		return "late", err
	})
	if w := d.last.External.Waits[0]; !w.Until.Equal(epoch.Add(time.Minute)) || w.UntilFrom != "the contract" || w.Kind != "string" || !w.Since.Equal(epoch) {
		t.Errorf("%+v", w)
	}
	d.now = d.now.Add(2 * time.Minute)
	v, _ := d.ask("Answer", `"x"`)
	d.wantVerdict(v, history.Expired, 0, "")
	d.wantWaits("Number", "Answer expired")
}

func TestASuspendedInstanceTakesNothingAtOnce(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
		return engine.WaitForExternalEvent(ctx, number, engine.Check(even)).Await()
	})
	d.turn(d.message(history.Event{Kind: history.ExecutionSuspended}))
	v, _ := d.ask("Number", `2`)
	d.wantVerdict(v, history.NotWaiting, 0, "suspended")
	v, _ = d.raise(d.event("Number", `3`))
	d.wantVerdict(v, history.Kept, 0, "")
	d.turn(d.message(history.Event{Kind: history.ExecutionResumed}))
	if d.last.Status != history.Running || d.last.External.Waits[0].Tried != 1 {
		t.Errorf("%+v", d.last)
	}
	d.turn(d.event("Number", `8`))
	d.wantOutput(history.Completed, `8`)
}

type ballot struct {
	Yes bool `json:"yes"`
	By  string
}

func TestAnEventOfAnotherTypeIsRefused(t *testing.T) {
	const vote engine.Event[ballot] = "Vote"
	d := one(t, `null`, func(ctx *engine.Context, _ any) (ballot, error) {
		return engine.WaitForExternalEvent(ctx, vote, engine.Check(func(b ballot) error {
			if b.By == "" {
				return errors.New("nobody signed it")
			}
			return nil
		})).Await()
	})
	for _, payload := range []string{`null`, `true`, `"yes"`, `[]`, `{"yes":"no"}`, `{"no":true}`, `{"yes":true,"by":"A","extra":1}`, `{"yes":true,"YES":false,"by":"A"}`, `{"ye\u017f":true,"yes":false,"by":"A"}`} {
		v, recorded := d.ask("Vote", payload)
		d.wantVerdict(v, history.WrongType, 0, "the payload")
		if !recorded.Verdict.Refused() {
			t.Errorf("%s: recorded %+v", payload, recorded)
		}
		v, _ = d.raise(d.event("Vote", payload)) // a wait with a condition takes no other type from anyone
		d.wantVerdict(v, history.WrongType, 0, "the payload")
	}
	v, _ := d.ask("Vote", `{}`)
	d.wantVerdict(v, history.Rejected, 1, "nobody signed it")
	v, _ = d.ask("Vote", `{"yes":true,"By":"A"}`)
	d.wantVerdict(v, history.Taken, 2, "")
}

// A wait that is typed takes nothing else, whether the event came before it or after, and
// however it was sent; others end with an error.
func TestATypedWaitGoesOnAfterWhatDoesNotFit(t *testing.T) {
	const vote engine.Event[ballot] = "Vote"
	twice := func(ctx *engine.Context, _ any) (ballot, error) {
		if _, err := engine.WaitForExternalEvent(ctx, number).Await(); err != nil {
			return ballot{}, err
		}
		return engine.WaitForExternalEvent(ctx, vote, engine.Typed()).Await()
	}
	d := one(t, `null`, twice)
	early := d.event("Vote", `"early"`)
	v, _ := d.raise(early)
	d.wantVerdict(v, history.Kept, 0, "")
	d.turn(d.event("Number", `1`))
	for _, payload := range []string{`null`, `5`, `[]`, `{"yes":"no"}`, `{"no":true}`} {
		v, recorded := d.raise(d.event("Vote", payload))
		d.wantVerdict(v, history.WrongType, 0, "the payload")
		if recorded == nil || !recorded.Verdict.Refused() {
			t.Errorf("%s: recorded %+v", payload, recorded)
		}
	}
	d.wantWaits("Vote", "Number already-decided")
	v, _ = d.raise(d.event("Vote", `{"yes":true}`))
	d.wantVerdict(v, history.Taken, 0, "")
	d.wantOutput(history.Completed, `{"yes":true,"By":""}`)
}

// A reader in another language may hear the first of two members that a struct
// takes for one, and Go hears the last. A map keeps them apart.
func TestMembersThatDifferInCaseOnlyAreTwoInAMapAndNoneInAStruct(t *testing.T) {
	outcome := func(wait func(*engine.Context) error, payload string) history.Outcome {
		d := one(t, `null`, func(ctx *engine.Context, _ any) (any, error) { return nil, wait(ctx) })
		v, _ := d.ask("E", payload)
		return v.Outcome
	}
	for name, test := range map[string]struct {
		wait    func(*engine.Context) error
		payload string
		want    history.Outcome
	}{
		"struct":  {waitFor[ballot], `{"yes":true,"Yes":false}`, history.WrongType},
		"pointer": {waitFor[*ballot], `{"yes":true,"Yes":false}`, history.WrongType},
		"list":    {waitFor[[]ballot], `[{},{"BY":"A","by":"B"}]`, history.WrongType},
		"once":    {waitFor[ballot], `{"YES":true,"bY":"A"}`, history.Taken},
		"map":     {waitFor[map[string]bool], `{"yes":true,"Yes":false}`, history.Taken},
		"any":     {waitFor[any], `{"yes":true,"Yes":false}`, history.Taken},
	} {
		if got := outcome(test.wait, test.payload); got != test.want {
			t.Errorf("%s: %s is %s, want %s", name, test.payload, got, test.want)
		}
	}
}

func waitFor[T any](ctx *engine.Context) error {
	_, err := engine.WaitForExternalEvent[T](ctx, "E").Await()
	return err
}

func TestTheKindOfAPayloadIsDeclared(t *testing.T) {
	kinds := map[string]func(*engine.Context) engine.Awaitable{
		"string":  func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[string](c, "E") },
		"number":  func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[float64](c, "E") },
		"boolean": func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[bool](c, "E") },
		"object":  func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[ballot](c, "E") },
		"array":   func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[[]int](c, "E") },
		"secret":  func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[engine.Sealed](c, "E") },
		"":        func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[json.RawMessage](c, "E") },
	}
	others := map[string][]func(*engine.Context) engine.Awaitable{
		"object": {func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[map[string]int](c, "E") }},
		"string": {
			func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[[]byte](c, "E") },
			func(c *engine.Context) engine.Awaitable {
				return engine.WaitForExternalEvent[engine.Orchestrator[int, int]](c, "E")
			},
		},
		"": {
			func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[any](c, "E") },
			func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[*ballot](c, "E") },
			func(c *engine.Context) engine.Awaitable { return engine.WaitForExternalEvent[time.Time](c, "E") },
		},
	}
	for kind, wait := range kinds {
		for _, wait := range append(others[kind], wait) {
			d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
				engine.Select(ctx, wait(ctx))
				return 0, nil
			}, engine.SecretEvent("E"))
			if got := d.last.External.Waits[0].Kind; got != kind {
				t.Errorf("kind %q, want %q", got, kind)
			}
		}
	}
}

func TestTheSameKeyHasOneEffectAndOneAnswer(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
		return engine.WaitForExternalEvent(ctx, number, engine.Check(even), engine.Tries(5)).Await()
	})
	with := func(key, payload string) history.Event {
		e := d.event("Number", payload)
		e.Message, e.Strict = history.KeyedMessage(key), true
		return e
	}
	v, _ := d.raise(with("a", `3`))
	d.wantVerdict(v, history.Rejected, 1, "odd")
	before := len(d.past)
	for range 3 {
		v, _ = d.raise(with("a", `3`))
		d.wantVerdict(v, history.Rejected, 1, "odd")
	}
	v, _ = d.raise(with("a", `4`))
	d.wantVerdict(v, history.KeyReused, 0, "")
	if len(d.past) != before {
		t.Error("a repetition was recorded")
	}
	twins := []history.Event{with("b", `6`), with("b", `6`), with("b", `8`), with("c", `10`)}
	d.turn(twins...)
	for i, want := range []history.Outcome{history.Taken, history.Taken, history.KeyReused, history.Finished} {
		if v, known := d.live.Verdict(twins[i]); !known || v.Outcome != want {
			t.Errorf("event %d: %+v, want %s", i, v, want)
		}
	}
	d.wantOutput(history.Completed, `6`)
}

// What became of an event is told although the execution that took it is gone.
func TestAnAnswerIsGivenAlthoughTheOrchestrationContinuesAsNew(t *testing.T) {
	d := one(t, `0`, func(ctx *engine.Context, sum int) (int, error) {
		n, err := engine.WaitForExternalEvent(ctx, number, engine.Check(even)).Await()
		if err != nil {
			return 0, err
		}
		return 0, ctx.ContinueAsNew(sum + n)
	})
	for range 3 {
		v, _ := d.ask("Number", `2`)
		d.wantVerdict(v, history.Taken, 1, "")
		d.wantWaits("Number")
	}
	if x := d.last.External; x.Raised != 0 {
		t.Errorf("%+v", x)
	}
}

func TestAConditionMaySetTheCustomStatusAndNothingElse(t *testing.T) {
	for name, bad := range map[string]func(*engine.Context){
		"call":  func(ctx *engine.Context) { engine.CallActivity(ctx, double, 1) },
		"timer": func(ctx *engine.Context) { ctx.CreateTimer(ctx.Now()) },
		"await": func(ctx *engine.Context) { _, _ = engine.WaitForExternalEvent(ctx, answer).Await() },
		"panic": func(*engine.Context) { panic("Check must not panic either") },
	} {
		t.Run(name, func(t *testing.T) {
			d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
				return engine.WaitForExternalEvent(ctx, number, engine.Check(func(n int) error {
					if n == 0 {
						bad(ctx)
					}
					return errors.Join(ctx.SetCustomStatus(n), even(n))
				})).Await()
			})
			d.ask("Number", `7`)
			if string(d.last.CustomStatus) != `7` || d.last.Status != history.Running {
				t.Errorf("%+v", d.last)
			}
			d.ask("Number", `0`)
			if d.last.Status != history.Failed || d.last.Failure.Kind != engine.KindPanic || !strings.Contains(d.last.Failure.Message, "Check must not") {
				t.Errorf("%s %+v", d.last.Status, d.last.Failure)
			}
		})
	}
}

// A condition that comes to another verdict than the one that was recorded is
// code that does not follow its history.
func TestAChangedConditionFailsWithBothSidesNamed(t *testing.T) {
	limit := 5
	d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
		return engine.WaitForExternalEvent(ctx, number, engine.Check(func(n int) error {
			if n > limit {
				return errors.New("too much")
			}
			return nil
		})).Await()
	})
	d.ask("Number", `7`)
	limit = 10
	x := d.replay()
	decision, err := x.Turn(d.now, []history.Event{d.event("Number", `8`)})
	if err != nil || decision.Failure == nil || decision.Failure.Kind != engine.KindNonDeterministic ||
		!strings.Contains(decision.Failure.Message, "rejected") || !strings.Contains(decision.Failure.Message, "taken") {
		t.Errorf("%+v %v", decision, err)
	}
}

func TestAWaitThatMakesNoSenseFails(t *testing.T) {
	for want, options := range map[string][]engine.WaitOption{
		"Tries without a Check": {engine.Tries(2)},
		"Tries is -1":           {engine.Check(even), engine.Tries(-1)},
		"Check takes string":    {engine.Check(func(string) error { return nil })},
	} {
		d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
			return engine.WaitForExternalEvent(ctx, number, options...).Await()
		})
		if d.last.Status != history.Failed || !strings.Contains(d.last.Failure.Message, want) {
			t.Errorf("%+v, want %q", d.last.Failure, want)
		}
	}
}

func TestTheRowTellsWhoIsWaitedForAndIsBounded(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
		for i := range 80 {
			engine.WaitForExternalEvent[int](ctx, engine.Event[int](fmt.Sprintf("E%02d", i)),
				engine.From(strings.Repeat("x", 1000)), engine.Then(ctx.Now().Add(time.Hour), "the boss is asked"))
		}
		_, err := engine.WaitForExternalEvent(ctx, answer).Await()
		return 0, err
	})
	x := d.last.External
	if len(x.Waits) != 64 || !x.More || x.Waits[0].Event != "E00" || x.Waits[0].Next != "the boss is asked" || !x.Waits[0].NextAt.Equal(epoch.Add(time.Hour)) ||
		len(x.Waits[0].From) != 200 {
		t.Errorf("%d waits, %+v", len(x.Waits), x.Waits[0])
	}
	for i := range 30 {
		d.turn(d.event(fmt.Sprintf("K%02d", i), `1`), d.event(fmt.Sprintf("K%02d", i), `12`))
	}
	x = d.last.External
	if len(x.Kept) != 20 || x.MoreKept != 20 || x.Unmatched() != 60 || x.Raised != 60 || x.Bytes != 90 || x.Kept[3].Event != "K03" {
		t.Errorf("%+v", x)
	}
	for i := range 80 { // so does it when they have ended
		d.turn(d.event(fmt.Sprintf("E%02d", i), `1`))
	}
	if x = d.last.External; len(x.Waits) != 1+32 || x.More || x.Waits[0].Event != "Answer" || x.Waits[1].Event != "E79" {
		t.Errorf("%d waits, %+v", len(x.Waits), x.Waits[0])
	}
}

func TestAWaitThatWasGivenUpLeavesNoTrace(t *testing.T) {
	d := one(t, `null`, func(ctx *engine.Context, _ any) (int, error) {
		engine.WaitForExternalEvent(ctx, answer).Cancel()
		return engine.WaitForExternalEvent(ctx, number).Await()
	})
	d.wantWaits("Number")
	v, _ := d.ask("Answer", `"x"`)
	d.wantVerdict(v, history.NotWaiting, 0, "")
}
