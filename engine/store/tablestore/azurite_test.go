package tablestore

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// newOptions returns options for a new hub on the test's own emulator, whose
// clock is that of the test.
func newOptions(t testing.TB, now func() time.Time) Options {
	e := azuritetest.Frozen(t)
	o := Options{ConnectionString: e.ConnectionString(), Hub: azuritetest.NewHub(), Now: now}
	o.Client.PerCallPolicies = []policy.Policy{e.Clock(now)}
	return o
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
