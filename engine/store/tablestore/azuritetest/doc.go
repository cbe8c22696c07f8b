// Package azuritetest runs Azurite, Microsoft's emulator of Azure Storage, for
// tests, benchmarks and trial runs. It takes the Azurite that npm put into
// .ci/azurite of this checkout by the lock file there, so it is of use inside
// this repository only.
//
// A test asks for an emulator and is skipped, with a word on how to get what is
// missing, where there is none:
//
//	e := azuritetest.Shared(t)               // by the real clock; needs Node.js only
//	o := tablestore.Options{ConnectionString: e.ConnectionString(), Hub: azuritetest.NewHub()}
//
//	e := azuritetest.Frozen(t)               // its clock is the test's; needs libfaketime too
//	o.Client.PerCallPolicies = []policy.Policy{e.Clock(now)}
//
// Tests of one binary share emulators, so each takes a hub of its own. A
// program that is no test calls [Start].
//
// An emulator ends with the process that started it, however that ends, and
// what it had in a folder of its own is removed then.
//
// # Where it keeps what is stored
//
// Never in Azurite's own memory: its option for that makes every queue message
// a thing of its own, whose removal blocks all services for seconds after some
// thousand messages, and for good after some ten thousand. Its usual files in a
// folder that is in memory are as fast and have no such trap; that is the
// default where the system has such a folder with room. A test in whose
// question durability is part gives a folder on disk, from which a later
// emulator goes on. Azurite writes its files every five seconds and when it is
// stopped, so one that is killed says nothing about Azure: kill the worker, not
// the store.
package azuritetest
