package filestore

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

func start(n int) history.Event {
	return history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Message: fmt.Sprint("m", n), Name: "test", Execution: fmt.Sprint("e", n)}
}

// A disk that is full, or fails, while the log is written or synced.
func TestADiskThatFailsIsReportedAndLosesNothingAccepted(t *testing.T) {
	for _, failing := range []errorfs.OpKind{errorfs.OpFileWrite, errorfs.OpFileSync} {
		memory := vfs.NewCrashableMem()
		var full atomic.Bool
		fs := errorfs.Wrap(memory, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if full.Load() && strings.HasSuffix(op.Path, ".log") && (op.Kind == failing || op.Kind == errorfs.OpFileSyncData) {
				return syscall.ENOSPC
			}
			return nil
		}))
		s, err := Open("hub", Options{fs: fs})
		if err != nil {
			t.Fatal(err)
		}
		received := make(chan error, 1)
		go func() {
			for {
				if _, err := s.Receive(t.Context(), 1, time.Hour); err != nil {
					received <- err
					return
				}
			}
		}()
		accepted := 0
		for n := range 40 {
			if n == 20 {
				full.Store(true)
			}
			err := s.Create(t.Context(), fmt.Sprint(n), start(n))
			if err == nil {
				accepted++
			} else if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, store.ErrBroken) {
				t.Errorf("after the disk was full: %v", err)
			}
		}
		if _, err := s.Get(t.Context(), "0"); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("a store that failed still answers: %v", err)
		}
		if err := <-received; !errors.Is(err, store.ErrBroken) {
			t.Errorf("a worker that waited was told %v", err)
		}
		if accepted != 20 {
			t.Errorf("%d of 40 were accepted, 20 before the disk was full", accepted)
		}
		again, err := Open("hub", Options{fs: memory.CrashClone(vfs.CrashCloneCfg{})})
		if err != nil {
			t.Fatal(err)
		}
		for n := range accepted {
			if _, err := again.Get(t.Context(), fmt.Sprint(n)); err != nil {
				t.Errorf("instance %d was accepted: %v", n, err)
			}
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTimersThatCouldNotBeReadRingLater(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	memory := vfs.NewMem()
	var failing atomic.Bool
	fs := errorfs.Wrap(memory, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if failing.Load() && strings.HasSuffix(op.Path, ".sst") {
			return syscall.EIO
		}
		return nil
	}))
	open := func() *Store {
		s, err := Open("hub", Options{fs: fs, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	in := store.Instance{ID: "a", Turn: "t", Wake: now.Add(horizon + time.Minute)}
	in.Input = make([]byte, 1<<20) // so that what is read when the folder is opened stands elsewhere
	if _, err := s.Commit(t.Context(), store.Turn{Instance: in}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer s.Close()
	now = now.Add(horizon / 2)
	failing.Store(true)
	if _, err := s.Receive(t.Context(), 1, 0); err == nil {
		t.Fatal("the disk did not fail, so this is no test")
	}
	failing.Store(false)
	now = now.Add(horizon)
	bells, err := s.Receive(t.Context(), 1, 0)
	for errors.Is(err, syscall.EIO) { // the embedded store forgets the error in its own time
		runtime.Gosched()
		bells, err = s.Receive(t.Context(), 1, 0)
	}
	if err != nil || len(bells) != 1 {
		t.Errorf("%v %v", bells, err)
	}
}

func TestCloseWakesAllWhoWait(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), "a", start(1)); err != nil {
		t.Fatal(err)
	}
	if bells, err := s.Receive(t.Context(), 1, 0); err != nil || len(bells) != 1 {
		t.Fatal(bells, err)
	}
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() {
			_, err := s.Receive(t.Context(), 1, time.Hour)
			ended <- err
		}()
	}
	changed, done := s.Watch("a")
	defer done()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	}
	<-changed
}

func TestASecondOpenIsTold(t *testing.T) {
	folder := t.TempDir()
	s, err := Open(folder, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder, Options{}); !errors.Is(err, store.ErrInUse) {
		t.Errorf("the second open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "x"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	again, err := Open(folder, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
