// Package engine is what the author of an orchestration reads, and what runs
// one. It is pure: it has no clock, does no I/O and starts no goroutine that
// it does not end; the same history always leads to the same decisions.
//
// # An orchestration
//
// An orchestration is a function that calls activities, waits for people and
// timers, and returns. It may wait for months: nothing is held meanwhile.
//
//	const (
//		Expense   engine.Orchestrator[Claim, Verdict] = "Expense"
//		AskBoss   engine.Activity[Claim, string]      = "AskBoss"
//		Approval  engine.Event[Verdict]               = "ApprovalEvent"
//	)
//
//	func expense(ctx *engine.Context, claim Claim) (Verdict, error) {
//		if _, err := engine.CallActivity(ctx, AskBoss, claim).Await(); err != nil {
//			return Verdict{}, err
//		}
//		answer := engine.WaitForExternalEvent(ctx, Approval)
//		deadline := ctx.CreateTimer(ctx.Now().Add(72 * time.Hour))
//		if engine.Select(ctx, answer, deadline) == deadline {
//			return Verdict{Approved: false, Why: "nobody answered"}, nil
//		}
//		deadline.Cancel()
//		return answer.Await()
//	}
//
// A typed name ([Orchestrator], [Activity], [Event]) is a string that knows
// the types that travel under it, so a call site needs no type arguments and a
// mismatch does not compile.
//
// # What an author must know
//
// The function is run again from the top whenever something happens, with the
// recorded results of what it did before; this is called replay. So it must be
// deterministic: the time is [Context.Now], a unique id is [Context.NewGUID],
// and what would be a goroutine is a branch, begun by [Go]; randomness, clocks,
// I/O, goroutines and channels belong in activities. A run that asks for
// something other than what was recorded fails the instance with both sides named.
//
// While it waits, the function rests in the middle of an Await. When it is put
// away, its deferred functions run, and any Await in them ends at once; a
// deferred function should therefore only tidy up memory. A bare recover in an
// orchestration would catch the signal that puts it away: return errors
// instead.
//
// # What an author need not know
//
// [Execution], with [Decision], [Send], [Rewound], [ReplayOptions] and [NewCall],
// is the other side of the package, and so are the methods of [Registry]: what
// package dispatch runs orchestrations with, and package enginetest tests them.
//
// # Words
//
// An instance is a running orchestration, known by its id. A message is
// something that reached it from outside: a start, an event, an activity's
// result, a timer that fell due, a termination. A turn takes the messages that
// came, replays, and makes a decision: the events to be written down. An
// activity is ordinary code with effects, run at least once after the turn
// that asked for it is durable. An execution is one run of an instance: one that
// continues as new is followed by another.
package engine
