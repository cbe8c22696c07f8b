// Package httpapi is the HTTP management API of Durable Functions over a
// client: start, status, raise event, terminate, suspend, resume, restart,
// purge, at the paths and with the status codes, headers and JSON of the
// original, so that what was written for it works unchanged.
//
// # Where it follows which version
//
// Where the 2.x and 3.x lines of the original differ, this is the 3.x of 2026:
// an instance that has not ended is not purged (412), and makeprimary without
// app leases is 400. Three things are taken from elsewhere. A path is split
// first and its segments are decoded as a path, so that a plus sign is a plus
// sign and %2F no border. The name of an unknown orchestration is refused (400),
// as in 2.x, with the list of those known. And an event without a body is null,
// because the JavaScript client sends it so; the original answers 400.
//
// There are no durable entities: their paths answer 501.
//
// # Who may call it
//
// It knows nothing of who may call it: whoever reaches the handler may do
// everything. Put it on a loopback address, or behind something that asks.
package httpapi
