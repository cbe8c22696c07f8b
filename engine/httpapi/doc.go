// Package httpapi is the HTTP management API of Durable Functions over a
// client: start, status, list, raise event, terminate, suspend, resume, restart,
// purge, at the paths and with the status codes, headers and JSON of the
// original, so that what was written for it works unchanged.
//
// # Where it follows which version
//
// Where the 2.x and 3.x lines of the original differ, this is the 3.x of 2026:
// an instance that has not ended is not purged (412), and makeprimary without
// app leases is 400. Three things are taken from elsewhere. A path is split
// first and its segments are decoded as a path, so that a plus sign is a plus
// sign and %2F no border. The name of an unknown orchestration is refused (400),
// as in 2.x, with the list of those known. And an event without a body is null,
// because the JavaScript client sends it so; the original answers 400.
//
// There are no durable entities: their paths answer 501.
//
// # Events that are answered
//
// An event is accepted with 202, as in the original, whether or not anybody waits
// for it. With the header Prefer: wait (RFC 7240) it is taken at once or not at
// all, and its sender is told: 200 with what it led to, or a problem of RFC 9457
// that says why not: no-instance, finished, not-waiting, name-mismatch with the
// name that was probably meant, wrong-type, rejected with the tries that are left,
// expired, locked, already-decided with the decision, too-large. What is wrong is
// seen before anything is stored where the instance's row tells it; the condition
// of the wait is put to it in the turn that records it.
//
// Of the events with the same Idempotency-Key one has an effect, and all get its
// answer: those that come while it is on its way wait for it, and none is refused for
// that. With another payload it is 422, key-reused. What is kept of the key is a hash, as the id of the event in the history,
// for as long as there is one; it costs no request.
//
// Events that are reserved come in by doors of their own, behind which it is known who
// sends them. Nobody raises them here, not even operators: 403, reserved-event.
//
// # Why an instance waits
//
// GET instances/{id}/explain, which the original does not have, tells in a sentence
// and its data why an instance waits or how it ended, and what to type to change
// that. With Accept: text/plain it answers in lines for people. It takes the link that
// takes a status query, and a link is not told what people and code wrote into the
// history: the reasons of suspensions and refusals, the messages of failed calls.
//
// GET instances/{id}/history, for operators, answers with what has happened to an
// instance, in lines for people; a status query with showHistory has it as the original
// does, in JSON. GET instances/{id}/receipt gives them a signed receipt of it, if the
// app makes receipts.
//
// # Live
//
// GET instances/{id}/live sends what a status query answers, whenever that is
// something else, as server-sent events; whoever may read the status may follow.
// The last event is that of the end, and whoever asks again behind it is answered
// 204. GET live, for operators, tells of every instance after it changed: instance,
// with its status without the input, and removed. When what happened is not known in
// full, which is so at first, it sends list: read the list then.
//
// Last-Event-ID, or since in the query, says what was heard last; nothing is told
// twice then, and of an instance nothing is missed but what was overtaken. An id of
// the list is good in one process, for as long as what came after it is remembered:
// the last 1,000 changes, and a minute after nobody follows. With wait=30 the answer is a JSON array of what
// there is within so many seconds, or 204: for whoever is behind something that
// keeps streams back.
//
// All who follow the same share one reading. Changes by this process are heard at
// once; where other processes may work on the storage it is looked at as well, soon
// after a change and then ever more rarely, an instance four times a minute, the
// list, one query each, twice. Nobody looks at what nobody follows.
//
// # What it is in detail
//
// GET openapi.json, which anyone may read, describes the API in OpenAPI 3.1. The
// tests hold every answer to it.
//
// # Who may call it
//
// Without a [Doorkeeper] whoever reaches the API may do everything: put it on a
// loopback address then. With one, operators say who they are in a header: by
// a key in x-functions-key, or by a bearer token. Starting and everything that
// is not about one instance takes an operator.
//
// Whoever has a link may do what it was made for and nothing else: one thing (a
// [Door]) to one instance, until it expires. What is in the link is the HMAC of
// that under the Doorkeeper's key, so nothing is stored of it and nothing read
// from storage to see that it is good; only then is the instance's row read, as
// it would be anyway, and the link held against it. A link dies when its instance
// is started again or purged. One for an event is good for its very run; the
// others outlive ContinueAsNew.
//
// A link for another instance is answered as one for none that exists, 404. One
// for another thing is 403, and one whose time is over 410, with a problem of
// RFC 9457 that says which.
package httpapi
