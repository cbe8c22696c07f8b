package filestore

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/seed21523604/holdfast/engine/internal/watch"
	"github.com/seed21523604/holdfast/engine/store"
)

// Options changes how a folder is used. The zero value works.
type Options struct {
	// Lease is how long a doorbell stays hidden from others; one minute.
	Lease time.Duration
	// MaxInbox is how many messages an instance's inbox holds before events are
	// refused; store.DefaultMaxInbox. With a negative number there is no bound.
	MaxInbox int
	// Logger receives what the embedded store has to say; nil discards it.
	Logger *slog.Logger
	// Now is the clock; time.Now.
	Now func() time.Time
	// Existing opens the hub only if it is there, and makes no folder.
	// Otherwise Open returns store.ErrNoHub.
	Existing bool

	fs vfs.FS
}

// Store is a hub in one folder. Its methods may be called concurrently.
type Store struct {
	db      *pebble.DB
	folder  string
	fs      vfs.FS
	now     func() time.Time
	lease   time.Duration
	bells   *bells
	most    int  // messages in an inbox
	deaths  int  // processes before this one that died, one after another
	looks   bool // the hub is only looked at
	slots   slots
	watches watch.List

	mu     sync.RWMutex // held for reading by every call, for writing by Close
	closed bool

	failed failure
	ended  sync.Once
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Watcher = (*Store)(nil)
)

// Open opens the hub in the folder, which is made if it does not exist. It
// returns store.ErrInUse when another process has it open.
func Open(folder string, o Options) (*Store, error) {
	if o.fs == nil {
		o.fs = vfs.Default
	}
	s := &Store{folder: folder, fs: o.fs, now: o.Now, lease: o.Lease, most: cmp.Or(o.MaxInbox, store.DefaultMaxInbox)}
	if s.now == nil {
		s.now = time.Now
	}
	if s.lease == 0 {
		s.lease = time.Minute
	}
	db, err := openPebble(folder, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", folder, err)
	}
	s.db = db
	s.looks = o.Existing
	s.bells = newBells()
	if err := s.countDeaths(); err != nil {
		return nil, errors.Join(fmt.Errorf("read how %s was left: %w", folder, err), db.Close())
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("read what is due in %s: %w", folder, err), db.Close())
	}
	return s, nil
}

// countDeaths finds out how many processes in a row did not close the folder, and
// takes note that this one has not yet.
func (s *Store) countDeaths() error {
	text, _, err := s.read([]byte(deathsKey))
	if err != nil {
		return err
	}
	s.deaths, _ = strconv.Atoi(string(text)) // there is none at first
	return s.setDeaths(s.deaths + 1)
}

// setDeaths writes down how many processes in a row died, unless the hub is only
// looked at.
func (s *Store) setDeaths(n int) error {
	if s.looks {
		return nil
	}
	batch := s.db.NewBatch()
	defer batch.Close()
	batch.Set([]byte(deathsKey), strconv.AppendInt(nil, int64(n), 10), nil)
	return s.write(batch)
}

// openPebble opens the embedded store with sizes that suit many small commits:
// a write-ahead log and a table in memory that hold some 10,000 turns before
// they are sorted into files.
func openPebble(folder string, o Options) (*pebble.DB, error) {
	switch {
	case o.Existing && !isThere(o.fs, folder):
		return nil, store.ErrNoHub
	case o.fs == vfs.Default:
		if err := makeFolder(folder); err != nil {
			return nil, err
		}
	}
	cache := pebble.NewCache(32 << 20)
	defer cache.Unref()
	options := &pebble.Options{
		Cache:                       cache,
		FS:                          o.fs,
		Logger:                      quietLogger{o.Logger},
		MemTableSize:                8 << 20,
		MemTableStopWritesThreshold: 4,
		FormatMajorVersion:          pebble.FormatNewest,
	}
	for i := range options.Levels {
		// An id that is new is looked for in no file.
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(folder, options)
	if err != nil && isLocked(o.fs, folder) {
		return nil, fmt.Errorf("%w (%w)", store.ErrInUse, err)
	}
	return db, err
}

// isThere reports whether there is a store in the folder.
func isThere(fs vfs.FS, folder string) bool {
	found, err := pebble.Peek(folder, fs)
	return err == nil && found.Exists
}

// makeFolder makes the folder and makes its name durable.
func makeFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return syncParent(vfs.Default, folder)
}

// syncParent makes durable what is in the folder's parent.
func syncParent(fs vfs.FS, folder string) error {
	parent, err := fs.OpenDir(filepath.Dir(filepath.Clean(folder)))
	if err != nil {
		return nil // some systems cannot open a folder, and need not
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// isLocked reports whether another process holds the folder's lock.
func isLocked(fs vfs.FS, folder string) bool {
	lock, err := pebble.LockDirectory(folder, fs)
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission)
	}
	lock.Close()
	return false
}

// Close ends the use of the folder. Calls under way are waited for. A store that
// failed is left as it is, for the next process to open; another is flushed, so
// that opening it has no log to read.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.end()
	if s.failed.get() != nil {
		return nil
	}
	return errors.Join(s.setDeaths(0), s.db.Flush(), s.db.Close())
}

// end wakes all who wait for something that will not come any more.
func (s *Store) end() {
	s.ended.Do(func() { close(s.bells.over) })
	s.watches.TellAll()
}

// Backup copies the hub as it is on disk now into a new folder, which must not
// exist, while the store is in use. The copy is opened as any other folder.
func (s *Store) Backup(folder string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
		return fmt.Errorf("back up to %s: %w", folder, err)
	}
	if err := s.db.Checkpoint(folder, pebble.WithFlushedWAL()); err != nil {
		return fmt.Errorf("back up to %s: %w", folder, err)
	}
	return nil
}

// Lease returns how long a received doorbell stays hidden.
func (s *Store) Lease() time.Duration { return s.lease }

// enter begins a call; leave ends it.
func (s *Store) enter() error {
	s.mu.RLock()
	err := s.failed.get()
	if s.closed {
		err = store.ErrClosed
	}
	if err != nil {
		s.mu.RUnlock()
	}
	return err
}

func (s *Store) leave() { s.mu.RUnlock() }

// write makes a batch durable. After a failure the store is of no more use, as
// the batch may be in memory and not on disk.
func (s *Store) write(batch *pebble.Batch) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case fatal:
			err = p.error
		default:
			panic(p)
		}
		if err != nil {
			err = s.failed.set(fmt.Errorf("%w: %w", store.ErrBroken, err))
			s.end()
		}
	}()
	return s.db.Apply(batch, pebble.Sync)
}

// fatal is what the embedded store panics with instead of ending the process.
type fatal struct{ error }

// failure is the error after which a store is of no more use.
type failure struct {
	mu  sync.Mutex
	err error
}

func (f *failure) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *failure) set(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	return f.err
}

// quietLogger passes on what needs attention.
type quietLogger struct{ to *slog.Logger }

func (l quietLogger) Infof(string, ...any) {}

func (l quietLogger) Errorf(format string, args ...any) {
	if l.to != nil {
		l.to.Error("file store", "message", fmt.Sprintf(format, args...))
	}
}

// Fatalf is called by the embedded store when going on would damage what is on
// disk. In a commit the panic becomes the commit's error; in the background it
// ends the process, by which nothing accepted is lost.
func (l quietLogger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			panic(fatal{err})
		}
	}
	panic(fatal{fmt.Errorf(format, args...)})
}
