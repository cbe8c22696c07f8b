// Package httpapi is the HTTP management API of Durable Functions over a
// client: start, status, raise event, terminate, suspend, resume, restart,
// purge, at the paths and with the status codes, headers and JSON of the
// original, so that what was written for it works unchanged.
//
// It knows nothing of who may call it: whoever reaches the handler may do
// everything. Put it on a loopback address, or behind something that asks.
package httpapi
