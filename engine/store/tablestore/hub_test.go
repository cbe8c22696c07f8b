package tablestore

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/seed21523604/holdfast/engine/store"
)

// as opens the hub of o as an app.
func as(t *testing.T, o Options, app, deployment string) error {
	t.Helper()
	o.Owner = store.Owner{App: app, Deployment: deployment}
	s, err := Open(t.Context(), o)
	if err == nil {
		s.Close()
	}
	return err
}

func fixedNow() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func TestAHubBelongsToOneApp(t *testing.T) {
	o := newOptions(t, fixedNow)
	for _, tt := range []struct {
		app, deployment string
		refused         bool
	}{
		{"", "", false}, // a tool
		{"shop", "subscription/group", false},
		{"shop", "subscription/group", false}, // another process of it
		{"billing", "subscription/group", true},
		{"shop/staging", "subscription/group", true},
		{"Shop", "subscription/group", true},
		{"shop", "elsewhere", true},
		{"shop", "", false}, // somebody said that it is meant
		{"", "", false},
	} {
		err := as(t, o, tt.app, tt.deployment)
		if errors.Is(err, ErrOwned) != tt.refused || (err != nil) != tt.refused {
			t.Errorf("%s of %s: %v", tt.app, tt.deployment, err)
		}
		if tt.refused && !strings.Contains(err.Error(), "another app: shop of subscription/group since 2026-11-23, and this is "+tt.app) {
			t.Errorf("it does not say whose it is: %v", err)
		}
	}
}

func TestOfAppsThatComeAtOnceOneGetsTheHub(t *testing.T) {
	o := newOptions(t, fixedNow)
	open(t, o)
	var wait sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wait.Go(func() { errs[i] = as(t, o, string(rune('a'+i)), "") })
	}
	wait.Wait()
	got := 0
	for _, err := range errs {
		switch {
		case err == nil:
			got++
		case !errors.Is(err, ErrOwned):
			t.Error(err)
		}
	}
	if got != 1 {
		t.Errorf("%d got it", got)
	}
}

func TestTheOwnerCostsOneRequestAtTheStart(t *testing.T) {
	d := newDesk(t, nil)
	d.must(as(t, d.o, "shop", ""))
	o := d.o
	o.Client.PerRetryPolicies = append(o.Client.PerRetryPolicies, &d.bill)
	d.bill.take()
	d.must(as(t, o, "", ""))
	without, _ := d.bill.take()
	d.must(as(t, o, "shop", ""))
	with, log := d.bill.take()
	if with.all() != without.all()+1 {
		t.Errorf("%d requests and not %d: %s", with.all(), without.all()+1, log)
	}
	if _, err := d.store.Receive(t.Context(), 10, 0); err != nil {
		t.Fatal(err)
	}
	if hub, err := d.store.Describe(t.Context()); err != nil || hub.Timers != 0 || hub.Owner.App != "shop" || !hub.Since.Equal(fixedNow()) || hub.Layout != layout {
		t.Errorf("after a sweep: %+v, %v", hub, err)
	}
}

func TestAHubOfANewerVersionIsRefused(t *testing.T) {
	o := newOptions(t, fixedNow)
	s := open(t, o)
	e := newEntity(ownerPartition, ownerKey)
	e.setText("App", "shop")
	e.setInt32("Layout", layout+1)
	text, err := e.encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.due.AddEntity(t.Context(), text, nil); err != nil {
		t.Fatal(err)
	}
	if err := as(t, o, "shop", ""); !errors.Is(err, ErrNewer) {
		t.Error(err)
	}
}

func TestAHubThatIsOnlyLookedAtIsNotMade(t *testing.T) {
	o := newOptions(t, fixedNow)
	o.Existing = true
	if _, err := Open(t.Context(), o); !errors.Is(err, store.ErrNoHub) {
		t.Fatal(err)
	}
	o.Existing = false
	s := open(t, o)
	if _, err := s.queue.Delete(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.blobs.Delete(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	o.Existing = true
	o.Owner.App = "another"
	s = open(t, o)
	hub, err := s.Describe(t.Context())
	want := []store.Part{
		{Kind: "table", Name: o.Hub + "History"}, {Kind: "table", Name: o.Hub + "Instances"}, {Kind: "table", Name: o.Hub + "Due"},
		{Kind: "queue", Name: o.Hub + "-doorbells", Missing: true}, {Kind: "container", Name: o.Hub + "-largemessages", Missing: true},
	}
	if err != nil || !slices.Equal(hub.Parts, want) || hub.Doorbells != -1 || hub.Owner != (store.Owner{}) {
		t.Errorf("%+v, %v", hub, err)
	}
	if err := s.Remove(t.Context()); err != nil {
		t.Errorf("a part was missing: %v", err)
	}
	if _, err := Open(t.Context(), o); !errors.Is(err, store.ErrNoHub) {
		t.Error(err)
	}
}

// deleting answers as Azure does while it deletes what had the same name, until
// a certain time.
type deleting struct {
	empty
	until time.Time
	asked int
}

// Do is called by the SDK instead of the network.
func (d *deleting) Do(r *http.Request) (*http.Response, error) {
	table, queue := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/Tables"), r.Method == http.MethodPut
	if !table && !queue || !time.Now().Before(d.until) {
		return d.empty.Do(r)
	}
	d.asked++
	code, body := "TableBeingDeleted", `{"odata.error":{"code":"TableBeingDeleted","message":{"lang":"en-US","value":"The specified table is being deleted."}}}`
	if queue {
		code, body = "QueueBeingDeleted", `<?xml version="1.0"?><Error><Code>QueueBeingDeleted</Code></Error>`
	}
	header := http.Header{"Content-Type": {"application/json"}, "X-Ms-Error-Code": {code}}
	return &http.Response{StatusCode: http.StatusConflict, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestAHubIsMadeAgainWhenItsDeletionIsDone(t *testing.T) {
	for took, ok := range map[time.Duration]bool{40 * time.Second: true, time.Hour: false} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			transport := &deleting{until: began.Add(took)}
			o := Options{ConnectionString: "UseDevelopmentStorage=true", Hub: "hub"}
			o.Client.Transport = transport
			_, err := Open(t.Context(), o)
			if (err == nil) != ok || transport.asked == 0 {
				t.Errorf("a deletion of %v: %v after %v", took, err, time.Since(began))
			}
			if waited := time.Since(began); ok && waited > took+deletionPause || waited > maxDeletion+time.Minute {
				t.Errorf("it waited for %v", waited)
			}
		})
	}
}

func TestAnErrorIsOneLine(t *testing.T) {
	o := newOptions(t, fixedNow)
	o.ConnectionString = strings.Replace(o.ConnectionString, "AccountKey=", "AccountKey=AAAA", 1)
	_, err := Open(t.Context(), o)
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "403 Auth") {
		t.Error(err)
	}
}
