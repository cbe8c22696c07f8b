// Package human asks people: it verifies that somebody holds a phone, by a
// code that is sent and typed back.
//
// A one-time code is a [Code], which no log can print. It exists in clear only
// inside the activity that sends it. What is written down is its seal, a keyed
// hash bound to the instance and the event, made by a [Sealer]; and a guess is
// sealed at the door, before it is written, so that two seals are all that the
// orchestration ever compares. The key is not in the store.
package human
