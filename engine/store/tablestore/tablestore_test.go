package tablestore

import (
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

// maxInbox is how many messages an inbox holds in the tests.
const maxInbox = 150

// onAzurite makes hubs on Azurite. What a crash leaves is what Azurite has.
func onAzurite(t testing.TB, now func() time.Time) storetest.Hub {
	o := newOptions(t, now)
	o.MaxInbox = maxInbox
	return storetest.Hub{
		Store:     open(t, o),
		Crash:     func() store.Store { return open(t, o) },
		Precision: time.Second,
		MaxInbox:  maxInbox,
		Projected: true,
	}
}

func TestTableStoreKeepsThePromises(t *testing.T) {
	storetest.Run(t, onAzurite)
}
