// Package approval lets people decide: who is asked, in which order, how many
// must agree, who is reminded, who is asked instead when nobody answers, until
// when, and what holds then. All of that is data, a [Policy], so it can be
// written in Go or in JSON, checked, shown and kept beside the request that it
// was used for.
//
// # What decides what
//
// A policy is a list of stages, one after another. A stage has rules, all of
// which must be met at the same time; a rule asks some people, each of whom has
// one seat, and says how many of them must approve. Who has a seat and does not
// answer may be reminded, may hand the seat on, and may be stood in for by the
// people of the next rung of the stage's ladder.
//
// [Plan] turns a stage and the time at which it begins into times, by a
// [Calendar]: when to remind, to escalate and to stop. It is the only part that
// needs the rules of time zones, which change from one version of their database
// to the next; so an orchestration has an activity plan a stage, and what was
// planned is recorded.
//
// [State] is the request as it stands: a machine without a clock and without
// input or output. It is given a stage's [Schedule], the decisions of people and
// the time, and says what follows as a list of [Effect]s: whom to ask, to remind,
// to tell that the answer is no longer wanted. It is the same whoever drives it:
// an orchestration, a test, or [DryRun], which shows the whole timeline before
// anything is sent.
//
// # Who may decide
//
// State is told who decided, and believes it: it is for the door through which a
// decision comes to have verified that. Unless a policy says otherwise nobody
// decides on a request of their own; see [Separation].
//
// People are known by ids, such as e-mail addresses, in which upper and lower
// case are the same.
package approval
