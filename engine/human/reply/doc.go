// Package reply lets people answer requests by text message. Each request that a
// phone is told of has a reference of four characters, and is answered by it:
//
//	A 7F3K            approve
//	R 7F3K too dear   reject, with a reason
//
// [Parse] reads what somebody wrote, and takes nothing for an answer that has not
// both a verb and a reference: one that is left out is never guessed, however few
// requests are open. A message that names two open requests answers neither. The words by
// which people opt out of messages are no verbs.
//
// Which references are open for a phone is remembered by an instance of an
// orchestration, the [Directory], whose id and content tell no phone number. A
// [Book] gives references out and finds them again.
//
// The number that a message comes from can be forged by whoever has the means. A
// request of high risk should not be answered by text message alone.
package reply
