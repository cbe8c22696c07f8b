package tablestore

import (
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

// onAzurite makes hubs on Azurite. What a crash leaves is what Azurite has.
func onAzurite(t testing.TB, now func() time.Time) storetest.Hub {
	o := newOptions(t, now)
	return storetest.Hub{
		Store:     open(t, o),
		Crash:     func() store.Store { return open(t, o) },
		Precision: time.Second,
		Projected: true,
	}
}

func TestTableStoreKeepsThePromises(t *testing.T) {
	storetest.Run(t, onAzurite)
}
