// Package tablestore keeps a Holdfast hub in Azure Table Storage, one storage
// queue and one blob container, for any number of processes at a time.
//
// # Tables
//
// An instance's truth is one partition of the table {Hub}History, so that a turn
// is one transaction. Its key is the escaped instance id; its rows are
//
//	0000000000000000 …   the history, by position, in 16 hexadecimal digits
//	inbox-<message id>   a message that is not in the history yet
//	sentinel             the instance's row; its ETag guards every turn
//
// A history row counts if it is one of the sentinel's number of events from
// position 0, or from Begins, on and its ExecutionId is the sentinel's; an inbox
// row counts if its ReceiverExecutionId is. What does not count is left over from
// an execution that was replaced, or was written ahead by a turn too large for one
// transaction, and is overwritten or deleted sooner or later. The first turn of an
// execution that replaces another is written behind the other's rows if it is too
// large for one transaction: they count until the last transaction is made.
//
// {Hub}Instances is what lists are made of: a copy of every sentinel, written
// after the commit when the status changes. So a list may show other columns as
// they were then, and the status a moment late. Somebody's doorbell stays until
// the copy is written, and whoever answers it without finding a cause writes it:
// after a crash between the two that is a lease later, or when the timer would
// have rung that the turn made superfluous, at most the horizon.
//
// {Hub}Due has a row for each Wake that is further ahead than the horizon, in a
// partition for every hour. A sweep, once a minute at most, puts a message into
// the queue for what has come within the horizon, and notes it in the row. The
// row goes, and the message with it, when the timer fires or is canceled; what a
// crash leaves of them rings once more, a horizon after its time.
//
// One row more in {Hub}Due says which app the hub belongs to. It is written when
// the hub gets its first owner and compared by every Open after that; nobody
// keeps anything alive, so it costs nothing later.
//
// # Large payloads
//
// A text over 60 KiB, in UTF-16, is compressed into a blob of the container
// {hub}-largemessages; a column {Property}BlobName names it, and the column
// {Property} is empty. In {Hub}Instances it is the blob's URL, as tools expect.
// Blobs are named
//
//	<escaped instance id>/<escaped execution id>/<SHA-256 of the text>.json.gz
//
// so that one is never changed, may be written twice, and serves all rows of its
// execution: a start's input is written once for the message, the history and the
// instance's row, and a message's payload stays where it is when it becomes
// history. A blob goes when its execution does, never before.
//
// A blob is written before the row that names it. What a crash leaves is found
// because the sentinel says, from before the first blob is written, that the
// instance may have blobs (column Blobs, which costs a request once), and if there
// is no sentinel yet, because a doorbell rings for it. Then the blobs of executions
// that were replaced or purged are deleted at once. Those that belong to none that
// is known are deleted when they are an hour old, as one may be about to begin; who
// takes half an hour between a blob and its row gives up.
//
// # Purge
//
// An instance without blobs and of less than 100 rows is removed in one
// transaction. Otherwise its sentinel becomes a grave first (column Purged): the
// instance is gone, what it had is removed in batches of 100, and the grave goes
// last. Who comes upon a grave goes on with the purge, be it another purge or a
// doorbell; a start takes its place and clears up behind itself. The projection
// goes at the very end, so that a purge of many, which lists projections, finds
// what another did not finish.
//
// # Tools
//
// Tools made for the hubs of DurableTask.AzureStorage can read ours: both tables
// have its names, keys, columns and types, with columns of ours beside them. A
// message that waits has no ExecutionId, by which such tools tell history from
// the rest. They cannot give commands: those would go to queues that nobody
// reads here. They show the escapes for ' and %, which are ours, as 4 and 5.
//
// A time is kept twice: as Edm.DateTime, which begins in 1601 and knows 100
// nanoseconds, and exactly, in a column whose name ends with Exact.
//
// # Doorbells
//
// The queue {hub}-doorbells holds messages {"holdfast":{"instance":…}}.
// A new one is put before what it stands for is written and deleted only after
// that is settled. One that must not be found too early is hidden first and
// revealed afterwards; if it is gone by then, because somebody looked before
// there was anything to see, there is a new one.
//
// The queue counts in seconds, so a Wake rings up to a second late, and no lease
// is a fraction of one.
//
// The message for work in hand says "takeOver" too. The row knows which message
// belongs to which hand, so one is kept from turn to turn while more than half
// of its lease is left, which costs no request. Who receives it reads the row to
// learn the hand's receipt; a message that belongs to none is one without a cause.
// What this process put or received is found again by receipt, in memory.
//
// A worker that waits asks at once when something rings that this process put,
// and otherwise less and less often, up to the poll ceiling.
//
// # Clocks
//
// Who is early and who is late is decided by the storage account's clock, which
// all workers of a hub see in the dates of its answers. [Store.Now] is the
// machine's clock, put right by as little as those dates demand, so the clocks of
// two workers differ by no more than the second to which Azure tells the time,
// whatever their machines say. Times are compared by it; what has happened in
// which order is told by versions, never by times.
//
// # When Azure is not well
//
// A request that is refused or unanswered is made again by the SDK, after as
// long as Azure asks for, at most a minute. What still fails is the caller's to
// try again; a worker does so less and less often, down to twice a minute. The
// one request that must not have its effect twice, the transaction of a turn or a
// message, recognises itself.
//
// When the hub is deleted under its workers, calls return store.ErrGone, and the
// workers end.
//
// A doorbell that somebody received who died rings again after the time for
// which they hid it: a lease if it was one of our workers, and as long as it
// likes if it was something else that reads the queue. Another doorbell for the
// same instance does not wait for it.
//
// # Versions
//
// A message is written in one transaction with a count in the sentinel, so its
// ETag changes with every message too. A store.Version is the ETag with what the
// next commit must know of the row (execution, turn, number of events, status,
// messages waiting, where its doorbells are), so that no row is read before it
// is written.
//
// # Limits
//
// What is over the limits of package history is refused with store.ErrTooLarge. So
// is an id whose escaped form has more than 512 UTF-16 units; no id of 256
// characters has. What Azurite lets through and Azure does not is refused here: a
// row over 1 MiB or of more than 252 columns, a transaction of more than one
// partition or 100 operations, a page of more than 1000 rows.
//
// A page of a list ends early when it has 32 MiB of inputs and outputs.
package tablestore
