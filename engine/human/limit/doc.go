// Package limit keeps what is sent within bounds: for a phone, for numbers that
// are next to each other, for whoever asks, for a day, in money, by country, and
// where next to nobody types the codes back.
//
// What has been sent is remembered by instances of an orchestration, the [Ledger],
// so a restart forgets nothing and all processes that share a store share it. There
// is one for every caller, one for every ten thousand neighbouring numbers and one
// for everything; what they are called and what is in them tells no phone number
// to those who do not have the key. A message is asked for at one after the other.
// Who refuses ends that, and what the others have counted stays counted: bounds
// are kept exactly, and who runs into one gains nothing by it.
//
// A ledger that has nothing left to remember ends. Suspending the one for
// everything, [All], stops all sending until it is resumed.
package limit
