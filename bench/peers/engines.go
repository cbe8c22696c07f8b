package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// candidate is an engine in one configuration.
type candidate struct {
	name    string
	program string // the folder of its command
	version string
	durable string // how what it accepts gets onto the disk
	// needs is the environment variable that names its server, and server the
	// file in the cache that prepare puts there; empty if it has none.
	needs, server string
	// waiting is how many instances wait in the workload that weighs them: as
	// many as it starts within half a minute or so.
	waiting int
	peer    bool
}

var candidates = []candidate{
	{name: "holdfast", program: "holdfast", version: "this checkout", durable: "own folder (Pebble), fsync before every answer, shared by those who wait", waiting: 200_000},
	{name: "holdfast-azurite", program: "holdfast", version: "this checkout", durable: "Azurite 3.35.0 on disk, which itself does not fsync", needs: "HOLDFAST_BENCH_AZURITE", waiting: 500},
	{name: "go-workflows", program: "goworkflows", version: "v1.2.0", durable: "SQLite, WAL, synchronous=FULL", waiting: 4_000},
	{name: "durabletask-go", program: "durabletask", version: "v0.6.0", durable: "SQLite, WAL, synchronous=FULL", waiting: 3_000},
	{name: "temporal", program: "temporal", version: "sdk v1.50.0, server 1.32.0", durable: "SQLite, WAL, synchronous=FULL; polls raised from 20 to 2000 a second", needs: "HOLDFAST_BENCH_TEMPORAL", server: temporalServer, waiting: 1_000},
	{name: "dbos", program: "dbos", version: "v1.8.0", durable: "SQLite, WAL, synchronous=FULL (its default is NORMAL)", waiting: 2_000},
	{name: "restate", program: "restate", version: "sdk v1.2.0, server 1.7.12", durable: "its own log, fsync shared by those who wait", needs: "HOLDFAST_BENCH_RESTATE", server: restateServer, waiting: 10_000},
}

func names() (all []string) {
	for _, c := range candidates {
		all = append(all, c.name)
	}
	return all
}

func find(name string) candidate {
	for _, c := range candidates {
		if c.name == name {
			return c
		}
	}
	panic("parse lets no other name pass")
}

// environment returns the variables that its program needs.
func (c candidate) environment(cache string) ([]string, error) {
	environment := os.Environ()
	switch {
	case c.server != "":
		server := filepath.Join(cache, c.server)
		if _, err := os.Stat(server); err != nil {
			return nil, fmt.Errorf("%s: %w; run: go run ./peers prepare", c.name, err)
		}
		return append(environment, c.needs+"="+server), nil
	case c.needs != "":
		return append(environment, c.needs+"=1"), nil
	}
	return environment, nil
}
