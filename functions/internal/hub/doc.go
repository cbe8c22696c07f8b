// Package hub is what the app's hub commands do, on any store that can be kept
// as a whole: show what a hub is, write out everything in it, delete it.
//
// # The export
//
// An export is text, one JSON object a line. Its field "type" says what a line is:
//
//	hub        first: "format" (1), what the hub is called, whose it is, when the export began
//	instance   an instance: its row
//	event      an event of that instance's history, at a "position" counted from 0
//	message    a message to that instance which is not in the history yet
//	end        last: how many instances, events and messages there were
//
// An instance's line is followed by its events and messages. Each instance is as
// it was at one moment; the hub may be in use, and then the moments differ. A
// text without its last line was cut off.
//
// Fields without a value are left out. Times are in RFC 3339 with up to nine
// digits of a second, in UTC. "input", "output", "customStatus" and "result"
// are the JSON values themselves; "kind" and "status" are the words of Durable
// Functions; other names are those of history.Event and store.Instance. What a
// person typed in answer to a secret event is sealed in the store and so in the
// export: whoever has it needs the verification key as well to guess a code.
//
// Doorbells and due rows are left out, as they only say which instance to look
// at, and follow from its row and its messages.
package hub
