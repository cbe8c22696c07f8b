package tablestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/internal/watch"
	"github.com/seed21523604/holdfast/engine/store"
)

// maxHidden is how long Azure hides a queue message at most.
const maxHidden = 7 * 24 * time.Hour

// Options says which hub to use and how. Hub and one way to connect are needed.
type Options struct {
	// ConnectionString is the storage account's; UseDevelopmentStorage=true
	// is Azurite on its usual ports.
	ConnectionString string
	// TableURL, QueueURL and BlobURL are the endpoints to use with
	// Credential, in place of a connection string.
	TableURL, QueueURL, BlobURL string
	Credential                  azcore.TokenCredential
	// Hub is what the names of tables, queue and container begin with: 3 to 45 letters
	// and digits, the first a letter.
	Hub string
	// Owner is the app that the hub belongs to, which is written down when the
	// hub gets its first owner; Open refuses others with ErrOwned. With the
	// zero Owner nothing is written or compared.
	Owner store.Owner
	// Existing opens the hub only if it is there, in order to look at it or to
	// remove it: nothing is made and no owner compared. Otherwise Open returns
	// store.ErrNoHub.
	Existing bool

	// MaxInbox is how many messages an instance's inbox holds before events are
	// refused; store.DefaultMaxInbox. With a negative number there is no bound.
	MaxInbox int

	// Lease is how long a doorbell stays hidden from others, in whole
	// seconds; one minute.
	Lease time.Duration
	// Horizon is how far ahead a Wake waits in the queue and not in a due
	// row; 10 minutes. It is longer than the minute between two sweeps and
	// shorter than 7 days.
	Horizon time.Duration
	// PollFloor is the time to the next poll after the first one that found
	// nothing; 100 ms. It is doubled after each, up to PollCeiling; 30
	// seconds. A longer ceiling costs less, and lets what other processes put
	// wait for as long.
	PollFloor, PollCeiling time.Duration
	// Rouse is called before a doorbell is put or hidden, with the time at which
	// it rings, by who must have a worker awake then and cannot leave that to the
	// queue. It is called often, by several goroutines and for the same time again,
	// and what it does delays the call that puts the doorbell; nil for nobody.
	Rouse func(ctx context.Context, at time.Time)
	// Now is the machine's clock; time.Now. Times that other workers see are
	// told by [Store.Now].
	Now func() time.Time
	// Client changes how requests are made. Without a limit of its own, a
	// request is repeated three times, within a few seconds or as Azure asks
	// for by a Retry-After of up to a minute.
	Client policy.ClientOptions
	// Logger receives what went wrong without making a call fail; nil
	// discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MaxInbox == 0 {
		o.MaxInbox = store.DefaultMaxInbox
	}
	if o.Lease == 0 {
		o.Lease = time.Minute
	}
	if o.Horizon == 0 {
		o.Horizon = 10 * time.Minute
	}
	if o.PollCeiling == 0 {
		o.PollCeiling = 30 * time.Second
	}
	if o.PollFloor == 0 {
		o.PollFloor = min(100*time.Millisecond, o.PollCeiling)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if retry := &o.Client.Retry; retry.MaxRetries == 0 {
		retry.MaxRetries, retry.RetryDelay, retry.MaxRetryDelay = 3, 200*time.Millisecond, time.Minute
		retry.TryTimeout = 30 * time.Second
	}
	return o
}

var hubName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{2,44}$`)

func (o *Options) check() error {
	switch {
	case !hubName.MatchString(o.Hub):
		return fmt.Errorf("the hub's name %q is not 3 to 45 letters and digits, the first a letter", o.Hub)
	case o.Lease < time.Second || o.Lease%time.Second != 0 || o.Lease > maxHidden:
		return fmt.Errorf("a lease of %v is not whole seconds up to 7 days", o.Lease)
	case o.PollFloor < 0 || o.PollFloor > o.PollCeiling:
		return fmt.Errorf("polls from %v to %v apart are no range", o.PollFloor, o.PollCeiling)
	case o.Horizon <= sweepInterval || o.Horizon > maxHidden:
		return fmt.Errorf("a horizon of %v is not between %v and 7 days", o.Horizon, sweepInterval)
	}
	return nil
}

// Store is a hub in Azure Storage. Its methods may be called concurrently.
type Store struct {
	o         Options
	clock     *clock
	account   *aztables.ServiceClient
	history   *aztables.Client // sentinels, history and inboxes
	instances *aztables.Client // projections
	due       *aztables.Client
	queue     *azqueue.QueueClient
	blobs     *container.Client

	held      heldBells
	projected projections
	texts     texts
	poll      poller

	closing sync.Once
	closed  chan struct{}
	watches watch.List
}

var _ store.Store = (*Store)(nil)

// Open opens the hub, which is made if it does not exist. Any number of
// processes may have it open, of one app; ErrOwned, ErrNewer. If the hub was
// removed just before, Open waits until Azure is done with that.
func Open(ctx context.Context, o Options) (*Store, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("open a hub: %w", err)
	}
	c := &clock{machine: o.Now}
	o.Client.PerCallPolicies = slices.Concat([]policy.Policy{c}, o.Client.PerCallPolicies)
	tables, queue, blobs, err := connect(&o)
	if err != nil {
		return nil, fmt.Errorf("open hub %s: %w", o.Hub, err)
	}
	s := &Store{
		o: o, clock: c, account: tables, queue: queue, blobs: blobs, closed: make(chan struct{}), poll: newPoller(),
		history: tables.NewClient(o.Hub + "History"), instances: tables.NewClient(o.Hub + "Instances"), due: tables.NewClient(o.Hub + "Due"),
	}
	prepare := s.prepare
	if o.Existing {
		prepare = s.mustExist
	}
	if err := prepare(ctx); err != nil {
		return nil, fmt.Errorf("open hub %s: %w", o.Hub, brief(err))
	}
	return s, nil
}

// prepare makes what is missing of the hub and takes it for its owner.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.create(ctx); err != nil {
		return err
	}
	return s.claim(ctx)
}

// Close ends the use of the hub.
func (s *Store) Close() error {
	s.closing.Do(func() { close(s.closed) })
	s.watches.TellAll()
	return nil
}

// Watch returns a channel that is closed at the instance's next change by this
// process.
func (s *Store) Watch(id string) (changed <-chan struct{}, done func()) { return s.watches.Watch(id) }

// Each calls f with the id of every instance that Watch would tell of.
func (s *Store) Each(f func(id string)) (done func()) { return s.watches.Each(f) }

// Lease returns how long a received doorbell stays hidden.
func (s *Store) Lease() time.Duration { return s.o.Lease }

// with calls f if the store is open, and says what for if it fails.
func (s *Store) with(verb, id string, f func() error) error {
	select {
	case <-s.closed:
		return store.ErrClosed
	default:
	}
	err := checkID(id)
	if err == nil {
		err = f()
	}
	if err != nil {
		return fmt.Errorf("%s instance %s: %w", verb, id, asGone(brief(err)))
	}
	return nil
}

// warn reports what went wrong after a call had its effect.
func (s *Store) warn(what, id string, err error) {
	if err != nil {
		s.o.Logger.Warn(what, "instance", id, "error", brief(err))
	}
}

// queueName is the name of a hub's queue, in which Azure allows no capitals.
func queueName(hub string) string { return strings.ToLower(hub) + "-doorbells" }

// containerName is the name of the container of a hub's large payloads.
func containerName(hub string) string { return strings.ToLower(hub) + "-largemessages" }

// errNoConnection is returned by Open for Options that name no account.
var errNoConnection = errors.New("neither a connection string nor endpoints with a credential are given")

func connect(o *Options) (tables *aztables.ServiceClient, queue *azqueue.QueueClient, blobs *container.Client, err error) {
	tableOptions := &aztables.ClientOptions{ClientOptions: o.Client}
	blobOptions := &container.ClientOptions{ClientOptions: o.Client}
	bells, large := queueName(o.Hub), containerName(o.Hub)
	var errTables, errQueue, errBlobs error
	switch {
	case o.ConnectionString != "":
		text := Expand(o.ConnectionString)
		tables, errTables = aztables.NewServiceClientFromConnectionString(text, tableOptions)
		queue, errQueue = o.Queue(bells)
		blobs, errBlobs = container.NewClientFromConnectionString(text, large, blobOptions)
		return tables, queue, blobs, errors.Join(errTables, errQueue, errBlobs)
	case o.Credential != nil && o.TableURL != "" && o.QueueURL != "" && o.BlobURL != "":
		tables, errTables = aztables.NewServiceClient(o.TableURL, o.Credential, tableOptions)
		queue, errQueue = o.Queue(bells)
		blobs, errBlobs = container.NewClient(strings.TrimRight(o.BlobURL, "/")+"/"+large, o.Credential, blobOptions)
		return tables, queue, blobs, errors.Join(errTables, errQueue, errBlobs)
	}
	return nil, nil, nil, errNoConnection
}

// Queue returns a queue of the account that the hub is in, by its own name, whether
// it exists or not.
func (o Options) Queue(name string) (*azqueue.QueueClient, error) {
	options := &azqueue.ClientOptions{ClientOptions: o.withDefaults().Client}
	switch {
	case o.ConnectionString != "":
		return azqueue.NewQueueClientFromConnectionString(Expand(o.ConnectionString), name, options)
	case o.Credential != nil && o.QueueURL != "":
		return azqueue.NewQueueClient(strings.TrimRight(o.QueueURL, "/")+"/"+name, o.Credential, options)
	}
	return nil, errNoConnection
}

// The account that every Azurite has, and whose key everybody knows.
const (
	developmentAccount = "devstoreaccount1"
	developmentKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// developmentString is the connection string of an Azurite with the given
// endpoints, which end before the account's name.
func developmentString(blobs, queues, tables string) string {
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%[1]s;AccountKey=%[2]s;BlobEndpoint=%[3]s/%[1]s;QueueEndpoint=%[4]s/%[1]s;TableEndpoint=%[5]s/%[1]s;",
		developmentAccount, developmentKey, blobs, queues, tables)
}

// Expand spells out the short form of a connection string, UseDevelopmentStorage=true,
// which the SDKs do not know, and returns others as they are.
func Expand(connection string) string {
	for part := range strings.SplitSeq(connection, ";") {
		if name, value, _ := strings.Cut(part, "="); strings.EqualFold(strings.TrimSpace(name), "UseDevelopmentStorage") && strings.EqualFold(strings.TrimSpace(value), "true") {
			return developmentString("http://127.0.0.1:10000", "http://127.0.0.1:10001", "http://127.0.0.1:10002")
		}
	}
	return connection
}
