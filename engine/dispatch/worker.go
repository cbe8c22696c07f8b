package dispatch

import (
	"container/list"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/store"
)

// Options changes how a worker works. The zero value works.
type Options struct {
	// Activities is how many may run at once; 64.
	Activities int
	// Turns is how many doorbells are answered at once; 64.
	Turns int
	// Cached is how many instances that wait are kept live in memory; 1000.
	// With a negative number none is.
	Cached int
	// Grace is how long a stop waits for activities that are running, before
	// their contexts end, but for those of engine.UntilStop; 10 seconds. What is cut short is run again later,
	// or recorded as interrupted. With a negative duration it does not wait.
	Grace time.Duration
	// Version is that of the program's orchestrations. Instances that they
	// begin get it, and Match compares with it.
	Version string
	// Match says which instances are run here, by their version: MatchNone
	// without a Version, else MatchCurrentOrOlder. Others are left for another
	// worker.
	Match Match
	// FailMismatch lets instances fail, with KindVersionMismatch, that Match
	// would leave for another worker.
	FailMismatch bool
	// Patience is how long calls of activities wait here for a place before
	// those behind the next Activities are offered to other workers, if the
	// store is store.Shared and it would take ten times as long until they begin;
	// 1 second. With a negative duration they stay.
	Patience time.Duration
	// MaxHistoryEvents and MaxHistoryBytes are the bounds of one execution's
	// history, as engine.ReplayOptions has them: 50,000 events and 64 MiB. With a
	// negative number there is none. Half of one is worth a warning.
	MaxHistoryEvents int
	MaxHistoryBytes  int64
	// Tries is how often a turn may fail for a reason that its history cannot
	// tell, or a turn or an activity be begun by workers that go away in the midst
	// of it, before the instance is parked with a store.Fault; 5.
	Tries int
	// MaxTurn is how long the code of one turn may run before the instance is
	// parked, as it will hardly come to a wait any more; a minute. With a negative
	// duration it may run for ever.
	MaxTurn time.Duration
	// Retention is how long instances are kept after their end; for ever.
	Retention Retention
	// BeforePurge is called with the row of an instance, without its payloads, before it is
	// purged as it was kept for long enough. With an error it stays until the next round.
	BeforePurge func(ctx context.Context, in store.Instance) error
	// Logger receives a line for each turn (debug) and end (info); nil
	// discards them.
	Logger *slog.Logger
	// Telemetry is told what the worker does; nil tells nobody.
	Telemetry Telemetry
	// Now is the clock; the store's, if it is a store.Clock, or time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Activities == 0 {
		o.Activities = 64
	}
	if o.Turns == 0 {
		o.Turns = 64
	}
	if o.Cached == 0 {
		o.Cached = 1000
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = time.Second
	}
	if o.Tries <= 0 {
		o.Tries = 5
	}
	if o.MaxTurn == 0 {
		o.MaxTurn = time.Minute
	}
	if o.Match == "" && o.Version != "" {
		o.Match = MatchCurrentOrOlder
	}
	if o.Match == "" {
		o.Match = MatchNone
	}
	if o.Telemetry == nil {
		o.Telemetry = silent{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Store is what a worker needs of stable storage.
type Store interface {
	store.Instances
	store.Queue
}

// errStopped tells a caller that the worker takes no more turns.
var errStopped = errors.New("the worker has stopped")

// Worker makes the turns of instances and runs their activities. Its methods
// may be called concurrently.
type Worker struct {
	store    Store
	registry *engine.Registry
	o        Options

	activities *pool
	trials     *pool         // of activities that may be what their workers died of
	lane       chan struct{} // holds a token while such a turn is made
	sends      *pool
	context    context.Context // that of the activities and sends
	cancel     context.CancelFunc
	halt       context.CancelFunc // tells activities that the worker stops

	runs atomic.Uint64 // of orchestrations' code

	mu       sync.Mutex
	stopping bool
	sessions map[string]*session // those with something to do
	cached   map[string]*list.Element
	recent   *list.List     // of *session, the most recent first
	left     map[string]int // how often an instance was left for another worker
	idle     chan struct{}  // closed when sessions becomes empty; nil if nobody waits

	shares    bool // others may run what is too much here
	expecting bool // the backlog is looked at in a while
	keep      int  // how many calls that wait are not offered
	declines  int  // how often in a row doorbells were left to others
}

// New returns a worker. It starts nothing.
func New(s Store, r *engine.Registry, o Options) *Worker {
	o = o.withDefaults()
	if o.Now == nil {
		o.Now = store.ClockOf(s)
	}
	w := &Worker{
		store: s, registry: r, o: o, activities: newPool(o.Activities), sends: newPool(maxSends),
		trials: newPool(1), lane: make(chan struct{}, 1),
		shares: o.Patience > 0 && store.IsShared(s), sessions: map[string]*session{}, cached: map[string]*list.Element{}, recent: list.New(), left: map[string]int{},
	}
	halted, halt := context.WithCancel(context.Background())
	w.halt = halt
	w.context, w.cancel = context.WithCancel(engine.StoppedBy(context.Background(), halted))
	return w
}

// Run answers doorbells until the context ends, then finishes what is in hand
// and returns nil. It returns an error when the storage fails for good.
func (w *Worker) Run(ctx context.Context) error {
	extending, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	defer w.stop()
	go w.extend(extending)
	tidying, rest := context.WithCancel(ctx)
	var tidy sync.WaitGroup
	tidy.Go(func() { w.tidy(tidying) })
	defer tidy.Wait()
	defer rest()
	turns := make(chan struct{}, w.o.Turns)
	for {
		w.letOthers(ctx.Done())
		turns <- struct{}{}
		bells, err := w.receive(ctx, 1+cap(turns)-len(turns))
		if err != nil || ctx.Err() != nil {
			return err
		}
		<-turns
		for _, s := range w.postAll(bells) {
			turns <- struct{}{}
			go func() {
				defer func() { <-turns }()
				w.work(s, 0)
			}()
		}
	}
}

// pollInterval is how long one wait for a doorbell may last. It bounds nothing
// that a person would notice: a store wakes a waiting receiver.
const pollInterval = 30 * time.Second

// receive waits for doorbells. Errors that may pass are waited out.
func (w *Worker) receive(ctx context.Context, most int) ([]store.Doorbell, error) {
	for attempt := 0; ; attempt++ {
		bells, err := w.store.Receive(ctx, most, pollInterval)
		switch {
		case err == nil || ctx.Err() != nil:
			return bells, nil
		case isFinal(err):
			return nil, err
		}
		w.o.Logger.Warn("receive doorbells", "attempt", attempt, "error", err)
		w.pause(ctx, attempt)
	}
}

// isFinal reports whether an error of the store is one that trying again cannot
// help.
func isFinal(err error) bool {
	return errors.Is(err, store.ErrClosed) || errors.Is(err, store.ErrBroken) || errors.Is(err, store.ErrGone)
}

// Step answers one doorbell that rings now, with all that follows from it at
// once, its activities included. It reports whether there was one.
func (w *Worker) Step(ctx context.Context) (bool, error) {
	bells, err := w.store.Receive(ctx, 1, 0)
	if err != nil || len(bells) == 0 {
		return false, err
	}
	for _, s := range w.postAll(bells) {
		w.work(s, 0)
	}
	return true, w.Settle(ctx)
}

// Settle waits until no instance has a turn or an activity under way here.
func (w *Worker) Settle(ctx context.Context) error {
	w.mu.Lock()
	if len(w.sessions) == 0 {
		w.mu.Unlock()
		return nil
	}
	if w.idle == nil {
		w.idle = make(chan struct{})
	}
	idle := w.idle
	w.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Load is what a worker has to do at a moment.
type Load struct {
	// Instances have something under way here: a turn, an activity, or something
	// to send. Activities are in hand, and Kept are instances that wait and are
	// live in memory.
	Instances, Activities, Kept int
	// Stopping says that the worker takes nothing new.
	Stopping bool
}

// Load says what the worker has to do now.
func (w *Worker) Load() Load {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := Load{Instances: len(w.sessions), Kept: w.recent.Len(), Stopping: w.stopping}
	for _, s := range w.sessions {
		l.Activities += len(s.running)
	}
	return l
}

// stop waits for the work in hand as long as grace allows, then ends the
// contexts of what still runs and puts everything away.
func (w *Worker) stop() {
	w.mu.Lock()
	w.stopping = true
	w.mu.Unlock()
	w.halt()
	ctx, cancel := context.WithTimeout(context.Background(), w.o.Grace)
	defer cancel()
	if err := w.Settle(ctx); err != nil {
		w.o.Logger.Warn("stopped with activities running; they will be taken up again", "grace", w.o.Grace)
	}
	w.cancel()
	w.activities.drop()
	w.trials.drop()
	w.sends.drop()
	w.giveBack()
	w.mu.Lock()
	defer w.mu.Unlock()
	for e := w.recent.Front(); e != nil; e = e.Next() {
		e.Value.(*session).close()
	}
	w.recent.Init()
	w.cached = map[string]*list.Element{}
}

// giveBack lets the work in hand be taken over at once, by whoever hears of it.
func (w *Worker) giveBack() {
	ctx, cancel := context.WithTimeout(context.Background(), w.store.Lease())
	defer cancel()
	w.passOn(ctx, w.held(), 0)
}

// extend keeps the doorbells for work in hand from ringing while it is, and
// looks whether the work is still wanted; and it notices turns without end.
func (w *Worker) extend(ctx context.Context) {
	interval := max(w.store.Lease()/3, time.Millisecond)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, s := range w.stuck(interval) {
			go w.parkStuck(s)
		}
		for _, bell := range w.held() {
			if err := w.store.Extend(ctx, bell); err != nil {
				w.o.Logger.Warn("extend a doorbell", "instance", bell.Instance, "error", err)
			}
			w.look(bell.Instance)
		}
	}
}

// look finds out whether an instance whose activities run here was changed
// elsewhere: if it was terminated, for one, they are told to stop.
func (w *Worker) look(id string) {
	s, mine, err := w.post(id, &delivery{look: true})
	if err == nil && mine {
		go w.work(s, 0)
	}
}

// held returns the doorbells for work in hand, in the order of the instances.
func (w *Worker) held() []store.Doorbell {
	w.mu.Lock()
	defer w.mu.Unlock()
	var bells []store.Doorbell
	for _, s := range w.sessions {
		if s.held != (store.Doorbell{}) {
			bells = append(bells, s.held)
		}
	}
	slices.SortFunc(bells, func(a, b store.Doorbell) int { return strings.Compare(a.Instance, b.Instance) })
	return bells
}

// newToken returns what a commit is recognised by: nobody else makes the same.
func newToken() string { return strings.ReplaceAll(uuid.Must(uuid.NewV7()).String(), "-", "") }
