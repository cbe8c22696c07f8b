// Package store is Holdfast's contract with stable storage. Package storetest
// proves an implementation; filestore is one local folder.
//
// # What a store keeps
//
// For every instance: one [Instance] row, the only truth about where it
// stands; its history, which only grows; and its inbox, the messages that were
// accepted and are not in the history yet. The row carries a [Version] that
// changes with every commit and guards the next one.
//
// # The two roles
//
// [Instances] is what a client uses: begin, send, read. [Queue] is what a
// worker uses: be told which instance to look at, load it, commit a turn. A
// [Store] is both.
//
// # Doorbells
//
// A doorbell says only "look at this instance"; what there is to do is found by
// looking. One rings when a message waits in the inbox, when the row's Wake has
// come, and, with TakeOver, when a worker that had work of the instance in hand
// has not been heard of for the length of a lease. One that rings without cause
// is harmless. What must never happen is a cause without a doorbell: a store makes
// the new doorbell durable before or together with its cause, and takes the old
// one away only after.
package store
