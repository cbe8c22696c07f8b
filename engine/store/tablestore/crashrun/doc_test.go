// Package crashrun runs three workers as processes of their own on one hub of
// the table store, kills one of them every few seconds, and afterwards reads
// the tables to prove that every promise was kept.
//
// The short run is part of the test command. The long one is
//
//	go test ./engine/store/tablestore/crashrun -v -timeout 90m -args -instances 2000
//
// Five orchestrations are run (see shapes): a verification by SMS, an approval
// that escalates, a fan-out to twenty activities, a parent with children that it
// sends events to, and a loop that begins itself anew for every event. Whoever
// starts them and answers them does it over HTTP through any of the workers,
// and again through another one when an answer is lost.
package crashrun
