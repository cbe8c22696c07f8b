// Package azuretest is a storage account in memory: Azure Table Storage, Queue
// Storage and Blob Storage as far as a hub uses them, for tests that must be quick and
// repeatable.
//
// An [Account] takes the place of the network: it is the Transport of an SDK
// client's options. It is strict. What Azure refuses, it refuses with the same
// status and code: an entity or a transaction that is too large, an operation
// on another partition, a stale ETag or pop receipt, a key with a slash. What
// it does not know it answers with 501, so that nothing is tested that it only
// pretends to do. Signatures are not checked.
//
// The protocol is that of Microsoft's REST reference for the Table service
// (version 2019-02-02), the Queue service and the Blob service. A test of package tablestore holds
// the answers to those of Azurite; where Azurite is more lenient, the reference
// is followed.
//
// The services leave some things open: how a list is cut into pages, which of
// the visible messages are handed out, and how many. [Options.Choose] decides
// them, so that a test can meet every choice.
package azuretest
