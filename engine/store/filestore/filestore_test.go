package filestore

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

// maxInbox is how many messages an inbox holds in the tests.
const maxInbox = 150

// crashable makes hubs on a file system in memory that can lose, as a machine
// does, all that was not synced.
func crashable(t testing.TB, now func() time.Time) storetest.Hub {
	fs := vfs.NewCrashableMem()
	open := func() *Store {
		s, err := Open("hub", Options{Now: now, MaxInbox: maxInbox, fs: fs})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	return storetest.Hub{Store: open(), MaxInbox: maxInbox, Crash: func() store.Store {
		fs = fs.CrashClone(vfs.CrashCloneCfg{})
		return open()
	}}
}

func TestFileStoreKeepsThePromises(t *testing.T) {
	storetest.Run(t, crashable)
}
