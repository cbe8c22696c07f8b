// Command bbolt only opens a bbolt store, to be weighed.
package main

import (
	"log"
	"os"

	"go.etcd.io/bbolt"
)

func main() {
	db, err := bbolt.Open(os.Args[1], 0o600, nil)
	if err != nil {
		log.Fatalf("open bbolt: %v", err)
	}
	if err := db.Close(); err != nil {
		log.Fatalf("close bbolt: %v", err)
	}
}
