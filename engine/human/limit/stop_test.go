package limit_test

import (
	"context"
	"log/slog"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/limit"
)

// halting is a gate whose process is stopped while the first is asked: before the ledgers
// are, or when they have answered and nobody hears it any more.
type halting struct {
	gate    *limit.Gate
	after   bool
	once    sync.Once
	asked   chan struct{}
	refusal error // of the last
}

// Admit asks the gate.
func (h *halting) Admit(ctx context.Context, s human.Sending) (told []human.Account, refused *human.Refusal, err error) {
	first := false
	h.once.Do(func() { first = true })
	if first && h.after {
		if _, _, err := h.gate.Admit(ctx, s); err != nil {
			return nil, nil, err
		}
	}
	if first {
		until, cancel := engine.UntilStop(ctx)
		defer cancel()
		close(h.asked)
		<-until.Done()
	}
	if first && h.after {
		return nil, nil, engine.ErrStopping
	}
	told, refused, err = h.gate.Admit(ctx, s)
	h.refusal = err
	return told, refused, err
}

// inbox keeps what a phone is sent.
type inbox struct{ messages []string }

// Send keeps a message.
func (i *inbox) Send(_ context.Context, _, body string) error {
	i.messages = append(i.messages, body)
	return nil
}

// verifying makes the office one that sends codes, by way of a gate.
func (f *office) verifying(gate human.Gate, phone human.Messenger, limits human.Limits) {
	f.t.Helper()
	sealer, err := human.NewSealer(make([]byte, human.KeySize))
	f.must(err)
	r := engine.NewRegistry()
	limit.Add(r)
	engine.AddOrchestrator(r, verify, human.VerifyPhone, engine.SecretEvent(human.SmsChallengeResponse))
	human.AddPhoneVerification(r, phone, sealer, limits, human.Behind(gate))
	f.worker = dispatch.New(f.store, r, dispatch.Options{Now: f.clock.Now, Logger: slog.New(slog.DiscardHandler), Grace: time.Hour})
	f.client = client.New(f.worker.Instances(), client.Options{Now: f.clock.Now, Secret: r.SecretEvents, Seal: sealer.Seal})
	f.gate.Use(f.client)
}

// A process that is stopped while it asks whether a code may be sent does not wait for the
// ledgers, which have no turns then. The next process asks, which is no other try, and
// counts the code once.
func TestAStopLeavesTheAskingToTheNextProcess(t *testing.T) {
	limits := human.Limits{Timeout: human.Duration(5 * time.Minute), Tries: 5, Digits: 6, Sends: 1, ResendDelay: human.Duration(time.Minute)}
	for name, after := range map[string]bool{"before the ledgers are asked": false, "when they have answered": true} {
		t.Run(name, func(t *testing.T) {
			o := usual()
			o.PhoneHourly, o.PhoneFailures = 2, 10
			f := newOffice(t, o)
			phone, h := &inbox{}, &halting{gate: f.gate, after: after, asked: make(chan struct{})}
			f.verifying(h, phone, limits)
			ctx, stop := context.WithCancel(t.Context())
			stopped := make(chan error, 1)
			go func() { stopped <- f.worker.Run(ctx) }()
			_, err := f.client.Start(t.Context(), string(verify), "a", human.Request{Number: number})
			f.must(err)
			<-h.asked
			stop()
			f.must(<-stopped)
			in, err := f.client.Get(t.Context(), "a")
			f.must(err)
			if in.Status != history.Running || len(phone.messages) != 0 || !after && engine.KindOf(h.refusal) != engine.KindStopping {
				t.Fatalf("%s with %s, %d messages, %v", in.Status, in.Output, len(phone.messages), h.refusal)
			}
			f.open()
			h.gate = f.gate
			f.verifying(h, phone, limits)
			f.pass(time.Second)
			f.pass(0)
			if len(phone.messages) != 1 {
				t.Fatalf("%d messages", len(phone.messages))
			}
			f.want(1, limit.Failures, human.Sending{}) // the code was counted once, and so were its tries
			f.must(f.client.Raise(t.Context(), "a", string(human.SmsChallengeResponse), client.Payload{Body: []byte(code.FindString(phone.messages[0]))}))
			f.pass(0)
			if in, err = f.client.Get(t.Context(), "a"); err != nil || in.Status != history.Completed {
				t.Errorf("%s %v", in.Status, err)
			}
		})
	}
}

var code = regexp.MustCompile(`\d{6}`)
