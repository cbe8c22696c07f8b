package human_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store"
)

// A million guesses by 200 who guess at the same time: five are compared, and the
// rest is not heard. With the race detector it is a hundredth of that.
func TestHoweverManyGuessAsManyAreComparedAsAllowed(t *testing.T) {
	guesses, workers := 1_000_000, 200
	if raceEnabled {
		guesses /= 100
	}
	limits := longCodes()
	limits.Tries = 5
	d := newDesk(t, limits)
	d.begin("a", number)
	var late, taken atomic.Int64
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for n := range guesses / workers {
				err := d.client.Raise(t.Context(), "a", response, client.Payload{Body: fmt.Appendf(nil, "1%04d%05d", w, n)})
				switch {
				case err == nil:
					taken.Add(1)
				case errors.Is(err, client.ErrFinished):
					late.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	d.settle()
	d.wantEnd("a", human.Verification{Outcome: human.TooManyTries, Tries: 5})
	if taken.Load()+late.Load() != int64(guesses/workers*workers) || late.Load() == 0 {
		t.Errorf("%d taken, %d late of %d", taken.Load(), late.Load(), guesses)
	}
}

// What was tried stays tried, however often a worker begins anew that remembers
// nothing: a thousand times, before every guess, and every twentieth time the store is
// opened again too.
func TestARestartGivesNoTryBack(t *testing.T) {
	restarts := 0
	limits := longCodes()
	limits.Tries = human.MaxTries
	d := newDesk(t, limits)
	for restarts < restartsTested {
		id := fmt.Sprint("a", restarts)
		d.begin(id, number)
		for range limits.Tries {
			if restarts++; restarts%20 == 0 {
				d.open(limits)
			} else {
				d.work(limits)
			}
			d.answer(id, wrong(d.sent()))
		}
		d.wantEnd(id, human.Verification{Outcome: human.TooManyTries, Tries: limits.Tries})
	}
}

// typedAs are ways in which people and programs send a code.
var typedAs = []struct{ form, kind string }{
	{"%s", "text/plain"}, {`"%s"`, "application/json"}, {"%s", "application/json"}, {`" %s"`, "application/json; charset=utf-8"}, {"%s\n", "text/plain"},
}

// All codes of six digits that begin with a zero verify as they are typed, over HTTP;
// without HOLDFAST_THREATS=full it is every tenth row of fifty. What is not real is who
// chooses the code.
func TestEveryCodeThatBeginsWithAZeroCanBeTyped(t *testing.T) {
	d := newDesk(t, usual)
	r := engine.NewRegistry()
	engine.AddOrchestrator(r, verifyAll, func(ctx *engine.Context, codes []string) (verified []human.Verification, err error) {
		limits := usual
		for _, code := range codes {
			v, err := human.VerifyPhone(ctx, human.Request{Number: "+44770" + code, Limits: &limits})
			if err != nil {
				return nil, err
			}
			verified = append(verified, v)
		}
		return verified, nil
	}, engine.SecretEvent(human.SmsChallengeResponse))
	engine.AddActivity(r, human.SmsChallenge, func(ctx context.Context, c human.Challenge) (human.Receipt, error) {
		code := human.CodeOf(c.Number[len(c.Number)-c.Digits:])
		return human.Receipt{Code: d.sealer.SealCode(engine.CallOf(ctx).Instance, response, code)}, nil
	}, engine.AtMostOnce())
	d.worker = dispatch.New(d.store, r, dispatch.Options{Now: d.Now, Logger: slog.New(slog.DiscardHandler)})
	d.client = client.New(d.worker.Instances(), client.Options{Secret: r.SecretEvents, Seal: d.sealer.Seal, Suspect: human.LooksLikeCode, Now: d.Now})
	api, err := httpapi.New(d.client, httpapi.Options{URL: "http://localhost"})
	d.must(err)

	var wait sync.WaitGroup
	const typists = 20
	step := zeroCodes * zeroCodesStep()
	for n := range typists {
		wait.Go(func() {
			for first := n * step; first < 100_000; first += typists * step {
				typeCodes(t, d.client, api, first)
			}
		})
	}
	wait.Wait()
	d.settle()
	for first := 0; first < 100_000; first += step {
		wantAllVerified(t, d.get(fmt.Sprintf("zero-%06d", first)))
	}
}

const (
	verifyAll engine.Orchestrator[[]string, []human.Verification] = "VerifyAll"
	// zeroCodes is how many codes an instance has, one after the other.
	zeroCodes = 50
)

// zeroCodesStep is of how many rows of codes one is typed.
func zeroCodesStep() int {
	switch {
	case raceEnabled:
		return 50
	case os.Getenv("HOLDFAST_THREATS") == "full":
		return 1
	}
	return 10
}

// typeCodes begins verifications of the codes from first on and types them.
func typeCodes(t *testing.T, c *client.Client, api http.Handler, first int) {
	var codes []string
	for n := range zeroCodes {
		codes = append(codes, fmt.Sprintf("%06d", first+n))
	}
	id := "zero-" + codes[0]
	if _, err := c.Start(t.Context(), string(verifyAll), id, codes); err != nil {
		t.Error(err)
	}
	for n, code := range codes {
		as := typedAs[n%len(typedAs)]
		q := httptest.NewRequest("POST", "/instances/"+id+"/raiseEvent/"+response, strings.NewReader(fmt.Sprintf(as.form, code)))
		q.Header.Set("Content-Type", as.kind)
		w := httptest.NewRecorder()
		if api.ServeHTTP(w, q); w.Code != http.StatusAccepted {
			t.Errorf("%s typed as %q: %d %s", code, as.form, w.Code, w.Body)
		}
	}
}

// wantAllVerified checks that each code of an instance was taken at the first try.
func wantAllVerified(t *testing.T, in store.Instance) {
	t.Helper()
	var all []human.Verification
	if err := json.Unmarshal(in.Output, &all); err != nil || len(all) != zeroCodes {
		t.Errorf("%s is %s: %v", in.ID, in.Status, err)
	}
	for n, v := range all {
		if want := (human.Verification{Verified: true, Outcome: human.Verified, Tries: 1}); v != want {
			t.Errorf("%s and %d: %+v", in.ID, n, v)
		}
	}
}
