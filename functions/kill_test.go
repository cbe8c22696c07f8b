package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/store/storetest"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// The size of the kill test. On a storage account, the work that a killed
// process had in hand waits for the length of a lease.
const (
	killFlows          = 200
	killFlowsInAccount = 40
	killParallel       = 8
	killEvery          = 24 // at most so many starts and answers between two kills
)

func TestKilledAtRandomNothingIsLostOrDoneTwice(t *testing.T) {
	killAtRandom(t, killFlows)
}

func TestKilledAtRandomNothingIsLostInTheStorageAccount(t *testing.T) {
	killAtRandom(t, killFlowsInAccount, inAzurite(azuritetest.Shared(t))...)
}

// killAtRandom runs verifications and kills the process about once for eight of
// them.
func killAtRandom(t *testing.T, flows int, env ...string) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	tw := twiliotest.New(t)
	p := newProcess(t, tw, append(env, "SmsVerifySends=5", "SmsVerifyTries=10", "TwilioTimeout=5s", "MaxTries=20")...)
	p.start()
	k := newKiller(p, seed, killEvery)
	inParallel(killParallel, flows, func(n int) { k.verify(tw, n) })
	k.stop()

	unlucky := 0
	for n := range flows {
		switch s, _ := p.status(flowID(n)); s.Output.Outcome {
		case "verified":
		case "undeliverable": // interrupted as often as sending is allowed
			unlucky++
		default:
			t.Errorf("flow %d ended as %+v", n, s)
		}
	}
	if unlucky > flows/10 {
		t.Errorf("%d verifications were interrupted too often to be a test of anything", unlucky)
	}
	if err := p.end(os.Interrupt); err != nil {
		t.Errorf("the last stop: %v", err)
	}
	sent := inspectFlows(p, flows, tw)
	if v := tw.Violations(); len(v) > 0 {
		t.Errorf("Twilio would have refused: %q", v)
	}
	t.Logf("%d verifications, %d kills, %d messages", flows, k.killed(), sent)
	if k.killed() < flows/20 {
		t.Errorf("only %d kills", k.killed())
	}
}

// killer kills the process again and again, after a random number of ticks.
type killer struct {
	p      *process
	every  int // at most so many ticks
	random *rand.Rand
	ticks  chan struct{}
	done   chan struct{}
	kills  atomic.Int64
}

// killed returns how often the process was killed so far.
func (k *killer) killed() int { return int(k.kills.Load()) }

// newKiller begins to kill the process. No tick is lost while the process runs, so that there
// are as many kills as the requests are good for, in whatever order they come.
func newKiller(p *process, seed uint64, every int) *killer {
	k := &killer{p: p, every: every, random: rand.New(rand.NewPCG(seed, 0)), ticks: make(chan struct{}, 1000), done: make(chan struct{})}
	go k.run()
	return k
}

// stop returns when nothing is killed any more.
func (k *killer) stop() {
	close(k.ticks)
	<-k.done
}

func (k *killer) run() {
	defer close(k.done)
	for {
		for range 1 + k.random.IntN(k.every) {
			if _, more := <-k.ticks; !more {
				return
			}
		}
		k.p.kill()
		k.kills.Add(1)
		k.p.start()
		k.forget()
	}
}

// forget takes no heed of the ticks of those who asked while the process did not run.
func (k *killer) forget() {
	for {
		select {
		case _, more := <-k.ticks:
			if !more {
				return
			}
		default:
			return
		}
	}
}

// tick says that something happened after which the process may be killed.
func (k *killer) tick() {
	select {
	case k.ticks <- struct{}{}:
	default:
	}
}

// inParallel runs something for each number below n, so many at a time.
func inParallel(atOnce, n int, run func(n int)) {
	numbers := make(chan int)
	var wait sync.WaitGroup
	for range atOnce {
		wait.Go(func() {
			for n := range numbers {
				run(n)
			}
		})
	}
	for n := range n {
		numbers <- n
	}
	close(numbers)
	wait.Wait()
}

func (k *killer) request(method, path, body string) (int, []byte) {
	k.tick()
	return k.p.request(method, path, body)
}

func flowID(n int) string { return fmt.Sprintf("flow-%04d", n) }

func flowNumber(n int) string { return fmt.Sprintf("+447700%06d", n) }

// verify runs one verification to its end as a person would, typing the code
// that came last.
func (k *killer) verify(tw *twiliotest.Server, n int) {
	status, body := k.request(http.MethodPost, localPath+"/orchestrators/SmsVerify/"+flowID(n), `{"number":"`+flowNumber(n)+`"}`)
	if status != http.StatusAccepted && status != http.StatusConflict {
		k.p.t.Errorf("start %s: %d %s", flowID(n), status, body)
		return
	}
	for {
		s, code := k.p.status(flowID(n))
		switch {
		case code == http.StatusNotFound:
			k.p.t.Errorf("%s was accepted and is gone", flowID(n))
			return
		case s.ended():
			return
		case s.CustomStatus == nil:
			continue
		}
		messages, err := tw.Wait(k.p.t.Context(), flowNumber(n), 1)
		if err != nil {
			k.p.t.Error(err)
			return
		}
		k.request(http.MethodPost, localPath+"/instances/"+flowID(n)+"/raiseEvent/SmsChallengeResponse",
			`"`+codeIn(messages[len(messages)-1].Body)+`"`)
	}
}

// inspectFlows opens what the process left and checks the history of every flow
// against the rules and against the messages that were sent. It returns how many
// there were.
func inspectFlows(p *process, flows int, tw *twiliotest.Server) (sent int) {
	p.t.Helper()
	s := p.open()
	keys, err := openKeys(p.values())
	if err != nil {
		p.t.Fatal(err)
	}
	sealer, err := human.NewSealer(keys.codes)
	if err != nil {
		p.t.Fatal(err)
	}
	for n := range flows {
		events, err := s.History(p.t.Context(), flowID(n))
		if err != nil {
			p.t.Error(err)
			continue
		}
		if err := storetest.CheckHistory(events); err != nil {
			p.t.Errorf("%s: %v", flowID(n), err)
		}
		seals := map[engine.Sealed]int{}
		messages := tw.MessagesFor(flowNumber(n))
		for _, m := range messages {
			seals[sealer.SealCode(flowID(n), string(human.SmsChallengeResponse), human.CodeOf(codeIn(m.Body)))]++
		}
		inspectFlow(p.t, flowID(n), events, seals, len(messages))
		sent += len(messages)
	}
	return sent
}

// inspectFlow checks that no step sent more than one message: each message
// belongs to a call of the activity, and each result to one message.
func inspectFlow(t *testing.T, id string, events []history.Event, seals map[engine.Sealed]int, messages int) {
	t.Helper()
	calls := map[int32]bool{}
	var ends int
	for _, e := range events {
		switch {
		case e.Kind == history.TaskScheduled && e.Name == string(human.SmsChallenge):
			calls[e.ID] = true
		case e.Kind == history.TaskCompleted && calls[e.TaskID]:
			var receipt human.Receipt
			if err := json.Unmarshal(e.Result, &receipt); err != nil || seals[receipt.Code] != 1 {
				t.Errorf("%s: %d messages carry the code of step %d (%v)", id, seals[receipt.Code], e.TaskID, err)
			}
		case e.Kind == history.ExecutionCompleted:
			ends++
		}
	}
	if messages > len(calls) || ends != 1 {
		t.Errorf("%s: %d messages for %d steps, %d ends", id, messages, len(calls), ends)
	}
}

func TestDeadlineAndMessageSurviveAKill(t *testing.T) {
	tw := twiliotest.New(t)
	surviveKills(newProcess(t, tw), tw)
}

func TestDeadlineAndMessageSurviveAKillInTheStorageAccount(t *testing.T) {
	tw := twiliotest.New(t)
	p := newProcess(t, tw, inAzurite(azuritetest.Shared(t))...)
	surviveKills(p, tw)
	if left, err := os.ReadDir(p.folder); len(left) > 0 {
		t.Errorf("it left %v on this machine, %v", left, err)
	}
}

// surviveKills kills the process while it waits for an answer.
func surviveKills(p *process, tw *twiliotest.Server) {
	p.start()
	p.request(http.MethodPost, localPath+"/orchestrators/SmsVerify/a", `"`+number+`"`)
	var before status
	for before.CustomStatus == nil {
		before, _ = p.status("a")
	}
	for range 3 {
		p.kill()
		p.start()
		after, _ := p.status("a")
		if after.CustomStatus == nil || after.CustomStatus.Until != before.CustomStatus.Until {
			p.t.Fatalf("before the kill %+v, after it %+v", before, after)
		}
	}
	messages := tw.MessagesFor(number)
	if len(messages) != 1 {
		p.t.Fatalf("%d messages", len(messages))
	}
	p.request(http.MethodPost, localPath+"/instances/a/raiseEvent/SmsChallengeResponse", codeIn(messages[0].Body))
	if s, _ := p.status("a"); !s.Output.Verified || s.Output.Tries != 1 {
		p.t.Errorf("%+v", s)
	}
}
