// Package filestore keeps a Holdfast hub in one local folder, on the embedded
// store Pebble. It is the store of a local run and of most tests, and good for
// production on one machine.
//
// # Promises
//
// What a call reports as done is on disk: every commit waits for fsync, and
// commits of many instances that come at the same time share one. The process
// may be killed at any instruction. Reading an instance waits for a commit to
// it that is under way, so nobody is shown what a crash could take back.
//
// A folder belongs to one process at a time; a second one gets
// store.ErrInUse. Backup makes a copy while the store is in use.
//
// When the disk fails or is full, the call that noticed returns
// store.ErrBroken, and so does every call after it: what is in memory and what is on disk may differ
// then, and only opening the folder again makes them one.
//
// # Keys
//
//	i/<id>                     the instance row
//	h/<id> 00 <position>       the history rows of one turn, from that position on
//	m/<id> 00 <message>        a message in the inbox
//	d/<time><id>               a due row: look at the instance at that time
//	w/<id>                     work of the instance is in hand
//	p/deaths                   how many processes in a row died, and this one
//
// Positions are 8 bytes and times 12, most significant first. An instance id
// holds no control character, so the byte 00 ends it without doubt. Whoever had
// work in hand is gone when the folder is opened the next time.
//
// Due rows of the near future are kept in memory as well, so that nothing is
// polled and rows that come and go are never searched for.
package filestore
