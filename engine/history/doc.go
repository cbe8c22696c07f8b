// Package history is the vocabulary of what is written down: the events of an
// orchestration, the words for its status, the rules for its ids, and the
// bytes an event becomes. It imports nothing else of Holdfast, so every other
// package may speak it.
//
// An [Event] is one fact. Facts that come from outside (a start, an external
// event, an activity's result, a timer that fell due) travel to an instance as
// messages and become history when a turn consumes them; facts that a turn
// decided (an activity scheduled, a timer created, the end) are history at
// once. Both are the same type, because a message is an event on its way.
//
// Kinds and status words carry the names and numbers that
// DurableTask.AzureStorage gives them, so that tools made for its task hubs
// can read ours.
package history
