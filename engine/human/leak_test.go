package human_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/canary"
)

// wantNone checks that no secret is to be found in what is kept and said.
func wantNone(t *testing.T, d *desk, secrets []string) {
	t.Helper()
	all := d.everything()
	if !strings.Contains(all, "SmsChallengeResponse") || !strings.Contains(all, "level=DEBUG") {
		t.Fatal("the search would not find anything")
	}
	for _, around := range finderOf(t, secrets).In([]byte(all)) {
		t.Errorf("a code is kept: %q", around)
	}
}

// finderOf finds secrets in each form that people give them.
func finderOf(t *testing.T, secrets []string) *canary.Finder {
	t.Helper()
	f := canary.New()
	for _, secret := range secrets {
		f.Add(t, secret, secret[:5]+" "+secret[5:], secret[:5]+"-"+secret[5:])
	}
	return f
}

// In fifty verifications, with all that goes wrong in them, no code is ever
// kept: neither one that was sent nor one that was guessed.
func TestNoCodeIsEverKept(t *testing.T) {
	d := newDesk(t, longCodes())
	var secrets []string
	d.phone.fail = func(n int, _ string) error {
		return []error{nil, failure{human.KindUnknown, "it may have come through"}, nil, failure{human.KindUnavailable, "busy"}}[n%4]
	}
	names := []string{response, "smsChallengeResponse", "SmsChallengeRespons", "{eventName}", "Code"}
	for n := range 50 {
		id, to := fmt.Sprintf("flow-%d", n), fmt.Sprintf("+44770%05d", n)
		d.begin(id, human.Request{Number: to})
		d.pass(10 * time.Second)
		d.pass(20 * time.Second)
		codes := d.phone.codes(to)
		last := codes[len(codes)-1]
		guesses := slices.Concat(codes, []string{wrong(last)})
		for i, guess := range guesses[:n%len(guesses)] {
			form := []string{`%s`, `"%s"`, " %s\n", `{"code":"%s"}`}[(n+i)%4]
			name := names[(n/2+i)%len(names)]
			if strings.HasPrefix(form, "{") {
				name = names[i%2]
			}
			err := d.client.Raise(d.ctx(), id, name, client.Payload{Body: fmt.Appendf(nil, form, guess), MediaType: "text/plain"})
			if err != nil && !errors.Is(err, client.ErrFinished) {
				t.Error(err)
			}
		}
		switch n % 4 {
		case 0:
			_ = d.late.Raise(d.ctx(), id, response, client.Payload{Body: []byte(last[:5] + " " + last[5:])}) // it may have ended
		case 1:
			d.pass(10 * time.Minute)
		case 2:
			for range usual.Tries {
				_ = d.late.Raise(d.ctx(), id, response, client.Payload{Body: []byte(`"` + wrong(last) + `"`)}) // likewise
			}
		}
		if n%10 == 0 {
			d.open(longCodes())
		}
		secrets = append(secrets, guesses...)
	}
	d.settle()
	if len(secrets) < 100 {
		t.Errorf("only %d codes", len(secrets))
	}
	wantNone(t, d, secrets)
	wantNoneShown(t, d, secrets)
}

// wantNoneShown looks for secrets in what the management API tells.
func wantNoneShown(t *testing.T, d *desk, secrets []string) {
	t.Helper()
	api, err := httpapi.New(d.client, httpapi.Options{URL: "http://localhost"})
	d.must(err)
	outcomes, codes := map[human.Outcome]int{}, finderOf(t, secrets)
	for n := range 50 {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", fmt.Sprintf("/instances/flow-%d?showHistory=true&showHistoryOutput=true", n), nil))
		var body struct{ Output *human.Verification }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Errorf("%v: %s", err, w.Body)
		}
		if body.Output != nil {
			outcomes[body.Output.Outcome]++
		}
		for _, around := range codes.In(w.Body.Bytes()) {
			t.Errorf("a code is shown: %q", around)
		}
	}
	for _, outcome := range []human.Outcome{human.Verified, human.TooManyTries, human.Expired} {
		if outcomes[outcome] == 0 {
			t.Errorf("of 50 verifications none was %s: %v", outcome, outcomes)
		}
	}
}

// What a messenger says of a failure may quote the message, as the errors of
// HTTP clients do.
func TestAMessengerThatQuotesTheMessageGivesNoCodeAway(t *testing.T) {
	for name, fail := range map[string]func(n int, body string) error{
		"error": func(_ int, body string) error { return fmt.Errorf("POST %q: connection refused", body) },
		"kind":  func(_ int, body string) error { return failure{human.KindUndeliverable, "not sent: " + body} },
		"panic": func(_ int, body string) error { panic("cannot send " + body) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, longCodes())
			d.phone.fail = fail
			d.begin("a", number)
			d.pass(10 * time.Second)
			d.pass(20 * time.Second)
			if in := d.get("a"); !in.Status.IsTerminal() {
				t.Errorf("%s", in.Status)
			}
			wantNone(t, d, d.phone.codes(number))
		})
	}
}

// Whoever typed too many wrong codes, or a right one too late, learns nothing.
func TestTheOutcomeDoesNotTellTheCode(t *testing.T) {
	d := newDesk(t, longCodes())
	d.begin("a", number)
	for range usual.Tries {
		d.answer("a", wrong(d.sent()))
	}
	d.wantEnd("a", human.Verification{Outcome: human.TooManyTries, Tries: usual.Tries})
	wantNone(t, d, []string{d.sent(), wrong(d.sent())})
}
