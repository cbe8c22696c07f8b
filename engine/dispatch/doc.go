// Package dispatch does the work: it takes what rings, replays the instance,
// commits the turn and runs the activities that the turn decided.
//
// # A turn
//
//	message ─► session ─► load (or what is cached) ─► Turn ─► Commit ─► activities
//	              ▲                                                        │
//	              └────────────────── their results ◄─────────────────────┘
//
// All that reaches one instance in this process goes through its session, so
// one goroutine at a time makes its turns, and what arrives during a commit is
// taken together by the next. A turn is guarded by the version it was made
// from. When the commit finds that somebody else was faster, the turn is made
// again on what is there now; results in hand are carried along.
//
// # Fast paths
//
// [Worker.Instances] is a store.Instances whose Create and Send make the turn
// themselves: the first turn happens inside the start call, and an event and
// the turn it wakes are one transaction. Nothing goes through the inbox then.
// When the turn cannot be made here (the orchestration is not registered, or
// others keep changing the instance), the message goes to the inbox and a
// doorbell to whoever can. An activity's result and the turn it wakes are one
// transaction in the same way.
//
// # What is left for others
//
// An instance whose orchestration is not registered here, or whose version the
// worker's strategy does not match, is left for another worker, with a line in the
// log. Its messages go to the inbox, and its doorbell is passed on: it rings
// again after a second, then after two, and so on up to a lease.
//
// # Work in hand
//
// Activities run after the turn that asked for them is durable, and the worker
// holds a doorbell for as long as one of an instance's activities is in its
// hands. If the process dies, the doorbell rings with TakeOver and the next
// worker runs them again, or, for activities that must not run twice, records
// that they were interrupted. Nobody else touches them: a turn made on another
// worker leaves them where they are.
//
// # Messages to other instances
//
// What a turn sends to other instances is sent when the turn is durable, outside
// of it: a turn never waits for that of another instance, which might be waiting
// for this one. It is in hand like an activity, but may be sent again by
// whoever makes the next turn.
//
// # What waiting costs
//
// An instance that waits for a person or a timer has no session, no goroutine
// and no lease. A bounded number of those that moved last is kept live, so that
// a busy instance is not read again for every turn.
package dispatch
