// Package sim runs workers, clients and a storage account in one simulated
// world, and checks every promise of the engine in it.
//
// A run is made of choices: which of the goroutines that wait goes on next, what
// becomes of its request, whether a process dies, how much time goes by, what
// people do and what their orchestrations look like. All choices come from one
// [tape], which a seed fills. The same seed is the same run, to the last line
// of its story.
//
// The code under test is the real one: dispatch.Worker, client.Client,
// tablestore and the Azure SDK. Only the network below is simulated: it leads to
// an azuretest.Account. Every request waits at a point until the schedule lets it
// pass, and so does every activity and every person, and only one of them moves at
// a time. Time is that of a testing/synctest bubble and passes when the schedule
// says so.
//
// What can go wrong: a request does not arrive, or its answer; it is refused for
// a while; it takes too long and arrives after its sender has given up; processes
// die in the middle of anything and come back, stand still for longer than a
// lease, or are stopped; their clocks differ; pages are short, messages come in
// any order. Then the weather clears, and everything must come to rest.
//
// A [monitor] looks at storage after every change, an [oracle] says for every
// history what the orchestration must have decided, and every answer that a
// person got is held to what was stored while they waited.
//
// When something is wrong, the tape is cut and flattened as long as it still goes
// wrong, and what is left is told as a short story.
package sim
