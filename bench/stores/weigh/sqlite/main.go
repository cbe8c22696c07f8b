// Command sqlite only opens a sqlite store, to be weighed.
package main

import (
	"database/sql"
	"log"
	"os"

	_ "modernc.org/sqlite"
)

func main() {
	db, err := sql.Open("sqlite", os.Args[1])
	if err != nil {
		log.Fatalf("open sqlite: %v", err)
	}
	if err := db.Ping(); err != nil {
		log.Fatalf("connect to sqlite: %v", err)
	}
	if err := db.Close(); err != nil {
		log.Fatalf("close sqlite: %v", err)
	}
}
