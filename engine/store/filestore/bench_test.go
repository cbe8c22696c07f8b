package filestore

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// BenchmarkCommit measures durable turns of as many instances, each waited for,
// and how many of them share an fsync.
func BenchmarkCommit(b *testing.B) {
	for _, parallel := range []int{1, 32, 256} {
		b.Run("parallel="+strconv.Itoa(parallel), func(b *testing.B) {
			var syncs atomic.Int64
			fs := errorfs.Wrap(vfs.Default, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
					syncs.Add(1)
				}
				return nil
			}))
			s, err := Open(b.TempDir(), Options{fs: fs})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			b.ReportAllocs()
			b.ResetTimer()
			syncs.Store(0)
			var left atomic.Int64
			left.Store(int64(b.N))
			var wait sync.WaitGroup
			for range parallel {
				wait.Go(func() { commits(b, s, &left) })
			}
			wait.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			b.ReportMetric(float64(syncs.Load())/float64(b.N), "fsyncs/commit")
		})
	}
}

// commits makes turns of usual size, three to an instance, while there are any
// left to make.
func commits(b *testing.B, s *Store, left *atomic.Int64) {
	events := []history.Event{
		{Kind: history.OrchestratorStarted, ID: history.Outside, Time: time.Now()},
		{Kind: history.TaskScheduled, Name: "SmsChallenge", Input: []byte(`{"number":"+447700900123"}`)},
	}
	for n := left.Add(-1); n >= 0; n = left.Add(-1) {
		in := store.Instance{ID: fmt.Sprint("instance-", n), Execution: "e", Name: "SmsVerify", Input: []byte(`{"number":"+447700900123"}`)}
		version := store.Version("")
		for turn := range 3 {
			in.Turn, in.Wake = fmt.Sprint(n, "-", turn), time.Now().Add(5*time.Minute)
			in.Events += len(events)
			var err error
			if version, err = s.Commit(context.Background(), store.Turn{Base: version, Instance: in, Append: events}); err != nil {
				b.Error(err)
				return
			}
			if turn < 2 && left.Add(-1) < 0 {
				return
			}
		}
	}
}
