package store

import (
	"context"
	"errors"
	"time"
)

// ErrNoHub is returned for a hub that is to be looked at or removed, and is not
// there.
var ErrNoHub = errors.New("there is no such hub")

// Keeper is a store as whoever keeps the hub sees it: as a whole. What its
// methods cost grows with the hub; none is for a program's daily work.
type Keeper interface {
	Store

	// Describe says what the hub consists of.
	Describe(ctx context.Context) (Hub, error)

	// IDs calls f with the id of every instance, in the store's order, until
	// f returns an error, which it returns. It reads the rows that turns are
	// guarded by and not the lists, so it misses none.
	IDs(ctx context.Context, f func(id string) error) error

	// Remove removes the hub with all that is in it, and closes the store. If
	// it fails, some parts may be left; it may be called again.
	Remove(ctx context.Context) error
}

// Hub describes a hub as a whole.
type Hub struct {
	// Name is empty for a hub that its place says enough about.
	Name  string
	Owner Owner
	// Since is when the hub got its owner; zero if it has none.
	Since time.Time
	// Layout is the version of how the hub is laid out.
	Layout int
	Parts  []Part
	// Timers is how many wait outside the memory of all workers, and Doorbells
	// how many messages are in the queue, hidden ones included. The latter is
	// as exact as the store knows it, and -1 if it has no queue.
	Timers, Doorbells int
}

// Part is something that a hub consists of.
type Part struct {
	Kind    string // such as "table"
	Name    string
	Missing bool
}

// Owner says which app a hub belongs to. The zero Owner is nobody.
type Owner struct {
	// App is the app's name, the same for all its processes.
	App string
	// Deployment tells apps of one name apart that run in different places;
	// empty if the name is enough.
	Deployment string
}

// Is reports whether two owners are one: their names are the same, and their
// deployments where both are known.
func (o Owner) Is(other Owner) bool {
	return o.App == other.App && (o.Deployment == "" || other.Deployment == "" || o.Deployment == other.Deployment)
}

// String names the owner in one line.
func (o Owner) String() string {
	switch {
	case o.App == "":
		return "nobody"
	case o.Deployment == "":
		return o.App
	}
	return o.App + " of " + o.Deployment
}
