package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// killApprovals is how many approvals there are: as many as HOLDFAST_KILL_FLOWS says.
var killApprovals = func() int {
	n, _ := strconv.Atoi(os.Getenv("HOLDFAST_KILL_FLOWS"))
	return cmp.Or(n, 60)
}()

// Two people decide on each request, one after the other, by their links, while the
// process is killed at random: each decision is taken, and none of them twice.
func TestKilledAtRandomNoDecisionIsLostOrTakenTwice(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	tw := twiliotest.New(t)
	p := newProcess(t, tw, "TwilioTimeout=5s", "MaxTries=20") // many deaths, and none is the fault of what it meets
	p.start()
	k := newKiller(p, seed, 12)
	inParallel(killParallel, killApprovals, func(n int) { k.approve(tw, n) })
	k.stop()
	if k.kills < killApprovals/20 {
		t.Errorf("only %d kills", k.kills)
	}
	t.Logf("%d approvals, %d kills", killApprovals, k.kills)
}

// deciders returns who decides on the nth request: their phones.
func deciders(n int) []string {
	return []string{fmt.Sprintf("+447701%06d", n), fmt.Sprintf("+447702%06d", n)}
}

// approve lets one request be decided, and checks how it ended.
func (k *killer) approve(tw *twiliotest.Server, n int) {
	t, id := k.p.t, fmt.Sprintf("request-%04d", n)
	body := fmt.Sprintf(`{"requester":"+447703%06d","content":{"title":"Request %d"},"policy":{"name":"both","stages":[
		{"name":"one","rules":[{"of":[%q]}],"deadline":"24h"},{"name":"two","rules":[{"of":[%q]}],"deadline":"24h"}]}}`, n, n, deciders(n)[0], deciders(n)[1])
	if status, answer := k.request(http.MethodPost, localPath+"/orchestrators/ReleaseGate/"+id, body); status != http.StatusAccepted && status != http.StatusConflict {
		t.Errorf("start %s: %d %s", id, status, answer)
		return
	}
	for _, phone := range deciders(n) {
		messages, err := tw.Wait(t.Context(), phone, 1)
		if err != nil {
			t.Error(err)
			return
		}
		at, token, _ := strings.Cut(linkIn(messages[0].Body), "#")
		k.tick()
		// Whoever got no answer, as the process was killed, asks again.
		status, page := k.p.requestAs("application/x-www-form-urlencoded", http.MethodPost, strings.TrimPrefix(at, "http://"+k.p.address), url.Values{"token": {token}, "verb": {"approve"}}.Encode())
		if status != http.StatusOK && status != http.StatusConflict {
			t.Errorf("%s: %d %s", id, status, page)
			return
		}
	}
	k.checkDecisions(n, id)
}

// checkDecisions waits for the end of a request, and holds what was recorded to who
// decided.
func (k *killer) checkDecisions(n int, id string) {
	for {
		_, answer := k.p.request(http.MethodGet, localPath+"/instances/"+id, "")
		var s struct {
			RuntimeStatus string
			Output        json.RawMessage
		}
		if err := json.Unmarshal(answer, &s); err != nil {
			k.p.t.Errorf("%s: %v: %s", id, err, answer)
			return
		}
		if s.RuntimeStatus == "Running" || s.RuntimeStatus == "Pending" {
			continue
		}
		var e approval.Ending
		_ = json.Unmarshal(s.Output, &e) // what it is otherwise is shown
		if e.Outcome != approval.Approved || len(e.Decisions) != 2 || e.Decisions[0].By != deciders(n)[0] || e.Decisions[1].By != deciders(n)[1] {
			k.p.t.Errorf("%s ended: %s", id, answer)
		}
		return
	}
}
