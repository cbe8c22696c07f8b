package limit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/limit"
	"github.com/seed21523604/holdfast/engine/store/filestore"
)

var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

const number = "+447700900123"

// clock is one that the test moves.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time { return time.Unix(0, c.now.Load()).UTC() }

// office is a store with a worker, and a gate on it.
type office struct {
	t      *testing.T
	clock  clock
	folder string
	o      limit.Options
	store  *filestore.Store
	worker *dispatch.Worker
	client *client.Client
	gate   *limit.Gate
	keys   int
}

// usual are limits as they might be set.
func usual() limit.Options {
	return limit.Options{
		Countries: []string{"GB", "DE"}, CountryOf: countryOf, PhoneHourly: 5, PrefixHourly: 20, CallerHourly: 20, PhoneFailures: 100, PersonHourly: 12, RequestHourly: 3,
		Daily: 1000, DailyMoney: 100_000, Price: func(string) int64 { return 100 },
		BreakerSends: 50, BreakerPercent: 10, BreakerPause: 24 * time.Hour, Name: nameOf,
	}
}

func countryOf(number string) string {
	switch {
	case strings.HasPrefix(number, "+44"):
		return "GB"
	case strings.HasPrefix(number, "+49"):
		return "DE"
	case strings.HasPrefix(number, "+33"):
		return "FR"
	}
	return ""
}

func nameOf(kind, value string) string {
	s, _ := human.NewSealer(make([]byte, human.KeySize)) // the key is long enough
	return s.Name(kind, value)
}

func newOffice(t *testing.T, o limit.Options) *office {
	t.Helper()
	f := &office{t: t, folder: t.TempDir(), o: o}
	f.clock.now.Store(start.UnixNano())
	f.open()
	t.Cleanup(func() { f.store.Close() })
	return f
}

// open begins to work on the folder, in place of the process that did so before.
func (f *office) open() {
	f.t.Helper()
	if f.store != nil {
		f.must(f.store.Close())
	}
	var err error
	f.store, err = filestore.Open(f.folder, filestore.Options{Now: f.clock.Now})
	f.must(err)
	f.worker, f.client, f.gate = f.another()
}

// another is one more worker on the store, with a gate of its own.
func (f *office) another() (*dispatch.Worker, *client.Client, *limit.Gate) {
	r := engine.NewRegistry()
	limit.Add(r)
	w := dispatch.New(f.store, r, dispatch.Options{Now: f.clock.Now, Logger: slog.New(slog.DiscardHandler)})
	c := client.New(w.Instances(), client.Options{Now: f.clock.Now})
	g := limit.New(f.o)
	g.Use(c)
	return w, c, g
}

func (f *office) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// pass lets time pass, and what falls due meanwhile happen.
func (f *office) pass(by time.Duration) {
	f.t.Helper()
	f.clock.now.Add(int64(by))
	for more := true; more; {
		var err error
		more, err = f.worker.Step(f.t.Context())
		f.must(err)
	}
}

// admit asks for a new message and returns which limit refuses it, or "".
func (f *office) admit(s human.Sending) string {
	f.t.Helper()
	if s.Key == "" {
		f.keys++
		s.Key = fmt.Sprint("key", f.keys)
	}
	if s.To == "" {
		s.To = number
	}
	s.Segments, s.Tries = max(1, s.Segments), 5
	_, refused, err := f.gate.Admit(f.t.Context(), s)
	f.must(err)
	if refused == nil {
		return ""
	}
	return refused.Limit
}

// want checks how many messages pass, and which limit the next one meets.
func (f *office) want(n int, by string, s human.Sending) {
	f.t.Helper()
	for i := range n {
		if got := f.admit(s); got != "" {
			f.t.Fatalf("message %d meets the limit %q", i+1, got)
		}
	}
	if got := f.admit(s); got != by {
		f.t.Errorf("after %d messages the limit %q is met, want %q", n, got, by)
	}
}

func TestEachLimitHolds(t *testing.T) {
	n := 0
	next := func(prefix string) string { n++; return fmt.Sprintf("%s%06d", prefix, n*10_000) }
	for name, test := range map[string]struct {
		change func(*limit.Options)
		to     func() string
		caller string
		most   int
	}{
		limit.Phone:    {func(*limit.Options) {}, func() string { return number }, "", 5},
		limit.Prefix:   {func(o *limit.Options) { o.PhoneHourly = 100 }, func() string { n++; return fmt.Sprintf("+44770090%04d", n%10_000) }, "", 20},
		limit.Caller:   {func(o *limit.Options) { o.CallerHourly = 7 }, func() string { return next("+4477") }, "me", 7},
		limit.Day:      {func(o *limit.Options) { o.Daily = 9 }, func() string { return next("+4478") }, "", 9},
		limit.Money:    {func(o *limit.Options) { o.DailyMoney = 1150 }, func() string { return next("+4479") }, "", 11},
		limit.Breaker:  {func(o *limit.Options) { o.BreakerSends = 12 }, func() string { return next("+4476") }, "", 12},
		limit.Failures: {func(o *limit.Options) { o.PhoneFailures, o.PhoneHourly = 17, 100 }, func() string { return number }, "", 3},
		limit.Country:  {func(*limit.Options) {}, func() string { return "+33612345678" }, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := usual()
			test.change(&o)
			f := newOffice(t, o)
			for i := range test.most {
				if got := f.admit(human.Sending{To: test.to(), Caller: test.caller}); got != "" {
					t.Fatalf("message %d meets the limit %q", i+1, got)
				}
			}
			if got := f.admit(human.Sending{To: test.to(), Caller: test.caller}); got != name {
				t.Errorf("after %d messages the limit %q is met", test.most, got)
			}
		})
	}
}

func TestNoCountryIsAllowedUnlessOneIsNamed(t *testing.T) {
	for allowed, want := range map[string]string{"": limit.Country, "DE": limit.Country, "*": "", "GB": ""} {
		o := usual()
		o.Countries = strings.Split(allowed, ",")
		if got := newOffice(t, o).admit(human.Sending{}); got != want {
			t.Errorf("with %q the limit %q is met", allowed, got)
		}
	}
	o := usual()
	o.Countries = []string{"*"}
	if got := newOffice(t, o).admit(human.Sending{To: "+99912345678"}); got != limit.Country {
		t.Errorf("a number of no country: %q", got)
	}
}

func TestARestartForgetsNothing(t *testing.T) {
	f := newOffice(t, usual())
	for range 5 {
		f.want(1, "", human.Sending{Key: "the same"})
		f.open()
	}
	if got := f.admit(human.Sending{}); got != "" {
		t.Errorf("the same message counts more than once: %q", got)
	}
	for range 4 {
		f.open()
		f.admit(human.Sending{})
	}
	f.open()
	if got := f.admit(human.Sending{}); got != limit.Phone {
		t.Errorf("%q", got)
	}
	f.pass(time.Hour)
	f.want(5, limit.Phone, human.Sending{})
}

// Two processes that share a store share the limits, and of those who ask at the
// same time exactly as many pass as may.
func TestTwoAppsShareTheLimitsExactly(t *testing.T) {
	o := usual()
	o.Daily = 40
	f := newOffice(t, o)
	_, _, other := f.another()
	gates := []*limit.Gate{f.gate, other}
	var passed atomic.Int64
	var wait sync.WaitGroup
	for n := range 160 {
		wait.Go(func() {
			to := fmt.Sprintf("+4477%08d", n*10_000)
			_, refused, err := gates[n%2].Admit(t.Context(), human.Sending{Key: fmt.Sprint(n), To: to, Segments: 1, Tries: 5})
			if err != nil {
				t.Error(err)
			} else if refused == nil {
				passed.Add(1)
			}
		})
	}
	wait.Wait()
	if passed.Load() != 40 {
		t.Errorf("%d of 40 passed", passed.Load())
	}
}

func TestSuspendingTheLedgerForEverythingStopsAllSending(t *testing.T) {
	f := newOffice(t, usual())
	f.want(1, "", human.Sending{})
	f.must(f.client.Suspend(t.Context(), limit.All, "an attack"))
	if got := f.admit(human.Sending{To: "+4917012345678"}); got != limit.Stopped {
		t.Errorf("%q", got)
	}
	f.must(f.client.Resume(t.Context(), limit.All, ""))
	f.want(1, "", human.Sending{To: "+4917012345678"})
}

func TestWhoOptsOutIsSentNothing(t *testing.T) {
	f := newOffice(t, usual())
	f.must(f.gate.Subscribe(t.Context(), number, false))
	if got := f.admit(human.Sending{}); got != limit.OptedOut {
		t.Errorf("%q", got)
	}
	f.want(1, "", human.Sending{To: "+447700900124"})
	f.pass(1000 * time.Hour)
	f.open()
	if got := f.admit(human.Sending{Again: true}); got != limit.OptedOut {
		t.Errorf("weeks later: %q", got)
	}
	f.must(f.gate.Subscribe(t.Context(), number, true))
	f.want(5, limit.Phone, human.Sending{})
}

func TestOneRequestIsToldThreeTimesAnHour(t *testing.T) {
	f := newOffice(t, usual())
	f.want(3, limit.Request, human.Sending{About: "one"})
	f.want(3, limit.Request, human.Sending{About: "two"})
	f.pass(time.Hour)
	f.want(3, limit.Request, human.Sending{About: "one"})
}

// Messages that nobody is to answer with a code do not look like codes that nobody
// typed.
func TestNoticesTripNoBreaker(t *testing.T) {
	o := usual()
	o.BreakerSends, o.PersonHourly, o.RequestHourly, o.PrefixHourly = 5, 0, 0, 0
	f := newOffice(t, o)
	for n := range 20 {
		if got := f.admit(human.Sending{About: fmt.Sprint(n)}); got != "" {
			t.Fatal(got)
		}
	}
	f.want(5, limit.Phone, human.Sending{})
}

func TestAnOperatorUnlocksAPhone(t *testing.T) {
	o := usual()
	o.PhoneFailures = 10
	f := newOffice(t, o)
	f.want(2, limit.Failures, human.Sending{})
	body, err := json.Marshal(limit.Unlocking{Key: f.gate.PhoneKey(number)})
	f.must(err)
	f.must(f.client.Raise(t.Context(), f.gate.PrefixLedger(number), string(limit.Unlock), client.Payload{Body: body}))
	f.pass(0)
	f.want(2, limit.Failures, human.Sending{})
}

// A ledger turns its pages and forgets nothing by that, also when most of what it is
// asked is refused.
// What an operator raises with the wrong payload changes nothing: a ledger that failed
// of it would forget all that it has counted.
func TestWhatDoesNotFitEndsNoLedger(t *testing.T) {
	f := newOffice(t, usual())
	f.want(5, limit.Phone, human.Sending{})
	for _, id := range []string{f.gate.PrefixLedger(number), limit.All} {
		for _, event := range []string{string(limit.Unlock), string(limit.Subscribe), string(human.VerificationEnded), string(limit.Reserve)} {
			for _, payload := range []string{`null`, `"+447700900123"`, `{"key":5}`, `{"other":true}`, `[]`} {
				f.must(f.client.Raise(t.Context(), id, event, client.Payload{Body: []byte(payload)}))
			}
		}
	}
	f.pass(0)
	if got := f.admit(human.Sending{}); got != limit.Phone {
		t.Errorf("%q", got)
	}
}

func TestALedgerTurnsItsPages(t *testing.T) {
	o := usual()
	o.Daily, o.PhoneHourly, o.PrefixHourly, o.CallerHourly, o.BreakerSends, o.PhoneFailures = 120, 0, 0, 0, 0, 0
	f := newOffice(t, o)
	f.want(120, limit.Day, human.Sending{})
	for range 320 {
		if got := f.admit(human.Sending{}); got != limit.Day {
			t.Fatalf("%q", got)
		}
	}
	past, err := f.client.History(t.Context(), limit.All)
	f.must(err)
	in, err := f.client.Get(t.Context(), limit.All)
	f.must(err)
	if len(past) > 700 || in.First == "" || string(in.CustomStatus) != `{"today":{"day":120,"money":12000}}` {
		t.Errorf("a page of %d events; status %s", len(past), in.CustomStatus)
	}
	f.clock.now.Store(start.AddDate(0, 0, 1).UnixNano())
	f.want(120, limit.Day, human.Sending{})
}

func TestALedgerWithNothingInItEndsAndBeginsAgain(t *testing.T) {
	f := newOffice(t, usual())
	f.want(5, limit.Phone, human.Sending{Caller: "me"})
	caller := "sms-limits-" + nameOf("caller", "me")
	for range 30 {
		f.pass(time.Hour)
	}
	in, err := f.client.Get(t.Context(), caller)
	if err != nil || in.Status != history.Completed {
		t.Fatalf("%s %v", in.Status, err)
	}
	f.want(5, limit.Phone, human.Sending{Caller: "me"})
}

// Nobody finds a number in what is stored.
func TestNoNumberAndNoCallerIsStored(t *testing.T) {
	f := newOffice(t, usual())
	f.want(5, limit.Phone, human.Sending{Caller: "192.0.2.17"})
	f.must(f.gate.Subscribe(t.Context(), number, false))
	var all strings.Builder
	f.must(f.store.Dump(&all))
	for _, secret := range []string{"7700900", "192.0.2.17"} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%s is stored", secret)
		}
	}
	if !strings.Contains(all.String(), "sms-limits") {
		t.Error("the search would not find anything")
	}
}

func TestAGateWithoutAClientIsClosed(t *testing.T) {
	if _, _, err := limit.New(usual()).Admit(context.Background(), human.Sending{To: number}); err == nil {
		t.Error("it lets a message pass")
	}
}

// A process that dies between a reservation and the message asks again with the same
// key. It gets an answer, although the ledger has turned its page meanwhile.
func TestWhoAsksAgainAfterAPageWasTurnedIsAnswered(t *testing.T) {
	o := usual()
	o.PhoneHourly, o.PrefixHourly, o.PhoneFailures, o.BreakerSends = 0, 500, 0, 0
	f := newOffice(t, o)
	turned := 0
	for n := range 220 {
		s := human.Sending{Key: fmt.Sprint("message", n), To: number, Segments: 1, Tries: 5}
		for range 2 {
			began := time.Now()
			if _, refused, err := f.gate.Admit(t.Context(), s); err != nil || refused != nil {
				t.Fatalf("message %d after %v: %v %v", n, time.Since(began), refused, err)
			}
		}
		if in, err := f.client.Get(t.Context(), f.gate.PrefixLedger(number)); err == nil && in.First != "" {
			turned++
		}
	}
	if turned == 0 {
		t.Error("no page was turned")
	}
}

// Whoever asks again when the limits were changed is answered by the new ones.
func TestWhoAsksAgainWithOtherLimitsIsAnswered(t *testing.T) {
	f := newOffice(t, usual())
	s := human.Sending{Key: "message", Caller: "me"}
	for _, most := range []int{5, 6, 7} {
		f.o.PhoneHourly, f.o.CallerHourly, f.o.Daily = most, 10*most, 100*most
		f.open()
		if got := f.admit(s); got != "" {
			t.Errorf("with %d: %q", most, got)
		}
	}
	f.o.PhoneHourly = 3
	f.open()
	if got := f.admit(s); got != limit.Phone {
		t.Errorf("with three, of which there were three: %q", got)
	}
}

// saying makes the office one that sends messages of which each instance has one to say.
func (f *office) saying(phone human.Messenger) (say func(id string)) {
	f.t.Helper()
	const send engine.Activity[string, struct{}] = "Send"
	const tell engine.Orchestrator[string, struct{}] = "Tell"
	r := engine.NewRegistry()
	limit.Add(r)
	guarded := f.gate.Guard(phone)
	engine.AddActivity(r, send, func(ctx context.Context, body string) (struct{}, error) {
		return struct{}{}, guarded.Send(ctx, number, body)
	})
	engine.AddOrchestrator(r, tell, func(ctx *engine.Context, body string) (struct{}, error) {
		return engine.CallActivity(ctx, send, body, engine.RetryPolicy{MaxAttempts: 2, InitialRetryInterval: time.Second}).Await()
	})
	f.worker = dispatch.New(f.store, r, dispatch.Options{Now: f.clock.Now, Logger: slog.New(slog.DiscardHandler)})
	f.client = client.New(f.worker.Instances(), client.Options{Now: f.clock.Now})
	f.gate.Use(f.client)
	return func(id string) {
		f.t.Helper()
		_, err := f.client.Start(f.t.Context(), string(tell), id, id)
		f.must(err)
		f.must(f.worker.Settle(f.t.Context()))
	}
}

// grumpy is a phone whose service wants to be left alone at first.
type grumpy struct {
	inbox
	wait time.Duration
}

// Send keeps a message, or says when to come back.
func (g *grumpy) Send(ctx context.Context, to, body string) error {
	if wait := g.wait; wait > 0 {
		g.wait = 0
		return human.NewError(human.KindUnavailable, "busy").After(wait)
	}
	return g.inbox.Send(ctx, to, body)
}

// A message that a limit or its service does not let out for a while is sent when that is
// over, and not tried before.
func TestAMessageIsTriedAgainWhenItMayBeSent(t *testing.T) {
	o := usual()
	o.PersonHourly = 1
	f := newOffice(t, o)
	phone := &grumpy{wait: 20 * time.Minute}
	say := f.saying(phone)
	want := func(by time.Duration, messages ...string) {
		t.Helper()
		f.pass(by)
		if !slices.Equal(phone.messages, messages) {
			t.Errorf("%q were sent, want %q", phone.messages, messages)
		}
	}
	say("one")
	want(20*time.Minute - 1)
	want(1, "one")
	say("two") // the hour of the first began when it was let pass
	want(40*time.Minute-time.Millisecond, "one")
	want(time.Millisecond, "one", "two")
}
