package client_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
)

func TestRaiseChecksTheInstanceBeforeThePayload(t *testing.T) {
	const ok, form = "application/json", "application/x-www-form-urlencoded"
	tests := []struct {
		status, mediaType, body string
		want                    error
	}{
		{"unknown", ok, `1`, client.ErrNotFound},
		{"unknown", form, `{`, client.ErrNotFound},
		{"Completed", form, `{`, client.ErrFinished},
		{"Failed", form, `{`, client.ErrFinished},
		{"Terminated", form, `{`, client.ErrFinished},
		{"Completed", ok, `1`, client.ErrFinished},
		{"Pending", form, `{`, client.ErrMediaType},
		{"Running", form, `{`, client.ErrMediaType},
		{"Suspended", form, `{`, client.ErrMediaType},
		{"Running", form, `1`, client.ErrMediaType},
		{"Running", form, ``, client.ErrMediaType},
		{"Pending", ok, `{`, client.ErrBadPayload},
		{"Running", ok, `{`, client.ErrBadPayload},
		{"Suspended", ok, `{`, client.ErrBadPayload},
	}
	everywhere(t, func(t *testing.T, h *hub) {
		for _, status := range statuses {
			h.bring(status, status)
		}
		for _, test := range tests {
			err := h.Raise(h.ctx(), test.status, "Approval", client.Payload{Body: []byte(test.body), MediaType: test.mediaType})
			wantError(t, test.status+" "+test.mediaType+" "+test.body, err, test.want)
		}
		h.settle()
		for _, status := range statuses[:6] {
			h.wantStatus(status, status)
		}
	})
}

func TestRaiseTakesJSONOnly(t *testing.T) {
	mediaTypes := map[string]bool{
		"":                                 true,
		"application/json":                 true,
		"application/json; charset=utf-8":  true,
		"application/json;charset=UTF-8":   true,
		"Application/JSON":                 true,
		" application/json ; x=1":          true,
		"application/problem+json":         false,
		"application/jsonp":                false,
		"application":                      false,
		"text/json":                        false,
		"text/plain":                       false,
		"text/plain; x=\"application/json": false,
		"application/json, text/plain":     false,
		"multipart/form-data; boundary=x":  false,
		"\x00":                             false,
	}
	h := newHub(t, onWorker)
	for mediaType, ok := range mediaTypes {
		h.begin(string(approve), "a", nil)
		err := h.Raise(h.ctx(), "a", "Approval", client.Payload{Body: []byte(`1`), MediaType: mediaType})
		if ok && err != nil {
			t.Errorf("%q: %v", mediaType, err)
		}
		if !ok {
			wantError(t, mediaType, err, client.ErrMediaType)
			h.must(h.Terminate(h.ctx(), "a", ""))
		}
		h.settle()
	}
}

func TestAnEmptyPayloadIsNull(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		for id, body := range map[string][]byte{"none": nil, "empty": {}} {
			h.begin(string(approve), id, nil)
			h.must(h.Raise(h.ctx(), id, "Approval", client.Payload{Body: body}))
			h.wantOutput(id, `null`)
		}
	})
}

func TestAPayloadArrivesAsItWasSent(t *testing.T) {
	payloads := []string{
		`null`, `true`, `0`, `12345678901234567890`, `1e400`, `""`, `"é\u00e9\ud83d\udccf<"`,
		`[]`, `{}`, `{"a":1,"A":2}`, `[[[[1]]]]`, `"` + strings.Repeat("x", 100_000) + `"`,
	}
	everywhere(t, func(t *testing.T, h *hub) {
		for _, payload := range payloads {
			h.begin(string(approve), "a", nil)
			h.must(h.raise("a", "Approval", payload))
			h.settle()
			events, err := h.History(h.ctx(), "a")
			h.must(err)
			found := false
			for _, e := range events {
				found = found || e.Name == "Approval" && string(e.Input) == payload
			}
			if !found {
				t.Errorf("%.60s is not in %v", payload, events)
			}
		}
	})
}

func TestAPayloadThatIsNoJSONIsRefused(t *testing.T) {
	payloads := []string{" ", "\n", "x", `{`, `{"a":}`, `1 2`, `'x'`, `{a:1}`, `[1,]`, "\"a\nb\"", "\xef\xbb\xbf1", `NaN`, `01`, "\x00", `{"a":1,"a":2}`, `[{"b":[{"\u0061":1,"a":2}]}]`, strings.Repeat("[", 33) + strings.Repeat("]", 33)}
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(approve), "a", nil)
		before := h.get("a")
		for _, payload := range payloads {
			wantError(t, payload, h.raise("a", "Approval", payload), client.ErrBadPayload)
		}
		h.settle()
		if after := h.get("a"); after.Version != before.Version {
			t.Errorf("%+v became %+v", before, after)
		}
	})
}

// Whether anyone waits for an event yet makes no difference to its sender.
func TestAnEventIsKeptUntilItIsWaitedFor(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		_, err := h.Start(h.ctx(), string(verify), "a", nil)
		h.must(err)
		h.must(h.raise("a", string(secret), `"042117"`))
		h.must(h.raise("a", "not waited for", `{}`))
		h.must(h.raise("a", string(note), `{"euro":10}`))
		sealed, _ := seal("a", string(secret), []byte(`"042117"`))
		h.wantOutput("a", `["{\"euro\":10}",`+string(sealed)+`]`)
	})
}

func TestEventNamesMatchExactly(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(approve), "a", nil)
		for _, name := range []string{"approval", "APPROVAL", "Approval ", "Approva", "", "Ap/proval", "Größe 📏"} {
			h.must(h.raise("a", name, `"wrong"`))
			h.settle()
			h.wantStatus("a", "Running")
		}
		h.must(h.raise("a", "Approval", `"right"`))
		h.wantOutput("a", `"right"`)
	})
}

// Whoever is told that an event was taken finds it in the history, even if the
// instance ended at the same moment.
func TestAnEventThatRacesWithTheEndIsRecordedOrRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, h *hub) {
		h.begin(string(approve), "a", nil)
		var wait sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			wait.Go(func() { errs[i] = h.raise("a", "Approval", strconv.Itoa(i)) })
		}
		wait.Wait()
		h.settle()
		h.wantStatus("a", "Completed")
		events, err := h.History(h.ctx(), "a")
		h.must(err)
		recorded := map[string]bool{}
		for _, e := range events {
			if e.Kind == history.EventRaised {
				recorded[string(e.Input)] = true
			}
		}
		for i, err := range errs {
			if err != nil {
				wantError(t, "raise", err, client.ErrFinished)
			}
			if recorded[strconv.Itoa(i)] != (err == nil) {
				t.Errorf("event %d: error %v, recorded: %v", i, err, recorded[strconv.Itoa(i)])
			}
		}
	})
}
