package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

// A code that no clock, id or hash brings about by accident.
const code = "7350926481"

// sealedAs returns the last event of an instance with its payload.
func sealedAs(t *testing.T, h *hub, id string) history.Event {
	t.Helper()
	h.settle()
	events, err := h.History(h.ctx(), id)
	h.must(err)
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Kind == history.EventRaised {
			return events[i]
		}
	}
	t.Fatal("no event was raised")
	return history.Event{}
}

// wantSealed sends a payload and checks that its seal is what is written down.
func wantSealed(t *testing.T, h *hub, event string, payload client.Payload) {
	t.Helper()
	h.must(h.Raise(h.ctx(), "a", event, payload))
	want, _ := seal("a", event, payload.Body)
	if got := sealedAs(t, h, "a"); got.Name != event || !bytes.Equal(got.Input, want) {
		t.Errorf("%q as %q: recorded %q with %s, want %s", event, payload.MediaType, got.Name, got.Input, want)
	}
	if bytes.Contains(h.dump(), []byte(code)) {
		t.Errorf("%q as %q: the code is in the store", event, payload.MediaType)
	}
}

func TestASecretPayloadIsSealedWhateverItIsCalled(t *testing.T) {
	mediaTypes := []string{"", "application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense/", "\x00"}
	bodies := []string{code, `"` + code + `"`, " " + code + "\n", `{"code":"` + code, code + "\x00\xff"}
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(verify), "a", nil)
		for _, mediaType := range mediaTypes {
			for _, body := range bodies {
				wantSealed(t, h, string(secret), client.Payload{Body: []byte(body), MediaType: mediaType})
			}
		}
	})
}

// near misses of SmsChallengeResponse: another case and up to three letters
// put in, left out or changed.
var nearMisses = []string{
	"smschallengeresponse", "SMSCHALLENGERESPONSE", "smsCHALLENGEresponse",
	"SmsChallengeRespons", "SmsChallengeRespon", "SmsChallengeRespo",
	"SmsChallengeResponses", "xSmsChallengeResponse", "Sms-Challenge-Response", "Sms Challenge Response ",
	"SmsChalengeResponce", "SmsChallengeRezponze", "SMS_challenge_respons", "smsChallangeResponsé", "SmsChallengeResp0n5e!",
	"\tSmsChallengeResponse\r\n", "ChallengeResponse",
}

func TestNearMissesOfASecretEventAreSealedToo(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(verify), "a", nil)
		for _, name := range nearMisses {
			wantSealed(t, h, name, client.Payload{Body: []byte(`{"code":"` + code + `"}`), MediaType: "application/json"})
		}
		h.wantStatus("a", "Running")
	})
}

func TestWhatLooksLikeASecretIsSealedUnderAnyName(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(verify), "a", nil)
		for _, name := range []string{"{eventName}", "", "Code", "Something else"} {
			for _, mediaType := range []string{"application/json", "text/plain"} {
				wantSealed(t, h, name, client.Payload{Body: []byte(code), MediaType: mediaType})
			}
		}
	})
}

func TestOtherEventsOfAnInstanceWithSecretsAreLeftAlone(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(verify), "a", nil)
		for _, name := range []string{string(note), "", "SmsChallengeRe", "SmsChallengeResponse1234", "{eventName}", "esnopseRegnellahCsmS"} {
			h.must(h.raise("a", name, `{"fine":true}`))
			if got := sealedAs(t, h, "a"); got.Name != name || string(got.Input) != `{"fine":true}` {
				t.Errorf("%q: recorded %q with %s", name, got.Name, got.Input)
			}
			wantError(t, name, h.raise("a", name, `{`), client.ErrBadPayload)
		}
	})
}

// Three letters of three are not a slip: what a short name is not meant by must
// not be sealed, because nobody could read it any more.
func TestShortSecretNamesSwallowNoOtherEvents(t *testing.T) {
	for _, names := range [][2]string{{"Pin", "Yes"}, {"OTP", "Ack"}, {"Code", "Done"}, {"Code", "Note"}, {"Token", "Total"}} {
		declared := func(o *client.Options) { o.Secret = func(string) []string { return names[:1] } }
		h := newHub(t, onStore, declared)
		_, err := h.Start(h.ctx(), string(approve), "a", nil)
		h.must(err)
		h.must(h.raise("a", names[1], `{"fine":true}`))
		if got := sealedAs(t, h, "a"); string(got.Input) != `{"fine":true}` {
			t.Errorf("beside %q, the payload of %q became %s", names[0], names[1], got.Input)
		}
	}
}

// Only an instance that has secret events is suspected of being sent one.
func TestInstancesWithoutSecretsAreSuspectedOfNothing(t *testing.T) {
	never := func(o *client.Options) {
		o.Suspect = func([]byte) bool { panic("asked") }
		o.Seal = func(string, string, []byte) (json.RawMessage, error) { panic("asked") }
	}
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(approve), "a", nil)
		h.must(h.raise("a", string(secret), code))
		h.must(h.raise("a", "Approval", code))
		h.wantOutput("a", code)
	}, never)
}

func TestSecretsAreGuardedFromTheStartAndDuringARest(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		_, err := h.Start(h.ctx(), string(verify), "a", nil) // on a bare store it is Pending now
		h.must(err)
		wantSealed(t, h, string(secret), client.Payload{Body: []byte(code)})
		h.must(h.Suspend(h.ctx(), "a", ""))
		h.settle()
		wantSealed(t, h, string(secret), client.Payload{Body: []byte(code)})
	})
}

// Fifty instances get the code under names and forms that people might use.
func TestNoSecretReachesTheStore(t *testing.T) {
	names := append([]string{string(secret), "{eventName}", "Code"}, nearMisses...)
	everywhere(t, func(t *testing.T, h *hub) {
		for n := range 50 {
			id := fmt.Sprintf("flow-%d", n)
			_, err := h.Start(h.ctx(), string(verify), id, nil)
			h.must(err)
			for i, name := range names {
				body := []string{code, `"` + code + `"`}[(n+i)%2]
				h.must(h.Raise(h.ctx(), id, name, client.Payload{Body: []byte(body), MediaType: "text/plain"}))
			}
			if n%2 == 0 {
				h.settle()
			}
		}
		h.must(h.raise("flow-1", string(note), `"harmless text"`))
		all := h.dump()
		if !bytes.Contains(all, []byte("harmless text")) {
			t.Error("the search would not find it")
		}
		if at := bytes.Index(all, []byte(code)); at >= 0 {
			t.Errorf("the code is in the store, behind %q", all[max(at-100, 0):at])
		}
	})
}

func TestWithoutASealNoSecretIsTaken(t *testing.T) {
	without := func(o *client.Options) { o.Seal = nil }
	everywhere(t, func(t *testing.T, h *hub) {
		h.bring("Running", "open")
		h.must(h.raise("open", "Approval", code)) // has no secrets, needs no seal
		h.begin(string(verify), "a", nil)
		before := h.get("a")
		for _, name := range append([]string{string(secret), "{eventName}"}, nearMisses...) {
			wantError(t, name, h.raise("a", name, code), client.ErrNoSeal)
			wantError(t, name, h.Raise(h.ctx(), "a", name, client.Payload{Body: []byte(code), MediaType: "text/plain"}), client.ErrNoSeal)
		}
		wantError(t, "unknown", h.raise("b", string(secret), code), client.ErrNotFound)
		h.settle()
		if after := h.get("a"); after.Version != before.Version {
			t.Errorf("%+v became %+v", before, after)
		}
		h.must(h.raise("a", string(note), `{"fine":true}`))
		h.must(h.Terminate(h.ctx(), "a", ""))
		h.settle()
		wantError(t, "ended", h.raise("a", string(secret), code), client.ErrFinished)
	}, without)
}

func TestWhatTheSealSaysIsPassedOn(t *testing.T) {
	lost := errors.New("the key is lost")
	failing := func(o *client.Options) {
		o.Seal = func(string, string, []byte) (json.RawMessage, error) { return nil, lost }
	}
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(verify), "a", nil)
		before := h.get("a")
		err := h.raise("a", string(secret), code)
		wantError(t, "raise", err, lost)
		if strings.Contains(err.Error(), code) {
			t.Errorf("the code is in the error: %v", err)
		}
		h.settle()
		if after := h.get("a"); after.Version != before.Version {
			t.Errorf("%+v became %+v", before, after)
		}
	}, failing)
}

// A client without a registry knows from the instance what is secret, and must
// not forget it by a restart.
func TestRestartKeepsTheSecretEventsOfTheInstance(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(verify), "a", nil)
		h.must(h.Terminate(h.ctx(), "a", ""))
		h.settle()
		stranger := client.New(h.store, client.Options{})
		_, err := stranger.Restart(h.ctx(), "a", false)
		h.must(err)
		h.settle()
		err = stranger.Raise(h.ctx(), "a", string(secret), client.Payload{Body: []byte(code)})
		wantError(t, "raise", err, client.ErrNoSeal)
		if bytes.Contains(h.dump(), []byte(code)) {
			t.Error("the code is in the store")
		}
	})
}

// An orchestration that declares more than it did when the instance began has
// it guarded from the next run on.
func TestRestartGuardsWhatTheOrchestrationDeclaresNow(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		_, err := client.New(h.store, client.Options{}).Start(h.ctx(), string(verify), "a", nil)
		h.must(err)
		h.settle()
		h.must(h.Terminate(h.ctx(), "a", ""))
		h.settle()
		_, err = h.Restart(h.ctx(), "a", false)
		h.must(err)
		h.settle()
		wantSealed(t, h, string(secret), client.Payload{Body: []byte(code)})
	})
}
