// Package tablestore keeps a Holdfast hub in Azure Table Storage and one
// storage queue.
package tablestore
