package azuritetest_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// newFaultyTable returns the same table twice: with faults, and without.
func newFaultyTable(t *testing.T, f *azuritetest.Faults) (faulty, sound *aztables.Client) {
	t.Helper()
	e := azuritetest.Shared(t)
	o := &aztables.ClientOptions{}
	o.PerRetryPolicies = []policy.Policy{f}
	o.Retry = policy.RetryOptions{MaxRetries: -1}
	name := azuritetest.NewHub()
	var clients []*aztables.Client
	for _, o := range []*aztables.ClientOptions{o, nil} {
		service, err := aztables.NewServiceClientFromConnectionString(e.ConnectionString(), o)
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, service.NewClient(name))
	}
	if _, err := clients[1].CreateTable(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return clients[0], clients[1]
}

func TestAFaultIsWhatItSays(t *testing.T) {
	for _, tt := range []struct {
		fault   azuritetest.Fault
		status  int
		code    string
		cause   error
		written bool
	}{
		{azuritetest.None, 0, "", nil, true},
		{azuritetest.Unsent, 0, "", azuritetest.ErrConnection, false},
		{azuritetest.Unanswered, 0, "", azuritetest.ErrConnection, true},
		{azuritetest.Busy, http.StatusServiceUnavailable, "ServerBusy", nil, false},
		{azuritetest.Throttled, http.StatusTooManyRequests, "TooManyRequests", nil, false},
		{azuritetest.Failed, http.StatusInternalServerError, "InternalError", nil, false},
		{azuritetest.Vague, http.StatusInternalServerError, "OperationTimedOut", nil, true},
		{azuritetest.TimedOut, 0, "", context.DeadlineExceeded, false},
		{azuritetest.Late, 0, "", context.DeadlineExceeded, true},
		{azuritetest.Doubled, http.StatusConflict, "EntityAlreadyExists", nil, true},
	} {
		t.Run(tt.fault.String(), func(t *testing.T) {
			f := &azuritetest.Faults{Choose: azuritetest.At(0, tt.fault)}
			faulty, sound := newFaultyTable(t, f)
			_, err := faulty.AddEntity(t.Context(), []byte(`{"PartitionKey":"a","RowKey":"b"}`), nil)
			var refused *azcore.ResponseError
			if errors.As(err, &refused) != (tt.code != "") || refused != nil && (refused.StatusCode != tt.status || refused.ErrorCode != tt.code) {
				t.Errorf("it failed with %v", err)
			}
			if !errors.Is(err, tt.cause) && tt.code == "" {
				t.Errorf("it failed with %v, want %v", err, tt.cause)
			}
			if _, err := sound.GetEntity(t.Context(), "a", "b", nil); (err == nil) != tt.written {
				t.Errorf("the row is there: %v", err == nil)
			}
			if n := len(f.Log()); f.Requests() != 1 || n > 1 || (n == 1) != (tt.fault != azuritetest.None) {
				t.Errorf("%d requests, %q", f.Requests(), f.Log())
			}
		})
	}
}

func TestTheSameSeedGivesTheSameFaults(t *testing.T) {
	draw := func(seed uint64) (all []azuritetest.Fault) {
		choose := azuritetest.Random(seed, 50)
		for n := range 200 {
			all = append(all, choose(n, nil))
		}
		return all
	}
	if !reflect.DeepEqual(draw(1), draw(1)) || reflect.DeepEqual(draw(1), draw(2)) {
		t.Error("faults do not depend on the seed alone")
	}
	drawn := map[azuritetest.Fault]bool{}
	for _, f := range draw(1) {
		drawn[f] = true
	}
	if len(drawn) != 1+len(azuritetest.AllFaults()) {
		t.Errorf("only %v were drawn", drawn)
	}
}

// What goes wrong can be tried again with what the client was told to wait.
func TestARefusedClientIsToldToWait(t *testing.T) {
	f := &azuritetest.Faults{Choose: azuritetest.At(0, azuritetest.Busy), RetryAfter: 7 * time.Second}
	faulty, _ := newFaultyTable(t, f)
	var answer *http.Response
	_, err := faulty.GetEntity(policy.WithCaptureResponse(t.Context(), &answer), "a", "b", nil)
	if err == nil || answer.Header.Get("Retry-After-Ms") != "7000" {
		t.Errorf("%v, %v", err, answer)
	}
}
