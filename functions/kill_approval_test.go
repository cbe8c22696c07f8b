package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/store/storetest"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// killPoints is at how many random points the process is killed: as many as
// HOLDFAST_KILLS says.
var killPoints = func() int {
	n, _ := strconv.Atoi(os.Getenv("HOLDFAST_KILLS"))
	if raceEnabled {
		return cmp.Or(n, 25)
	}
	return cmp.Or(n, 200)
}()

// Two people decide on each request, one after the other, by their links, while the
// process is killed at random: each decision is taken, and none of them twice.
func TestKilledAtRandomNoDecisionIsLostOrTakenTwice(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	tw := twiliotest.New(t)
	p := newProcess(t, tw, "TwilioTimeout=5s", "MaxTries=20") // many deaths, and none is the fault of what it meets
	p.start()
	k := newKiller(p, seed, 6)
	var begun atomic.Int64
	inParallel(killParallel, killParallel, func(int) {
		for k.killed() < killPoints && !t.Failed() {
			k.approve(tw, int(begun.Add(1)))
		}
	})
	k.stop()
	if err := p.end(os.Interrupt); err != nil {
		t.Errorf("the last stop: %v", err)
	}
	inspectDecisions(p, int(begun.Load()))
	t.Logf("%d approvals, %d kills", begun.Load(), k.killed())
}

// inspectDecisions opens what the process left: each request has a history that is
// whole, in which two decisions were taken, whatever came beside them.
func inspectDecisions(p *process, requests int) {
	p.t.Helper()
	s := p.open()
	for n := range requests {
		past, err := s.History(p.t.Context(), requestID(n+1))
		if err := errors.Join(err, storetest.CheckHistory(past)); err != nil {
			p.t.Errorf("%s: %v", requestID(n+1), err)
		}
		taken := 0
		for _, e := range past {
			if e.Kind == history.EventRaised && e.Name == string(approval.ApprovalDecision) && (e.Verdict == nil || e.Verdict.Outcome == history.Taken) {
				taken++
			}
		}
		if taken != 2 {
			p.t.Errorf("%s took %d decisions", requestID(n+1), taken)
		}
	}
}

func requestID(n int) string { return fmt.Sprintf("request-%04d", n) }

// deciders returns who decides on the nth request: their phones.
func deciders(n int) []string {
	return []string{fmt.Sprintf("+447701%06d", n), fmt.Sprintf("+447702%06d", n)}
}

// approve lets one request be decided, and checks how it ended.
func (k *killer) approve(tw *twiliotest.Server, n int) {
	t, id := k.p.t, requestID(n)
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
