package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// Under the Functions host a release is started with the host's key, and let through by
// the links in text messages, without any.
func TestAReleaseIsLetThroughUnderTheFunctionsHost(t *testing.T) {
	tw := twiliotest.New(t)
	o := hostOptions(t, tw)
	o.Settings[settings.ReleaseApprovers], o.Settings[settings.ReleaseVeto] = "ann@example.org,bob@example.org", "sam@example.org"
	o.Settings[settings.ApproverPhones] = "ann@example.org=+447700900201,bob@example.org=+447700900202,sam@example.org=+447700900203,rex@example.org=+447700900204"
	h := underHost(t, o)
	if status, answer := h.do("POST", h.URL()+releasePath, aRelease); status != http.StatusUnauthorized {
		t.Errorf("without a key: %d %s", status, answer)
	}
	status, answer := h.do("POST", h.URL()+releasePath+"?code="+h.FunctionKey(), aRelease)
	var a asked
	if err := json.Unmarshal(answer, &a); err != nil || status != http.StatusAccepted {
		t.Fatalf("%d %s", status, answer)
	}
	for _, phone := range []string{"+447700900201", "+447700900202"} {
		h.approves(tw, phone)
	}
	for {
		status, answer := h.do("GET", a.StatusQueryGetURI, "")
		if status == http.StatusOK {
			if !strings.Contains(string(answer), `"outcome":"approved"`) {
				t.Errorf("%s", answer)
			}
			return
		}
	}
}

// approves opens the link that a phone was sent, and approves.
func (h *hosted) approves(tw *twiliotest.Server, phone string) {
	h.t.Helper()
	messages, err := tw.Wait(h.t.Context(), phone, 1)
	if err != nil {
		h.t.Fatal(err)
	}
	link, token, _ := strings.Cut(linkIn(messages[0].Body), "#")
	if status, answer := h.do("GET", link, ""); status != http.StatusOK || !strings.Contains(string(answer), "Shop 2.4") {
		h.t.Errorf("the page: %d %s", status, answer)
	}
	w, err := http.PostForm(link, url.Values{"token": {token}, "verb": {"approve"}})
	if err != nil {
		h.t.Fatal(err)
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusOK {
		h.t.Errorf("the answer: %d", w.StatusCode)
	}
}
