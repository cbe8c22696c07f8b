package limit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/limit"
	"github.com/seed21523604/holdfast/engine/store"
)

const verify engine.Orchestrator[human.Request, human.Verification] = "SmsVerify"

// mortal is an office that sends codes and dies meanwhile: before the gate is asked,
// behind it, before a message leaves, or behind that.
type mortal struct {
	*office
	random *rand.Rand
	limits human.Limits
	crash  context.CancelFunc // ends the process that works now, which finishes nothing
	dead   chan struct{}      // closed when all processes are to be gone

	mu     sync.Mutex
	deaths int
	passed map[string]int           // by key, how often the gate let it pass
	unsure int                      // how often it was not known whether it did, as it was given too little time
	under  map[string]string        // the key of each call
	sent   map[string]int           // by key, how many messages there were
	hung   map[string]chan struct{} // by instance, closed when its attempt does not go on
}

// place is where an attempt dies.
type place int

const (
	beforeGate place = iota
	behindGate
	beforeLeaving
	behindLeaving
	nowhere
	places
)

// placeKey is the key of a place in a context.
type placeKey struct{}

// Admit asks the gate, if the process lives so long.
func (m *mortal) Admit(ctx context.Context, s human.Sending) ([]human.Account, *human.Refusal, error) {
	m.mu.Lock()
	m.under[engine.CallOf(ctx).Key()] = s.Key
	m.mu.Unlock()
	m.die(ctx, beforeGate)
	told, refused, err := m.gate.Admit(ctx, s)
	m.mu.Lock()
	switch {
	case err != nil:
		m.unsure++
	case refused == nil:
		m.passed[s.Key]++
	}
	m.mu.Unlock()
	m.die(ctx, behindGate)
	return told, refused, err
}

// Send notes that a message went out, if the process lives so long.
func (m *mortal) Send(ctx context.Context, _, _ string) error {
	m.die(ctx, beforeLeaving)
	m.mu.Lock()
	m.sent[m.under[engine.CallOf(ctx).Key()]]++
	m.mu.Unlock()
	m.die(ctx, behindLeaving)
	return nil
}

// die never returns to an attempt that dies here.
func (m *mortal) die(ctx context.Context, at place) {
	if ctx.Value(placeKey{}) != at {
		return
	}
	m.mu.Lock()
	m.deaths++
	close(m.hung[engine.CallOf(ctx).Instance])
	m.mu.Unlock()
	<-m.dead
}

// live begins to work in place of the process before.
func (m *mortal) live() {
	m.t.Helper()
	m.crash()
	m.open()
	sealer, err := human.NewSealer(make([]byte, human.KeySize))
	m.must(err)
	sending, r := engine.NewRegistry(), engine.NewRegistry()
	human.AddPhoneVerification(sending, m, sealer, m.limits, human.Behind(m))
	limit.Add(r)
	engine.AddOrchestrator(r, verify, human.VerifyPhone, engine.SecretEvent(human.SmsChallengeResponse))
	engine.AddActivity(r, human.SmsChallenge, func(ctx context.Context, c human.Challenge) (receipt human.Receipt, err error) {
		input, err := json.Marshal(c)
		if err != nil {
			return receipt, err
		}
		output, failure := sending.RunActivity(context.WithValue(ctx, placeKey{}, m.fate()), engine.CallOf(ctx), input)
		if failure != nil {
			return receipt, human.NewError(failure.Kind, failure.Message)
		}
		return receipt, json.Unmarshal(output, &receipt)
	}, engine.AtMostOnce())
	o := dispatch.Options{Now: m.clock.Now, Logger: slog.New(slog.DiscardHandler), Activities: 1000, Grace: -1}
	m.worker = dispatch.New(m.store, r, o)
	m.client = client.New(m.worker.Instances(), client.Options{Now: m.clock.Now, Secret: r.SecretEvents, Seal: sealer.Seal})
	m.gate = limit.New(m.o)
	m.gate.Use(m.client)
	ctx, cancel := context.WithCancel(m.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = m.worker.Run(ctx) // its store may be closed
	}()
	m.crash = func() { cancel(); <-ended }
}

// fate draws where the next attempt dies.
func (m *mortal) fate() place {
	m.mu.Lock()
	defer m.mu.Unlock()
	return place(m.random.IntN(int(places)))
}

// rest waits until each of the instances waits for its code or hangs, and returns how many
// hang.
func (m *mortal) rest(ids []string) (hanging int) {
	m.t.Helper()
	var wait sync.WaitGroup
	for _, id := range ids {
		ctx, cancel := context.WithCancel(m.t.Context())
		m.mu.Lock()
		hung := m.hung[id]
		m.mu.Unlock()
		wait.Go(func() {
			defer cancel()
			_, _ = m.client.WaitFor(ctx, id, func(in store.Instance) bool { return len(in.CustomStatus) > 0 || in.Status.IsTerminal() }) // or it hangs
		})
		go func() {
			select {
			case <-hung:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	wait.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		select {
		case <-m.hung[id]:
			hanging++
			m.hung[id] = make(chan struct{})
		default:
		}
	}
	return hanging
}

// However often a process dies while it sends a code, here two thousand times: the next
// one sends another code under another key, and nothing is sent twice under one; and what
// was let pass is counted once.
func TestNoCrashSendsAMessageTwice(t *testing.T) {
	o := usual()
	o.Daily, o.DailyMoney, o.BreakerSends, o.PrefixHourly, o.PhoneFailures = 1_000_000, 0, 0, 0, 0
	m := &mortal{
		office: newOffice(t, o), random: rand.New(rand.NewPCG(21, 22)), crash: func() {}, dead: make(chan struct{}),
		limits: human.Limits{Timeout: human.Duration(10 * time.Minute), Tries: 5, Digits: 6, Sends: human.MaxSends, ResendDelay: human.Duration(time.Second)},
		passed: map[string]int{}, under: map[string]string{}, sent: map[string]int{}, hung: map[string]chan struct{}{},
	}
	t.Cleanup(func() { close(m.dead); m.crash() })
	for n := 0; m.deaths < crashes; n++ {
		m.live()
		var ids []string
		for i := range 50 {
			id := fmt.Sprint(n, "-", i)
			ids, m.hung[id] = append(ids, id), make(chan struct{})
		}
		for i, id := range ids {
			_, err := m.client.Start(t.Context(), string(verify), id, human.Request{Number: fmt.Sprintf("+4477%08d", 50*n+i), Limits: &m.limits})
			m.must(err)
		}
		for m.rest(ids) > 0 {
			m.live()
		}
	}
	messages := 0
	for key, n := range m.sent {
		if messages += n; n > 1 || m.passed[key] == 0 {
			t.Errorf("%d messages under the key %s, which passed %d times", n, key, m.passed[key])
		}
	}
	in, err := m.client.Get(t.Context(), limit.All)
	m.must(err)
	var totals limit.Totals
	m.must(json.Unmarshal(in.CustomStatus, &totals))
	if counted := int(totals.Today[limit.Day]); counted < len(m.passed) || counted > len(m.passed)+m.unsure || messages == 0 {
		t.Errorf("%d messages were counted, %d let pass, and of %d nobody knows", counted, len(m.passed), m.unsure)
	}
	t.Logf("%d deaths, %d messages, each under a key of its own", m.deaths, messages)
}
