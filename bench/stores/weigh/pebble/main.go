// Command pebble only opens a pebble store, to be weighed.
package main

import (
	"log"
	"os"

	"github.com/cockroachdb/pebble/v2"
)

func main() {
	db, err := pebble.Open(os.Args[1], &pebble.Options{})
	if err != nil {
		log.Fatalf("open pebble: %v", err)
	}
	if err := db.Close(); err != nil {
		log.Fatalf("close pebble: %v", err)
	}
}
