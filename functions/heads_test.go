package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// decidedExpense is an expense that was rejected, and its last receipt.
func (s *site) decidedExpense() (a asked, last string) {
	s.t.Helper()
	a = s.ask(expensePath, anExpense)
	s.says(200, s.link(boss), "verb", "reject", "comment", "no")
	s.outcome(a)
	return a, s.want(200, "GET", localPath+"/instances/"+a.ID+"/receipt", "")
}

// runOf returns the run that a receipt is of.
func runOf(text string) string {
	_, run, _ := strings.Cut(text, `"execution":"`)
	run, _, _ = strings.Cut(run, `"`)
	return run
}

func TestAPurgeKeepsTheHeadOfTheReceipt(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	s := open(t, folder, true)
	env := []string{"DataFolder=" + folder, "Address=" + s.address}
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a := s.ask(expensePath, anExpense)
	s.link(boss)
	early := file("early", s.want(200, "GET", localPath+"/instances/"+a.ID+"/receipt", ""))
	s.want(202, "POST", localPath+"/instances/"+a.ID+"/terminate", "")
	s.outcome(a)
	text := s.want(200, "GET", localPath+"/instances/"+a.ID+"/receipt", "")
	last, key := file("last", text), strings.TrimSpace(answered(t, env, "receipt-key"))
	s.want(200, "DELETE", localPath+"/instances/"+a.ID, "")
	head := answered(t, env, "receipt "+headID(runOf(text)))
	if strings.Contains(head, "Bern") || strings.Contains(head, boss) {
		t.Errorf("what was decided on stays: %s", head)
	}
	s.outcome(s.ask(claimPath, `{"claim_id":"claim-001","amount":10}`))
	// What is kept survives every purge of what has ended.
	s.want(200, "DELETE", localPath+"/instances?createdTimeFrom=2020-01-01T00:00:00Z&runtimeStatus=Completed,Failed,Terminated,Canceled", "")
	s.stop()
	if again := answered(t, env, "receipt "+headID(runOf(text))); strings.Count(again, "\n") != strings.Count(head, "\n") {
		t.Errorf("after a restart the head is %s", again)
	}
	none := []string{"DataFolder=" + t.TempDir()}
	kept := file("head", head)
	typed(t, none, "", "verify-receipt "+last+" -key "+key+" -head "+kept, exitOK, "It is the last of its run", "It is signed with that key")
	typed(t, none, "", "verify-receipt "+early+" -key "+key+" -head "+kept, exitFailure, "more happened after it")
	typed(t, none, "", "verify-receipt "+last+" -key "+key+" -head "+last, exitFailure, "this is no head")
	typed(t, none, "", "verify-receipt "+last+" -key "+key+" -head "+file("forged", strings.Replace(head, `"entries":`, `"entries":1`, 1)), exitFailure, "it was changed")
}

// A process that dies between the head and the purge leaves both, and the next purge ends
// with one head, that of the same receipt. An instance of the same id has its own.
func TestADeathBetweenTheHeadAndThePurgeLosesNothing(t *testing.T) {
	s := open(t, t.TempDir(), true)
	a, text := s.decidedExpense()
	reader := client.New(s.app.store, client.Options{})
	in, err := reader.Get(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.app.heads.keep(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	before, err := reader.Get(t.Context(), headID(in.Execution))
	if err != nil || before.Status != history.Running {
		t.Fatalf("%v: %+v", err, before)
	}
	s.want(200, "DELETE", localPath+"/instances/"+a.ID, "")
	after, err := reader.Get(t.Context(), headID(in.Execution))
	if err != nil || string(after.Input) != string(before.Input) || runOf(text) != in.Execution {
		t.Errorf("%v: %s became %s", err, before.Input, after.Input)
	}
	other := in
	other.Execution = "another"
	if _, err := s.app.worker.Instances().Get(t.Context(), in.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if err := s.app.heads.keep(t.Context(), other); err != nil {
		t.Error(err)
	}
	if _, err := reader.Get(t.Context(), headID("another")); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("a head of nothing: %v", err)
	}
}

// Who begins an approval anew takes nothing from whoever holds the receipt of the run before:
// its head stays, also when it is begun anew once more.
func TestARestartKeepsTheHeadOfTheReceipt(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	s := open(t, folder, true)
	env := []string{"DataFolder=" + folder, "Address=" + s.address}
	a, text := s.decidedExpense()
	s.want(202, "POST", localPath+"/instances/"+a.ID+"/restart?restartWithNewInstanceId=false", "")
	s.want(202, "POST", localPath+"/instances/"+a.ID+"/terminate", "")
	s.outcome(a)
	second := s.want(200, "GET", localPath+"/instances/"+a.ID+"/receipt", "")
	s.want(202, "POST", localPath+"/orchestrators/"+string(ClaimReview)+"/"+a.ID, `{"claim_id":"claim-001","amount":10}`)
	key := strings.TrimSpace(answered(t, env, "receipt-key"))
	says := map[string]string{"the first": "ApprovalDecision by " + boss + ", known by the link that was sent to them: taken"}
	for name, receipt := range map[string]string{"the first": text, "the second": second} {
		folder := t.TempDir()
		for file, content := range map[string]string{"receipt": receipt, "head": answered(t, env, "receipt "+headID(runOf(receipt)))} {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600); err != nil {
				t.Fatal(name, err)
			}
		}
		typed(t, env, "", "verify-receipt "+filepath.Join(folder, "receipt")+" -key "+key+" -head "+filepath.Join(folder, "head"), exitOK, "It is the last of its run", says[name])
	}
	if runOf(text) == runOf(second) {
		t.Error("it was not begun anew")
	}
}

// What is purged for its age keeps its head too, and what nobody decides on leaves none.
func TestWhatIsPurgedForItsAgeKeepsItsHead(t *testing.T) {
	s := open(t, t.TempDir(), true)
	a, text := s.decidedExpense()
	c := client.New(s.app.worker.Instances(), client.Options{})
	l := s.authenticate(number)
	if err := c.Terminate(t.Context(), l.ID, ""); err != nil {
		t.Fatal(err)
	}
	s.outcome(asked{links: l})
	verification, err := c.Get(t.Context(), l.ID)
	if err != nil {
		t.Fatal(err)
	}
	tidy := dispatch.New(s.app.store, engine.NewRegistry(), dispatch.Options{
		Retention: dispatch.Retention{Completed: time.Hour, Terminated: time.Hour}, BeforePurge: s.app.heads.keep,
		Now: func() time.Time { return time.Now().Add(2 * time.Hour) },
	})
	if n, err := tidy.Retain(t.Context()); err != nil || n < 2 {
		t.Errorf("%d purged, %v", n, err)
	}
	for id, there := range map[string]bool{a.ID: false, l.ID: false, headID(runOf(text)): true, headID(verification.Execution): false} {
		if _, err := c.Get(t.Context(), id); errors.Is(err, client.ErrNotFound) == there {
			t.Errorf("%s: %v", id, err)
		}
	}
}
