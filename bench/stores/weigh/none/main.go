// Command none only opens a file, for what a program weighs without a store.
package main

import (
	"log"
	"os"
)

func main() {
	f, err := os.Create(os.Args[1])
	if err != nil {
		log.Fatalf("open file: %v", err)
	}
	if err := f.Close(); err != nil {
		log.Fatalf("close file: %v", err)
	}
}
