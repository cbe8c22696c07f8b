package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/enginetest"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/notify"
)

const work engine.Orchestrator[string, map[string]string] = "Work"

// inbox is a channel that keeps what it is given, and fails as it is told to.
type inbox struct {
	got  []notify.Message
	to   []string
	fail []error // of the next messages; what fails is kept all the same
}

func (i *inbox) Send(_ context.Context, to string, m notify.Message) error {
	i.got, i.to = append(i.got, m), append(i.to, to)
	if len(i.fail) == 0 {
		return nil
	}
	err := i.fail[0]
	i.fail = i.fail[1:]
	return err
}

// registry has an orchestration that ends as its input says.
func registry(ways map[string]notify.Way) *engine.Registry {
	r := engine.NewRegistry()
	notify.Add(r, ways)
	engine.AddOrchestrator(r, work, func(ctx *engine.Context, how string) (map[string]string, error) {
		switch how {
		case "fail":
			return nil, errors.New("it cannot be done")
		case "panic":
			panic("oh")
		case "status":
			return map[string]string{"status": "ApprovalTimedOut"}, nil
		}
		_, err := ctx.CreateTimer(ctx.Now().Add(time.Hour)).Await()
		return map[string]string{"outcome": how}, err
	})
	return r
}

func watchOf(how string, targets ...notify.Target) notify.Watch {
	input, _ := json.Marshal(how) // it is a string
	return notify.Watch{Orchestration: string(work), Instance: "w", Input: input, Targets: targets}
}

func TestAnEndIsToldHoweverItComes(t *testing.T) {
	for how, want := range map[string]string{
		"verified": "Work: verified", "fail": "Work: Failed", "panic": "Work: Failed", "status": "Work: ApprovalTimedOut",
		strings.Repeat("x", 5000): "Work: " + strings.Repeat("x", 99) + "…",
	} {
		box := &inbox{}
		env := enginetest.New(t, registry(map[string]notify.Way{"box": {Channel: box}}))
		told, err := enginetest.Run(env, notify.Watched, watchOf(how, notify.Target{Channel: "box", To: "me"}))
		if err != nil || len(told.Lost) != 0 {
			t.Fatalf("%s: %+v %v", how, told, err)
		}
		var data notify.Ended
		if len(box.got) != 1 || box.to[0] != "me" || box.got[0].Subject != want || json.Unmarshal(box.got[0].Data, &data) != nil {
			t.Fatalf("%s: %+v", how, box.got)
		}
		if data.Instance != "w" || data.Orchestration != "Work" || data.Type != "instance.ended" || data.Status == "" || data.At.IsZero() || box.got[0].ID == "" {
			t.Errorf("%s: %s", how, box.got[0].Data)
		}
	}
}

// What could not be sent is sent again, and what may have been only where two can be
// told apart.
func TestANoticeIsSentOnceOrAgainAsItsChannelDeclares(t *testing.T) {
	kind := func(k string) error { return human.NewError(k, "no") }
	for name, test := range map[string]struct {
		fail    []error
		repeats bool
		sent    int
		lost    bool
	}{
		"at once":                {nil, false, 1, false},
		"unavailable":            {[]error{kind(human.KindUnavailable), kind(human.KindUnavailable)}, false, 3, false},
		"perhaps":                {[]error{kind(human.KindUnknown)}, false, 1, true},
		"perhaps, and it counts": {[]error{kind(human.KindUnknown), errors.New("hm")}, true, 3, false},
		"never":                  {[]error{kind(human.KindMisconfigured)}, true, 1, true},
		"undeliverable":          {[]error{kind(human.KindUndeliverable)}, true, 1, true},
		"for too long":           {slow(20), true, 8, true},
	} {
		t.Run(name, func(t *testing.T) {
			box := &inbox{fail: test.fail}
			env := enginetest.New(t, registry(map[string]notify.Way{"box": {Channel: box, Repeats: test.repeats}}))
			told, err := enginetest.Run(env, notify.Watched, watchOf("x", notify.Target{Channel: "box", Repeats: test.repeats}))
			if err != nil || len(box.got) != test.sent || (len(told.Lost) == 1) != test.lost {
				t.Errorf("%v: sent %d times, lost %v", err, len(box.got), told.Lost)
			}
			for _, m := range box.got {
				if m.ID != box.got[0].ID {
					t.Error("the same message has another id")
				}
			}
		})
	}
}

func slow(n int) (errs []error) {
	for range n {
		errs = append(errs, human.NewError(human.KindUnavailable, "busy"))
	}
	return errs
}

// A channel that says when to come again is not asked before.
func TestANoticeIsSentAgainWhenItsChannelSays(t *testing.T) {
	box := &inbox{fail: []error{waits{human.NewError(human.KindUnavailable, "busy")}}}
	env := enginetest.New(t, registry(map[string]notify.Way{"box": {Channel: box}}))
	_, err := enginetest.Run(env, notify.Watched, watchOf("fail", notify.Target{Channel: "box"}))
	if took := env.Elapsed(); err != nil || len(box.got) != 2 || took != 17*time.Minute {
		t.Errorf("%v: sent %d times in %v", err, len(box.got), took)
	}
}

// waits is an error of somebody who is busy for a while.
type waits struct{ error }

func (w waits) Unwrap() error { return w.error }

func (waits) RetryAfter() time.Duration { return 17 * time.Minute }

// Where two messages can be told apart, a process that dies at any place tells the end
// all the same.
func TestAProcessThatDiesTellsTheEndAllTheSame(t *testing.T) {
	ways := map[string]notify.Way{}
	runs := 0
	enginetest.EveryCrash(t, registry(ways), func(env *enginetest.Env) {
		box := &inbox{}
		ways["box"] = notify.Way{Channel: box, Repeats: true}
		told, err := enginetest.Run(env, notify.Watched, watchOf("x", notify.Target{Channel: "box", Repeats: true}))
		if err != nil || len(told.Lost) > 0 || len(box.got) == 0 {
			env.Errorf("%v: told %d times, lost %v", err, len(box.got), told.Lost)
		}
		for _, m := range box.got {
			if m.ID != box.got[0].ID {
				env.Errorf("the same message has another id")
			}
		}
		runs++
	})
	if runs < 5 {
		t.Errorf("only %d runs", runs)
	}
}

func TestTargetsAreReadAndHeldToTheWays(t *testing.T) {
	ways := map[string]notify.Way{"webhook": {Repeats: true}, "mail": {}}
	got, err := notify.ParseTargets("webhook,mail=ops@example.com", ways)
	want := []notify.Target{{Channel: "webhook", Repeats: true}, {Channel: "mail", To: "ops@example.com"}}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v %v", got, err)
	}
	if got, err := notify.ParseTargets("", ways); len(got) != 0 || err != nil {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"sms=+44", "mail=a,,webhook", "Mail=a", ","} {
		if _, err := notify.ParseTargets(bad, ways); !errors.Is(err, notify.ErrTarget) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestALongTextIsCutToWholeSegments(t *testing.T) {
	var sent string
	texts := notify.Texts{Messenger: messenger(func(body string) { sent = body }), Segments: 2}
	for _, text := range []string{"short", strings.Repeat("a", 306), strings.Repeat("a", 1000), strings.Repeat("€", 500), strings.Repeat("👍", 300)} {
		if err := texts.Send(t.Context(), "+447700900123", notify.Message{Text: text}); err != nil {
			t.Fatal(err)
		}
		if human.Segments(sent) > 2 || human.Segments(text) <= 2 && sent != text || human.Segments(text) > 2 && human.Segments(sent) != 2 {
			t.Errorf("%d segments: %.20q", human.Segments(sent), sent)
		}
	}
}

type messenger func(body string)

func (m messenger) Send(_ context.Context, _, body string) error { m(body); return nil }

func TestATerminatedInstanceIsToldOf(t *testing.T) {
	f := newOffice(t)
	in := f.start("verified")
	f.must(f.client.Terminate(t.Context(), in.ID, "enough"))
	f.settle()
	if len(f.box.got) != 1 || f.box.got[0].Subject != "Work: Terminated" {
		t.Errorf("%+v", f.box.got)
	}
	if in, err := f.client.Get(t.Context(), in.ID+"-notified"); err != nil || in.Status != history.Completed {
		t.Errorf("%v %v", in.Status, err)
	}
}
