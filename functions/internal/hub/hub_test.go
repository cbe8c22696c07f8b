package hub_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/internal/hub"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC)

func clock() time.Time { return now }

// inFolder is a hub in a folder.
func inFolder(t *testing.T) store.Keeper {
	t.Helper()
	s, err := filestore.Open(filepath.Join(t.TempDir(), "store"), filestore.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// inAzurite is a hub in a storage account whose clock is the test's.
func inAzurite(t *testing.T) store.Keeper {
	t.Helper()
	e := azuritetest.Frozen(t)
	o := tablestore.Options{
		ConnectionString: e.ConnectionString(), Hub: azuritetest.NewHub(), Now: clock,
		Owner: store.Owner{App: "shop", Deployment: "subscription/group"},
	}
	o.Client.PerCallPolicies = []policy.Policy{e.Clock(clock)}
	s, err := tablestore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fill gives a hub instances in every state.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	start := history.Event{
		Kind: history.ExecutionStarted, ID: history.Outside, Time: now, Message: "m1", Name: "SmsVerify", Execution: "e1",
		Input: []byte(`{"number":"+447700900123","note":"<&>"}`), Secret: []string{"Code"},
	}
	must(t, s.Create(t.Context(), "pending", start))
	must(t, s.Send(t.Context(), "pending", history.Event{Kind: history.EventRaised, ID: history.Outside, Time: now, Message: "m2", Name: "Code", Input: []byte(`"sealed:x"`)}))
	instances := []store.Instance{
		{ID: "waiting", Name: "SmsVerify", Status: history.Running, CustomStatus: []byte(`{"triesLeft":5}`), Wake: now.Add(48 * time.Hour), Hands: []store.Hand{{Receipt: "t", Tasks: []int32{0}}}},
		{ID: "done", Name: "SmsVerify", Status: history.Completed, Output: []byte(`true`), Completed: now},
		{ID: "failed", Name: "Approval", Status: history.Failed, Failure: &history.Failure{Kind: "panic", Message: "boom", Stack: "here"}, Completed: now},
		{ID: "stopped", Name: "Approval", Status: history.Terminated, Output: []byte(`"enough"`), Completed: now},
	}
	for _, in := range instances {
		in.Execution, in.Turn, in.Input, in.Created, in.Updated = "e", "t", []byte(`1`), now, now
		events := []history.Event{
			{Kind: history.OrchestratorStarted, ID: history.Outside, Time: now},
			{Kind: history.ExecutionStarted, ID: history.Outside, Time: now, Message: "m", Name: in.Name, Execution: "e", Input: in.Input},
			{Kind: history.TaskScheduled, Time: now, Name: "work", Input: []byte(`[1, 2]`)},
		}
		if in.Status.IsTerminal() {
			events = append(events,
				history.Event{Kind: history.TaskCompleted, ID: history.Outside, Time: now, Result: []byte(`3`)},
				history.Event{Kind: history.ExecutionCompleted, ID: 1, Time: now, Status: in.Status, Result: in.Output, Failure: in.Failure})
		}
		in.Events = len(events)
		_, err := s.Commit(t.Context(), store.Turn{Instance: in, Append: events, Hold: len(in.Hands) > 0})
		must(t, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// golden compares a text with a file, in which the hub and its folder have other
// names.
func golden(t *testing.T, name, got string, k store.Keeper) {
	t.Helper()
	described, err := k.Describe(t.Context())
	must(t, err)
	if described.Name == "" {
		got = strings.ReplaceAll(got, described.Parts[0].Name, "FOLDER")
	} else {
		got = strings.NewReplacer(described.Name+"H", "ShopH", described.Name+"I", "ShopI", described.Name+"D", "ShopD", described.Name+"-", "shop-", `"`+described.Name+`"`, `"Shop"`).Replace(got)
	}
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAHubIsShown(t *testing.T) {
	for name, open := range map[string]func(*testing.T) store.Keeper{"folder": inFolder, "account": inAzurite} {
		t.Run(name, func(t *testing.T) {
			k := open(t)
			var b bytes.Buffer
			must(t, hub.Show(t.Context(), k, "Hub Shop", &b))
			fill(t, k)
			must(t, hub.Show(t.Context(), k, "Hub Shop", &b))
			golden(t, "show-"+name+".golden", b.String(), k)
		})
	}
}

func TestParkedInstancesAreNamed(t *testing.T) {
	k := inFolder(t)
	fault := &store.Fault{Reason: "its worker died", Since: now, Was: history.Running}
	for n := range 12 {
		id := fmt.Sprintf("stuck%02d", n)
		in := store.Instance{ID: id, Name: "Approval", Status: history.Suspended, Fault: fault, Execution: "e", Turn: "t", Input: []byte(`1`), Created: now, Updated: now, Events: 1}
		_, err := k.Commit(t.Context(), store.Turn{Instance: in, Append: []history.Event{{Kind: history.OrchestratorStarted, ID: history.Outside, Time: now}}})
		must(t, err)
		if n > 0 && n < 11 {
			continue
		}
		var b strings.Builder
		must(t, hub.Show(t.Context(), k, "Hub Shop", &b))
		want := map[int]string{0: "Parked: 1 instance, stuck00\n", 11: "Parked: 12 instances, stuck00, stuck01, stuck02, stuck03, stuck04, stuck05, stuck06, stuck07, stuck08, stuck09, ...\n"}[n]
		if !strings.Contains(b.String(), want) || !strings.Contains(b.String(), "functions explain") {
			t.Error(b.String())
		}
	}
}

func TestAMissingPartIsShown(t *testing.T) {
	k := inAzurite(t)
	var b bytes.Buffer
	must(t, hub.Show(t.Context(), withoutQueue{k}, "Hub Shop", &b))
	golden(t, "show-missing.golden", b.String(), k)
}

// withoutQueue is a hub whose queue somebody deleted.
type withoutQueue struct{ store.Keeper }

func (w withoutQueue) Describe(ctx context.Context) (store.Hub, error) {
	h, err := w.Keeper.Describe(ctx)
	for i := range h.Parts {
		h.Parts[i].Missing = h.Parts[i].Kind == "queue"
	}
	return h, err
}

func TestAnExportHasEverythingInEitherStore(t *testing.T) {
	export := func(k store.Keeper) (first, rest string) {
		fill(t, k)
		var b bytes.Buffer
		counts, err := hub.Export(t.Context(), k, now, &b)
		must(t, err)
		if counts != (hub.Counts{Instances: 5, Events: 18, Messages: 2}) {
			t.Errorf("%+v", counts)
		}
		first, rest, _ = strings.Cut(b.String(), "\n")
		return first, rest
	}
	folder, account := inFolder(t), inAzurite(t)
	firstOfFolder, restOfFolder := export(folder)
	firstOfAccount, restOfAccount := export(account)
	golden(t, "export.golden", firstOfAccount+"\n"+restOfAccount, account)
	if want := `{"type":"hub","format":1,"layout":1,"exported":"2026-11-23T12:00:00.123456789Z"}`; firstOfFolder != want || restOfFolder != restOfAccount {
		t.Errorf("the export of a folder differs in more than the first line: %s\n%s", firstOfFolder, restOfFolder)
	}
}

func TestWhatIsInUseIsNotDeleted(t *testing.T) {
	for _, tt := range []struct {
		me       store.Owner
		filled   bool
		foreign  bool
		stranded bool
	}{
		{me: store.Owner{App: "shop"}},
		{me: store.Owner{App: "shop", Deployment: "elsewhere"}, foreign: true},
		{me: store.Owner{App: "billing"}, foreign: true},
		{foreign: true},
		{me: store.Owner{App: "shop"}, filled: true, stranded: true},
		{filled: true, foreign: true, stranded: true},
	} {
		k := inAzurite(t)
		if tt.filled {
			fill(t, k)
		}
		d := hub.Deletion{Keeper: k, Me: tt.me, Where: "Hub Shop"}
		err := d.Check(t.Context())
		if errors.Is(err, hub.ErrForeign) != tt.foreign || errors.Is(err, hub.ErrUnfinished) != tt.stranded || (err != nil) != (tt.foreign || tt.stranded) {
			t.Errorf("%+v: %v", tt, err)
		}
		if tt.filled && tt.foreign {
			var b bytes.Buffer
			must(t, d.Describe(&b))
			golden(t, "delete.golden", err.Error()+"\n"+b.String(), k)
		}
	}
}

func TestNobodyOwnsAFolder(t *testing.T) {
	k := inFolder(t)
	d := hub.Deletion{Keeper: k, Me: store.Owner{App: "anybody"}, Where: "The folder"}
	must(t, d.Check(t.Context()))
	var b bytes.Buffer
	must(t, d.Describe(&b))
	golden(t, "delete-folder.golden", b.String(), k)
}
